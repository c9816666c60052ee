//! Each name once: the same node or key is one string in memory, however many events have it.

use rustc_hash::FxHashSet;

use crate::history::Name;

/// The names met so far. One per chunk, so that two threads never count references to one name.
#[derive(Debug, Default)]
pub(super) struct Names {
    known: FxHashSet<Name>,
}

impl Names {
    /// The name for that text.
    pub fn name(&mut self, text: &str) -> Name {
        if let Some(name) = self.known.get(text) {
            return name.clone();
        }
        let name = Name::from(text);
        self.known.insert(name.clone());
        name
    }
}

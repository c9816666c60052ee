//! Each name once: the same node or key is one string in memory, however many events have it.

use std::num::NonZeroU32;

use rustc_hash::FxHashMap;

use crate::history::Name;

/// Which of the names of a chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NameId(NonZeroU32);

/// The names met so far, numbered. One per chunk, so that two threads never count references to
/// one name.
#[derive(Debug, Clone, Default)]
pub(super) struct Names {
    known: FxHashMap<Name, NameId>,
    /// By number, which starts at 1.
    all: Vec<Name>,
}

impl Names {
    /// The number of the name for that text.
    pub fn id(&mut self, text: &str) -> NameId {
        if let Some(id) = self.known.get(text) {
            return *id;
        }
        let name = Name::from(text);
        self.all.push(name.clone());
        let number = u32::try_from(self.all.len()).ok().and_then(NonZeroU32::new);
        let id = NameId(number.expect("fewer than 2^32 names are in memory"));
        self.known.insert(name, id);
        id
    }

    /// The name for that text.
    pub fn name(&mut self, text: &str) -> Name {
        let id = self.id(text);
        self.get(id).clone()
    }

    pub fn get(&self, id: NameId) -> &Name {
        &self.all[id.index()]
    }

    pub fn len(&self) -> usize {
        self.all.len()
    }
}

impl NameId {
    /// From 0.
    pub fn index(self) -> usize {
        self.0.get() as usize - 1
    }
}

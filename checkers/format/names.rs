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
    /// The last name met with each of a few cheap hashes: most lines name the same few nodes and
    /// keys.
    recent: Vec<Option<NameId>>,
}

/// How many recent names are kept; a power of two.
const RECENT: usize = 128;

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

    /// As [`Names::id`], for ASCII: what was met lately is found without a look into the table.
    pub fn id_of_ascii(&mut self, text: &[u8]) -> NameId {
        self.recent.resize(RECENT, None);
        let ends = [text.first(), text.last()].map(|byte| usize::from(*byte.unwrap_or(&0)));
        let before_last = usize::from(*text.iter().nth_back(1).unwrap_or(&0));
        let place = (text.len() + 3 * ends[0] + 10 * before_last + ends[1]) % RECENT;
        if let Some(id) = self.recent[place]
            && self.get(id).as_bytes() == text
        {
            return id;
        }
        let id = self.id(&String::from_utf8_lossy(text));
        self.recent[place] = Some(id);
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

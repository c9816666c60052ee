//! Things with a number, whose numbers are used again.

/// A table whose entries keep their number until they are removed.
#[derive(Debug)]
pub(super) struct Slab<T> {
    entries: Vec<Option<T>>,
    unused: Vec<u32>,
}

impl<T> Slab<T> {
    pub fn new() -> Self {
        Self { entries: Vec::new(), unused: Vec::new() }
    }

    pub fn insert(&mut self, entry: T) -> u32 {
        match self.unused.pop() {
            Some(id) => {
                self.entries[id as usize] = Some(entry);
                id
            }
            None => {
                self.entries.push(Some(entry));
                self.entries.len() as u32 - 1
            }
        }
    }

    pub fn remove(&mut self, id: u32) -> Option<T> {
        let entry = self.entries[id as usize].take();
        if entry.is_some() {
            self.unused.push(id);
        }
        entry
    }

    pub fn len(&self) -> usize {
        self.entries.len() - self.unused.len()
    }
}

impl<T> std::ops::Index<u32> for Slab<T> {
    type Output = T;

    /// # Panics
    /// If the entry was removed: a mistake of the caller.
    fn index(&self, id: u32) -> &T {
        self.entries[id as usize].as_ref().expect("the entry is still there")
    }
}

impl<T> std::ops::IndexMut<u32> for Slab<T> {
    fn index_mut(&mut self, id: u32) -> &mut T {
        self.entries[id as usize].as_mut().expect("the entry is still there")
    }
}

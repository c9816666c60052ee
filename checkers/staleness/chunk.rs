//! Operations of one register that have to be ordered together.

use super::reigns::{Effect, NONE};

/// Operations that took effect, with reigns numbered from zero. No reign is without its writer;
/// the initial value's is an operation before all others.
#[derive(Debug, Default)]
pub(super) struct Chunk {
    pub operations: Vec<Effect>,
    /// How many reigns there are.
    pub reigns: usize,
    /// Whether some operation found one value and wrote another.
    pub has_cas: bool,
}

impl Chunk {
    /// Numbers one more reign.
    pub fn reign(&mut self, initial: bool) -> u32 {
        let id = self.reigns as u32;
        self.reigns += 1;
        if initial {
            self.operations.push(Effect { start: 0, finish: 0, found: NONE, began: id });
        }
        id
    }

    /// Adds an operation; its reigns by their numbers here.
    pub fn push(&mut self, effect: &Effect, found: u32, began: u32) {
        self.has_cas |= found != NONE && began != NONE;
        self.operations.push(Effect { found, began, ..*effect });
    }

    /// By reign: the earliest finish of its operations.
    pub fn begins(&self) -> Vec<u64> {
        let mut begins = vec![u64::MAX; self.reigns];
        for operation in &self.operations {
            for reign in [operation.found, operation.began] {
                if reign != NONE {
                    let begin = &mut begins[reign as usize];
                    *begin = (*begin).min(operation.finish);
                }
            }
        }
        begins
    }
}

/// The items 0..n in some order, from which any can be taken out and be put back, the last one
/// taken out first.
#[derive(Debug)]
pub(super) struct Linked {
    /// Of each item the one after it; of item n, which is no item, the first.
    next: Vec<u32>,
    previous: Vec<u32>,
}

impl Linked {
    pub fn new(order: &[u32], items: usize) -> Self {
        let end = items as u32;
        let mut this = Self { next: vec![end; items + 1], previous: vec![end; items + 1] };
        let mut last = end;
        for &item in order {
            this.next[last as usize] = item;
            this.previous[item as usize] = last;
            last = item;
        }
        this.next[last as usize] = end;
        this.previous[end as usize] = last;
        this
    }

    pub fn first(&self) -> Option<u32> {
        self.iter().next()
    }

    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        let end = self.next.len() as u32 - 1;
        let mut item = end;
        std::iter::from_fn(move || {
            item = self.next[item as usize];
            (item != end).then_some(item)
        })
    }

    pub fn remove(&mut self, item: u32) {
        let (previous, next) = (self.previous[item as usize], self.next[item as usize]);
        self.next[previous as usize] = next;
        self.previous[next as usize] = previous;
    }

    pub fn restore(&mut self, item: u32) {
        let (previous, next) = (self.previous[item as usize], self.next[item as usize]);
        self.next[previous as usize] = item;
        self.previous[next as usize] = item;
    }
}

//! Sets of slots, a bit each, in one word if there are at most 64 slots and in more if need be.
//!
//! A slot is what an operation occupies while it is in flight, so a set of slots has as many bits
//! as there were operations in flight at once, and not as many as the history is long.

use std::hash::Hash;

/// A set of slots. All sets of one search have the same number of words.
pub(super) trait Slots: Clone + Eq + Hash {
    /// The empty set of so many slots.
    fn empty(slots: usize) -> Self;

    fn words(&self) -> &[u64];

    fn words_mut(&mut self) -> &mut [u64];

    /// Bytes outside the value itself.
    fn heap_bytes(&self) -> usize;

    fn contains(&self, slot: u32) -> bool {
        self.words()[slot as usize / 64] >> (slot % 64) & 1 == 1
    }

    fn insert(&mut self, slot: u32) {
        self.words_mut()[slot as usize / 64] |= 1 << (slot % 64);
    }

    fn remove(&mut self, slot: u32) {
        self.words_mut()[slot as usize / 64] &= !(1 << (slot % 64));
    }

    /// Calls with every slot that is in this set and not in the other, in ascending order.
    fn each_without(&self, other: &Self, mut call: impl FnMut(u32)) {
        for (number, (these, those)) in self.words().iter().zip(other.words()).enumerate() {
            let mut left = these & !those;
            while left != 0 {
                call(number as u32 * 64 + left.trailing_zeros());
                left &= left - 1;
            }
        }
    }
}

impl<const WORDS: usize> Slots for [u64; WORDS] {
    fn empty(slots: usize) -> Self {
        debug_assert!(slots <= 64 * WORDS);
        [0; WORDS]
    }

    fn words(&self) -> &[u64] {
        self
    }

    fn words_mut(&mut self) -> &mut [u64] {
        self
    }

    fn heap_bytes(&self) -> usize {
        0
    }
}

impl Slots for Box<[u64]> {
    fn empty(slots: usize) -> Self {
        vec![0; slots.div_ceil(64)].into()
    }

    fn words(&self) -> &[u64] {
        self
    }

    fn words_mut(&mut self) -> &mut [u64] {
        self
    }

    fn heap_bytes(&self) -> usize {
        size_of_val(&**self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds_what_was_inserted<S: Slots>(slots: u32) {
        let mut these = S::empty(slots as usize);
        let mut those = S::empty(slots as usize);
        (0..slots).step_by(3).for_each(|slot| these.insert(slot));
        (0..slots).step_by(6).for_each(|slot| those.insert(slot));
        assert!(these.contains(3) && !these.contains(4));
        let mut left = Vec::new();
        these.each_without(&those, |slot| left.push(slot));
        assert_eq!(left, (3..slots).step_by(6).collect::<Vec<_>>());
        (0..slots).step_by(3).for_each(|slot| these.remove(slot));
        assert!(these == S::empty(slots as usize));
    }

    #[test]
    fn every_width_is_a_set() {
        holds_what_was_inserted::<[u64; 1]>(64);
        holds_what_was_inserted::<[u64; 4]>(250);
        holds_what_was_inserted::<Box<[u64]>>(1000);
    }
}

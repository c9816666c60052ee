//! Sets of slots, as wide as the concurrency of the history and no wider.

/// A set of slots. Histories with few open operations get one machine word, which every
/// operation of the search then handles in an instruction or two.
pub(super) trait Slots: Clone + PartialEq {
    /// No slot, with room for that many.
    fn none(slots: usize) -> Self;
    fn words(&self) -> &[u64];
    fn words_mut(&mut self) -> &mut [u64];

    fn contains(&self, slot: usize) -> bool {
        self.words()[slot / 64] >> (slot % 64) & 1 == 1
    }

    fn insert(&mut self, slot: usize) {
        self.words_mut()[slot / 64] |= 1 << (slot % 64);
    }

    fn remove(&mut self, slot: usize) {
        self.words_mut()[slot / 64] &= !(1 << (slot % 64));
    }

    fn is_empty(&self) -> bool {
        self.words().iter().all(|word| *word == 0)
    }

    fn insert_all(&mut self, other: &Self) {
        for (word, other) in self.words_mut().iter_mut().zip(other.words()) {
            *word |= other;
        }
    }

    /// Inserts all of `other` that are not in `except`.
    fn insert_all_except(&mut self, other: &Self, except: &Self) {
        let others = other.words().iter().zip(except.words());
        for (word, (other, except)) in self.words_mut().iter_mut().zip(others) {
            *word |= other & !except;
        }
    }

    fn is_subset(&self, other: &Self) -> bool {
        self.words().iter().zip(other.words()).all(|(word, other)| word & !other == 0)
    }
}

impl<const WORDS: usize> Slots for [u64; WORDS] {
    fn none(slots: usize) -> Self {
        debug_assert!(slots <= 64 * WORDS);
        [0; WORDS]
    }

    fn words(&self) -> &[u64] {
        self
    }

    fn words_mut(&mut self) -> &mut [u64] {
        self
    }
}

/// Any number of slots.
impl Slots for Box<[u64]> {
    fn none(slots: usize) -> Self {
        vec![0; slots.div_ceil(64)].into()
    }

    fn words(&self) -> &[u64] {
        self
    }

    fn words_mut(&mut self) -> &mut [u64] {
        self
    }
}

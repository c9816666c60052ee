//! What may be true of a register at one moment, and which of two such possibilities is better.

use super::slots::Slots;
use crate::register::step::ValueId;

/// A set of possibilities at one moment: the register holds `state`; the open operations in `done`
/// have taken effect; of those in `spare`, each may have or may not, as is needed.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Configuration<S> {
    pub state: ValueId,
    pub done: S,
    /// Acknowledged writes whose value may have been overwritten at the instant of their effect.
    /// Disjoint from `done`.
    pub spare: S,
}

/// What the open operations are.
#[derive(Debug)]
pub(super) struct Kinds<S> {
    /// Reads and refused cas.
    pub looks: S,
    /// Acknowledged writes.
    pub writes: S,
    /// Acknowledged cas.
    pub cas: S,
    /// Writes and cas without an answer.
    pub lost: S,
}

impl<S: Slots> Configuration<S> {
    /// How many open operations have taken effect or may have.
    pub fn effects(&self) -> u32 {
        let words = self.done.words().iter().chain(self.spare.words());
        words.map(|word| word.count_ones()).sum()
    }

    /// Whether the operation in that slot has taken effect, and whether it may have; and forgets
    /// which.
    pub fn take(&mut self, slot: usize) -> (bool, bool) {
        let was = (self.done.contains(slot), self.spare.contains(slot));
        self.done.remove(slot);
        self.spare.remove(slot);
        was
    }

    /// Whether any way to go on from `other` is also a way to go on from here: the state is the
    /// same, every look that is done there is done here, every acknowledged cas is where it is
    /// there, every acknowledged write is where it is there or spare, and no operation without an
    /// answer has been used that is not used there.
    pub fn dominates(&self, other: &Self, kinds: &Kinds<S>) -> bool {
        if self.state != other.state {
            return false;
        }
        let done = self.done.words().iter().zip(other.done.words());
        let spare = self.spare.words().iter().zip(other.spare.words());
        let looks = kinds.looks.words().iter().zip(kinds.writes.words());
        let cas = kinds.cas.words().iter().zip(kinds.lost.words());
        done.zip(spare).zip(looks.zip(cas)).all(
            |(((done, its_done), (spare, its_spare)), ((looks, writes), (cas, lost)))| {
                let missed = its_done & !done & looks;
                let changed = (done ^ its_done) & (cas | (writes & !spare));
                let used = done & !its_done & lost;
                let not_spare = its_spare & !spare;
                missed | changed | used | not_spare == 0
            },
        )
    }
}

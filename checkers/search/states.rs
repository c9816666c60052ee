//! The states that a search has met, each once, known by a number; and what follows from what.

use std::hash::{BuildHasher, Hash};

use rustc_hash::{FxBuildHasher, FxHashMap};

/// The number of a state.
pub(super) type StateId = u32;

const NONE: u32 = u32::MAX;

/// Numbers states.
///
/// A hash table of numbers, with open addressing: the states themselves are kept once, in a plain
/// list, which a map from states to numbers would have to hold a second time.
#[derive(Debug)]
pub(super) struct States<S> {
    states: Vec<S>,
    /// Numbers by hash; its length is a power of two and at least twice that of `states`.
    table: Vec<u32>,
    /// What an action made of a state, where it was asked before; [`NONE`] if it was refused.
    transitions: FxHashMap<(StateId, u32), u32>,
    /// How many bytes a state holds outside itself, and all of them together.
    measure: fn(&S) -> usize,
    heap_bytes: usize,
}

impl<S: Clone + Eq + Hash> States<S> {
    pub(super) fn new(measure: fn(&S) -> usize) -> Self {
        let (transitions, table) = (FxHashMap::default(), vec![NONE; 16]);
        Self { states: Vec::new(), table, transitions, measure, heap_bytes: 0 }
    }

    pub(super) fn state(&self, id: StateId) -> &S {
        &self.states[id as usize]
    }

    /// The number of a state, a new one if it was not met before.
    pub(super) fn number(&mut self, state: S) -> StateId {
        let mut place = self.place(&state);
        loop {
            match self.table[place] {
                NONE => break,
                id if self.states[id as usize] == state => return id,
                _ => place = (place + 1) & (self.table.len() - 1),
            }
        }
        let id = self.states.len() as StateId;
        self.table[place] = id;
        self.heap_bytes += (self.measure)(&state);
        self.states.push(state);
        if self.states.len() * 2 > self.table.len() {
            self.grow();
        }
        id
    }

    /// What the action of that number makes of a state, if it is allowed; asked of `apply` if it
    /// is not known yet.
    pub(super) fn transition(
        &mut self,
        state: StateId,
        action: u32,
        apply: impl FnOnce(&S) -> Option<Option<S>>,
    ) -> Option<StateId> {
        if let Some(known) = self.transitions.get(&(state, action)) {
            return (*known != NONE).then_some(*known);
        }
        let after = match apply(self.state(state)) {
            None => NONE,
            Some(None) => state,
            Some(Some(next)) => self.number(next),
        };
        self.transitions.insert((state, action), after);
        (after != NONE).then_some(after)
    }

    /// Forgets all states but these, and numbers these anew in their order.
    pub(super) fn keep_only(&mut self, ids: &[StateId]) {
        let kept: Vec<S> = ids.iter().map(|id| self.state(*id).clone()).collect();
        let small = kept.len().max(self.states.len()) * 4 + 16;
        self.states.clear();
        self.heap_bytes = 0;
        if self.table.len() > small {
            self.table = vec![NONE; 16];
        } else {
            self.table.fill(NONE);
        }
        // Clearing a map costs its capacity, so a large one is replaced.
        if self.transitions.capacity() > self.transitions.len() * 8 + 64 {
            self.transitions = FxHashMap::default();
        } else {
            self.transitions.clear();
        }
        for state in kept {
            self.number(state);
        }
    }

    pub(super) fn bytes(&self) -> usize {
        self.states.capacity() * size_of::<S>()
            + self.heap_bytes
            + self.table.len() * size_of::<u32>()
            + self.transitions.capacity() * (size_of::<(StateId, u32, u32)>() + 1)
    }

    fn place(&self, state: &S) -> usize {
        let hash = FxBuildHasher.hash_one(state);
        (hash as usize ^ (hash >> 32) as usize) & (self.table.len() - 1)
    }

    fn grow(&mut self) {
        self.table = vec![NONE; self.table.len() * 2];
        for id in 0..self.states.len() {
            let mut place = self.place(&self.states[id]);
            while self.table[place] != NONE {
                place = (place + 1) & (self.table.len() - 1);
            }
            self.table[place] = id as u32;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_states_have_one_number_however_many_there_are() {
        let mut states = States::new(|_| 0);
        for round in 0..2 {
            for state in 0..1000_u64 {
                assert_eq!(states.number(state * 7), state as u32, "round {round}");
            }
        }
        assert_eq!((states.states.len(), *states.state(3)), (1000, 21));
        states.keep_only(&[5, 3]);
        assert_eq!((states.states.len(), states.number(35), states.number(21)), (2, 0, 1));
    }

    #[test]
    fn a_transition_is_asked_for_once() {
        let mut states = States::new(|_| 0);
        let (one, two) = (states.number(1_u64), states.number(2));
        for asked in [true, false] {
            let next = |state: &u64| {
                assert!(asked);
                Some(Some(state + 1))
            };
            assert_eq!(states.transition(one, 0, next), Some(two));
            assert_eq!(states.transition(one, 1, |_| Some(None)), Some(one));
            assert_eq!(states.transition(one, 2, |_| None), None);
        }
    }
}

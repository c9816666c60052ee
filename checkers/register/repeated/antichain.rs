//! Configurations none of which is better than another.

use super::configuration::{Configuration, Kinds};
use super::slots::Slots;
use crate::register::step::ValueId;

/// A set of configurations, apart by state: only those of one state can be compared.
#[derive(Debug)]
pub(super) struct Antichain<S> {
    by_state: Vec<(ValueId, Vec<Configuration<S>>)>,
    len: usize,
}

impl<S: Slots> Antichain<S> {
    pub fn new() -> Self {
        Self { by_state: Vec::new(), len: 0 }
    }

    pub fn len(&self) -> usize {
        self.len
    }

    pub fn contains(&self, configuration: &Configuration<S>) -> bool {
        let mut same = self.by_state.iter().filter(|(state, _)| *state == configuration.state);
        same.any(|(_, same)| same.contains(configuration))
    }

    /// Takes in the configuration, unless a member is as good; those that are worse go. Says
    /// whether it was taken in.
    pub fn insert(&mut self, configuration: &Configuration<S>, kinds: &Kinds<S>) -> bool {
        let state = configuration.state;
        let place = self.by_state.iter().position(|(other, _)| *other == state);
        let place = place.unwrap_or_else(|| {
            self.by_state.push((state, Vec::new()));
            self.by_state.len() - 1
        });
        let same = &mut self.by_state[place].1;
        if same.iter().any(|other| other.dominates(configuration, kinds)) {
            return false;
        }
        let before = same.len();
        same.retain(|other| !configuration.dominates(other, kinds));
        self.len -= before - same.len();
        same.push(configuration.clone());
        self.len += 1;
        true
    }

    /// Moves up to `kept` members of each state to the end of `target`, those with most effects
    /// behind them, and clears the rest. Says whether there is any.
    pub fn drain_best_into(&mut self, kept: usize, target: &mut Vec<Configuration<S>>) -> bool {
        let mut has_more = false;
        for (_, same) in &mut self.by_state {
            if same.len() > kept {
                same.sort_by_cached_key(|it| std::cmp::Reverse(it.effects()));
                same.truncate(kept);
                has_more = true;
            }
            target.append(same);
        }
        self.clear();
        has_more
    }

    /// Removes all members and keeps their room, unless there are so many states that looking for
    /// one among those of the past would take long.
    pub fn clear(&mut self) {
        if self.by_state.len() > 16 {
            self.by_state.clear();
        }
        self.by_state.iter_mut().for_each(|(_, same)| same.clear());
        self.len = 0;
    }
}

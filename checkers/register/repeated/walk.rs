//! The walk through the moments of a history, with every configuration that may be true.
//!
//! The proof is in the [comment of the search](super).

use super::antichain::Antichain;
use super::budget::Budget;
use super::configuration::Configuration;
use super::moments::Moments;
use super::open::Open;
use super::slots::Slots;
use crate::limits::Spent;
use crate::register::step::INITIAL;

/// How a walk ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// An order was found.
    Linearized,
    /// There is none: no configuration gets past the completion at the moment `furthest`.
    Stuck { furthest: usize },
    /// A limit was reached at the moment `furthest`, with that many configurations at hand.
    Spent { furthest: usize, spent: Spent, configurations: usize },
}

/// Walks to the end, until no configuration is left, or until the budget is spent.
pub(super) fn walk(moments: &Moments<'_>, budget: &mut Budget<'_>) -> Ending {
    match moments.slots {
        0..=64 => Walk::<[u64; 1]>::new(moments).run(budget),
        65..=128 => Walk::<[u64; 2]>::new(moments).run(budget),
        129..=256 => Walk::<[u64; 4]>::new(moments).run(budget),
        _ => Walk::<Box<[u64]>>::new(moments).run(budget),
    }
}

struct Walk<'m, S> {
    moments: &'m Moments<'m>,
    open: Open<'m, S>,
    /// What may be true now; none of them dominates another.
    frontier: Vec<Configuration<S>>,
    /// What may be true after the completion at hand.
    through: Antichain<S>,
    /// What may be true before it, and lacks the effect of the operation that completes.
    lacking: Antichain<S>,
    /// Members of `lacking`, past ones too, in the order in which they were found.
    to_try: Vec<Configuration<S>>,
}

impl<'m, S: Slots> Walk<'m, S> {
    fn new(moments: &'m Moments<'m>) -> Self {
        let none = S::none(moments.slots);
        let start = Configuration { state: INITIAL, done: none.clone(), spare: none };
        Self {
            moments,
            open: Open::new(moments),
            frontier: vec![start],
            through: Antichain::new(),
            lacking: Antichain::new(),
            to_try: Vec::new(),
        }
    }

    fn run(mut self, budget: &mut Budget<'_>) -> Ending {
        for (level, moment) in self.moments.moments.iter().enumerate() {
            if !moment.completes {
                self.open.begin(moment, &mut self.frontier);
                continue;
            }
            if let Err(spent) = self.complete(moment.slot as usize, budget) {
                let configurations = self.through.len() + self.lacking.len();
                return Ending::Spent { furthest: level, spent, configurations };
            }
            if self.frontier.is_empty() {
                return Ending::Stuck { furthest: level };
            }
        }
        Ending::Linearized
    }

    /// Leaves the configurations in which the operation of that slot has taken effect, after as
    /// few other effects as possible.
    fn complete(&mut self, slot: usize, budget: &mut Budget<'_>) -> Result<(), Spent> {
        let mut found = std::mem::take(&mut self.frontier);
        let mut tried = 0;
        loop {
            for configuration in found.drain(..) {
                self.sort_out(configuration, slot);
            }
            let Some(configuration) = self.to_try.get(tried) else { break };
            let held = 2 * self.to_try.len() + self.through.len();
            budget.step(held * self.open.configuration_bytes())?;
            self.open.effects(configuration, slot, &mut found);
            tried += 1;
        }
        self.open.end(slot);
        self.to_try.clear();
        self.lacking.clear();
        self.through.drain_into(&mut found);
        self.frontier = found;
        Ok(())
    }

    /// Keeps a configuration, unless there is a better one: among those that are through if the
    /// operation in that slot has taken effect, among those that lack its effect if it has not,
    /// among both if it may have.
    fn sort_out(&mut self, mut configuration: Configuration<S>, slot: usize) {
        let kinds = &self.open.kinds;
        let (is_done, is_spare) = configuration.take(slot);
        if is_done || is_spare {
            self.through.insert(&configuration, kinds);
        }
        if !is_done && self.lacking.insert(&configuration, kinds) {
            self.to_try.push(configuration);
        }
    }
}

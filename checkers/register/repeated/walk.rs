//! The walk through the moments of a history, with every configuration that may be true.
//!
//! The proof is in the [comment of the search](super).

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
    next: Vec<Configuration<S>>,
    /// Configurations that lack the effect of the operation that completes.
    lacking: Vec<Configuration<S>>,
}

impl<'m, S: Slots> Walk<'m, S> {
    fn new(moments: &'m Moments<'m>) -> Self {
        let none = S::none(moments.slots);
        let start = Configuration { state: INITIAL, done: none.clone(), spare: none };
        Self {
            moments,
            open: Open::new(moments),
            frontier: vec![start],
            next: Vec::new(),
            lacking: Vec::new(),
        }
    }

    fn run(mut self, budget: &mut Budget<'_>) -> Ending {
        for (level, moment) in self.moments.moments.iter().enumerate() {
            let slot = moment.slot as usize;
            if !moment.completes {
                self.open.begin(moment, &mut self.frontier);
                continue;
            }
            if let Err(spent) = self.complete(slot, budget) {
                let configurations = self.next.len() + self.lacking.len();
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
        self.next.clear();
        self.lacking.clear();
        let mut frontier = std::mem::take(&mut self.frontier);
        for configuration in frontier.drain(..) {
            self.sort_out(configuration, slot);
        }
        self.frontier = frontier;
        let mut effects = Vec::new();
        let mut tried = 0;
        while tried < self.lacking.len() {
            let held = (self.next.len() + self.lacking.len()) * self.open.configuration_bytes();
            budget.step(held)?;
            self.open.effects(&self.lacking[tried], slot, &mut effects);
            tried += 1;
            for configuration in effects.drain(..) {
                self.sort_out(configuration, slot);
            }
        }
        self.open.end(slot);
        std::mem::swap(&mut self.frontier, &mut self.next);
        Ok(())
    }

    /// Keeps a configuration, unless there is a better one: among those that are through if the
    /// operation in that slot has taken effect, among those that lack its effect if it has not,
    /// among both if it may have.
    fn sort_out(&mut self, mut configuration: Configuration<S>, slot: usize) {
        let kinds = &self.open.kinds;
        let (is_done, is_spare) = configuration.take(slot);
        if is_done || is_spare {
            if !self.next.iter().any(|other| other.dominates(&configuration, kinds)) {
                self.next.retain(|other| !configuration.dominates(other, kinds));
                self.next.push(configuration.clone());
            }
        }
        if !is_done && !self.lacking.iter().any(|other| other.dominates(&configuration, kinds)) {
            self.lacking.push(configuration);
        }
    }
}

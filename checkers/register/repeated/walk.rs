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

/// How many configurations a walk looks at.
#[derive(Debug, Clone, Copy)]
struct Width {
    /// How many of each state it keeps at a completion.
    kept: usize,
    /// Of how many it tries the effects at a completion.
    tried: usize,
}

/// The first is enough to find an order of most histories that have one; with the last, which is
/// everything, what finds no order then has none.
const WIDTHS: [Width; 3] = [
    Width { kept: 16, tried: 128 },
    Width { kept: 64, tried: 512 },
    Width { kept: usize::MAX, tried: usize::MAX },
];

/// Walks to the end, until no configuration is left, or until the budget is spent.
pub(super) fn walk(moments: &Moments<'_>, budget: &mut Budget<'_>) -> Ending {
    match moments.slots {
        0..=64 => wider_and_wider::<[u64; 1]>(moments, budget),
        65..=128 => wider_and_wider::<[u64; 2]>(moments, budget),
        129..=256 => wider_and_wider::<[u64; 4]>(moments, budget),
        _ => wider_and_wider::<Box<[u64]>>(moments, budget),
    }
}

/// An order is an order however it was found, so first a few promising configurations are
/// followed. If none gets to the end and others were left out, more are followed.
fn wider_and_wider<S: Slots>(moments: &Moments<'_>, budget: &mut Budget<'_>) -> Ending {
    let mut ending = Ending::Linearized;
    for width in WIDTHS {
        let mut walk = Walk::<S>::new(moments, width);
        ending = walk.run(budget);
        if !(matches!(ending, Ending::Stuck { .. }) && walk.has_left_out) {
            break;
        }
    }
    ending
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
    /// Members of `lacking`, past ones too, of which no effect has been tried yet. The last found
    /// comes first: it has most effects behind it, so what it leads to is better than much of what
    /// the others lead to, and these need not be followed further.
    to_try: Vec<Configuration<S>>,
    width: Width,
    /// Whether the width was too little for everything that may be true.
    has_left_out: bool,
}

impl<'m, S: Slots> Walk<'m, S> {
    fn new(moments: &'m Moments<'m>, width: Width) -> Self {
        let none = S::none(moments.slots);
        let start = Configuration { state: INITIAL, done: none.clone(), spare: none };
        Self {
            moments,
            open: Open::new(moments),
            frontier: vec![start],
            through: Antichain::new(),
            lacking: Antichain::new(),
            to_try: Vec::new(),
            width,
            has_left_out: false,
        }
    }

    fn run(&mut self, budget: &mut Budget<'_>) -> Ending {
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
            let Some(configuration) = self.to_try.pop() else { break };
            if tried == self.width.tried {
                self.has_left_out = true;
                break;
            }
            if self.lacking.contains(&configuration) {
                tried += 1;
                let held = self.to_try.len() + self.lacking.len() + self.through.len();
                budget.step(held * self.open.configuration_bytes())?;
                self.open.effects(&configuration, slot, &mut found);
            }
        }
        self.open.end(slot);
        self.to_try.clear();
        self.lacking.clear();
        self.has_left_out |= self.through.drain_best_into(self.width.kept, &mut found);
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

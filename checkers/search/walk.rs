//! The walk through configurations, depth first.
//!
//! A configuration is a moment of the history, the state of the object, and which operations in
//! flight have taken effect. It needs a decision only where an operation completes that has not
//! taken effect: until then everything can wait (just-in-time linearization). At such a moment
//! one of the pending operations takes effect next. Not all of them need to be tried. Let an
//! order be what is still to come after a configuration, and suppose there is a valid one.
//!
//! 1. *Pure operations go at once.* An acknowledged operation that changes nothing and is allowed
//!    now can be moved to the front of the order: it is allowed there and disturbs nobody.
//! 2. *Only what the due operation depends on.* Let D be the least set that holds the due
//!    operation and every pending operation that does not commute with a member of D. Until the
//!    due one has taken effect, only operations that are pending now do so. Those outside D
//!    commute with all those inside, so they can be moved behind the due one; none of them
//!    completes earlier. Then the order begins with a member of D. (The persistent sets of
//!    partial order reduction: Godefroid, "Partial-order methods for the verification of
//!    concurrent systems", LNCS 1032, 1996.)
//! 3. *One of each kind.* Of pending operations with the same action only the one that completes
//!    first (without an answer: last of all) needs to be tried: if another one comes first in the
//!    order, the two can change places, or it takes the place of one that is not in the order.
//! 4. *An operation without an answer only where a pending one makes it matter*
//!    ([`Model::enables`]). Take the order with the fewest of them, and of those one with the
//!    fewest before the due operation; by the promise of `enables` it does not begin with one
//!    that is not enabled, nor with one that changes nothing now. (2 and 3 do not add any.)
//! 5. *No dead ends that can be seen*: [`Model::may_follow`], [`Model::is_hopeless`].
//!
//! Each step leaves some valid order possible if one was, so by induction one is found.
//!
//! # Memory
//!
//! A configuration that was tried is remembered (Lowe's memoisation), unless there was no choice
//! in it. At a [cut](Timeline::cuts) every operation with an answer has taken effect or was not
//! yet invoked, so little more than the state crosses it: the walk first looks for all
//! configurations that cross, and forgets all before them. If that takes much longer than finding
//! the first one did, it goes on with those that it has, and keeps the rest of the work for when
//! they fail.

mod branch;

use rustc_hash::FxHashSet;

use super::budget::Budget;
use super::slots::Slots;
use super::states::{StateId, States};
use super::timeline::Timeline;
use crate::limits::Spent;
use crate::model::{After, Model};

/// How a walk ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// An order was found.
    Linearized,
    /// There is none.
    Stuck,
    /// A limit was reached before one was found.
    Spent(Spent),
}

/// How a walk ended, and how far it got.
#[derive(Debug)]
pub(super) struct Walked<S> {
    pub ending: Ending,
    /// The last moment that some configuration reached.
    pub furthest: usize,
    /// A few of the configurations that reached it.
    pub frontier: Vec<Reached>,
    /// The last cut that nothing but the state crosses.
    pub base: Option<Base<S>>,
}

/// A moment before which every order has been tried, and all states that they can lead to.
#[derive(Debug, Clone)]
pub(super) struct Base<S> {
    pub moment: usize,
    pub states: Vec<S>,
}

/// A configuration in words and numbers.
#[derive(Debug)]
pub(super) struct Reached {
    pub state: String,
    /// Candidates in flight that have not taken effect.
    pub pending: Vec<u32>,
}

/// How many configurations are kept to show how far the walk got.
pub(super) const SHOWN: usize = 4;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Configuration<S> {
    /// The next moment.
    level: u32,
    state: StateId,
    /// Slots of operations in flight that have taken effect.
    effective: S,
}

/// Where a configuration got without a decision.
enum Stop {
    /// The operation that completes now has not taken effect.
    Due,
    /// At the next cut, which may be the end.
    Cut,
    /// Some operation in flight can never take effect.
    DeadEnd,
}

pub(super) struct Walk<'w, 'l, M: Model, S> {
    model: &'w M,
    timeline: &'w Timeline<M::Action>,
    budget: &'w mut Budget<'l>,
    states: States<M::State>,
    stack: Vec<Configuration<S>>,
    seen: FxHashSet<Configuration<S>>,
    /// The next cut, as a position in the timeline's; what has reached it; how much of the stack
    /// is older than the last cut; and how many steps were taken when it was crossed.
    cut: usize,
    crossed: Vec<Configuration<S>>,
    floor: usize,
    steps_at_cut: u64,
    steps_at_first_crossing: u64,
    /// Which candidate is in which slot at the moment `level`, and which slots are taken.
    open: Vec<u32>,
    in_flight: S,
    /// Slots of pure acknowledged operations.
    pure: S,
    level: usize,
    furthest: usize,
    frontier: Vec<Configuration<S>>,
    base: Option<Base<M::State>>,
    pending: Vec<u32>,
    related: Vec<u32>,
}

impl<'w, 'l, M: Model, S: Slots> Walk<'w, 'l, M, S> {
    pub(super) fn new(
        model: &'w M,
        timeline: &'w Timeline<M::Action>,
        budget: &'w mut Budget<'l>,
        first: &[M::State],
    ) -> Self {
        let empty = S::empty(timeline.slots);
        let mut states = States::new(M::heap_bytes);
        let mut start = |state: &M::State| {
            let state = states.number(state.clone());
            Configuration { level: 0, state, effective: empty.clone() }
        };
        let stack = first.iter().map(&mut start).collect();
        Walk {
            model,
            timeline,
            states,
            steps_at_cut: budget.used,
            steps_at_first_crossing: 0,
            budget,
            stack,
            seen: FxHashSet::default(),
            cut: 0,
            crossed: Vec::new(),
            floor: 0,
            open: vec![0; timeline.slots],
            in_flight: empty.clone(),
            pure: empty,
            level: 0,
            furthest: 0,
            frontier: Vec::new(),
            base: None,
            pending: Vec::new(),
            related: Vec::new(),
        }
    }

    /// Walks until an order is found, none is left, or a limit is reached.
    pub(super) fn run(mut self) -> Walked<M::State> {
        let ending = loop {
            if self.stack.len() == self.floor || self.is_too_long() {
                if !self.crossed.is_empty() {
                    self.cross();
                } else if self.floor > 0 {
                    // All that crossed failed: go on with what was left before.
                    self.floor = 0;
                } else if self.stack.is_empty() {
                    break Ending::Stuck;
                }
                continue;
            }
            let Some(mut configuration) = self.stack.pop() else { continue };
            if let Err(spent) = self.take_step() {
                break Ending::Spent(spent);
            }
            let stop = self.advance(&mut configuration);
            self.reached(&configuration);
            match stop {
                Stop::DeadEnd => {}
                Stop::Due => self.branch(configuration),
                Stop::Cut if self.level == self.timeline.moments.len() => {
                    break Ending::Linearized;
                }
                Stop::Cut => self.arrive(configuration),
            }
        };
        let frontier = self.frontier.clone();
        let frontier = frontier.iter().map(|configuration| self.show(configuration)).collect();
        Walked { ending, furthest: self.furthest, frontier, base: self.base }
    }

    /// Whether looking for more configurations that cross the next cut takes too long.
    fn is_too_long(&self) -> bool {
        let to_first = self.steps_at_first_crossing.saturating_sub(self.steps_at_cut);
        let since = self.budget.used - self.steps_at_first_crossing;
        !self.crossed.is_empty() && since > 4 * to_first + 1000
    }

    /// A configuration has come to the next cut.
    fn arrive(&mut self, configuration: Configuration<S>) {
        if self.crossed.is_empty() {
            self.steps_at_first_crossing = self.budget.used;
        }
        if self.seen.insert(configuration.clone()) {
            self.crossed.push(configuration);
        }
    }

    /// Goes on behind the cut with what has come to it.
    fn cross(&mut self) {
        let mut crossed = std::mem::take(&mut self.crossed);
        if self.stack.is_empty() {
            self.forget(&mut crossed);
        }
        self.floor = self.stack.len();
        self.stack.extend(crossed.into_iter().rev());
        self.cut += 1;
        self.steps_at_cut = self.budget.used;
    }

    /// Forgets all that lies before the cut; nothing is left to be tried there.
    fn forget(&mut self, crossed: &mut [Configuration<S>]) {
        let mut ids: Vec<StateId> = crossed.iter().map(|crossing| crossing.state).collect();
        ids.sort_unstable();
        ids.dedup();
        self.states.keep_only(&ids);
        for crossing in crossed.iter_mut() {
            let place = ids.binary_search(&crossing.state).unwrap_or_default();
            crossing.state = place as StateId;
        }
        let nothing = S::empty(self.timeline.slots);
        if crossed.iter().all(|crossing| crossing.effective == nothing) {
            let states = (0..ids.len() as u32).map(|id| self.states.state(id).clone()).collect();
            let moment = self.timeline.cuts[self.cut] as usize;
            self.base = Some(Base { moment, states });
        }
        self.frontier.clear();
        // Clearing a set costs its capacity, so a large one is replaced.
        if self.seen.capacity() > 8 * self.seen.len() + 64 {
            self.seen = FxHashSet::default();
        } else {
            self.seen.clear();
        }
    }

    /// Remembers how far the walk got.
    fn reached(&mut self, configuration: &Configuration<S>) {
        if self.level > self.furthest {
            self.furthest = self.level;
            self.frontier.clear();
        }
        if self.level == self.furthest
            && self.frontier.len() < SHOWN
            && !self.frontier.contains(configuration)
        {
            self.frontier.push(configuration.clone());
        }
    }

    fn show(&mut self, configuration: &Configuration<S>) -> Reached {
        self.seek(configuration.level as usize);
        let mut pending = Vec::new();
        self.in_flight.each_without(&configuration.effective, |slot| {
            pending.push(self.open[slot as usize]);
        });
        Reached { state: self.model.describe(self.states.state(configuration.state)), pending }
    }

    fn take_step(&mut self) -> Result<(), Spent> {
        if self.budget.is_to_count() {
            let bytes = self.bytes();
            self.budget.count(bytes)?;
        }
        self.budget.step()
    }

    fn bytes(&self) -> usize {
        let each = size_of::<Configuration<S>>();
        let heap = self.in_flight.heap_bytes();
        self.timeline.bytes()
            + self.states.bytes()
            + self.seen.capacity() * (each + 1)
            + (self.stack.capacity() + self.crossed.capacity()) * each
            + (self.seen.len() + self.stack.len() + self.crossed.len()) * heap
    }

    /// Makes `open` and `in_flight` what they are just before that moment.
    fn seek(&mut self, level: usize) {
        while self.level < level {
            self.pass(self.level, false);
            self.level += 1;
        }
        while self.level > level {
            self.level -= 1;
            self.pass(self.level, true);
        }
    }

    /// Passes one moment, in either direction.
    fn pass(&mut self, level: usize, backwards: bool) {
        let moment = self.timeline.moments[level];
        let candidate = &self.timeline.candidates[moment.candidate as usize];
        if moment.completes != backwards {
            self.in_flight.remove(candidate.slot);
            self.pure.remove(candidate.slot);
        } else {
            self.open[candidate.slot as usize] = moment.candidate;
            self.in_flight.insert(candidate.slot);
            if candidate.is_pure {
                self.pure.insert(candidate.slot);
            }
        }
    }

    /// Goes on to the next completion of an operation that has not taken effect, or to the cut.
    fn advance(&mut self, configuration: &mut Configuration<S>) -> Stop {
        let (model, timeline) = (self.model, self.timeline);
        let cut = timeline.cuts[self.cut] as usize;
        self.seek(configuration.level as usize);
        let stop = loop {
            if self.level == cut {
                break Stop::Cut;
            }
            let moment = timeline.moments[self.level];
            let candidate = &timeline.candidates[moment.candidate as usize];
            if moment.completes {
                if !configuration.effective.contains(candidate.slot) {
                    break Stop::Due;
                }
                configuration.effective.remove(candidate.slot);
            } else if candidate.is_pure {
                let state = self.states.state(configuration.state);
                let action = timeline.action(candidate);
                if model.apply(state, action) == After::Same {
                    configuration.effective.insert(candidate.slot);
                } else if !model.may_follow(state, action, (candidate.invoke, candidate.finish)) {
                    break Stop::DeadEnd;
                }
            }
            self.pass(self.level, false);
            self.level += 1;
        };
        configuration.level = self.level as u32;
        stop
    }
}

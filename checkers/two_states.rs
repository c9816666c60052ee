//! Linearizability of a thing with two states: an element of a set is there or not, a mutex is
//! held or free. Its operations repeat, so there is nothing that tells which one another saw.
//!
//! # The search
//!
//! The moments are the finishes of acknowledged operations, in their order. Every operation can
//! wait until such a moment within its interval: until the first moment that is no earlier than
//! the instant at which it took effect, if everything waits in the same order (Lowe, "Testing for
//! linearizability", Concurrency and Computation 29(4), 2017: just-in-time linearization). A
//! configuration is the state, which of the open operations have taken effect, and how many of
//! those that never end. All configurations are carried from moment to moment together; at each,
//! operations take effect until the one that ends there has.
//!
//! - An open operation that only looks ([`Effect::Is`]), and finds what is there, takes effect at
//!   once: it changes nothing.
//! - Of open operations that do the same, the one that ends first goes first: in any valid order
//!   two of them can be exchanged if the one that ends later went first, since both are open at
//!   the earlier instant, and the later instant is within the interval that ends later. So those
//!   without an answer go last, are all alike, and only their number counts.
//!
//! # Cost
//!
//! At a moment, with a of one kind and b of the other open, at most 2 (a + 1) (b + 1) configurations
//! follow from one. How many there are in all depends on how many operations are open at once, not
//! on the length: O(n) for as long as that is bounded. If all operations turn the state (a mutex),
//! in each configuration there is just one that can be next, so one configuration follows from
//! one: O(n) times the number of open operations, always. The limits on steps and memory are
//! obeyed, and no more than 128 acknowledged operations may be open at once.

use rustc_hash::FxHashSet;

use crate::clock::Clock;
use crate::evidence::{NEVER, Span, answer, doer};
use crate::history::{Operation, Value};
use crate::limits::{Limits, Spent};
use crate::minimise::minimise;

/// How many acknowledged operations may be open at once.
const SLOTS: usize = 128;

/// Steps that all tests of smaller proofs may take together.
const STEPS_TO_MINIMISE: u64 = 5_000_000;

/// What an operation does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Leaves this state, whatever was before.
    Set(bool),
    /// Leaves this state, and finds the other.
    Turn(bool),
    /// Finds this state.
    Is(bool),
}

impl Effect {
    /// Those that change the state; the position of each is its kind.
    const CHANGES: [Effect; 4] =
        [Effect::Set(true), Effect::Set(false), Effect::Turn(true), Effect::Turn(false)];

    /// The state after it; `None` if it cannot be in this one.
    fn after(self, state: bool) -> Option<bool> {
        match self {
            Effect::Set(to) => Some(to),
            Effect::Turn(to) => (state != to).then_some(to),
            Effect::Is(what) => (state == what).then_some(state),
        }
    }
}

/// An operation that may have taken effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Event {
    pub effect: Effect,
    pub span: Span,
    /// Whatever the caller knows it by; unique.
    pub source: u32,
}

/// How a search ended.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Ending {
    Linearized,
    /// No order gets past the finish of this one.
    Stuck(Event),
}

/// An open operation that ends at some time.
#[derive(Debug, Clone, Copy)]
struct Open {
    event: Event,
    /// It has to take effect before it ends.
    must: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Configuration {
    state: bool,
    /// Slots of open operations that have taken effect.
    done: u128,
    /// Of each kind, how many that never end have taken effect.
    endless: [u32; 4],
}

/// Searches for an order of the operations on one thing whose first state is false.
///
/// # Errors
/// The reason why there is no answer.
pub(crate) fn search(
    events: &[Event],
    limits: &Limits<'_>,
    steps: &mut u64,
) -> Result<Ending, String> {
    search_from(&[false], events, &|_| true, limits, steps)
}

/// Searches from any of these states. Events that are not `needed` may take effect within their
/// intervals, or not.
fn search_from(
    states: &[bool],
    events: &[Event],
    needed: &dyn Fn(&Event) -> bool,
    limits: &Limits<'_>,
    steps: &mut u64,
) -> Result<Ending, String> {
    let mut by_start: Vec<&Event> = events.iter().collect();
    by_start.sort_by_key(|event| (event.span.start, event.source));
    let mut by_finish: Vec<&Event> = events.iter().filter(|e| e.span.finish != NEVER).collect();
    by_finish.sort_by_key(|event| (event.span.finish, event.source));
    let mut starting = by_start.into_iter().peekable();
    let mut board = Board { slots: Vec::new(), endless: [0; 4] };
    let mut configurations: FxHashSet<Configuration> = states
        .iter()
        .map(|state| Configuration { state: *state, done: 0, endless: [0; 4] })
        .collect();
    for ending in by_finish {
        while let Some(event) = starting.next_if(|e| e.span.start <= ending.span.finish) {
            board.open(event, needed(event))?;
        }
        let is_ending = |open: Open| open.event.source == ending.source;
        let Some(slot) = board.slots.iter().position(|slot| slot.is_some_and(is_ending)) else {
            continue;
        };
        configurations =
            board.past(slot, &configurations, limits, steps).map_err(|spent| spent.to_string())?;
        if configurations.is_empty() {
            return Ok(Ending::Stuck(*ending));
        }
        board.slots[slot] = None;
    }
    Ok(Ending::Linearized)
}

/// The open operations.
struct Board {
    slots: Vec<Option<Open>>,
    /// Of each kind, how many that never end have begun.
    endless: [u32; 4],
}

impl Board {
    fn open(&mut self, event: &Event, must: bool) -> Result<(), String> {
        let kind = Effect::CHANGES.iter().position(|effect| *effect == event.effect);
        if event.span.finish == NEVER {
            if let Some(kind) = kind {
                self.endless[kind] += 1;
            }
            return Ok(());
        }
        let open = Some(Open { event: *event, must });
        match self.slots.iter().position(Option::is_none) {
            Some(free) => self.slots[free] = open,
            None if self.slots.len() < SLOTS => self.slots.push(open),
            None => return Err(format!("more than {SLOTS} operations are in flight at once")),
        }
        Ok(())
    }

    /// All configurations in which the operation of the slot has taken effect, or need not.
    fn past(
        &self,
        slot: usize,
        configurations: &FxHashSet<Configuration>,
        limits: &Limits<'_>,
        steps: &mut u64,
    ) -> Result<FxHashSet<Configuration>, Spent> {
        let bit = 1_u128 << slot;
        let must = self.slots[slot].is_some_and(|open| open.must);
        let mut past = FxHashSet::default();
        let mut seen = FxHashSet::default();
        let mut stack: Vec<Configuration> = configurations.iter().copied().collect();
        while let Some(configuration) = stack.pop() {
            let configuration = self.answered(configuration);
            if !seen.insert(configuration) {
                continue;
            }
            *steps = steps.checked_sub(1).ok_or(Spent::Steps)?;
            if 2 * seen.len() * size_of::<Configuration>() > limits.memory_bytes {
                return Err(Spent::Memory);
            }
            if steps.is_multiple_of(Limits::STEPS_BETWEEN_LOOKS) && limits.is_over() {
                return Err(Spent::Time);
            }
            if configuration.done & bit != 0 || !must {
                let done = configuration.done & !bit;
                past.insert(Configuration { done, ..configuration });
            }
            if configuration.done & bit == 0 {
                self.next(&configuration, &mut stack);
            }
        }
        Ok(past)
    }

    /// Lets every operation take effect that finds what it looks for.
    fn answered(&self, mut configuration: Configuration) -> Configuration {
        let found = Effect::Is(configuration.state);
        for (slot, open) in self.slots.iter().enumerate() {
            if open.is_some_and(|open| open.event.effect == found) {
                configuration.done |= 1 << slot;
            }
        }
        configuration
    }

    /// What may take effect next: of each kind the one that ends first, those that have to apart
    /// from those that need not.
    fn next(&self, configuration: &Configuration, stack: &mut Vec<Configuration>) {
        for (kind, effect) in Effect::CHANGES.into_iter().enumerate() {
            let Some(state) = effect.after(configuration.state) else { continue };
            let mut any = false;
            for must in [true, false] {
                let candidates = self.slots.iter().enumerate().filter(|(slot, open)| {
                    configuration.done >> slot & 1 == 0
                        && open.is_some_and(|o| o.event.effect == effect && o.must == must)
                });
                let first = candidates.min_by_key(|(slot, open)| {
                    (open.map_or(NEVER, |open| open.event.span.finish), *slot)
                });
                if let Some((slot, _)) = first {
                    any = true;
                    let done = configuration.done | 1 << slot;
                    stack.push(Configuration { state, done, ..*configuration });
                }
            }
            if !any && configuration.endless[kind] < self.endless[kind] {
                let mut endless = configuration.endless;
                endless[kind] += 1;
                stack.push(Configuration { state, endless, ..*configuration });
            }
        }
    }
}

/// A few operations that leave no order.
pub(crate) struct Proof {
    pub needed: Vec<Event>,
    /// How many others were in flight since the first of them began.
    pub others: usize,
    /// No operation can be spared; else there were too many to try.
    pub is_smallest: bool,
}

/// The fewest operations that leave no order up to where a search got stuck. The others are
/// forgotten: whether they took effect is left open, but not when. What had ended before the
/// first of them began counts only with the state that it may have left, either.
pub(crate) fn prove(events: &[Event], stuck: Event) -> Proof {
    let end = stuck.span.finish;
    let mut sure: Vec<Event> =
        events.iter().copied().filter(|event| event.span.finish <= end).collect();
    // Those that ended last are nearest to where the search got stuck.
    sure.sort_by_key(|event| std::cmp::Reverse((event.span.finish, event.source)));
    let mut steps = STEPS_TO_MINIMISE;
    let mut most = 8;
    loop {
        let nearest = &sure[..most.min(sure.len())];
        let begin = nearest.iter().map(|event| event.span.start).min().unwrap_or(0);
        let is_near = |event: &Event| event.span.start <= end && event.span.finish >= begin;
        let near: Vec<Event> = events.iter().copied().filter(is_near).collect();
        let is_all = events.iter().all(|event| event.span.start > end || is_near(event));
        let states: &[bool] = if is_all { &[false] } else { &[false, true] };
        let mut is_smallest = true;
        let mut is_refuted = |kept: &[Event]| {
            let is_needed = |event: &Event| kept.iter().any(|kept| kept.source == event.source);
            match search_from(states, &near, &is_needed, &Limits::default(), &mut steps) {
                Ok(ending) => matches!(ending, Ending::Stuck(_)),
                Err(_) => {
                    is_smallest = false;
                    false
                }
            }
        };
        if most >= sure.len() || is_refuted(nearest) {
            let needed = minimise(nearest, &mut is_refuted);
            let others = near.len() - needed.len();
            return Proof { needed, others, is_smallest };
        }
        most *= 4;
    }
}

/// `the contains at n1 that found it missing (begun at 1.000 s, acknowledged at 1.100 s)`.
pub(crate) fn told(operation: &Operation, clock: Clock) -> String {
    let found = match operation.output {
        Value::Bool(true) if operation.f.as_str() == "contains" => " that found it there",
        Value::Bool(false) if operation.f.as_str() == "contains" => " that found it missing",
        _ => "",
    };
    let (begun, answer) = (clock.instant(operation.invoke), answer(operation, clock));
    format!("the {}{found} (begun at {begun}, {answer})", doer(operation))
}

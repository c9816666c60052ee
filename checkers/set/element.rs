//! One element of a set: is it there or not? `add`, `remove`, and `contains`.
//!
//! # What is decided
//!
//! Linearizability of a register with two values, whose writes repeat. An element that is never
//! removed is an interval (see [`linearizable`](super::linearizable)). Else a search:
//!
//! The moments are the finishes of acknowledged operations, in their order. Every operation can
//! wait until such a moment, the last that its interval allows or an earlier one (Lowe,
//! "Testing for linearizability", 2017, just-in-time linearization). A configuration is whether the
//! element is there, which of the open operations have taken effect, and how many of those that
//! never end. All configurations are carried from moment to moment together.
//!
//! - An open `contains` whose answer is true in the configuration takes effect at once: it changes
//!   nothing.
//! - Of open operations that do the same, the one that ends first goes first: in any valid order
//!   two of them can be exchanged if the one that ends later went first, since both are open at
//!   the earlier instant, and the later instant is within the interval that ends later. So those
//!   without an answer go last, are all alike, and only their number counts.
//!
//! So at a moment, with a adds and r removals open, at most 2 (a + 1) (r + 1) configurations
//! follow from one. How many there are in all depends on how many operations are open at once on
//! one element, not on the length: O(n) for as long as that is bounded. The limits on steps and
//! memory are obeyed, and no more than 128 acknowledged operations may be open on one element at
//! once.

use rustc_hash::FxHashSet;

use super::parse::{Did, Sets, Touch};
use crate::checker::Options;
use crate::clock::Clock;
use crate::evidence::{NEVER, answer, doer, witness};
use crate::finding::{Validity, Witness};
use crate::history::{Operation, Value};
use crate::keys::KeyResult;
use crate::limits::{Limits, Spent};
use crate::minimise::minimise;
use crate::words::{count, few};

/// How many acknowledged operations may be open at once on one element.
const SLOTS: usize = 128;

/// Steps that all tests of smaller witnesses may take together.
const STEPS_TO_MINIMISE: u64 = 5_000_000;

/// Checks each element by itself; the set is never read as a whole.
pub(super) fn check_each(
    sets: &Sets<'_>,
    operations: &[&Operation],
    options: &Options<'_>,
    result: &mut KeyResult,
) {
    let touches = sets.touches_by_element();
    let mut steps = options.limits.steps;
    let mut refuted: Option<(&[Touch], Touch)> = None;
    for element in 0..sets.values.len() as u32 {
        let touches = touches.of(element);
        match search(touches, &|_| true, &options.limits, &mut steps) {
            Ok(Ending::Linearized) => {}
            Ok(Ending::Stuck(at)) => {
                result.violations += 1;
                refuted.get_or_insert((touches, at));
            }
            Err(reason) => {
                let value = sets.values[element as usize];
                let reason = format!("element {value}: {reason}");
                result.validity = Validity::Unknown { reason };
            }
        }
    }
    if let Some((touches, stuck)) = refuted {
        let witness = explain(touches, stuck, sets, operations, options.clock);
        result.validity = Validity::Invalid { witness: Box::new(witness) };
    }
}

/// How a search ended.
#[derive(Debug, Clone, Copy)]
enum Ending {
    Linearized,
    /// No order gets past the finish of this one.
    Stuck(Touch),
}

/// An open operation that ends at some time.
#[derive(Debug, Clone, Copy)]
struct Open {
    touch: Touch,
    /// It has to take effect before it ends.
    must: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Configuration {
    is_there: bool,
    /// Slots of open operations that have taken effect.
    done: u128,
    /// How many adds and removals that never end have taken effect.
    endless: [u32; 2],
}

/// Searches for an order of the operations on one element. Those that are not `needed` may take
/// effect within their intervals, or not.
fn search(
    touches: &[Touch],
    needed: &dyn Fn(&Touch) -> bool,
    limits: &Limits<'_>,
    steps: &mut u64,
) -> Result<Ending, String> {
    let mut by_start: Vec<&Touch> = touches.iter().collect();
    by_start.sort_by_key(|touch| (touch.span.start, touch.source));
    let mut by_finish: Vec<&Touch> = touches.iter().filter(|t| t.span.finish != NEVER).collect();
    by_finish.sort_by_key(|touch| (touch.span.finish, touch.source));
    let mut starting = by_start.into_iter().peekable();
    let mut board = Board { slots: vec![None; SLOTS], endless: [0, 0] };
    let start = Configuration { is_there: false, done: 0, endless: [0, 0] };
    let mut configurations = FxHashSet::from_iter([start]);
    for ending in by_finish {
        while let Some(touch) = starting.next_if(|t| t.span.start <= ending.span.finish) {
            board.open(touch, needed(touch))?;
        }
        let Some(slot) = board.slot_of(ending) else { continue };
        let must = needed(ending);
        configurations = board
            .past(slot, must, &configurations, limits, steps)
            .map_err(|spent| spent.to_string())?;
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
    /// How many adds and removals that never end have begun.
    endless: [u32; 2],
}

impl Board {
    fn open(&mut self, touch: &Touch, must: bool) -> Result<(), String> {
        match touch.did {
            Did::Add if touch.span.finish == NEVER => self.endless[0] += 1,
            Did::Remove if touch.span.finish == NEVER => self.endless[1] += 1,
            _ => {
                let free = self.slots.iter_mut().find(|slot| slot.is_none());
                *free.ok_or_else(|| {
                    format!("more than {SLOTS} operations are in flight at once")
                })? = Some(Open { touch: *touch, must });
            }
        }
        Ok(())
    }

    fn slot_of(&self, touch: &Touch) -> Option<usize> {
        self.slots.iter().position(|slot| {
            slot.is_some_and(|open| {
                open.touch.source == touch.source && open.touch.span == touch.span
            })
        })
    }

    /// All configurations in which the operation of the slot has taken effect, or need not.
    fn past(
        &self,
        slot: usize,
        must: bool,
        configurations: &FxHashSet<Configuration>,
        limits: &Limits<'_>,
        steps: &mut u64,
    ) -> Result<FxHashSet<Configuration>, Spent> {
        let bit = 1_u128 << slot;
        let mut past = FxHashSet::default();
        let mut seen = FxHashSet::default();
        let mut stack: Vec<Configuration> = configurations.iter().copied().collect();
        while let Some(configuration) = stack.pop() {
            let configuration = self.answered(configuration);
            if !seen.insert(configuration) {
                continue;
            }
            *steps = steps.checked_sub(1).ok_or(Spent::Steps)?;
            let bytes = 2 * seen.len() * size_of::<Configuration>();
            if bytes > limits.memory_bytes {
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

    /// Lets every `contains` take effect whose answer is true now.
    fn answered(&self, mut configuration: Configuration) -> Configuration {
        let answer = Did::Contains(configuration.is_there);
        for (slot, open) in self.slots.iter().enumerate() {
            if open.is_some_and(|open| open.touch.did == answer) {
                configuration.done |= 1 << slot;
            }
        }
        configuration
    }

    /// What may take effect next: of each kind the one that ends first.
    fn next(&self, configuration: &Configuration, stack: &mut Vec<Configuration>) {
        for (kind, did) in [Did::Add, Did::Remove].into_iter().enumerate() {
            let is_there = did == Did::Add;
            let mut any = false;
            for must in [true, false] {
                let candidates = self.slots.iter().enumerate().filter(|(slot, open)| {
                    configuration.done >> slot & 1 == 0
                        && open.is_some_and(|open| open.touch.did == did && open.must == must)
                });
                let first = candidates.min_by_key(|(slot, open)| {
                    (open.map_or(NEVER, |open| open.touch.span.finish), *slot)
                });
                if let Some((slot, _)) = first {
                    any = true;
                    let done = configuration.done | 1 << slot;
                    stack.push(Configuration { is_there, done, ..*configuration });
                }
            }
            if !any && configuration.endless[kind] < self.endless[kind] {
                let mut endless = configuration.endless;
                endless[kind] += 1;
                stack.push(Configuration { is_there, endless, ..*configuration });
            }
        }
    }
}

/// The fewest operations that leave no order up to where the search got stuck. The others are
/// forgotten: whether they took effect is left open, but not when.
fn explain(
    touches: &[Touch],
    stuck: Touch,
    sets: &Sets<'_>,
    operations: &[&Operation],
    clock: Clock,
) -> Witness {
    let end = stuck.span.finish;
    let touches: Vec<Touch> =
        touches.iter().copied().filter(|touch| touch.span.start <= end).collect();
    let mut sure: Vec<Touch> =
        touches.iter().copied().filter(|touch| touch.span.finish <= end).collect();
    // Those that began last are nearest to where the search got stuck.
    sure.sort_by_key(|touch| std::cmp::Reverse((touch.span.start, touch.source)));
    let mut steps = STEPS_TO_MINIMISE;
    let mut all_tested = true;
    let needed = minimise(&sure, &mut |kept| {
        let is_needed =
            |touch: &Touch| kept.iter().any(|k| k.source == touch.source && k.did == touch.did);
        match search(&touches, &is_needed, &Limits::default(), &mut steps) {
            Ok(ending) => matches!(ending, Ending::Stuck(_)),
            Err(_) => {
                all_tested = false;
                false
            }
        }
    });
    let mut shown: Vec<&Operation> =
        needed.iter().filter_map(|touch| operations.get(touch.source as usize).copied()).collect();
    shown.sort_by_key(|operation| (operation.invoke, operation.index));
    let value = touches.first().map(|touch| sets.values[touch.element as usize].to_string());
    let value = value.unwrap_or_default();
    let told: Vec<String> = shown.iter().map(|operation| told(operation, clock)).collect();
    let mut sentence = format!("no order explains what happened to {value}: {}", few(&told, "and"));
    let others = touches.len() - needed.len();
    if others > 0 {
        let others = count(others, "other operation");
        sentence += &format!("; {others} on it, effective or not, cannot make up for that");
    }
    if !all_tested {
        sentence += "; not all of these operations may be needed, they are too many to try each";
    }
    witness(sentence, &shown, &[])
}

/// `the contains at n1 that found it missing (begun at 1.000 s, acknowledged at 1.100 s)`.
fn told(operation: &Operation, clock: Clock) -> String {
    let found = match operation.output {
        Value::Bool(true) if operation.f.as_str() == "contains" => " that found it there",
        Value::Bool(false) if operation.f.as_str() == "contains" => " that found it missing",
        _ => "",
    };
    let (begun, answer) = (clock.instant(operation.invoke), answer(operation, clock));
    format!("the {}{found} (begun at {begun}, {answer})", doer(operation))
}

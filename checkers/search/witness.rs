//! The smallest part of a refuted history that refutes on its own.
//!
//! An operation is *forgotten* by taking away everything but that it was asked for: it may then
//! take effect at any time, with any result, or never. Every order of the history is an order of
//! the history with something forgotten, so what refutes the latter refutes the former, and the
//! more is forgotten the less is refuted: that is monotone, as QuickXplain (`minimise.rs`) needs
//! it.

use std::cell::{Cell, RefCell};

use super::budget::Budget;
use super::parse::parse;
use super::timeline::Timeline;
use super::walk::{Ending, SHOWN, Walked};
use crate::checker::Options;
use crate::finding::{Arrow, Relation, Witness};
use crate::history::{Operation, Outcome, Time};
use crate::limits::Limits;
use crate::minimise::minimise;
use crate::model::{self, Model};
use crate::words::{count, few};

/// Steps for one question, and for all questions together.
const STEPS_EACH: u64 = 50_000;
const STEPS: u64 = 2_000_000;

/// A refuted history, and what was found out of it.
struct Refuted<'a, M> {
    operations: &'a [&'a Operation],
    /// The same, forgotten.
    forgotten: Vec<Operation>,
    options: &'a Options<'a>,
    used: Cell<u64>,
    /// Whether a question could not be answered within its steps.
    is_unsure: Cell<bool>,
    /// The smallest set known to refute.
    smallest: RefCell<Vec<u32>>,
    model: std::marker::PhantomData<M>,
}

/// The witness of a refuted history. `until` is when the operation completed that no order got
/// past.
pub(super) fn witness<M: Model>(
    operations: &[&Operation],
    until: Option<Time>,
    options: &Options<'_>,
) -> Witness {
    let refuted = Refuted::<M> {
        operations,
        forgotten: operations.iter().map(|operation| forgotten(operation)).collect(),
        options,
        used: Cell::new(0),
        is_unsure: Cell::new(false),
        smallest: RefCell::new(Vec::new()),
        model: std::marker::PhantomData,
    };
    refuted.find(until)
}

fn forgotten(operation: &Operation) -> Operation {
    let outcome = match operation.outcome {
        Outcome::Fail => Outcome::Fail,
        Outcome::Ok | Outcome::Info => Outcome::Info,
    };
    Operation { outcome, invoke: Time(0), complete: None, error: None, ..operation.clone() }
}

impl<M: Model> Refuted<'_, M> {
    fn find(&self, until: Option<Time>) -> Witness {
        let mut ends: Vec<Time> = self.operations.iter().filter_map(|o| o.complete).collect();
        ends.sort_unstable();
        let mut ended = until.map_or(ends.len(), |until| ends.partition_point(|end| *end <= until));
        let mut candidates = self.candidates(&ends, ended);
        // A dead end may be seen long before the operation that makes it one.
        while ended < ends.len() && !self.is_refuted(&candidates) {
            ended = (2 * ended).max(ended + 16).min(ends.len());
            candidates = self.candidates(&ends, ended);
        }
        *self.smallest.borrow_mut() = candidates.clone();
        // The newest few that refute on their own: mostly what is wrong is not far away.
        let mut size = 4;
        while size < candidates.len() && !self.is_refuted(&candidates[..size]) {
            size *= 2;
        }
        candidates.truncate(size);
        self.is_unsure.set(false);
        let needed = minimise(&candidates, &mut |kept| self.is_refuted(kept));
        // Questions that took too long may have led astray.
        if self.smallest.borrow().len() != needed.len() {
            self.is_unsure.set(true);
        }
        let mut kept = self.smallest.borrow().clone();
        kept.sort_by_key(|source| {
            let operation = self.operations[*source as usize];
            (operation.invoke, operation.index)
        });
        self.say(&kept)
    }

    /// What was invoked before so many had ended, the last to end first.
    fn candidates(&self, ends: &[Time], ended: usize) -> Vec<u32> {
        let until = match ended {
            ended if ended < ends.len() => ends[ended.saturating_sub(1)],
            _ => Time::MAX,
        };
        let operation = |source: &u32| self.operations[*source as usize];
        let says_something = |operation: &Operation| {
            operation.outcome != Outcome::Fail || self.options.observe_failed_cas
        };
        let mut candidates: Vec<u32> = (0..self.operations.len() as u32)
            .filter(|source| operation(source).invoke <= until)
            .filter(|source| says_something(operation(source)))
            .collect();
        candidates.sort_by_key(|source| {
            let operation = operation(source);
            let end = match operation.outcome {
                Outcome::Info => operation.invoke,
                _ => operation.complete.unwrap_or(Time::MAX),
            };
            std::cmp::Reverse((end, operation.index))
        });
        candidates
    }

    fn walk(&self, kept: &[u32]) -> Option<(Timeline<M::Action>, Walked)> {
        let mut operations: Vec<&Operation> = self.forgotten.iter().collect();
        for source in kept {
            operations[*source as usize] = self.operations[*source as usize];
        }
        let (model, parsed) = parse::<M>(&operations, self.options).ok()?;
        let timeline = Timeline::new(&model, &parsed);
        let limits = self.options.limits;
        let steps = STEPS_EACH.min(STEPS.saturating_sub(self.used.get())).min(limits.steps);
        let mut budget = Budget::new(Limits { steps, ..limits });
        let walked = super::walk(&model, &timeline, &mut budget);
        self.used.set(self.used.get() + budget.used);
        Some((timeline, walked))
    }

    /// Whether these refute, all others forgotten; not, if it takes too long to know.
    fn is_refuted(&self, kept: &[u32]) -> bool {
        let ending = self.walk(kept).map(|(_, walked)| walked.ending);
        let is_refuted = ending == Some(Ending::Stuck);
        if is_refuted {
            let mut smallest = self.smallest.borrow_mut();
            if kept.len() < smallest.len() {
                *smallest = kept.to_vec();
            }
        }
        if matches!(ending, Some(Ending::Spent(_)) | None) {
            self.is_unsure.set(true);
        }
        is_refuted
    }

    fn say(&self, kept: &[u32]) -> Witness {
        let operations: Vec<Operation> =
            kept.iter().map(|source| self.operations[*source as usize].clone()).collect();
        let arrows = arrows(&operations);
        let clock = self.options.clock;
        let described: Vec<String> = operations
            .iter()
            .map(|operation| {
                let end =
                    operation.complete.map_or("no answer".to_owned(), |end| clock.instant(end));
                format!("{} ({} to {end})", model::who(operation), clock.instant(operation.invoke))
            })
            .collect();
        let mut sentence = format!(
            "No order of {} is one that {} allows: {}",
            count(operations.len(), "operation"),
            M::OBJECT,
            few(&described, "and")
        );
        if let Some(contradiction) = self.contradiction(kept) {
            sentence += &contradiction;
        }
        let others = self.operations.len() - kept.len();
        if others > 0 {
            sentence += &format!("; whenever {} took effect", count(others, "other operation"));
        }
        if self.is_unsure.get() {
            sentence += "; fewer operations may suffice, to find them would take too long";
        }
        Witness { sentence: sentence + ".", operations, arrows, instead: None }
    }

    /// What no order gets past, and what the object was there.
    fn contradiction(&self, kept: &[u32]) -> Option<String> {
        let (timeline, walked) = self.walk(kept)?;
        let due = timeline.due(walked.furthest)?;
        let operation = self.operations[due.source as usize];
        let is_all = walked.frontier.len() < SHOWN;
        let mut states: Vec<String> =
            walked.frontier.into_iter().map(|reached| reached.state).collect();
        states.sort();
        states.dedup();
        if !is_all {
            states.push("the like".to_owned());
        }
        Some(format!(
            "; until {} completed, the object was {}, which does not allow it",
            model::who(operation),
            few(&states, "or")
        ))
    }
}

/// An arrow from each operation to those that began after it ended, without those that others
/// imply.
fn arrows(operations: &[Operation]) -> Vec<Arrow> {
    let before = |from: &Operation, to: &Operation| {
        from.outcome != Outcome::Info && from.complete.is_some_and(|end| end < to.invoke)
    };
    let mut arrows = Vec::new();
    for (to, later) in operations.iter().enumerate() {
        for (from, earlier) in operations.iter().enumerate() {
            let is_implied = || {
                operations.iter().any(|between| before(earlier, between) && before(between, later))
            };
            if before(earlier, later) && !is_implied() {
                arrows.push(Arrow { from, to, relation: Relation::RealTime });
            }
        }
    }
    arrows
}

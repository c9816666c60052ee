//! The smallest part of a refuted history that refutes on its own.
//!
//! Only operations that began before some moment are looked at; what ended later has no known
//! result yet. (That is what was known at that moment, and if a history is linearizable, then so
//! is what was known of it at any moment.) Of these an operation is *forgotten* by taking away
//! everything but that it was asked for: it may then take effect at any time, with any result, or
//! never. Every order of the history is an order of the history with something forgotten, so what
//! refutes the latter refutes the former, and the more is forgotten the less is refuted: that is
//! monotone, as QuickXplain (`minimise.rs`) needs it. In the end the moment is that of the last
//! completion in the witness.
//!
//! All questions are put to the search itself, each with a budget of steps. One that takes longer
//! counts as not refuted, which is safe: then more is kept than need be.

use super::budget::Budget;
use super::timeline::Timeline;
use super::walk::{Ending, SHOWN, Walked};
use crate::checker::Options;
use crate::finding::{Arrow, Relation, Witness};
use crate::history::{Operation, Outcome, Time};
use crate::limits::Limits;
use crate::minimise::minimise;
use crate::model::{self, Model, Parsed};
use crate::words::{count, few};

/// Steps for one question, and for all questions together, of a witness from the beginning.
const STEPS: (u64, u64) = (10_000, 100_000);

/// The same of a witness that begins where nothing was in flight: there is less to ask about.
const STEPS_SINCE: (u64, u64) = (50_000, 500_000);

/// How many operations, the nearest to where it failed, are tried alone.
const ALONE: usize = 32;

/// A witness from the beginning with more operations than this is not worth having, if there is
/// another one.
const MOST: usize = 8;

/// Where a witness begins: what ended by then is in the states.
#[derive(Debug, Clone)]
pub(super) struct Start<S> {
    pub time: Time,
    pub states: Vec<S>,
}

/// The witness of a refuted history. No order gets past `until`; `since` is the last moment when
/// nothing was in flight.
pub(super) fn witness<M: Model>(
    model: &M,
    parsed: &[Parsed<M::Action>],
    operations: &[&Operation],
    (until, since): (Time, Option<Start<M::State>>),
    (options, steps): (&Options<'_>, u64),
) -> Witness {
    let mut model = model.clone();
    let beginning = Start { time: Time(0), states: vec![model.initial()] };
    let mut loose = Vec::with_capacity(parsed.len());
    for parsed in parsed {
        // It was parsed before, and what is not known of it now is only left out.
        let forgotten = forgotten(operations[parsed.source as usize]);
        loose.push(model.action(&forgotten).unwrap_or_default());
    }
    let mut questions = Questions {
        model,
        strict: parsed,
        loose,
        operations,
        options,
        start: beginning,
        is_from_beginning: true,
        until,
        patience: 2 * steps + STEPS.0,
        left: STEPS,
        is_unsure: false,
        smallest: Vec::new(),
    };
    let from_beginning = questions.smallest(until);
    let Some(since) = since.filter(|_| questions.is_unsure || from_beginning.len() > MOST) else {
        return questions.say(&from_beginning);
    };
    (questions.start, questions.is_from_beginning, questions.left) = (since, false, STEPS_SINCE);
    let since = questions.smallest(until);
    questions.say(&since)
}

fn forgotten(operation: &Operation) -> Operation {
    Operation { outcome: Outcome::Info, complete: None, error: None, ..operation.clone() }
}

/// Asks what is left of a refutation if all but some operations are forgotten. Operations are
/// known by their position in `strict`.
struct Questions<'a, M: Model> {
    model: M,
    strict: &'a [Parsed<M::Action>],
    /// What each operation may have done if it is forgotten.
    loose: Vec<Option<M::Action>>,
    operations: &'a [&'a Operation],
    options: &'a Options<'a>,
    start: Start<M::State>,
    is_from_beginning: bool,
    /// What began after it is not looked at.
    until: Time,
    /// Steps for the question whether anything is refuted at all.
    patience: u64,
    /// Steps that the next question, and all to come, may take.
    left: (u64, u64),
    /// Whether a question took too long.
    is_unsure: bool,
    /// The smallest set known to refute.
    smallest: Vec<u32>,
}

impl<M: Model> Questions<'_, M> {
    /// A smallest set of operations that refute.
    fn smallest(&mut self, until: Time) -> Vec<u32> {
        self.look_until(until);
        let mut candidates = self.candidates();
        self.smallest = candidates.clone();
        // The few that are nearest to where it failed: mostly what is wrong is not far away.
        let nearest: Vec<u32> = candidates.iter().copied().take(ALONE).collect();
        if let Some(only) = nearest.into_iter().find(|place| self.is_refuted(&[*place])) {
            candidates = vec![only];
        }
        let mut size = 2;
        while size < candidates.len() && !self.is_refuted(&candidates[..size]) {
            size *= 2;
        }
        candidates.truncate(size);
        loop {
            self.is_unsure = false;
            let needed = minimise(&candidates, &mut |kept| self.is_refuted(kept));
            // Questions that took too long may have led astray.
            self.is_unsure |= self.smallest.len() != needed.len();
            let last = self.smallest.iter().map(|place| &self.strict[*place as usize]);
            let last = last.filter(|parsed| parsed.is_sure).map(|parsed| parsed.finish).max();
            if self.is_unsure || last.is_none_or(|last| last >= self.until) {
                return std::mem::take(&mut self.smallest);
            }
            // What began after the last of them ended does not matter; then perhaps fewer do.
            self.until = last.unwrap_or(self.until);
            candidates.clone_from(&self.smallest);
        }
    }

    /// Looks at no more than what began before that time, or as soon after it as refutes: a dead
    /// end may be seen long before the operation that makes it one.
    fn look_until(&mut self, until: Time) {
        let left = std::mem::replace(&mut self.left, (self.patience, u64::MAX));
        self.until = until;
        let mut later: Vec<Time> = self.strict.iter().map(|parsed| parsed.finish).collect();
        later.retain(|finish| *finish > until);
        later.sort_unstable();
        let mut next = 7;
        while self.until < Time::MAX && !self.is_refuted(&self.candidates()) {
            self.until = later.get(next).copied().unwrap_or(Time::MAX);
            next = 2 * next + 1;
        }
        self.left = left;
    }

    /// Whether the operation is in the states at the start.
    fn is_past(&self, parsed: &Parsed<M::Action>) -> bool {
        !self.is_from_beginning && parsed.is_sure && parsed.finish <= self.start.time
    }

    /// All that began and ended in time and are not past, the nearest to the end first.
    fn candidates(&self) -> Vec<u32> {
        let until = self.until;
        let mut candidates: Vec<u32> = (0..self.strict.len() as u32)
            .filter(|place| {
                let parsed = &self.strict[*place as usize];
                let end = if parsed.is_sure { parsed.finish } else { parsed.invoke };
                end <= until && !self.is_past(parsed)
            })
            .collect();
        candidates.sort_by_key(|place| {
            let parsed = &self.strict[*place as usize];
            let end = if parsed.is_sure { parsed.finish } else { parsed.invoke };
            (std::cmp::Reverse(end), *place)
        });
        candidates
    }

    /// Searches for an order with all but these forgotten.
    fn ask(&mut self, kept: &[u32]) -> (Timeline<M::Action>, Walked<M::State>) {
        let mut is_kept = vec![false; self.strict.len()];
        kept.iter().for_each(|place| is_kept[*place as usize] = true);
        let mut parsed = Vec::new();
        for (place, strict) in self.strict.iter().enumerate() {
            if self.is_past(strict) || strict.invoke > self.until {
                continue;
            }
            if is_kept[place] {
                parsed.push(strict.clone());
            } else if let Some(action) = &self.loose[place] {
                parsed.push(Parsed {
                    action: action.clone(),
                    invoke: self.start.time,
                    finish: Time::MAX,
                    is_sure: false,
                    source: strict.source,
                });
            }
        }
        self.model.settle(&parsed);
        let timeline = Timeline::new(&self.model, &parsed);
        let limits = self.options.limits;
        let steps = self.left.0.min(self.left.1).min(limits.steps);
        let mut budget = Budget::new(Limits { steps, ..limits });
        let walked = super::walk(&self.model, &timeline, &mut budget, &self.start.states);
        self.left.1 -= budget.used;
        (timeline, walked)
    }

    /// Whether these refute, all others forgotten; not, if it takes too long to know.
    fn is_refuted(&mut self, kept: &[u32]) -> bool {
        let ending = self.ask(kept).1.ending;
        let is_refuted = ending == Ending::Stuck;
        if is_refuted && kept.len() < self.smallest.len() {
            self.smallest = kept.to_vec();
        }
        self.is_unsure |= matches!(ending, Ending::Spent(_));
        is_refuted
    }

    fn say(&mut self, kept: &[u32]) -> Witness {
        let source = |place: &u32| self.strict[*place as usize].source as usize;
        let mut operations: Vec<Operation> =
            kept.iter().map(|place| self.operations[source(place)].clone()).collect();
        operations.sort_by_key(|operation| (operation.invoke, operation.index));
        let clock = self.options.clock;
        let described: Vec<String> = operations
            .iter()
            .map(|operation| {
                let end = operation.complete.map(|end| clock.instant(end));
                let end = end.unwrap_or_else(|| "no answer".to_owned());
                format!("{} ({} to {end})", model::who(operation), clock.instant(operation.invoke))
            })
            .collect();
        let mut sentence = String::new();
        let past = self.strict.iter().filter(|parsed| self.is_past(parsed)).count();
        if !self.is_from_beginning {
            let mut states: Vec<String> =
                self.start.states.iter().map(|state| self.model.describe(state)).collect();
            states.sort();
            sentence += &format!(
                "After {}, at {}, {} was {} and nothing was in flight. ",
                count(past, "operation"),
                clock.instant(self.start.time),
                M::OBJECT,
                few(&states, "or")
            );
        }
        sentence += &format!(
            "No order of {} is one that {} allows: {}",
            count(operations.len(), "operation"),
            M::OBJECT,
            few(&described, "and")
        );
        sentence += &self.contradiction(kept).unwrap_or_default();
        let began = self.strict.iter().filter(|parsed| parsed.invoke <= self.until).count();
        sentence += &match began - past - operations.len() {
            0 => "; nothing else had begun by then".to_owned(),
            others => {
                format!("; whenever the {} that had begun took effect", count(others, "other"))
            }
        };
        if self.is_unsure {
            sentence += "; fewer operations may suffice, to find them would take too long";
        }
        let arrows = arrows(&operations);
        Witness { sentence: sentence + ".", operations, arrows, instead: None }
    }

    /// What no order gets past, and what the object was there.
    fn contradiction(&mut self, kept: &[u32]) -> Option<String> {
        self.left.1 = self.left.1.max(self.left.0);
        let (timeline, walked) = self.ask(kept);
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
    // In more of them nobody sees anything, and there are too many pairs.
    const MOST_OPERATIONS: usize = 200;
    if operations.len() > MOST_OPERATIONS {
        return Vec::new();
    }
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

//! A register that only grows: what is read from it never goes back.
//!
//! # What is decided
//!
//! An observation is an acknowledged `read` that returned an integer (nil is less than all), or
//! an acknowledged `inc` that was asked for nothing and returned the integer that it made. Other
//! operations that make the register grow (`inc`, `add`, `write`) are not looked at: how much
//! they add is not part of the promise, only its direction.
//!
//! - `monotonic`: of one key, by real time. If one observation ended before another began, the
//!   second returned no less; and more, if the second is an `inc`.
//! - `monotonic-process`: of one key and one process, in the order in which the process did them.
//!   What a store that answers from copies can still promise to each of its clients.
//!
//! # Why that is all
//!
//! Is there a growing register that explains all observations? Put the instants of effect in the
//! order of the values; those of one value may come in any order (an `inc` first). Such an order
//! fits the intervals iff no operation that has to come later ended before one that has to come
//! earlier began: take for each the greatest start of all that come no later as its instant; it
//! is at least its own start, and no more than its own finish iff none of the others began after
//! that. So the comparison of pairs is complete. Two `inc` that return the same are a violation
//! as well, since each made the register grow.
//!
//! # Cost
//!
//! Sorted by start, with the greatest value of all that ended before: O(n log n).
//!
//! ```
//! # use splitbrain_checkers::{monotonic::{MONOTONIC, MONOTONIC_PROCESS}, notation};
//! let growing = notation::history("0 read -> 1 0..10 \n 1 read -> 2 5..20 \n 2 read -> 2 30..40");
//! assert!(MONOTONIC.run(&growing, &Default::default()).validity.is_valid());
//!
//! let back = notation::history("0 read -> 2 0..10 \n 1 read -> 1 20..30");
//! assert!(MONOTONIC.run(&back, &Default::default()).validity.is_invalid());
//! assert!(MONOTONIC_PROCESS.run(&back, &Default::default()).validity.is_valid());
//! ```

use rustc_hash::FxHashMap;
use serde::Serialize;

use crate::checker::{Checker, Options, Scope};
use crate::clock::Clock;
use crate::evidence::{Span, Tally, doer, refusal, witness};
use crate::finding::{Relation, Validity, Witness};
use crate::history::{Operation, Outcome, Value};
use crate::keys::KeyResult;

/// By real time.
pub const MONOTONIC: Checker = Checker {
    name: "monotonic",
    check: "monotonic",
    about: "what is read of a growing register never goes back, by real time; O(n log n)",
    functions: &["read", "inc", "add", "write"],
    scope: Scope::Key(|operations, options| check_key(operations, options, Order::RealTime)),
};

/// By the order of each process.
pub const MONOTONIC_PROCESS: Checker = Checker {
    name: "monotonic-process",
    check: "monotonic-process",
    about: "what one process reads of a growing register never goes back; O(n log n)",
    scope: Scope::Key(|operations, options| check_key(operations, options, Order::Process)),
    ..MONOTONIC
};

/// Which of two observations comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    RealTime,
    Process,
}

/// What was found, in numbers.
#[derive(Debug, Default, Clone, PartialEq, Serialize)]
pub struct Details {
    pub observations: usize,
    pub greatest: Option<i64>,
    /// Every observation that went back, in the order of their beginnings.
    pub backwards: Vec<Backwards>,
}

/// An observation that is behind an earlier one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Backwards {
    /// Index of the operation that returned too little.
    pub operation: u64,
    /// Index of the one before it that had returned more.
    pub earlier: u64,
    /// What they returned; `None` is nil.
    pub value: Option<i64>,
    pub earlier_value: Option<i64>,
}

/// One operation that says how far the register was.
#[derive(Debug, Clone, Copy)]
struct Observation<'a> {
    span: Span,
    value: Option<i64>,
    /// It made the value, so all before it saw less.
    made: bool,
    operation: &'a Operation,
}

/// What the operations of one register say about its growth.
///
/// # Errors
/// A sentence that names the first operation that a growing register does not have.
pub fn inspect(operations: &[&Operation], order: Order) -> Result<Details, String> {
    Ok(survey(operations, order)?.0)
}

type Pair<'a> = (Observation<'a>, Observation<'a>);

fn survey<'a>(
    operations: &[&'a Operation],
    order: Order,
) -> Result<(Details, Tally<Pair<'a>>), String> {
    let mut observations = observe(operations)?;
    observations.sort_by_key(|o| (o.span.start, o.operation.index));
    let mut details = Details {
        observations: observations.len(),
        greatest: observations.iter().filter_map(|o| o.value).max(),
        backwards: Vec::new(),
    };
    let mut tally = Tally::default();
    let earlier = match order {
        Order::RealTime => greatest_before(&observations),
        Order::Process => greatest_of_process(&observations),
    };
    let mut makers: FxHashMap<Option<i64>, Observation<'a>> = FxHashMap::default();
    for (later, mut earlier) in observations.iter().zip(earlier) {
        let goes_back = earlier.is_some_and(|earlier| {
            earlier.value > later.value || later.made && earlier.value == later.value
        });
        if later.made && order == Order::RealTime {
            let maker = makers.insert(later.value, *later);
            earlier = if goes_back { earlier } else { maker };
        } else if !goes_back {
            earlier = None;
        }
        if let Some(earlier) = earlier {
            details.backwards.push(Backwards {
                operation: later.operation.index,
                earlier: earlier.operation.index,
                value: later.value,
                earlier_value: earlier.value,
            });
            let margin = later.span.start.saturating_sub(earlier.span.finish);
            tally.add(0, margin, (earlier, *later));
        }
    }
    Ok((details, tally))
}

fn observe<'a>(operations: &[&'a Operation]) -> Result<Vec<Observation<'a>>, String> {
    let mut observations = Vec::with_capacity(operations.len());
    for operation in operations {
        let made = match operation.f.as_str() {
            "read" => false,
            "inc" => true,
            "add" | "write" => continue,
            _ => return Err(refusal(operation, "a growing register has read, inc, add and write")),
        };
        let span = Span::of(operation)?;
        if operation.outcome != Outcome::Ok || made && operation.input != Value::Nil {
            continue;
        }
        let value = match operation.output {
            Value::Int(value) => Some(value),
            Value::Nil if made => continue,
            Value::Nil => None,
            ref other => {
                return Err(format!(
                    "operation {} returned {other}, which is no integer",
                    operation.index
                ));
            }
        };
        observations.push(Observation { span, value, made, operation });
    }
    Ok(observations)
}

/// For each observation, the greatest of all that ended before it began.
fn greatest_before<'a>(by_start: &[Observation<'a>]) -> Vec<Option<Observation<'a>>> {
    let mut by_finish = by_start.to_vec();
    by_finish.sort_by_key(|o| (o.span.finish, o.operation.index));
    let mut ended = by_finish.into_iter().peekable();
    let mut greatest: Option<Observation<'a>> = None;
    by_start
        .iter()
        .map(|later| {
            while let Some(earlier) = ended.next_if(|o| o.span.finish < later.span.start) {
                if greatest.is_none_or(|greatest| earlier.value > greatest.value) {
                    greatest = Some(earlier);
                }
            }
            greatest
        })
        .collect()
}

/// For each observation, the greatest of all that its process did before.
fn greatest_of_process<'a>(by_start: &[Observation<'a>]) -> Vec<Option<Observation<'a>>> {
    let mut greatest: FxHashMap<u64, Observation<'a>> = FxHashMap::default();
    by_start
        .iter()
        .map(|later| {
            let before = greatest.get(&later.operation.process).copied();
            if before.is_none_or(|before| later.value > before.value) {
                greatest.insert(later.operation.process, *later);
            }
            before
        })
        .collect()
}

fn check_key(operations: &[&Operation], options: &Options<'_>, order: Order) -> KeyResult {
    let mut result = KeyResult::of(operations.len());
    match survey(operations, order) {
        Err(reason) => result.validity = Validity::Unknown { reason },
        Ok((details, tally)) => {
            result.violations = tally.violations;
            // One observation has nothing to be compared with.
            result.observations = details.observations.saturating_sub(1);
            if let Some(pair) = tally.worst() {
                let witness = Box::new(explain(pair, order, options.clock));
                result.validity = Validity::Invalid { witness };
            }
        }
    }
    result
}

/// The two observations: either alone is harmless.
fn explain((earlier, later): &Pair<'_>, order: Order, clock: Clock) -> Witness {
    let value = |observation: &Observation<'_>| {
        observation.value.map_or("nil".to_owned(), |value| value.to_string())
    };
    let (before, after) = (earlier.operation, later.operation);
    if order == Order::RealTime && earlier.span.finish >= later.span.start {
        let sentence = format!("{} and {} both made {}", doer(before), doer(after), value(later));
        return witness(sentence, &[before, after], &[]);
    }
    let end = before.complete.unwrap_or(before.invoke);
    let gap = clock.gap(after.invoke.since(end));
    let when = match order {
        Order::RealTime => format!("which began {gap} later,"),
        Order::Process => format!("which the same process {} began {gap} later,", after.process),
    };
    let verb = if later.made { "made" } else { "returned" };
    let sentence = format!(
        "{} returned {} by {}, but {}, {when} {verb} only {}",
        doer(before),
        value(earlier),
        clock.instant(end),
        doer(after),
        value(later),
    );
    let relation = match order {
        Order::RealTime => Relation::RealTime,
        Order::Process => Relation::ProcessOrder,
    };
    witness(sentence, &[before, after], &[(0, 1, relation)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notation;

    fn sentence(checker: &Checker, lines: &str) -> String {
        let finding = checker.run(&notation::history(lines), &Default::default());
        finding.validity.witness().map(|w| w.sentence.clone()).unwrap_or_default()
    }

    #[test]
    fn sentences_name_both_reads() {
        let lines = "0 read -> 5 0..10 \n 1 read -> 3 30..40";
        assert_eq!(
            sentence(&MONOTONIC, lines),
            "read by process 0 returned 5 by 0.000 s, but read by process 1, which began 20 ns \
             later, returned only 3"
        );
        let lines = "4 read -> 5 0..10 \n 4 read -> nil 10..40";
        assert_eq!(sentence(&MONOTONIC, lines), "", "they touch");
        assert!(sentence(&MONOTONIC_PROCESS, lines).contains("which the same process 4 began"));
    }

    #[test]
    fn an_increment_makes_more_than_was_there() {
        let lines = "0 read -> 5 0..10 \n 1 inc -> 5 30..40";
        assert!(sentence(&MONOTONIC, lines).ends_with("made only 5"));
        assert_eq!(sentence(&MONOTONIC, "0 read -> 5 0..10 \n 1 inc -> 6 30..40"), "");
        let lines = "0 inc -> 5 0..10 \n 1 inc -> 5 3..40";
        assert_eq!(
            sentence(&MONOTONIC, lines),
            "inc by process 0 and inc by process 1 both made 5"
        );
        assert_eq!(sentence(&MONOTONIC, "0 read -> 5 0..10 \n 1 inc 2 30..40"), "", "an amount");
    }

    #[test]
    fn details_list_every_step_back() {
        let history = notation::history(
            "0 read -> 5 0..10
             1 read -> 3 20..30
             2 read -> 4 20..30
             3 read -> 9 20..30 info",
        );
        let operations: Vec<&Operation> = history.operations.iter().collect();
        let details = inspect(&operations, Order::RealTime).unwrap();
        assert_eq!((details.observations, details.greatest), (3, Some(5)));
        let backwards: Vec<_> = details.backwards.iter().map(|b| (b.earlier, b.value)).collect();
        assert_eq!(backwards, [(0, Some(3)), (0, Some(4))]);
    }

    #[test]
    fn words_are_unknown() {
        let history = notation::history("0 read -> \"a\" 0..10 \n 0 read -> 2 20..30");
        let finding = MONOTONIC.run(&history, &Default::default());
        assert_eq!(finding.validity.rank(), 1);
        assert!(finding.summary.contains("returned a, which is no integer"), "{}", finding.summary);
    }
}

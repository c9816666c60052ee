//! The simplest promise of a set: what was acknowledged is there at the end.
//!
//! # What is decided
//!
//! The *final read* is the acknowledged read that began last, if it began no earlier than any add
//! (that did not fail) began, and no earlier than any acknowledged add ended. Without it, or
//! without an acknowledged add, the promise was not exercised.
//!
//! - Lost: an add was acknowledged before the final read began, and its element is not there.
//! - Unexpected: an element is in some acknowledged read, and every add of it either failed or
//!   began only after the read had ended, or there is none.
//! - Recovered (no violation): the add was not acknowledged, but the element is there.
//!
//! A store may be stale on the way and pass: `set-full` says how stale, and `linearizable-set`
//! refuses it. One look at every element that was read: O(n).

use serde::Serialize;

use super::parse::{Did, Read, Sets};
use crate::checker::{Checker, Options, Scope};
use crate::clock::Clock;
use crate::evidence::{NEVER, Tally, answer, doer, witness};
use crate::finding::{Relation, Validity, Witness};
use crate::history::{Operation, Outcome, Time};
use crate::keys::KeyResult;

/// Every acknowledged add survives.
pub const SET: Checker = Checker {
    name: "set",
    check: "set",
    about: "every acknowledged add is in the final read, and nothing that was not added; O(n)",
    functions: FUNCTIONS,
    scope: Scope::Key(check_key),
};

const FUNCTIONS: &[&str] = &["add", "read"];

/// What was found, in numbers of elements.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize)]
pub struct Details {
    /// Added by an operation that did not fail.
    pub attempted: usize,
    pub acknowledged: usize,
    /// Not acknowledged, and in the final read.
    pub recovered: usize,
    pub lost: usize,
    pub unexpected: usize,
    /// Index of the final read, if there is one.
    pub final_read: Option<u64>,
}

#[derive(Debug, Clone, Copy)]
enum Violation {
    /// Sources of the add and the final read.
    Lost {
        element: u32,
        add: u32,
        read: u32,
    },
    Unexpected {
        element: u32,
        read: u32,
    },
}

/// Looks at every element of one set.
///
/// # Errors
/// A sentence that names the first operation that such a set does not have.
pub fn inspect(operations: &[&Operation], options: &Options<'_>) -> Result<Details, String> {
    let sets = Sets::of(operations, &options.initial, FUNCTIONS)?;
    Ok(survey(&sets, operations).0)
}

fn survey(sets: &Sets<'_>, operations: &[&Operation]) -> (Details, Tally<Violation>) {
    let mut tally = Tally::default();
    let mut details = Details::default();
    let added_from = sets.added_from();
    let mut unexpected = vec![false; sets.values.len()];
    for read in &sets.reads {
        for &element in sets.members(read) {
            let from = added_from[element as usize];
            let is_known = std::mem::replace(&mut unexpected[element as usize], true);
            if from == NEVER || from > read.span.finish {
                if !is_known {
                    details.unexpected += 1;
                    let rank = 1 + u8::from(from == NEVER);
                    tally.add(rank, 0, Violation::Unexpected { element, read: read.source });
                }
            } else {
                unexpected[element as usize] = is_known;
            }
        }
    }
    details.attempted = added_from.iter().filter(|from| **from != NEVER).count();
    let mut acknowledged: Vec<Option<(u64, u32)>> = vec![None; sets.values.len()];
    for touch in sets.touches.iter().filter(|touch| touch.span.finish != NEVER) {
        let first = &mut acknowledged[touch.element as usize];
        let this = (touch.span.finish, touch.source);
        *first = Some(first.map_or(this, |first| first.min(this)));
    }
    details.acknowledged = acknowledged.iter().flatten().count();
    let Some(read) = final_read(sets) else { return (details, tally) };
    details.final_read = Some(operations[read.source as usize].index);
    let mut is_there = vec![false; sets.values.len()];
    for &element in sets.members(read) {
        is_there[element as usize] = true;
        let acknowledged = acknowledged[element as usize].is_some();
        let attempted = added_from[element as usize] != NEVER;
        details.recovered += usize::from(attempted && !acknowledged);
    }
    for (element, first) in acknowledged.iter().enumerate() {
        let Some((finish, add)) = first.filter(|_| !is_there[element]) else { continue };
        if finish < read.span.start {
            details.lost += 1;
            let margin = read.span.start - finish;
            let element = element as u32;
            tally.add(0, margin, Violation::Lost { element, add, read: read.source });
        }
    }
    (details, tally)
}

/// The read that began last, unless an add began or was acknowledged after that.
fn final_read<'s>(sets: &'s Sets<'_>) -> Option<&'s Read> {
    let read = sets.reads.last()?;
    let is_after = |touch: &super::parse::Touch| {
        let end = if touch.span.finish == NEVER { touch.span.start } else { touch.span.finish };
        end <= read.span.start
    };
    let mut adds = sets.touches.iter().filter(|touch| touch.did == Did::Add);
    adds.all(is_after).then_some(read)
}

fn check_key(operations: &[&Operation], options: &Options<'_>) -> KeyResult {
    let mut result = KeyResult::of(operations.len());
    let sets = match Sets::of(operations, &options.initial, FUNCTIONS) {
        Ok(sets) => sets,
        Err(reason) => {
            result.validity = Validity::Unknown { reason };
            return result;
        }
    };
    let (details, tally) = survey(&sets, operations);
    result.violations = tally.violations;
    result.observations = sets.reads.len();
    let missing = match details.final_read {
        None => Some("no read was acknowledged that began after the last add had ended"),
        Some(_) if details.acknowledged == 0 => Some("no add was acknowledged"),
        Some(_) => None,
    };
    if let Some(violation) = tally.worst() {
        let witness = Box::new(explain(violation, &sets, operations, options.clock));
        result.validity = Validity::Invalid { witness };
    } else if let Some(missing) = missing {
        result.validity = Validity::Unknown { reason: format!("not exercised: {missing}") };
    }
    result
}

/// To forget an add means: it may have been done at any time, or never. To forget a read: it is
/// left out.
fn explain(
    violation: &Violation,
    sets: &Sets<'_>,
    operations: &[&Operation],
    clock: Clock,
) -> Witness {
    let operation = |source: u32| operations[source as usize];
    match *violation {
        Violation::Lost { element, add, read } => {
            let read = operation(read);
            let value = sets.values[element as usize];
            let Some(add) = operations.get(add as usize).copied() else {
                let sentence = format!(
                    "{value} was there from the beginning, but is missing from the final {}, which \
                     began at {}",
                    doer(read),
                    clock.instant(read.invoke)
                );
                return witness(sentence, &[read], &[]);
            };
            let sentence = format!(
                "{value} was added by the {}, {}, but is missing from the final {}, which began {} \
                 later",
                doer(add),
                answer(add, clock),
                doer(read),
                clock.gap(read.invoke.since(add.complete.unwrap_or(Time::MAX))),
            );
            witness(sentence, &[add, read], &[(0, 1, Relation::RealTime)])
        }
        Violation::Unexpected { element, read } => {
            unexpected(element, operation(read), sets, operations, clock)
        }
    }
}

/// The read, and every add of the element that did not fail: all began after the read had ended.
pub(super) fn unexpected(
    element: u32,
    read: &Operation,
    sets: &Sets<'_>,
    operations: &[&Operation],
    clock: Clock,
) -> Witness {
    let value = sets.values[element as usize];
    let adds = operations
        .iter()
        .copied()
        .filter(|operation| operation.f.as_str() == "add" && operation.input == *value);
    let (failed, mut late): (Vec<&Operation>, Vec<&Operation>) =
        adds.partition(|add| add.outcome == Outcome::Fail);
    late.sort_by_key(|add| (add.invoke, add.index));
    let why = match (late.first(), failed.first()) {
        (Some(late), _) => {
            format!("the first {} of it began only at {}", doer(late), clock.instant(late.invoke))
        }
        (None, Some(failed)) => format!(
            "the {} of it was answered as failed{}",
            doer(failed),
            failed.error.as_ref().map(|error| format!(" ({error})")).unwrap_or_default()
        ),
        (None, None) => "no operation ever added it".to_owned(),
    };
    let sentence = format!("the {}, {}, has {value}, but {why}", doer(read), answer(read, clock));
    let arrows: Vec<_> = (1..=late.len()).map(|add| (0, add, Relation::RealTime)).collect();
    late.insert(0, read);
    witness(sentence, &late, &arrows)
}

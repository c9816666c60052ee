//! What became of each element of a set.
//!
//! # What is decided
//!
//! An element is *known* from the earlier of two instants: an add of it was acknowledged, or the
//! first acknowledged read that has it ended. A read that began strictly later and does not have
//! it is *missing* it, unless a removal explains that: one that did not fail, began before the
//! read ended, and did not end before the add began (for an element that is known from a read, the
//! first add: which of them the read saw is not known). In the same way a read has an element
//! *too much* if it began after an acknowledged removal of it had ended, and no add explains that:
//! one that did not fail, began before the read ended, and did not end before the removal began.
//! The *last reads* are those that began last (as a rule, one). An element is
//!
//! - *lost* if all last reads lack it and one of them is missing it: it does not come back;
//! - *resurrected* if all last reads have it and one of them has it too much: it does not go again;
//! - *stale* if neither, but some read was missing it or had it too much. No violation here, since
//!   many a store promises only to get there in the end; how long it took is in [`Details`], and
//!   `linearizable-set` refuses it;
//! - *never read* if it was acknowledged, and no read began after that or has it;
//! - *unexpected* if a read has it, and no add of it that did not fail began before the read ended;
//! - a *duplicate* if a read has it twice.
//!
//! Lost, resurrected, unexpected and duplicate elements are violations.
//!
//! # Algorithm
//!
//! Reads are sorted by their beginnings and each element has the list of the reads that have it,
//! so what is missing is counted without being listed. For an element that is never removed, the
//! reads after it was known are a suffix; as many are missing it as the suffix is longer than what
//! the element's list has in it, and the last of them is found by going back through that list.
//! With removals (`Explained`), let P(t) be the latest beginning of an add by which the element is
//! known before t, and M(t) the latest end of the removals that began by t. A read \[s, f\] that
//! lacks it is missing it iff P(s) > M(f). P changes only where something that makes the element
//! known ends, so between two such instants these are the reads that end before the first removal
//! with an end that late begins.
//!
//! # Cost
//!
//! O(n log n) in the number of elements read, plus, of elements that are removed, the reads that
//! are missing them.

use serde::Serialize;

use super::parse::{Did, Read, Sets, Touch};
use crate::checker::{Checker, Options, Scope};
use crate::evidence::{NEVER, Tally};
use crate::finding::Validity;
use crate::history::{Operation, Time, Value};
use crate::keys::KeyResult;

mod explain;
mod explained;
use explained::Explained;

/// What became of each element.
pub const SET_FULL: Checker = Checker {
    name: "set-full",
    check: "set-full",
    about: "no element of a set is lost, resurrected, unexpected or there twice; O(n log n)",
    functions: FUNCTIONS,
    scope: Scope::Key(check_key),
};

const FUNCTIONS: &[&str] = &["add", "remove", "read"];

/// What was found.
#[derive(Debug, Default, Clone, PartialEq, Serialize)]
pub struct Details {
    /// Elements that an operation which did not fail added, and that were known at some time.
    pub known: usize,
    /// Known, and in every read that should have them.
    pub stable: usize,
    pub never_read: usize,
    pub unexpected: usize,
    /// Elements that some read had twice.
    pub duplicates: usize,
    /// In the order in which the elements first appear.
    pub lost: Vec<Troubled>,
    pub resurrected: Vec<Troubled>,
    pub stale: Vec<Troubled>,
}

/// An element that was not where it should be.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Troubled {
    pub element: Value,
    /// From when on it should have been there, or gone.
    pub since: Time,
    /// When the first read began that showed otherwise; of a lost or resurrected element, the
    /// first after the last that was right.
    pub wrong_from: Time,
    /// When the last read began that showed otherwise.
    pub wrong_to: Time,
    /// How many reads showed otherwise.
    pub reads: usize,
}

impl Troubled {
    /// For how long it is known to have been wrong.
    pub fn lasted(&self) -> std::time::Duration {
        self.wrong_to.since(self.since)
    }
}

#[derive(Debug, Clone, Copy)]
enum Violation {
    /// By sources: what made the element known, and the read that is missing it.
    Lost {
        element: u32,
        known: u32,
        read: u32,
    },
    Resurrected {
        element: u32,
        remove: u32,
        read: u32,
    },
    Unexpected {
        element: u32,
        read: u32,
    },
    Duplicate {
        element: u32,
        read: u32,
    },
}

/// How an element fared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Stale,
    Lost,
    Resurrected,
}

/// What is wrong with one element.
#[derive(Debug, Clone, Copy)]
struct Trouble {
    fate: Fate,
    /// The source of what made it known (or removed it), and when that ended.
    cause: u32,
    since: u64,
    /// Positions of the first and last read that is wrong.
    first: usize,
    last: usize,
    reads: usize,
}

/// Looks at every element of one set.
///
/// # Errors
/// A sentence that names the first operation that such a set does not have.
pub fn inspect(operations: &[&Operation], options: &Options<'_>) -> Result<Details, String> {
    Ok(survey(&Sets::of(operations, &options.initial, FUNCTIONS)?).0)
}

fn survey(sets: &Sets<'_>) -> (Details, Tally<Violation>) {
    let mut details = Details::default();
    let mut tally = Tally::default();
    let added_from = sets.added_from();
    let touches = sets.touches_by_element();
    let with_element = sets.reads_by_element();
    for element in 0..sets.values.len() as u32 {
        let (touches, with) = (touches.of(element), with_element.of(element));
        let unexpected = with.iter().find(|read| {
            let end = sets.reads[**read as usize].span.finish;
            added_from[element as usize] == NEVER || added_from[element as usize] > end
        });
        if let Some(read) = unexpected {
            details.unexpected += 1;
            let read = sets.reads[*read as usize].source;
            let rank = 3 + u8::from(added_from[element as usize] == NEVER);
            tally.add(rank, 0, Violation::Unexpected { element, read });
            continue;
        }
        let Some((since, cause)) = known(touches, with, &sets.reads) else { continue };
        details.known += 1;
        let is_read = sets.reads.last().is_some_and(|read| read.span.start > since);
        if with.is_empty() && !is_read {
            details.never_read += 1;
            continue;
        }
        let trouble = if touches.iter().any(|touch| touch.did == Did::Remove) {
            Explained::new(touches, with, &sets.reads).trouble()
        } else {
            never_removed(since, cause, with, &sets.reads)
        };
        match trouble {
            None => details.stable += 1,
            Some(trouble) => count(element, trouble, sets, &mut details, &mut tally),
        }
    }
    let mut twice: Vec<u32> = sets.duplicates.iter().map(|(_, element)| *element).collect();
    twice.sort_unstable();
    twice.dedup();
    details.duplicates = twice.len();
    for &(read, element) in &sets.duplicates {
        if let Ok(position) = twice.binary_search(&element) {
            twice.remove(position);
            tally.add(2, 0, Violation::Duplicate { element, read });
        }
    }
    (details, tally)
}

/// When the element was known, and by the operation of which source.
fn known(touches: &[Touch], with: &[u32], reads: &[Read]) -> Option<(u64, u32)> {
    let acknowledged = touches
        .iter()
        .filter(|touch| touch.did == Did::Add && touch.span.finish != NEVER)
        .map(|touch| (touch.span.finish, touch.source));
    let read = with.iter().map(|read| &reads[*read as usize]).map(|r| (r.span.finish, r.source));
    acknowledged.chain(read).min()
}

/// What is wrong with an element that nothing removes.
fn never_removed(since: u64, cause: u32, with: &[u32], reads: &[Read]) -> Option<Trouble> {
    let after = reads.partition_point(|read| read.span.start <= since);
    let with_after = &with[with.partition_point(|read| (*read as usize) < after)..];
    let missing = (reads.len() - after) - with_after.len();
    if missing == 0 {
        return None;
    }
    let last = last_not_in(with_after, reads.len());
    let last_with = with.last().map(|read| reads[*read as usize].span.start);
    let is_lost = last_with.is_none_or(|start| start < reads[last].span.start);
    let first = match with_after.last() {
        Some(last_with) if is_lost => *last_with as usize + 1,
        _ => first_not_in(with_after, after),
    };
    let fate = if is_lost { Fate::Lost } else { Fate::Stale };
    Some(Trouble { fate, cause, since, first, last, reads: missing })
}

/// The greatest number below `end` that is not in the list, which has another below it.
fn last_not_in(growing: &[u32], end: usize) -> usize {
    let mut last = end - 1;
    for number in growing.iter().rev() {
        if *number as usize != last {
            break;
        }
        last -= 1;
    }
    last
}

/// The least number from `begin` on that is not in the list of such numbers.
fn first_not_in(growing: &[u32], begin: usize) -> usize {
    let in_a_row =
        growing.iter().enumerate().take_while(|(i, number)| **number as usize == begin + i);
    begin + in_a_row.count()
}

fn count(
    element: u32,
    trouble: Trouble,
    sets: &Sets<'_>,
    details: &mut Details,
    tally: &mut Tally<Violation>,
) {
    // Instants were shifted by one; what was there from the beginning is known at zero.
    let time = |instant: u64| Time(instant.saturating_sub(1));
    let (first, last) = (&sets.reads[trouble.first], &sets.reads[trouble.last]);
    let troubled = Troubled {
        element: sets.values[element as usize].clone(),
        since: time(trouble.since),
        wrong_from: time(first.span.start),
        wrong_to: time(last.span.start),
        reads: trouble.reads,
    };
    let margin = last.span.start - trouble.since;
    let (cause, read) = (trouble.cause, last.source);
    match trouble.fate {
        Fate::Stale => details.stale.push(troubled),
        Fate::Lost => {
            tally.add(0, margin, Violation::Lost { element, known: cause, read });
            details.lost.push(troubled);
        }
        Fate::Resurrected => {
            tally.add(1, margin, Violation::Resurrected { element, remove: cause, read });
            details.resurrected.push(troubled);
        }
    }
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
    let (details, tally) = survey(&sets);
    result.violations = tally.violations;
    // Only an element that a read should have tells anything.
    result.observations = details.known - details.never_read + details.unexpected;
    if let Some(violation) = tally.worst() {
        let witness = Box::new(explain::explain(violation, &sets, operations, options.clock));
        result.validity = Validity::Invalid { witness };
    } else if result.observations == 0 {
        let reason = "not exercised: no element was acknowledged and then read";
        result.validity = Validity::Unknown { reason: reason.to_owned() };
    }
    result
}

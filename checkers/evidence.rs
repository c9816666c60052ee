//! What several checkers ask of an operation, and how a few operations become a witness.

use std::cmp::Reverse;

use crate::clock::Clock;
use crate::finding::{Arrow, Relation, Witness};
use crate::history::{Operation, Outcome};

/// Before every recorded instant; recorded instants are shifted up by one to make room for it.
pub(crate) const BEFORE_ALL: u64 = 0;

/// After every recorded instant.
pub(crate) const NEVER: u64 = u64::MAX;

/// When an operation can have taken effect: a closed interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub start: u64,
    /// [`NEVER`] unless it was acknowledged.
    pub finish: u64,
}

impl Span {
    /// # Errors
    /// A sentence, if the operation ends before it begins.
    pub fn of(operation: &Operation) -> Result<Span, String> {
        let (start, end) = operation.interval()?;
        let end = if operation.outcome == Outcome::Ok { end.0 } else { NEVER };
        Ok(Span { start: start.0.saturating_add(1), finish: end.saturating_add(1) })
    }
}

/// Why an operation is refused: `operation 7 is ``pop``; a set has add and read`.
pub(crate) fn refusal(operation: &Operation, object_has: &str) -> String {
    format!("operation {} is `{}`; {object_has}", operation.index, operation.f)
}

/// `read at n1`, or `read by process 3` where no node is known.
pub(crate) fn doer(operation: &Operation) -> String {
    match &operation.node {
        Some(node) => format!("{} at {node}", operation.f),
        None => format!("{} by process {}", operation.f, operation.process),
    }
}

/// `acknowledged at 3.102 s`, or `never answered`, `answered without a result`, `refused`.
pub(crate) fn answer(operation: &Operation, clock: Clock) -> String {
    match (operation.outcome, operation.complete) {
        (Outcome::Ok, Some(end)) => format!("acknowledged at {}", clock.instant(end)),
        (Outcome::Ok, None) => "acknowledged".to_owned(),
        (Outcome::Fail, _) => "answered as failed".to_owned(),
        (Outcome::Info, Some(_)) => "answered without a result".to_owned(),
        (Outcome::Info, None) => "never answered".to_owned(),
    }
}

/// The witness of these operations, which may come in any order and more than once. Arrows are
/// between positions in the slice given here.
pub(crate) fn witness(
    sentence: String,
    operations: &[&Operation],
    arrows: &[(usize, usize, Relation)],
) -> Witness {
    let mut sorted = operations.to_vec();
    sorted.sort_by_key(|operation| (operation.invoke, operation.index));
    sorted.dedup_by(|one, other| std::ptr::eq(*one, *other));
    let position = |given: usize| {
        sorted.iter().position(|operation| std::ptr::eq(*operation, operations[given]))
    };
    let arrows = arrows
        .iter()
        .filter_map(|&(from, to, relation)| {
            Some(Arrow { from: position(from)?, to: position(to)?, relation })
        })
        .collect();
    Witness { sentence, operations: sorted.into_iter().cloned().collect(), arrows, instead: None }
}

/// Counts violations and keeps the one that is best to show: of the highest rank, and of those
/// the first with the widest margin.
#[derive(Debug)]
pub(crate) struct Tally<V> {
    pub violations: usize,
    worst: Option<((u8, u64), V)>,
}

impl<V> Default for Tally<V> {
    fn default() -> Self {
        Self { violations: 0, worst: None }
    }
}

impl<V> Tally<V> {
    /// Counts one; `margin` is by how many nanoseconds real time is contradicted.
    pub fn add(&mut self, rank: u8, margin: u64, violation: V) {
        self.violations += 1;
        if self.worst.as_ref().is_none_or(|(worst, _)| (rank, margin) > *worst) {
            self.worst = Some(((rank, margin), violation));
        }
    }

    pub fn worst(&self) -> Option<&V> {
        self.worst.as_ref().map(|(_, violation)| violation)
    }
}

/// The fewest of `amounts` (with what they belong to) that together are more than `limit`, or
/// all of them if they never are. None of them can be spared: without the smallest of them the
/// rest is not more than the limit.
pub(crate) fn enough<T: Copy>(mut amounts: Vec<(i128, T)>, limit: i128) -> Vec<T> {
    amounts.sort_by_key(|(amount, _)| Reverse(*amount));
    let mut sum = 0;
    let mut taken = Vec::new();
    for (amount, of) in amounts {
        if sum > limit {
            break;
        }
        sum += amount;
        taken.push(of);
    }
    taken
}

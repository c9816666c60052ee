//! A queue that promises no order: what was put in comes out, and comes out once.
//!
//! What Jepsen calls a total queue, with values that may repeat. Counted per value: enqueues that
//! may have taken effect (`ok` and `info`), those that were acknowledged, and dequeues.
//!
//! - *unexpected*: dequeues of a value that no enqueue can have put in;
//! - *duplicated*: dequeues beyond the number of enqueues that may have put the value in;
//! - *lost*: enqueues acknowledged before a dequeue began that found the queue empty (or before a
//!   `drain` began), whose value was never dequeued. Each dequeue without an answer that had
//!   begun by the end of that dequeue may have taken one value, and is deducted; after a drain
//!   without an answer nothing can be said to be lost;
//! - *remaining*: acknowledged, never dequeued, and not known to be lost. If the queue was not
//!   found empty later, nothing says whether they are still inside, and the check is unknown.
//!
//! Where one value was acknowledged several times, the earliest are taken to have come out.
//! A `drain` returns the list of the values that it took until the queue was empty. Values out of
//! order ([`fifo-queue`](super::FIFO_QUEUE) refuses them) are counted, where values are unique,
//! and are no violation here. O(n log n).
//!
//! ```
//! # use splitbrain_checkers::{notation, queue::total};
//! let history = notation::history(
//!     "0 enqueue 1          0..10
//!      1 enqueue 2          5..
//!      0 enqueue 3         20..30
//!      2 dequeue -> 2      40..50
//!      2 dequeue -> nil    60..70
//!      3 drain -> [1]      80..90 ",
//! );
//! let report = total::report(&history.operations.iter().collect::<Vec<_>>()).unwrap();
//! assert_eq!((report.acknowledged, report.recovered, report.lost), (2, 1, 1));
//! assert!(total::TOTAL_QUEUE.run(&history, &Default::default()).validity.is_invalid());
//! ```

use serde::{Deserialize, Serialize};

use super::items::{AFTER_ALL, Items, Span, span};
use super::telling::Teller;
use super::{WORDS, invalid, order, unknown};
use crate::checker::{Checker, Options, Scope};
use crate::finding::{Finding, Relation, Validity, Witness};
use crate::history::{History, Operation, Outcome, Value};
use crate::keys::{self, KeyResult};
use crate::numbering::Numbering;
use crate::words::{count, few};

/// Everything comes out once, in any order.
pub const TOTAL_QUEUE: Checker = Checker {
    name: "total-queue",
    check: "total-queue",
    about: "everything that was put in comes out, and comes out once, in any order; O(n log n)",
    functions: &["enqueue", "dequeue", "drain"],
    scope: Scope::Whole(check),
};

/// What became of the values of a queue.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Enqueues that may have taken effect.
    pub attempts: usize,
    pub acknowledged: usize,
    /// Values that came out, by dequeues and drains that were acknowledged.
    pub dequeued: usize,
    /// Values that came out though their enqueue was never acknowledged.
    pub recovered: usize,
    pub lost: usize,
    pub duplicated: usize,
    pub unexpected: usize,
    /// Values that were overtaken by a later one; not counted where values repeat or a drain
    /// took them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub out_of_order: Option<usize>,
    /// Acknowledged and never dequeued, but perhaps still inside.
    pub remaining: usize,
}

impl Report {
    fn violations(&self) -> usize {
        self.lost + self.duplicated + self.unexpected
    }

    /// Adds what became of another queue's values.
    fn add(&mut self, other: &Report) {
        self.attempts += other.attempts;
        self.acknowledged += other.acknowledged;
        self.dequeued += other.dequeued;
        self.recovered += other.recovered;
        self.lost += other.lost;
        self.duplicated += other.duplicated;
        self.unexpected += other.unexpected;
        self.remaining += other.remaining;
        self.out_of_order = self.out_of_order.zip(other.out_of_order).map(|(one, two)| one + two);
    }

    /// `5 acknowledged, 4 dequeued (1 recovered), 1 lost, 0 duplicated, ...`.
    fn in_words(&self) -> String {
        let order = match self.out_of_order {
            Some(number) => format!(", {number} overtaken"),
            None => String::new(),
        };
        format!(
            "{} acknowledged, {} dequeued ({} recovered), {} lost, {} duplicated, {} unexpected, \
             {} remaining{order}",
            self.acknowledged,
            self.dequeued,
            self.recovered,
            self.lost,
            self.duplicated,
            self.unexpected,
            self.remaining,
        )
    }
}

/// What became of the values of one queue.
///
/// # Errors
/// A sentence that names the first operation that a queue does not have.
pub fn report(operations: &[&Operation]) -> Result<Report, String> {
    Ok(Account::of(operations)?.report(operations))
}

/// Checks each key, and counts over all of them.
fn check(history: &History, options: &Options<'_>) -> Finding {
    let mut sum = Report { out_of_order: Some(0), ..Report::default() };
    let results: Vec<_> = keys::split_by_key(history)
        .into_iter()
        .map(|(key, operations)| {
            let (result, report) = check_key(&operations, options);
            sum.add(&report);
            (key, result)
        })
        .collect();
    let mut finding = keys::finding(TOTAL_QUEUE.check, results);
    finding.summary = format!("{}; {}", finding.summary, sum.in_words());
    finding
}

/// Checks one queue. The counts are all zero if the operations are not those of a queue.
pub fn check_key(operations: &[&Operation], options: &Options<'_>) -> (KeyResult, Report) {
    let account = match Account::of(operations) {
        Ok(account) => account,
        Err(reason) => return (unknown(operations, 0, reason), Report::default()),
    };
    let report = account.report(operations);
    let teller = Teller { operations, words: &WORDS, clock: options.clock };
    let validity = if let Some(witness) = account.witness(&teller) {
        invalid(witness)
    } else if report.remaining > 0 {
        Validity::Unknown {
            reason: format!(
                "{} never dequeued, and the queue was not found empty afterwards: still inside, \
                 or lost",
                if report.remaining == 1 {
                    "1 acknowledged value was".to_owned()
                } else {
                    format!("{} were", count(report.remaining, "acknowledged value"))
                }
            ),
        }
    } else {
        Validity::Valid
    };
    let result = KeyResult {
        validity,
        violations: report.violations(),
        operations: operations.len(),
        observations: account.observations,
    };
    (result, report)
}

/// What was done with one value.
#[derive(Debug, Default)]
struct Entry {
    attempts: usize,
    /// Acknowledged enqueues: when they ended, and which they are.
    acknowledged: Vec<(u64, u32)>,
    /// Operations that returned the value, in the order of the history.
    removals: Vec<u32>,
}

impl Entry {
    fn unexpected(&self) -> usize {
        if self.attempts == 0 { self.removals.len() } else { 0 }
    }

    fn duplicated(&self) -> usize {
        self.removals.len().saturating_sub(self.attempts) - self.unexpected()
    }

    /// How many came out of those whose enqueue was not acknowledged.
    fn recovered(&self) -> usize {
        self.removals.len().min(self.attempts).saturating_sub(self.acknowledged.len())
    }

    /// The acknowledged enqueues whose value never came out.
    fn outstanding(&self) -> &[(u64, u32)] {
        &self.acknowledged[self.removals.len().min(self.acknowledged.len())..]
    }
}

/// All values of one queue.
#[derive(Debug, Default)]
struct Account {
    entries: Vec<Entry>,
    /// Dequeues and drains that found the queue empty.
    empties: Vec<Span>,
    /// When dequeues without an answer began, in order.
    unanswered: Vec<u64>,
    /// When the first drain without an answer began.
    undone: Option<u64>,
    observations: usize,
    drained: bool,
}

/// The acknowledged enqueues that were lost at the latest when an operation found nothing.
#[derive(Debug, Default)]
struct Loss {
    lost: usize,
    /// Enough of them that removals without an answer are no excuse, and the operation.
    proof: Option<(Vec<u32>, Span)>,
}

impl Account {
    fn of(operations: &[&Operation]) -> Result<Account, String> {
        let mut account = Account::default();
        let mut numbers = Numbering::of(operations.len());
        for (source, operation) in operations.iter().enumerate() {
            account.take(&mut numbers, operation, source as u32)?;
        }
        account.unanswered.sort_unstable();
        for entry in &mut account.entries {
            entry.acknowledged.sort_unstable();
        }
        Ok(account)
    }

    fn take<'a>(
        &mut self,
        numbers: &mut Numbering<'a>,
        operation: &'a Operation,
        source: u32,
    ) -> Result<(), String> {
        let name = operation.f.as_str();
        if !TOTAL_QUEUE.functions.contains(&name) {
            return Err(format!(
                "operation {} is `{name}`; a queue has enqueue, dequeue and drain",
                operation.index
            ));
        }
        if operation.outcome == Outcome::Fail {
            return Ok(());
        }
        let span = span(operation, source)?;
        let answered = operation.outcome == Outcome::Ok;
        self.observations += usize::from(answered && name != "enqueue");
        match (name, &operation.output) {
            ("enqueue", _) if operation.input == Value::Nil => {
                return Err(format!(
                    "operation {} is an enqueue of nil, which cannot be told from nothing",
                    operation.index
                ));
            }
            ("enqueue", _) => {
                let entry = self.entry(numbers, &operation.input);
                entry.attempts += 1;
                if answered {
                    entry.acknowledged.push((span.finish, source));
                }
            }
            ("dequeue", _) if !answered => self.unanswered.push(span.start),
            ("dequeue", Value::Nil) => self.empties.push(span),
            ("dequeue", value) => self.entry(numbers, value).removals.push(source),
            _ if !answered => {
                let earliest = self.undone.map_or(span.start, |start| start.min(span.start));
                self.undone = Some(earliest);
            }
            (_, Value::List(values)) => {
                for value in values {
                    self.entry(numbers, value).removals.push(source);
                }
                self.empties.push(span);
                self.drained = true;
            }
            (_, other) => {
                return Err(format!(
                    "operation {} is a drain that returned {other}; a drain returns a list",
                    operation.index
                ));
            }
        }
        Ok(())
    }

    fn entry<'a>(&mut self, numbers: &mut Numbering<'a>, value: &'a Value) -> &mut Entry {
        let number = numbers.number(value) as usize;
        if number == self.entries.len() {
            self.entries.push(Entry::default());
        }
        &mut self.entries[number]
    }

    /// All acknowledged enqueues whose value never came out, by their ends.
    fn outstanding(&self) -> Vec<(u64, u32)> {
        let outstanding = self.entries.iter().flat_map(Entry::outstanding);
        let mut outstanding: Vec<(u64, u32)> = outstanding.copied().collect();
        outstanding.sort_unstable();
        outstanding
    }

    fn loss(&self) -> Loss {
        let outstanding = self.outstanding();
        let mut loss = Loss::default();
        for &empty in &self.empties {
            if self.undone.is_some_and(|start| start <= empty.finish) {
                continue;
            }
            let missing = outstanding.partition_point(|(finish, _)| *finish < empty.start);
            let excused = self.unanswered.partition_point(|start| *start <= empty.finish);
            if missing.saturating_sub(excused) > loss.lost {
                let proof = outstanding[..=excused].iter().map(|(_, source)| *source).collect();
                loss = Loss { lost: missing - excused, proof: Some((proof, empty)) };
            }
        }
        loss
    }

    fn report(&self, operations: &[&Operation]) -> Report {
        let total = |count: fn(&Entry) -> usize| -> usize { self.entries.iter().map(count).sum() };
        let lost = self.loss().lost;
        let order = match Items::collect(operations, &WORDS) {
            Ok(items) if !self.drained && items.repeated.is_none() => {
                let mut items = items;
                items.pair_in_order();
                // One that never came out is lost or remains, and is counted there.
                items.items.retain(|item| item.remove_start < AFTER_ALL);
                Some(order::check(&items.items).violations)
            }
            _ => None,
        };
        Report {
            attempts: total(|entry| entry.attempts),
            acknowledged: total(|entry| entry.acknowledged.len()),
            dequeued: total(|entry| entry.removals.len()),
            recovered: total(Entry::recovered),
            lost,
            duplicated: total(Entry::duplicated),
            unexpected: total(Entry::unexpected),
            out_of_order: order,
            remaining: total(|entry| entry.outstanding().len()).saturating_sub(lost),
        }
    }

    /// Proves the worst violation: what came from nowhere, what came twice, what was lost.
    fn witness(&self, teller: &Teller<'_>) -> Option<Witness> {
        if let Some(entry) = self.entries.iter().find(|entry| entry.unexpected() > 0) {
            return Some(
                teller.fault(super::items::Fault::NeverAdded { remove: entry.removals[0] }),
            );
        }
        if let Some(entry) = self.entries.iter().find(|entry| entry.duplicated() > 0) {
            let removals = &entry.removals[..=entry.attempts];
            let by: Vec<String> = removals.iter().map(|source| teller.who(*source)).collect();
            let sentence = format!(
                "one value was enqueued {} at most, but dequeued {}: by {}",
                count(entry.attempts, "time"),
                count(removals.len(), "time"),
                few(&by, "and")
            );
            return Some(teller.witness(sentence, removals, &[]));
        }
        let (lost, empty) = self.loss().proof?;
        let names: Vec<String> = lost.iter().map(|source| teller.who(*source)).collect();
        let last = lost.last().map(|source| teller.operations[*source as usize].complete);
        let sentence = format!(
            "{} acknowledged by {} and never dequeued, yet {} found the queue empty and had begun \
             only at {}{}",
            match names.as_slice() {
                [one] => format!("{one} was"),
                more => format!("{} were", few(more, "and")),
            },
            teller.instant(last.flatten().unwrap_or_default().0),
            teller.who(empty.source),
            teller.instant(empty.start),
            match lost.len() - 1 {
                0 => String::new(),
                excused => format!(
                    "; a dequeue without an answer takes one value at most, and only {excused} \
                     had begun by its end"
                ),
            }
        );
        let arrow = |source: &u32| (*source, empty.source, Relation::RealTime);
        let arrows: Vec<_> = lost.iter().map(arrow).collect();
        let mut sources = lost;
        sources.push(empty.source);
        Some(teller.witness(sentence, &sources, &arrows))
    }
}

//! The finding `staleness`: whether every key is delta-atomic within the bound.

use std::borrow::Borrow;
use std::time::Duration;

use super::{LeastK, Settings, Staleness, measure_key};
use crate::checker::{Checker, Options, Scope};
use crate::finding::{Finding, Validity, Witness};
use crate::history::{Function, History, Name, Operation, Time};
use crate::keys::{KeyResult, finding, split_by_key};
use crate::register;
use crate::words::{count, thousands};

const CHECK: &str = "staleness";

/// How stale the reads of registers were. Valid if none was, as [`check`] with the bound zero.
pub const STALENESS: Checker = Checker {
    name: CHECK,
    check: CHECK,
    about: "how old and how many versions behind reads were, least delta and least k; O(n log n)",
    functions: &["read", "write", "cas"],
    scope: Scope::Whole(|history, options| {
        let measured = Settings {
            initial: options.initial.clone(),
            clock: options.clock,
            limits: options.limits,
            ..Settings::default()
        };
        check(history, &measured).1
    }),
};

/// Measures a history and judges it: valid if it is delta-atomic with the bound, so that no read
/// returned anything surely overwritten for longer than that.
///
/// A witness is a smallest proof that it is not: what the register's check gives for the history
/// whose reads began earlier by the bound, with the operations as they were recorded. Every key
/// that cannot be measured makes the finding unknown, unless another is refuted.
pub fn check(history: &History, settings: &Settings<'_>) -> (Staleness, Finding) {
    let mut all = Staleness::none();
    let mut results: Vec<(Option<Name>, KeyResult)> = Vec::new();
    for (key, operations) in split_by_key(history) {
        let mut result = KeyResult::of(operations.len());
        match measure_key(&operations, settings) {
            Err(reason) => result.validity = Validity::Unknown { reason },
            Ok(one) => {
                result.observations = one.reads;
                if one.least_delta.is_none_or(|delta| delta > settings.bound) {
                    let refuted = refute(&operations, settings);
                    (result.validity, result.violations) = (refuted.validity, refuted.violations);
                }
                all = all.join(one);
            }
        }
        results.push((key, result));
    }
    let mut finding = finding(CHECK, results);
    finding.summary = format!("{}; {}", finding.summary, summary(&all, settings));
    (all, finding)
}

/// What the register's check says if every read began earlier by the bound.
fn refute<O: Borrow<Operation>>(operations: &[O], settings: &Settings<'_>) -> KeyResult {
    let earlier: Vec<Operation> =
        operations.iter().map(|operation| moved(operation.borrow(), settings.bound)).collect();
    let assumed =
        Options { initial: settings.initial.clone(), clock: settings.clock, ..Options::default() };
    let mut result = register::check_key(&earlier, &assumed);
    if let Validity::Invalid { witness } = &mut result.validity {
        restore(witness, operations);
        if settings.bound > Duration::ZERO {
            witness.sentence = format!(
                "even if every read is taken to have begun {} earlier than it did: {}",
                settings.clock.gap(settings.bound),
                witness.sentence
            );
        }
    }
    result
}

/// A read, earlier; so is a cas that leaves what it finds.
fn moved(operation: &Operation, by: Duration) -> Operation {
    let mut operation = operation.clone();
    let writes = match operation.input.as_pair() {
        Some((expected, new)) => expected != new,
        None => operation.f != Function::Read,
    };
    if !writes {
        operation.invoke = Time(operation.invoke.0.saturating_sub(by.as_nanos() as u64));
    }
    operation
}

/// Gives the witness its operations as they were recorded. They stay in the order in which the
/// arrows know them, and come into that of their real invocations.
fn restore<O: Borrow<Operation>>(witness: &mut Witness, operations: &[O]) {
    for shown in &mut witness.operations {
        let recorded = operations.iter().map(Borrow::borrow).find(|one| one.index == shown.index);
        if let Some(recorded) = recorded {
            *shown = recorded.clone();
        }
    }
    let mut order: Vec<usize> = (0..witness.operations.len()).collect();
    order.sort_by_key(|&place| (witness.operations[place].invoke, witness.operations[place].index));
    let new_place = |old: usize| order.iter().position(|&place| place == old).unwrap_or(old);
    for arrow in &mut witness.arrows {
        (arrow.from, arrow.to) = (new_place(arrow.from), new_place(arrow.to));
    }
    witness.operations = order.iter().map(|&place| witness.operations[place].clone()).collect();
}

/// `31 of 4,011 reads were stale, by 1.400 s and 3 versions at most; least delta 1.400 s, ...`.
fn summary(all: &Staleness, settings: &Settings<'_>) -> String {
    let gap = |duration: Duration| settings.clock.gap(duration);
    let stale = match (&all.oldest, &all.most_behind) {
        (Some(oldest), Some(behind)) => format!(
            "{} of {} stale, by {} and {} at most",
            thousands(all.stale),
            count(all.reads, "read"),
            gap(oldest.age),
            count(behind.behind, "version")
        ),
        _ => format!("none of {} surely stale", count(all.reads, "read")),
    };
    let delta = match all.least_delta {
        Some(delta) => format!("least delta {}", gap(delta)),
        None => "not delta-atomic for any delta".to_owned(),
    };
    let k = match &all.least_k {
        LeastK::Exactly { k } => format!("least k {k}"),
        LeastK::MoreThan { k } => format!("least k above {k}"),
        LeastK::Unknown { at_least, reason } => format!("least k at least {at_least} ({reason})"),
        LeastK::Never => "not k-atomic for any k".to_owned(),
    };
    format!("{stale}; {delta}; {k}")
}

//! Many registers: one per key.

use std::collections::BTreeMap;

use super::{KeyResult, Settings, check_key};
use crate::finding::{Finding, Validity};
use crate::history::{Function, History, Name, Operation};
use crate::words::count;

/// The operations of each key, in the order of the history; operations without a key are one
/// register. Reads of a node's own copy ([`Function::ReplicaRead`]) are left out: only the
/// convergence check looks at them.
pub fn split_by_key(history: &History) -> BTreeMap<Option<Name>, Vec<&Operation>> {
    let mut keys: BTreeMap<Option<&Name>, Vec<&Operation>> = BTreeMap::new();
    for operation in &history.operations {
        if operation.f != Function::ReplicaRead {
            keys.entry(operation.key.as_ref()).or_default().push(operation);
        }
    }
    keys.into_iter().map(|(key, operations)| (key.cloned(), operations)).collect()
}

/// Checks every key of a history, one after the other. To check keys in parallel, give each of
/// [`split_by_key`] to [`check_key`] and the results to [`finding`].
pub fn check_history(history: &History) -> Finding {
    let settings = Settings::default();
    let results = split_by_key(history)
        .into_iter()
        .map(|(key, operations)| (key, check_key(&operations, &settings)));
    finding(results)
}

/// One finding of all keys: the worst answer, with the witness of the key that has most
/// violations. Without an acknowledged read or cas in any key it is unknown: nothing was
/// observed, so nothing could have been refuted.
pub fn finding(results: impl IntoIterator<Item = (Option<Name>, KeyResult)>) -> Finding {
    let mut results: Vec<(Option<Name>, KeyResult)> = results.into_iter().collect();
    let total = |count: fn(&KeyResult) -> usize| -> usize {
        results.iter().map(|(_, result)| count(result)).sum()
    };
    let operations = total(|result| result.operations);
    let violations = total(|result| result.violations);
    let observations = total(|result| result.observations);
    results.sort_by(|(one_key, one), (other_key, other)| {
        let rank = |result: &KeyResult| (result.validity.rank(), result.violations);
        rank(other).cmp(&rank(one)).then_with(|| one_key.cmp(other_key))
    });
    let validity = match results.first() {
        Some((key, worst)) if worst.validity.rank() > 0 => {
            in_key(worst.validity.clone(), key.as_ref())
        }
        _ if observations == 0 => Validity::Unknown {
            reason: "not exercised: no read and no cas was acknowledged".to_owned(),
        },
        _ => Validity::Valid,
    };
    let refuted = || results.iter().filter(|(_, result)| result.validity.is_invalid());
    Finding {
        check: "linearizable".to_owned(),
        summary: summary(&validity, operations, violations, results.len(), refuted().count()),
        keys: refuted().filter_map(|(key, _)| key.clone()).collect(),
        validity,
        operations,
        violations,
    }
}

/// Says in a reason which key it is about.
fn in_key(validity: Validity, key: Option<&Name>) -> Validity {
    match (validity, key) {
        (Validity::Unknown { reason }, Some(key)) => {
            Validity::Unknown { reason: format!("key {key}: {reason}") }
        }
        (other, _) => other,
    }
}

fn summary(
    validity: &Validity,
    operations: usize,
    violations: usize,
    keys: usize,
    refuted: usize,
) -> String {
    let checked = format!("{} on {}", count(operations, "operation"), count(keys, "key"));
    match validity {
        Validity::Valid => format!("{checked}: linearizable"),
        Validity::Unknown { reason } => format!("{checked}: {reason}"),
        Validity::Invalid { .. } => format!(
            "{checked}: {} of {} refuted, {}",
            refuted,
            keys,
            count(violations, "violation")
        ),
    }
}

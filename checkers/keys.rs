//! Many objects, one per key: split, check each by itself, and join what came out.
//!
//! Linearizability is local (Herlihy and Wing, "Linearizability: a correctness condition for
//! concurrent objects", TOPLAS 12(3), 1990, section 3.3): a history is linearizable iff the part
//! of each object is. So each key can be checked alone, and by the caller in parallel. Sequential
//! consistency and its weaker kin are not local: never split those.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use crate::finding::{Finding, Validity};
use crate::history::{Function, History, Name, Operation};
use crate::words::count;

/// What came out for one key.
#[derive(Debug, Clone, PartialEq)]
pub struct KeyResult {
    pub validity: Validity,
    /// How many violations there are, each proven on its own; one if a search found it.
    pub violations: usize,
    /// How many operations were given.
    pub operations: usize,
    /// How many acknowledged operations say something of what the object held. Without any,
    /// nothing can be refuted.
    pub observations: usize,
}

impl KeyResult {
    /// Nothing speaks against so many operations so far, and nothing was observed yet.
    pub fn of(operations: usize) -> Self {
        Self { validity: Validity::Valid, violations: 0, operations, observations: 0 }
    }
}

/// The operations of each key, in the order of the history; operations without a key are one
/// object. Reads of a node's own copy ([`Function::ReplicaRead`]) are left out: only the
/// convergence check looks at them.
pub fn split_by_key(history: &History) -> BTreeMap<Option<Name>, Vec<&Operation>> {
    let mut places: BTreeMap<Option<&Name>, usize> = BTreeMap::new();
    // Operations that were read together share their names, so that most keys are known by
    // where they are in memory.
    let mut known: FxHashMap<Option<*const u8>, usize> = FxHashMap::default();
    let mut lists: Vec<Vec<&Operation>> = Vec::new();
    for operation in &history.operations {
        if operation.f != Function::ReplicaRead {
            let key = operation.key.as_ref();
            let place = *known.entry(key.map(|name| name.as_ptr())).or_insert_with(|| {
                *places.entry(key).or_insert_with(|| {
                    lists.push(Vec::new());
                    lists.len() - 1
                })
            });
            lists[place].push(operation);
        }
    }
    places
        .into_iter()
        .map(|(key, place)| (key.cloned(), std::mem::take(&mut lists[place])))
        .collect()
}

/// Checks every key of a history, one after the other, and joins the results to the finding of
/// the check of that name.
pub fn check_each(
    check: &str,
    history: &History,
    check_key: impl Fn(&[&Operation]) -> KeyResult,
) -> Finding {
    let results =
        split_by_key(history).into_iter().map(|(key, operations)| (key, check_key(&operations)));
    finding(check, results)
}

/// One finding of all keys: the worst answer, with the witness of the key that has most
/// violations. Without an observation in any key it is unknown: nothing could have been refuted.
pub fn finding(
    check: &str,
    results: impl IntoIterator<Item = (Option<Name>, KeyResult)>,
) -> Finding {
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
            reason: "not exercised: no operation was acknowledged that says what was there"
                .to_owned(),
        },
        _ => Validity::Valid,
    };
    let refuted = || results.iter().filter(|(_, result)| result.validity.is_invalid());
    let checked = format!("{} on {}", count(operations, "operation"), count(results.len(), "key"));
    let said = match &validity {
        Validity::Valid => check.to_owned(),
        Validity::Unknown { reason } => reason.clone(),
        Validity::Invalid { .. } => format!(
            "{} of {} refuted, {}",
            refuted().count(),
            results.len(),
            count(violations, "violation")
        ),
    };
    Finding {
        check: check.to_owned(),
        summary: format!("{checked}: {said}"),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notation;

    #[test]
    fn a_key_is_its_text_wherever_it_is_in_memory() {
        let mut history = notation::history(
            "0 write@b 1         0..1
             0 read@a -> nil     2..3
             0 replica-read@c    4..5
             0 read -> nil       6..7
             0 read@b -> 1       8..9",
        );
        let [first, .., last] = &history.operations[..] else { panic!("five operations") };
        assert_ne!(first.key.as_ref().unwrap().as_ptr(), last.key.as_ref().unwrap().as_ptr());
        let shared = Operation { index: 5, ..last.clone() };
        history.operations.push(shared);
        let keys: Vec<_> = split_by_key(&history)
            .into_iter()
            .map(|(key, operations)| {
                let indexes: Vec<u64> = operations.iter().map(|o| o.index).collect();
                (key.map(|name| name.to_string()), indexes)
            })
            .collect();
        let key = |name: &str| Some(name.to_owned());
        assert_eq!(keys, [(None, vec![3]), (key("a"), vec![1]), (key("b"), vec![0, 4, 5])]);
    }
}

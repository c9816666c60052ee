//! Unique identifiers: no two acknowledged `generate` operations returned the same value.
//!
//! Only what was acknowledged counts: an id that was lost on the way back was given to nobody.
//! One look at a hash table per operation: O(n) time and memory.
//!
//! ```
//! # use splitbrain_checkers::{notation, unique_ids::UNIQUE_IDS};
//! let apart = notation::history("0 generate -> 1 0..10 \n 1 generate -> 2 0..10");
//! assert!(UNIQUE_IDS.run(&apart, &Default::default()).validity.is_valid());
//!
//! let twice = notation::history("0 generate -> 7 0..10 \n 1 generate -> 7 5..20");
//! let finding = UNIQUE_IDS.run(&twice, &Default::default());
//! assert!(finding.validity.witness().unwrap().sentence.starts_with("7 was given out twice"));
//! ```

use serde::Serialize;

use crate::checker::{Checker, Options, Scope};
use crate::evidence::{doer, refusal, witness};
use crate::finding::{Finding, Validity, Witness};
use crate::history::{Function, History, Operation, Outcome, Value};
use crate::numbering::Numbering;
use crate::words::{count, thousands};

/// No id is given out twice.
pub const UNIQUE_IDS: Checker = Checker {
    name: "unique-ids",
    check: "unique-ids",
    about: "no two acknowledged `generate` return the same value; O(n)",
    functions: &["generate"],
    scope: Scope::Whole(check),
};

/// What was found, in numbers.
#[derive(Debug, Default, Clone, PartialEq, Serialize)]
pub struct Details {
    pub attempted: usize,
    pub acknowledged: usize,
    /// Ids that were given out more than once, in the order in which that began.
    pub duplicates: Vec<Duplicate>,
    /// Of the ids that are integers.
    pub least: Option<i64>,
    pub greatest: Option<i64>,
}

/// An id that was given out more than once.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Duplicate {
    pub id: Value,
    pub times: usize,
    /// Indices of the first two operations that returned it.
    pub operations: [u64; 2],
}

/// Looks at every `generate` of a history.
///
/// # Errors
/// A sentence that names the first operation that is none.
pub fn inspect(history: &History) -> Result<Details, String> {
    let mut details = Details::default();
    let mut numbering = Numbering::default();
    // Of each id: how often it was returned, and the first two that did.
    let mut returned: Vec<(usize, [u64; 2])> = Vec::new();
    let mut repeated = Vec::new();
    for operation in &history.operations {
        let Some(id) = id_of(operation)? else { continue };
        details.attempted += 1;
        let Some(id) = id else { continue };
        details.acknowledged += 1;
        if let Value::Int(integer) = id {
            details.least = Some(details.least.map_or(*integer, |least| least.min(*integer)));
            details.greatest = Some(details.greatest.map_or(*integer, |most| most.max(*integer)));
        }
        let number = numbering.number(id) as usize;
        match returned.get_mut(number) {
            None => returned.push((1, [operation.index; 2])),
            Some((times, operations)) => {
                *times += 1;
                if *times == 2 {
                    operations[1] = operation.index;
                    repeated.push(number);
                }
            }
        }
    }
    let values = numbering.into_values();
    details.duplicates = repeated
        .into_iter()
        .map(|number| {
            let (times, operations) = returned[number];
            Duplicate { id: values[number].clone(), times, operations }
        })
        .collect();
    Ok(details)
}

/// The id that an operation returned, if any; `None` if the operation does not concern us.
fn id_of(operation: &Operation) -> Result<Option<Option<&Value>>, String> {
    match (operation.f.as_str(), operation.outcome, &operation.output) {
        _ if operation.f == Function::ReplicaRead => Ok(None),
        ("generate", Outcome::Ok, Value::Nil) => {
            Err(format!("operation {} was acknowledged without an id", operation.index))
        }
        ("generate", Outcome::Ok, id) => Ok(Some(Some(id))),
        ("generate", ..) => Ok(Some(None)),
        _ => Err(refusal(operation, "ids have generate")),
    }
}

fn check(history: &History, _: &Options<'_>) -> Finding {
    let (validity, details) = match inspect(history) {
        Err(reason) => (Validity::Unknown { reason }, Details::default()),
        Ok(details) => (judge(history, &details), details),
    };
    let operations = history.operations.len();
    let ids = count(details.acknowledged, "id");
    let summary = match &validity {
        Validity::Unknown { reason } => format!("{}: {reason}", count(operations, "operation")),
        Validity::Valid => format!("{ids}: each is unique"),
        Validity::Invalid { .. } => {
            format!("{ids}: {} given out more than once", thousands(details.duplicates.len()))
        }
    };
    Finding {
        check: UNIQUE_IDS.check.to_owned(),
        violations: details.duplicates.len(),
        keys: Vec::new(),
        validity,
        summary,
        operations,
    }
}

fn judge(history: &History, details: &Details) -> Validity {
    match details.duplicates.first() {
        Some(duplicate) => Validity::Invalid { witness: Box::new(explain(history, duplicate)) },
        None if details.acknowledged < 2 => Validity::Unknown {
            reason: "not exercised: fewer than two ids were acknowledged".to_owned(),
        },
        None => Validity::Valid,
    }
}

/// The two operations that returned the id. Either alone is harmless.
fn explain(history: &History, duplicate: &Duplicate) -> Witness {
    let both: Vec<&Operation> = history
        .operations
        .iter()
        .filter(|operation| duplicate.operations.contains(&operation.index))
        .filter(|operation| operation.output == duplicate.id)
        .take(2)
        .collect();
    let doers: Vec<String> = both.iter().map(|operation| doer(operation)).collect();
    let more = match duplicate.times {
        2 => String::new(),
        times => format!(" ({} times in all)", thousands(times)),
    };
    let sentence =
        format!("{} was given out twice{more}, by {}", duplicate.id, doers.join(" and by "));
    witness(sentence, &both, &[])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notation;

    #[test]
    fn only_what_was_acknowledged_counts() {
        let history = notation::history(
            "0 generate -> 1 0..10
             1 generate -> 1 0..10 fail
             2 generate -> 1 0..10 info
             3 generate      0..
             4 generate -> 5 0..10",
        );
        let details = inspect(&history).unwrap();
        assert_eq!((details.attempted, details.acknowledged), (5, 2));
        assert_eq!((details.least, details.greatest), (Some(1), Some(5)));
        let finding = UNIQUE_IDS.run(&history, &Default::default());
        assert_eq!(finding.summary, "2 ids: each is unique");
    }

    #[test]
    fn a_duplicate_is_said_with_both_operations() {
        let history = notation::history(
            "0 generate -> \"a\" 0..10
             1 generate -> \"b\" 0..10
             2 generate -> \"a\" 20..30
             3 generate -> \"a\" 40..50",
        );
        let finding = UNIQUE_IDS.run(&history, &Default::default());
        let witness = finding.validity.witness().unwrap();
        assert_eq!(
            witness.sentence,
            "a was given out twice (3 times in all), by generate by process 0 and by generate by \
             process 2"
        );
        assert_eq!((witness.operations.len(), finding.violations), (2, 1));
        assert_eq!(finding.summary, "4 ids: 1 given out more than once");
    }

    #[test]
    fn what_is_no_id_is_unknown() {
        let reason = |lines: &str| {
            let finding = UNIQUE_IDS.run(&notation::history(lines), &Default::default());
            match finding.validity {
                Validity::Unknown { reason } => reason,
                other => panic!("{other:?}"),
            }
        };
        assert!(reason("0 generate 0..10").contains("without an id"));
        assert!(reason("0 pop 0..10").contains("ids have generate"));
        assert!(reason("0 generate -> 3 0..10").contains("not exercised"));
    }
}

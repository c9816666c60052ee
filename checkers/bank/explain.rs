//! The sentence of the first wrong read.

use super::Why;
use super::judge::Survey;
use crate::checker::Options;
use crate::evidence::{doer, witness};
use crate::finding::Witness;
use crate::history::Operation;

/// The first wrong read, with the read that it is held to where the proof needs one. Other reads
/// can be left out; of a transfer that is forgotten the accounts stay known.
pub(super) fn explain(
    operations: &[&Operation],
    survey: &Survey,
    options: &Options<'_>,
) -> Option<Witness> {
    let wrong = survey.details.wrong.first()?;
    let read = *operations.iter().find(|operation| operation.index == wrong.operation)?;
    let end = options.clock.instant(read.complete.unwrap_or(read.invoke));
    let reference = survey.reference.map(|position| operations[position]);
    let before = |what: &str| match reference {
        Some(reference) => format!(
            "the first {}, returned at {}, {what}",
            doer(reference),
            options.clock.instant(reference.complete.unwrap_or(reference.invoke))
        ),
        None => format!("the bank as given {what}"),
    };
    let said = match &wrong.why {
        Why::UnexpectedAccount { account } => format!(
            "has the account {account}, but {} and no transfer before named it",
            before("does not have it")
        ),
        Why::MissingAccount { account } => {
            format!("has no account {account}, but {}", before("has it"))
        }
        Why::NilBalance { account } => format!("has no balance for the account {account}"),
        Why::WrongTotal { sum } => {
            let total = survey.details.total.unwrap_or_default();
            let given = match options.initial {
                crate::history::Value::Nil => before(&format!("adds up to {total}")),
                _ => format!("the bank as given adds up to {total}"),
            };
            format!("has balances that add up to {sum}, but {given}")
        }
        Why::NegativeBalance { account, balance } => {
            format!("has {balance} in the account {account}; no balance may be below zero")
        }
    };
    let total_is_given = options.initial != crate::history::Value::Nil;
    let needs_reference = match wrong.why {
        Why::WrongTotal { .. } => !total_is_given,
        Why::UnexpectedAccount { .. } | Why::MissingAccount { .. } => true,
        Why::NilBalance { .. } | Why::NegativeBalance { .. } => false,
    };
    let mut shown = vec![read];
    shown.extend(reference.filter(|_| needs_reference));
    Some(witness(format!("the {} that returned at {end} {said}", doer(read)), &shown, &[]))
}

//! A bank: transfers move money between accounts, and no read of all accounts sees any of it
//! missing, made, or owed where that is not allowed.
//!
//! # What is decided
//!
//! An acknowledged `read` returns a map of accounts to balances. Every such read is judged by
//! itself, which is sound under snapshot isolation and everything stronger, since a transfer
//! leaves the total as it is:
//!
//! 1. The balances add up to the total. It is `options.initial`, either a number or a map whose
//!    balances are added; if not given, it is that of the first read to return that is not wrong
//!    by itself: it has a balance for every account that it names, and none that is below zero
//!    where that is not allowed.
//! 2. No balance is below zero, unless `options.negative_balances`.
//! 3. No account is missing or without a balance: those of `options.initial`, or of that first
//!    read.
//! 4. No account is there that is neither among those nor named by a `transfer` that was invoked
//!    before the read returned.
//!
//! What is not decided: whether the single balances are those that some order of the transfers
//! leaves (for that, record transactions).
//!
//! Accounts are the same if they read the same (`0` of EDN and `"0"` of JSON). O(n) in the number
//! of balances read.
//!
//! ```
//! # use splitbrain_checkers::{bank::BANK, notation};
//! let kept = notation::history(
//!     "0 read -> {0 10, 1 10}                    0..10
//!      1 transfer {from 0, to 1, amount 3}      20..30
//!      0 read -> {0 7, 1 13}                    40..50",
//! );
//! assert!(BANK.run(&kept, &Default::default()).validity.is_valid());
//!
//! let made = notation::history(
//!     "0 read -> {0 10, 1 10}                    0..10
//!      0 read -> {0 10, 1 13}                   40..50",
//! );
//! let finding = BANK.run(&made, &Default::default());
//! assert!(finding.validity.witness().unwrap().sentence.contains("add up to 23"));
//! ```

mod accounts;
mod explain;
mod judge;
#[cfg(test)]
mod tests;

use serde::Serialize;

use crate::checker::{Checker, Options, Scope};
use crate::finding::Validity;
use crate::history::Operation;
use crate::keys::KeyResult;

/// The total is constant.
pub const BANK: Checker = Checker {
    name: "bank",
    check: "bank",
    about: "every read of all accounts adds up to the same total, none below zero; O(n)",
    functions: &["read", "transfer"],
    scope: Scope::Key(check_key),
};

/// What was found, in numbers.
#[derive(Debug, Default, Clone, PartialEq, Serialize)]
pub struct Details {
    /// Acknowledged reads.
    pub reads: usize,
    /// Acknowledged transfers.
    pub transfers: usize,
    /// What each read is to add up to, if there is anything that says so.
    pub total: Option<i128>,
    /// The least and the greatest sum that was read.
    pub least: Option<i128>,
    pub greatest: Option<i128>,
    /// Every read that is wrong, in the order of the history.
    pub wrong: Vec<Wrong>,
}

/// A read that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Wrong {
    /// Index of the operation.
    pub operation: u64,
    #[serde(flatten)]
    pub why: Why,
}

/// Why a read is wrong: the first of these that applies. The first two need no other read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "why", rename_all = "kebab-case")]
pub enum Why {
    NilBalance { account: String },
    NegativeBalance { account: String, balance: i64 },
    UnexpectedAccount { account: String },
    MissingAccount { account: String },
    WrongTotal { sum: i128 },
}

/// Looks at every read of one bank.
///
/// # Errors
/// A sentence that names the first operation that a bank does not have.
pub fn inspect(operations: &[&Operation], options: &Options<'_>) -> Result<Details, String> {
    Ok(judge::survey(operations, options)?.details)
}

fn check_key(operations: &[&Operation], options: &Options<'_>) -> KeyResult {
    let mut result = KeyResult::of(operations.len());
    match judge::survey(operations, options) {
        Err(reason) => result.validity = Validity::Unknown { reason },
        Ok(survey) => {
            result.observations = survey.details.reads;
            result.violations = survey.details.wrong.len();
            if let Some(witness) = explain::explain(operations, &survey, options) {
                result.validity = Validity::Invalid { witness: Box::new(witness) };
            }
        }
    }
    result
}

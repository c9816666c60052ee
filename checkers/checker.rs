//! A check that can be asked for by name, and what it takes for granted.

use crate::clock::Clock;
use crate::finding::Finding;
use crate::history::{History, Operation, Value};
use crate::keys::{self, KeyResult};
use crate::limits::Limits;
use crate::transactions::Model;

/// What a check takes for granted. One for all checkers: each looks at what concerns it.
#[derive(Debug, Clone, Default)]
pub struct Options<'o> {
    /// What a register (or each account, lock, ...) held before the first operation; nil is the
    /// object's natural beginning: no value, empty, zero, free.
    pub initial: Value,
    /// Whether a compare-and-set that was refused proves that the value differed. Not every
    /// system means it that strictly.
    pub observe_failed_cas: bool,
    /// Whether a bank allows an account below zero.
    pub negative_balances: bool,
    /// What transactions were promised; serializable if nothing is said.
    pub isolation: Option<Model>,
    /// What the times are; only for the sentences.
    pub clock: Clock,
    pub limits: Limits<'o>,
}

/// How a check looks at a history.
#[derive(Debug, Clone, Copy)]
pub enum Scope {
    /// Each key alone, so the caller may check several in parallel (see [`keys`]).
    Key(fn(&[&Operation], &Options<'_>) -> KeyResult),
    /// All operations together.
    Whole(fn(&History, &Options<'_>) -> Finding),
}

/// One checker, as the [registry](crate::registry) has it.
#[derive(Debug, Clone, Copy)]
pub struct Checker {
    /// As `--model` has it: `cas-register`.
    pub name: &'static str,
    /// What the finding is called: `linearizable`.
    pub check: &'static str,
    /// One line: what is promised, and what the check costs.
    pub about: &'static str,
    /// The functions that it knows; a history with any other is refused. Reads of a node's own
    /// copy (`replica-read`) are always passed over.
    pub functions: &'static [&'static str],
    pub scope: Scope,
}

impl Checker {
    /// Checks the whole history on this thread.
    pub fn run(&self, history: &History, options: &Options<'_>) -> Finding {
        match self.scope {
            Scope::Whole(check) => check(history, options),
            Scope::Key(check_key) => {
                keys::check_each(self.check, history, |operations| check_key(operations, options))
            }
        }
    }
}

//! What each process did, cut into tenures: an acquire and the release that ended it.

use rustc_hash::FxHashMap;

use super::Violation;
use crate::evidence::{NEVER, Span, refusal};
use crate::history::{Operation, Outcome, Value};

/// A process surely held the lock.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tenure<'a> {
    /// The latest instant at which it can have begun.
    pub lo: u64,
    /// The earliest instant at which it can have ended.
    pub hi: u64,
    /// The fencing token, if the acquire returned one.
    pub token: Option<i64>,
    pub acquire: &'a Operation,
    pub release: Option<&'a Operation>,
}

/// All tenures of one lock, and what fits into none.
#[derive(Debug, Default)]
pub(super) struct Tenures<'a> {
    pub tenures: Vec<Tenure<'a>>,
    pub broken: Vec<Violation<'a>>,
}

/// What is known of a process.
#[derive(Debug, Clone, Copy, Default)]
struct Process<'a> {
    /// Its acquire that no release has ended.
    held: Option<(&'a Operation, Span)>,
    /// Its last operation that may have had an effect.
    last: Option<(&'a Operation, Span)>,
}

impl<'a> Tenures<'a> {
    /// # Errors
    /// A sentence that names the first operation that a lock does not have.
    pub fn of(operations: &[&'a Operation]) -> Result<Self, String> {
        let mut sorted = operations.to_vec();
        sorted.sort_by_key(|operation| (operation.invoke, operation.index));
        let mut tenures = Tenures::default();
        let mut processes: FxHashMap<u64, Process<'a>> = FxHashMap::default();
        for operation in sorted {
            let is_acquire = match operation.f.as_str() {
                "acquire" => true,
                "release" => false,
                _ => return Err(refusal(operation, "a lock has acquire and release")),
            };
            let span = Span::of(operation)?;
            let process = processes.entry(operation.process).or_default();
            if let Some((last, before)) = process.last
                && before.finish > span.start
            {
                return Err(format!(
                    "process {} goes on with operation {} while its operation {} may still take \
                     effect; such a client has to go on as another process",
                    operation.process, operation.index, last.index
                ));
            }
            if operation.outcome == Outcome::Fail {
                continue;
            }
            match is_acquire {
                true => tenures.acquire(process, operation, span),
                false => tenures.release(process, operation, span),
            }
            process.last = Some((operation, span));
        }
        for (acquire, span) in processes.values().filter_map(|process| process.held) {
            tenures.tenures.push(tenure(acquire, span, NEVER, None));
        }
        Ok(tenures)
    }

    fn acquire(&mut self, process: &mut Process<'a>, operation: &'a Operation, span: Span) {
        if operation.outcome == Outcome::Info {
            return;
        }
        match process.held {
            Some((first, _)) => {
                self.broken.push(Violation::AcquiredTwice { first, second: operation });
            }
            None => process.held = Some((operation, span)),
        }
    }

    fn release(&mut self, process: &mut Process<'a>, operation: &'a Operation, span: Span) {
        match process.held.take() {
            Some((acquire, taken)) => {
                self.tenures.push(tenure(acquire, taken, span.start, Some(operation)));
            }
            None if operation.outcome == Outcome::Ok => {
                let before = process.last.map(|(last, _)| last);
                self.broken.push(Violation::ReleasedUnheld { before, release: operation });
            }
            None => {}
        }
    }
}

fn tenure<'a>(
    acquire: &'a Operation,
    taken: Span,
    hi: u64,
    release: Option<&'a Operation>,
) -> Tenure<'a> {
    Tenure { lo: taken.finish, hi, token: token(acquire), acquire, release }
}

fn token(acquire: &Operation) -> Option<i64> {
    match (&acquire.output, &acquire.input) {
        (Value::Int(token), Value::Nil) => Some(*token),
        _ => None,
    }
}

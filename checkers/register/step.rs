//! Operations as the algorithms see them: two instants and two numbers.
//!
//! Values become dense numbers, so that every table is a plain array; what cannot matter to a
//! register (failed operations, reads without an answer) is left out here, and what a register
//! does not know is refused here.

use std::borrow::Borrow;

use crate::history::{Function, MISMATCH, Operation, Outcome, Value};
use crate::numbering::Numbering;

/// The number of a value; [`INITIAL`] is the register's initial value.
pub(crate) type ValueId = u32;

/// The number of the initial value.
pub(crate) const INITIAL: ValueId = 0;

/// Before every recorded instant. Recorded instants are shifted up by one to make room for it.
pub(crate) const BEFORE_ALL: u64 = 0;

/// After every recorded instant: when an operation ends that may still take effect.
pub(crate) const AFTER_ALL: u64 = u64::MAX;

/// One operation that may have touched the register.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Step {
    pub start: u64,
    /// [`AFTER_ALL`] unless the operation was acknowledged.
    pub finish: u64,
    /// The value that it found: what a read returned, what a cas replaced.
    pub observes: Option<ValueId>,
    /// The value that it left.
    pub writes: Option<ValueId>,
    /// Position of the operation in the caller's slice.
    pub source: u32,
    /// Acknowledged: it surely took effect.
    pub sure: bool,
}

/// A cas that was refused because the value differed from the one it expected.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Refusal {
    pub start: u64,
    pub finish: u64,
    pub expected: ValueId,
    pub source: u32,
}

/// What [`compact`] makes of the operations of one register.
#[derive(Debug)]
pub(crate) struct Steps<'a> {
    /// In the caller's order.
    pub steps: Vec<Step>,
    /// What each [`ValueId`] stands for.
    pub values: Vec<&'a Value>,
    /// Only for the general search, and only if the caller asks for it.
    pub refusals: Vec<Refusal>,
}

/// Turns the operations of one register into steps.
///
/// # Errors
/// A sentence that names the first operation that a register does not have, or that cannot be
/// an operation at all.
pub(crate) fn compact<'a, O: Borrow<Operation>>(
    operations: &'a [O],
    initial: &'a Value,
) -> Result<Steps<'a>, String> {
    let mut numbering = Numbering::of(operations.len());
    numbering.number(initial);
    let mut steps = Vec::with_capacity(operations.len());
    let mut refusals = Vec::new();
    for (source, operation) in operations.iter().enumerate() {
        let operation: &Operation = operation.borrow();
        let Some((observes, writes)) = effect(operation)? else { continue };
        let (start, end) = operation.interval()?;
        let (start, end) = (start.0.saturating_add(1), end.0.saturating_add(1));
        let source = source as u32;
        let observes = observes.map(|value| numbering.number(value));
        if operation.outcome == Outcome::Fail {
            if let Some(expected) = observes {
                refusals.push(Refusal { start, finish: end, expected, source });
            }
            continue;
        }
        let writes = writes.map(|value| numbering.number(value));
        let sure = operation.outcome == Outcome::Ok;
        let finish = if sure { end } else { AFTER_ALL };
        steps.push(Step { start, finish, observes, writes, source, sure });
    }
    Ok(Steps { steps, values: numbering.into_values(), refusals })
}

/// The value that an operation found and the value that it left.
type Effect<'a> = (Option<&'a Value>, Option<&'a Value>);

/// What an operation did; `None` if it cannot matter. Of failed operations only a refused cas
/// matters: it found anything but the value returned.
fn effect(operation: &Operation) -> Result<Option<Effect<'_>>, String> {
    let outcome = operation.outcome;
    match operation.f {
        Function::Read if outcome == Outcome::Ok => Ok(Some((Some(&operation.output), None))),
        Function::Read => Ok(None),
        Function::Write if outcome == Outcome::Fail => Ok(None),
        Function::Write => Ok(Some((None, Some(&operation.input)))),
        Function::Cas => {
            let Some((expected, new)) = operation.input.as_pair() else {
                return Err(format!(
                    "operation {} is a cas of {}; a cas has two values, [expected new]",
                    operation.index, operation.input
                ));
            };
            let refused = operation.error.as_deref() == Some(MISMATCH);
            Ok(match outcome {
                Outcome::Ok if expected == new => Some((Some(expected), None)),
                Outcome::Info if expected == new => None,
                Outcome::Fail if !refused => None,
                Outcome::Fail => Some((Some(expected), None)),
                Outcome::Ok | Outcome::Info => Some((Some(expected), Some(new))),
            })
        }
        Function::ReplicaRead => Err(format!(
            "operation {} is a read of one node's own copy, which no register promises to be \
             linearizable; leave such reads out",
            operation.index
        )),
        Function::Other(ref name) => Err(format!(
            "operation {} is `{name}`; a register has read, write and cas",
            operation.index
        )),
    }
}

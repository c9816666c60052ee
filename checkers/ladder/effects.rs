//! What one operation read and wrote.

use std::fmt;

use crate::history::{Function, Name, Operation, Outcome, Value};

/// A register: named by the operation, or by a micro-operation of a transaction; a name that is
/// a text is the same either way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Key<'h> {
    Named(Option<&'h Name>),
    Valued(&'h Value),
}

/// Before a value: `x=`; nothing for the one register without a name.
impl fmt::Display for Key<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Key::Named(None) => Ok(()),
            Key::Named(Some(name)) => write!(f, "{name}="),
            Key::Valued(value) => write!(f, "{value}="),
        }
    }
}

/// One step of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect<'h> {
    Read(Key<'h>, &'h Value),
    Write(Key<'h>, &'h Value),
}

/// Visits what an operation read and wrote, in order: all of it if it was acknowledged; what it
/// would have written, and found on the way, if it was left without an answer; nothing if it
/// failed. A compare-and-set reads what it expects and writes the new value; where both are the
/// same it only reads.
///
/// # Errors
/// A sentence, if it is no operation on registers.
pub(crate) fn effects<'h>(
    operation: &'h Operation,
    mut visit: impl FnMut(Effect<'h>),
) -> Result<(), String> {
    let acknowledged = operation.outcome == Outcome::Ok;
    let key = Key::Named(operation.key.as_ref());
    match &operation.f {
        _ if operation.outcome == Outcome::Fail => {}
        Function::ReplicaRead => {}
        Function::Read if acknowledged => visit(Effect::Read(key, &operation.output)),
        Function::Read => {}
        Function::Write => visit(Effect::Write(key, &operation.input)),
        Function::Cas => {
            let Some((expected, new)) = operation.input.as_pair() else {
                return Err(format!(
                    "operation {} is a cas of {}; a cas has two values, [expected new]",
                    operation.index, operation.input
                ));
            };
            if acknowledged || expected != new {
                visit(Effect::Read(key, expected));
            }
            if expected != new {
                visit(Effect::Write(key, new));
            }
        }
        Function::Other(name) if &**name == "txn" => {
            let said = if acknowledged { &operation.output } else { &operation.input };
            let Value::List(steps) = said else {
                return Err(format!(
                    "operation {} is a transaction of {said}; it should be a list of \
                     [function key value]",
                    operation.index
                ));
            };
            for step in steps {
                match micro(step) {
                    Some(Effect::Read(..)) if !acknowledged => {}
                    Some(effect) => visit(effect),
                    None => {
                        return Err(format!(
                            "operation {} has the step {step}; transactions of registers have \
                             [r key value] and [w key value]",
                            operation.index
                        ));
                    }
                }
            }
        }
        Function::Other(name) => {
            return Err(format!(
                "operation {} is `{name}`; registers have read, write, cas and txn",
                operation.index
            ));
        }
    }
    Ok(())
}

fn micro(step: &Value) -> Option<Effect<'_>> {
    let Value::List(parts) = step else { return None };
    let [Value::Text(name), key, value] = parts.as_ref() else { return None };
    let key = match key {
        Value::Text(name) => Key::Named(Some(name)),
        other => Key::Valued(other),
    };
    match &**name {
        "r" | "read" => Some(Effect::Read(key, value)),
        "w" | "write" => Some(Effect::Write(key, value)),
        _ => None,
    }
}

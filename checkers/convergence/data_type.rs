//! What a key holds, and what that says of the shape of updates and of what nodes return.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::history::{Function, Operation, Outcome, Value};

/// What every key of a history is.
///
/// | type | updates | what a node returns |
/// | --- | --- | --- |
/// | register | `write` of a value, `cas` of `[expected new]` | the value |
/// | set | `add` and `remove` of an element | a list of its elements, in any order; nil: none |
/// | counter | `add` of an integer; `inc`, `dec` (`increment`, `decrement`) of an amount, nil: 1 | an integer; nil: 0 |
/// | siblings | `write` of `[context value]`, the context a list of values or nil | a list of the values that nobody has replaced, in any order; nil: none |
///
/// Siblings are what a store keeps that lets writes be concurrent: a client sends along with its
/// value the values that it had read (the context), and these are replaced, no others.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DataType {
    #[default]
    Register,
    Set,
    Counter,
    Siblings,
}

impl DataType {
    /// As a sentence has it: `set`.
    pub fn name(self) -> &'static str {
        match self {
            DataType::Register => "register",
            DataType::Set => "set",
            DataType::Counter => "counter",
            DataType::Siblings => "key with siblings",
        }
    }

    /// Whether the operation is meant to change what the key holds.
    pub(super) fn is_update(self, operation: &Operation) -> bool {
        match (self, &operation.f) {
            (DataType::Register, f) => matches!(f, Function::Write | Function::Cas),
            (DataType::Siblings, f) => *f == Function::Write,
            (_, Function::Other(name)) => match self {
                DataType::Set => matches!(&**name, "add" | "remove"),
                _ => matches!(&**name, "add" | "inc" | "increment" | "dec" | "decrement"),
            },
            _ => false,
        }
    }

    /// Why an operation that may have taken effect cannot be judged as one of this type; `None`
    /// if it can.
    pub(super) fn problem(self, operation: &Operation) -> Option<String> {
        let Operation { index, f, input, outcome, .. } = operation;
        let reads = matches!(f, Function::Read | Function::ReplicaRead);
        if self == DataType::Register || reads || *outcome == Outcome::Fail {
            return None;
        }
        if !self.is_update(operation) {
            return Some(format!("operation {index} is `{f}`, which a {} has not", self.name()));
        }
        let wanted = match self {
            DataType::Counter if amount(operation).is_none() => "an integer",
            DataType::Siblings if context_and_value(input).is_none() => "[context value]",
            _ => return None,
        };
        Some(format!("operation {index} is `{f}` of {input}; a {} takes {wanted}", self.name()))
    }

    /// What a node returned, in a form in which equal states are equal values. `None` if it is
    /// no state of this type.
    pub(super) fn state(self, returned: &Value) -> Option<Cow<'_, Value>> {
        match (self, returned) {
            (DataType::Register, _) | (DataType::Counter, Value::Int(_)) => {
                Some(Cow::Borrowed(returned))
            }
            (DataType::Counter, Value::Nil) => Some(Cow::Owned(Value::Int(0))),
            (DataType::Set | DataType::Siblings, Value::Nil) => Some(Cow::Owned(Value::list([]))),
            (DataType::Set | DataType::Siblings, Value::List(_)) => Some(sorted(returned)),
            _ => None,
        }
    }
}

/// The list in the order of its members, each once.
pub(super) fn sorted(list: &Value) -> Cow<'_, Value> {
    match list {
        Value::List(members) if !members.is_sorted_by(|a, b| a < b) => {
            let mut members = members.to_vec();
            members.sort_unstable();
            members.dedup();
            Cow::Owned(Value::List(members.into()))
        }
        _ => Cow::Borrowed(list),
    }
}

/// The members of a list; none of anything else.
pub(super) fn members(list: &Value) -> &[Value] {
    match list {
        Value::List(members) => members,
        _ => &[],
    }
}

/// By how much an operation changes a counter.
pub(super) fn amount(operation: &Operation) -> Option<i128> {
    let sign = match operation.f.as_str() {
        "dec" | "decrement" => -1,
        _ => 1,
    };
    match (operation.f.as_str(), &operation.input) {
        (_, Value::Int(amount)) => Some(sign * i128::from(*amount)),
        ("inc" | "increment" | "dec" | "decrement", Value::Nil) => Some(sign),
        _ => None,
    }
}

/// The values that a write of siblings replaces, and the value that it adds.
pub(super) fn context_and_value(input: &Value) -> Option<(&[Value], &Value)> {
    match input.as_pair()? {
        (Value::List(context), value) => Some((context, value)),
        (Value::Nil, value) => Some((&[], value)),
        _ => None,
    }
}

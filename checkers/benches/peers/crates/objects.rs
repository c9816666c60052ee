//! What the recorded histories are of, as every checker is told it: a register and a map.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::hash::Hash;

/// A sequential object.
pub trait Object: Clone + Send + Sync + 'static {
    type State: Clone + Debug + Eq + Hash + Send + Sync + 'static;
    /// A request together with its answer, as far as that is known.
    type Operation: Clone + Debug + Send + Sync + 'static;

    /// The state before any operation.
    fn first() -> Self::State;

    /// The state after the operation; `None` if its answer cannot be.
    fn step(state: &Self::State, operation: &Self::Operation) -> Option<Self::State>;

    /// Operations on different parts are independent of each other.
    fn part(operation: &Self::Operation) -> &str;
}

/// What a register holds: a number, or nothing yet.
pub type Value = Option<i64>;

/// An operation on a register; what it answered is `None` if that is not known.
#[derive(Debug, Clone)]
pub enum RegisterOperation {
    Read(Option<Value>),
    Write(Value),
    Cas { from: Value, to: Value, succeeded: Option<bool> },
}

/// One register with compare-and-set.
#[derive(Debug, Clone)]
pub struct Register;

impl Object for Register {
    type State = Value;
    type Operation = RegisterOperation;

    fn first() -> Value {
        None
    }

    fn step(state: &Value, operation: &RegisterOperation) -> Option<Value> {
        match operation {
            RegisterOperation::Read(answer) => {
                answer.is_none_or(|value| value == *state).then_some(*state)
            }
            RegisterOperation::Write(value) => Some(*value),
            RegisterOperation::Cas { from, to, succeeded } => {
                let matches = from == state;
                succeeded.is_none_or(|succeeded| succeeded == matches).then_some(if matches {
                    *to
                } else {
                    *state
                })
            }
        }
    }

    fn part(_: &RegisterOperation) -> &str {
        ""
    }
}

/// An operation on one key of a map of strings.
#[derive(Debug, Clone)]
pub struct StringsOperation {
    pub key: String,
    pub action: Action,
}

/// What is done with the string of the key; a key that was never set has an empty one.
#[derive(Debug, Clone)]
pub enum Action {
    Append(String),
    Put(String),
    /// With the answer, if that is known.
    Get(Option<String>),
}

impl Action {
    /// The string afterwards; `None` if the answer cannot be.
    fn after(&self, text: &str) -> Option<String> {
        match self {
            Action::Append(piece) => Some(format!("{text}{piece}")),
            Action::Put(piece) => Some(piece.clone()),
            Action::Get(answer) => {
                answer.as_ref().is_none_or(|answer| answer == text).then(|| text.to_owned())
            }
        }
    }
}

/// A map of strings, each key for itself.
#[derive(Debug, Clone)]
pub struct StringsApart;

impl Object for StringsApart {
    type State = String;
    type Operation = StringsOperation;

    fn first() -> String {
        String::new()
    }

    fn step(state: &String, operation: &StringsOperation) -> Option<String> {
        operation.action.after(state)
    }

    fn part(operation: &StringsOperation) -> &str {
        &operation.key
    }
}

/// A map of strings, all keys together.
#[derive(Debug, Clone)]
pub struct StringMap;

impl Object for StringMap {
    type State = BTreeMap<String, String>;
    type Operation = StringsOperation;

    fn first() -> BTreeMap<String, String> {
        BTreeMap::new()
    }

    fn step(
        state: &BTreeMap<String, String>,
        operation: &StringsOperation,
    ) -> Option<BTreeMap<String, String>> {
        let text = state.get(&operation.key).map_or("", String::as_str);
        let after = operation.action.after(text)?;
        let mut state = state.clone();
        if !matches!(operation.action, Action::Get(_)) {
            state.insert(operation.key.clone(), after);
        }
        Some(state)
    }

    fn part(_: &StringsOperation) -> &str {
        ""
    }
}

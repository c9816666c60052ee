//! The shared vocabulary: events as they are recorded, operations as checkers see them.
//!
//! An [`Event`] is one line of `history.jsonl`: an invocation or a completion, by a client or
//! by the nemesis. A [`History`] pairs every invocation with its completion into an
//! [`Operation`]; that pairing is the only place where it is done ([`HistoryBuilder`]).
//!
//! Outcomes follow Jepsen: `ok` took effect between invocation and completion; `fail` did not
//! take effect; `info` may have taken effect at any time after its invocation, or never. An
//! invocation without a completion is `info`.

mod builder;

use std::fmt;
use std::ops::{Add, Sub};
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use builder::{Completion, HistoryBuilder};

/// A name of a node or a key; cheap to clone, and one word in size.
pub type Name = arcstr::ArcStr;

/// Some values; one word in size, so that a value is two.
pub type List = thin_vec::ThinVec<Value>;

/// The error text of a compare-and-set that was answered definitely with "the value differs".
/// It is a refusal by meaning, so the system counts as having answered.
pub const MISMATCH: &str = "mismatch";

/// The error text of a replica-read at a node that holds no copy of the key (another shard's
/// node). The node has no part in whether the key converged.
pub const NOT_HELD: &str = "not held here";

/// Nanoseconds on one monotonic clock since the run began.
#[derive(
    Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Time(pub u64);

impl Time {
    /// The end of time: the completion of what never completed.
    pub const MAX: Time = Time(u64::MAX);

    /// Seconds since the run began.
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1e9
    }

    /// The time from `earlier` to `self`; zero if `earlier` is later.
    pub fn since(self, earlier: Time) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Time {
    type Output = Time;
    fn add(self, duration: Duration) -> Time {
        Time(self.0.saturating_add(duration.as_nanos() as u64))
    }
}

impl Sub<Duration> for Time {
    type Output = Time;
    fn sub(self, duration: Duration) -> Time {
        Time(self.0.saturating_sub(duration.as_nanos() as u64))
    }
}

/// Seconds with three digits, as the reports print it: `3.102 s`.
impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3} s", self.as_secs_f64())
    }
}

/// What an operation carries or returns. `Nil` read back means "no such key".
#[derive(Debug, Default, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    #[default]
    Nil,
    Bool(bool),
    Int(i64),
    Text(Name),
    List(List),
}

impl Value {
    /// The list of these values.
    pub fn list(items: impl IntoIterator<Item = Value>) -> Value {
        Value::List(items.into_iter().collect())
    }

    /// The value of a compare-and-set from `expected` to `new`: the list `[expected, new]`.
    pub fn pair(expected: Value, new: Value) -> Value {
        Value::list([expected, new])
    }

    /// Takes a compare-and-set's value apart: `[expected, new]`.
    pub fn as_pair(&self) -> Option<(&Value, &Value)> {
        match self {
            Value::List(items) => match &items[..] {
                [expected, new] => Some((expected, new)),
                _ => None,
            },
            _ => None,
        }
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Value::Text(value.into())
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Value::Int(value)
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Nil => f.write_str("nil"),
            Value::Bool(value) => write!(f, "{value}"),
            Value::Int(value) => write!(f, "{value}"),
            Value::Text(value) => f.write_str(value),
            Value::List(items) => {
                f.write_str("[")?;
                for (i, item) in items.iter().enumerate() {
                    if i > 0 {
                        f.write_str(" ")?;
                    }
                    write!(f, "{item}")?;
                }
                f.write_str("]")
            }
        }
    }
}

/// What an operation does; `f` in the recorded history.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Function {
    Read,
    Write,
    Cas,
    /// A read of the node's own copy while the cluster settles. Only the convergence check
    /// looks at it: no system promises that such a read is linearizable.
    ReplicaRead,
    /// What this version does not know; kept, so that nothing recorded is lost.
    #[serde(untagged)]
    Other(Name),
}

impl Function {
    /// The name in the recorded history.
    pub fn as_str(&self) -> &str {
        match self {
            Function::Read => "read",
            Function::Write => "write",
            Function::Cas => "cas",
            Function::ReplicaRead => "replica-read",
            Function::Other(name) => name,
        }
    }

    /// The function of that name.
    pub fn from_name(name: &str) -> Function {
        match name {
            "read" => Function::Read,
            "write" => Function::Write,
            "cas" => Function::Cas,
            "replica-read" => Function::ReplicaRead,
            other => Function::Other(other.into()),
        }
    }
}

impl fmt::Display for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Who caused an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Process {
    /// A logical client process: at most one operation in flight.
    Client(u64),
    /// What injects faults and marks phases.
    Nemesis,
}

/// What an event says of its operation; `type` in the recorded history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Invoke,
    Ok,
    Fail,
    Info,
}

/// One line of a recorded history.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    pub index: u64,
    pub time: Time,
    pub process: Process,
    pub node: Option<Name>,
    pub kind: Kind,
    pub f: Function,
    pub key: Option<Name>,
    pub value: Value,
    /// Open-loop only: when the operation should have begun.
    pub intended: Option<Time>,
    pub error: Option<Name>,
}

/// How an operation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    Ok,
    Fail,
    Info,
}

/// One operation of one client: an invocation with its completion.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Operation {
    /// Index of the invocation's event in the recorded history.
    pub index: u64,
    pub process: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<Name>,
    pub f: Function,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<Name>,
    /// What was asked: the value to write, `[expected, new]` of a cas, nil for a read.
    pub input: Value,
    /// What came back: the value of an ok read, else as the completion has it.
    pub output: Value,
    pub invoke: Time,
    /// When the completion came: `None` if it never did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub complete: Option<Time>,
    pub outcome: Outcome,
    /// Open-loop only: when the operation should have begun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intended: Option<Time>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Name>,
}

impl Operation {
    /// Whether the system gave a definite answer: ok, or a refusal by meaning (cas mismatch).
    pub fn answered(&self) -> bool {
        match self.outcome {
            Outcome::Ok => true,
            Outcome::Fail => self.error.as_deref() == Some(MISMATCH),
            Outcome::Info => false,
        }
    }

    /// The instant from which latency counts: the intended one where there is one, so that a
    /// slow answer is not hidden by the operations that it kept waiting.
    pub fn due(&self) -> Time {
        self.intended.unwrap_or(self.invoke)
    }

    /// When it was invoked and when it was answered, [`Time::MAX`] if never.
    ///
    /// # Errors
    /// A sentence, if it was answered before it was invoked.
    pub fn interval(&self) -> Result<(Time, Time), String> {
        let end = self.complete.unwrap_or(Time::MAX);
        if end < self.invoke {
            return Err(format!(
                "operation {} ends before it begins ({end} and {}); its clock cannot be trusted",
                self.index, self.invoke
            ));
        }
        Ok((self.invoke, end))
    }

    /// Time from [`Operation::due`] to the completion, if it completed.
    pub fn latency(&self) -> Option<Duration> {
        self.complete.map(|complete| complete.since(self.due()))
    }
}

/// As the reports print it: `w(7)`, `r -> 5`, `cas(5 -> 7)`, `T(append x 1, r y -> [1 2])`.
impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.f, self.input.as_pair(), self.outcome) {
            (Function::Read | Function::ReplicaRead, _, Outcome::Ok) => {
                write!(f, "r -> {}", self.output)
            }
            (Function::Read | Function::ReplicaRead, _, _) => f.write_str("r -> ?"),
            (Function::Write, _, _) => write!(f, "w({})", self.input),
            (Function::Cas, Some((expected, new)), _) => write!(f, "cas({expected} -> {new})"),
            (Function::Other(name), _, _) if &**name == "txn" => {
                crate::transactions::Shown(self).fmt(f)
            }
            (other, _, _) => write!(f, "{other}({})", self.input),
        }
    }
}

/// What is wrong with a recorded history, and at which event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HistoryError {
    #[error(
        "event {index}: process {process} invokes an operation while its operation of event \
         {open} is still in flight; a process has at most one"
    )]
    InvokedTwice { index: u64, process: u64, open: u64 },
    #[error("event {index}: process {process} completes an operation that it never invoked")]
    NeverInvoked { index: u64, process: u64 },
    #[error("event {index}: no `{f}` without a process is in flight that this could complete")]
    UnnamedNeverInvoked { index: u64, f: Function },
    #[error(
        "event {index}: {open} `{f}` without a process are in flight, and which of them this \
         completes is not said; give each event its `process`"
    )]
    UnnamedAmbiguous { index: u64, f: Function, open: usize },
}

/// A whole recorded history: operations in the order of their invocations, and what the nemesis
/// did in time order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct History {
    pub operations: Vec<Operation>,
    pub nemesis: Vec<Event>,
    /// Time of the last event.
    pub end: Time,
}

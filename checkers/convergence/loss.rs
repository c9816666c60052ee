//! E2 and E3: acknowledged writes that are gone, and values that nobody wrote.
//!
//! An acknowledged write w (a write or cas that ended ok) of value v is *lost* if no node's last
//! read returned v, and none of the final values explains its absence. A final value f explains
//! it if
//!
//! - some writer of f may have taken effect after w: it did not finish before w was invoked. An
//!   indeterminate writer never finishes, so it explains everything; or
//! - f descends from v by compare-and-set: w's value was replaced by a cas, perhaps that one's
//!   by another, and the last of them wrote f (causal order); or
//! - f is a phantom: what wrote it, and when, is not known, and it is reported as such.
//!
//! The initial nil precedes all writes and explains nothing, except where nil itself was
//! written. Where nodes disagree, one final value that explains is enough.
//!
//! Counted is every acknowledged write that the final state has rolled back, also one that a
//! later write, lost as well, would have replaced: that is what the clients were promised.
//!
//! A *phantom* is a final value that no operation tried to write, or whose every writer ended
//! with "surely did not take effect".

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::agreement::{KeyOperations, KeyState};
use crate::history::{Function, Name, Operation, Outcome, Time, Value};

/// An acknowledged write that is gone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Lost {
    pub key: Name,
    /// Index of the write or cas.
    pub write: u64,
    /// What it wrote.
    pub value: Value,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<Name>,
    pub acknowledged: Time,
}

/// A final value that nobody wrote.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Phantom {
    pub key: Name,
    pub node: Name,
    /// Index of the last read at the node.
    pub read: u64,
    pub value: Value,
    /// Index of an operation that tried to write it and was answered that it did not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed_write: Option<u64>,
}

/// The value that a write or cas leaves behind.
pub(crate) fn written(operation: &Operation) -> Option<&Value> {
    match operation.f {
        Function::Write => Some(&operation.input),
        Function::Cas => operation.input.as_pair().map(|(_, new)| new),
        _ => None,
    }
}

/// When an operation can no longer take effect: never, unless it was acknowledged.
pub(super) fn finish(operation: &Operation) -> Time {
    match operation.outcome {
        Outcome::Ok => operation.complete.unwrap_or(Time::MAX),
        Outcome::Fail | Outcome::Info => Time::MAX,
    }
}

/// The operations that (may have) written each value of one key.
struct Writers<'a> {
    by_value: BTreeMap<&'a Value, Vec<&'a Operation>>,
}

impl<'a> Writers<'a> {
    fn of(operations: &KeyOperations<'a>) -> Self {
        let mut by_value: BTreeMap<&Value, Vec<&Operation>> = BTreeMap::new();
        for &write in operations.writes.iter().filter(|write| write.outcome != Outcome::Fail) {
            if let Some(value) = written(write) {
                by_value.entry(value).or_default().push(write);
            }
        }
        Writers { by_value }
    }

    fn of_value(&self, value: &Value) -> &[&'a Operation] {
        self.by_value.get(value).map_or(&[], Vec::as_slice)
    }

    /// The last instant at which the value can have been written: `None` if it is the initial
    /// nil and nothing else, the end of time if nobody knows.
    fn latest(&self, value: &Value) -> Option<Time> {
        let latest = self.of_value(value).iter().map(|writer| finish(writer)).max();
        match (latest, value) {
            (Some(latest), _) => Some(latest),
            (None, Value::Nil) => None,
            (None, _) => Some(Time::MAX),
        }
    }

    /// The values that compare-and-sets turned, one after the other, into this one.
    fn ancestors(&self, value: &'a Value) -> BTreeSet<&'a Value> {
        let mut ancestors = BTreeSet::new();
        let mut open = vec![value];
        while let Some(value) = open.pop() {
            for writer in self.of_value(value).iter().filter(|writer| writer.f == Function::Cas) {
                let Some((expected, _)) = writer.input.as_pair() else { continue };
                if ancestors.insert(expected) {
                    open.push(expected);
                }
            }
        }
        ancestors
    }
}

/// The acknowledged writes of one key that are gone, by invocation.
pub(super) fn lost(state: &KeyState, operations: &KeyOperations) -> Vec<Lost> {
    let writers = Writers::of(operations);
    let values: BTreeSet<&Value> = state.last_reads().map(|(_, last)| &last.value).collect();
    let latest = values.iter().filter_map(|value| writers.latest(value)).max();
    let ancestors: BTreeSet<&Value> =
        values.iter().flat_map(|value| writers.ancestors(value)).collect();
    let explained = |write: &Operation, value: &Value| {
        values.contains(value)
            || ancestors.contains(value)
            || latest.is_some_and(|latest| latest >= write.invoke)
    };
    let gone = operations.acknowledged().filter_map(|write| {
        let value = written(write)?;
        if explained(write, value) {
            return None;
        }
        Some(Lost {
            key: state.key.clone(),
            write: write.index,
            value: value.clone(),
            node: write.node.clone(),
            acknowledged: finish(write),
        })
    });
    gone.collect()
}

/// The final values of one key that nobody wrote, by node.
pub(super) fn phantoms(state: &KeyState, operations: &KeyOperations) -> Vec<Phantom> {
    let writers = Writers::of(operations);
    let nobody = state
        .last_reads()
        .filter(|(_, last)| last.value != Value::Nil && writers.of_value(&last.value).is_empty());
    let phantom = |(node, last): (&Name, &super::LastRead)| Phantom {
        key: state.key.clone(),
        node: node.clone(),
        read: last.read,
        value: last.value.clone(),
        failed_write: operations
            .writes
            .iter()
            .find(|write| written(write) == Some(&last.value))
            .map(|write| write.index),
    };
    nobody.map(phantom).collect()
}

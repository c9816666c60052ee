//! E2 to E5: what the nodes hold in the end against what was acknowledged.
//!
//! - E2, loss: an acknowledged update is gone ([`Lost`]).
//! - E3, phantom: what nobody wrote is there ([`Phantom`]).
//! - E4, resurrection: what was removed is there ([`Breach::Resurrected`]).
//! - E5, bounds: a counter is off by more than what is not known ([`Breach::OutOfBounds`]).
//! - E6, determinism: two nodes that had the same updates differ ([`Breach::Differs`]).
//!
//! What each means for a register, a set, a counter and siblings is said in the module of that
//! type. E2, E4 and E5 are judged where the last reads are final: where nodes agreed, and where
//! they were seen to differ to the end. There one node that keeps a promise is enough, for in time
//! it may convince the others: that they differ is reported as such.

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use super::agreement::{KeyOperations, KeyState, KeyStatus};
use super::data_type::{DataType, members};
use super::{counter, deliveries, register, set, siblings};
use crate::history::{Function, Name, Operation, Outcome, Time, Value};

/// An acknowledged update that is gone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Lost {
    pub key: Name,
    /// Index of the write, cas or add.
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

/// What else is wrong with the final state of a key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "breach", rename_all = "kebab-case")]
pub enum Breach {
    /// E4: it was removed or replaced, acknowledged, and is there.
    Resurrected {
        key: Name,
        value: Value,
        /// Index of the operation that removed or replaced it.
        removed_by: u64,
    },
    /// E5: no node returns a sum between these two.
    OutOfBounds { key: Name, least: i64, most: i64 },
    /// E6: two replica reads saw the same updates delivered, and different states.
    Differs { key: Name, reads: [u64; 2] },
}

impl Breach {
    pub fn key(&self) -> &Name {
        match self {
            Breach::Resurrected { key, .. }
            | Breach::OutOfBounds { key, .. }
            | Breach::Differs { key, .. } => key,
        }
    }
}

/// What is wrong with the final state of one key.
#[derive(Debug, Default)]
pub(super) struct Losses {
    pub lost: Vec<Lost>,
    pub phantoms: Vec<Phantom>,
    pub breaches: Vec<Breach>,
}

/// Judges a key by E2 to E6.
pub(super) fn judge(data: DataType, state: &KeyState, operations: &KeyOperations) -> Losses {
    if operations.problem.is_some() {
        return Losses::default();
    }
    let mut losses = match data {
        DataType::Register => register::judge(state, operations),
        DataType::Set => set::judge(state, operations),
        DataType::Counter => counter::judge(state, operations),
        DataType::Siblings => siblings::judge(state, operations),
    };
    if !is_final(state) {
        losses.lost.clear();
        losses.breaches.clear();
    }
    losses.breaches.extend(deliveries::differing(state, operations));
    losses
}

/// Whether the last reads tell what the nodes would go on to hold.
pub(super) fn is_final(state: &KeyState) -> bool {
    matches!(state.status, KeyStatus::Agreed | KeyStatus::Disagrees { .. })
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

/// An acknowledged update of this value as a loss.
pub(super) fn lost(state: &KeyState, update: &Operation, value: &Value) -> Lost {
    Lost {
        key: state.key.clone(),
        write: update.index,
        value: value.clone(),
        node: update.node.clone(),
        acknowledged: finish(update),
    }
}

/// The members of each node's last list that no update may have put there, by node. `adds` gives
/// what an update puts there.
pub(super) fn phantom_members<'a>(
    state: &KeyState,
    operations: &KeyOperations<'a>,
    adds: impl Fn(&'a Operation) -> Option<&'a Value>,
) -> Vec<Phantom> {
    // Of each value: the first that tried to put it there, and whether one may have done so.
    let mut tried: FxHashMap<&Value, (u64, bool)> = FxHashMap::default();
    for &update in &operations.writes {
        if let Some(value) = adds(update) {
            let (_, possible) = tried.entry(value).or_insert((update.index, false));
            *possible |= update.outcome != Outcome::Fail;
        }
    }
    let mut phantoms = Vec::new();
    for (node, last) in state.last_reads() {
        for value in members(&last.value) {
            let tried = tried.get(value);
            if tried.is_none_or(|(_, possible)| !possible) {
                phantoms.push(Phantom {
                    key: state.key.clone(),
                    node: node.clone(),
                    read: last.read,
                    value: value.clone(),
                    failed_write: tried.map(|(index, _)| *index),
                });
            }
        }
    }
    phantoms
}

//! Registers: acknowledged writes that are gone (E2), and values that nobody wrote (E3).
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

use super::LastRead;
use super::agreement::{KeyOperations, KeyState};
use super::loss::{self, Losses, Lost, Phantom, finish, written};
use super::witness::{Draft, find};
use crate::finding::{Relation, Witness};
use crate::history::{Function, Name, Operation, Outcome, Time, Value};
use crate::words::place;

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

/// E2 and E3 of one key.
pub(super) fn judge(state: &KeyState, operations: &KeyOperations) -> Losses {
    let writers = Writers::of(operations);
    Losses {
        lost: lost(state, operations, &writers),
        phantoms: phantoms(state, operations, &writers),
        breaches: Vec::new(),
    }
}

/// The acknowledged writes that are gone, by invocation.
fn lost(state: &KeyState, operations: &KeyOperations, writers: &Writers) -> Vec<Lost> {
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
        (!explained(write, value)).then(|| loss::lost(state, write, value))
    });
    gone.collect()
}

/// The final values that nobody wrote, by node.
fn phantoms(state: &KeyState, operations: &KeyOperations, writers: &Writers) -> Vec<Phantom> {
    let nobody = state
        .last_reads()
        .filter(|(_, last)| last.value != Value::Nil && writers.of_value(&last.value).is_empty());
    let phantom = |(node, last): (&Name, &LastRead)| Phantom {
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

/// A lost write, what outlived it, and the last reads.
pub(super) fn loss_witness(
    lost: &Lost,
    write: &Operation,
    state: &KeyState,
    key: &KeyOperations,
) -> Witness {
    let mut draft = Draft::default();
    let at = draft.add(write);
    for (_, last) in state.last_reads() {
        let Some(read) = find(key, last.read) else { continue };
        let read_at = draft.add(read);
        draft.arrow(at, read_at, Relation::RealTime);
        let writers = key
            .writes
            .iter()
            .filter(|writer| writer.outcome == Outcome::Ok && written(writer) == Some(&last.value));
        if let Some(writer) = writers.max_by_key(|writer| finish(writer)) {
            let writer_at = draft.add(writer);
            draft.arrow(writer_at, at, Relation::RealTime);
            draft.arrow(writer_at, read_at, Relation::ReadsFrom);
        }
    }
    let instead = format!("{}, or what was written while it was in flight or later", lost.value);
    draft.witness(loss_sentence(lost, write, state), Some(instead))
}

fn loss_sentence(lost: &Lost, write: &Operation, state: &KeyState) -> String {
    let mut values: BTreeMap<&Value, Vec<&str>> = BTreeMap::new();
    for (node, last) in state.last_reads() {
        values.entry(&last.value).or_default().push(node);
    }
    let returned: Vec<String> = match values.len() {
        1 => values.keys().map(|value| format!("every node returns {value}")).collect(),
        _ => values
            .iter()
            .map(|(value, nodes)| {
                let verb = if nodes.len() == 1 { "returns" } else { "return" };
                format!("{} {verb} {value}", nodes.join(" and "))
            })
            .collect(),
    };
    let why = match (values.len(), values.contains_key(&Value::Nil)) {
        (1, true) => "as if the key had never been written",
        (1, false) => "which had been written before that",
        (_, true) => "all older than that",
        (_, false) => "all written before that",
    };
    format!(
        "{write} of key {} was acknowledged{} at {}; after the heal {}, {why}",
        lost.key,
        place(write),
        lost.acknowledged,
        returned.join(", "),
    )
}

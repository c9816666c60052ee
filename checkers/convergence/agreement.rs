//! E1: what each node returned last for each key, and whether that is one value.
//!
//! The reads of a key at two nodes are never simultaneous, so two last reads that differ do not
//! by themselves mean that the nodes ever differed. What is used instead is a *run*: the last
//! reads of one key at one node that all returned the same value. Between the completion of the
//! run's first read and the invocation of its last one the node held that value (a change to
//! and fro between two polls is not seen, here or by anyone who polls).
//!
//! - A key is agreed on if the runs at all nodes have the same value, each is at least as long
//!   as the polls asked for, and no node failed to answer after its run.
//! - Nodes disagree on a key if two runs with different values share an instant.
//! - Anything else is unsettled: unknown, with the reason.
//!
//! A cell is taken to have its last value from the completion of its run's first read on; the
//! convergence time is the latest of these instants: never too early, and late by the time from
//! the poll before (for the first poll: from the heal) at most. A read that failed ends a run; one
//! that had no completion when the history ended says nothing.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Agreement, Settings, deliveries};
use crate::history::{Function, History, NOT_HELD, Name, Operation, Outcome, Time, Value};

/// The last read of one key at one node that was answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LastRead {
    /// Index of the read.
    pub read: u64,
    /// What the node held; of a set and of siblings in ascending order.
    pub value: Value,
    /// When the read was invoked and completed.
    pub invoke: Time,
    pub complete: Time,
    /// Completion of the first read of the run: from here on only this value was seen.
    pub since: Time,
    /// Length of the run in reads.
    pub polls: usize,
    /// Reads that failed after it.
    pub failed_after: usize,
}

/// One key at one node. `last` is `None` if no read of it was answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cell {
    pub node: Name,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<LastRead>,
}

/// What E1 says of one key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "kebab-case")]
pub enum KeyStatus {
    Agreed,
    /// The first two nodes that are seen to differ.
    Disagrees {
        nodes: [Name; 2],
    },
    Unsettled {
        reason: String,
    },
}

/// One row of the grid.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KeyState {
    pub key: Name,
    #[serde(flatten)]
    pub status: KeyStatus,
    /// In the order of the nodes.
    pub cells: Vec<Cell>,
}

impl KeyState {
    /// The last reads that were answered, one per node at most.
    pub fn last_reads(&self) -> impl Iterator<Item = (&Name, &LastRead)> {
        self.cells.iter().filter_map(|cell| cell.last.as_ref().map(|last| (&cell.node, last)))
    }
}

/// A completed replica read.
#[derive(Debug)]
pub(super) struct Poll<'a> {
    pub operation: &'a Operation,
    /// What it returned, in a form in which equal states are equal.
    pub state: Cow<'a, Value>,
    /// The updates that were delivered to the node, if reads tell.
    pub delivered: Option<Cow<'a, Value>>,
}

/// What this check needs of one key's operations.
#[derive(Debug, Default)]
pub(super) struct KeyOperations<'a> {
    /// Updates (of a register: writes and cas), whatever their outcome.
    pub writes: Vec<&'a Operation>,
    /// Completed replica reads of the settle phase.
    pub reads: BTreeMap<&'a Name, Vec<Poll<'a>>>,
    /// Why nothing can be said of this key: some operation is none of its type's.
    pub problem: Option<String>,
}

impl<'a> KeyOperations<'a> {
    /// Writes and cas that were acknowledged.
    pub fn acknowledged(&self) -> impl Iterator<Item = &'a Operation> + '_ {
        self.writes.iter().copied().filter(|write| write.outcome == Outcome::Ok)
    }

    /// Whether the node has a part in this key: it does unless it said last that it holds no
    /// copy (another shard's node).
    fn holds(&self, node: &Name) -> bool {
        let last = self.reads.get(node).and_then(|reads| reads.last());
        last.is_none_or(|read| read.operation.error.as_deref() != Some(NOT_HELD))
    }

    /// Takes a replica read of the settle phase.
    fn poll(&mut self, node: &'a Name, operation: &'a Operation, settings: &Settings) {
        let mut poll = Poll { operation, state: Cow::Borrowed(&operation.output), delivered: None };
        if operation.outcome == Outcome::Ok {
            match state(&operation.output, settings) {
                Some((state, delivered)) => (poll.state, poll.delivered) = (state, delivered),
                None => {
                    self.problem = self.problem.take().or_else(|| Some(odd(operation, settings)))
                }
            }
        }
        self.reads.entry(node).or_default().push(poll);
    }
}

/// A state, and what was delivered, if reads tell.
type Seen<'a> = (Cow<'a, Value>, Option<Cow<'a, Value>>);

/// What a replica read returned.
fn state<'a>(returned: &'a Value, settings: &Settings) -> Option<Seen<'a>> {
    if !settings.deliveries {
        return Some((settings.data.state(returned)?, None));
    }
    let (delivered, state) = deliveries::parts(returned)?;
    Some((settings.data.state(state)?, Some(delivered)))
}

fn odd(operation: &Operation, settings: &Settings) -> String {
    let wanted = if settings.deliveries { "state with its deliveries" } else { "state" };
    let Operation { index, output, .. } = operation;
    format!("replica read {index} returned {output}, no {wanted} of a {}", settings.data.name())
}

/// The keys that were updated (or may have been) or read after `start`, in their order.
pub(super) fn by_key<'a>(
    history: &'a History,
    nodes: &'a [Name],
    start: Time,
    settings: &Settings,
) -> BTreeMap<&'a Name, KeyOperations<'a>> {
    let mut keys: BTreeMap<&Name, KeyOperations> = BTreeMap::new();
    for operation in &history.operations {
        let Some(key) = &operation.key else { continue };
        if operation.f == Function::ReplicaRead {
            let node = nodes.iter().find(|&node| operation.node.as_ref() == Some(node));
            let counts = operation.invoke >= start && operation.complete.is_some();
            if let (Some(node), true) = (node, counts) {
                keys.entry(key).or_default().poll(node, operation, settings);
            }
            continue;
        }
        if let Some(problem) = settings.data.problem(operation) {
            keys.entry(key).or_default().problem.get_or_insert(problem);
        }
        if settings.data.is_update(operation) {
            keys.entry(key).or_default().writes.push(operation);
        }
    }
    keys.retain(|_, key| {
        !key.reads.is_empty()
            || key.problem.is_some()
            || key.writes.iter().any(|write| write.outcome != Outcome::Fail)
    });
    keys
}

/// The settle phase as a whole.
pub(super) struct Phase<'a> {
    settings: &'a Settings,
    start: Time,
    /// Completion of the last replica read of any key.
    end: Time,
    /// Whether the nodes had (nearly) all the time that they were to have.
    complete: bool,
    /// Nodes where not one read of any key was answered, with how many were tried.
    silent: BTreeMap<&'a Name, usize>,
}

impl<'a> Phase<'a> {
    pub fn of(
        history: &'a History,
        keys: &BTreeMap<&'a Name, KeyOperations<'a>>,
        start: Time,
        settings: &'a Settings,
    ) -> Self {
        let mut attempts: BTreeMap<&Name, (usize, usize)> = BTreeMap::new();
        let mut end = start;
        for (node, reads) in keys.values().flat_map(|key| &key.reads) {
            let count = attempts.entry(node).or_default();
            for read in reads {
                count.0 += 1;
                count.1 += usize::from(read.operation.outcome == Outcome::Ok);
                end = end.max(read.operation.complete.unwrap_or(start));
            }
        }
        let silent = attempts.iter().filter(|(_, count)| count.1 == 0);
        let complete =
            settings.limit.is_none_or(|limit| end.max(history.end) >= start + limit * 9 / 10);
        Phase {
            settings,
            start,
            end,
            complete,
            silent: silent.map(|(&node, count)| (node, count.0)).collect(),
        }
    }

    /// The row of one key.
    pub fn judge(&self, key: &Name, operations: &KeyOperations<'a>, nodes: &[Name]) -> KeyState {
        let cells: Vec<Cell> = nodes
            .iter()
            .filter(|node| operations.holds(node))
            .map(|node| Cell {
                node: node.clone(),
                last: operations.reads.get(node).and_then(|reads| last_run(reads)),
            })
            .collect();
        let status = match self.unsettled(key, operations, &cells) {
            Some(reason) => KeyStatus::Unsettled { reason },
            None if cells.len() < nodes.len().min(2) => KeyStatus::Unsettled {
                reason: format!(
                    "key {key} is held by {} of {} nodes, so there is nobody to agree with",
                    cells.len(),
                    nodes.len()
                ),
            },
            None => self.compare(key, &cells),
        };
        KeyState { key: key.clone(), status, cells }
    }

    /// Why nothing can be said of a key, before values are looked at.
    fn unsettled(
        &self,
        key: &Name,
        operations: &KeyOperations<'a>,
        cells: &[Cell],
    ) -> Option<String> {
        if operations.problem.is_some() {
            return operations.problem.clone();
        }
        if let Some(write) = operations.writes.iter().find(|write| write.invoke >= self.start) {
            return Some(format!(
                "{write} of key {key} was invoked at {}, when writes should have stopped (at {})",
                write.invoke, self.start
            ));
        }
        if let Some(cell) = cells.iter().find(|cell| cell.last.is_none()) {
            let node = &cell.node;
            return Some(match self.silent.get(node) {
                Some(tried) => {
                    format!("none of {tried} reads at {node} was answered after the heal")
                }
                None => format!("no read of key {key} at {node} was answered after the heal"),
            });
        }
        let first_last = cells.iter().flat_map(|cell| &cell.last).map(|last| last.invoke).min()?;
        let late =
            operations.acknowledged().find(|write| write.complete.is_none_or(|t| t >= first_last));
        late.map(|write| {
            format!(
                "{write} of key {key} was acknowledged when the last read of the key had begun \
                 (at {first_last})"
            )
        })
    }

    /// Compares the runs of a key that was read at every node.
    fn compare(&self, key: &Name, cells: &[Cell]) -> KeyStatus {
        let runs: Vec<(&Name, &LastRead)> =
            cells.iter().filter_map(|cell| Some((&cell.node, cell.last.as_ref()?))).collect();
        let differing = runs.iter().enumerate().flat_map(|(i, a)| {
            runs[i + 1..].iter().filter(|b| a.1.value != b.1.value).map(move |b| (*a, *b))
        });
        let mut changing = None;
        for (a, b) in differing {
            if a.1.since.max(b.1.since) > a.1.invoke.min(b.1.invoke) {
                changing.get_or_insert((a, b));
            } else if self.complete {
                return KeyStatus::Disagrees { nodes: [a.0.clone(), b.0.clone()] };
            } else {
                let reason = format!(
                    "{} and {} still differed on key {key} when the history ended {:.3} s into \
                     the settle phase, but its limit is {:.3} s",
                    a.0,
                    b.0,
                    self.end.since(self.start).as_secs_f64(),
                    self.settings.limit.unwrap_or_default().as_secs_f64()
                );
                return KeyStatus::Unsettled { reason };
            }
        }
        if let Some(((a, first), (b, second))) = changing {
            let reason = format!(
                "key {key} was still changing at the end: {a} returned {} at {}, {b} returned {} \
                 at {}",
                first.value, first.complete, second.value, second.complete
            );
            return KeyStatus::Unsettled { reason };
        }
        self.lasting(key, &runs)
    }

    /// All nodes returned the same value last; did that last?
    fn lasting(&self, key: &Name, runs: &[(&Name, &LastRead)]) -> KeyStatus {
        let polls = self.settings.polls.max(1);
        if let Some((node, last)) = runs.iter().find(|(_, last)| last.failed_after > 0) {
            let reason = format!(
                "the last {} reads of key {key} at {node} were not answered",
                last.failed_after
            );
            return KeyStatus::Unsettled { reason };
        }
        if let Some((node, last)) = runs.iter().find(|(_, last)| last.polls < polls) {
            let reason = format!(
                "key {key} was the same everywhere, but at {node} in the last {} polls only; {} \
                 are needed",
                last.polls, polls
            );
            return KeyStatus::Unsettled { reason };
        }
        KeyStatus::Agreed
    }
}

/// The last answered read of a key at a node, with the run that it ends.
fn last_run(reads: &[Poll<'_>]) -> Option<LastRead> {
    let is_ok = |read: &Poll| read.operation.outcome == Outcome::Ok;
    let position = reads.iter().rposition(is_ok)?;
    let last = &reads[position];
    let same = |read: &Poll| is_ok(read) && read.state == last.state;
    let polls = reads[..=position].iter().rev().take_while(|read| same(read)).count();
    let first = &reads[position + 1 - polls];
    Some(LastRead {
        read: last.operation.index,
        value: last.state.clone().into_owned(),
        invoke: last.operation.invoke,
        complete: last.operation.complete?,
        since: first.operation.complete?,
        polls,
        failed_after: reads.len() - 1 - position,
    })
}

/// E1 over all keys: refuted outranks unknown, unknown outranks agreed.
pub(super) fn overall(states: &[KeyState], healed: Time) -> Agreement {
    let refuted = |state: &&KeyState| matches!(state.status, KeyStatus::Disagrees { .. });
    let keys: Vec<Name> = states.iter().filter(refuted).map(|state| state.key.clone()).collect();
    if !keys.is_empty() {
        return Agreement::Refuted { keys };
    }
    let mut reasons = states.iter().filter_map(|state| match &state.status {
        KeyStatus::Unsettled { reason } => Some(reason),
        _ => None,
    });
    if let Some(first) = reasons.next() {
        let reason = match reasons.count() {
            0 => first.clone(),
            more => format!("{first} (and {more} more keys could not be judged)"),
        };
        return Agreement::Unknown { reason };
    }
    let last = states.iter().flat_map(KeyState::last_reads).map(|(_, last)| last.since).max();
    Agreement::Agreed { after: last.unwrap_or(healed).since(healed) }
}

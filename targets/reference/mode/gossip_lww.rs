//! Every node answers at once from its own copy; the last write wins.
//!
//! "Last" is by Lamport counter, then node name (Lamport, CACM 1978), not by wall clock: on one
//! machine all wall clocks agree, so timestamps would hide the loss that skewed clocks cause
//! between machines. With logical clocks it shows: the side of a partition that writes less has
//! the lower counters, so its acknowledged writes lose against older ones of the busier side.
//!
//! Changed keys are pushed to every peer every 50 ms until they are delivered. A peer that could
//! not be reached gets the whole state when it is reached again, and answers with its own.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use axum::body::Bytes;
use serde::{Deserialize, Serialize};

use super::{Mode, Starting};
use crate::reference::bug::Bug;
use crate::reference::journal::Journal;
use crate::reference::operation::{Answer, Operation};
use crate::reference::peers::MESSAGE_LIMIT;
use crate::reference::replica::{MessageError, Node, Replica, Role, Status, decode, encode};

pub const MODE: Mode =
    Mode { name: "gossip-lww", bugs: &[Bug::DropHint, Bug::SkipReplicationToLast], start };

/// The pause between two pushes.
const INTERVAL: Duration = Duration::from_millis(50);

/// A register's value with the logical time of its write: counter, then node name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Versioned {
    version: (u64, String),
    value: i64,
}

type Registers = BTreeMap<String, Versioned>;

/// A push: some registers, or all of them, answered with all of the receiver's.
#[derive(Debug, Serialize, Deserialize)]
struct Push {
    registers: Registers,
    /// Who pushes, if it is a full exchange.
    exchange_with: Option<String>,
}

struct Gossip {
    node: Node,
    state: Mutex<State>,
}

struct State {
    registers: Registers,
    journal: Journal<(String, Versioned)>,
    /// Lamport's clock: above every counter that this node has given or seen.
    clock: u64,
    /// For each peer, the keys that it may not have yet.
    pending: BTreeMap<String, BTreeSet<String>>,
}

fn start(node: Node) -> Starting {
    Box::pin(async move {
        let (journal, records) = node.open_journal()?;
        let pending = node.peers.others().map(|peer| (peer.clone(), BTreeSet::new())).collect();
        let mut state = State { registers: Registers::new(), journal, clock: 0, pending };
        for (key, versioned) in records {
            state.clock = state.clock.max(versioned.version.0);
            state.registers.insert(key, versioned);
        }
        // What was pending before a restart is not known: a full exchange makes up for it.
        let restarted = !state.registers.is_empty();
        let gossip = Arc::new(Gossip { node, state: Mutex::new(state) });
        for peer in gossip.node.peers.others() {
            gossip.node.tasks.spawn(gossip.clone().push_to(peer.clone(), restarted));
        }
        Ok(gossip as Arc<dyn Replica>)
    })
}

impl State {
    /// Stores the value unless a newer one is there, and notes who has yet to get it.
    fn store(&mut self, key: &str, versioned: Versioned) -> bool {
        self.clock = self.clock.max(versioned.version.0);
        if self.registers.get(key).is_some_and(|own| *own >= versioned) {
            return false;
        }
        self.journal.append(&(key.to_owned(), versioned.clone()));
        self.registers.insert(key.to_owned(), versioned);
        true
    }

    fn note_pending(&mut self, key: &str) {
        for keys in self.pending.values_mut() {
            keys.insert(key.to_owned());
        }
    }
}

impl Gossip {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no holder of the lock panics")
    }

    /// Pushes what changed to one peer, again and again; everything, if `full` or after it could
    /// not be reached.
    async fn push_to(self: Arc<Self>, peer: String, mut full: bool) {
        loop {
            tokio::time::sleep(INTERVAL).await;
            let Some((push, sent)) = self.next_push(&peer, full) else { continue };
            match self.node.peers.call::<_, Registers>(&peer, &push, MESSAGE_LIMIT).await {
                Ok(theirs) => {
                    full = false;
                    self.take(theirs);
                }
                Err(_) if self.node.bug == Bug::DropHint => {}
                Err(_) => {
                    full = true;
                    let mut state = self.state();
                    state.pending.entry(peer.clone()).or_default().extend(sent);
                }
            }
        }
    }

    /// What to push next, and the keys that are no longer pending if it arrives.
    fn next_push(&self, peer: &str, full: bool) -> Option<(Push, BTreeSet<String>)> {
        let mut state = self.state();
        let sent = std::mem::take(state.pending.get_mut(peer)?);
        if sent.is_empty() && !full {
            return None;
        }
        let mut registers = state.registers.clone();
        registers.retain(|key, _| (full || sent.contains(key)) && self.is_sent(key, peer));
        let exchange_with = full.then(|| self.node.name.clone());
        Some((Push { registers, exchange_with }, sent))
    }

    /// False only with the bug that keeps some keys from the last node.
    fn is_sent(&self, key: &str, peer: &str) -> bool {
        let last = self.node.peers.all().last().is_some_and(|last| last == peer);
        let third = key.bytes().map(u32::from).sum::<u32>() % 3 == 0;
        !(self.node.bug == Bug::SkipReplicationToLast && last && third)
    }

    /// Takes the registers of another node. They are not passed on: who wrote them pushes them
    /// to everybody.
    fn take(&self, theirs: Registers) {
        let mut state = self.state();
        for (key, versioned) in theirs {
            state.store(&key, versioned);
        }
    }
}

#[async_trait]
impl Replica for Gossip {
    async fn execute(&self, operation: Operation) -> Answer {
        match operation {
            Operation::Read { key } => Answer::Value(self.replica_read(&key)),
            Operation::Write { key, value } => {
                let mut state = self.state();
                let version = (state.clock + 1, self.node.name.clone());
                state.store(&key, Versioned { version, value });
                state.note_pending(&key);
                Answer::Done
            }
            Operation::Cas { .. } => {
                Answer::Unsupported("gossip-lww has no compare-and-set".into())
            }
        }
    }

    fn replica_read(&self, key: &str) -> Option<i64> {
        self.state().registers.get(key).map(|versioned| versioned.value)
    }

    async fn peer_message(&self, message: Bytes) -> Result<Vec<u8>, MessageError> {
        let push: Push = decode(&message)?;
        self.take(push.registers);
        let Some(peer) = push.exchange_with else { return encode(&Registers::new()) };
        let mut theirs = self.state().registers.clone();
        theirs.retain(|key, _| self.is_sent(key, &peer));
        encode(&theirs)
    }

    fn status(&self) -> Status {
        Status { role: Role::Peer, primary: None, ready: true }
    }
}

//! How the log gets from the primary to a replica.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::log::Adopt;
use super::state::State;
use super::{Message, PrimaryBackup};
use crate::reference::bug::Bug;
use crate::reference::operation::Operation;
use crate::reference::peers::MESSAGE_LIMIT;
use crate::reference::replica::Role;

/// An idle primary lets itself be heard this often.
const HEARTBEAT: Duration = Duration::from_millis(100);
/// The pause after a replica could not be reached.
const RETRY: Duration = Duration::from_millis(100);
/// The most entries in one message.
const BATCH: usize = 1000;

/// Entries of the log from index `start` on; none is a heartbeat.
#[derive(Debug, Serialize, Deserialize)]
pub struct Append {
    pub term: u64,
    pub primary: String,
    pub start: usize,
    pub operations: Vec<Operation>,
}

/// A replica's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Shipped {
    /// Its log has this many entries of this term's primary.
    Has(usize),
    /// It comes from an older term and has to adopt the primary's state first.
    NeedsState,
    /// It knows of this term, and does not take anything of an older one.
    Refused { term: u64 },
}

/// What the primary knows of a replica.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    UpTo(usize),
    /// Its log is that of another primary.
    OldTerm,
}

/// Keeps the replica at `peer` up to date for as long as this node is the primary.
pub(super) async fn ship(replica: Arc<PrimaryBackup>, peer: String) {
    let mut wake = replica.wake.subscribe();
    loop {
        let (term, message) = {
            let state = replica.state();
            (state.term, state.next_message(&replica.node.name, &peer))
        };
        if let Some(message) = message {
            let reply = replica.node.peers.call(&peer, &message, MESSAGE_LIMIT).await;
            let taken = reply.is_ok_and(|reply| replica.take_reply(&peer, term, reply));
            if !taken {
                tokio::time::sleep(RETRY).await;
                continue;
            }
            if replica.state().is_behind(&peer) {
                continue;
            }
        }
        // Either there is something new or it is time for a heartbeat.
        let _ = tokio::time::timeout(HEARTBEAT, wake.changed()).await;
    }
}

impl PrimaryBackup {
    /// Learns from a replica's answer to a message of `term`. False if that led nowhere.
    fn take_reply(&self, peer: &str, term: u64, reply: Shipped) -> bool {
        let mut state = self.state();
        if state.role != Role::Primary || state.term != term {
            return false;
        }
        let held = match reply {
            Shipped::Has(length) => Held::UpTo(length),
            Shipped::NeedsState => Held::OldTerm,
            Shipped::Refused { term: newer } => {
                if newer > term && self.node.bug != Bug::NeverStepsDown {
                    state.step_down(newer);
                }
                return false;
            }
        };
        state.held.insert(peer.to_owned(), held);
        state.answered.insert(peer.to_owned(), Instant::now());
        state.commit(&self.node.peers);
        true
    }
}

impl State {
    /// What to send to the replica next; `None` if this node is not the primary.
    fn next_message(&self, own: &str, peer: &str) -> Option<Message> {
        if self.role != Role::Primary {
            return None;
        }
        let (term, primary) = (self.term, own.to_owned());
        let start = match self.held.get(peer) {
            Some(Held::UpTo(length)) if *length >= self.log.base() => *length,
            Some(_) => {
                let (length, registers) = (self.log.applied(), self.log.registers().clone());
                return Some(Message::Adopt(Adopt { term, primary, length, registers }));
            }
            // Nothing is known of it yet: a heartbeat brings its length.
            None => self.log.end(),
        };
        let start = start.min(self.log.end());
        let operations = self.log.from(start, BATCH);
        Some(Message::Append(Append { term, primary, start, operations }))
    }

    /// Whether there is something to send to the replica at once.
    fn is_behind(&self, peer: &str) -> bool {
        self.role == Role::Primary
            && match self.held.get(peer) {
                Some(Held::UpTo(length)) => *length < self.log.end(),
                Some(Held::OldTerm) | None => true,
            }
    }
}

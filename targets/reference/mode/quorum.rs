//! Dynamo style: every replica takes reads and writes; N is the number of nodes, R and W are
//! settable.
//!
//! The node that gets the request coordinates it. A write is stamped with the coordinator's clock
//! (microseconds, then the node's name), stored at the coordinator, sent once to all others, and
//! acknowledged when W replicas have it, the coordinator included. A read asks R replicas in a
//! random order, the coordinator not preferred, and takes the newest stamp; one that is slow or
//! fails is made up for by the next; one that failed is left alone for a moment. There is no
//! read repair and no anti-entropy, so a write that reached one replica only (reported as
//! indeterminate) is seen by some reads and not by others for good, whatever R + W is (DeCandia
//! et al., SOSP 2007, sections 4.5 to 4.7, have both and hinted hand-off on top).

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use axum::body::Bytes;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::{Mode, Starting};
use crate::reference::StartError;
use crate::reference::journal::Journal;
use crate::reference::operation::{Answer, Operation};
use crate::reference::peers::{CallError, MESSAGE_LIMIT, OPERATION_LIMIT};
use crate::reference::replica::{MessageError, Node, Replica, Role, Status, decode, encode};
use crate::reference::suspicion::Suspicions;

pub const MODE: Mode = Mode { name: "quorum", bugs: &[], start };

/// A replica that did not answer is left alone for so long. Failure detectors of real stores take
/// seconds too, and not all nodes take another back at once: meanwhile writes reach some replicas
/// only.
const PAUSE: Duration = Duration::from_secs(2);
/// A read that has waited so long for a replica asks one more.
const PATIENCE: Duration = Duration::from_millis(60);

/// Orders the writes of one register: microseconds since 1970, then the coordinator's name.
type Stamp = (u64, String);

/// A register's value with its stamp.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Stamped {
    stamp: Stamp,
    value: i64,
}

#[derive(Debug, Serialize, Deserialize)]
enum Message {
    Store { key: String, stamped: Stamped },
    Load { key: String },
}

struct Quorum {
    node: Node,
    suspicions: Arc<Suspicions>,
    state: Mutex<State>,
}

struct State {
    registers: BTreeMap<String, Stamped>,
    journal: Journal<(String, Stamped)>,
    /// The last stamp that this coordinator has given, in microseconds.
    clock: u64,
    random: ChaCha8Rng,
}

fn start(node: Node) -> Starting {
    Box::pin(async move {
        let count = node.peers.all().len();
        for (name, quorum) in [("read", node.read_quorum), ("write", node.write_quorum)] {
            if !(1..=count).contains(&quorum) {
                return Err(StartError::Quorum { name, quorum, count });
            }
        }
        let (journal, records) = node.open_journal()?;
        let random = ChaCha8Rng::seed_from_u64(node.seed);
        let mut state = State { registers: BTreeMap::new(), journal, clock: 0, random };
        for (key, stamped) in records {
            state.clock = state.clock.max(stamped.stamp.0);
            state.keep_newer(&key, stamped);
        }
        let suspicions = Arc::new(Suspicions::new(PAUSE));
        Ok(Arc::new(Quorum { node, suspicions, state: Mutex::new(state) }) as Arc<dyn Replica>)
    })
}

impl State {
    /// Later than every stamp that this coordinator has given.
    fn stamp(&mut self, node: &str) -> Stamp {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.clock = (now.as_micros() as u64).max(self.clock + 1);
        (self.clock, node.to_owned())
    }

    /// Stores the value unless a newer one is there; true if it was stored.
    fn keep_newer(&mut self, key: &str, stamped: Stamped) -> bool {
        if self.registers.get(key).is_some_and(|own| *own >= stamped) {
            return false;
        }
        self.registers.insert(key.to_owned(), stamped);
        true
    }

    fn store(&mut self, key: &str, stamped: Stamped) {
        if self.keep_newer(key, stamped.clone()) {
            self.journal.append(&(key.to_owned(), stamped));
        }
    }
}

impl Quorum {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no holder of the lock panics")
    }

    async fn write(&self, key: String, value: i64) -> Answer {
        let stamped = {
            let mut state = self.state();
            let stamped = Stamped { stamp: state.stamp(&self.node.name), value };
            state.store(&key, stamped.clone());
            stamped
        };
        let (sender, mut acknowledgements) = mpsc::unbounded_channel();
        for peer in self.node.peers.others() {
            let peer = peer.clone();
            let message = Message::Store { key: key.clone(), stamped: stamped.clone() };
            let (peers, suspicions) = (self.node.peers.clone(), self.suspicions.clone());
            let sender = sender.clone();
            // Goes on when the quorum is reached or the client has left.
            self.node.tasks.spawn(async move {
                let stored: Result<(), CallError> =
                    peers.call_unless_suspected(&suspicions, &peer, &message, MESSAGE_LIMIT).await;
                if stored.is_ok() {
                    // Nobody counts any more when the quorum is reached.
                    let _ = sender.send(());
                }
            });
        }
        drop(sender);
        let wanted = self.node.write_quorum;
        let mut have = 1;
        // The channel ends when every other node has answered or failed.
        let _ = timeout(OPERATION_LIMIT, async {
            while have < wanted && acknowledgements.recv().await.is_some() {
                have += 1;
            }
        })
        .await;
        if have >= wanted {
            return Answer::Done;
        }
        Answer::Indeterminate(format!("{have} of {wanted} replicas have it"))
    }

    async fn read(&self, key: &str) -> Answer {
        let wanted = self.node.read_quorum;
        let mut order = self.node.peers.all().to_vec();
        order.shuffle(&mut self.state().random);
        let mut order = order.into_iter();
        let mut read = QuorumRead { quorum: self, key, answers: Vec::new(), asked: JoinSet::new() };
        order.by_ref().take(wanted).for_each(|name| read.ask(name));
        let enough = async {
            while read.answers.len() < wanted {
                if read.one_more_needed().await {
                    match order.next() {
                        Some(name) => read.ask(name),
                        None if read.asked.is_empty() => break,
                        None => {}
                    }
                }
            }
        };
        // What has come by then is counted below.
        let _ = timeout(OPERATION_LIMIT, enough).await;
        if read.answers.len() < wanted {
            let have = read.answers.len();
            return Answer::Unavailable(format!("{have} of {wanted} replicas answered"));
        }
        Answer::Value(read.answers.into_iter().flatten().max().map(|newest| newest.value))
    }
}

/// A read that is going on.
struct QuorumRead<'a> {
    quorum: &'a Quorum,
    key: &'a str,
    answers: Vec<Option<Stamped>>,
    asked: JoinSet<Result<Option<Stamped>, CallError>>,
}

impl QuorumRead<'_> {
    fn ask(&mut self, name: String) {
        if name == self.quorum.node.name {
            self.answers.push(self.quorum.state().registers.get(self.key).cloned());
            return;
        }
        let peers = self.quorum.node.peers.clone();
        let suspicions = self.quorum.suspicions.clone();
        let message = Message::Load { key: self.key.to_owned() };
        self.asked.spawn(async move {
            peers.call_unless_suspected(&suspicions, &name, &message, OPERATION_LIMIT).await
        });
    }

    /// Waits for the next answer; true if it failed or takes long, so that another replica
    /// should be asked.
    async fn one_more_needed(&mut self) -> bool {
        match timeout(PATIENCE, self.asked.join_next()).await {
            Ok(Some(Ok(Ok(stamped)))) => {
                self.answers.push(stamped);
                false
            }
            _ => true,
        }
    }
}

#[async_trait]
impl Replica for Quorum {
    async fn execute(&self, operation: Operation) -> Answer {
        match operation {
            Operation::Read { key } => self.read(&key).await,
            Operation::Write { key, value } => self.write(key, value).await,
            Operation::Cas { .. } => Answer::Unsupported("quorum has no compare-and-set".into()),
        }
    }

    fn replica_read(&self, key: &str) -> Option<i64> {
        self.state().registers.get(key).map(|stamped| stamped.value)
    }

    async fn peer_message(&self, message: Bytes) -> Result<Vec<u8>, MessageError> {
        match decode(&message)? {
            Message::Store { key, stamped } => {
                self.state().store(&key, stamped);
                encode(&())
            }
            Message::Load { key } => encode(&self.state().registers.get(&key)),
        }
    }

    fn status(&self) -> Status {
        Status { role: Role::Peer, primary: None, ready: true }
    }
}

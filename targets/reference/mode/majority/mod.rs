//! Raft (Ongaro and Ousterhout, USENIX ATC 2014) by the crate openraft.
//!
//! Followers forward everything to the leader. Writes and compare-and-set go through the log and
//! are answered when a majority has them; reads are answered by the leader after a majority has
//! confirmed that it still leads (the read index, section 6.4 of Ongaro's thesis). A leader that
//! has not heard a majority for a second refuses at once.
//!
//! A follower that was cut off has stood for election in vain and comes back with a higher term,
//! which costs an election after the heal: openraft 0.9 has no pre-vote.

mod machine;
mod network;
mod read_index;
mod storage;

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use axum::body::Bytes;
use openraft::raft::{AppendEntriesRequest, InstallSnapshotRequest, VoteRequest};
use openraft::{EmptyNode, Raft, SnapshotPolicy};
use serde::{Deserialize, Serialize};
use tokio::time::{Duration, sleep, timeout};

use self::machine::Machine;
use self::network::Network;
use self::read_index::ReadIndex;
use self::storage::LogStore;
use super::{Mode, Starting};
use crate::reference::StartError;
use crate::reference::bug::Bug;
use crate::reference::operation::{Answer, Operation};
use crate::reference::peers::{MESSAGE_LIMIT, OPERATION_LIMIT, Peers};
use crate::reference::replica::{MessageError, Node, Replica, Role, Status, decode, encode};

pub const MODE: Mode = Mode {
    name: "majority",
    bugs: &[
        Bug::AcknowledgeBeforeCommit,
        Bug::CasIgnoresExpected,
        Bug::LoseWriteOnFailover,
        Bug::ReadFromDeposedLeader,
        Bug::StaleCache,
    ],
    start: |node| start(node, Reads::Leader),
};

/// Who answers reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reads {
    Leader,
    /// Every node, from what it has applied.
    OwnState,
}

/// A leader whom no majority has answered for so long refuses everything at once.
const SILENCE_LIMIT: Duration = Duration::from_secs(1);

openraft::declare_raft_types!(
    pub Types:
        D = Operation,
        R = Answer,
        Node = EmptyNode,
        SnapshotData = std::io::Cursor<Vec<u8>>,
);

#[derive(Debug, Serialize, Deserialize)]
enum Message {
    Forward(Operation),
    Append(AppendEntriesRequest<Types>),
    Vote(VoteRequest<u64>),
    InstallSnapshot(InstallSnapshotRequest<Types>),
}

struct Majority {
    node: Node,
    reads: Reads,
    raft: Raft<Types>,
    read_index: ReadIndex,
    machine: Machine,
}

pub fn start(node: Node, reads: Reads) -> Starting {
    Box::pin(async move {
        let (journal, records) = node.open_journal()?;
        let machine = Machine::new(node.bug);
        let raft = Raft::new(
            node.index,
            Arc::new(config()?),
            Network(node.peers.clone()),
            LogStore::new(journal, records),
            machine.clone(),
        )
        .await
        .map_err(|error| StartError::Raft(error.to_string()))?;
        if node.index == 1 {
            node.tasks.spawn(initialize(raft.clone(), node.peers.clone()));
        }
        if node.bug == Bug::LoseWriteOnFailover {
            node.tasks.spawn(lose_writes(raft.clone(), node.index, machine.clone()));
        }
        let (read_index, serve) = ReadIndex::new(raft.clone());
        node.tasks.spawn(serve);
        Ok(Arc::new(Majority { node, reads, raft, read_index, machine }) as Arc<dyn Replica>)
    })
}

fn config() -> Result<openraft::Config, StartError> {
    let config = openraft::Config {
        cluster_name: "splitbrain-reference".to_owned(),
        // Also the time limit of every message to a follower.
        heartbeat_interval: 100,
        election_timeout_min: 300,
        election_timeout_max: 450,
        // Few enough for that limit on a busy machine, or a follower could never catch up.
        max_payload_entries: 50,
        snapshot_policy: SnapshotPolicy::Never,
        replication_lag_threshold: u64::MAX,
        ..openraft::Config::default()
    };
    config.validate().map_err(|error| StartError::Raft(error.to_string()))
}

/// The first node founds the cluster when it reaches every other node.
async fn initialize(raft: Raft<Types>, peers: Arc<Peers>) {
    for peer in peers.others() {
        while !peers.reaches(peer, MESSAGE_LIMIT).await {
            sleep(Duration::from_millis(50)).await;
        }
    }
    let members: BTreeSet<u64> = (1..=peers.all().len() as u64).collect();
    // Refused if the cluster is there already (after a restart), which is as well.
    let _ = raft.initialize(members).await;
}

/// The bug lose-write-on-failover: drops the last entries whenever this node begins to lead.
async fn lose_writes(raft: Raft<Types>, own: u64, machine: Machine) {
    let mut metrics = raft.metrics();
    let mut led = false;
    while metrics.changed().await.is_ok() {
        let leads = metrics.borrow_and_update().current_leader == Some(own);
        if leads && !led {
            machine.lose_last_entries();
        }
        led = leads;
    }
}

/// Raft numbers the nodes from 1 in the order of the cluster.
fn name_of(peers: &Peers, id: u64) -> String {
    peers.all()[id as usize - 1].clone()
}

impl Majority {
    fn leader(&self) -> Option<String> {
        let leader = self.raft.metrics().borrow().current_leader;
        leader.map(|id| name_of(&self.node.peers, id))
    }

    /// Carries an operation out as the leader.
    async fn lead(&self, operation: Operation) -> Answer {
        if self.leader().as_deref() != Some(&*self.node.name) {
            return operation.not_done(format!("{} is not the leader", self.node.name));
        }
        if self.lost_majority() && !self.ignores_majority(&operation) {
            return operation.not_done("no majority has answered the leader for a second");
        }
        match &operation {
            Operation::Read { key } => self.read(key).await,
            Operation::Write { .. } if self.node.bug == Bug::AcknowledgeBeforeCommit => {
                match self.raft.client_write_ff(operation.clone()).await {
                    Ok(_) => Answer::Done,
                    Err(error) => operation.unknown(error.to_string()),
                }
            }
            Operation::Write { .. } | Operation::Cas { .. } => self.write(operation).await,
        }
    }

    /// Whether a leader that does not know yet that it is deposed can tell that it is cut off.
    fn lost_majority(&self) -> bool {
        let silence = self.raft.metrics().borrow().millis_since_quorum_ack;
        silence.is_some_and(|silence| Duration::from_millis(silence) > SILENCE_LIMIT)
    }

    /// The bugs that do without a majority.
    fn ignores_majority(&self, operation: &Operation) -> bool {
        match operation {
            Operation::Read { .. } => self.node.bug == Bug::ReadFromDeposedLeader,
            Operation::Write { .. } => self.node.bug == Bug::AcknowledgeBeforeCommit,
            Operation::Cas { .. } => false,
        }
    }

    async fn read(&self, key: &str) -> Answer {
        if self.node.bug != Bug::ReadFromDeposedLeader
            && let Err(why) = self.read_index.confirm().await
        {
            return Answer::Unavailable(why);
        }
        Answer::Value(self.machine.get(key))
    }

    /// Once Raft has it, only its commit is a definite answer: even when this node is deposed,
    /// the next leader may have the entry.
    async fn write(&self, operation: Operation) -> Answer {
        match timeout(OPERATION_LIMIT, self.raft.client_write(operation.clone())).await {
            Ok(Ok(committed)) => committed.data,
            Ok(Err(error)) => operation.unknown(error.to_string()),
            Err(_) => operation.unknown("not committed in time; it may be yet"),
        }
    }
}

#[async_trait]
impl Replica for Majority {
    async fn execute(&self, operation: Operation) -> Answer {
        if let (Operation::Read { key }, Reads::OwnState) = (&operation, self.reads) {
            return Answer::Value(self.machine.get(key));
        }
        match self.leader() {
            None => operation.not_done("no leader is known"),
            Some(leader) if leader == self.node.name => self.lead(operation).await,
            Some(leader) => {
                let message = Message::Forward(operation.clone());
                self.node.peers.forward(&leader, &operation, &message).await
            }
        }
    }

    fn replica_read(&self, key: &str) -> Option<i64> {
        self.machine.get(key)
    }

    async fn peer_message(&self, message: Bytes) -> Result<Vec<u8>, MessageError> {
        match decode(&message)? {
            Message::Forward(operation) => encode(&self.lead(operation).await),
            Message::Append(request) => encode(&self.raft.append_entries(request).await),
            Message::Vote(request) => encode(&self.raft.vote(request).await),
            Message::InstallSnapshot(request) => encode(&self.raft.install_snapshot(request).await),
        }
    }

    fn status(&self) -> Status {
        let primary = self.leader();
        let leads = primary.as_deref() == Some(&*self.node.name);
        Status {
            role: if leads { Role::Primary } else { Role::Replica },
            ready: primary.is_some(),
            primary,
        }
    }

    async fn stop(&self) {
        // An error says that it has stopped already.
        let _ = self.raft.shutdown().await;
    }
}

//! A primary that orders operations in a log and ships it to its replicas: what primary-sync,
//! primary-async and failover-async have in common. They differ in their [`Policy`].
//!
//! Terms number the primaries, one each. Within a term the log only grows, so a replica's length
//! says all about what it has. Between terms nothing is compared: who learns of a newer term
//! adopts the whole state of that term's primary.

mod election;
mod log;
mod shipping;
mod state;

use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use axum::body::Bytes;
use serde::{Deserialize, Serialize};
use tokio::sync::{oneshot, watch};

use self::election::Ballot;
use self::log::{Adopt, Log};
use self::shipping::Append;
use self::state::State;
use super::Starting;
use crate::reference::bug::Bug;
use crate::reference::operation::{Answer, Operation};
use crate::reference::peers::OPERATION_LIMIT;
use crate::reference::replica::{MessageError, Node, Replica, Role, Status, decode, encode};

/// What a mode decides.
#[derive(Debug, Clone, Copy)]
pub struct Policy {
    pub acknowledge: Acknowledge,
    pub reads: Reads,
    /// Whether replicas elect a new primary when they do not hear theirs.
    pub failover: bool,
}

/// When the primary applies an entry and answers the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acknowledge {
    AtOnce,
    WhenAllHaveIt,
}

/// Who answers reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reads {
    Primary,
    /// Every node, from its own copy.
    OwnCopy,
}

#[derive(Debug, Serialize, Deserialize)]
enum Message {
    Forward(Operation),
    Append(Append),
    Adopt(Adopt),
    Vote(Ballot),
}

struct PrimaryBackup {
    node: Node,
    policy: Policy,
    state: Mutex<State>,
    /// Changes when there is something to ship.
    wake: watch::Sender<()>,
}

pub fn start(node: Node, policy: Policy) -> Starting {
    Box::pin(async move {
        let (journal, records) = node.open_journal()?;
        let first = node.peers.all()[0].clone();
        let log = Log::new(journal, node.bug);
        let state = Mutex::new(State::reload(&node.name, &first, policy, log, records));
        let wake = watch::Sender::new(());
        let replica = Arc::new(PrimaryBackup { node, policy, state, wake });
        for peer in replica.node.peers.others() {
            replica.node.tasks.spawn(shipping::ship(replica.clone(), peer.clone()));
        }
        if policy.failover {
            replica.node.tasks.spawn(election::watch_primary(replica.clone()));
        }
        Ok(replica as Arc<dyn Replica>)
    })
}

impl PrimaryBackup {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no holder of the lock panics")
    }

    /// Carries an operation out as the primary.
    async fn lead(&self, operation: Operation) -> Answer {
        let waiter = match self.begin(&operation) {
            Begun::Answered(answer) => return answer,
            Begun::Pending(waiter) => waiter,
        };
        match tokio::time::timeout(OPERATION_LIMIT, waiter).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => operation.unknown("this node restarted"),
            Err(_) if self.node.bug == Bug::FailedWriteApplies => {
                operation.not_done("not every replica has it in time")
            }
            Err(_) => operation.unknown("not every replica has it yet; it stays in the log"),
        }
    }

    fn begin(&self, operation: &Operation) -> Begun {
        let mut state = self.state();
        if state.role != Role::Primary {
            let why = format!("{} is not the primary", self.node.name);
            return Begun::Answered(operation.not_done(why));
        }
        if let Operation::Read { key } = operation {
            return Begun::Answered(if state.recovered() {
                Answer::Value(state.log.registers().get(key))
            } else {
                operation.not_done("the log from before the restart is not committed yet")
            });
        }
        if self.policy.acknowledge == Acknowledge::WhenAllHaveIt
            && let Some(silent) = state.silent_replica(&self.node.peers)
        {
            return Begun::Answered(operation.not_done(format!("{silent} does not answer")));
        }
        let index = state.log.push(operation.clone());
        self.wake.send_replace(());
        if self.policy.acknowledge == Acknowledge::AtOnce {
            let mut own = Answer::Done;
            state.log.apply_to(index + 1, |_, answer| own = answer);
            return Begun::Answered(own);
        }
        if self.node.bug == Bug::AcknowledgeBeforeCommit
            && matches!(operation, Operation::Write { .. })
        {
            return Begun::Answered(Answer::Done);
        }
        let (sender, receiver) = oneshot::channel();
        state.waiters.insert(index, sender);
        state.commit(&self.node.peers);
        Begun::Pending(receiver)
    }
}

/// How far an operation got at once.
enum Begun {
    Answered(Answer),
    Pending(oneshot::Receiver<Answer>),
}

#[async_trait]
impl Replica for PrimaryBackup {
    async fn execute(&self, operation: Operation) -> Answer {
        if let (Operation::Read { key }, Reads::OwnCopy) = (&operation, self.policy.reads) {
            return Answer::Value(self.replica_read(key));
        }
        let primary = {
            let state = self.state();
            if state.role == Role::Primary {
                Some(self.node.name.clone())
            } else {
                state.primary.clone()
            }
        };
        match primary {
            None => operation.not_done("no primary is known"),
            Some(primary) if primary == self.node.name => self.lead(operation).await,
            Some(primary) => {
                let message = Message::Forward(operation.clone());
                self.node.peers.forward(&primary, &operation, &message).await
            }
        }
    }

    fn replica_read(&self, key: &str) -> Option<i64> {
        self.state().log.registers().get(key)
    }

    async fn peer_message(&self, message: Bytes) -> Result<Vec<u8>, MessageError> {
        match decode(&message)? {
            Message::Forward(operation) => encode(&self.lead(operation).await),
            Message::Append(append) => encode(&self.state().append(append, self.node.bug)),
            Message::Adopt(adopt) => encode(&self.state().adopt(adopt, self.node.bug)),
            Message::Vote(ballot) => encode(&self.state().vote(&ballot)),
        }
    }

    fn status(&self) -> Status {
        let state = self.state();
        match state.role {
            Role::Primary => Status {
                role: Role::Primary,
                primary: Some(self.node.name.clone()),
                ready: self.node.peers.others().all(|peer| state.held.contains_key(peer)),
            },
            _ => Status {
                role: Role::Replica,
                primary: state.primary.clone(),
                ready: state.primary.is_some() && state.heard.is_some(),
            },
        }
    }
}

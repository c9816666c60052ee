//! What every mode implements ([`Replica`]) and what it is given ([`Node`]).

use std::future::Future;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use axum::body::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::task::JoinSet;

use super::StartError;
use super::bug::Bug;
use super::journal::Journal;
use super::operation::{Answer, Operation};
use super::peers::Peers;

/// One node's part of the store, in one mode.
#[async_trait]
pub trait Replica: Send + Sync {
    /// Carries out a client's operation. Has to answer within
    /// [`FORWARD_LIMIT`](super::peers::FORWARD_LIMIT); the caller may drop the future.
    async fn execute(&self, operation: Operation) -> Answer;

    /// This node's own copy, whatever its age.
    fn replica_read(&self, key: &str) -> Option<i64>;

    /// Takes a message of another replica of the same mode and returns the answer.
    async fn peer_message(&self, message: Bytes) -> Result<Vec<u8>, MessageError>;

    fn status(&self) -> Status;

    /// Ends what does not end with [`Tasks::stop`].
    async fn stop(&self) {}
}

/// What a replica says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    pub role: Role,
    /// Who leads, as far as this node knows.
    pub primary: Option<String>,
    /// Whether operations can be expected to succeed here.
    pub ready: bool,
}

/// A node's part in its mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    Primary,
    Replica,
    /// No node is different from the others.
    Peer,
}

/// A message that this mode does not know.
#[derive(Debug, thiserror::Error)]
#[error("not a message of this mode: {0}")]
pub struct MessageError(#[from] pub serde_json::Error);

/// Takes a message apart.
pub fn decode<M: DeserializeOwned>(message: &[u8]) -> Result<M, MessageError> {
    Ok(serde_json::from_slice(message)?)
}

/// The answer to a message.
pub fn encode<R: Serialize>(answer: &R) -> Result<Vec<u8>, MessageError> {
    Ok(serde_json::to_vec(answer)?)
}

/// What a replica knows of its place in the cluster.
#[derive(Debug, Clone)]
pub struct Node {
    pub name: String,
    /// From 1, in the order of the cluster.
    pub index: u64,
    pub peers: Arc<Peers>,
    pub bug: Bug,
    /// Where this node keeps what has to survive a restart.
    pub journal: PathBuf,
    /// How many replicas a read asks (mode quorum).
    pub read_quorum: usize,
    /// How many replicas have to have a write before it is acknowledged (mode quorum).
    pub write_quorum: usize,
    /// Seeds this node's random choices.
    pub seed: u64,
    pub tasks: Tasks,
}

impl Node {
    /// Opens this node's journal and returns what it had to know after a restart.
    pub fn open_journal<T: Serialize + DeserializeOwned>(
        &self,
    ) -> Result<(Journal<T>, Vec<T>), StartError> {
        Journal::open(&self.journal)
            .map_err(|source| StartError::Journal { path: self.journal.clone(), source })
    }
}

/// A node's background tasks; they end together when the node stops.
#[derive(Debug, Clone, Default)]
pub struct Tasks(Arc<Mutex<JoinSet<()>>>);

impl Tasks {
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut tasks = self.0.lock().expect("no task panics while it holds the lock");
        while tasks.try_join_next().is_some() {}
        tasks.spawn(task);
    }

    /// Ends all of them where they wait.
    pub fn stop(&self) {
        self.0.lock().expect("no task panics while it holds the lock").abort_all();
    }
}

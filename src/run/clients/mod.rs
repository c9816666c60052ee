//! The clients beside the nodes.
//!
//! - [`NodeClients`]: the handle of one node's clients, for the timeline
//! - `beside`: the thread beside the node, on which they run
//! - `process`: one logical process, from its invocation to its completion

mod beside;
mod process;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::thread::JoinHandle;
use std::time::Duration;

use splitbrain_checkers::history::{Name, Value};
use splitbrain_targets::driver::{Cluster, Driver, Node};
use tokio::sync::{mpsc, oneshot, watch};

use super::record::Recorder;
use crate::clock::Clock;
use crate::fault::HarnessFault;
use crate::generator::Keys;
use crate::plan::Workload;

/// What all clients of a run share.
pub struct Shared {
    pub driver: Arc<dyn Driver>,
    pub cluster: Cluster,
    pub workload: Workload,
    pub seed: u64,
    pub clock: Clock,
    pub keys: Keys,
    pub warm_up_keys: Keys,
    pub recorder: Recorder,
    pub tally: Tally,
    /// Whatever ends the run without a verdict.
    pub faults: mpsc::UnboundedSender<HarnessFault>,
    pub next_process: AtomicU64,
}

/// Operations so far, for the progress line.
#[derive(Debug, Default)]
pub struct Tally {
    pub ok: AtomicU64,
    pub fail: AtomicU64,
    pub info: AtomicU64,
}

/// What a node says of its own copy of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Copy {
    Holds(Value),
    /// It has no part in this key (another shard's node).
    NotHeld,
    NoAnswer,
}

/// What the clients of a node do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// Begin nothing.
    Paused,
    /// Begin operations that are not recorded.
    WarmUp,
    Recorded,
}

/// What the timeline tells the clients of a node.
enum Command {
    /// Read, unrecorded, until there is an answer or the time is up.
    FirstAnswer(Duration, oneshot::Sender<Result<(), String>>),
    /// Wait until no operation is in flight.
    Drain(oneshot::Sender<()>),
    /// Read every key once, as clients do.
    ReadAll(Vec<Name>, oneshot::Sender<()>),
    /// Read the node's own copy of every key.
    Poll(Vec<Name>, oneshot::Sender<BTreeMap<Name, Copy>>),
}

/// The handle of one node's clients. Dropping it ends the thread, whatever it waits for.
pub struct NodeClients {
    pub node: Name,
    mode: watch::Sender<Mode>,
    commands: mpsc::UnboundedSender<Command>,
    thread: Option<JoinHandle<()>>,
}

impl NodeClients {
    /// Starts the thread; `enter` is called on it first (to enter the node's namespace).
    pub fn start(
        shared: Arc<Shared>,
        node: Node,
        enter: impl FnOnce() -> Result<(), String> + Send + 'static,
    ) -> std::io::Result<NodeClients> {
        let (mode, mode_receiver) = watch::channel(Mode::Paused);
        let (commands, command_receiver) = mpsc::unbounded_channel();
        let name = node.name.clone();
        let thread = std::thread::Builder::new()
            .name(format!("clients-{name}"))
            .spawn(move || beside::serve(shared, node, enter, mode_receiver, command_receiver))?;
        Ok(NodeClients { node: name, mode, commands, thread: Some(thread) })
    }

    /// Waits until a client here has had an answer; an error says what came instead.
    pub async fn first_answer(&self, within: Duration) -> Result<(), String> {
        let (reply, answer) = oneshot::channel();
        if self.commands.send(Command::FirstAnswer(within, reply)).is_err() {
            return Err("the clients' thread has ended".into());
        }
        answer.await.unwrap_or_else(|_| Err("the clients' thread has ended".into()))
    }

    /// Lets the clients begin operations that are not recorded, on keys of their own, so that
    /// connections are open and the servers are warm when the first recorded one begins.
    pub fn warm_up(&self) {
        self.mode.send_replace(Mode::WarmUp);
    }

    /// Lets the clients begin operations.
    pub fn resume(&self) {
        self.mode.send_replace(Mode::Recorded);
    }

    /// Lets no further operation begin; those in flight go on.
    pub fn pause(&self) {
        self.mode.send_replace(Mode::Paused);
    }

    /// Waits until no operation is in flight.
    pub async fn drained(&self) {
        let (reply, answer) = oneshot::channel();
        if self.commands.send(Command::Drain(reply)).is_ok() {
            // An error means that the thread has ended, and with it every operation.
            let _ = answer.await;
        }
    }

    /// Reads every key once, as clients do.
    pub async fn read_all(&self, keys: Vec<Name>) {
        let (reply, answer) = oneshot::channel();
        if self.commands.send(Command::ReadAll(keys, reply)).is_ok() {
            // An error means that the thread has ended, and with it every operation.
            let _ = answer.await;
        }
    }

    /// Reads the node's own copy of every key.
    pub async fn poll(&self, keys: Vec<Name>) -> BTreeMap<Name, Copy> {
        let (reply, answer) = oneshot::channel();
        if self.commands.send(Command::Poll(keys, reply)).is_err() {
            return BTreeMap::new();
        }
        answer.await.unwrap_or_default()
    }
}

impl Drop for NodeClients {
    fn drop(&mut self) {
        // With the sender of the mode gone the clients have nobody to work for.
        self.mode = watch::channel(Mode::Paused).0;
        if let Some(thread) = self.thread.take() {
            // A panic on the thread has been reported as a harness fault.
            let _ = thread.join();
        }
    }
}

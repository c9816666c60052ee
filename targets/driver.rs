//! What every database adapter implements: [`Driver`] and [`Client`].
//!
//! A driver turns operations into requests of one database and every answer or error into one
//! of four outcomes. It knows nothing of workloads, faults or checkers.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::{Arc, PoisonError, RwLock};

use async_trait::async_trait;
use splitbrain_checkers::history::{Function, Name, Value};

/// One server of the cluster under test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// `n1`, `n2`, ...
    pub name: Name,
    /// From 1.
    pub index: usize,
    pub ip: Ipv4Addr,
    /// Where clients connect; `None`: the database's usual port.
    pub port: Option<u16>,
}

impl Node {
    /// Where clients connect; `usual` is the database's usual port.
    pub fn address(&self, usual: u16) -> SocketAddrV4 {
        SocketAddrV4::new(self.ip, self.port.unwrap_or(usual))
    }
}

/// The cluster as a driver sees it.
#[derive(Debug, Clone)]
pub struct Cluster {
    pub nodes: Vec<Node>,
    /// Every setting of the target with its chosen value.
    pub settings: BTreeMap<String, String>,
    pub barrier: Barrier,
}

/// The pairs of nodes that are cut off from each other at this moment, for clients that reach all
/// of them: one that followed a redirection across would carry data over the cut. Copies share it.
#[derive(Debug, Clone, Default)]
pub struct Barrier(Arc<RwLock<BTreeSet<(Name, Name)>>>);

impl Barrier {
    /// From now on exactly these pairs are cut off, each in both directions.
    pub fn set(&self, pairs: impl IntoIterator<Item = (Name, Name)>) {
        let pairs = pairs.into_iter().flat_map(|(a, b)| [(a.clone(), b.clone()), (b, a)]);
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = pairs.collect();
    }

    /// Whether these two are cut off from each other.
    pub fn is_between(&self, a: &Name, b: &Name) -> bool {
        let pairs = self.0.read().unwrap_or_else(PoisonError::into_inner);
        pairs.iter().any(|(from, to)| from == a && to == b)
    }
}

impl Cluster {
    /// A cluster of which nobody is cut off.
    pub fn new(nodes: Vec<Node>, settings: BTreeMap<String, String>) -> Cluster {
        Cluster { nodes, settings, barrier: Barrier::default() }
    }

    /// The chosen value of a setting; empty if the target does not have it.
    pub fn setting(&self, name: &str) -> &str {
        self.settings.get(name).map_or("", String::as_str)
    }
}

/// One operation to carry out.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    pub f: Function,
    pub key: Name,
    /// The value to write; `[expected, new]` of a cas; nil for a read.
    pub value: Value,
}

/// How an operation ended, as far as the client can know.
///
/// Connection refused before anything was sent is `Fail`; anything after the request left
/// without a definite answer is `Info`. A read that fails is always `Fail`: it changed nothing.
#[derive(Debug, Clone, PartialEq)]
pub enum Reply {
    /// It took effect; for a read, the value (nil: no such key).
    Ok(Value),
    /// A compare-and-set that was answered definitely: the value differs, nothing changed.
    Mismatch,
    /// It surely did not take effect; the database's words.
    Fail(String),
    /// It may take effect, now, later or never; the database's words.
    Info(String),
}

/// A database that can be driven.
#[async_trait]
pub trait Driver: Send + Sync {
    /// Opens one logical client at `node`. Called inside that node's network namespace, on the
    /// runtime on which the client will be used. Clients of one node may share connections.
    async fn connect(&self, cluster: &Cluster, node: &Node) -> Result<Box<dyn Client>, String>;

    /// The node that leads now, for `isolate: primary`; `None` while there is none. Called from
    /// outside the nodes, with every node in reach. An error says that the target has no such
    /// notion or that nobody could be asked.
    async fn primary(&self, cluster: &Cluster) -> Result<Option<Name>, String>;

    /// What it can be asked for. A target whose `operations` name anything else does not fit.
    fn operations(&self) -> Vec<Function> {
        vec![Function::Read, Function::Write, Function::Cas, Function::ReplicaRead]
    }
}

/// One logical client: at most one request in flight.
#[async_trait]
pub trait Client: Send {
    /// Carries out one request. The caller drops the future when its time is up (and records
    /// that as indeterminate), so this must be safe to cancel; the client is not used again
    /// after that, nor after an `Info`.
    async fn request(&mut self, request: &Request) -> Reply;
}

//! A cluster under test: its nodes are tasks, its links are cut in the peer clients.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use crate::reference::bug::Bug;
use crate::reference::mode;
use crate::reference::server::{Disk, Server};
use crate::reference::{Arguments, Log, Peer, node};

pub struct Cluster {
    nodes: Vec<TestNode>,
    client: reqwest::Client,
}

struct TestNode {
    name: String,
    address: SocketAddr,
    peers: Arc<crate::reference::peers::Peers>,
    server: Arc<Server>,
    http: JoinHandle<()>,
    _data: TempDir,
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for node in &self.nodes {
            node.http.abort();
        }
    }
}

impl Cluster {
    /// A cluster of three nodes (one in mode single) that is ready. Nodes are counted from 1.
    pub async fn start(mode: &str, bug: Bug) -> Cluster {
        Cluster::of(if mode == "single" { 1 } else { 3 }, mode, bug).await
    }

    /// A cluster of so many nodes that is ready.
    pub async fn of(count: usize, mode: &str, bug: Bug) -> Cluster {
        let mut listeners = Vec::new();
        for _ in 0..count {
            listeners.push(TcpListener::bind("127.0.0.1:0").await.unwrap());
        }
        let peers: Vec<_> = (1..)
            .zip(&listeners)
            .map(|(i, listener)| Peer {
                name: format!("n{i}"),
                address: listener.local_addr().unwrap(),
            })
            .collect();
        let mut nodes = Vec::new();
        for (peer, listener) in peers.iter().zip(listeners) {
            let data = tempfile::tempdir().unwrap();
            let arguments = Arguments {
                node: peer.name.clone(),
                peers: peers.clone(),
                data: data.path().to_owned(),
                mode: mode::named(mode).unwrap(),
                bug,
                read_quorum: 2,
                write_quorum: 2,
                seed: 7,
                log: Log::Quiet,
            };
            let (node, address) = node(arguments).unwrap();
            let (name, peers) = (node.name.clone(), node.peers.clone());
            let mode = mode::named(mode).unwrap();
            let server = Arc::new(Server::start(mode, node, Log::Quiet).await.unwrap());
            let running = server.clone();
            let http = tokio::spawn(async move { running.run(listener).await.unwrap() });
            nodes.push(TestNode { name, address, peers, server, http, _data: data });
        }
        let cluster = Cluster { nodes, client: reqwest::Client::new() };
        for i in 1..=count {
            eventually(async || cluster.status(i).await["ready"] == true).await;
        }
        cluster
    }

    pub fn count(&self) -> usize {
        self.nodes.len()
    }

    /// Cuts one node off from all others.
    pub fn isolate(&self, i: usize) {
        let alone = &self.nodes[i - 1];
        for node in &self.nodes {
            let mut cut = node.peers.cut.lock().unwrap();
            if node.name == alone.name {
                *cut = self.nodes.iter().map(|node| node.name.clone()).collect();
            } else {
                cut.insert(alone.name.clone());
            }
        }
    }

    pub fn heal(&self) {
        for node in &self.nodes {
            *node.peers.cut.lock().unwrap() = BTreeSet::new();
        }
    }

    pub async fn restart(&self, i: usize) {
        self.nodes[i - 1].server.restart(Disk::Kept).await.unwrap();
    }

    pub async fn status(&self, i: usize) -> Value {
        let url = format!("http://{}/status", self.nodes[i - 1].address);
        self.client.get(url).send().await.unwrap().json().await.unwrap()
    }

    /// The node that says of itself that it leads; all that do, in a split brain.
    pub async fn primaries(&self) -> Vec<usize> {
        let mut primaries = Vec::new();
        for i in 1..=self.count() {
            if self.status(i).await["role"] == "primary" {
                primaries.push(i);
            }
        }
        primaries
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> (u16, Value) {
        let response = request.send().await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap_or(Value::Null))
    }

    fn url(&self, i: usize, path: &str) -> String {
        format!("http://{}/{path}", self.nodes[i - 1].address)
    }

    /// Writes at a node and returns the status.
    pub async fn write(&self, i: usize, key: &str, value: i64) -> u16 {
        let url = self.url(i, &format!("registers/{key}"));
        self.send(self.client.put(url).json(&json!({ "value": value }))).await.0
    }

    /// Writes at a node until that is acknowledged: on a busy machine a working cluster too may
    /// need a second attempt.
    pub async fn acknowledges(&self, i: usize, key: &str, value: i64) {
        eventually(async || self.write(i, key, value).await == 200).await;
    }

    pub async fn cas(&self, i: usize, key: &str, expected: i64, new: i64) -> u16 {
        let url = self.url(i, &format!("registers/{key}/cas"));
        self.send(self.client.post(url).json(&json!({ "expected": expected, "new": new }))).await.0
    }

    /// Reads at a node: the value, or the status if there is none.
    pub async fn read(&self, i: usize, key: &str) -> Result<i64, u16> {
        let url = self.url(i, &format!("registers/{key}"));
        let (status, body) = self.send(self.client.get(url)).await;
        body["value"].as_i64().ok_or(status)
    }

    /// The node's own copy.
    pub async fn copy(&self, i: usize, key: &str) -> Option<i64> {
        let url = self.url(i, &format!("replica/{key}"));
        self.send(self.client.get(url)).await.1["value"].as_i64()
    }

    pub async fn copies(&self, key: &str) -> Vec<Option<i64>> {
        let mut copies = Vec::new();
        for i in 1..=self.count() {
            copies.push(self.copy(i, key).await);
        }
        copies
    }

    /// Waits until every node's own copy has the value.
    pub async fn converges_to(&self, key: &str, value: i64) {
        eventually(async || self.copies(key).await.iter().all(|copy| *copy == Some(value))).await;
    }

    /// Waits until another node than `old` leads alone, as far as the others know.
    pub async fn new_primary(&self, old: usize) -> usize {
        let others: Vec<_> = (1..=self.count()).filter(|i| *i != old).collect();
        let mut found = 0;
        eventually(async || {
            let mut primaries = self.primaries().await;
            primaries.retain(|i| others.contains(i));
            found = primaries.first().copied().unwrap_or(0);
            let name = format!("n{found}");
            for i in &others {
                if self.status(*i).await["primary"] != name.as_str() {
                    return false;
                }
            }
            true
        })
        .await;
        found
    }
}

/// Waits until it holds; that it never does fails the test.
pub async fn eventually(mut holds: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !holds().await {
        assert!(Instant::now() < deadline, "did not come to hold");
        sleep(Duration::from_millis(20)).await;
    }
}

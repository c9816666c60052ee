//! The reference cluster: a small replicated store of integer registers, one process per node,
//! HTTP, in modes that are the designs which people argue about, each with a verdict that is
//! known in advance, and with seeded bugs that have to be found.
//!
//! It runs from the splitbrain binary itself ([`Arguments`], [`serve`]). `README.md` in this
//! folder describes the modes and the bugs.

mod bug;
mod http;
mod journal;
mod mode;
mod operation;
mod peers;
mod replica;
mod server;
mod stale_cache;
mod suspicion;
#[cfg(test)]
mod tests;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

use tokio::net::TcpListener;

use self::bug::Bug;
use self::mode::Mode;
use self::peers::Peers;
use self::replica::{Node, Tasks};
use self::server::Server;

/// What `splitbrain reference-node` is given.
#[derive(Debug, Clone, clap::Args)]
pub struct Arguments {
    /// This node's name.
    #[arg(long)]
    pub node: String,
    /// Every node of the cluster, this one included, as n1=10.77.0.1:8000,n2=...
    #[arg(long, required = true, value_delimiter = ',')]
    pub peers: Vec<Peer>,
    /// The folder for what has to survive a restart.
    #[arg(long)]
    pub data: PathBuf,
    /// The design of the store.
    #[arg(long, value_parser = mode::named)]
    pub mode: &'static Mode,
    /// A seeded bug.
    #[arg(long, default_value = "none")]
    pub bug: Bug,
    /// How many replicas a read asks (mode quorum).
    #[arg(long, default_value_t = 2)]
    pub read_quorum: usize,
    /// How many replicas have to have a write before it is acknowledged (mode quorum).
    #[arg(long, default_value_t = 2)]
    pub write_quorum: usize,
    /// Seeds the node's random choices.
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
    /// What the node writes to its standard output.
    #[arg(long, value_enum, default_value_t = Log::Quiet)]
    pub log: Log,
}

/// What a node writes to its standard output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Log {
    /// Nothing.
    Quiet,
    /// A line for every request of a client, before it is carried out.
    Requests,
}

/// A node's name and address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    pub name: String,
    pub address: SocketAddr,
}

impl FromStr for Peer {
    type Err = String;

    fn from_str(text: &str) -> Result<Peer, String> {
        let wanted =
            || format!("'{text}' is not a node: expected NAME=IP:PORT, as n1=10.77.0.1:8000");
        let (name, address) = text.split_once('=').ok_or_else(wanted)?;
        let address = address.parse().map_err(|_| wanted())?;
        if name.is_empty() {
            return Err(wanted());
        }
        Ok(Peer { name: name.to_owned(), address })
    }
}

/// Why a node could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("--node {node} is not one of --peers: {known}")]
    UnknownNode { node: String, known: String },
    #[error("--peers names {name} twice")]
    PeerTwice { name: String },
    #[error("mode {mode} cannot have the bug {bug}; it takes {accepted}")]
    BugNotInMode { bug: String, mode: &'static str, accepted: String },
    #[error("mode {mode} needs {wanted}, but --peers has {count}")]
    Nodes { mode: &'static str, wanted: &'static str, count: usize },
    #[error("--{name}-quorum {quorum} is not possible with {count} nodes: 1 to {count} are")]
    Quorum { name: &'static str, quorum: usize, count: usize },
    #[error("cannot create the data folder {path}: {source}")]
    DataFolder { path: PathBuf, source: io::Error },
    #[error("cannot use the journal {path}: {source}")]
    Journal { path: PathBuf, source: io::Error },
    #[error("cannot listen on {address}: {source}")]
    Listen { address: SocketAddr, source: io::Error },
    #[error("cannot set up the HTTP client: {0}")]
    Client(#[from] reqwest::Error),
    #[error("cannot start Raft: {0}")]
    Raft(String),
    #[error("the HTTP server failed: {0}")]
    Serve(io::Error),
}

/// Runs one node until its process is ended. A runtime of a single thread is enough and is the
/// least overhead.
pub async fn serve(arguments: Arguments) -> Result<(), StartError> {
    let mode = arguments.mode;
    let log = arguments.log;
    let (node, address) = node(arguments)?;
    let server = Server::start(mode, node, log).await?;
    let listener = TcpListener::bind(address)
        .await
        .map_err(|source| StartError::Listen { address, source })?;
    server.run(listener).await.map_err(StartError::Serve)
}

/// Checks the arguments and prepares the data folder; also returns where to listen.
fn node(arguments: Arguments) -> Result<(Node, SocketAddr), StartError> {
    let names: Vec<_> = arguments.peers.iter().map(|peer| peer.name.clone()).collect();
    if let Some(i) = (1..names.len()).find(|&i| names[..i].contains(&names[i])) {
        return Err(StartError::PeerTwice { name: names[i].clone() });
    }
    let Some(position) = names.iter().position(|name| *name == arguments.node) else {
        return Err(StartError::UnknownNode { node: arguments.node, known: names.join(", ") });
    };
    std::fs::create_dir_all(&arguments.data)
        .map_err(|source| StartError::DataFolder { path: arguments.data.clone(), source })?;
    let addresses: Vec<_> =
        arguments.peers.into_iter().map(|peer| (peer.name, peer.address)).collect();
    let address = addresses[position].1;
    let index = position as u64 + 1;
    let node = Node {
        peers: Arc::new(Peers::new(&arguments.node, &addresses)?),
        name: arguments.node,
        index,
        bug: arguments.bug,
        journal: arguments.data.join("journal.jsonl"),
        read_quorum: arguments.read_quorum,
        write_quorum: arguments.write_quorum,
        // Nodes must not make the same choices at the same time.
        seed: arguments.seed.wrapping_add(index),
        tasks: Tasks::default(),
    };
    Ok((node, address))
}

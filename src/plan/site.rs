//! Where a node's server is: brought up in the sandbox, or running already, and then how its
//! machine is reached.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::model::Ready;

/// Where a node's server is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Site {
    /// The run starts it, in a network namespace of its own.
    Sandbox(Server),
    /// A process on this host that shares its addresses with other nodes.
    Local {
        /// `None`: whoever listens at the node's address.
        process: Option<u32>,
    },
    /// In the network namespace of this process.
    Namespace { process: u32 },
    /// In a container, which is a namespace with a name; the process is its first one.
    Docker { container: String, process: u32 },
    /// On a host of its own.
    Ssh(SshHost),
}

impl Site {
    /// The process whose network namespace the node has, if it is on this host with one of its own.
    pub fn namespace_process(&self) -> Option<u32> {
        match self {
            Site::Namespace { process } | Site::Docker { process, .. } => Some(*process),
            Site::Sandbox(_) | Site::Local { .. } | Site::Ssh(_) => None,
        }
    }
}

/// How a server is started. Two placeholders are left for the run to fill: `{data}` (the node's
/// data folder) and `{self}` (the splitbrain binary).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    /// Shell command that runs it in the foreground.
    pub start: String,
    pub environment: BTreeMap<String, String>,
    /// Files written into the node's data folder before it starts: relative path to content.
    pub files: BTreeMap<String, String>,
    pub ready: Ready,
}

/// A host and how to log in there. What is absent is up to the user's ssh configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct SshHost {
    /// A name of the ssh configuration, a host name or an address.
    pub host: String,
    pub user: Option<String>,
    pub port: Option<u16>,
    /// File with the private key.
    pub key: Option<PathBuf>,
    /// Hosts to go through, as `ssh -J` takes them: `[USER@]HOST[:PORT],...`.
    pub jump: Option<String>,
    /// File with the keys of known hosts, instead of the user's.
    pub known_hosts: Option<PathBuf>,
    /// Whether root's rights are got by `sudo -n`; else the user has them.
    pub sudo: bool,
}

/// Where the clients of a node run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Clients {
    /// In the node's network namespace: cut off exactly when the node is.
    Beside,
    /// Where the controller runs: they reach every node throughout.
    Outside,
}

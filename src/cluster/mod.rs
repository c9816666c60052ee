//! The cluster under test: its nodes up, watched, ready and down.
//!
//! A node is a process group inside the node's own namespaces. Its configuration, log and exit
//! status are kept in the results; its data are in memory that vanishes with the sandbox.

mod node;
mod ready;

use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;

use tokio::sync::mpsc;

use crate::fault::HarnessFault;
use crate::plan::{NodePlan, Server, Site, Target};
use crate::sandbox::Network;

pub use node::RunningNode;

/// Every node of a run.
pub struct RunningCluster {
    nodes: Vec<RunningNode>,
}

impl RunningCluster {
    /// Starts every node, runs the recipe's `prepare`, and waits until the cluster says that it
    /// works. `nodes_folder` is where configuration and logs are kept. Whatever dies on its own
    /// from now on is sent to `faults`.
    pub async fn start(
        target: &Target,
        network: &Arc<Network>,
        nodes_folder: &Path,
        faults: &mpsc::UnboundedSender<HarnessFault>,
    ) -> Result<RunningCluster, HarnessFault> {
        let mut nodes = Vec::new();
        for (plan, server) in servers(target) {
            let (name, folder) = (&plan.name, nodes_folder.join(&*plan.name));
            nodes.push(RunningNode::start(name, server, network, &folder, faults)?);
            tracing::info!("{name} is started");
        }
        let cluster = RunningCluster { nodes };
        if let Some(command) = &target.prepare {
            cluster.prepare(command).await?;
        }
        for ((plan, server), node) in servers(target).zip(&cluster.nodes) {
            ready::wait(&server.ready, node).await?;
            tracing::info!("{} is ready", plan.name);
        }
        Ok(cluster)
    }

    async fn prepare(&self, command: &str) -> Result<(), HarnessFault> {
        let output = tokio::process::Command::new("sh")
            .arg("-c")
            .arg(command)
            .stdin(Stdio::null())
            .output()
            .await
            .map_err(|error| HarnessFault::Sandbox(format!("sh cannot be run: {error}")))?;
        if output.status.success() {
            return Ok(());
        }
        let said = [output.stdout, output.stderr].concat();
        Err(HarnessFault::PrepareFailed {
            command: command.to_string(),
            status: output.status.to_string(),
            said: String::from_utf8_lossy(&said).trim().to_string(),
            logs: self.nodes.iter().map(RunningNode::last_words).collect(),
        })
    }

    /// Ends every node and waits for it; keeps how each ended beside its log.
    pub async fn stop(self) {
        for node in &self.nodes {
            node.end();
        }
        for node in self.nodes {
            node.ended().await;
        }
    }
}

/// The nodes that a run starts.
fn servers(target: &Target) -> impl Iterator<Item = (&NodePlan, &Server)> {
    target.nodes.iter().filter_map(|node| match &node.site {
        Site::Sandbox(server) => Some((node, server)),
        _ => None,
    })
}

//! A run: clients and nemesis on one timeline, inside the sandbox.
//!
//! Everything that happens is written as it happens; nothing is concluded here.

pub mod clients;

pub mod record;
mod settle;
#[cfg(test)]
mod tests;
mod timeline;

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use splitbrain_targets::driver::{Cluster, Driver, Node};
use tokio::sync::{mpsc, watch};

use crate::clock::Clock;
use crate::cluster::RunningCluster;
use crate::fault::HarnessFault;
use crate::generator::Keys;
use crate::nemesis::Nemesis;
use crate::plan::Plan;
use crate::progress::{Progress, Update};
use crate::sandbox::{Inside, LinkEvent, Network, Prober};
use crate::store::{Ending, RunFolder};
use clients::{NodeClients, Shared, Tally};
use record::Recorder;
use timeline::Timeline;

/// How long all clients may take until each has had one answer.
const FIRST_ANSWER: Duration = Duration::from_secs(30);
/// How long it may take until probes get through on every link.
const LINKS_UP: Duration = Duration::from_secs(10);

/// Brings the cluster up, plays the timeline, takes the cluster down. `stop` turns true when
/// somebody wants the run to end early: it is healed and ends as interrupted.
pub async fn run(
    inside: &Inside,
    plan: &Plan,
    folder: &RunFolder,
    progress: &Progress,
    stop: watch::Receiver<bool>,
) -> Result<Ending, HarnessFault> {
    let driver = splitbrain_targets::make_driver(
        &plan.target.driver,
        &plan.target.driver_config,
        &plan.target.settings,
    )
    .map_err(|error| HarnessFault::Sandbox(error.to_string()))?;
    progress.show(&Update {
        phase: format!("bringing up {} nodes", plan.target.nodes.len()),
        ..Update::default()
    });
    let addresses: Vec<_> =
        plan.target.nodes.iter().map(|node| (node.name.clone(), node.ip)).collect();
    let network = Network::create(inside, &addresses, &plan.target.sysctl)
        .map_err(|error| HarnessFault::Sandbox(error.to_string()))?;
    let network = Arc::new(network);
    let (faults, mut faulted) = mpsc::unbounded_channel();
    let mut early = stop.clone();
    let nodes = folder.nodes();
    let brought_up = async {
        let cluster = RunningCluster::start(&plan.target, &network, &nodes, &faults).await?;
        let timeline = prepare(plan, folder, network.clone(), driver, faults).await?;
        Ok((cluster, timeline))
    };
    // A fault first: the others often follow from it.
    let (cluster, mut timeline) = tokio::select! {
        biased;
        Some(fault) = faulted.recv() => return Err(fault),
        _ = early.wait_for(|&stop| stop) => return Ok(Ending::Interrupted),
        brought_up = brought_up => brought_up?,
    };
    let ending = tokio::select! {
        biased;
        Some(fault) = faulted.recv() => return Err(fault),
        ending = timeline.play(progress, stop) => ending?,
    };
    // A fault that came with the very last operation still counts.
    if let Ok(fault) = faulted.try_recv() {
        return Err(fault);
    }
    cluster.stop().await;
    progress.finish();
    Ok(ending)
}

/// Starts the clock, the prober and the clients, and waits until every node's clients have had
/// an answer.
async fn prepare(
    plan: &Plan,
    folder: &RunFolder,
    network: Arc<Network>,
    driver: Arc<dyn Driver>,
    faults: mpsc::UnboundedSender<HarnessFault>,
) -> Result<Timeline, HarnessFault> {
    let clock = Clock::start();
    let recorder = Recorder::create(&folder.history(), clock)
        .map_err(|error| HarnessFault::History(error.to_string()))?;
    let prober = watch_links(&network, clock, &folder.links())?;
    let nodes: Vec<Node> = (1..)
        .zip(&plan.target.nodes)
        .map(|(index, node)| Node { name: node.name.clone(), index, ip: node.ip })
        .collect();
    let shared = Arc::new(Shared {
        driver,
        cluster: Cluster { nodes: nodes.clone(), settings: plan.target.settings.clone() },
        workload: plan.workload.clone(),
        seed: plan.seed,
        clock,
        keys: Keys::new("k", plan.workload.keys, plan.workload.writes_per_key),
        warm_up_keys: Keys::new("warm-up-", plan.workload.keys, plan.workload.writes_per_key),
        recorder,
        tally: Tally::default(),
        faults,
        next_process: AtomicU64::new(0),
    });
    let mut clients = Vec::new();
    for node in nodes {
        let (network, name) = (network.clone(), node.name.clone());
        let enter = move || network.enter(&name).map_err(|error| error.to_string());
        clients.push(
            NodeClients::start(shared.clone(), node, enter)
                .map_err(|error| HarnessFault::Sandbox(format!("no thread: {error}")))?,
        );
    }
    for node in &clients {
        node.first_answer(FIRST_ANSWER).await.map_err(|reason| {
            HarnessFault::Sandbox(format!(
                "a client at {} got no answer within {FIRST_ANSWER:?}: {reason}; \
                 see the node's log under {}",
                node.node,
                folder.nodes().display()
            ))
        })?;
    }
    clients.iter().for_each(NodeClients::warm_up);
    tokio::time::sleep(plan.target.warm_up).await;
    clients.iter().for_each(NodeClients::pause);
    for node in &clients {
        node.drained().await;
    }
    prober.wait_until_up(LINKS_UP).map_err(|error| HarnessFault::Sandbox(error.to_string()))?;
    let nemesis = Nemesis::new(network, Arc::new(prober), clock);
    Ok(Timeline::new(plan, folder.clone(), nemesis, shared, clients))
}

/// Starts the prober; every link that goes down or comes up is a line of `links.jsonl`.
fn watch_links(network: &Network, clock: Clock, path: &Path) -> Result<Prober, HarnessFault> {
    let mut file = File::options()
        .create_new(true)
        .append(true)
        .open(path)
        .map_err(|error| HarnessFault::History(error.to_string()))?;
    let observe = move |event: LinkEvent| {
        let written =
            serde_json::to_vec(&event).map_err(std::io::Error::from).and_then(|mut line| {
                line.push(b'\n');
                file.write_all(&line)
            });
        if let Err(error) = written {
            tracing::error!("links.jsonl: {error}");
        }
    };
    Prober::start(network, clock, observe).map_err(|error| HarnessFault::Sandbox(error.to_string()))
}

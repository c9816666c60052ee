//! A run: clients and nemesis on one timeline, inside the sandbox or against a cluster that runs
//! already.
//!
//! Everything that happens is written as it happens; nothing is concluded here.

pub mod clients;

pub mod record;
mod settle;
#[cfg(test)]
mod tests;
mod timeline;

use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use nix::sched::{CloneFlags, setns};
use splitbrain_targets::driver::Driver;
use tokio::sync::{mpsc, watch};

use crate::access;
use crate::attach::AttachedCluster;
use crate::clock::Clock;
use crate::cluster::RunningCluster;
use crate::driving;
use crate::fault::HarnessFault;
use crate::generator::Keys;
use crate::link_log::LinkLog;
use crate::nemesis::{Nemesis, SandboxNemesis};
use crate::plan::{self, NodePlan, Plan, Site};
use crate::progress::{Progress, Update};
use crate::sandbox::{Inside, Network, Prober};
use crate::store::{Ending, RunFolder};
use clients::{NodeClients, Shared, Tally};
use record::Recorder;
use timeline::Timeline;

/// How long all clients may take until each has had one answer.
const FIRST_ANSWER: Duration = Duration::from_secs(30);
/// How long it may take until probes get through on every link.
const LINKS_UP: Duration = Duration::from_secs(10);

/// Brings the cluster up or attaches to it, plays the timeline, and takes down or lets go. `stop`
/// turns true when somebody wants the run to end early: it is healed and ends as interrupted.
/// `inside` is there unless the cluster runs already.
pub async fn run(
    inside: Option<&Inside>,
    plan: &Plan,
    folder: &RunFolder,
    progress: &Progress,
    stop: watch::Receiver<bool>,
) -> Result<Ending, HarnessFault> {
    let driver = driving::driver(&plan.target).map_err(HarnessFault::Sandbox)?;
    let verb = if inside.is_some() { "bringing up" } else { "attaching to" };
    progress.show(&Update {
        phase: format!("{verb} {} nodes", plan.target.nodes.len()),
        ..Update::default()
    });
    let run = Run { plan, folder, driver, progress, stop };
    let ending = match inside {
        Some(inside) => sandboxed(&run, inside).await?,
        None => attached(&run).await?,
    };
    progress.finish();
    Ok(ending)
}

/// What every part of a run needs.
struct Run<'a> {
    plan: &'a Plan,
    folder: &'a RunFolder,
    driver: Arc<dyn Driver>,
    progress: &'a Progress,
    stop: watch::Receiver<bool>,
}

async fn sandboxed(run: &Run<'_>, inside: &Inside) -> Result<Ending, HarnessFault> {
    let target = &run.plan.target;
    let addresses: Vec<_> = target.nodes.iter().map(|node| (node.name.clone(), node.ip)).collect();
    let network = Network::create(inside, &addresses, &target.sysctl)
        .map_err(|error| HarnessFault::Sandbox(error.to_string()))?;
    let network = Arc::new(network);
    let (faults, faulted) = mpsc::unbounded_channel();
    let nodes = run.folder.nodes();
    let brought_up = async {
        let cluster = RunningCluster::start(target, &network, &nodes, &faults).await?;
        let clock = Clock::start();
        let mut links = LinkLog::create(&run.folder.links())
            .map_err(|error| HarnessFault::History(error.to_string()))?;
        let prober = Prober::start(&network.stations(), clock, move |event| links.write(&event))
            .map_err(|error| HarnessFault::Sandbox(error.to_string()))?;
        let enter = |node: &NodePlan| -> Enter {
            let (network, name) = (network.clone(), node.name.clone());
            Box::new(move || network.enter(&name).map_err(|error| error.to_string()))
        };
        let (shared, clients) = run.clients(clock, faults.clone(), enter).await?;
        prober.wait_until_up(LINKS_UP).map_err(|error| HarnessFault::Sandbox(error.to_string()))?;
        let nemesis = SandboxNemesis::new(network.clone(), Arc::new(prober), clock);
        Ok((cluster, run.timeline(Arc::new(nemesis), shared, clients)))
    };
    match run.play(brought_up, faulted).await? {
        Some((cluster, ending)) => {
            cluster.stop().await;
            Ok(ending)
        }
        None => Ok(Ending::Interrupted),
    }
}

/// Whatever happens, the machines are released before this returns.
async fn attached(run: &Run<'_>) -> Result<Ending, HarnessFault> {
    let (faults, faulted) = mpsc::unbounded_channel();
    let cluster = AttachedCluster::attach(run.plan, &faults)
        .await
        .map_err(|error| HarnessFault::Sandbox(error.to_string()))?;
    let prepared = async {
        let clock = Clock::start();
        let nemesis = cluster.nemesis(clock, &run.folder.links()).await?;
        let beside = run.plan.target.clients == plan::Clients::Beside;
        let enter = |node: &NodePlan| -> Enter {
            let site = node.site.clone();
            Box::new(move || if beside { enter_namespace(&site) } else { Ok(()) })
        };
        let (shared, clients) = run.clients(clock, faults.clone(), enter).await?;
        Ok(((), run.timeline(nemesis, shared, clients)))
    };
    let ending = run.play(prepared, faulted).await;
    let released = cluster.release().await;
    // What went wrong in the run comes first: the rest often follows from it.
    let ending = ending?.map_or(Ending::Interrupted, |((), ending)| ending);
    released.map(|()| ending)
}

/// Moves the calling thread into the network namespace of a node of this host.
fn enter_namespace(site: &Site) -> Result<(), String> {
    let process = site
        .namespace_process()
        .ok_or("clients can be beside a node only in a network namespace")?;
    let enter =
        || Ok::<(), io::Error>(setns(access::namespace::open(process)?, CloneFlags::CLONE_NEWNET)?);
    enter().map_err(|error| {
        format!(
            "the network of process {process}: {error}; `clients: beside` needs root: run \
             splitbrain with sudo"
        )
    })
}

/// How a thread of clients gets to its node.
type Enter = Box<dyn FnOnce() -> Result<(), String> + Send>;

impl Run<'_> {
    /// Prepares and plays the timeline; `None` if somebody wanted it to end before.
    async fn play<T>(
        &self,
        prepare: impl Future<Output = Result<(T, Timeline), HarnessFault>>,
        mut faulted: mpsc::UnboundedReceiver<HarnessFault>,
    ) -> Result<Option<(T, Ending)>, HarnessFault> {
        let mut early = self.stop.clone();
        // A fault first: the others often follow from it.
        let (prepared, mut timeline) = tokio::select! {
            biased;
            Some(fault) = faulted.recv() => return Err(fault),
            _ = early.wait_for(|&stop| stop) => return Ok(None),
            prepared = prepare => prepared?,
        };
        let ending = tokio::select! {
            biased;
            Some(fault) = faulted.recv() => return Err(fault),
            ending = timeline.play(self.progress, self.stop.clone()) => ending?,
        };
        // A fault that came with the very last operation still counts.
        match faulted.try_recv() {
            Ok(fault) => Err(fault),
            Err(_) => Ok(Some((prepared, ending))),
        }
    }

    fn timeline(
        &self,
        nemesis: Arc<dyn Nemesis>,
        shared: Arc<Shared>,
        clients: Vec<NodeClients>,
    ) -> Timeline {
        Timeline::new(self.plan, self.folder.clone(), nemesis, shared, clients)
    }

    /// Starts the clients of every node, waits until each node's have had an answer, and lets
    /// them warm up.
    async fn clients(
        &self,
        clock: Clock,
        faults: mpsc::UnboundedSender<HarnessFault>,
        enter: impl Fn(&NodePlan) -> Enter,
    ) -> Result<(Arc<Shared>, Vec<NodeClients>), HarnessFault> {
        let plan = self.plan;
        let recorder = Recorder::create(&self.folder.history(), clock)
            .map_err(|error| HarnessFault::History(error.to_string()))?;
        // A cluster that runs already may hold the keys of an earlier run.
        let unique = match plan.target.is_attached() {
            true => format!("splitbrain-{:08x}-", rand::random::<u32>()),
            false => String::new(),
        };
        let keys = |name: &str| {
            let prefix = format!("{unique}{name}");
            Keys::new(&prefix, plan.workload.keys, plan.workload.writes_per_key)
        };
        let shared = Arc::new(Shared {
            driver: self.driver.clone(),
            cluster: driving::cluster(&plan.target),
            workload: plan.workload.clone(),
            seed: plan.seed,
            clock,
            keys: keys("k"),
            warm_up_keys: keys("warm-up-"),
            recorder,
            tally: Tally::default(),
            faults,
            next_process: AtomicU64::new(0),
        });
        let mut clients = Vec::new();
        for (node, plan) in shared.cluster.nodes.iter().zip(&plan.target.nodes) {
            clients.push(
                NodeClients::start(shared.clone(), node.clone(), enter(plan))
                    .map_err(|error| HarnessFault::Sandbox(format!("no thread: {error}")))?,
            );
        }
        self.first_answers(&clients).await?;
        clients.iter().for_each(NodeClients::warm_up);
        tokio::time::sleep(plan.target.warm_up).await;
        clients.iter().for_each(NodeClients::pause);
        for node in &clients {
            node.drained().await;
        }
        Ok((shared, clients))
    }

    async fn first_answers(&self, clients: &[NodeClients]) -> Result<(), HarnessFault> {
        for node in clients {
            node.first_answer(FIRST_ANSWER).await.map_err(|reason| {
                let look = match self.plan.target.is_attached() {
                    true => "is the cluster healthy? `splitbrain doctor --target FILE`".to_string(),
                    false => format!("see the log under {}", self.folder.nodes().display()),
                };
                HarnessFault::Sandbox(format!(
                    "a client at {} got no answer within {FIRST_ANSWER:?}: {reason}; {look}",
                    node.node
                ))
            })?;
        }
        Ok(())
    }
}

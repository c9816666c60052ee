//! A cluster that runs already: nothing of it is started, stopped or set, and when we leave it is
//! as it was.
//!
//! - `keeper`: takes a machine for this run, puts rules in and takes them out; a guard there does
//!   that if we fall silent
//! - `filter` (`local`, `addresses`): how links are told apart; `processes`, `sockets` find who
//!   listens where
//! - `rounds`, `probers`, `verify`: who can reach whom, and whether a cut was real by that
//! - `nemesis`: cuts and heals

mod addresses;
mod examine;
mod filter;
pub mod keeper;
mod local;
mod nemesis;
mod probers;
mod processes;
mod rounds;
mod show;
mod sockets;
mod verify;

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures::future::{join_all, try_join_all};
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinHandle;

use crate::access::{self, AccessError, Machine};
use crate::clock::Clock;
use crate::fault::HarnessFault;
use crate::link_log::LinkLog;
use crate::nemesis::Nemesis;
use crate::plan::{NodePlan, Plan, Target};
use addresses::AddressFilter;
pub use examine::examine;
use filter::Filter;
use keeper::{Keeper, KeeperError};
use local::LocalFilter;
use nemesis::AttachedNemesis;
use rounds::Rounds;
pub use show::{commands, example_rules};

/// How often every machine hears of us; its guard waits for some 25 s.
const BEAT: Duration = Duration::from_secs(5);

/// A cluster whose machines are ours for the time of a run.
pub struct AttachedCluster {
    nodes: Vec<NodePlan>,
    keepers: Arc<Vec<Keeper>>,
    filter: Arc<Mutex<Box<dyn Filter>>>,
    beats: JoinHandle<()>,
}

/// The machines of a target: one for all nodes that share this host, else one for each node, or
/// why it cannot be reached.
pub async fn machines(target: &Target) -> Vec<Result<Arc<dyn Machine>, AccessError>> {
    let nodes = &target.nodes[..if target.is_local() { 1 } else { target.nodes.len() }];
    join_all(nodes.iter().map(|node| access::open(&node.name, &node.site))).await
}

impl AttachedCluster {
    /// Takes every machine, so that no other run can. Whatever goes wrong from now on is sent to
    /// `faults`. Has to be [released](AttachedCluster::release).
    ///
    /// # Errors
    /// If a machine is held by another run, cannot be reached or lacks something; then none is
    /// held any more.
    pub async fn attach(
        plan: &Plan,
        faults: &mpsc::UnboundedSender<HarnessFault>,
    ) -> Result<AttachedCluster, KeeperError> {
        let machines = machines(&plan.target).await;
        let machines = machines.into_iter().collect::<Result<Vec<_>, _>>()?;
        let owner = owner(plan);
        let claims = join_all(machines.into_iter().map(|machine| Keeper::claim(machine, &owner)));
        let (mut keepers, mut refusal) = (Vec::new(), None);
        for claim in claims.await {
            match claim {
                Ok(keeper) => keepers.push(keeper),
                Err(error) => refusal = refusal.or(Some(error)),
            }
        }
        let made = match refusal {
            Some(error) => Err(error),
            None => make_filter(&plan.target, &keepers).await,
        };
        match made {
            Ok(filter) => {
                let keepers = Arc::new(keepers);
                Ok(AttachedCluster {
                    nodes: plan.target.nodes.clone(),
                    beats: tokio::spawn(beat(Arc::clone(&keepers), faults.clone())),
                    keepers,
                    filter: Arc::new(Mutex::new(filter)),
                })
            }
            Err(error) => {
                // What cannot be released now is released by the guards.
                join_all(keepers.iter().map(Keeper::release)).await;
                Err(error)
            }
        }
    }

    /// The nemesis of this cluster. Changes of links are written to `links`, a new file.
    ///
    /// # Errors
    /// If the file cannot be made, or nodes cannot try to connect.
    pub async fn nemesis(
        &self,
        clock: Clock,
        links: &Path,
    ) -> Result<Arc<dyn Nemesis>, HarnessFault> {
        let failed = |error: io::Error| HarnessFault::History(error.to_string());
        let links = LinkLog::create(links).map_err(failed)?;
        let prober = probers::start(&self.nodes, clock, links.share().map_err(failed)?).await;
        let links = prober.is_none().then_some(links);
        let attempts = self.filter.lock().await.attempts();
        let rounds = Rounds::new(clock, Arc::clone(&self.keepers), attempts, links);
        rounds.make().await.map_err(|error| HarnessFault::Sandbox(error.to_string()))?;
        let (keepers, filter) = (Arc::clone(&self.keepers), Arc::clone(&self.filter));
        let nodes = self.nodes.iter().map(|node| node.name.clone()).collect();
        Ok(Arc::new(AttachedNemesis::new(clock, nodes, keepers, filter, rounds, prober)))
    }

    /// Takes everything out on every machine.
    ///
    /// # Errors
    /// What could not be taken out; the guards go on with that.
    pub async fn release(self) -> Result<(), HarnessFault> {
        self.beats.abort();
        let mut result = Ok(());
        for (keeper, released) in
            self.keepers.iter().zip(join_all(self.keepers.iter().map(Keeper::release)).await)
        {
            match released {
                Ok(lines) => {
                    tracing::info!(machine = keeper.machine().name(), ?lines, "released");
                }
                Err(error) => {
                    let message = format!("{error}; the guard there tries again within 30 s");
                    result = result.and(Err(HarnessFault::Sandbox(message)));
                }
            }
        }
        result
    }
}

/// Who we are, in one line that no other run has.
fn owner(plan: &Plan) -> String {
    let here = nix::unistd::gethostname().unwrap_or_default();
    format!(
        "splitbrain run {} of process {} at {}, since {} ({:08x})",
        plan.workload.name,
        std::process::id(),
        here.to_string_lossy(),
        jiff::Zoned::now().strftime("%Y-%m-%d %H:%M:%S"),
        rand::random::<u32>()
    )
}

/// Finds out how links are told apart, and makes our chain on every machine.
async fn make_filter(target: &Target, keepers: &[Keeper]) -> Result<Box<dyn Filter>, KeeperError> {
    let filter: Box<dyn Filter> = match (target.is_local(), keepers) {
        (true, [keeper]) => Box::new(LocalFilter::new(&target.nodes, keeper).await?),
        _ => Box::new(AddressFilter::new(&target.nodes, keepers).await?),
    };
    let uncut = Default::default();
    for rules in [filter.way_in(), filter.rules(&uncut)] {
        try_join_all(keepers.iter().zip(&rules).map(|(keeper, rules)| keeper.apply(rules))).await?;
    }
    Ok(filter)
}

/// Tells every machine that we are still there, until one does not hear it.
async fn beat(keepers: Arc<Vec<Keeper>>, faults: mpsc::UnboundedSender<HarnessFault>) {
    loop {
        tokio::time::sleep(BEAT).await;
        if let Err(error) = try_join_all(keepers.iter().map(Keeper::beat)).await {
            // A closed channel means that the run is over already.
            let _ = faults.send(HarnessFault::Sandbox(error.to_string()));
            return;
        }
    }
}

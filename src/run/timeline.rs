//! The one timeline of clients and faults.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use splitbrain_checkers::history::{Name, Value};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};

use super::clients::{NodeClients, Shared};
use super::record::Entry;
use super::settle::settle;
use crate::fault::HarnessFault;
use crate::nemesis::{Cut, Nemesis, cut_links, union};
use crate::plan::{Clients, Partition, Phase, Plan};
use crate::progress::{INTERVAL, Progress, Update};
use crate::pulse::Heart;
use crate::store::{Ending, RunFolder};

/// How long a cluster may take to name its primary when a fault asks for it.
const PRIMARY_WITHIN: Duration = Duration::from_secs(10);

/// A run that is ready to be played.
pub struct Timeline {
    phases: Vec<Phase>,
    total: Duration,
    folder: RunFolder,
    nemesis: Arc<dyn Nemesis>,
    heart: Heart,
    random: ChaCha8Rng,
    shared: Arc<Shared>,
    clients: Vec<NodeClients>,
    /// Whether the clients reach every node throughout.
    outside: bool,
    began: Instant,
}

impl Timeline {
    pub fn new(
        plan: &Plan,
        folder: RunFolder,
        nemesis: Arc<dyn Nemesis>,
        shared: Arc<Shared>,
        clients: Vec<NodeClients>,
    ) -> Timeline {
        Timeline {
            phases: plan.workload.phases.clone(),
            total: plan.workload.phases.iter().map(Phase::length).sum(),
            folder,
            nemesis,
            heart: Heart::start(shared.clock),
            random: ChaCha8Rng::seed_from_u64(plan.seed),
            shared,
            clients,
            outside: plan.target.clients == Clients::Outside,
            began: Instant::now(),
        }
    }

    /// Plays every phase. When `stop` turns true the cut is healed and the rest is left out.
    pub async fn play(
        &mut self,
        progress: &Progress,
        stop: watch::Receiver<bool>,
    ) -> Result<Ending, HarnessFault> {
        self.began = Instant::now();
        for phase in self.phases.clone() {
            match &phase {
                Phase::Healthy { length } => {
                    self.mark("healthy", Value::Nil)?;
                    self.resume();
                    self.wait("healthy", *length, progress, &stop).await;
                }
                Phase::Faults { partitions, length } => {
                    self.resume();
                    self.cut(partitions, *length, progress, &stop).await?;
                }
                Phase::Settle { limit } => self.settle(*limit, progress, &stop).await?,
            }
            if *stop.borrow() {
                break;
            }
        }
        self.pause().await;
        self.mark("end", Value::Nil)?;
        Ok(if *stop.borrow() { Ending::Interrupted } else { Ending::Complete })
    }

    fn resume(&self) {
        self.clients.iter().for_each(NodeClients::resume);
    }

    /// No further operation begins; returns when none is in flight.
    async fn pause(&self) {
        self.clients.iter().for_each(NodeClients::pause);
        for node in &self.clients {
            node.drained().await;
        }
    }

    /// Cuts the links of all `partitions` at once, waits, heals, and keeps the proof.
    async fn cut(
        &mut self,
        partitions: &[Partition],
        length: Duration,
        progress: &Progress,
        stop: &watch::Receiver<bool>,
    ) -> Result<(), HarnessFault> {
        let cut = tokio::select! {
            cut = self.resolve(partitions) => cut?,
            () = stopped(stop) => return Ok(()),
        };
        let name = cut.name.clone();
        self.mark("partition", words(&cut))?;
        self.tell_clients(Some(&cut));
        let active = self.nemesis.cut(cut).await?;
        self.wait(&name, length, progress, stop).await;
        self.mark("heal", Value::Text(name.as_str().into()))?;
        let mut partition = self.nemesis.heal(active).await?;
        partition.pulse = Some(self.heart.between(partition.began, partition.heal_commanded));
        self.tell_clients(None);
        self.mark("healed", Value::Text(name.into()))?;
        tracing::info!(?partition.proof, name = %partition.name, "whether the cut was real");
        self.folder
            .append_partition(&partition)
            .map_err(|error| HarnessFault::History(error.to_string()))
    }

    /// Lets clients that reach every node know which are cut off from each other.
    fn tell_clients(&self, cut: Option<&Cut>) {
        if self.outside {
            let links = cut.iter().flat_map(|cut| &cut.links);
            let pairs = links.map(|link| (link.from.clone(), link.to.clone()));
            self.shared.cluster.barrier.set(pairs);
        }
    }

    /// Which links these partitions cut now: that may depend on who is primary.
    async fn resolve(&mut self, partitions: &[Partition]) -> Result<Cut, HarnessFault> {
        let nodes: Vec<Name> = self.clients.iter().map(|clients| clients.node.clone()).collect();
        let primary = if partitions.contains(&Partition::IsolatePrimary) {
            Some(self.primary().await?)
        } else {
            None
        };
        let mut cuts = Vec::new();
        for partition in partitions {
            let cut = cut_links(partition, &nodes, primary.as_ref(), &mut self.random)
                .map_err(|error| HarnessFault::Sandbox(error.to_string()))?;
            cuts.push(cut);
        }
        Ok(union(&cuts))
    }

    async fn primary(&self) -> Result<Name, HarnessFault> {
        let deadline = Instant::now() + PRIMARY_WITHIN;
        loop {
            let answer = self.shared.driver.primary(&self.shared.cluster).await;
            let reason = match answer {
                Ok(Some(primary)) => return Ok(primary),
                Ok(None) => "nobody leads".to_string(),
                Err(reason) => reason,
            };
            if Instant::now() >= deadline {
                return Err(HarnessFault::Sandbox(format!(
                    "the workload wants the primary isolated, but no primary was found within \
                     {PRIMARY_WITHIN:?}: {reason}"
                )));
            }
            sleep(Duration::from_millis(100)).await;
        }
    }

    /// Ends early when `stop` turns true: what was read until then refutes no agreement.
    async fn settle(
        &self,
        limit: Duration,
        progress: &Progress,
        stop: &watch::Receiver<bool>,
    ) -> Result<(), HarnessFault> {
        self.pause().await;
        self.mark("settle", Value::Nil)?;
        self.report("settling", progress);
        let keys = self.shared.keys.all();
        tokio::select! {
            () = settle(&self.clients, &keys, limit) => {}
            () = stopped(stop) => {}
        }
        Ok(())
    }

    /// Waits for `length`, showing where the run is; ends early when `stop` turns true.
    async fn wait(
        &self,
        phase: &str,
        length: Duration,
        progress: &Progress,
        stop: &watch::Receiver<bool>,
    ) {
        let until = Instant::now() + length;
        while Instant::now() < until {
            self.report(phase, progress);
            tokio::select! {
                () = sleep_until(until.min(Instant::now() + INTERVAL)) => {}
                () = stopped(stop) => return,
            }
        }
    }

    fn report(&self, phase: &str, progress: &Progress) {
        let tally = &self.shared.tally;
        progress.show(&Update {
            phase: phase.to_string(),
            elapsed_seconds: self.began.elapsed().as_secs_f64(),
            total_seconds: self.total.as_secs_f64(),
            ok: tally.ok.load(Ordering::Relaxed),
            fail: tally.fail.load(Ordering::Relaxed),
            info: tally.info.load(Ordering::Relaxed),
        });
    }

    fn mark(&self, f: &str, value: Value) -> Result<(), HarnessFault> {
        tracing::info!(%value, "{f}");
        self.shared
            .recorder
            .record(Entry::nemesis(f, value))
            .map(|_| ())
            .map_err(|error| HarnessFault::History(error.to_string()))
    }
}

/// Returns when somebody wants the run to end.
async fn stopped(stop: &watch::Receiver<bool>) {
    // An error means that nobody can want that any more.
    if stop.clone().wait_for(|&stop| stop).await.is_err() {
        std::future::pending().await
    }
}

/// A partition for the history: its name, then every link that is cut as `[from, to]`.
fn words(cut: &Cut) -> Value {
    let links = cut
        .links
        .iter()
        .map(|link| Value::list([Value::Text(link.from.clone()), Value::Text(link.to.clone())]));
    Value::list([Value::Text(cut.name.as_str().into()), Value::List(links.collect())])
}

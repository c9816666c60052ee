//! Cuts and heals links between nodes that run already, and proves it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::future::try_join_all;
use splitbrain_checkers::history::{Name, Time};
use splitbrain_checkers::partition::{Link, Partition};
use tokio::sync::Mutex;
use tokio::task::JoinHandle;

use super::filter::Filter;
use super::keeper::{Keeper, KeeperError};
use super::rounds::Rounds;
use super::verify::{Observation, judge};
use crate::clock::Clock;
use crate::fault::HarnessFault;
use crate::nemesis::{Active, Cut, Nemesis, verify};
use crate::sandbox::{Prober, ask_for_short_slices};

/// How long to wait after a heal until all can connect again.
const HEAL_LIMIT: Duration = Duration::from_secs(5);
/// A cut is applied after the round that shows how it was before; how far back that may be.
const BEFORE: Duration = Duration::from_secs(5);

/// The nemesis of an attached cluster.
pub struct AttachedNemesis {
    clock: Clock,
    nodes: Vec<Name>,
    keepers: Arc<Vec<Keeper>>,
    filter: Arc<Mutex<Box<dyn Filter>>>,
    rounds: Arc<Rounds>,
    /// Where they can run.
    prober: Option<Prober>,
    /// The rounds that are made while a cut lasts.
    going_on: Mutex<Option<JoinHandle<KeeperError>>>,
}

impl AttachedNemesis {
    pub fn new(
        clock: Clock,
        nodes: Vec<Name>,
        keepers: Arc<Vec<Keeper>>,
        filter: Arc<Mutex<Box<dyn Filter>>>,
        rounds: Rounds,
        prober: Option<Prober>,
    ) -> AttachedNemesis {
        let (rounds, going_on) = (Arc::new(rounds), Mutex::new(None));
        AttachedNemesis { clock, nodes, keepers, filter, rounds, prober, going_on }
    }

    /// Puts the rules for `links` in, on all machines at once. When it began and ended.
    async fn apply(&self, links: &BTreeSet<Link>) -> Result<(Time, Time), KeeperError> {
        let rules = self.filter.lock().await.rules(links);
        // For the processes that are started from here.
        ask_for_short_slices();
        let began = self.clock.now();
        let keepers = self.keepers.iter().zip(&rules);
        try_join_all(keepers.map(|(keeper, rules)| keeper.apply(rules))).await?;
        Ok((began, self.clock.now()))
    }

    async fn try_to_cut(&self, cut: Cut) -> Result<Active, KeeperError> {
        self.filter.lock().await.refresh(&self.keepers).await?;
        self.rounds.make().await?;
        let (commanded, applied) = self.apply(&cut.links).await?;
        let rounds = Arc::clone(&self.rounds);
        let going_on = tokio::spawn(async move { rounds.go_on().await });
        *self.going_on.lock().await = Some(going_on);
        Ok(Active { cut, commanded, applied })
    }

    async fn try_to_heal(&self, active: &Active) -> Result<Partition, KeeperError> {
        if let Some(going_on) = self.going_on.lock().await.take() {
            if going_on.is_finished() {
                if let Ok(error) = going_on.await {
                    return Err(error);
                }
            } else {
                going_on.abort();
            }
        }
        let counted = try_join_all(self.keepers.iter().map(Keeper::dropped)).await?;
        let mut dropped: BTreeMap<Link, u64> = BTreeMap::new();
        for ((link, _), packets) in counted.into_iter().flatten() {
            *dropped.entry(link).or_insert(0) += packets;
        }
        let (heal_commanded, healed) = self.apply(&BTreeSet::new()).await?;
        if let Some(prober) = &self.prober {
            prober.hurry();
        }
        while !self.rounds.make().await?.is_whole() && self.clock.now() < healed + HEAL_LIMIT {}
        let probes = self.prober.as_ref();
        let probes = probes.map(|prober| prober.log(active.commanded - verify::BEFORE));
        Ok(judge(&Observation {
            course: active.course(&self.nodes, heal_commanded),
            dropped: &dropped,
            rounds: &self.rounds.since(active.commanded - BEFORE),
            probes: probes.as_ref(),
        }))
    }
}

#[async_trait]
impl Nemesis for AttachedNemesis {
    async fn cut(&self, cut: Cut) -> Result<Active, HarnessFault> {
        self.try_to_cut(cut).await.map_err(fault)
    }

    async fn heal(&self, active: Active) -> Result<Partition, HarnessFault> {
        self.try_to_heal(&active).await.map_err(fault)
    }
}

fn fault(error: KeeperError) -> HarnessFault {
    HarnessFault::Sandbox(error.to_string())
}

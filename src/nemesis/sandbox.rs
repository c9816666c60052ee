//! The nemesis of the sandbox.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use async_trait::async_trait;
use splitbrain_checkers::history::{Name, Time};
use splitbrain_checkers::partition::{Link, Partition};

use super::apply::{self, ApplyError};
use super::partition::Cut;
use super::{Active, Nemesis, rules, verify};
use crate::clock::Clock;
use crate::fault::HarnessFault;
use crate::sandbox::{Network, Prober, Stream, TICK, ask_for_short_slices};

/// How long to wait after a heal for a probe on every link that was cut.
const HEAL_LIMIT: Duration = Duration::from_secs(5);

/// Cuts and heals links between the sandbox's nodes. Every call takes some tens of milliseconds,
/// so asynchronous code has it on a thread of its own.
#[derive(Clone)]
pub struct SandboxNemesis {
    network: Arc<Network>,
    prober: Arc<Prober>,
    clock: Clock,
}

impl SandboxNemesis {
    /// A nemesis for these nodes; `clock` is the prober's.
    pub fn new(network: Arc<Network>, prober: Arc<Prober>, clock: Clock) -> SandboxNemesis {
        SandboxNemesis { network, prober, clock }
    }

    /// As [`Nemesis::cut`], on this thread.
    ///
    /// # Errors
    /// If a rule could not be applied. Some may be in effect then, so the run has to end.
    pub fn cut_blocking(&self, cut: Cut) -> Result<Active, ApplyError> {
        ask_for_short_slices();
        let addresses = self.network.addresses();
        let texts = rules::apply_texts(&cut.links, &addresses, self.prober.families());
        let armed = apply::arm(&self.network, &texts)?;
        let commanded = self.clock.now();
        armed.fire()?;
        Ok(Active { cut, commanded, applied: self.clock.now() })
    }

    /// As [`Nemesis::heal`], on this thread. Waits until probes get through on every link, or five
    /// seconds.
    ///
    /// # Errors
    /// If a rule could not be read or removed: the run has to end.
    pub fn heal_blocking(&self, active: Active) -> Result<Partition, ApplyError> {
        ask_for_short_slices();
        let addresses = self.network.addresses();
        let families = self.prober.families();
        let undo = rules::undo_texts(&active.cut.links, &addresses, families);
        let armed = apply::arm(&self.network, &undo)?;
        let dropped = self.dropped_packets(&active.cut)?;
        self.prober.hurry();
        let heal_commanded = self.clock.now();
        armed.fire()?;
        self.wait_for_probes(&active.cut, heal_commanded);
        self.prober.take_time();
        for ((node, family), saved) in apply::save(&self.network, families)? {
            if !rules::is_gone(&saved) {
                return Err(ApplyError::StillThere { node, family: family.name() });
            }
        }
        let nodes = self.network.names();
        Ok(verify::judge(&verify::Observation {
            course: active.course(&nodes, heal_commanded),
            dropped: &dropped,
            probes: &self.prober.log(active.commanded - verify::BEFORE),
        }))
    }

    fn wait_for_probes(&self, cut: &Cut, heal_commanded: Time) {
        let deadline = heal_commanded + HEAL_LIMIT;
        let seen = || {
            let probes = self.prober.log(heal_commanded - verify::BEFORE);
            verify::healed(cut, heal_commanded, &probes).is_some()
        };
        while !seen() && self.clock.now() < deadline {
            thread::sleep(TICK);
        }
    }

    /// What the rules of `cut` have dropped so far, by link and family.
    fn dropped_packets(&self, cut: &Cut) -> Result<BTreeMap<Stream, u64>, ApplyError> {
        let addresses = self.network.addresses();
        let mut dropped = BTreeMap::new();
        for ((node, family), saved) in apply::save(&self.network, self.prober.families())? {
            let program = apply::saver(family);
            let unreadable = |line| ApplyError::Unreadable { program, node: node.clone(), line };
            let counted = rules::counters(&saved).map_err(unreadable)?.unwrap_or_default();
            let source = |link: &&Link| -> Option<&(Name, std::net::Ipv4Addr)> {
                addresses.iter().find(|(name, _)| *name == link.from)
            };
            for link in cut.links.iter().filter(|link| link.to == node) {
                let ip = source(&link).map(|(_, ip)| rules::address(*ip, family));
                if let Some(packets) = ip.and_then(|ip| counted.get(&ip)) {
                    dropped.insert(Stream { link: link.clone(), family }, *packets);
                }
            }
        }
        Ok(dropped)
    }
}

#[async_trait]
impl Nemesis for SandboxNemesis {
    async fn cut(&self, cut: Cut) -> Result<Active, HarnessFault> {
        let nemesis = self.clone();
        blocking(move || nemesis.cut_blocking(cut)).await
    }

    async fn heal(&self, active: Active) -> Result<Partition, HarnessFault> {
        let nemesis = self.clone();
        blocking(move || nemesis.heal_blocking(active)).await
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ApplyError> + Send + 'static,
) -> Result<T, HarnessFault> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|panic| HarnessFault::Sandbox(format!("the nemesis panicked: {panic}")))?
        .map_err(|error| HarnessFault::Sandbox(error.to_string()))
}

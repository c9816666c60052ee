//! What injects faults: partitions of the links between the nodes.
//!
//! A fault is planned first, as plain data ([`cut_links`], [`rules`]); [`apply`] carries plans
//! out; [`verify`] says whether the fault was real. A [`Nemesis`] goes through these steps:
//! [`SandboxNemesis`] in the sandbox, where rules vanish whatever happens to this program, and
//! that of an attached cluster.

pub mod apply;
pub mod partition;
pub mod rules;
mod sandbox;
pub mod verify;

use async_trait::async_trait;
use splitbrain_checkers::history::{Name, Time};
use splitbrain_checkers::partition::Partition;

pub use apply::{ApplyError, restore_command};
pub use partition::{Cut, CutError, components, cut_links, union};
pub use sandbox::SandboxNemesis;
pub use verify::Course;

use crate::fault::HarnessFault;

/// A cut that is in effect, until it is healed.
#[must_use = "a cut lasts until it is healed"]
#[derive(Debug)]
pub struct Active {
    /// What was cut.
    pub cut: Cut,
    /// When the command was given.
    pub commanded: Time,
    /// When the last rule was in place.
    pub applied: Time,
}

impl Active {
    /// Its course, once it is over.
    pub fn course<'a>(&'a self, nodes: &'a [Name], heal_commanded: Time) -> Course<'a> {
        let Active { cut, commanded, applied } = self;
        Course { nodes, cut, commanded: *commanded, applied: *applied, heal_commanded }
    }
}

/// Cuts and heals links. One cut at a time: heal it before the next.
#[async_trait]
pub trait Nemesis: Send + Sync {
    /// Cuts every link of `cut`, on all nodes at one instant. For several partitions at once
    /// give their [`union`].
    ///
    /// # Errors
    /// If a rule could not be applied. Some may be in effect then, so the run has to end.
    async fn cut(&self, cut: Cut) -> Result<Active, HarnessFault>;

    /// Takes all rules of a cut away at one instant, makes sure of it, and judges whether the cut
    /// was real.
    ///
    /// # Errors
    /// If a rule could not be read or removed: the run has to end.
    async fn heal(&self, active: Active) -> Result<Partition, HarnessFault>;
}

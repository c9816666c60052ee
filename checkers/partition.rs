//! What was cut, when, and the proof that the cut was real.
//!
//! The nemesis fills this in from its commands, the rule counters and the probes; checkers only
//! read it. A partition without proof makes a run unknown, never a verdict.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::history::{Name, Time};

/// See [`Pulse::is_weak`].
const WEAK_BELOW_PERCENT: u64 = 90;

/// A directed link between two nodes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Link {
    pub from: Name,
    pub to: Name,
}

/// `n1 -> n2`.
impl std::fmt::Display for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} -> {}", self.from, self.to)
    }
}

/// One partition of a run, as it was measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Partition {
    /// As the workload has it, resolved: `isolate n1 (primary)`.
    pub name: String,
    /// Every link that was cut.
    pub cut: BTreeSet<Link>,
    /// Groups of nodes that could still reach each other in both directions (strongly connected
    /// components of the links that were left), largest first.
    pub components: Vec<Vec<Name>>,
    /// When the command to cut was given.
    pub commanded: Time,
    /// From when on nothing got through on any cut link: every rule was in place, and no probe
    /// arrived after that.
    pub began: Time,
    /// When the command to heal was given.
    pub heal_commanded: Time,
    /// When every cut link carried probes again; `None` if that was not seen.
    pub healed: Option<Time>,
    /// Packets that our rules dropped, per node that dropped them.
    pub dropped_packets: Vec<(Name, u64)>,
    /// Why the cut counts as real or does not.
    pub proof: Proof,
    /// How the machine let the harness run while the cut lasted; `None` if that was not measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pulse: Option<Pulse>,
}

/// How promptly a machine let the harness itself run: how often it wanted to be woken, every some
/// milliseconds, and how often it was before the next time was due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pulse {
    pub wanted: u64,
    pub kept: u64,
}

impl Pulse {
    /// Whether so many were missed that servers and clients, which have to wait for their turn
    /// like the harness, may have failed to answer for that alone.
    pub fn is_weak(self) -> bool {
        self.kept * 100 < self.wanted * WEAK_BELOW_PERCENT
    }
}

/// Whether a cut was real.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "proof", rename_all = "lowercase")]
pub enum Proof {
    /// Rule counters moved and no probe crossed a cut link while all others went on.
    Confirmed,
    /// Not so; the sentence says which link, and what was seen.
    Missing { reason: String },
}

impl Partition {
    /// The component that holds the node: its side of the cut.
    pub fn side(&self, node: &str) -> Option<usize> {
        self.components.iter().position(|component| component.iter().any(|name| &**name == node))
    }
}

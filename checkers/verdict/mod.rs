//! The verdict: did the cluster behave CP, AP, or neither, and what says so.
//!
//! C is linearizability of the whole history, healing included (Herlihy and Wing, "Linearizability:
//! a correctness condition for concurrent objects", TOPLAS 12(3), 1990). A is what Gilbert and Lynch
//! call availability ("Brewer's conjecture and the feasibility of consistent, available,
//! partition-tolerant web services", ACM SIGACT News 33(2), 2002), as [`crate::availability`] measures it. A verdict is always about one run:
//! "behaved CP under these faults, with these settings", never "is CP"; who prints it adds the
//! faults and the settings.
//!
//! The order of the questions:
//!
//! 1. One node that holds data: single copy if linearizable, neither if not.
//! 2. Was every partition proven, and is there one that was exercised ([`exercise`])? If not the
//!    run is inconclusive; so it is if linearizability is unknown, or if the cluster was not well
//!    before the first cut. A cut in which no side was served on a machine that was too busy to
//!    run even the harness in time counts as not exercised.
//! 3. [`classify`]: the rules for a run that was linearizable, and for one that was not.
//!
//! Partitions that were not exercised, or through which data crossed, are named and left out;
//! over the others the worst counts. A violation that was found in an inconclusive run is still
//! a violation: it makes the verdict's rank invalid.
//!
//! Beyond what the findings cost, a verdict costs one pass over the history per partition.
//!
//! # Example
//!
//! With one node there is nobody to be cut off from:
//!
//! ```
//! # use splitbrain_checkers::{availability, notation, register};
//! use splitbrain_checkers::verdict::{Inputs, Kind, Rank, verdict};
//! let judge = |lines: &str| {
//!     let history = notation::history(lines);
//!     let (availability, _) =
//!         availability::check(&history, &[], &["n1".into()], &Default::default());
//!     let linearizable = register::check_history(&history);
//!     verdict(&Inputs {
//!         history: &history,
//!         partitions: &[],
//!         availability: &availability,
//!         linearizable: Some(&linearizable),
//!         convergence: None,
//!     })
//! };
//! let fine = judge("0 write@x 1 0..10 \n 0 read@x -> 1 20..30");
//! assert_eq!((fine.kind, fine.rank), (Kind::SingleCopy, Rank::Valid));
//! let stale = judge("0 write@x 1 0..10 \n 0 read@x -> nil 20..30");
//! assert_eq!((stale.kind, stale.rank), (Kind::Neither, Rank::Invalid));
//! ```

pub mod classify;
pub mod exercise;
pub mod kind;
mod probes;
mod sentence;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use crate::availability::Availability;
use crate::convergence::Convergence;
use crate::finding::{Finding, Validity};
use crate::history::History;
use crate::partition::Partition;
pub use classify::Served;
pub use exercise::{Exercise, PartitionVerdict};
pub use kind::{Kind, UnknownKind};

/// All that a verdict is made of.
#[derive(Debug, Clone, Copy)]
pub struct Inputs<'a> {
    pub history: &'a History,
    pub partitions: &'a [Partition],
    /// Measured at every live node that holds data, over these partitions.
    pub availability: &'a Availability,
    /// `None`: it was not checked.
    pub linearizable: Option<&'a Finding>,
    /// With the finding `convergent`; `None`: it was not checked.
    pub convergence: Option<(&'a Convergence, &'a Finding)>,
}

/// One thing that the verdict rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    pub text: String,
    /// Indexes of the operations that show it, for the report's links.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub operations: Vec<u64>,
}

/// How the findings behind a verdict rank. Availability is no violation and does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Rank {
    /// Linearizable, convergent (if it was asked for), and the run decided the verdict.
    Valid,
    /// Something of that is not known.
    Unknown,
    /// Linearizability or convergence was refuted, whatever the verdict says.
    Invalid,
}

impl Rank {
    /// The exit code of the program: 0 valid, 1 invalid, 2 unknown.
    pub fn exit_code(self) -> u8 {
        match self {
            Rank::Valid => 0,
            Rank::Invalid => 1,
            Rank::Unknown => 2,
        }
    }
}

/// How the cluster behaved in one run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    pub kind: Kind,
    /// In plain words, without a subject: "behaved CP: ...".
    pub sentence: String,
    /// What a reader asks next, each a clause in plain words.
    pub details: Vec<String>,
    pub rank: Rank,
    pub evidence: Vec<Evidence>,
    /// One for each partition, in their order.
    pub partitions: Vec<PartitionVerdict>,
}

/// Decides. Pure: the same inputs give the same verdict.
pub fn verdict(inputs: &Inputs) -> Verdict {
    let exercised = exercise::partitions(inputs);
    let decision = decide(inputs, &exercised);
    Verdict {
        kind: decision.kind,
        sentence: sentence::sentence(inputs, &exercised, &decision),
        details: sentence::details(inputs, &exercised, &decision),
        rank: rank(inputs, decision.kind),
        evidence: sentence::evidence(inputs, &exercised),
        partitions: exercised.into_iter().map(|(partition, _)| partition).collect(),
    }
}

/// A kind, and why where the kind alone does not say it.
pub(crate) struct Decision {
    pub kind: Kind,
    pub reason: Option<String>,
}

impl Decision {
    fn inconclusive(reason: impl Into<String>) -> Self {
        Decision { kind: Kind::Inconclusive, reason: Some(reason.into()) }
    }
}

impl From<Kind> for Decision {
    fn from(kind: Kind) -> Self {
        Decision { kind, reason: None }
    }
}

fn decide(inputs: &Inputs, partitions: &[exercise::Exercised]) -> Decision {
    let Some(linearizable) = inputs.linearizable else {
        return Decision::inconclusive("linearizability was not checked");
    };
    if inputs.availability.nodes.len() == 1 {
        return match &linearizable.validity {
            Validity::Valid => Kind::SingleCopy.into(),
            Validity::Invalid { .. } => Kind::Neither.into(),
            Validity::Unknown { reason } => unknown(reason),
        };
    }
    if let Some(reason) =
        exercise::not_enough(partitions).or_else(|| exercise::shaky_baseline(inputs.availability))
    {
        return Decision::inconclusive(reason);
    }
    match &linearizable.validity {
        Validity::Valid => classify::linearizable(inputs, partitions),
        Validity::Invalid { .. } => classify::refuted(partitions),
        Validity::Unknown { reason } => unknown(reason),
    }
}

fn unknown(reason: &str) -> Decision {
    Decision::inconclusive(format!("whether it was linearizable is not known ({reason})"))
}

fn rank(inputs: &Inputs, kind: Kind) -> Rank {
    let convergent = inputs.convergence.map(|(_, finding)| finding);
    let findings = inputs.linearizable.into_iter().chain(convergent);
    let worst = findings.map(|finding| match &finding.validity {
        Validity::Valid => Rank::Valid,
        Validity::Unknown { .. } => Rank::Unknown,
        Validity::Invalid { .. } => Rank::Invalid,
    });
    let decided = if kind == Kind::Inconclusive { Rank::Unknown } else { Rank::Valid };
    worst.fold(decided, Rank::max)
}

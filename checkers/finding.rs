//! What a checker says: valid, invalid with a witness, or unknown with a reason.
//!
//! Invalid outranks unknown, unknown outranks valid, and unknown never passes.

use serde::{Deserialize, Serialize};

use crate::history::{Name, Operation};

/// The answer of a checker, ordered by rank: `Valid < Unknown < Invalid`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "lowercase")]
pub enum Validity {
    /// A complete check found no violation.
    Valid,
    /// No answer: not exercised, a limit was reached, data are missing. Never passes.
    Unknown { reason: String },
    /// A violation, with the proof.
    Invalid { witness: Box<Witness> },
}

impl Validity {
    /// 0 valid, 1 unknown, 2 invalid.
    pub fn rank(&self) -> u8 {
        match self {
            Validity::Valid => 0,
            Validity::Unknown { .. } => 1,
            Validity::Invalid { .. } => 2,
        }
    }

    pub fn is_valid(&self) -> bool {
        matches!(self, Validity::Valid)
    }

    pub fn is_invalid(&self) -> bool {
        matches!(self, Validity::Invalid { .. })
    }

    /// The proof, if there is one.
    pub fn witness(&self) -> Option<&Witness> {
        match self {
            Validity::Invalid { witness } => Some(witness),
            _ => None,
        }
    }

    /// The higher of two ranks; the first of two equal ones.
    pub fn worst(self, other: Validity) -> Validity {
        if other.rank() > self.rank() { other } else { self }
    }
}

/// Why one operation of a witness has to come before another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Relation {
    /// The first ended before the second began.
    RealTime,
    /// The second returned (or replaced, if a cas) what the first wrote.
    ReadsFrom,
    /// The same process did the first before the second.
    ProcessOrder,
    /// The second overwrote what the first wrote (ww).
    Overwrites,
    /// The second overwrote what the first had read (rw, an anti-dependency).
    ReadBefore,
}

impl Relation {
    /// Every relation.
    pub const ALL: [Relation; 5] = [
        Relation::RealTime,
        Relation::ReadsFrom,
        Relation::ProcessOrder,
        Relation::Overwrites,
        Relation::ReadBefore,
    ];

    /// As findings.json has it: `reads-from`.
    pub fn name(self) -> &'static str {
        match self {
            Relation::RealTime => "real-time",
            Relation::ReadsFrom => "reads-from",
            Relation::ProcessOrder => "process-order",
            Relation::Overwrites => "overwrites",
            Relation::ReadBefore => "read-before",
        }
    }

    /// What an arrow of it says, for a legend.
    pub fn meaning(self) -> &'static str {
        match self {
            Relation::RealTime => "ended before the other began",
            Relation::ReadsFrom => "the value was read",
            Relation::ProcessOrder => "the same process did one after the other",
            Relation::Overwrites => "the value was overwritten",
            Relation::ReadBefore => "what was read was then overwritten",
        }
    }
}

/// An arrow between two operations of a witness, by position in [`Witness::operations`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arrow {
    pub from: usize,
    pub to: usize,
    pub relation: Relation,
}

/// The smallest set of operations that proves a violation: without any one of them there would
/// be none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Witness {
    /// One sentence for a person: what was acknowledged where and when, and what contradicts it.
    pub sentence: String,
    /// In the order of their invocations.
    pub operations: Vec<Operation>,
    pub arrows: Vec<Arrow>,
    /// What a correct store could have answered instead, if that can be said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instead: Option<String>,
}

/// One checker's answer on one run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// Name of the check as the workload has it: `linearizable`, `convergent`, `available`.
    pub check: String,
    /// The worst answer over all keys.
    #[serde(flatten)]
    pub validity: Validity,
    /// One line for a person: how much was checked and what came out.
    pub summary: String,
    /// How many operations the check looked at.
    pub operations: usize,
    /// How many violations there are in all; each proven on its own, of one key each.
    pub violations: usize,
    /// Keys that were refuted, worst first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<Name>,
}

//! What the reports are made of: one run, complete and already judged.
//!
//! The outputs turn a [`RunData`] into text and judge nothing themselves.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use splitbrain_checkers::availability::Availability;
use splitbrain_checkers::convergence::Convergence;
use splitbrain_checkers::finding::Finding;
use splitbrain_checkers::history::{History, Time};
use splitbrain_checkers::partition::Partition;
use splitbrain_checkers::verdict::Kind;

use crate::check::Promises;
use crate::plan::Plan;
use crate::sandbox::LinkEvent;

/// Everything that the reports of one run need.
#[derive(Debug, Clone, PartialEq)]
pub struct RunData {
    pub scope: Scope,
    pub plan: Plan,
    pub history: History,
    /// When each phase of the plan ran.
    pub phases: Vec<PhaseSpan>,
    /// In the order in which they were injected.
    pub partitions: Vec<Partition>,
    /// What the probers saw, in time order. A link is unknown before its first event.
    pub links: Vec<LinkEvent>,
    pub findings: Vec<Finding>,
    pub availability: Availability,
    /// `None` if the run had no settle phase.
    pub convergence: Option<Convergence>,
    /// `None` if linearizability was not asked for, or if events are missing.
    pub promises: Option<Promises>,
    pub verdict: VerdictView,
}

/// What a verdict holds for, and nothing beyond.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Scope {
    pub target: String,
    /// As the target's version command printed it; `None` if it has none.
    pub version: Option<String>,
    pub settings: BTreeMap<String, String>,
    pub workload: String,
    /// The faults in words: `isolate n1 for 8 s`.
    pub faults: Vec<String>,
    /// Logical clients in all.
    pub clients: usize,
    pub seed: u64,
    /// When the run began, for people: `2026-07-01 14:03:11 +00:00`.
    pub date: String,
    /// The command that runs it again.
    pub command: String,
    /// The folder of the results, as the user would type it.
    pub folder: String,
    pub machine: Machine,
}

impl Scope {
    /// `etcd 3.4.23`.
    pub fn target_and_version(&self) -> String {
        match &self.version {
            Some(version) => format!("{} {version}", self.target),
            None => self.target.clone(),
        }
    }

    /// `read=serializable, quorum=2`.
    pub fn settings_in_words(&self) -> String {
        let settings: Vec<String> =
            self.settings.iter().map(|(name, value)| format!("{name}={value}")).collect();
        settings.join(", ")
    }
}

/// Where the run took place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    pub cores: usize,
    pub memory_bytes: u64,
    pub kernel: String,
    /// Version of splitbrain.
    pub splitbrain: String,
}

/// A phase of the plan, as it was run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhaseSpan {
    /// `healthy`, `partition` or `settle`.
    pub name: String,
    pub from: Time,
    pub to: Time,
}

/// What a verdict stands for, for readers who meet the word for the first time.
pub fn meaning(kind: Kind) -> &'static str {
    match kind {
        Kind::CP => "stayed linearizable; one side of the cut answered, another did not",
        Kind::CHalts => "stayed linearizable; no side of the cut answered everything",
        Kind::AP => "every live node answered; it was not linearizable",
        Kind::Mixed => "reads everywhere, stale ones; writes on one side only",
        Kind::Neither => "not linearizable, and not every live node answered",
        Kind::SingleCopy => "no second replica serves, so CAP says nothing about it",
        Kind::Inconclusive => "this run proves neither; the reason is given",
    }
}

/// The verdict with what it rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerdictView {
    pub kind: Kind,
    /// One sentence in plain words.
    pub sentence: String,
    /// What a reader asks next, each a clause.
    pub details: Vec<String>,
    /// Each a sentence; together they carry the verdict.
    pub evidence: Vec<String>,
    /// Each a sentence: what the run did not exercise, and what would be needed.
    pub not_exercised: Vec<String>,
    /// What the user expected, if the run was asked to compare.
    pub expected: Option<Kind>,
}

impl VerdictView {
    /// The first details as a sentence; empty if there are none.
    pub fn details_in_words(&self, number: usize) -> String {
        let words = self.details[..number].join("; ");
        let mut letters = words.chars();
        match letters.next() {
            Some(first) => format!("{}{}.", first.to_uppercase(), letters.as_str()),
            None => words,
        }
    }
}

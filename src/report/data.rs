//! What the reports are made of: one run, complete and already judged.
//!
//! The views of verdict, availability and convergence hold what a reader sees of them, nothing
//! to compute with. The outputs turn a [`RunData`] into text and judge nothing themselves.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use splitbrain_checkers::availability::Level;
use splitbrain_checkers::finding::Finding;
use splitbrain_checkers::history::{History, Name, Time, Value};
use splitbrain_checkers::partition::Partition;
use splitbrain_checkers::verdict::Kind;

use crate::plan::Plan;

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
    pub availability: AvailabilityView,
    /// `None` if the run had no settle phase.
    pub convergence: Option<ConvergenceView>,
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

/// A directed link went up or down, as probed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkEvent {
    pub time: Time,
    pub from: Name,
    pub to: Name,
    pub up: bool,
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

/// A stretch of the run over which availability is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "period", rename_all = "kebab-case")]
pub enum Period {
    /// Before the first cut.
    Healthy,
    /// From the cut to the heal of the partition at this position of [`RunData::partitions`].
    Cut { partition: usize },
    /// From that heal to the next cut, the settle phase or the end.
    After { partition: usize },
}

impl Period {
    /// `healthy`, `cut 1`, `after 1`.
    pub fn label(self) -> String {
        match self {
            Period::Healthy => "healthy".to_string(),
            Period::Cut { partition } => format!("cut {}", partition + 1),
            Period::After { partition } => format!("after {}", partition + 1),
        }
    }

    /// Orders periods by time.
    pub fn place(self) -> (usize, bool) {
        match self {
            Period::Healthy => (0, false),
            Period::Cut { partition } => (partition + 1, false),
            Period::After { partition } => (partition + 1, true),
        }
    }
}

/// How often one class of operations was answered at one node in one period.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AvailabilityRow {
    pub node: Name,
    /// `read`, `write`, `cas`.
    pub class: Name,
    pub period: Period,
    pub attempted: u64,
    pub answered: u64,
    /// Bounds of the share answered, 0 to 1 (Wilson, 95 %).
    pub low: f64,
    pub high: f64,
    /// Latency of what was answered; `None` if nothing was.
    pub p50: Option<Duration>,
    pub p99: Option<Duration>,
    pub level: Level,
    /// Stretches without an answer in the whole period, and their sum.
    pub outages: u64,
    pub down: Duration,
}

impl AvailabilityRow {
    /// Whether there were too few operations for what the verdict asks: it asks about cuts only.
    pub fn is_doubtful(&self) -> bool {
        self.level == Level::TooFew && matches!(self.period, Period::Cut { .. })
    }

    /// Whether something was not available, or may not have been.
    pub fn is_trouble(&self) -> bool {
        matches!(self.level, Level::Partial | Level::Unavailable) || self.is_doubtful()
    }

    /// Share answered, 0 to 1; `None` if nothing was attempted.
    pub fn share(&self) -> Option<f64> {
        (self.attempted > 0).then(|| self.answered as f64 / self.attempted as f64)
    }
}

/// How soon one class at one node was answered again around one partition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RecoveryRow {
    pub node: Name,
    pub class: Name,
    /// Position in [`RunData::partitions`].
    pub partition: usize,
    /// From the cut, before the heal.
    pub after_cut: FirstAnswer,
    /// From the heal, before the next cut.
    pub after_heal: FirstAnswer,
}

/// When something was first answered again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "kebab-case")]
pub enum FirstAnswer {
    After {
        time: Duration,
    },
    Never,
    /// Nothing was attempted.
    NotExercised,
}

/// The part of a period over which its operations are judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    #[serde(flatten)]
    pub period: Period,
    pub judged_from: Time,
    pub judged_to: Time,
}

/// Who stayed available.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct AvailabilityView {
    /// An answer later than this does not count.
    pub latency_bound: Duration,
    /// What follows a cut more closely than this is not judged: the system may fail over.
    pub failover_allowance: Duration,
    pub windows: Vec<Window>,
    /// Operations that a node and class needs in a period, for the verdict to count it.
    pub needed: u64,
    pub rows: Vec<AvailabilityRow>,
    pub recovery: Vec<RecoveryRow>,
}

/// What every node said of one key at the end.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FinalValues {
    pub key: Name,
    /// Node and its value; `None` if it did not answer.
    pub values: Vec<(Name, Option<Value>)>,
}

/// An acknowledged write that is gone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LostWrite {
    pub key: Name,
    pub value: Value,
    pub node: Option<Name>,
    /// When.
    pub acknowledged: Time,
}

/// A value that is present and that no operation wrote.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Phantom {
    pub key: Name,
    pub node: Name,
    pub value: Value,
}

/// Whether all nodes agreed on every key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "agreement", rename_all = "kebab-case")]
pub enum Agreement {
    /// They did, this long after the last heal, and stayed so.
    Agreed {
        after: Duration,
    },
    /// On these keys they did not, to the end.
    Refuted {
        keys: Vec<Name>,
    },
    Unknown {
        reason: String,
    },
}

/// What the replicas had after the last heal, without writes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ConvergenceView {
    pub agreement: Agreement,
    /// Keys that were read at every node.
    pub keys: usize,
    pub lost: Vec<LostWrite>,
    pub phantoms: Vec<Phantom>,
    /// Keys whose replicas disagree or that lost a write, worst first.
    pub finals: Vec<FinalValues>,
}

//! Availability: who answered, per node, class and period.
//!
//! A system is available if every request that a live node receives gets an answer that is no
//! error (Gilbert and Lynch, "Brewer's conjecture and the feasibility of consistent, available,
//! partition-tolerant web services", ACM SIGACT News 33(2), 2002). They let the answer take any
//! time, which no measurement can wait for. Measured, it needs a bound on waiting and a moment to
//! fail over, so:
//!
//! - the latency bound L is max(1 s, 5 x p99.9 of the operations before the first cut), unless
//!   it is set;
//! - the failover allowance g is declared by the target;
//! - a partition's steady window is W = [began + g, heal commanded - L]: what happens while the
//!   system may still fail over, or could be rescued by the heal, does not count;
//! - an operation is answered if its answer is definite ([`Operation::answered`]) and came
//!   within L of the instant when the operation was due;
//! - A(node, class) = answered / attempted over the operations that were due in W, judged by
//!   Wilson's 95 % interval ([`wilson`]).
//!
//! Replica reads of the settle phase are no client operations and do not count.
//!
//! The finding `available` is a statement of fact, not of fault: CP systems are meant to refuse.
//! It is valid if every live node was available for every class in every partition; invalid if
//! some node was not, by enough operations, in a proven partition; else unknown.
//!
//! The cost is that of sorting each node's operations by the instant when they were due, and for
//! each period one pass over them.
//!
//! # Example
//!
//! A cut from 0 to 500 us between two nodes, a read at each every microsecond; n2 answers none.
//!
//! ```
//! # use std::time::Duration;
//! # use splitbrain_checkers::history::{Operation, Outcome, Time};
//! # use splitbrain_checkers::partition::{Partition, Proof};
//! use splitbrain_checkers::availability::{self, Class, Level, Period, Settings};
//! # use splitbrain_checkers::notation;
//! # let [a, b] = ["n1".into(), "n2".into()];
//! # let read = notation::history("0 read@x -> 1 0..1").operations.remove(0);
//! # let mut history = notation::history("");
//! # for start in (0..500_000).step_by(1_000) {
//! #     for (node, outcome) in [(&a, Outcome::Ok), (&b, Outcome::Info)] {
//! #         let (invoke, complete) = (Time(start), Some(Time(start + 500)));
//! #         let node = Some(Clone::clone(node));
//! #         history.operations.push(Operation { node, invoke, complete, outcome, ..read.clone() });
//! #     }
//! # }
//! # history.end = Time(500_000);
//! # let cut = Partition {
//! #     name: "n1 | n2".into(), cut: Default::default(),
//! #     components: vec![vec!["n1".into()], vec!["n2".into()]],
//! #     commanded: Time(0), began: Time(0), heal_commanded: Time(500_000), healed: None,
//! #     dropped_packets: vec![], proof: Proof::Confirmed, pulse: None,
//! # };
//! let settings = Settings { latency_bound: Some(Duration::from_micros(10)), ..Settings::default() };
//! let (availability, finding) = availability::check(&history, &[cut], &[a, b], &settings);
//! let level = |node| {
//!     availability.row(Period::Cut { partition: 0 }, node, Class::Read).unwrap().level
//! };
//! assert_eq!((level("n1"), level("n2")), (Level::Available, Level::Unavailable));
//! assert!(finding.validity.is_invalid());
//! ```

pub mod bins;
mod finding;
pub mod periods;
mod recovery;
#[cfg(test)]
mod tests;
pub mod wilson;

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::finding::Finding;
use crate::history::{Function, History, Name, Operation, Time};
use crate::partition::Partition;
pub(crate) use finding::too_few;
pub use periods::{Period, Window};
pub use recovery::{FirstSuccess, Recovery};
pub use wilson::{Answered, Level};

/// Read or write; cas counts as a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Class {
    Read,
    Write,
}

impl Class {
    /// The class of a client operation; `None` for whatever is not asked of the database by a
    /// client.
    pub fn of(f: &Function) -> Option<Class> {
        match f {
            Function::Read => Some(Class::Read),
            Function::Write | Function::Cas => Some(Class::Write),
            Function::ReplicaRead | Function::Other(_) => None,
        }
    }
}

/// In the plural: `reads`, `writes`.
impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Class::Read => "reads",
            Class::Write => "writes",
        })
    }
}

/// What the run declares.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// L; `None`: max(1 s, 5 x healthy p99.9).
    pub latency_bound: Option<Duration>,
    /// g, from the target.
    pub failover_allowance: Duration,
}

/// One node and class in one period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    pub period: Period,
    pub node: Name,
    pub class: Class,
    /// Over the operations due in the period's judged window.
    #[serde(flatten)]
    pub answered: Answered,
    pub level: Level,
    /// Latency from the due instant, of the answered operations.
    pub p50: Option<Duration>,
    pub p99: Option<Duration>,
    /// Sum of the outages in the whole period: each from the due instant of its first unanswered
    /// operation to that of the next answered one, or to the end of the period.
    pub downtime: Duration,
    pub outages: usize,
}

/// Who answered, when.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Availability {
    /// L, and the p99.9 that it comes from if it was not set.
    pub latency_bound: Duration,
    pub healthy_p999: Option<Duration>,
    /// g.
    pub failover_allowance: Duration,
    /// The nodes that were asked about, in their order.
    pub nodes: Vec<Name>,
    /// Classes that the workload has.
    pub classes: Vec<Class>,
    /// Healthy first, then each partition and what came after it.
    pub windows: Vec<Window>,
    /// Every window, node and class.
    pub rows: Vec<Row>,
    /// Every partition, node and class.
    pub recoveries: Vec<Recovery>,
}

impl Availability {
    /// One row.
    pub fn row(&self, period: Period, node: &str, class: Class) -> Option<&Row> {
        self.rows
            .iter()
            .find(|row| row.period == period && &*row.node == node && row.class == class)
    }

    /// The run's recovery time: from a heal to the first success, the slowest over all
    /// partitions, nodes and classes.
    pub fn recovery_time(&self) -> FirstSuccess {
        let worst = self.recoveries.iter().map(|recovery| recovery.after_heal);
        worst.reduce(FirstSuccess::worst).unwrap_or(FirstSuccess::NotExercised)
    }
}

/// Measures availability at these nodes (all that hold data and live) and gives the finding
/// `available`.
pub fn check(
    history: &History,
    partitions: &[Partition],
    nodes: &[Name],
    settings: &Settings,
) -> (Availability, Finding) {
    let (latency_bound, healthy_p999) = latency_bound(history, partitions, settings);
    let classes = [Class::Read, Class::Write]
        .into_iter()
        .filter(|class| history.operations.iter().any(|o| Class::of(&o.f) == Some(*class)))
        .collect();
    let bounds = periods::Bounds { latency_bound, failover_allowance: settings.failover_allowance };
    let windows = periods::windows(history, partitions, bounds);
    let mut availability = Availability {
        latency_bound,
        healthy_p999,
        failover_allowance: settings.failover_allowance,
        nodes: nodes.to_vec(),
        classes,
        windows,
        rows: Vec::new(),
        recoveries: Vec::new(),
    };
    availability.rows = periods::rows(history, &availability);
    availability.recoveries = recovery::recoveries(history, partitions, &availability);
    let finding = finding::finding(history, partitions, &availability);
    (availability, finding)
}

/// Whether the operation was answered, and in time.
pub fn answered_within(operation: &Operation, latency_bound: Duration) -> bool {
    operation.answered() && operation.latency().is_some_and(|latency| latency <= latency_bound)
}

/// L, and the p99.9 of what was answered before the first cut.
fn latency_bound(
    history: &History,
    partitions: &[Partition],
    settings: &Settings,
) -> (Duration, Option<Duration>) {
    let first_cut = partitions.iter().map(|p| p.commanded).min().unwrap_or(Time::MAX);
    let healthy = |operation: &&Operation| {
        Class::of(&operation.f).is_some()
            && operation.answered()
            && operation.complete.is_some_and(|complete| complete < first_cut)
    };
    let mut latencies: Vec<Duration> =
        history.operations.iter().filter(healthy).filter_map(Operation::latency).collect();
    let p999 = periods::quantile(&mut latencies, 0.999);
    let default = Duration::from_secs(1).max(p999.unwrap_or_default() * 5);
    (settings.latency_bound.unwrap_or(default), p999)
}

//! The rules that a workload has to keep, by itself and together with a target.
//!
//! Pure: a rule looks at values and says which part does not fit; where that part was written is
//! for the caller to know. The same rules hold for a workload file and for a `plan.yaml`.

use std::collections::BTreeSet;
use std::time::Duration;

use splitbrain_checkers::history::{Function, Name};

use super::duration;
use super::model::{Check, Partition, Phase, Workload};
use super::names::instead_of;

/// A part of a workload that a rule can point at.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    Operations,
    Operation(Function),
    Keys,
    WritesPerKey,
    Clients,
    Rate,
    Timeout,
    Phases,
    Phase(usize),
    /// Phase and number of the partition in it.
    Partition(usize, usize),
    /// Phase, partition and number of the name in [`Partition::names`].
    Node(usize, usize, usize),
    Checks,
    Check(Check),
}

impl Subject {
    /// What a part is in, if that too is a part.
    pub fn parent(&self) -> Option<Subject> {
        match self {
            Subject::Operation(_) => Some(Subject::Operations),
            Subject::Phase(_) => Some(Subject::Phases),
            Subject::Partition(phase, _) | Subject::Node(phase, _, _) => {
                Some(Subject::Phase(*phase))
            }
            Subject::Check(_) => Some(Subject::Checks),
            _ => None,
        }
    }
}

/// Parts of a workload that could not be read, so that rules which need all of it must wait.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unclear {
    pub operations: bool,
    pub phases: bool,
    pub checks: bool,
}

/// What the rules need to know of a target; `None` where its file could not be read.
#[derive(Debug, Clone, Default)]
pub struct Cluster {
    /// Name and settings, for a sentence: `etcd (read: serializable)`.
    pub description: String,
    pub nodes: Option<Vec<Name>>,
    pub operations: Option<Vec<Function>>,
    pub failover_allowance: Option<Duration>,
    /// The recipe says that no node leads.
    pub no_primary: bool,
}

/// A broken rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    pub subject: Subject,
    pub message: String,
    pub accepted: String,
}

/// Collects problems.
#[derive(Default)]
struct Problems(Vec<Problem>);

impl Problems {
    fn add(&mut self, subject: Subject, message: impl Into<String>, accepted: impl Into<String>) {
        let (message, accepted) = (message.into(), accepted.into());
        self.0.push(Problem { subject, message, accepted });
    }
}

/// Every rule that is broken.
pub fn problems(workload: &Workload, unclear: Unclear, cluster: &Cluster) -> Vec<Problem> {
    let mut problems = Problems::default();
    numbers(workload, &mut problems);
    operations(workload, unclear, cluster, &mut problems);
    if !unclear.phases {
        sequence(workload, &mut problems);
    }
    if let Some(nodes) = &cluster.nodes {
        for (phase, partition, number) in partitions(workload) {
            shape(phase, number, partition, nodes, &mut problems);
        }
    }
    for (phase, partition, number) in partitions(workload) {
        if cluster.no_primary && *partition == Partition::IsolatePrimary {
            problems.add(
                Subject::Partition(phase, number),
                format!("{} has no primary to isolate", cluster.description),
                "isolate: one, or the name of a node",
            );
        }
    }
    checks(workload, unclear, cluster, &mut problems);
    problems.0
}

/// Every partition with its phase and its number in the phase.
fn partitions(workload: &Workload) -> impl Iterator<Item = (usize, &Partition, usize)> {
    workload.phases.iter().enumerate().flat_map(|(phase, faults)| {
        faults
            .partitions()
            .iter()
            .enumerate()
            .map(move |(number, partition)| (phase, partition, number))
    })
}

fn numbers(workload: &Workload, problems: &mut Problems) {
    for (subject, value, what) in [
        (Subject::Keys, workload.keys == 0, "zero keys"),
        (Subject::WritesPerKey, workload.writes_per_key == Some(0), "zero writes per key"),
        (Subject::Clients, workload.clients == 0, "zero clients"),
    ] {
        if value {
            problems.add(subject, format!("{what}: nothing would happen"), "at least `1`");
        }
    }
    if workload.rate.is_some_and(|rate| rate <= 0.0 || !rate.is_finite()) {
        let accepted = "more than `0/s`; leave `rate` out for as fast as it goes";
        problems.add(Subject::Rate, "a rate of zero: nothing would happen", accepted);
    }
    if workload.timeout.is_zero() {
        let message = "a timeout of zero: no operation could be answered";
        problems.add(Subject::Timeout, message, "more than zero: `1s`");
    }
}

fn operations(workload: &Workload, unclear: Unclear, cluster: &Cluster, problems: &mut Problems) {
    if !unclear.operations && workload.operations.values().all(|weight| *weight == 0) {
        let accepted = "at least one positive weight: `{ read: 5, write: 3 }`";
        problems.add(Subject::Operations, "no operation has a positive weight", accepted);
    }
    let Some(able) = &cluster.operations else { return };
    for (function, weight) in &workload.operations {
        if *weight > 0 && !able.contains(function) {
            let of_type = workload.data_type.operations();
            let able: Vec<&str> = able
                .iter()
                .filter(|function| of_type.contains(function))
                .map(Function::as_str)
                .collect();
            problems.add(
                Subject::Operation(function.clone()),
                format!("{} has no operation `{function}`", cluster.description),
                format!("{} (or weight 0)", able.join(", ")),
            );
        }
    }
}

/// What the order and the lengths of phases have to keep.
fn sequence(workload: &Workload, problems: &mut Problems) {
    let phases = &workload.phases;
    if phases.iter().all(Phase::is_settle) {
        let accepted = "at least one phase beside settle: `- healthy: 3s`";
        problems.add(Subject::Phases, "no phase in which clients run", accepted);
    }
    for (number, phase) in phases.iter().enumerate() {
        let subject = Subject::Phase(number);
        if phase.length().is_zero() {
            problems.add(subject.clone(), "a phase of zero length", "more than zero: `3s`");
        }
        if number + 1 < phases.len() && phase.is_settle() {
            let message = "settle is not the last phase";
            problems.add(subject, message, "settle once, at the end; `healthy: 3s` in between");
        } else if number + 1 == phases.len() && matches!(phase, Phase::Faults { .. }) {
            problems.add(
                subject,
                "the run ends with links cut",
                "a phase after it that heals: `- settle: 10s` or `- healthy: 3s`",
            );
        }
    }
}

/// Whether a partition makes sense for the nodes of the cluster.
fn shape(
    phase: usize,
    number: usize,
    partition: &Partition,
    nodes: &[Name],
    problems: &mut Problems,
) {
    let subject = Subject::Partition(phase, number);
    let (least, why) = match partition {
        Partition::Bridge(_) => (3, "a bridge is a node between two halves"),
        Partition::Ring => (4, "in a smaller ring every node is a neighbour of every other"),
        _ => (2, "there is no link to cut"),
    };
    if nodes.len() < least {
        problems.add(
            subject,
            format!("`{}` makes no sense with {}: {why}", keyword(partition), count(nodes)),
            match nodes.len() {
                1 => "a cluster of more nodes, or a workload without partitions".to_string(),
                _ => format!("at least {least} nodes, or another partition, e.g. isolate: one"),
            },
        );
        return;
    }
    let mut known = true;
    for (position, name) in partition.names().into_iter().enumerate() {
        if !nodes.contains(name) {
            problems.add(
                Subject::Node(phase, number, position),
                format!("there is no node `{name}` in a cluster of {}", count(nodes)),
                instead_of(name, nodes.iter().map(|node| &**node)),
            );
            known = false;
        }
    }
    match partition {
        Partition::Groups(groups) if known => {
            groups_cover(phase, number, groups, nodes, problems);
        }
        Partition::OneWay { from, to } => one_way(phase, number, from, to, problems),
        _ => {}
    }
}

/// Every node has to be in exactly one of at least two groups.
fn groups_cover(
    phase: usize,
    number: usize,
    groups: &[Vec<Name>],
    nodes: &[Name],
    problems: &mut Problems,
) {
    let mut seen = BTreeSet::new();
    for (position, name) in groups.iter().flatten().enumerate() {
        if !seen.insert(name) {
            problems.add(
                Subject::Node(phase, number, position),
                format!("the groups name {name} twice"),
                "every node in exactly one group",
            );
        }
    }
    let missing: Vec<&str> =
        nodes.iter().filter(|node| !seen.contains(node)).map(|node| &**node).collect();
    if !missing.is_empty() {
        problems.add(
            Subject::Partition(phase, number),
            format!("the groups leave out {}", missing.join(", ")),
            "every node in exactly one group",
        );
    }
    if groups.len() < 2 {
        problems.add(
            Subject::Partition(phase, number),
            "a single group cuts no link",
            "at least two groups: `[[n1], [n2, n3]]`",
        );
    }
}

/// No node is on both sides or named twice.
fn one_way(phase: usize, number: usize, from: &[Name], to: &[Name], problems: &mut Problems) {
    let mut seen = BTreeSet::new();
    for (position, name) in from.iter().chain(to).enumerate() {
        if !seen.insert(name) {
            problems.add(
                Subject::Node(phase, number, position),
                format!("`one-way` names {name} twice"),
                "every node on one side at most: `{ from: [n1], to: [n2] }`",
            );
        }
    }
}

/// Whether each check can come to a verdict that means something.
fn checks(workload: &Workload, unclear: Unclear, cluster: &Cluster, problems: &mut Problems) {
    let weight = |function| workload.operations.get(&function).copied().unwrap_or(0);
    let writes = weight(Function::Write) > 0;
    let observes = weight(Function::Read) > 0 || weight(Function::Cas) > 0;
    if workload.checks.is_empty() && !unclear.checks {
        problems.add(Subject::Checks, "nothing is checked", "`[linearizable]`");
    }
    for &check in &workload.checks {
        let mut needs = |met: bool, message: &str, accepted: &str| {
            if !met {
                problems.add(
                    Subject::Check(check),
                    format!("`{}` {message}", check.as_str()),
                    accepted,
                );
            }
        };
        if !unclear.operations && check != Check::Available {
            needs(writes, "without writes would always hold", "a weight for `write`");
        }
        match check {
            Check::Linearizable if !unclear.operations => {
                needs(observes, "without reads would always hold", "a weight for `read` or `cas`")
            }
            Check::Convergent if !unclear.phases => needs(
                workload.phases.iter().any(Phase::is_settle),
                "reads every node while the cluster settles, and no phase does that",
                "`- settle: 10s` as the last phase",
            ),
            Check::Available if !unclear.phases => needs(
                partitions(workload).next().is_some(),
                "is about answers during a partition, and no phase has one",
                "`- partition: { isolate: one }` with `for: 8s`, or the check left out",
            ),
            _ => {}
        }
        if check == Check::Available {
            longer_than_failover(workload, cluster, problems);
        }
    }
}

/// A cut within which failing over is still allowed says nothing about availability.
fn longer_than_failover(workload: &Workload, cluster: &Cluster, problems: &mut Problems) {
    let Some(allowance) = cluster.failover_allowance else { return };
    for (number, phase) in workload.phases.iter().enumerate() {
        if !phase.partitions().is_empty() && phase.length() <= allowance {
            problems.add(
                Subject::Phase(number),
                format!(
                    "a cut of {} says nothing about `available`: {} may take {} to fail over",
                    duration::format(phase.length()),
                    cluster.description,
                    duration::format(allowance),
                ),
                format!("longer than {}", duration::format(allowance)),
            );
        }
    }
}

fn keyword(partition: &Partition) -> &'static str {
    match partition {
        Partition::IsolateOne | Partition::IsolatePrimary | Partition::IsolateNode(_) => "isolate",
        Partition::HalvesRandom => "halves",
        Partition::Groups(_) => "groups",
        Partition::Bridge(_) => "bridge",
        Partition::Ring => "ring",
        Partition::OneWay { .. } => "one-way",
    }
}

fn count(nodes: &[Name]) -> String {
    match nodes.len() {
        1 => "one node".to_string(),
        number => format!("{number} nodes"),
    }
}

//! The verdict in plain words, and the list of what it rests on.

use std::collections::BTreeMap;

use super::exercise::{Exercise, Exercised, exercised};
use super::{Decision, Evidence, Inputs, Kind, PartitionVerdict, Served};
use crate::availability::{Answered, Class, Level, Row};
use crate::convergence::{Agreement, Convergence};
use crate::finding::{Finding, Validity};
use crate::history::Name;
use crate::words::{count, list, thousands};

/// The essence in one sentence without a subject, to be followed by "under these faults, with
/// these settings".
pub(super) fn sentence(inputs: &Inputs, partitions: &[Exercised], decision: &Decision) -> String {
    let consistent = inputs.linearizable.map_or(String::new(), consistent);
    let mut broken = broken(inputs);
    if decision.kind == Kind::Neither && writes_on_both_sides(partitions) {
        broken.push("both sides of a cut acknowledged writes".into());
    }
    let even_so = match broken.is_empty() {
        true => String::new(),
        false => format!("; even so {}", list(&broken)),
    };
    let broken = list(&broken);
    match decision.kind {
        Kind::CP => {
            format!(
                "behaved CP: {consistent}, and {} one side stayed available{even_so}",
                in_each(partitions)
            )
        }
        Kind::CHalts => {
            format!(
                "behaved C, halts: {consistent}, but no side of a cut stayed available{even_so}"
            )
        }
        Kind::AP => format!(
            "behaved AP: every node went on answering reads and writes on all sides of the cut, \
             and {broken}"
        ),
        Kind::Mixed => format!(
            "behaved neither CP nor AP but mixed: reads stayed available at every node, writes on \
             one side only, and {broken}"
        ),
        Kind::Neither if inputs.availability.nodes.len() == 1 => {
            format!("behaved neither CP nor AP: there is a single copy, and even so {broken}")
        }
        Kind::Neither => {
            format!("behaved neither CP nor AP: {broken}, and yet not every node stayed available")
        }
        Kind::SingleCopy => format!(
            "behaved as a single copy: {consistent}, but no second replica serves, so CAP says \
             nothing about it{even_so}"
        ),
        Kind::Inconclusive => {
            let reason = decision.reason.as_deref().unwrap_or("no reason is known");
            format!("behaved in a way that this run does not decide: {reason}{even_so}")
        }
    }
}

/// What a reader asks next, each a clause: who was available in one of the cuts, and whether the
/// nodes agreed after the heal.
pub(super) fn details(
    inputs: &Inputs,
    partitions: &[Exercised],
    decision: &Decision,
) -> Vec<String> {
    let cut = match decision.kind {
        Kind::CP | Kind::Mixed => example(partitions, Served::OneSide),
        Kind::CHalts => example(partitions, Served::Nobody),
        Kind::Neither => not_available(partitions),
        Kind::AP | Kind::SingleCopy | Kind::Inconclusive => None,
    };
    // A single copy was never cut, so nothing was healed.
    let convergence = inputs.convergence.filter(|_| decision.kind != Kind::SingleCopy);
    cut.into_iter().chain(convergence.and_then(|(convergence, _)| healed(convergence))).collect()
}

fn consistent(finding: &Finding) -> String {
    format!("it was linearizable throughout ({})", count(finding.operations, "operation"))
}

/// What was refuted, each a clause; empty if nothing was.
fn broken(inputs: &Inputs) -> Vec<String> {
    let mut broken = Vec::new();
    if let Some(finding) = inputs.linearizable.filter(|finding| finding.validity.is_invalid()) {
        broken.push(match finding.keys.len() {
            0 => "linearizability was refuted".into(),
            keys => format!("linearizability was refuted on {}", count(keys, "key")),
        });
    }
    let Some((convergence, _)) = inputs.convergence else { return broken };
    if !convergence.lost.is_empty() {
        let lost = convergence.lost.len();
        let of = count(convergence.acknowledged, "acknowledged write");
        let verb = if lost == 1 { "was" } else { "were" };
        broken.push(format!("{} of {of} {verb} lost", thousands(lost)));
    }
    if !convergence.phantoms.is_empty() {
        let values = count(convergence.phantoms.len(), "value");
        broken.push(format!("nodes held {values} that nobody wrote"));
    }
    if !convergence.breaches.is_empty() {
        let states = count(convergence.breaches.len(), "final state");
        broken.push(format!("{states} broke what a key of its type promises"));
    }
    if let Agreement::Refuted { keys } = &convergence.agreement {
        let of = count(convergence.keys.len(), "key");
        broken.push(format!("the nodes never agreed on {} of {of}", thousands(keys.len())));
    }
    broken
}

/// How it was after the heal, apart from what was broken.
fn healed(convergence: &Convergence) -> Option<String> {
    let lost =
        if convergence.lost.is_empty() { ", and no acknowledged write was lost" } else { "" };
    match &convergence.agreement {
        Agreement::Agreed { after } => {
            let after = after.as_secs_f64();
            Some(format!("after the heal all nodes agreed within {after:.3} s{lost}"))
        }
        Agreement::Refuted { .. } => None,
        Agreement::Unknown { .. } => {
            Some("whether the nodes agreed after the heal is not known".into())
        }
    }
}

fn in_each(partitions: &[Exercised]) -> String {
    match exercised(partitions).count() {
        1 => "in the partition".into(),
        partitions => format!("in each of {partitions} partitions"),
    }
}

/// `with n1 cut off from n2 and n3, n2 and n3 stayed available and n1 was unavailable for ...`
fn example(partitions: &[Exercised], wanted: Served) -> Option<String> {
    let alike =
        |partition: &PartitionVerdict| partition.exercise == Exercise::Exercised { served: wanted };
    let same = exercised(partitions).find(|(partition, _)| alike(partition));
    let (partition, cells) = same.or_else(|| exercised(partitions).next())?;
    let served: Vec<&Name> =
        cells.sides().iter().filter(|side| cells.is_served(side)).flatten().collect();
    let mut parts = Vec::new();
    if !served.is_empty() {
        parts.push(format!("{} stayed available", list(&served)));
    }
    parts.extend(unavailable(cells.at_level(Level::Unavailable)));
    Some(format!("with {}, {}", split(&partition.sides), parts.join(" and ")))
}

/// `n1 cut off from n2 and n3`.
fn split(sides: &[Vec<Name>]) -> String {
    match sides {
        [larger, smaller] => format!("{} cut off from {}", list(smaller), list(larger)),
        _ => {
            let sides: Vec<String> = sides.iter().map(|side| side.join(", ")).collect();
            format!("the sides {} cut apart", sides.join(" | "))
        }
    }
}

/// `n1 was unavailable for reads and writes (3 of 812 answered)`; `None` if there is no row.
fn unavailable<'a>(rows: impl Iterator<Item = &'a Row>) -> Option<String> {
    let mut classes: BTreeMap<&Name, Vec<Class>> = BTreeMap::new();
    let mut total = Answered::default();
    for row in rows {
        classes.entry(&row.node).or_default().push(row.class);
        total.answered += row.answered.answered;
        total.attempted += row.answered.attempted;
    }
    let mut nodes: BTreeMap<Vec<Class>, Vec<&Name>> = BTreeMap::new();
    for (node, classes) in classes {
        nodes.entry(classes).or_default().push(node);
    }
    let groups: Vec<String> = nodes
        .iter()
        .map(|(classes, nodes)| {
            let classes: Vec<String> = classes.iter().map(Class::to_string).collect();
            let verb = if nodes.len() == 1 { "was" } else { "were" };
            format!("{} {verb} unavailable for {}", list(nodes), list(&classes))
        })
        .collect();
    (!groups.is_empty()).then(|| format!("{} ({total} answered)", groups.join(", ")))
}

/// Who was not available in the first partition where that can be said.
fn not_available(partitions: &[Exercised]) -> Option<String> {
    let of = |level: Level| {
        exercised(partitions).find_map(|(partition, cells)| match level {
            Level::Unavailable => {
                let text = unavailable(cells.at_level(level))?;
                Some(format!("with {}, {text}", split(&partition.sides)))
            }
            _ => cells.at_level(level).next().map(|row| {
                let Row { node, answered, class, .. } = row;
                format!("with {}, {node} answered only {answered} {class}", split(&partition.sides))
            }),
        })
    };
    of(Level::Unavailable).or_else(|| of(Level::Partial))
}

fn writes_on_both_sides(partitions: &[Exercised]) -> bool {
    exercised(partitions).any(|(partition, _)| partition.writes_on_both_sides.is_some())
}

/// Everything that the verdict rests on, in the order of the questions.
pub(super) fn evidence(inputs: &Inputs, partitions: &[Exercised]) -> Vec<Evidence> {
    let mut evidence: Vec<Evidence> = inputs.linearizable.into_iter().map(of_finding).collect();
    for (partition, cells) in partitions {
        let operations = match &partition.exercise {
            Exercise::Crossed { operations, .. } => operations.to_vec(),
            _ => Vec::new(),
        };
        let said = match &partition.exercise {
            Exercise::Exercised { .. } => availability(cells.rows()),
            Exercise::Unproven { reason } => format!("not proven: {reason}"),
            Exercise::NotExercised { reason } => format!("left out: {reason}"),
            Exercise::Crossed { reason, .. } => format!("left out: {reason}"),
        };
        evidence.push(Evidence { text: format!("{}: {said}", partition.name), operations });
        evidence.extend(partition.evidence.iter().map(|part| Evidence {
            text: format!("{}: {}", partition.name, part.text),
            operations: part.operations.clone(),
        }));
    }
    evidence.extend(inputs.convergence.map(|(_, finding)| of_finding(finding)));
    evidence
}

/// `n1 answered 0 of 412 reads (unavailable), ...`
fn availability<'a>(rows: impl Iterator<Item = &'a Row>) -> String {
    let rows: Vec<String> = rows
        .map(|row| format!("{} answered {} {} ({})", row.node, row.answered, row.class, row.level))
        .collect();
    rows.join(", ")
}

fn of_finding(finding: &Finding) -> Evidence {
    let Finding { check, summary, .. } = finding;
    match &finding.validity {
        Validity::Valid => Evidence { text: format!("{check}: {summary}"), operations: Vec::new() },
        Validity::Unknown { reason } => {
            Evidence { text: format!("{check}: not known: {reason}"), operations: Vec::new() }
        }
        Validity::Invalid { witness } => Evidence {
            text: format!("not {check}: {}", witness.sentence),
            operations: witness.operations.iter().map(|operation| operation.index).collect(),
        },
    }
}

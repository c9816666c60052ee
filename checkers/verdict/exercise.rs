//! Which partitions count: proven, a partition in the sense of CAP, with enough operations at
//! every node, and with probes that tried to see across.
//!
//! Whatever is missing is said. A partition that was cut but not proven makes the whole run
//! inconclusive, because nobody knows what its operations met; one that was proven but too short
//! or too quiet is only left out.

use serde::{Deserialize, Serialize};

use super::classify::{Cells, Served};
use super::probes::{Pair, Probes, Sides, Writers, probes};
use super::{Evidence, Inputs};
use crate::availability::{Answered, Availability, Class, Level, Period, Row};
use crate::history::Name;
use crate::partition::{Partition, Proof};

/// Whether a partition counts for the verdict, and if not, why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "exercise", rename_all = "kebab-case")]
pub enum Exercise {
    /// It counts, and this is who was served.
    Exercised { served: Served },
    /// The cut was not proven.
    Unproven { reason: String },
    /// It proves nothing about CAP.
    NotExercised { reason: String },
    /// Data crossed it, as these two operations show.
    Crossed { reason: String, operations: [u64; 2] },
}

/// What the verdict made of one partition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartitionVerdict {
    pub name: String,
    /// Sides as far as they hold data, largest first.
    pub sides: Vec<Vec<Name>>,
    #[serde(flatten)]
    pub exercise: Exercise,
    /// Reads that followed an attempted, or an acknowledged, write of their key on a side that
    /// was fully cut off from theirs.
    pub probes_attempted: usize,
    pub probes_acknowledged: usize,
    /// Writes acknowledged during the cut.
    pub writes_acknowledged: usize,
    /// Indexes of two writes that were acknowledged on two sides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub writes_on_both_sides: Option<[u64; 2]>,
    /// What else speaks for or against it.
    pub evidence: Vec<Evidence>,
}

/// A partition's verdict with the cells that it comes from.
pub(super) type Exercised<'a> = (PartitionVerdict, Cells<'a>);

/// The partitions that count.
pub(super) fn exercised<'a, 'b>(
    partitions: &'b [Exercised<'a>],
) -> impl Iterator<Item = (&'b PartitionVerdict, &'b Cells<'a>)> {
    let counts = |p: &&Exercised| matches!(p.0.exercise, Exercise::Exercised { .. });
    partitions.iter().filter(counts).map(|(partition, cells)| (partition, cells))
}

/// Looks at every partition of the run.
pub(super) fn partitions<'a>(inputs: &Inputs<'a>) -> Vec<Exercised<'a>> {
    let writers = Writers::of(inputs.history);
    let one = |(index, partition): (usize, &'a Partition)| {
        let sides = Sides::of(partition);
        let probes = probes(inputs.history, partition, &sides, &writers);
        let cells = Cells::of(inputs.availability, index, partition);
        let exercise = exercise(inputs, partition, &sides, &probes, &cells);
        let index_of = |pair: Pair| pair.map(|operation| operation.index);
        let verdict = PartitionVerdict {
            name: partition.name.clone(),
            sides: cells.sides().to_vec(),
            exercise,
            probes_attempted: probes.attempted,
            probes_acknowledged: probes.acknowledged,
            writes_acknowledged: probes.writes_acknowledged,
            writes_on_both_sides: probes.both_sides.map(index_of),
            evidence: evidence(&probes),
        };
        (verdict, cells)
    };
    inputs.partitions.iter().enumerate().map(one).collect()
}

fn exercise(
    inputs: &Inputs,
    partition: &Partition,
    sides: &Sides,
    probes: &Probes,
    cells: &Cells,
) -> Exercise {
    if let Proof::Missing { reason } = &partition.proof {
        return Exercise::Unproven { reason: reason.clone() };
    }
    if let Some([write, read]) = probes.crossing {
        let reason = format!(
            "data crossed the cut: {write} at {} was seen by {read} at {}",
            node(&write.node),
            node(&read.node)
        );
        return Exercise::Crossed { reason, operations: [write.index, read.index] };
    }
    let missing = missing_side(inputs, partition)
        .or_else(|| cap_silent(sides))
        .or_else(|| missing_class(inputs))
        .or_else(|| too_few(inputs, cells))
        .or_else(|| missing_probes(probes))
        .or_else(|| starved(partition, cells));
    match missing {
        Some(reason) => Exercise::NotExercised { reason },
        None => Exercise::Exercised { served: cells.served() },
    }
}

fn missing_side(inputs: &Inputs, partition: &Partition) -> Option<String> {
    let lost = inputs.availability.nodes.iter().find(|node| partition.side(node).is_none())?;
    Some(format!("it is not known on which side {lost} was"))
}

fn cap_silent(sides: &Sides) -> Option<String> {
    let reason = "no two sides were fully cut off from each other (a bridge, a ring or one-way \
                  loss leaves a path), and CAP speaks only of those that are";
    (!sides.any_apart()).then(|| reason.into())
}

fn missing_class(inputs: &Inputs) -> Option<String> {
    let classes = &inputs.availability.classes;
    let missing = [Class::Read, Class::Write].into_iter().find(|class| !classes.contains(class))?;
    Some(format!("the workload has no {missing}"))
}

fn too_few(inputs: &Inputs, cells: &Cells) -> Option<String> {
    let Availability { nodes, classes, .. } = inputs.availability;
    if nodes.is_empty() || cells.rows().count() != nodes.len() * classes.len() {
        return Some("availability was not measured at every node".into());
    }
    let row = cells.rows().find(|row| row.level == Level::TooFew)?;
    Some(crate::availability::too_few(row))
}

fn missing_probes(probes: &Probes) -> Option<String> {
    let reason = if probes.writes_acknowledged > 0 {
        "no key was read on one side after a write of it was acknowledged on another"
    } else {
        "no key was read on one side after a write of it was tried on another"
    };
    (!probes.ran()).then(|| reason.into())
}

/// Where no side was served, it may have been the machine that could not. Where one was, the
/// machine sufficed.
fn starved(partition: &Partition, cells: &Cells) -> Option<String> {
    let pulse = partition.pulse.filter(|pulse| pulse.is_weak())?;
    let nobody = !cells.sides().iter().any(|side| cells.is_served(side));
    nobody.then(|| {
        format!(
            "no side was served, but the machine was too busy to tell why: it woke the harness \
             in time only {} of {} times",
            pulse.kept, pulse.wanted
        )
    })
}

/// Why no verdict on CAP is possible, if so.
pub(super) fn not_enough(partitions: &[Exercised]) -> Option<String> {
    let mut left_out = None;
    for (partition, _) in partitions {
        let name = &partition.name;
        match &partition.exercise {
            Exercise::Unproven { reason } => {
                return Some(format!("that partition {name} was real is not proven: {reason}"));
            }
            Exercise::NotExercised { reason } | Exercise::Crossed { reason, .. } => {
                left_out.get_or_insert_with(|| format!("in partition {name}, {reason}"));
            }
            Exercise::Exercised { .. } => {}
        }
    }
    match exercised(partitions).next() {
        Some(_) => None,
        None => Some(left_out.unwrap_or_else(|| "there was no partition".into())),
    }
}

/// Operations of one node and class that make a bad beginning more than chance.
const ENOUGH_FOR_BASELINE: usize = 20;

/// Why nothing that was refused during a cut can be blamed on it: somewhere less than 95 % was
/// answered before there was any. A starved machine or a sick cluster is no verdict.
pub(super) fn shaky_baseline(availability: &Availability) -> Option<String> {
    let shaky = |row: &&Row| {
        let Answered { answered, attempted } = row.answered;
        row.period == Period::Healthy
            && attempted >= ENOUGH_FOR_BASELINE
            && answered * 100 < attempted * 95
    };
    let row = availability.rows.iter().find(shaky)?;
    let Answered { answered, attempted } = row.answered;
    Some(format!(
        "before the first cut, {} answered only {answered} of {attempted} {}: the cluster or the \
         machine was not well to begin with",
        row.node, row.class
    ))
}

fn evidence(probes: &Probes) -> Vec<Evidence> {
    let mut evidence = Vec::new();
    if let Some([write, read]) = probes.example {
        let how = if probes.acknowledged > 0 { "acknowledged" } else { "attempted" };
        evidence.push(Evidence {
            text: format!(
                "{} reads followed an {how} write of their key across the cut, the first of them \
                 {read} at {} ({}) after {write} at {} ({})",
                if probes.acknowledged > 0 { probes.acknowledged } else { probes.attempted },
                node(&read.node),
                read.invoke,
                node(&write.node),
                write.invoke
            ),
            operations: vec![write.index, read.index],
        });
    }
    if let Some([first, second]) = probes.both_sides {
        let keys = if first.key == second.key { " of one key" } else { "" };
        evidence.push(Evidence {
            text: format!(
                "writes {keys} were acknowledged on both sides: {first} of {} at {} and {second} \
                 of {} at {}",
                node(&first.key),
                node(&first.node),
                node(&second.key),
                node(&second.node)
            ),
            operations: vec![first.index, second.index],
        });
    }
    evidence
}

fn node(name: &Option<Name>) -> &str {
    name.as_deref().unwrap_or("?")
}

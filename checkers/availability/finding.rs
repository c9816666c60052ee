//! The finding `available`: a statement of fact about every live node in every partition.

use std::cmp::Reverse;

use super::wilson::{ENOUGH_FOR_AVAILABLE, ENOUGH_FOR_UNAVAILABLE};
use super::{Answered, Availability, Class, Level, Period, Row, answered_within};
use crate::finding::{Finding, Validity, Witness};
use crate::history::{History, Name, Operation, Time};
use crate::partition::{Partition, Proof};

const CHECK: &str = "available";

pub(super) fn finding(
    history: &History,
    partitions: &[Partition],
    availability: &Availability,
) -> Finding {
    let cells: Vec<(&Partition, &Row)> = availability
        .rows
        .iter()
        .filter_map(|row| match row.period {
            Period::Cut { partition } => Some((&partitions[partition], row)),
            _ => None,
        })
        .collect();
    let proven = |partition: &Partition| partition.proof == Proof::Confirmed;
    let refuted: Vec<&(&Partition, &Row)> = cells
        .iter()
        .filter(|(partition, row)| {
            proven(partition) && matches!(row.level, Level::Unavailable | Level::Partial)
        })
        .collect();
    let validity = if let Some(worst) = refuted.iter().min_by_key(|(_, row)| rank(row.answered)) {
        Validity::Invalid { witness: Box::new(witness(history, worst, availability)) }
    } else if let Some(reason) = unknown(partitions, &cells) {
        Validity::Unknown { reason }
    } else {
        Validity::Valid
    };
    Finding {
        check: CHECK.into(),
        validity,
        summary: format!(
            "{} of {} combinations of node, class and partition were available (answers within \
             {:.3} s)",
            cells.iter().filter(|(_, row)| row.level == Level::Available).count(),
            cells.len(),
            availability.latency_bound.as_secs_f64()
        ),
        operations: cells.iter().map(|(_, row)| row.answered.attempted).sum(),
        violations: refuted.len(),
        keys: Vec::new(),
    }
}

/// Worst first: the smallest share, by the most operations.
fn rank(answered: Answered) -> (usize, Reverse<usize>) {
    let per_million = answered.answered * 1_000_000 / answered.attempted.max(1);
    (per_million, Reverse(answered.attempted))
}

fn unknown(partitions: &[Partition], cells: &[(&Partition, &Row)]) -> Option<String> {
    if partitions.is_empty() {
        return Some("there was no partition".into());
    }
    if cells.is_empty() {
        return Some("there were no client operations".into());
    }
    for partition in partitions {
        if let Proof::Missing { reason } = &partition.proof {
            return Some(format!("partition {} is not proven: {reason}", partition.name));
        }
    }
    let (partition, row) = cells.iter().find(|(_, row)| row.level == Level::TooFew)?;
    Some(format!("in partition {}, {}", partition.name, too_few(row)))
}

/// Why a cell with too few operations decides nothing, and how many would.
pub(crate) fn too_few(row: &Row) -> String {
    format!(
        "{} answered {} {}: too few to tell (it takes {ENOUGH_FOR_AVAILABLE}, all answered, to \
         call it available, and {ENOUGH_FOR_UNAVAILABLE}, none answered, to call it unavailable)",
        row.node, row.answered, row.class
    )
}

/// The operation of the worst cell that waited longest.
fn witness(
    history: &History,
    (partition, row): &(&Partition, &Row),
    availability: &Availability,
) -> Witness {
    let window = availability.windows.iter().find(|window| window.period == row.period);
    let judged = window.map_or(Time(0)..Time(0), |w| w.judged_from..w.judged_to);
    let unanswered = history.operations.iter().filter(|operation| {
        operation.node.as_ref() == Some(&row.node)
            && Class::of(&operation.f) == Some(row.class)
            && judged.contains(&operation.due())
            && !answered_within(operation, availability.latency_bound)
    });
    let waited = |operation: &&Operation| operation.complete.map(|at| at.since(operation.due()));
    let longest = unanswered.min_by_key(|operation| match waited(operation) {
        None => (false, Reverse(None), operation.index),
        some => (true, Reverse(some), operation.index),
    });
    Witness {
        sentence: format!(
            "{} answered {} {} within {:.3} s {}",
            row.node,
            row.answered,
            row.class,
            availability.latency_bound.as_secs_f64(),
            while_cut(partition, &row.node)
        ),
        operations: longest.cloned().into_iter().collect(),
        arrows: Vec::new(),
        instead: None,
    }
}

/// `while it was cut off from n1 and n2`.
pub(crate) fn while_cut(partition: &Partition, node: &Name) -> String {
    let mut others: Vec<&str> = partition
        .cut
        .iter()
        .filter_map(|link| match (link.from == *node, link.to == *node) {
            (true, _) => Some(&*link.to),
            (_, true) => Some(&*link.from),
            _ => None,
        })
        .collect();
    others.sort_unstable();
    others.dedup();
    match others.is_empty() {
        true => format!("while links between others were cut ({})", partition.name),
        false => format!("while it was cut off from {}", crate::words::list(&others)),
    }
}

//! The tables of the page: who stayed available, who recovered, what was counted.

use std::collections::{BTreeMap, BTreeSet};

use splitbrain_checkers::availability::{Class, FirstSuccess, Level, Period, Recovery, Row};
use splitbrain_checkers::history::Name;
use splitbrain_checkers::partition::{Partition, Proof};

use super::data::RunData;
use super::labels::{self, Ending};
use super::text;

/// Error texts and keys beyond this many are counted, not listed.
pub const TOP: usize = 20;

/// A column of the availability table.
pub struct PeriodColumn {
    pub label: String,
    /// `isolate n1, 8.00 s`; empty without a fault.
    pub detail: String,
    /// `judged 7.0 to 12.0 s`; empty if that is not known.
    pub judged: String,
}

/// A row of a table with a row per node and class.
pub struct NodeRow<Cell> {
    pub node: Name,
    pub class: &'static str,
    /// Whether the row is the first of its node.
    pub first: bool,
    pub cells: Vec<Option<Cell>>,
}

/// One node and class in one period.
pub struct AvailabilityCell {
    pub percent: String,
    pub interval: String,
    pub latency: String,
    /// `available`, `partial`, `unavailable`, `too few to say`.
    pub level: &'static str,
    /// The level as a class of the style sheet.
    pub style: &'static str,
    pub mark: &'static str,
    /// `minority`, `side A`.
    pub side: Option<String>,
    pub of: String,
}

/// One node and class around one partition.
pub struct RecoveryCell {
    pub after_cut: String,
    pub after_heal: String,
    pub down: String,
}

/// A partition with its proof.
pub struct ProofRow {
    pub number: usize,
    pub name: String,
    pub sides: String,
    pub commanded: String,
    pub began: String,
    pub heal_commanded: String,
    pub healed: String,
    pub dropped: String,
    pub confirmed: bool,
    pub proof: String,
}

/// What one node was asked in one class over the whole run.
pub struct CountRow {
    pub node: Name,
    pub class: String,
    /// Whether the row is the first of its node.
    pub first: bool,
    pub attempted: String,
    pub answered: String,
    pub failed: String,
    pub indeterminate: String,
}

/// The periods that the availability was counted over, in the order of time.
pub fn periods(data: &RunData) -> Vec<Period> {
    data.availability.windows.iter().map(|window| window.period).collect()
}

pub fn period_columns(data: &RunData) -> Vec<PeriodColumn> {
    let detail = |period: Period| match period {
        Period::Cut { partition } => data.partitions.get(partition).map_or(String::new(), |p| {
            let length = text::duration(p.heal_commanded.since(p.began));
            format!("{}, {length}", p.name)
        }),
        Period::Healthy | Period::After { .. } => String::new(),
    };
    let judged = |period: Period| {
        let window = data.availability.windows.iter().find(|window| window.period == period);
        window.map_or(String::new(), |window| {
            let (from, to) = (window.judged_from.as_secs_f64(), window.judged_to.as_secs_f64());
            format!("judged {from:.1} to {to:.1} s")
        })
    };
    let column = |period: Period| PeriodColumn {
        label: period.to_string(),
        detail: detail(period),
        judged: judged(period),
    };
    periods(data).into_iter().map(column).collect()
}

/// A row for every node and class, in the order of the nodes.
fn node_rows<Cell>(
    data: &RunData,
    cells: impl Fn(&Name, Class) -> Vec<Option<Cell>>,
) -> Vec<NodeRow<Cell>> {
    let classes = &data.availability.classes;
    let row = |node: &Name, position: usize, class: Class| NodeRow {
        node: node.clone(),
        class: labels::class_name(class),
        first: position == 0,
        cells: cells(node, class),
    };
    let of_node = |node| classes.iter().enumerate().map(move |(i, &class)| (node, i, class));
    let all = data.availability.nodes.iter().flat_map(of_node);
    all.map(|(node, i, class)| row(node, i, class)).collect()
}

pub fn availability(data: &RunData) -> Vec<NodeRow<AvailabilityCell>> {
    let periods = periods(data);
    node_rows(data, |node, class| {
        let cell = |&period: &Period| {
            data.availability.row(period, node, class).map(|row| availability_cell(data, row))
        };
        periods.iter().map(cell).collect()
    })
}

fn availability_cell(data: &RunData, row: &Row) -> AvailabilityCell {
    let side = match row.period {
        Period::Cut { partition } => {
            let side = data.partitions.get(partition).and_then(|p| labels::side(p, &row.node));
            side.map(|side| side.trim_end_matches(" side").to_string())
        }
        Period::Healthy | Period::After { .. } => None,
    };
    let latency = match (row.p50, row.p99) {
        (Some(p50), Some(p99)) => {
            format!("p50 {} · p99 {}", text::duration(p50), text::duration(p99))
        }
        _ => "no latency: nothing answered".to_string(),
    };
    let (style, mark) = match row.level {
        Level::Available => ("available", "●"),
        Level::Partial => ("partial", "◐"),
        Level::Unavailable => ("unavailable", "○"),
        Level::TooFew if labels::is_doubtful(row) => ("too-few", "?"),
        Level::TooFew => ("not-judged", "·"),
    };
    let (low, high) = row.answered.interval();
    let count = |count: usize| text::thousands(count as u64);
    AvailabilityCell {
        percent: row
            .answered
            .share()
            .map_or("–".to_string(), |share| format!("{} %", text::percent(share))),
        interval: format!("{} to {}", text::percent(low), text::percent(high)),
        latency,
        level: row.level.as_str(),
        style,
        mark,
        side,
        of: format!("{} of {}", count(row.answered.answered), count(row.answered.attempted)),
    }
}

pub fn recovery(data: &RunData) -> Vec<NodeRow<RecoveryCell>> {
    let of = |node: &Name, class: Class, partition: usize| {
        data.availability.recoveries.iter().find(|recovery| {
            recovery.node == *node && recovery.class == class && recovery.partition == partition
        })
    };
    node_rows(data, |node, class| {
        let cell = |partition| of(node, class, partition).map(|row| recovery_cell(data, row));
        (0..data.partitions.len()).map(cell).collect()
    })
}

fn recovery_cell(data: &RunData, row: &Recovery) -> RecoveryCell {
    let first = |success: FirstSuccess, never: &str| match success {
        FirstSuccess::After { time } => text::duration(time),
        FirstSuccess::Never { .. } => never.to_string(),
        FirstSuccess::NotExercised => "nothing asked".to_string(),
    };
    let period = Period::Cut { partition: row.partition };
    let during = data.availability.row(period, &row.node, row.class);
    RecoveryCell {
        after_cut: first(row.after_cut, "not before the heal"),
        after_heal: first(row.after_heal, "never"),
        down: match during.map(|during| (during.outages, text::duration(during.downtime))) {
            None => "–".to_string(),
            Some((0, _)) => "none".to_string(),
            Some((1, down)) => down,
            Some((outages, down)) => format!("{down} in {outages} outages"),
        },
    }
}

pub fn proofs(data: &RunData) -> Vec<ProofRow> {
    let proof = |(position, partition): (usize, &Partition)| {
        let dropped: Vec<String> = partition
            .dropped_packets
            .iter()
            .map(|(node, packets)| format!("{node}:\u{a0}{}", text::thousands(*packets)))
            .collect();
        let confirmed = partition.proof == Proof::Confirmed;
        ProofRow {
            number: position + 1,
            name: partition.name.clone(),
            sides: labels::sides(partition),
            commanded: partition.commanded.to_string(),
            began: partition.began.to_string(),
            heal_commanded: partition.heal_commanded.to_string(),
            healed: partition.healed.map_or("not seen".to_string(), |healed| healed.to_string()),
            dropped: if dropped.is_empty() { "none".to_string() } else { dropped.join(" · ") },
            confirmed,
            proof: match &partition.proof {
                Proof::Confirmed => confirmed_by(data).to_string(),
                Proof::Missing { reason } => reason.clone(),
            },
        }
    };
    data.partitions.iter().enumerate().map(proof).collect()
}

/// What confirmed cuts: on machines of others there are no probers.
fn confirmed_by(data: &RunData) -> &'static str {
    match data.plan.target.is_attached() {
        true => {
            "no cut pair of nodes could connect, all other pairs could, and the rule counters moved"
        }
        false => {
            "no probe crossed a cut link, all other links went on, and the rule counters moved"
        }
    }
}

pub fn counts(data: &RunData) -> Vec<CountRow> {
    let mut counts: BTreeMap<(Name, Name), [u64; 3]> = BTreeMap::new();
    for operation in &data.history.operations {
        let node = operation.node.clone().unwrap_or_else(|| "unknown".into());
        let class = Name::from(operation.f.as_str());
        counts.entry((node, class)).or_default()[Ending::of(operation) as usize] += 1;
    }
    let mut previous: Option<Name> = None;
    let row = |((node, class), numbers): ((Name, Name), [u64; 3])| CountRow {
        first: previous.replace(node.clone()).as_ref() != Some(&node),
        node,
        class: class.to_string(),
        attempted: text::thousands(numbers.iter().sum()),
        answered: text::thousands(numbers[Ending::Answered as usize]),
        failed: text::thousands(numbers[Ending::Failed as usize]),
        indeterminate: text::thousands(numbers[Ending::Indeterminate as usize]),
    };
    counts.into_iter().map(row).collect()
}

/// Error texts with how often and where they came, the most frequent first; and how many others
/// there are.
pub fn errors(data: &RunData) -> (Vec<(String, String, String)>, usize) {
    let mut errors: BTreeMap<&str, (u64, BTreeSet<&str>)> = BTreeMap::new();
    for operation in data.history.operations.iter().filter(|operation| !operation.answered()) {
        let text = operation.error.as_deref().unwrap_or("no answer until the run ended");
        let entry = errors.entry(text).or_default();
        entry.0 += 1;
        entry.1.extend(operation.node.as_deref());
    }
    let mut errors: Vec<_> = errors.into_iter().collect();
    errors.sort_by_key(|(_, (count, _))| std::cmp::Reverse(*count));
    let others = errors.len().saturating_sub(TOP);
    errors.truncate(TOP);
    let row = |(text, (count, nodes)): (&str, (u64, BTreeSet<&str>))| {
        let nodes: Vec<&str> = nodes.into_iter().collect();
        (text::plain(text), text::thousands(count), nodes.join(" "))
    };
    (errors.into_iter().map(row).collect(), others)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::synthetic;

    #[test]
    fn the_availability_table_has_every_row_of_the_data() {
        let data = synthetic::stale_reads();
        let table = availability(&data);
        let cells: usize = table.iter().map(|row| row.cells.iter().flatten().count()).sum();
        assert_eq!(cells, data.availability.rows.len());
        assert_eq!(table.iter().filter(|row| row.first).count(), 3);
        assert!(table.iter().all(|row| row.cells.len() == periods(&data).len()));
    }

    #[test]
    fn what_was_not_asked_has_not_failed_to_recover() {
        let mut data = synthetic::stale_reads();
        data.availability.recoveries[0].after_heal = FirstSuccess::NotExercised;
        data.availability.recoveries[1].after_heal = FirstSuccess::Never { attempted: 12 };
        let cell = |i: usize| recovery_cell(&data, &data.availability.recoveries[i]);
        assert_eq!(cell(0).after_heal, "nothing asked");
        assert_eq!(cell(1).after_heal, "never");
    }

    #[test]
    fn counts_add_up_to_the_history() {
        let data = synthetic::stale_reads();
        let sum: usize = counts(&data)
            .iter()
            .map(|row| row.attempted.replace(',', "").parse::<usize>().unwrap())
            .sum();
        assert_eq!(sum, data.history.operations.len());
    }

    #[test]
    fn errors_come_most_frequent_first() {
        let data = synthetic::stale_reads();
        let (errors, others) = errors(&data);
        assert_eq!(others, 0);
        let counts: Vec<u64> =
            errors.iter().map(|(_, count, _)| count.replace(',', "").parse().unwrap()).collect();
        assert!(counts.len() >= 2 && counts.is_sorted_by(|a, b| a >= b), "{counts:?}");
    }
}

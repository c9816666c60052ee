//! The tables of the page: who stayed available, who recovered, what was counted.

use std::collections::{BTreeMap, BTreeSet};

use splitbrain_checkers::history::{Name, Value};
use splitbrain_checkers::partition::{Partition, Proof};

use splitbrain_checkers::availability::Level;

use super::data::{
    AvailabilityRow, ConvergenceView, FinalValues, FirstAnswer, LostWrite, Period, RecoveryRow,
    RunData,
};
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
    pub class: Name,
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

/// A key at the end of the run.
pub struct FinalRow {
    pub key: Name,
    /// How many acknowledged writes of it are gone, and their values.
    pub lost: String,
    /// Where and when these were acknowledged.
    pub acknowledged: String,
    /// Per node of the table: the value, and whether it is another than more than half of the
    /// nodes have.
    pub values: Vec<(String, bool)>,
}

/// The periods that the availability was counted over, in the order of time.
pub fn periods(data: &RunData) -> Vec<Period> {
    let rows = data.availability.rows.iter();
    let periods: BTreeMap<_, Period> = rows.map(|row| (row.period.place(), row.period)).collect();
    periods.into_values().collect()
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
        label: period.label(),
        detail: detail(period),
        judged: judged(period),
    };
    periods(data).into_iter().map(column).collect()
}

/// Node and class, in the order in which the availability has them.
fn node_classes<'a>(rows: impl Iterator<Item = (&'a Name, &'a Name)>) -> Vec<(Name, Name)> {
    let mut order: Vec<(Name, Name)> = Vec::new();
    for (node, class) in rows {
        if !order.iter().any(|(n, c)| n == node && c == class) {
            order.push((node.clone(), class.clone()));
        }
    }
    order.sort_by(|a, b| a.0.cmp(&b.0));
    order
}

fn node_rows<Cell>(
    order: Vec<(Name, Name)>,
    cells: impl Fn(&str, &str) -> Vec<Option<Cell>>,
) -> Vec<NodeRow<Cell>> {
    let mut previous: Option<Name> = None;
    let mut rows = Vec::with_capacity(order.len());
    for (node, class) in order {
        let first = previous.as_ref() != Some(&node);
        previous = Some(node.clone());
        let cells = cells(&node, &class);
        rows.push(NodeRow { node, class, first, cells });
    }
    rows
}

pub fn availability(data: &RunData) -> Vec<NodeRow<AvailabilityCell>> {
    let rows = &data.availability.rows;
    let periods = periods(data);
    node_rows(node_classes(rows.iter().map(|row| (&row.node, &row.class))), |node, class| {
        let at = |period: &Period| {
            let row = rows
                .iter()
                .find(|row| &*row.node == node && &*row.class == class && row.period == *period);
            row.map(|row| availability_cell(data, row))
        };
        periods.iter().map(at).collect()
    })
}

fn availability_cell(data: &RunData, row: &AvailabilityRow) -> AvailabilityCell {
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
        Level::TooFew if row.is_doubtful() => ("too-few", "?"),
        Level::TooFew => ("not-judged", "·"),
    };
    AvailabilityCell {
        percent: row
            .share()
            .map_or("–".to_string(), |share| format!("{} %", text::percent(share))),
        interval: format!("{} to {}", text::percent(row.low), text::percent(row.high)),
        latency,
        level: row.level.as_str(),
        style,
        mark,
        side,
        of: format!("{} of {}", text::thousands(row.answered), text::thousands(row.attempted)),
    }
}

pub fn recovery(data: &RunData) -> Vec<NodeRow<RecoveryCell>> {
    let rows = &data.availability.recovery;
    node_rows(node_classes(rows.iter().map(|row| (&row.node, &row.class))), |node, class| {
        let at = |partition: usize| {
            let row = rows.iter().find(|row| {
                &*row.node == node && &*row.class == class && row.partition == partition
            });
            row.map(|row| recovery_cell(data, row))
        };
        (0..data.partitions.len()).map(at).collect()
    })
}

fn recovery_cell(data: &RunData, row: &RecoveryRow) -> RecoveryCell {
    let first = |answer: FirstAnswer, never: &str| match answer {
        FirstAnswer::After { time } => text::duration(time),
        FirstAnswer::Never => never.to_string(),
        FirstAnswer::NotExercised => "nothing asked".to_string(),
    };
    let period = Period::Cut { partition: row.partition };
    let during =
        data.availability.rows.iter().find(|other| {
            other.period == period && other.node == row.node && other.class == row.class
        });
    RecoveryCell {
        after_cut: first(row.after_cut, "not before the heal"),
        after_heal: first(row.after_heal, "never"),
        down: match during.map(|during| (during.outages, text::duration(during.down))) {
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
                Proof::Confirmed => "no probe crossed a cut link, all other links went on, and \
                                     the rule counters moved"
                    .to_string(),
                Proof::Missing { reason } => reason.clone(),
            },
        }
    };
    data.partitions.iter().enumerate().map(proof).collect()
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

/// The nodes that have a part in some key that is shown, in their order.
pub fn final_nodes(view: &ConvergenceView) -> Vec<Name> {
    let nodes = view.finals.iter().flat_map(|key| key.values.iter().map(|(node, _)| node.clone()));
    nodes.collect::<BTreeSet<Name>>().into_iter().collect()
}

/// The first keys of those that disagree or lost a write.
pub fn finals(view: &ConvergenceView) -> Vec<FinalRow> {
    let nodes = final_nodes(view);
    let row = |key: &FinalValues| {
        let lost: Vec<&LostWrite> = view.lost.iter().filter(|lost| lost.key == key.key).collect();
        final_row(key, &lost, &nodes)
    };
    view.finals.iter().take(TOP).map(row).collect()
}

fn final_row(key: &FinalValues, lost: &[&LostWrite], nodes: &[Name]) -> FinalRow {
    let mut votes: BTreeMap<&Option<Value>, usize> = BTreeMap::new();
    for (_, value) in &key.values {
        *votes.entry(value).or_default() += 1;
    }
    let most = votes.iter().find(|(_, votes)| **votes * 2 > key.values.len());
    let most = most.map(|(value, _)| *value);
    let shown = |value: &Option<Value>| match value {
        Some(value) => text::fit(&text::plain(&value.to_string()), 40),
        None => "no answer".to_string(),
    };
    let at = |node: &Name| match key.values.iter().find(|(name, _)| name == node) {
        Some((_, value)) => (shown(value), Some(value) != most),
        None => ("holds no copy".to_string(), false),
    };
    FinalRow {
        key: key.key.clone(),
        lost: lost_values(lost),
        acknowledged: acknowledged(lost),
        values: nodes.iter().map(at).collect(),
    }
}

/// `3: 27, 35, 37`.
fn lost_values(lost: &[&LostWrite]) -> String {
    let values: Vec<String> = lost.iter().map(|lost| lost.value.to_string()).collect();
    match values.len() {
        0 => String::new(),
        count => text::fit(&text::plain(&format!("{count}: {}", values.join(", "))), 60),
    }
}

/// `at n1 and n2, from 20.129 s to 20.369 s`.
fn acknowledged(lost: &[&LostWrite]) -> String {
    let times = lost.iter().map(|lost| lost.acknowledged);
    let (Some(first), Some(last)) = (times.clone().min(), times.max()) else {
        return String::new();
    };
    let nodes: BTreeSet<&str> =
        lost.iter().map(|lost| lost.node.as_deref().unwrap_or("an unknown node")).collect();
    let nodes: Vec<&str> = nodes.into_iter().collect();
    let when = if first == last { first.to_string() } else { format!("{first} to {last}") };
    text::plain(&format!("{}, {when}", nodes.join(" ")))
}

#[cfg(test)]
mod tests {
    use splitbrain_checkers::history::Time;

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
        data.availability.recovery[0].after_heal = FirstAnswer::NotExercised;
        data.availability.recovery[1].after_heal = FirstAnswer::Never;
        let cell = |i: usize| recovery_cell(&data, &data.availability.recovery[i]);
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

    fn key(name: &str, values: &[(&str, Option<i64>)]) -> FinalValues {
        let value = |&(node, value): &(&str, Option<i64>)| (node.into(), value.map(Value::Int));
        FinalValues { key: name.into(), values: values.iter().map(value).collect() }
    }

    fn of(finals: Vec<FinalValues>, lost: Vec<LostWrite>) -> Vec<FinalRow> {
        let mut view = synthetic::lost_writes().convergence.unwrap();
        (view.finals, view.lost) = (finals, lost);
        super::finals(&view)
    }

    #[test]
    fn the_value_that_most_nodes_do_not_have_is_marked() {
        let marked = |values: &[(&str, Option<i64>)]| -> Vec<bool> {
            let rows = of(vec![key("x", values)], Vec::new());
            rows[0].values.iter().map(|(_, differs)| *differs).collect()
        };
        let (five, seven) = (Some(5), Some(7));
        assert_eq!(marked(&[("n1", five), ("n2", seven), ("n3", seven)]), [true, false, false]);
        assert_eq!(marked(&[("n1", five), ("n2", seven), ("n3", None)]), [true; 3]);
    }

    #[test]
    fn a_value_stands_under_its_own_node_where_keys_live_on_different_nodes() {
        let one = key("x", &[("n1", Some(5)), ("n3", Some(5))]);
        let other = key("y", &[("n2", Some(7)), ("n3", Some(8))]);
        let rows = of(vec![one, other], Vec::new());
        let values = |row: &FinalRow| -> Vec<String> {
            row.values.iter().map(|(value, _)| value.clone()).collect()
        };
        assert_eq!(values(&rows[0]), ["5", "holds no copy", "5"]);
        assert_eq!(values(&rows[1]), ["holds no copy", "7", "8"]);
    }

    #[test]
    fn what_is_gone_is_with_its_key() {
        let lost = |key: &str, value, node: &str, at: u64| LostWrite {
            key: key.into(),
            value: Value::Int(value),
            node: Some(node.into()),
            acknowledged: Time(at * 1_000_000),
        };
        let finals = vec![key("x", &[("n1", Some(5))]), key("y", &[("n1", Some(6))])];
        let gone = vec![lost("x", 3, "n2", 2_000), lost("x", 4, "n1", 1_500)];
        let rows = of(finals, gone);
        assert_eq!(rows[0].lost, "2: 3, 4");
        assert_eq!(rows[0].acknowledged, "n1 n2, 1.500 s to 2.000 s");
        assert_eq!((rows[1].lost.as_str(), rows[1].acknowledged.as_str()), ("", ""));
    }
}

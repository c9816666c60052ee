//! The run's periods (healthy, each partition, what came after it) and the numbers of each.

use std::collections::HashMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Answered, Availability, Class, Row, answered_within};
use crate::history::{Function, History, Name, Operation, Time};
use crate::partition::Partition;

/// A stretch of the run. Partitions count from 0, in the order in which they were given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "period", rename_all = "lowercase")]
pub enum Period {
    /// Before the first cut.
    Healthy,
    /// From the cut to the heal.
    Cut { partition: usize },
    /// From the heal to the next cut, the settle phase (where clients stop) or the end.
    After { partition: usize },
}

/// A period with its times.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    #[serde(flatten)]
    pub period: Period,
    /// The whole period: downtime is counted here.
    pub from: Time,
    pub to: Time,
    /// Operations due in [judged_from, judged_to) are judged. It ends L before the period does,
    /// so that each of them had L within the period; in a partition it begins after the failover
    /// allowance. Empty if the two times are equal.
    pub judged_from: Time,
    pub judged_to: Time,
}

impl Window {
    fn judges(&self, operation: &Operation) -> bool {
        (self.judged_from..self.judged_to).contains(&operation.due())
    }
}

/// L and g.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    pub latency_bound: Duration,
    pub failover_allowance: Duration,
}

/// All windows of a run.
pub(super) fn windows(history: &History, partitions: &[Partition], bounds: Bounds) -> Vec<Window> {
    let begin = history.operations.iter().map(Operation::due).min().unwrap_or_default();
    let window = |period, from: Time, to: Time, allowance: Duration| {
        let judged_from = from + allowance;
        let judged_to = (to - bounds.latency_bound).max(judged_from);
        Window { period, from, to, judged_from, judged_to }
    };
    let settle = Function::Other("settle".into());
    let settles = || history.nemesis.iter().filter(|event| event.f == settle).map(|e| e.time);
    let end_of = |begin: Time| {
        let ends = partitions.iter().map(|p| p.commanded).chain(settles());
        ends.filter(|&end| end >= begin).min().unwrap_or(history.end).max(begin)
    };
    // Empty where the first operation came after the first cut.
    let first_cut = partitions.iter().map(|partition| partition.commanded).min();
    let healthy_to = first_cut.map_or_else(|| end_of(begin), |cut| cut.max(begin));
    let mut windows = vec![window(Period::Healthy, begin, healthy_to, Duration::ZERO)];
    for (index, cut) in partitions.iter().enumerate() {
        let period = Period::Cut { partition: index };
        let healed = cut.heal_commanded;
        windows.push(window(period, cut.began, healed, bounds.failover_allowance));
        let still_cut = |p: &Partition| p.commanded <= healed && healed < p.heal_commanded;
        if !partitions.iter().any(still_cut) {
            let period = Period::After { partition: index };
            windows.push(window(period, healed, end_of(healed), Duration::ZERO));
        }
    }
    windows
}

/// The numbers of every window, node and class.
pub(super) fn rows(history: &History, availability: &Availability) -> Vec<Row> {
    let mut by_cell: HashMap<(&Name, Class), Vec<&Operation>> = HashMap::new();
    for operation in &history.operations {
        if let (Some(node), Some(class)) = (&operation.node, Class::of(&operation.f)) {
            by_cell.entry((node, class)).or_default().push(operation);
        }
    }
    for operations in by_cell.values_mut() {
        operations.sort_by_key(|operation| operation.due());
    }
    let mut rows = Vec::new();
    for window in &availability.windows {
        for node in &availability.nodes {
            for &class in &availability.classes {
                let operations = by_cell.get(&(node, class)).map_or(&[][..], Vec::as_slice);
                rows.push(row(window, node, class, operations, availability.latency_bound));
            }
        }
    }
    rows
}

/// One row, from the operations of its node and class in the order in which they were due.
fn row(
    window: &Window,
    node: &Name,
    class: Class,
    operations: &[&Operation],
    latency_bound: Duration,
) -> Row {
    let from = operations.partition_point(|operation| operation.due() < window.from);
    let to = operations.partition_point(|operation| operation.due() < window.to);
    let mut answered = Answered::default();
    let mut latencies = Vec::new();
    let mut downtime = Duration::ZERO;
    let mut outages = 0;
    let mut down_since = None;
    for operation in &operations[from..to.max(from)] {
        let in_time = answered_within(operation, latency_bound);
        if window.judges(operation) {
            answered.count(in_time);
            latencies.extend(operation.latency().filter(|_| in_time));
        }
        if !in_time && down_since.is_none() {
            down_since = Some(operation.due());
            outages += 1;
        } else if in_time && let Some(since) = down_since.take() {
            downtime += operation.due().since(since);
        }
    }
    if let Some(since) = down_since {
        downtime += window.to.since(since);
    }
    Row {
        period: window.period,
        node: node.clone(),
        class,
        answered,
        level: answered.level(),
        p50: quantile(&mut latencies, 0.5),
        p99: quantile(&mut latencies, 0.99),
        downtime,
        outages,
    }
}

/// The nearest-rank quantile: the least value that at least this share does not exceed.
pub(super) fn quantile(values: &mut [Duration], share: f64) -> Option<Duration> {
    values.sort_unstable();
    let rank = (values.len() as f64 * share).ceil() as usize;
    values.get(rank.max(1) - 1).copied()
}

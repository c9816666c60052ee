//! The data of the timeline, as the page's script reads them: counts in bins, quantiles in
//! windows, a sample of dots, faults, links and violations. Times are in seconds.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;
use splitbrain_checkers::history::{Name, Operation, Time};
use splitbrain_checkers::partition::{Partition, Proof};

use super::data::RunData;
use super::labels::{self, Class, Ending};
use super::sample;

/// Bins as fine as this, while that is no more than [`BIN_LIMIT`] counts.
const FINEST_BIN: Duration = Duration::from_millis(100);

/// Bins times nodes: what the page draws in an instant and carries in some hundred kilobytes.
const BIN_LIMIT: u64 = 30_000;

/// A quantile is taken over this many bins; of one bin it would be an accident.
const BINS_PER_WINDOW: u64 = 10;

/// With more links than this, those that never changed are left out (and counted).
const LINK_LIMIT: usize = 12;

#[derive(Debug, Serialize)]
pub struct Timeline {
    /// When the first phase began; before it clients work unrecorded.
    begin: f64,
    end: f64,
    bin: f64,
    window: f64,
    nodes: Vec<Name>,
    /// Per node: counts per bin, by the instant at which the operation was due.
    answered: Vec<Vec<u32>>,
    failed: Vec<Vec<u32>>,
    indeterminate: Vec<Vec<u32>>,
    reads: Latencies,
    writes: Latencies,
    faults: Vec<Fault>,
    phases: Vec<Phase>,
    links: Vec<LinkStrip>,
    violations: Vec<Violation>,
    /// For the captions, which are text of the page.
    #[serde(skip)]
    pub facts: Facts,
}

/// What the captions say about what is drawn and what is not.
#[derive(Debug, Default)]
pub struct Facts {
    /// Operations of clients.
    pub operations: usize,
    /// Reads while the cluster settled, which are not drawn.
    pub settling: usize,
    pub bin: Duration,
    pub window: Duration,
    pub dots: u64,
    /// Operations that could be drawn as a dot.
    pub dots_of: u64,
    /// Links that never changed and are not drawn.
    pub quiet_links: usize,
    pub links: usize,
}

/// Latencies of one class. Dots are in columns: the time as differences in units of 0.1 ms, the
/// latency in microseconds, the node's position, and how it ended (0 answered, 1 failed,
/// 2 indeterminate).
#[derive(Debug, Default, Serialize)]
struct Latencies {
    /// Milliseconds per window, of what was answered.
    p50: Vec<Option<f64>>,
    p99: Vec<Option<f64>>,
    time: Vec<u64>,
    latency: Vec<u64>,
    node: Vec<usize>,
    ending: Vec<u8>,
}

#[derive(Debug, Serialize)]
struct Fault {
    name: String,
    label: String,
    sides: String,
    began: f64,
    heal_commanded: f64,
    healed: Option<f64>,
    confirmed: bool,
    /// Per node: its side of the cut.
    side: Vec<Option<String>>,
}

#[derive(Debug, Serialize)]
struct Phase {
    name: String,
    from: f64,
    to: f64,
}

/// A directed link: unknown before `known_from`, up from there but for `down`.
#[derive(Debug, Serialize)]
struct LinkStrip {
    name: String,
    known_from: Option<f64>,
    down: Vec<(f64, f64)>,
}

#[derive(Debug, Serialize)]
struct Violation {
    /// The anchor of its witness.
    id: String,
    check: String,
    sentence: String,
    from: f64,
    to: f64,
}

/// Bins, dots and strips of a run.
pub fn timeline(data: &RunData) -> Timeline {
    let nodes: Vec<Name> = nodes(data);
    let positions: BTreeMap<&str, usize> =
        nodes.iter().enumerate().map(|(position, name)| (&**name, position)).collect();
    let bin = bin_width(data.history.end, nodes.len());
    let bins = Counts::of(data, &positions, bin);
    let candidates = drawable(data, &positions);
    let dots = sample::choose(data, &candidates, sample::LIMIT);
    let (links, quiet_links) = links(data, &nodes);
    let window = bin * BINS_PER_WINDOW as u32;
    let clients =
        data.history.operations.iter().filter(|o| labels::class(data, o).is_some()).count();
    let facts = Facts {
        operations: clients,
        settling: data.history.operations.len() - clients,
        bin,
        window,
        dots: dots.len() as u64,
        dots_of: candidates.len() as u64,
        quiet_links,
        links: links.len(),
    };
    Timeline {
        begin: data.phases.first().map_or(0.0, |phase| phase.from.as_secs_f64()),
        end: data.history.end.as_secs_f64(),
        bin: bin.as_secs_f64(),
        window: window.as_secs_f64(),
        reads: latencies(data, &dots, &positions, Class::Read, window),
        writes: latencies(data, &dots, &positions, Class::Write, window),
        answered: bins.answered,
        failed: bins.failed,
        indeterminate: bins.indeterminate,
        faults: data.partitions.iter().enumerate().map(|(i, p)| fault(i, p, &nodes)).collect(),
        phases: data.phases.iter().map(phase).collect(),
        links,
        violations: violations(data),
        nodes,
        facts,
    }
}

/// The plan's nodes, then whatever other node the history names.
fn nodes(data: &RunData) -> Vec<Name> {
    let mut nodes: Vec<Name> =
        data.plan.target.nodes.iter().map(|node| node.name.clone()).collect();
    for name in data.history.operations.iter().filter_map(|operation| operation.node.as_ref()) {
        if !nodes.contains(name) {
            nodes.push(name.clone());
        }
    }
    nodes
}

/// The finest of 100, 200, 500 ms, 1, 2, 5 s ... that keeps the limit.
fn bin_width(end: Time, nodes: usize) -> Duration {
    let mut width = FINEST_BIN;
    for factor in [2.0, 2.5, 2.0].into_iter().cycle() {
        if end.0 / width.as_nanos() as u64 * (nodes.max(1) as u64) <= BIN_LIMIT {
            break;
        }
        width = width.mul_f64(factor);
    }
    width
}

/// Counts per node and bin.
struct Counts {
    answered: Vec<Vec<u32>>,
    failed: Vec<Vec<u32>>,
    indeterminate: Vec<Vec<u32>>,
}

impl Counts {
    fn of(data: &RunData, positions: &BTreeMap<&str, usize>, bin: Duration) -> Counts {
        let bins = (data.history.end.0 / bin.as_nanos() as u64) as usize + 1;
        let empty = vec![vec![0; bins]; positions.len()];
        let mut counts =
            Counts { answered: empty.clone(), failed: empty.clone(), indeterminate: empty };
        for operation in &data.history.operations {
            let (Some(node), Some(_)) =
                (position(operation, positions), labels::class(data, operation))
            else {
                continue;
            };
            let rows = match Ending::of(operation) {
                Ending::Answered => &mut counts.answered,
                Ending::Failed => &mut counts.failed,
                Ending::Indeterminate => &mut counts.indeterminate,
            };
            let column = (operation.due().0 / bin.as_nanos() as u64) as usize;
            rows[node][column.min(bins - 1)] += 1;
        }
        counts
    }
}

fn position(operation: &Operation, positions: &BTreeMap<&str, usize>) -> Option<usize> {
    positions.get(operation.node.as_deref()?).copied()
}

/// Positions of client operations that ended in some way, so that they have a latency.
fn drawable(data: &RunData, positions: &BTreeMap<&str, usize>) -> Vec<usize> {
    let drawable = data.history.operations.iter().enumerate().filter(|(_, operation)| {
        operation.complete.is_some()
            && labels::class(data, operation).is_some()
            && position(operation, positions).is_some()
    });
    drawable.map(|(i, _)| i).collect()
}

fn latencies(
    data: &RunData,
    dots: &[usize],
    positions: &BTreeMap<&str, usize>,
    class: Class,
    window: Duration,
) -> Latencies {
    let operations = &data.history.operations;
    let of_class = |operation: &&Operation| labels::class(data, operation) == Some(class);
    let mut out = Latencies::default();
    let mut drawn: Vec<&Operation> =
        dots.iter().map(|&i| &operations[i]).filter(of_class).collect();
    drawn.sort_by_key(|operation| operation.due());
    let mut previous = 0;
    for operation in drawn {
        let time = operation.due().0 / 100_000;
        out.time.push(time - previous);
        previous = time;
        out.latency.push(operation.latency().unwrap_or_default().as_micros() as u64);
        out.node.push(position(operation, positions).unwrap_or_default());
        out.ending.push(Ending::of(operation) as u8);
    }
    let mut windows: Vec<Vec<u64>> = Vec::new();
    let width = window.as_nanos() as u64;
    windows.resize((data.history.end.0 / width) as usize + 1, Vec::new());
    for operation in operations.iter().filter(of_class).filter(|operation| operation.answered()) {
        let place = ((operation.due().0 / width) as usize).min(windows.len() - 1);
        windows[place].extend(operation.latency().map(|latency| latency.as_nanos() as u64));
    }
    for window in &mut windows {
        window.sort_unstable();
        out.p50.push(quantile(window, 0.50));
        out.p99.push(quantile(window, 0.99));
    }
    out
}

/// The smallest latency that at least this share of the sorted ones does not exceed, in
/// milliseconds to three decimals.
fn quantile(sorted: &[u64], share: f64) -> Option<f64> {
    let rank = (sorted.len() as f64 * share).ceil() as usize;
    let nanoseconds = sorted.get(rank.checked_sub(1)?)?;
    Some((*nanoseconds as f64 / 1e3).round() / 1e3)
}

fn fault(position: usize, partition: &Partition, nodes: &[Name]) -> Fault {
    Fault {
        name: partition.name.clone(),
        label: format!("cut {}", position + 1),
        sides: labels::sides(partition),
        began: partition.began.as_secs_f64(),
        heal_commanded: partition.heal_commanded.as_secs_f64(),
        healed: partition.healed.map(Time::as_secs_f64),
        confirmed: partition.proof == Proof::Confirmed,
        side: nodes.iter().map(|node| labels::side(partition, node)).collect(),
    }
}

fn phase(span: &super::data::PhaseSpan) -> Phase {
    Phase { name: span.name.clone(), from: span.from.as_secs_f64(), to: span.to.as_secs_f64() }
}

/// A strip per directed link in the order of the nodes, and how many were left out.
fn links(data: &RunData, nodes: &[Name]) -> (Vec<LinkStrip>, usize) {
    let end = data.history.end.as_secs_f64();
    let mut strips = Vec::new();
    for from in nodes {
        for to in nodes.iter().filter(|to| *to != from) {
            let mut strip =
                LinkStrip { name: format!("{from} → {to}"), known_from: None, down: Vec::new() };
            let mut down_since = None;
            let events = data.links.iter().filter(|event| event.from == *from && event.to == *to);
            for event in events {
                let time = event.time.as_secs_f64();
                strip.known_from.get_or_insert(time);
                match (event.up, down_since) {
                    (false, None) => down_since = Some(time),
                    (true, Some(since)) => {
                        strip.down.push((since, time));
                        down_since = None;
                    }
                    _ => {}
                }
            }
            strip.down.extend(down_since.map(|since| (since, end)));
            strips.push(strip);
        }
    }
    if data.links.is_empty() {
        return (Vec::new(), 0);
    }
    let all = strips.len();
    if all > LINK_LIMIT {
        strips.retain(|strip| !strip.down.is_empty() || strip.known_from.is_none());
    }
    let quiet = all - strips.len();
    (strips, quiet)
}

/// The witness of every refuted finding, in the order of the page.
fn violations(data: &RunData) -> Vec<Violation> {
    let refuted = labels::refuted(data);
    let mut violations = Vec::new();
    for (position, finding) in refuted.into_iter().enumerate() {
        let Some(witness) = finding.validity.witness() else { continue };
        let from = witness.operations.iter().map(|operation| operation.invoke).min();
        let ends = witness.operations.iter().map(|o| o.complete.unwrap_or(o.invoke));
        let (Some(from), Some(to)) = (from, ends.max()) else { continue };
        violations.push(Violation {
            id: anchor(position),
            check: finding.check.clone(),
            sentence: witness.sentence.clone(),
            from: from.as_secs_f64(),
            to: to.as_secs_f64(),
        });
    }
    violations
}

/// The anchor of a refuted finding by its place in [`labels::refuted`].
pub fn anchor(position: usize) -> String {
    format!("finding-{}", position + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::synthetic;

    #[test]
    fn every_client_operation_is_counted_once() {
        let data = synthetic::stale_reads();
        let timeline = timeline(&data);
        let sum = |rows: &Vec<Vec<u32>>| rows.iter().flatten().map(|&n| n as usize).sum::<usize>();
        let counted =
            sum(&timeline.answered) + sum(&timeline.failed) + sum(&timeline.indeterminate);
        let clients = data.history.operations.iter().filter(|o| labels::class(&data, o).is_some());
        assert_eq!(counted, clients.count());
        assert!(sum(&timeline.failed) > 0 && sum(&timeline.indeterminate) > 0);
    }

    #[test]
    fn bins_grow_with_the_run() {
        let seconds = |s: u64| Time(s * 1_000_000_000);
        assert_eq!(bin_width(seconds(60), 3), Duration::from_millis(100));
        assert_eq!(bin_width(seconds(1_500), 3), Duration::from_millis(200));
        assert_eq!(bin_width(seconds(7_200), 5), Duration::from_secs(2));
    }

    #[test]
    fn quantiles_are_values_that_occurred() {
        let sorted: Vec<u64> = (1..=100).map(|ms| ms * 1_000_000).collect();
        assert_eq!(quantile(&sorted, 0.5), Some(50.0));
        assert_eq!(quantile(&sorted, 0.99), Some(99.0));
        assert_eq!(quantile(&sorted[..1], 0.99), Some(1.0));
        assert_eq!(quantile(&[], 0.99), None);
    }

    #[test]
    fn a_link_that_never_came_back_is_down_to_the_end() {
        let mut data = synthetic::stale_reads();
        data.links.retain(|event| !event.up || event.time < data.partitions[0].began);
        let (strips, quiet) = links(&data, &nodes(&data));
        assert_eq!(quiet, 0);
        let cut = strips.iter().find(|strip| strip.name == "n1 → n2").unwrap();
        assert_eq!(cut.down.last().unwrap().1, data.history.end.as_secs_f64());
    }
}

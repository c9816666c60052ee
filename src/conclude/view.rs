//! From what the checkers say to what the reports show.

use std::time::Duration;

use splitbrain_checkers::availability::{
    Availability, FirstSuccess, Period as Counted, wilson::Level as Counts,
    wilson::ENOUGH_FOR_AVAILABLE,
};
use splitbrain_checkers::convergence::{Convergence, KeyStatus};
use splitbrain_checkers::history::{Event, History, Time};
use splitbrain_checkers::verdict::{Exercise, Kind, Verdict};

use super::{Judged, Recorded, incomplete};
use crate::plan::{Partition, Phase, Plan};
use crate::report::data::{
    AvailabilityRow, AvailabilityView, ConvergenceView, FinalValues, LinkEvent, LostWrite,
    Machine, Period, Phantom, PhaseSpan, RecoveryRow, RunData, Scope, VerdictView,
};
use crate::sandbox::LinkState;
use crate::store::RunFolder;

/// All that the reports need.
pub fn run_data(
    recorded: &Recorded,
    judged: &Judged,
    folder: &RunFolder,
    expected: Option<Kind>,
) -> RunData {
    let Recorded { plan, reading, partitions, .. } = recorded;
    let history = &reading.history;
    RunData {
        scope: scope(recorded, folder),
        plan: plan.clone(),
        history: history.clone(),
        phases: phases(history),
        partitions: partitions.clone(),
        links: links(recorded),
        findings: judged.findings.clone(),
        availability: availability(&judged.availability),
        convergence: judged.convergence.as_ref().map(|seen| convergence(seen, recorded)),
        verdict: verdict(&judged.verdict, recorded, expected),
    }
}

fn scope(recorded: &Recorded, folder: &RunFolder) -> Scope {
    let Recorded { plan, record, .. } = recorded;
    Scope {
        target: plan.target.name.clone(),
        version: record.target_version.clone(),
        settings: plan.target.settings.clone(),
        workload: plan.workload.name.clone(),
        faults: faults(plan),
        clients: plan.workload.clients * plan.target.nodes.len(),
        seed: plan.seed,
        date: record.started.clone(),
        command: command(plan),
        folder: folder.path().to_string_lossy().into_owned(),
        machine: Machine {
            cores: record.machine.cores,
            memory_bytes: record.machine.memory_mib * 1024 * 1024,
            kernel: record.machine.kernel.clone(),
            splitbrain: record.splitbrain.clone(),
        },
    }
}

/// The faults in words: `isolate one for 8s`.
fn faults(plan: &Plan) -> Vec<String> {
    plan.workload
        .phases
        .iter()
        .filter_map(|phase| match phase {
            Phase::Faults { partitions, length } => {
                let names: Vec<String> = partitions.iter().map(Partition::to_string).collect();
                Some(format!("{} for {length:?}", names.join(" and ")))
            }
            _ => None,
        })
        .collect()
}

/// The command that runs it again.
fn command(plan: &Plan) -> String {
    let settings: Vec<String> = plan
        .target
        .settings
        .iter()
        .map(|(name, value)| format!(" --set {name}={value}"))
        .collect();
    format!(
        "splitbrain run {} --target {}{} --seed {}",
        plan.workload.name,
        plan.target.name,
        settings.concat(),
        plan.seed
    )
}

/// Stretches between the nemesis's marks.
fn phases(history: &History) -> Vec<PhaseSpan> {
    let marks: Vec<&Event> = history
        .nemesis
        .iter()
        .filter(|event| ["healthy", "partition", "settle", "end"].contains(&event.f.as_str()))
        .collect();
    let mut spans: Vec<PhaseSpan> = Vec::new();
    for (position, mark) in marks.iter().enumerate() {
        if mark.f.as_str() == "end" {
            continue;
        }
        let to = marks.get(position + 1).map_or(history.end, |next| next.time);
        spans.push(PhaseSpan { name: mark.f.as_str().into(), from: mark.time, to });
    }
    spans
}

fn links(recorded: &Recorded) -> Vec<LinkEvent> {
    recorded
        .links
        .iter()
        .map(|event| LinkEvent {
            time: event.time,
            from: event.from.clone(),
            to: event.to.clone(),
            up: event.link == LinkState::Up,
        })
        .collect()
}

fn verdict(verdict: &Verdict, recorded: &Recorded, expected: Option<Kind>) -> VerdictView {
    let mut not_exercised: Vec<String> = verdict
        .partitions
        .iter()
        .filter_map(|partition| match &partition.exercise {
            Exercise::Exercised { .. } => None,
            Exercise::Unproven { reason }
            | Exercise::NotExercised { reason }
            | Exercise::Crossed { reason, .. } => Some(format!("{}: {reason}", partition.name)),
        })
        .collect();
    not_exercised.extend(incomplete(recorded));
    let subject = subject(recorded);
    VerdictView {
        kind: verdict.kind,
        sentence: format!("{subject} {}", verdict.sentence),
        evidence: verdict.evidence.iter().map(|evidence| evidence.text.clone()).collect(),
        not_exercised,
        expected,
    }
}

/// Who behaved so: `etcd 3.4.23 with read=serializable`.
fn subject(recorded: &Recorded) -> String {
    let Recorded { plan, record, .. } = recorded;
    let settings: Vec<String> =
        plan.target.settings.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let name = match &record.target_version {
        Some(version) => format!("{} ({version})", plan.target.name),
        None => plan.target.name.clone(),
    };
    if settings.is_empty() { name } else { format!("{name} with {}", settings.join(", ")) }
}

fn availability(seen: &Availability) -> AvailabilityView {
    let cuts = seen.windows.iter().filter(|w| matches!(w.period, Counted::Cut { .. })).count();
    let last = cuts.checked_sub(1);
    let rows = seen
        .rows
        .iter()
        .filter_map(|row| {
            let period = match row.period {
                Counted::Healthy => Period::Healthy,
                Counted::Cut { partition } => Period::Partition(partition),
                Counted::After { partition } if Some(partition) == last => Period::After,
                Counted::After { .. } => return None,
            };
            let (low, high) = row.answered.interval();
            Some(AvailabilityRow {
                node: row.node.clone(),
                class: row.class.to_string().into(),
                period,
                attempted: row.answered.attempted as u64,
                answered: row.answered.answered as u64,
                low,
                high,
                p50: row.p50,
                p99: row.p99,
                level: row.level,
            })
        })
        .collect();
    AvailabilityView {
        latency_bound: seen.latency_bound,
        needed: ENOUGH_FOR_AVAILABLE as u64,
        rows,
        recovery: recovery(seen),
    }
}

fn recovery(seen: &Availability) -> Vec<RecoveryRow> {
    let time = |success: FirstSuccess| -> Option<Duration> {
        match success {
            FirstSuccess::After { time } => Some(time),
            FirstSuccess::Never { .. } | FirstSuccess::NotExercised => None,
        }
    };
    seen.recoveries
        .iter()
        .map(|recovery| {
            let cut = Counted::Cut { partition: recovery.partition };
            let row = seen.row(cut, &recovery.node, recovery.class);
            RecoveryRow {
                node: recovery.node.clone(),
                class: recovery.class.to_string().into(),
                partition: recovery.partition,
                after_cut: time(recovery.after_cut),
                after_heal: time(recovery.after_heal),
                outages: row.map_or(0, |row| row.outages as u64),
                down: row.map_or(Duration::ZERO, |row| row.downtime),
            }
        })
        .collect()
}

fn convergence(seen: &Convergence, recorded: &Recorded) -> ConvergenceView {
    let history = &recorded.reading.history;
    let operation = |index: u64| {
        let position = history.operations.binary_search_by_key(&index, |o| o.index).ok()?;
        Some(history.operations[position].clone())
    };
    let lost = seen.lost.iter().filter_map(|lost| {
        let sentence = format!(
            "{} of {} was acknowledged at {}, and no node has it or anything later",
            lost.value,
            lost.key,
            lost.acknowledged
        );
        Some(LostWrite { operation: operation(lost.write)?, sentence })
    });
    let phantoms = seen.phantoms.iter().map(|phantom| Phantom {
        key: phantom.key.clone(),
        node: phantom.node.clone(),
        value: phantom.value.clone(),
    });
    let worth_showing = |key: &&splitbrain_checkers::convergence::KeyState| {
        !matches!(key.status, KeyStatus::Agreed)
            || seen.lost.iter().any(|lost| lost.key == key.key)
            || seen.phantoms.iter().any(|phantom| phantom.key == key.key)
    };
    let finals = seen.keys.iter().filter(worth_showing).map(|key| FinalValues {
        key: key.key.clone(),
        values: key
            .cells
            .iter()
            .map(|cell| (cell.node.clone(), cell.last.as_ref().map(|last| last.value.clone())))
            .collect(),
    });
    ConvergenceView {
        after: seen.time(),
        limit: super::settle_limit(&recorded.plan).unwrap_or_default(),
        keys: seen.keys.len(),
        lost: lost.collect(),
        phantoms: phantoms.collect(),
        finals: finals.collect(),
    }
}

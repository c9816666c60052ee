//! From what the checkers say to what the reports show.

use splitbrain_checkers::availability::wilson::ENOUGH_FOR_AVAILABLE;
use splitbrain_checkers::availability::{Availability, Class, FirstSuccess, Period as Counted};
use splitbrain_checkers::convergence::agreement::KeyState;
use splitbrain_checkers::convergence::{Agreement as Seen, Convergence, KeyStatus};
use splitbrain_checkers::history::{Event, History, Name};
use splitbrain_checkers::verdict::{Exercise, Kind};

use super::{Judged, Recorded};
use crate::plan::{Partition, Phase, Plan};
use crate::report::data::{
    Agreement, AvailabilityRow, AvailabilityView, ConvergenceView, FinalValues, FirstAnswer,
    LinkEvent, LostWrite, Machine, Period, Phantom, PhaseSpan, RecoveryRow, RunData, Scope,
    VerdictView, Window,
};
use crate::report::text;
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
    let scope = scope(recorded, folder);
    RunData {
        verdict: verdict(judged, recorded, &scope, expected),
        scope,
        plan: plan.clone(),
        history: history.clone(),
        phases: phases(history),
        partitions: partitions.clone(),
        links: links(recorded),
        findings: judged.findings.clone(),
        availability: availability(&judged.availability),
        convergence: judged.convergence.as_ref().map(convergence),
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
        date: date(&record.started),
        command: plan.request.command(plan.seed),
        folder: folder.path().to_string_lossy().into_owned(),
        machine: Machine {
            cores: record.machine.cores,
            memory_bytes: record.machine.memory_mib * 1024 * 1024,
            kernel: record.machine.kernel.clone(),
            splitbrain: record.splitbrain.clone(),
        },
    }
}

/// `2026-07-01 14:03:11 +00:00` of what RFC 3339 writes as `2026-07-01T14:03:11+00:00`.
fn date(started: &str) -> String {
    let (date, time) = started.split_once('T').unwrap_or((started, ""));
    let (time, zone) = time.split_at(time.len().min("14:03:11".len()));
    format!("{date} {time} {zone}").trim_end().to_string()
}

/// The faults in words: `isolate n1 for 8.00 s`.
fn faults(plan: &Plan) -> Vec<String> {
    plan.workload
        .phases
        .iter()
        .filter_map(|phase| match phase {
            Phase::Faults { partitions, length } => {
                let names: Vec<String> = partitions.iter().map(Partition::to_string).collect();
                Some(format!("{} for {}", names.join(" and "), text::duration(*length)))
            }
            _ => None,
        })
        .collect()
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

fn verdict(
    judged: &Judged,
    recorded: &Recorded,
    scope: &Scope,
    expected: Option<Kind>,
) -> VerdictView {
    let Judged { verdict, incomplete, .. } = judged;
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
    not_exercised.extend(incomplete.clone());
    VerdictView {
        kind: verdict.kind,
        sentence: format!("{} {}", subject(scope, &recorded.plan), verdict.sentence),
        details: verdict.details.clone(),
        evidence: verdict.evidence.iter().map(|evidence| evidence.text.clone()).collect(),
        not_exercised,
        expected,
    }
}

/// Who behaved so, with the settings that were chosen: `etcd 3.4.23 with read=serializable`.
fn subject(scope: &Scope, plan: &Plan) -> String {
    let name = scope.target_and_version();
    match plan.request.set.as_slice() {
        [] => name,
        chosen => format!("{name} with {}", chosen.join(", ")),
    }
}

fn availability(seen: &Availability) -> AvailabilityView {
    let rows = seen.rows.iter().map(|row| {
        let (low, high) = row.answered.interval();
        AvailabilityRow {
            node: row.node.clone(),
            class: class(row.class),
            period: period(row.period),
            attempted: row.answered.attempted as u64,
            answered: row.answered.answered as u64,
            low,
            high,
            p50: row.p50,
            p99: row.p99,
            level: row.level,
            outages: row.outages as u64,
            down: row.downtime,
        }
    });
    let windows = seen.windows.iter().map(|window| Window {
        period: period(window.period),
        judged_from: window.judged_from,
        judged_to: window.judged_to,
    });
    AvailabilityView {
        latency_bound: seen.latency_bound,
        failover_allowance: seen.failover_allowance,
        windows: windows.collect(),
        needed: ENOUGH_FOR_AVAILABLE as u64,
        rows: rows.collect(),
        recovery: recovery(seen),
    }
}

fn class(class: Class) -> Name {
    match class {
        Class::Read => "read".into(),
        Class::Write => "write".into(),
    }
}

fn period(counted: Counted) -> Period {
    match counted {
        Counted::Healthy => Period::Healthy,
        Counted::Cut { partition } => Period::Cut { partition },
        Counted::After { partition } => Period::After { partition },
    }
}

fn recovery(seen: &Availability) -> Vec<RecoveryRow> {
    seen.recoveries
        .iter()
        .map(|recovery| RecoveryRow {
            node: recovery.node.clone(),
            class: class(recovery.class),
            partition: recovery.partition,
            after_cut: answer(recovery.after_cut),
            after_heal: answer(recovery.after_heal),
        })
        .collect()
}

pub fn answer(success: FirstSuccess) -> FirstAnswer {
    match success {
        FirstSuccess::After { time } => FirstAnswer::After { time },
        FirstSuccess::Never { .. } => FirstAnswer::Never,
        FirstSuccess::NotExercised => FirstAnswer::NotExercised,
    }
}

fn convergence(seen: &Convergence) -> ConvergenceView {
    let lost = seen.lost.iter().map(|lost| LostWrite {
        key: lost.key.clone(),
        value: lost.value.clone(),
        node: lost.node.clone(),
        acknowledged: lost.acknowledged,
    });
    let phantoms = seen.phantoms.iter().map(|phantom| Phantom {
        key: phantom.key.clone(),
        node: phantom.node.clone(),
        value: phantom.value.clone(),
    });
    let worth_showing = |key: &&KeyState| {
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
        agreement: match &seen.agreement {
            Seen::Agreed { after } => Agreement::Agreed { after: *after },
            Seen::Refuted { keys } => Agreement::Refuted { keys: keys.clone() },
            Seen::Unknown { reason } => Agreement::Unknown { reason: reason.clone() },
        },
        keys: seen.keys.len(),
        lost: lost.collect(),
        phantoms: phantoms.collect(),
        finals: finals.collect(),
    }
}

//! From what the checkers say to what the reports show.

use splitbrain_checkers::history::{Event, History};
use splitbrain_checkers::verdict::{Exercise, Kind};

use super::{Judged, Recorded};
use crate::check::Promises;
use crate::plan::{Clients, Partition, Phase, Plan};
use crate::report::data::{Machine, PhaseSpan, RunData, Scope, VerdictView};
use crate::report::{promises, text};
use crate::store::RunFolder;

/// All that the reports need.
pub fn run_data(
    recorded: Recorded,
    judged: Judged,
    folder: &RunFolder,
    expected: Option<Kind>,
) -> RunData {
    let scope = scope(&recorded, folder);
    let history = recorded.reading.history;
    RunData {
        verdict: verdict(&judged, &recorded.plan, &scope, expected),
        scope,
        plan: recorded.plan,
        phases: phases(&history),
        history,
        partitions: recorded.partitions,
        links: recorded.links,
        findings: judged.findings,
        availability: judged.availability,
        convergence: judged.convergence,
        promises: judged.promises,
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

fn verdict(judged: &Judged, plan: &Plan, scope: &Scope, expected: Option<Kind>) -> VerdictView {
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
    let measured = judged.promises.as_ref().and_then(Promises::measured);
    let stale = measured.and_then(promises::stale);
    VerdictView {
        kind: verdict.kind,
        sentence: format!("{} {}", subject(scope, plan), verdict.sentence),
        details: stale.into_iter().chain(verdict.details.iter().cloned()).collect(),
        evidence: verdict.evidence.iter().map(|evidence| evidence.text.clone()).collect(),
        not_exercised,
        expected,
    }
}

/// Who behaved so, with the settings that were chosen: `etcd 3.4.23 with read=serializable`.
fn subject(scope: &Scope, plan: &Plan) -> String {
    let name = scope.target_and_version();
    let name = match plan.request.set.as_slice() {
        [] => name,
        chosen => format!("{name} with {}", chosen.join(", ")),
    };
    match plan.target.clients {
        Clients::Outside => format!("{name}, with clients that reach every node throughout,"),
        Clients::Beside => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_for_people() {
        assert_eq!(date("2026-07-01T14:03:11+00:00"), "2026-07-01 14:03:11 +00:00");
        assert_eq!(date("2026-07-01T14:03:11"), "2026-07-01 14:03:11");
        assert_eq!(date("yesterday"), "yesterday");
    }
}

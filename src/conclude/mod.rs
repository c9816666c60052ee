//! From what was recorded to findings, verdict and reports.
//!
//! Reads a run's folder, whether the run has just ended or long ago, and nothing else; so
//! `report` gives what `run` gave, and a history that was cut off by a hard kill is checked as
//! far as it reaches.

mod view;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use serde::{Deserialize, Serialize};
use splitbrain_checkers::availability::{self, Availability, Class, FirstSuccess, Period};
use splitbrain_checkers::checker::Options;
use splitbrain_checkers::convergence::{self, Convergence};
use splitbrain_checkers::finding::{Finding, Validity};
use splitbrain_checkers::format::Reading;
use splitbrain_checkers::history::Name;
use splitbrain_checkers::partition::Partition;
use splitbrain_checkers::register::CAS_REGISTER;
use splitbrain_checkers::verdict::{self, Inputs, Kind, Verdict};

use crate::check::{self, Promises};
use crate::exit::Exit;
use crate::plan::{Check, Phase, Plan};
use crate::report::data::RunData;
use crate::report::demo::DemoSide;
use crate::report::{html, json, junit};
use crate::sandbox::LinkEvent;
use crate::store::{Ending, RunFolder, RunRecord};

/// How long a check of a run may take. Our workloads write unique values, which takes no search.
const CHECK_LIMIT: Duration = Duration::from_secs(60);
/// How long the models below linearizable may take. Most take a moment; whether a history is
/// sequentially consistent is a search.
const LADDER_LIMIT: Duration = Duration::from_secs(2);

/// What a run came to.
pub struct Conclusion {
    /// Everything that the reports show.
    pub data: RunData,
    verdict: Verdict,
    /// Why the recording is not the whole run, if it is not.
    incomplete: Option<String>,
    expected: Option<Kind>,
    report: String,
}

/// What was recorded.
pub(crate) struct Recorded {
    pub plan: Plan,
    pub record: RunRecord,
    pub reading: Reading,
    pub partitions: Vec<Partition>,
    pub links: Vec<LinkEvent>,
}

/// What the checkers say of it.
pub(crate) struct Judged {
    /// Why the recording is not the whole run, if it is not.
    pub incomplete: Option<String>,
    pub findings: Vec<Finding>,
    pub availability: Availability,
    pub convergence: Option<Convergence>,
    pub promises: Option<Promises>,
    pub verdict: Verdict,
}

/// A verdict in short, as `run --json` prints it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Summary {
    pub kind: Kind,
    pub sentence: String,
    /// The strongest model that was refuted.
    pub violated: Option<String>,
    /// Sides of the last cut that counted, the larger one first.
    pub sides: Vec<DemoSide>,
    /// From a heal until every node answered every class again, the slowest of all.
    pub recovery: FirstSuccess,
    /// Path of the report.
    pub report: String,
}

/// Checks what the folder holds, and writes findings, verdict and reports into it.
pub fn conclude(folder: &RunFolder, expected: Option<Kind>) -> anyhow::Result<Conclusion> {
    let recorded = read(folder)?;
    let judged = judge(&recorded);
    let (verdict, incomplete) = (judged.verdict.clone(), judged.incomplete.clone());
    let data = view::run_data(recorded, judged, folder, expected);
    folder.write("findings.json", json::findings(&data)?.as_bytes())?;
    folder.write("verdict.json", json::verdict(&data)?.as_bytes())?;
    folder.write("report.html", html::html(&data)?.as_bytes())?;
    folder.write("junit.xml", junit::junit(&data)?.as_bytes())?;
    let report = folder.report().to_string_lossy().into_owned();
    Ok(Conclusion { data, verdict, incomplete, expected, report })
}

fn read(folder: &RunFolder) -> anyhow::Result<Recorded> {
    let path = folder.history();
    let reading =
        check::read(&path).map_err(|error| anyhow::anyhow!("{}: {error}", path.display()))?;
    for problem in &reading.problems {
        eprintln!("splitbrain: {}: {problem}", path.display());
    }
    Ok(Recorded {
        plan: folder.plan()?,
        record: folder.record().context("run.json")?,
        reading,
        partitions: folder.partitions().context("partitions.jsonl")?,
        links: links(&folder.links()).context("links.jsonl")?,
    })
}

/// Link events; a line that a hard kill cut off is left out.
fn links(path: &Path) -> std::io::Result<Vec<LinkEvent>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

fn judge(recorded: &Recorded) -> Judged {
    let Recorded { plan, reading, partitions, .. } = recorded;
    let history = &reading.history;
    let nodes: Vec<Name> = plan.target.nodes.iter().map(|node| node.name.clone()).collect();
    let wants = |check: Check| plan.workload.checks.contains(&check);
    let incomplete = incomplete(recorded);
    let whole_run = |finding| weaken(finding, incomplete.as_deref());
    let mut findings = Vec::new();
    let linearizable = wants(Check::Linearizable)
        .then(|| whole_run(check::run(&CAS_REGISTER, reading, &Options::default(), CHECK_LIMIT)));
    let convergence = wants(Check::Convergent).then(|| {
        let settings = convergence::Settings { limit: settle_limit(plan), ..Default::default() };
        let (convergence, finding) = convergence::check(history, &nodes, &settings);
        (convergence, whole_run(finding))
    });
    let settings = availability::Settings {
        latency_bound: None,
        failover_allowance: plan.target.failover_allowance,
    };
    let (availability, available) = availability::check(history, partitions, &nodes, &settings);
    let verdict = verdict::verdict(&Inputs {
        history,
        partitions,
        availability: &availability,
        linearizable: linearizable.as_ref(),
        convergence: convergence.as_ref().map(|(convergence, finding)| (convergence, finding)),
    });
    let promises = linearizable.as_ref().and_then(|_| check::promises(reading, LADDER_LIMIT));
    let promises = promises.map(|promises| match incomplete {
        Some(_) => promises.of_a_part(),
        None => promises,
    });
    findings.extend(linearizable);
    let convergence = convergence.map(|(convergence, finding)| {
        findings.push(finding);
        convergence
    });
    if wants(Check::Available) {
        findings.push(whole_run(available));
    }
    Judged { incomplete, findings, availability, convergence, promises, verdict }
}

fn settle_limit(plan: &Plan) -> Option<Duration> {
    plan.workload.phases.iter().find_map(|phase| match phase {
        Phase::Settle { limit } => Some(*limit),
        _ => None,
    })
}

/// Why the recording is not the whole run, if it is not.
fn incomplete(recorded: &Recorded) -> Option<String> {
    match &recorded.record.ending {
        Some(Ending::Complete) => None,
        Some(Ending::Interrupted) => Some("the run was interrupted".into()),
        Some(Ending::Fault { message }) => {
            Some(format!("the run failed: {}", message.lines().next().unwrap_or_default()))
        }
        None => Some("the run was killed".into()),
    }
}

/// What was valid so far is unknown for the run that was planned. A violation stays one.
fn weaken(mut finding: Finding, incomplete: Option<&str>) -> Finding {
    if let (Some(reason), true) = (incomplete, finding.validity.is_valid()) {
        finding.validity = Validity::Unknown {
            reason: format!("{reason}; up to there nothing speaks against it"),
        };
    }
    finding
}

impl Conclusion {
    /// Invalid outranks unknown outranks valid. Availability is measured, not judged: that a CP
    /// system refuses is no fault. A run that cut links has to have decided the verdict.
    pub fn exit(&self) -> Exit {
        let kind = self.verdict.kind;
        if let Some(expected) = self.expected {
            return match kind {
                kind if kind == expected && self.incomplete.is_none() => Exit::Valid,
                kind if kind == expected => Exit::Unknown,
                Kind::Inconclusive => Exit::Unknown,
                _ => Exit::Invalid,
            };
        }
        let cuts = self
            .data
            .plan
            .workload
            .phases
            .iter()
            .any(|phase| matches!(phase, Phase::Faults { .. }));
        let verdict = match kind {
            Kind::Inconclusive if cuts => Exit::Unknown,
            _ => Exit::Valid,
        };
        let judged = self.data.findings.iter().filter(|finding| finding.check != "available");
        let exits: Vec<Exit> = judged.map(|finding| Exit::from(&finding.validity)).collect();
        if exits.contains(&Exit::Invalid) {
            Exit::Invalid
        } else if exits.contains(&Exit::Unknown) {
            Exit::Unknown
        } else {
            verdict
        }
    }

    /// The verdict in short.
    pub fn summary(&self) -> Summary {
        let linearizable = self
            .data
            .findings
            .iter()
            .find(|finding| finding.check == "linearizable" && finding.validity.is_invalid());
        Summary {
            kind: self.verdict.kind,
            sentence: self.data.verdict.sentence.clone(),
            violated: linearizable.map(|finding| finding.check.clone()),
            sides: sides(&self.data.availability, &self.verdict),
            recovery: self.data.availability.recovery_time(),
            report: self.report.clone(),
        }
    }
}

/// What each side of the cuts answered, the largest side of every cut first, all cuts together.
fn sides(availability: &Availability, verdict: &Verdict) -> Vec<DemoSide> {
    let mut shares: BTreeMap<(usize, Class), (usize, usize)> = BTreeMap::new();
    for row in &availability.rows {
        let Period::Cut { partition } = row.period else { continue };
        let Some(cut) = verdict.partitions.get(partition) else { continue };
        let Some(side) = cut.sides.iter().position(|side| side.contains(&row.node)) else {
            continue;
        };
        let share = shares.entry((side, row.class)).or_default();
        share.0 += row.answered.answered;
        share.1 += row.answered.attempted;
    }
    let share = |side, class| {
        let &(answered, attempted) = shares.get(&(side, class))?;
        (attempted > 0).then(|| answered as f64 / attempted as f64)
    };
    let count = shares.keys().map(|(side, _)| side + 1).max().unwrap_or(0);
    (0..count)
        .map(|side| DemoSide {
            name: if side == 0 { "majority".into() } else { "minority".into() },
            reads: share(side, Class::Read),
            writes: share(side, Class::Write),
        })
        .collect()
}

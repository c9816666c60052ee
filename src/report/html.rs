//! `report.html`: one file, no network. What counts is text in the page itself; the script only
//! draws the timeline.

use askama::Template;
use splitbrain_checkers::availability::wilson::ENOUGH_FOR_AVAILABLE;
use splitbrain_checkers::convergence::{Agreement, Convergence};
use splitbrain_checkers::finding::{Finding, Relation, Witness};
use splitbrain_checkers::history::Name;

use super::data::{PhaseSpan, RunData, Scope, VerdictView};
use super::finals::{self, FinalRow};
use super::labels::{self, State};
use super::promises::{self, FreshRow, StepView};
use super::tables::{
    self, AvailabilityCell, CountRow, NodeRow, PeriodColumn, ProofRow, RecoveryCell,
};
use super::text;
use super::timeline::{self, Facts};
use super::witness;
use crate::check::Promises;

/// The look of every page.
pub const STYLE: &str = include_str!("report.css");
const LANES_SCRIPT: &str = include_str!("lanes.js");
const SCRIPT: &str = include_str!("report.js");
const CHART_STYLE: &str = include_str!("vendor/uPlot.min.css");
const CHART_SCRIPT: &str = include_str!("vendor/uPlot.iife.min.js");

/// Why a report could not be written.
#[derive(Debug, thiserror::Error)]
pub enum HtmlError {
    #[error("the timeline's data cannot be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
    #[error("the page cannot be written: {0}")]
    Template(#[from] askama::Error),
}

/// A check on its chip.
struct CheckChip {
    check: String,
    state: State,
    /// Class of the style sheet.
    style: &'static str,
    summary: String,
}

/// A refuted finding with its drawing.
struct Refuted<'a> {
    id: String,
    finding: &'a Finding,
    svg: String,
    sentence: &'a str,
    instead: Option<&'a str>,
    keys: String,
    /// The key of the witness.
    key: Option<&'a str>,
    /// Which arrows the drawing has.
    /// Those of its arrows, for the legend.
    relations: Vec<Relation>,
}

#[derive(Template)]
#[template(path = "report.html", config = "src/report/askama.toml")]
struct Page<'a> {
    style: &'a str,
    lanes_script: &'a str,
    script: &'a str,
    chart_style: &'a str,
    chart_script: &'a str,
    json: String,
    title: String,
    scope: &'a Scope,
    scope_line: Vec<(&'static str, String)>,
    verdict: &'a VerdictView,
    checks: Vec<CheckChip>,
    ladder: Vec<StepView>,
    facts: Facts,
    phases: &'a [PhaseSpan],
    has_links: bool,
    refuted: Vec<Refuted<'a>>,
    stale: String,
    fresh: Vec<FreshRow>,
    periods: Vec<PeriodColumn>,
    availability: Vec<NodeRow<AvailabilityCell>>,
    recovery: Vec<NodeRow<RecoveryCell>>,
    latency_bound: String,
    failover_allowance: String,
    agreement: String,
    needed: String,
    convergence: Option<&'a Convergence>,
    final_nodes: Vec<Name>,
    finals: Vec<FinalRow>,
    final_keys: usize,
    proofs: Vec<ProofRow>,
    counts: Vec<CountRow>,
    errors: Vec<(String, String, String)>,
    other_errors: usize,
    unknowns: Vec<String>,
    memory: String,
}

/// The page.
pub fn html(data: &RunData) -> Result<String, HtmlError> {
    let timeline = timeline::timeline(data);
    // No `<` at all, so that no text of the run can end the script element.
    let json = serde_json::to_string(&timeline)?.replace('<', "\\u003c");
    let (errors, other_errors) = tables::errors(data);
    let convergence = data.convergence.as_ref();
    let final_keys = convergence.map(finals::keys).unwrap_or_default();
    let measured = data.promises.as_ref().and_then(Promises::measured);
    let page = Page {
        style: STYLE,
        lanes_script: LANES_SCRIPT,
        script: SCRIPT,
        chart_style: CHART_STYLE,
        chart_script: CHART_SCRIPT,
        json,
        title: title(data),
        scope: &data.scope,
        scope_line: scope_line(&data.scope),
        verdict: &data.verdict,
        checks: check_chips(data),
        ladder: promises::steps(data),
        facts: timeline.facts,
        phases: &data.phases,
        has_links: !data.links.is_empty(),
        refuted: refuted(data),
        stale: measured.and_then(promises::stale).unwrap_or_default(),
        fresh: promises::fresh(data),
        periods: tables::period_columns(data),
        availability: tables::availability(data),
        recovery: tables::recovery(data),
        latency_bound: text::duration(data.availability.latency_bound),
        failover_allowance: text::duration(data.availability.failover_allowance),
        agreement: convergence
            .map(|view| agreement(view, !data.partitions.is_empty()))
            .unwrap_or_default(),
        needed: text::thousands(ENOUGH_FOR_AVAILABLE as u64),
        convergence,
        final_nodes: finals::nodes(&final_keys),
        finals: convergence.map(|view| finals::rows(view, &final_keys)).unwrap_or_default(),
        final_keys: final_keys.len(),
        proofs: tables::proofs(data),
        counts: tables::counts(data),
        errors,
        other_errors,
        unknowns: unknowns(data),
        memory: text::gibibytes(data.scope.machine.memory_bytes),
    };
    Ok(page.render()?)
}

fn title(data: &RunData) -> String {
    let target = text::plain(&data.scope.target_and_version());
    format!("{target}: {} · splitbrain", data.verdict.kind.as_str())
}

/// What the verdict holds for, as names and values.
pub fn scope_line(scope: &Scope) -> Vec<(&'static str, String)> {
    let settings = scope.settings_in_words();
    vec![
        ("target", scope.target_and_version()),
        ("settings", if settings.is_empty() { "none".to_string() } else { settings }),
        ("workload", scope.workload.clone()),
        ("clients", text::thousands(scope.clients as u64)),
        ("seed", scope.seed.to_string()),
        ("date", scope.date.clone()),
        ("faults", if scope.faults.is_empty() { "none".into() } else { scope.faults.join("; ") }),
    ]
}

/// The class of the style sheet for a state.
pub fn state_style(state: State) -> &'static str {
    match state {
        State::Refuted => "refuted",
        State::Unknown => "unknown",
        State::Valid => "valid",
        State::NotExercised => "not-exercised",
    }
}

fn check_chips(data: &RunData) -> Vec<CheckChip> {
    let chip = |(check, state): (String, State)| {
        let finding = data.findings.iter().find(|finding| finding.check == check);
        CheckChip {
            state,
            style: state_style(state),
            summary: match finding {
                Some(finding) => summary(finding),
                None => "the workload does not ask for it".to_string(),
            },
            check,
        }
    };
    labels::checks(data).into_iter().map(chip).collect()
}

/// What was checked, and why there is no answer if there is none.
fn summary(finding: &Finding) -> String {
    use splitbrain_checkers::finding::Validity;
    match &finding.validity {
        Validity::Unknown { reason } => format!("{}: {reason}", finding.summary),
        Validity::Valid | Validity::Invalid { .. } => finding.summary.clone(),
    }
}

fn refuted(data: &RunData) -> Vec<Refuted<'_>> {
    let mut out = Vec::new();
    for (position, finding) in labels::refuted(data).into_iter().enumerate() {
        let Some(witness) = finding.validity.witness() else { continue };
        let id = timeline::anchor(position);
        let keys: Vec<String> =
            finding.keys.iter().take(tables::TOP).map(|key| text::plain(key)).collect();
        let more = finding.keys.len() - keys.len();
        let mut keys = keys.join(", ");
        if more > 0 {
            keys.push_str(&format!(" and {more} more"));
        }
        let has =
            |relation: &Relation| witness.arrows.iter().any(|arrow| arrow.relation == *relation);
        out.push(Refuted {
            svg: witness::svg(data, witness, &id),
            id,
            finding,
            sentence: &witness.sentence,
            instead: witness.instead.as_deref(),
            key: if finding.keys.is_empty() { None } else { key(witness) },
            relations: Relation::ALL.into_iter().filter(has).collect(),
            keys,
        });
    }
    out
}

/// The key that a witness is about, if it is about one.
fn key(witness: &Witness) -> Option<&str> {
    let first = witness.operations.first()?;
    let is_only = witness.operations.iter().all(|operation| operation.key == first.key);
    first.key.as_deref().filter(|_| is_only)
}

/// Whether the nodes agreed, as a sentence.
fn agreement(view: &Convergence, healed: bool) -> String {
    let since = if healed { "the last heal" } else { "the beginning of the settle phase" };
    let keys = text::count(view.keys.len(), "key", "keys");
    match &view.agreement {
        Agreement::Agreed { after } => {
            format!("All nodes agreed on {keys} within {} of {since}.", text::duration(*after))
        }
        Agreement::Refuted { keys: apart } => {
            format!("The nodes did not agree on {} of {keys}, to the end.", apart.len())
        }
        Agreement::Unknown { reason } => format!("It is not known whether they agreed: {reason}."),
    }
}

/// Everything that the run leaves open, each a sentence.
fn unknowns(data: &RunData) -> Vec<String> {
    use splitbrain_checkers::finding::Validity;
    use splitbrain_checkers::partition::Proof;
    let mut unknowns = Vec::new();
    for (position, partition) in data.partitions.iter().enumerate() {
        if let Proof::Missing { reason } = &partition.proof {
            unknowns.push(format!(
                "cut {} ({}) is not proven: {reason}",
                position + 1,
                partition.name
            ));
        }
    }
    for finding in &data.findings {
        if let Validity::Unknown { reason } = &finding.validity {
            unknowns.push(format!("{} is unknown: {reason}", finding.check));
        }
    }
    for (check, state) in labels::checks(data) {
        if state == State::NotExercised {
            unknowns.push(format!("{check} was not exercised: the workload does not ask for it"));
        }
    }
    if let Some(Err(reason)) = data.promises.as_ref().map(|promises| &promises.staleness) {
        unknowns.push(format!("how stale reads were is unknown: {reason}"));
    }
    unknowns.extend(data.verdict.not_exercised.iter().cloned());
    unknowns
}

#[cfg(test)]
mod tests;

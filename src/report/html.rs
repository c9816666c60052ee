//! `report.html`: one file, no network. What counts is text in the page itself; the script only
//! draws the timeline.

use askama::Template;
use splitbrain_checkers::finding::Finding;
use splitbrain_checkers::history::Name;

use super::data::{Agreement, ConvergenceView, PhaseSpan, RunData, Scope, VerdictView};
use super::labels::{self, State};
use super::tables::{
    self, AvailabilityCell, CountRow, FinalRow, NodeRow, PeriodColumn, ProofRow, RecoveryCell,
};
use super::text;
use super::timeline::{self, Facts};
use super::witness;

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
    facts: Facts,
    phases: &'a [PhaseSpan],
    has_links: bool,
    refuted: Vec<Refuted<'a>>,
    periods: Vec<PeriodColumn>,
    availability: Vec<NodeRow<AvailabilityCell>>,
    recovery: Vec<NodeRow<RecoveryCell>>,
    latency_bound: String,
    failover_allowance: String,
    agreement: String,
    lost: Vec<String>,
    needed: String,
    convergence: Option<&'a ConvergenceView>,
    nodes: Vec<Name>,
    finals: Vec<FinalRow>,
    proofs: Vec<ProofRow>,
    counts: Vec<CountRow>,
    errors: Vec<(String, String, String)>,
    other_errors: usize,
    unknowns: Vec<String>,
    memory: String,
    operations: String,
}

/// The page.
pub fn html(data: &RunData) -> Result<String, HtmlError> {
    let timeline = timeline::timeline(data);
    // No `<` at all, so that no text of the run can end the script element.
    let json = serde_json::to_string(&timeline)?.replace('<', "\\u003c");
    let (errors, other_errors) = tables::errors(data);
    let convergence = data.convergence.as_ref();
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
        facts: timeline.facts,
        phases: &data.phases,
        has_links: !data.links.is_empty(),
        refuted: refuted(data),
        periods: tables::period_columns(data),
        availability: tables::availability(data),
        recovery: tables::recovery(data),
        latency_bound: text::duration(data.availability.latency_bound),
        failover_allowance: text::duration(data.availability.failover_allowance),
        agreement: convergence.map(agreement).unwrap_or_default(),
        lost: convergence.map(|view| tables::lost(&view.lost)).unwrap_or_default(),
        needed: text::thousands(data.availability.needed),
        convergence,
        nodes: convergence.map(final_nodes).unwrap_or_default(),
        finals: convergence.map(|view| tables::finals(&view.finals)).unwrap_or_default(),
        proofs: tables::proofs(data),
        counts: tables::counts(data),
        errors,
        other_errors,
        unknowns: unknowns(data),
        memory: text::gibibytes(data.scope.machine.memory_bytes),
        operations: text::count(data.history.operations.len(), "operation", "operations"),
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
        ("faults", if scope.faults.is_empty() { "none".into() } else { scope.faults.join("; ") }),
        ("clients", text::thousands(scope.clients as u64)),
        ("seed", scope.seed.to_string()),
        ("date", scope.date.clone()),
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
        out.push(Refuted {
            svg: witness::svg(data, witness, &id),
            id,
            finding,
            sentence: &witness.sentence,
            instead: witness.instead.as_deref(),
            keys,
        });
    }
    out
}

/// Whether the nodes agreed, as a sentence.
fn agreement(view: &ConvergenceView) -> String {
    let keys = text::count(view.keys, "key", "keys");
    match &view.agreement {
        Agreement::Agreed { after } => {
            format!("All nodes agreed on {keys} {} after the last heal.", text::duration(*after))
        }
        Agreement::Refuted { keys: apart } => {
            format!("The nodes did not agree on {} of {keys}, to the end.", apart.len())
        }
        Agreement::Unknown { reason } => format!("It is not known whether they agreed: {reason}."),
    }
}

/// The nodes whose final values are known, in the order of the first key.
fn final_nodes(view: &ConvergenceView) -> Vec<Name> {
    let first = view.finals.first();
    first.map(|key| key.values.iter().map(|(node, _)| node.clone()).collect()).unwrap_or_default()
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
    unknowns.extend(data.verdict.not_exercised.iter().cloned());
    unknowns
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::synthetic;

    /// Elements that are never closed.
    const VOID: [&str; 9] = ["meta", "br", "link", "img", "input", "hr", "rect", "line", "path"];

    /// Everything of the page that is markup: without the content of style and script.
    fn markup(page: &str) -> String {
        let mut out = String::new();
        let mut rest = page;
        while let Some(start) = ["<style", "<script"].iter().filter_map(|t| rest.find(t)).min() {
            let open = start + rest[start..].find('>').unwrap() + 1;
            let close = open + rest[open..].find("</s").unwrap();
            out.push_str(&rest[..open]);
            rest = &rest[close..];
        }
        out + rest
    }

    /// The first tag that does not fit the ones before it.
    fn ill_formed(page: &str) -> Option<String> {
        let markup = markup(page);
        let mut open: Vec<&str> = Vec::new();
        for tag in markup.split('<').skip(1) {
            let Some((tag, _)) = tag.split_once('>') else { return Some(tag.to_string()) };
            let name = tag.split([' ', '/', '\n']).next().unwrap_or_default();
            if let Some(closed) = tag.strip_prefix('/') {
                if open.pop() != Some(closed) {
                    return Some(format!("</{closed}> closes {open:?}"));
                }
            } else if !tag.ends_with('/') && !tag.starts_with('!') && !VOID.contains(&name) {
                open.push(name);
            }
        }
        (!open.is_empty()).then(|| format!("never closed: {open:?}"))
    }

    fn all() -> Vec<RunData> {
        vec![
            synthetic::stale_reads(),
            synthetic::lost_writes(),
            synthetic::consistent(),
            synthetic::wordy(),
            synthetic::hostile(),
        ]
    }

    #[test]
    fn every_page_is_well_formed_and_says_its_verdict_in_text() {
        for data in all() {
            let page = html(&data).unwrap();
            assert_eq!(ill_formed(&page), None);
            let sentence = askama::filters::escape(&data.verdict.sentence, askama::filters::Html);
            assert!(markup(&page).contains(&sentence.unwrap().to_string()));
        }
    }

    #[test]
    fn the_check_for_well_formed_pages_can_fail() {
        assert!(ill_formed("<p><b></p>").is_some());
        assert!(ill_formed("<p>").is_some());
        assert_eq!(ill_formed("<p><br></p><style>a > b {}</style>"), None);
    }

    #[test]
    fn nothing_is_loaded_from_a_network() {
        let page = html(&synthetic::lost_writes()).unwrap();
        for start in ["src=", "@import", "fetch(", "XMLHttpRequest"] {
            assert!(!page.contains(start), "{start}");
        }
        for (position, _) in page.match_indices("url(") {
            assert!(page[position..].starts_with("url(#"), "{}", &page[position..position + 40]);
        }
        for (position, _) in page.match_indices("href=\"") {
            let address = &page[position + 6..];
            let address = &address[..address.find('"').unwrap()];
            assert!(!address.contains(':') && !address.starts_with("//"), "{address}");
        }
    }

    #[test]
    fn hostile_text_neither_ends_nor_begins_an_element() {
        let plain = html(&synthetic::lost_writes()).unwrap();
        let page = html(&synthetic::hostile()).unwrap();
        for tag in ["<script", "</script", "<b>"] {
            assert_eq!(page.matches(tag).count(), plain.matches(tag).count(), "{tag}");
        }
    }

    #[test]
    fn the_chart_data_is_json_of_the_run() {
        let data = synthetic::hostile();
        let page = html(&data).unwrap();
        let start = page.find(r#"id="data">"#).unwrap() + r#"id="data">"#.len();
        let json = &page[start..start + page[start..].find("</script>").unwrap()];
        let value: serde_json::Value = serde_json::from_str(json).unwrap();
        assert_eq!(value["nodes"].as_array().unwrap().len(), 3);
        assert_eq!(value["faults"][0]["name"], data.partitions[0].name);
        assert_eq!(value["violations"].as_array().unwrap().len(), 2);
    }

    #[test]
    fn every_violation_of_the_timeline_has_its_witness_on_the_page() {
        let page = html(&synthetic::lost_writes()).unwrap();
        for id in ["finding-1", "finding-2"] {
            assert!(page.contains(&format!("<article class=\"finding\" id=\"{id}\"")));
            assert!(page.contains(&format!("\"id\":\"{id}\"")));
        }
    }

    #[test]
    fn a_long_run_stays_small() {
        let invented = synthetic::Invented { nodes: 5, rate: 1_000.0, seconds: 40, stale: true };
        let data = invented.run();
        assert!(data.history.operations.len() > 150_000);
        let size = html(&data).unwrap().len();
        assert!(size < 1_500_000, "{size} bytes");
    }

    #[test]
    fn what_is_missing_is_said() {
        let mut data = synthetic::consistent();
        data.convergence = None;
        data.links.clear();
        data.partitions.clear();
        data.availability = Default::default();
        data.findings.clear();
        let page = html(&data).unwrap();
        for text in [
            "the workload has no settle phase",
            "No probes were recorded",
            "No partition was injected",
            "Availability was not counted",
            "linearizable was not exercised",
        ] {
            assert!(page.contains(text), "{text}");
        }
    }

    #[test]
    fn not_known_is_neither_agreed_nor_refuted() {
        let mut data = synthetic::consistent();
        let reason = "n2 was never read".to_string();
        data.convergence.as_mut().unwrap().agreement = Agreement::Unknown { reason };
        let page = html(&data).unwrap();
        assert!(page.contains("It is not known whether they agreed: n2 was never read."));
        assert!(!page.contains("All nodes agreed") && !page.contains("did not agree"));
    }

    /// For whoever changes the look: writes the pages and prints where they are.
    #[test]
    #[ignore = "writes files for a person to look at"]
    fn write_pages_to_look_at() {
        let names = ["stale", "lost", "consistent", "wordy", "hostile"];
        let million = synthetic::Invented { nodes: 5, rate: 30.0, seconds: 7_000, stale: true };
        let dense = synthetic::Invented { nodes: 5, rate: 8_500.0, seconds: 28, stale: true };
        let large = [("million", million.run()), ("dense", dense.run())];
        for (name, data) in names.into_iter().zip(all()).chain(large) {
            let path = std::env::temp_dir().join(format!("splitbrain-report-{name}.html"));
            std::fs::write(&path, html(&data).unwrap()).unwrap();
            println!("{}", path.display());
        }
    }
}

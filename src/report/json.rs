//! `findings.json` and `verdict.json`, for programs that read results.

use serde::Serialize;
use splitbrain_checkers::availability::Availability;
use splitbrain_checkers::convergence::Convergence;
use splitbrain_checkers::ladder::Ladder;
use splitbrain_checkers::staleness::Staleness;

use super::data::{RunData, Scope, VerdictView};
use crate::check::Promises;

/// The content of `verdict.json`: the verdict with all that it rests on but the findings.
#[derive(Serialize)]
struct VerdictFile<'a> {
    scope: &'a Scope,
    verdict: &'a VerdictView,
    availability: &'a Availability,
    #[serde(skip_serializing_if = "Option::is_none")]
    convergence: &'a Option<Convergence>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ladder: Option<&'a Ladder>,
    #[serde(skip_serializing_if = "Option::is_none")]
    staleness: Option<&'a Staleness>,
    partitions: &'a [splitbrain_checkers::partition::Partition],
}

/// `findings.json`: every checker's finding with its witness.
pub fn findings(data: &RunData) -> Result<String, serde_json::Error> {
    serde_json::to_string_pretty(&data.findings)
}

/// `verdict.json`: scope, verdict, availability, convergence, ladder, staleness and partitions.
pub fn verdict(data: &RunData) -> Result<String, serde_json::Error> {
    let promises = data.promises.as_ref();
    serde_json::to_string_pretty(&VerdictFile {
        scope: &data.scope,
        verdict: &data.verdict,
        availability: &data.availability,
        convergence: &data.convergence,
        ladder: promises.map(|promises| &promises.ladder),
        staleness: promises.and_then(Promises::measured),
        partitions: &data.partitions,
    })
}

#[cfg(test)]
mod tests {
    use splitbrain_checkers::finding::Finding;

    use super::*;
    use crate::report::synthetic;

    #[test]
    fn findings_are_read_back_as_they_were_written() {
        let data = synthetic::stale_reads();
        let read: Vec<Finding> = serde_json::from_str(&findings(&data).unwrap()).unwrap();
        assert_eq!(read, data.findings);
    }

    #[test]
    fn the_verdict_file_holds_the_verdict_and_its_scope() {
        let data = synthetic::stale_reads();
        let file: serde_json::Value = serde_json::from_str(&verdict(&data).unwrap()).unwrap();
        assert_eq!(file["verdict"]["kind"], "neither");
        assert_eq!(file["scope"]["seed"], 42);
        assert_eq!(file["partitions"].as_array().unwrap().len(), 2);
        let view: VerdictView = serde_json::from_value(file["verdict"].clone()).unwrap();
        assert_eq!(view, data.verdict);
    }
}

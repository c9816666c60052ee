//! `junit.xml`, for build servers: a suite per run, a case per check and one for the verdict.
//!
//! Invalid is a failure, unknown is an error: only what a complete check found valid passes.

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};
use splitbrain_checkers::finding::{Finding, Validity};
use splitbrain_checkers::verdict::Kind;

use super::data::{RunData, VerdictView};

/// The file.
pub fn junit(data: &RunData) -> Result<String, quick_junit::SerializeError> {
    let scope = &data.scope;
    let name = format!("{} on {}", scope.workload, scope.target_and_version());
    let mut suite = TestSuite::new(name.as_str());
    suite.set_time(std::time::Duration::from_nanos(data.history.end.0));
    suite.add_property(("seed", scope.seed.to_string().as_str()));
    suite.add_property(("settings", scope.settings_in_words().as_str()));
    suite.add_property(("faults", scope.faults.join("; ").as_str()));
    suite.add_property(("command", scope.command.as_str()));
    let cases = data.findings.iter().map(check).chain([verdict(&data.verdict)]);
    suite.add_test_cases(cases.map(|mut case| {
        case.set_classname(name.as_str());
        case
    }));
    let mut report = Report::new("splitbrain");
    report.add_test_suite(suite);
    report.to_string()
}

fn check(finding: &Finding) -> TestCase {
    let status = match &finding.validity {
        Validity::Valid => TestCaseStatus::success(),
        Validity::Unknown { reason } => error("unknown", reason),
        Validity::Invalid { witness } => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status.set_type("invalid");
            status.set_message(witness.sentence.as_str());
            let operations: Vec<String> = witness
                .operations
                .iter()
                .map(|operation| {
                    let node = operation.node.as_deref().unwrap_or("-");
                    let end = operation.complete.map_or("never".into(), |end| end.to_string());
                    format!("{node} {operation} {} to {end}", operation.invoke)
                })
                .collect();
            status.set_description(operations.join("\n"));
            status
        }
    };
    let mut case = TestCase::new(finding.check.as_str(), status);
    case.set_system_out(finding.summary.as_str());
    case
}

/// Passes if it is conclusive and, where one was expected, the expected one.
fn verdict(view: &VerdictView) -> TestCase {
    let status = match view.expected {
        _ if view.kind == Kind::Inconclusive => error("inconclusive", &view.sentence),
        Some(expected) if expected != view.kind => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status.set_type("not as expected");
            let (kind, expected) = (view.kind.as_str(), expected.as_str());
            status.set_message(format!("{kind}, expected was {expected}: {}", view.sentence));
            status
        }
        _ => TestCaseStatus::success(),
    };
    let mut case = TestCase::new("verdict", status);
    case.set_system_out(format!("{}: {}", view.kind.as_str(), view.sentence));
    case
}

fn error(kind: &str, message: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
    status.set_type(kind);
    status.set_message(message);
    status
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::synthetic;

    #[test]
    fn it_parses_and_counts_what_failed() {
        let written = junit(&synthetic::stale_reads()).unwrap();
        let report = Report::deserialize_from_str(&written).unwrap();
        let suite = &report.test_suites[0];
        assert_eq!((suite.tests, suite.failures, suite.errors), (4, 1, 1));
        let names: Vec<&str> = suite.test_cases.iter().map(|case| case.name.as_str()).collect();
        assert_eq!(names, ["linearizable", "convergent", "available", "verdict"]);
    }

    #[test]
    fn hostile_text_does_not_break_it() {
        let written = junit(&synthetic::hostile()).unwrap();
        assert!(!written.contains("<script>"));
        let report = Report::deserialize_from_str(&written).unwrap();
        assert_eq!(report.test_suites[0].failures, 2);
    }

    #[test]
    fn an_inconclusive_or_unexpected_verdict_never_passes() {
        let mut view = synthetic::consistent().verdict;
        assert!(matches!(verdict(&view).status, TestCaseStatus::Success { .. }));
        view.expected = Some(Kind::AP);
        assert!(matches!(
            verdict(&view).status,
            TestCaseStatus::NonSuccess { kind: NonSuccessKind::Failure, .. }
        ));
        view.kind = Kind::Inconclusive;
        view.expected = Some(Kind::Inconclusive);
        assert!(matches!(
            verdict(&view).status,
            TestCaseStatus::NonSuccess { kind: NonSuccessKind::Error, .. }
        ));
    }
}

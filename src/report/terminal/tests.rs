//! Tests of the summary: what it says, and that it fits.

use super::*;
use crate::report::synthetic;

fn all() -> Vec<RunData> {
    let mut bare = synthetic::consistent();
    bare.findings.clear();
    bare.availability = Default::default();
    vec![
        synthetic::stale_reads(),
        synthetic::lost_writes(),
        synthetic::consistent(),
        synthetic::wordy(),
        synthetic::hostile(),
        bare,
    ]
}

#[test]
fn every_summary_fits_the_terminal() {
    for data in all() {
        let summary = terminal(&data, false);
        assert!(summary.lines().count() <= LINES, "{summary}");
        for line in summary.lines() {
            assert!(text::columns(line) <= COLUMNS, "{line}");
            assert!(!line.chars().any(char::is_control), "{line:?}");
        }
    }
}

#[test]
fn it_says_verdict_checks_table_witness_and_command() {
    let summary = terminal(&synthetic::stale_reads(), false);
    for text in [
        "neither: etcd 3.4.23 with serializable reads behaved neither CP nor AP",
        "✗ linearizable refuted   ✓ convergent valid   ? available unknown",
        "% answered",
        "healthy      cut 1    after 1      cut 2    after 2",
        "n1          write          100          0        100        100        100",
        "Not linearizable: 41 violations, worst on key k3",
        "w(7) on key k3 was acknowledged at n2",
        "results/register-etcd/2026-07-01T14-03-11Z/report.html",
        "splitbrain run register --target etcd --set read=serializable --seed 42",
    ] {
        assert!(summary.contains(text), "{text}\n{summary}");
    }
}

#[test]
fn rows_with_trouble_stay_when_there_is_no_room_for_all() {
    let data = synthetic::stale_reads();
    let lines = availability(&data, 3, &Paint { colours: false });
    assert_eq!(lines.len(), 3, "{lines:#?}");
    let all = availability(&data, 20, &Paint { colours: false });
    assert_eq!(all.len(), 7);
    assert!(lines[1].contains("2 more rows with trouble, in the report"), "{lines:#?}");
    assert!(lines[2].contains("4 other rows without trouble"), "{lines:#?}");
}

#[test]
fn cuts_that_do_not_fit_are_counted() {
    let summary = terminal(&synthetic::wordy(), false);
    assert!(summary.contains("3 periods are in the report only"), "{summary}");
}

#[test]
fn without_colours_there_are_no_escapes_and_with_them_the_same_words() {
    let data = synthetic::stale_reads();
    let coloured = terminal(&data, true);
    assert!(coloured.contains("\u{1b}[31m"));
    let mut plain = String::new();
    for part in coloured.split("\u{1b}[") {
        plain.push_str(part.split_once('m').filter(|(c, _)| c.len() < 3).map_or(part, |p| p.1));
    }
    let plain: Vec<&str> = plain.lines().map(str::trim_end).collect();
    assert_eq!(plain, terminal(&data, false).lines().collect::<Vec<_>>());
}

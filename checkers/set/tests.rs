//! What a set may not do, one rule at a time.

use super::*;
use crate::checker::{Checker, Options};
use crate::finding::Finding;
use crate::history::{Operation, Time, Value};
use crate::notation;

fn run(checker: &Checker, lines: &str) -> Finding {
    checker.run(&notation::history(lines), &Options::default())
}

fn sentence(checker: &Checker, lines: &str) -> String {
    run(checker, lines).validity.witness().map(|w| w.sentence.clone()).unwrap_or_default()
}

#[test]
fn the_final_read_has_all_that_was_acknowledged() {
    let kept = "0 add 0 0..10 \n 0 add 1 20..30 \n 0 add 2 30..40 info \n 0 read -> [1 0 2] 50..60";
    assert!(run(&SET, kept).validity.is_valid());
    let lost = "0 add 0 0..10 \n 0 add 1 20..30 \n 0 read -> [0] 50..60";
    assert_eq!(
        sentence(&SET, lost),
        "1 was added by the add by process 0, acknowledged at 0.000 s, but is missing from the \
         final read by process 0, which began 20 ns later"
    );
    assert_eq!(sentence(&SET, &lost.replace("50..60", "30..60")), "", "concurrent with the add");
    let unexpected = "0 add 0 0..10 \n 0 read -> [0 7] 50..60 \n 0 read -> [0] 70..80";
    assert!(sentence(&SET, unexpected).ends_with("has 7, but no operation ever added it"));
    let failed = "0 add 0 0..10 \n 1 add 7 0..10 fail \n 0 read -> [0 7] 50..60";
    assert!(sentence(&SET, failed).contains("answered as failed"));
    let late = "0 add 0 0..10 \n 0 read -> [0 7] 50..60 \n 1 add 7 70.. \n 1 read -> [0 7] 70..71";
    assert_eq!(run(&SET, late).validity.witness().unwrap().operations.len(), 2);
}

#[test]
fn without_a_final_read_nothing_was_exercised() {
    for lines in [
        "0 add 0 0..10 \n 0 read -> [] 3..20",
        "0 add 0 0..10",
        "0 read -> [] 3..20",
        "0 add 0 0..10 fail \n 0 read -> [] 20..30",
        "0 add 0 0..10 \n 0 read 20..30 info",
        "0 add 0 0..10 \n 0 read -> 3 20..30",
        "0 add 0 0..10 \n 0 pop 20..30",
    ] {
        assert_eq!(run(&SET, lines).validity.rank(), 1, "{lines}");
    }
    let history = notation::history("0 add 0 0..10 \n 1 add 1 0.. \n 0 read -> [0 1] 20..30");
    let operations: Vec<&Operation> = history.operations.iter().collect();
    let details = final_read::inspect(&operations, &Options::default()).unwrap();
    assert_eq!((details.attempted, details.acknowledged, details.recovered), (2, 1, 1));
}

fn fates(lines: &str) -> full::Details {
    let history = notation::history(lines);
    let operations: Vec<&Operation> = history.operations.iter().collect();
    full::inspect(&operations, &Options::default()).unwrap()
}

#[test]
fn each_element_has_its_fate() {
    let details = fates(
        "0 add 1 0..10
         0 add 2 0..10
         0 add 3 0..10
         0 add 4 0..
         1 read -> [1 2]   20..30
         1 read -> [1]     40..50
         1 read -> [1]     60..70
         0 add 5           80..90",
    );
    assert_eq!((details.known, details.stable, details.never_read), (4, 1, 1));
    let lost: Vec<_> = details.lost.iter().map(|l| (&l.element, l.wrong_from, l.reads)).collect();
    assert_eq!(lost, [(&Value::Int(2), Time(40), 2), (&Value::Int(3), Time(20), 3)]);
    assert_eq!(details.lost[0].since, Time(10));
}

#[test]
fn stale_elements_come_back() {
    let lines = "0 add 1 0..10
                 1 read -> []  20..30
                 1 read -> [1] 40..50
                 1 read -> []  60..70
                 1 read -> [1] 80..90";
    let details = fates(lines);
    assert_eq!((details.stale.len(), details.stale[0].reads), (1, 2));
    assert_eq!(details.stale[0].lasted().as_nanos(), 50);
    assert!(run(&SET_FULL, lines).validity.is_valid());
}

#[test]
fn removed_elements_stay_removed() {
    let lines = "0 add 1 0..10 \n 0 remove 1 20..30 \n 1 read -> [1] 40..50";
    let details = fates(lines);
    assert_eq!(details.resurrected.len(), 1);
    assert!(sentence(&SET_FULL, lines).starts_with("1 was removed by the remove by process 0"));
    assert_eq!(sentence(&SET_FULL, &lines.replace("20..30", "20..")), "");
    let gone_in_the_end = format!("{lines} \n 1 read -> [] 60..70");
    assert_eq!(sentence(&SET_FULL, &gone_in_the_end), "");
    assert_eq!(fates(&gone_in_the_end).stale.len(), 1);
    let added_again = format!("{lines} \n 2 add 1 25..45");
    assert_eq!(sentence(&SET_FULL, &added_again), "");
    let lost = "0 add 1 0..10 \n 0 remove 1 20..30 \n 0 add 1 40..50 \n 1 read -> [] 60..70";
    assert!(sentence(&SET_FULL, lost).contains("and no remove of it was between"));
}

#[test]
fn duplicates_and_what_nobody_added() {
    let lines = "0 add 1 0..10 \n 1 read -> [1 1 1] 20..30";
    assert!(sentence(&SET_FULL, lines).ends_with("has 1 twice"));
    let lines = "0 add 1 0..10 \n 1 read -> [1 5] 20..30";
    assert!(sentence(&SET_FULL, lines).ends_with("no operation ever added it"));
}

#[test]
fn what_was_there_from_the_beginning_counts() {
    let options = Options { initial: Value::list([Value::Int(1)]), ..Default::default() };
    let history = notation::history("0 add 2 0..10 \n 1 read -> [2] 20..30");
    for checker in [SET, SET_FULL, LINEARIZABLE_SET] {
        let finding = checker.run(&history, &options);
        let sentence = &finding.validity.witness().unwrap().sentence;
        assert!(sentence.starts_with("1 was there from the beginning"), "{sentence}");
    }
}

#[test]
fn contradictions_of_a_set_that_grows() {
    let says = |lines: &str, part: &str| {
        let sentence = sentence(&LINEARIZABLE_SET, lines);
        assert!(sentence.contains(part), "{sentence}");
    };
    says("0 add 1 0..10 \n 1 read -> [] 20..30", "does not have it");
    says("0 add 1 50.. \n 1 read -> [1] 20..30", "was the first add of 1");
    says(
        "0 add 1 0.. \n 0 add 2 0.. \n 1 read -> [1] 0..9 \n 2 read -> [2] 0..9",
        "nothing is ever removed",
    );
    says("0 add 1 0.. \n 1 read -> [1] 5..9 \n 2 read -> [] 10..12", "does not have it");
    says("0 add 1 0..10 \n 0 add 2 20.. \n 1 read -> [2] 0..90", "has 2 and not 1");
    says("0 add 1 0..10 \n 1 contains 1 -> false 20..30", "did not find 1");
    says("0 contains 1 -> true 20..30", "no operation that did not fail added it");
    says("0 add 1 0..90 \n 1 contains 1 -> true 2..3 \n 2 read -> [] 4..5", "was found by");
}

#[test]
fn elements_that_are_removed_are_searched_one_by_one() {
    let lines = "0 add 1 0..10
                 0 remove 1 20..30
                 0 add 2 40..50
                 0 contains 1 -> true 60..70";
    assert_eq!(
        sentence(&LINEARIZABLE_SET, lines),
        "no order explains what happened to 1: the remove by process 0 (begun at 0.000 s, \
         acknowledged at 0.000 s) and the contains by process 0 that found it there (begun at \
         0.000 s, acknowledged at 0.000 s); 1 other operation on it, effective or not, cannot make \
         up for that"
    );
    assert_eq!(sentence(&LINEARIZABLE_SET, &lines.replace("20..30", "20..")), "");
    let whole = format!("{lines} \n 1 read -> [] 80..90");
    assert_eq!(run(&LINEARIZABLE_SET, &whole).validity.rank(), 2, "left to the general search");
}

#[test]
fn a_search_obeys_its_limits() {
    let mut options = Options::default();
    options.limits.steps = 1;
    let lines = "0 add 1 0..10 \n 0 remove 1 20..30 \n 0 contains 1 -> false 60..70";
    let finding = LINEARIZABLE_SET.run(&notation::history(lines), &options);
    assert!(finding.summary.contains("the step limit was reached"), "{}", finding.summary);
}

//! What a counter may not return, one rule at a time.

use super::*;
use crate::history::Value;
use crate::notation;

fn run(lines: &str) -> crate::finding::Finding {
    COUNTER.run(&notation::history(lines), &Options::default())
}

fn sentence(lines: &str) -> String {
    run(lines).validity.witness().map(|w| w.sentence.clone()).unwrap_or_default()
}

fn details(lines: &str) -> Details {
    let history = notation::history(lines);
    let operations: Vec<&Operation> = history.operations.iter().collect();
    inspect(&operations, &Options::default()).unwrap()
}

#[test]
fn reads_are_within_their_bounds() {
    let lines = |value: i64| {
        format!(
            "0 add 1       0..10
             0 inc        20..30
             1 add 5      25..
             2 read -> {value} 28..40
             3 add 9      50..60"
        )
    };
    for value in [1, 2, 6, 7] {
        assert_eq!(sentence(&lines(value)), "", "{value}");
    }
    assert_eq!(
        sentence(&lines(0)),
        "the read by process 2 that began at 0.000 s and ended at 0.000 s returned 0, but the \
         counter was at least 1 all the time; add(1) by process 0 had been acknowledged before"
    );
    assert!(
        sentence(&lines(10))
            .contains("at most 7 all the time; add(9) by process 3 began only later")
    );
    assert!(sentence(&lines(17)).contains("at most 16 all the time"));
    assert!(sentence(&lines(4)).contains("no sum of the adds"));
    let bounds = details(&lines(4)).reads[0];
    assert_eq!((bounds.least, bounds.greatest, bounds.sum), (1, 7, Sum::Impossible));
}

#[test]
fn deltas_of_both_signs_have_exact_sums() {
    let lines = |value: i64| {
        format!("0 add 10 0..50 \n 1 add -3 0..50 \n 2 decrement 4 0.. \n 3 read -> {value} 20..30")
    };
    for value in [0, 10, -3, -4, -7, 7, 6, 3] {
        assert_eq!(sentence(&lines(value)), "", "{value}");
    }
    for value in [1, 2, 4, 5, 8, 9, -1, -5] {
        assert!(sentence(&lines(value)).contains("whenever they were"), "{value}");
    }
    assert!(sentence(&lines(11)).contains("at most 10"));
    assert!(!details(&lines(0)).is_complete);
}

#[test]
fn an_order_of_adds_within_a_read_is_kept() {
    // The read may come before both, between, or after both, but cannot miss the first only.
    let lines =
        |value: i64| format!("0 add -5 10..20 \n 0 add 3 30..40 \n 1 read -> {value} 0..50");
    assert_eq!(sentence(&lines(-5)), "");
    assert_eq!(sentence(&lines(-2)), "");
    let sentence = sentence(&lines(3));
    assert!(
        sentence.contains("add(-5) by process 0 and add(3) by process 0 went on at the same time"),
        "{sentence}"
    );
}

#[test]
fn reads_do_not_go_back() {
    let lines = "0 add 1 0.. \n 0 add 1 0.. \n 1 read -> 2 5..10 \n 2 read -> 1 20..30";
    assert_eq!(
        sentence(lines),
        "the read by process 1, acknowledged at 0.000 s, returned 2, but the read by process 2 \
         that began at 0.000 s returned 1"
    );
    let lines = "0 add 2 0.. \n 1 read -> 2 5..10 \n 3 add 2 11..12 \n 2 read -> 2 20..30";
    assert!(sentence(lines).contains("returned 2, and after that add(2) by process 3 began"));
    let down = "0 dec 2 0.. \n 1 read -> -2 5..10 \n 3 dec 2 11..12 \n 2 read -> -2 20..30";
    assert!(sentence(down).contains("and after that dec(2) by process 3 began"));
    assert!(details(lines).is_complete);
}

#[test]
fn a_table_that_is_too_large_is_unknown() {
    let mut options = Options::default();
    options.limits.memory_bytes = 10;
    let lines = "0 add 1000 0..50 \n 1 add 3001 0..50 \n 2 read -> 2000 20..30";
    let finding = COUNTER.run(&notation::history(lines), &options);
    assert!(finding.summary.contains("takes a table beyond the limits"), "{}", finding.summary);
    assert!(run(lines).validity.is_invalid());
}

#[test]
fn what_the_counter_began_with_is_added() {
    let options = Options { initial: Value::Int(7), ..Options::default() };
    let lines = "0 add 1 0..10 \n 1 read -> 8 20..30 \n 1 read -> 7 22..30";
    let finding = COUNTER.run(&notation::history(lines), &options);
    assert!(finding.validity.witness().unwrap().sentence.contains("at least 8"));
    assert_eq!(sentence("1 read -> nil 20..30"), "");
}

#[test]
fn what_is_no_counter_is_unknown() {
    for lines in
        ["0 add \"x\" 0..1", "0 add 0..1", "0 read -> \"x\" 0..1", "0 pop 0..1", "0 add 1 0..1"]
    {
        assert_eq!(run(lines).validity.rank(), 1, "{lines}");
    }
}

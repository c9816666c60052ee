use super::*;
use crate::clock::Clock;
use crate::finding::Validity;
use crate::notation;

/// The result on one priority queue.
fn check(lines: &str) -> Validity {
    let history = notation::history(lines);
    let operations: Vec<&Operation> = history.operations.iter().collect();
    check_key(&operations, &Options { clock: Clock::Events, ..Options::default() }).validity
}

fn assert_valid(lines: &str) {
    let validity = check(lines);
    assert!(validity.is_valid(), "{validity:?}");
}

fn refuted(lines: &str) -> (String, usize) {
    let validity = check(lines);
    let witness = validity.witness().unwrap_or_else(|| panic!("{validity:?}"));
    (witness.sentence.clone(), witness.operations.len())
}

#[test]
fn smallest_first() {
    assert_eq!(
        refuted("0 add 3 0..1\n 0 insert 5 0..1\n 1 poll -> 5 2..3\n 1 delete-min -> 3 4..5"),
        (
            "poll -> 5 by process 1 took effect between event 2 and event 3, but a smaller value \
             was inside all the time: add(3) by process 0 ended at event 1 and delete-min -> 3 by \
             process 1 began at event 4"
                .to_owned(),
            3
        )
    );
    assert_valid("0 add 3 0..2\n 0 add 5 0..1\n 1 poll -> 5 2..3\n 1 poll -> 3 4..5");
    assert_valid("0 add 3 0..1\n 0 add 5 0..1\n 1 poll -> 5 2..4\n 1 poll -> 3 4..5");
    assert_valid("0 add 5 0..1\n 0 add 3 0..1\n 1 poll -> 3 2..3\n 1 poll -> 5 4..5");
}

#[test]
fn a_value_that_came_late_can_only_have_gone_later() {
    let lines = "0 add 3 4..5\n 1 add 5 6..8\n 2 poll -> 5 0..9\n 2 poll -> 3 10..11";
    let (sentence, operations) = refuted(lines);
    assert!(
        sentence.starts_with(
            "poll -> 5 by process 2 took effect between event 6 (when add(5) by process 1 began) \
             and event 9, but"
        ),
        "{sentence}"
    );
    assert_eq!(operations, 4);
    assert_valid(&lines.replace("6..8", "5..8"));
}

#[test]
fn polls_without_an_answer_excuse_one_value_each() {
    let lines = "0 add 1 0..1\n 0 add 2 0..1\n 0 add 3 0..1\n 1 poll 2..\n 2 poll -> 3 3..4";
    assert!(refuted(lines).1 >= 3);
    assert_valid(&format!("{lines}\n 3 poll 4.."));
    assert_valid("0 add 1 0..1\n 1 poll 2..\n 2 poll -> nil 3..4");
}

#[test]
fn values_are_integers() {
    let Validity::Unknown { reason } = check("0 add \"a\" 0..1") else { panic!() };
    assert_eq!(reason, "operation 0 is add of a; a priority queue takes integers");
}

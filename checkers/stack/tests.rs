use super::*;
use crate::clock::Clock;
use crate::finding::Validity;
use crate::notation;

/// The result on one stack.
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
fn last_in_first_out() {
    assert_eq!(
        refuted("0 push 1 0..1\n 0 push 2 2..3\n 1 pop -> 1 4..5\n 1 pop -> 2 6..7"),
        (
            "of the values 1 and 2 some were on the stack at every instant from event 1, when \
             push(1) by process 0 ended, to event 6, when pop -> 2 by process 1 began, so one of \
             them lay at the bottom all that time; but push(2) by process 0 began at event 2, too \
             late for that, and pop -> 1 by process 1 ended at event 5, too early"
                .to_owned(),
            4
        )
    );
    assert_valid("0 push 1 0..2\n 0 push 2 2..3\n 1 pop -> 1 4..5\n 1 pop -> 2 6..7");
    assert_valid("0 push 1 0..1\n 0 push 2 2..3\n 1 pop -> 1 4..6\n 1 pop -> 2 6..7");
    let (_, operations) = refuted("0 push 1 0..1\n 0 push 2 2..3\n 1 pop -> 1 4..5");
    assert_eq!(operations, 3);
}

/// No two of the three are in each other's way, but one of them has to lie at the bottom.
#[test]
fn three_values_none_of_which_can_lie_at_the_bottom() {
    let three = "
        0 push 1     0..1
        1 push 2     0..5
        2 push 3     3..15
        3 pop -> 1  10..12
        4 pop -> 2  20..25
        5 pop -> 3  30..31";
    assert_eq!(
        refuted(three),
        (
            "of the values 1, 2 and 3 some were on the stack at every instant from event 1, when \
             push(1) by process 0 ended, to event 30, when pop -> 3 by process 5 began, so one of \
             them lay at the bottom all that time; but push(3) by process 2 began at event 3, too \
             late for that, and pop -> 1 by process 3 ended at event 12 and pop -> 2 by process 4 \
             ended at event 25, too early"
                .to_owned(),
            6
        )
    );
    assert_valid(&three.replace("10..12", "10..30"));
    assert_valid(&three.replace("20..25", "20..30"));
    assert_valid(&three.replace("3..15", "1..15"));
}

#[test]
fn pops_without_an_answer_take_what_is_on_top() {
    // The first takes 3, then 2 is popped, then the other one takes 1.
    let lines = "
        0 push 0     0..1
        0 push 1     2..3
        0 push 2     4..5
        0 push 3     6..7
        1 pop        8..
        2 pop -> 2   9..10
        3 pop       11..
        4 pop -> 0  12..13";
    assert_valid(lines);
    let (_, operations) = refuted(&lines.replace("11..", "14.."));
    assert!(operations >= 4);
}

#[test]
fn empty_needs_an_instant_with_nothing_inside() {
    let (sentence, operations) = refuted("0 push 1 0..1\n 1 pop -> nil 2..3");
    assert!(
        sentence.ends_with("push(1) by process 0 ended at event 1 and its value was never popped"),
        "{sentence}"
    );
    assert_eq!(operations, 2);
    assert_valid("0 push 1 0..1\n 1 pop -> nil 2..3\n 2 pop 3..");
}

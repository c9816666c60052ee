use super::*;
use crate::notation;

/// The result on one queue.
fn check(lines: &str) -> KeyResult {
    let history = notation::history(lines);
    let operations: Vec<&Operation> = history.operations.iter().collect();
    let options = Options { clock: crate::clock::Clock::Events, ..Options::default() };
    check_key(&operations, &options)
}

fn assert_valid(lines: &str) {
    let result = check(lines);
    assert!(result.validity.is_valid(), "{result:?}");
}

fn refuted(lines: &str) -> (String, usize) {
    let result = check(lines);
    let witness = result.validity.witness().unwrap_or_else(|| panic!("{result:?}"));
    (witness.sentence.clone(), witness.operations.len())
}

fn reason(lines: &str) -> String {
    match check(lines).validity {
        Validity::Unknown { reason } => reason,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_came_from_nowhere_or_twice() {
    assert_eq!(
        refuted("0 dequeue -> 7 1..2"),
        ("dequeue -> 7 by process 0 ended at event 2, but 7 was never enqueued".to_owned(), 1)
    );
    assert_eq!(
        refuted("1 enqueue 7 0..1 fail\n 0 dequeue -> 7 1..2").0,
        "dequeue -> 7 by process 0 ended at event 2, but enqueue(7) by process 1 failed"
    );
    assert_eq!(
        refuted("1 enqueue 7 0..1\n 0 dequeue -> 7 1..2\n 2 dequeue -> 7 3..4"),
        (
            "7 was enqueued once at most, but dequeued twice: by dequeue -> 7 by process 0 \
             (ended at event 2) and by dequeue -> 7 by process 2 (ended at event 4)"
                .to_owned(),
            2
        )
    );
    assert_eq!(
        refuted("0 dequeue -> 7 1..2\n 1 enqueue 7 5.."),
        (
            "dequeue -> 7 by process 0 ended at event 2; 3 events later, enqueue(7) by process 1 \
             began, and nothing else put that value in"
                .to_owned(),
            2
        )
    );
    assert_valid("0 dequeue -> 7 1..2\n 1 enqueue 7 2..");
}

#[test]
fn first_in_first_out() {
    assert_eq!(
        refuted(
            "0 enqueue 1 0..1
             0 enqueue 2 2..3
             1 dequeue -> 2 4..5
             1 dequeue -> 1 6..7"
        ),
        (
            "enqueue(1) by process 0 ended at event 1, before enqueue(2) by process 0 began at \
             event 2; yet dequeue -> 2 by process 1 ended at event 5, 1 event before dequeue -> 1 \
             by process 1 began"
                .to_owned(),
            4
        )
    );
    assert_valid("0 enqueue 1 0..2\n 0 enqueue 2 2..3\n 1 dequeue -> 2 4..5\n 1 dequeue -> 1 6..7");
    assert_valid("0 enqueue 1 0..1\n 0 enqueue 2 2..3\n 1 dequeue -> 2 4..6\n 1 dequeue -> 1 6..7");
    // Nobody knows when an enqueue without an answer took effect, but it was before its dequeue.
    assert_valid("0 enqueue 1 0..\n 1 enqueue 2 2..3\n 1 dequeue -> 2 4..5\n 1 dequeue -> 1 6..7");
    let (sentence, operations) =
        refuted("0 enqueue 1 0..1\n 0 enqueue 2 2..3\n 1 dequeue -> 2 4..5");
    assert!(sentence.ends_with("ended at event 5, and 1 was never dequeued"), "{sentence}");
    assert_eq!(operations, 3);
}

#[test]
fn a_dequeue_without_an_answer_excuses_one_value_at_most() {
    let two = "0 enqueue 1 0..1\n 0 enqueue 2 2..3\n 0 enqueue 3 4..5\n 1 dequeue -> 3 6..9\n";
    let (sentence, operations) = refuted(&format!("{two} 2 dequeue 0.."));
    assert!(
        sentence.ends_with(
            "no answer ever returned any of those 2 values; a dequeue without an answer takes one \
             value at most, and only 1 had begun in time"
        ),
        "{sentence}"
    );
    assert_eq!(operations, 4);
    assert_valid(&format!("{two} 2 dequeue 0..\n 3 dequeue 9.."));
    refuted(&format!("{two} 2 dequeue 0..\n 3 dequeue 10.."));
}

#[test]
fn empty_needs_an_instant_with_nothing_inside() {
    assert_eq!(
        refuted("0 enqueue 1 0..1\n 1 dequeue -> nil 2..3\n 0 dequeue -> 1 4..5"),
        (
            "dequeue -> nil by process 1 (from event 2 to event 3) found the queue empty, but one \
             value was there all the time: enqueue(1) by process 0 ended at event 1 and dequeue \
             -> 1 by process 0 began at event 4"
                .to_owned(),
            3
        )
    );
    assert_valid("0 enqueue 1 0..2\n 1 dequeue -> nil 2..3\n 0 dequeue -> 1 4..5");
    assert_valid("0 enqueue 1 0..1\n 1 dequeue -> nil 2..4\n 0 dequeue -> 1 4..5");
    let (sentence, operations) = refuted(
        "0 enqueue 1 0..1
         1 dequeue -> nil 2..9
         2 enqueue 2 3..4
         0 dequeue -> 1 5..6
         3 dequeue 10..",
    );
    assert!(sentence.ends_with("ended at event 4 and its value was never dequeued"), "{sentence}");
    assert_eq!(operations, 4);
    assert_valid("0 enqueue 1 0..1\n 1 dequeue -> nil 2..9\n 3 dequeue 9..");
}

#[test]
fn histories_that_say_nothing() {
    let repeated = reason("0 enqueue 1 0..1\n 1 enqueue 1 2..3\n 1 dequeue -> 1 4..5");
    assert!(repeated.starts_with("enqueue(1) by process 1 put a value in"), "{repeated}");
    assert_eq!(reason("0 push 1 0..1"), "operation 0 is `push`; a queue has enqueue and dequeue");
    assert!(reason("0 enqueue nil 0..1").contains("any value but nil"));
    assert!(reason("0 enqueue 1 5..1").contains("ends before it begins"));
    refuted("0 enqueue 1 0..1\n 1 enqueue 1 2..3\n 1 dequeue -> 2 4..5");
}

/// The finding of a queue that promises no order.
fn total(lines: &str) -> crate::finding::Finding {
    let options = Options { clock: crate::clock::Clock::Events, ..Options::default() };
    total::TOTAL_QUEUE.run(&notation::history(lines), &options)
}

fn total_sentence(lines: &str) -> String {
    let finding = total(lines);
    finding.validity.witness().unwrap_or_else(|| panic!("{finding:?}")).sentence.clone()
}

#[test]
fn a_total_queue_may_reorder_but_not_lose() {
    let finding = total(
        "0 enqueue@x 1 0..1
         0 enqueue@x 2 2..3
         1 dequeue@x -> 2 4..5
         1 dequeue@x -> 1 6..7
         0 enqueue@y 5 8..
         1 drain@y -> [5] 9..10",
    );
    assert!(finding.validity.is_valid(), "{finding:?}");
    assert_eq!(
        finding.summary,
        "6 operations on 2 keys: total-queue; 2 acknowledged, 3 dequeued (1 recovered), 0 lost, \
         0 duplicated, 0 unexpected, 0 remaining"
    );
    let lost = "0 enqueue 1 0..1\n 0 enqueue 2 2..3\n 1 dequeue -> nil 4..9\n";
    assert_eq!(
        total_sentence(lost),
        "enqueue(1) by process 0 was acknowledged by event 1 and never dequeued, yet dequeue -> \
         nil by process 1 found the queue empty and had begun only at event 4"
    );
    assert_eq!(total(lost).violations, 2);
    let excused = format!("{lost} 2 dequeue 8..");
    assert_eq!(
        total_sentence(&excused),
        "enqueue(1) by process 0 and enqueue(2) by process 0 were acknowledged by event 3 and \
         never dequeued, yet dequeue -> nil by process 1 found the queue empty and had begun only \
         at event 4; a dequeue without an answer takes one value at most, and only 1 had begun by \
         its end"
    );
    assert_eq!(total(&excused).validity.rank(), 2);
    assert_eq!(total(&format!("{lost} 2 drain 8..")).validity.rank(), 1);
    assert_eq!(total(&format!("{excused}\n 3 dequeue 9..")).validity.rank(), 1);
}

#[test]
fn a_total_queue_may_not_double_or_invent() {
    let twice = "0 enqueue 1 0..1\n 1 enqueue 1 0..1\n 0 drain -> [1 1] 2..3\n";
    assert!(total(twice).validity.is_valid());
    let sentence = total_sentence(&format!("{twice} 0 dequeue -> 1 4..5"));
    assert!(
        sentence.starts_with("one value was enqueued 2 times at most, but dequeued 3 times: by"),
        "{sentence}"
    );
    assert_eq!(
        total_sentence("0 enqueue 1 0..1 fail\n 0 dequeue -> 1 4..5"),
        "dequeue -> 1 by process 0 ended at event 5, but enqueue(1) by process 0 failed"
    );
    let remaining = total("0 enqueue 1 0..1\n 0 enqueue 2 0..1\n 0 dequeue -> 1 4..5");
    assert!(
        remaining.summary.contains("1 acknowledged value was never dequeued"),
        "{}",
        remaining.summary
    );
    assert_eq!(total("0 drain -> 7 0..1").validity.rank(), 1);
    assert_eq!(total("0 pop -> 7 0..1").validity.rank(), 1);
}

//! Odd histories, borders between sessions, and what the sentences say.

use super::{Model, Standing, ladder};
use crate::finding::{Finding, Validity};
use crate::notation;
use crate::registry;

fn check(model: &str, lines: &str) -> Finding {
    registry::find(model).unwrap().run(&notation::history(lines), &Default::default())
}

fn reason(model: &str, lines: &str) -> String {
    match check(model, lines).validity {
        Validity::Unknown { reason } => reason,
        other => panic!("{model} should not know: {other:?}"),
    }
}

fn sentence(model: &str, lines: &str) -> String {
    check(model, lines).validity.witness().expect("refuted").sentence.clone()
}

#[test]
fn the_ladder_shows_the_witness_of_the_weakest_model() {
    // Process 2 goes to and fro: monotonic reads are refuted, and all that implies them.
    let back = "0 write 1      0..10
                0 write 2     20..30
                2 read -> 2   40..50
                2 read -> 1   60..70
                2 read -> 2   80..90";
    let finding = check("ladder", back);
    let witness = finding.validity.witness().unwrap();
    assert_eq!(*witness, *check("monotonic-reads", back).validity.witness().unwrap());
    assert_eq!(
        finding.summary,
        "5 operations: refuted: linearizable, sequential, causal-memory, pram and monotonic-reads; \
         not refuted: monotonic-writes; not exercised: writes-follow-reads, read-your-writes and \
         eventual"
    );
    let agreed = "0 write 1 0..10
                  1 read -> 1 20..30";
    assert!(check("ladder", agreed).validity.is_valid());
    assert!(reason("ladder", "0 write 1 0..10").starts_with("not exercised"));
}

#[test]
fn what_is_no_register_is_refused_with_a_reason() {
    let odd = [
        ("0 enqueue 1 0..1", "operation 0 is `enqueue`"),
        ("0 cas 1 0..1", "operation 0 is a cas of 1"),
        ("0 txn 1 0..1", "operation 0 is a transaction of 1"),
        ("0 txn [[\"append\" \"x\" 1]] 0..1", "operation 0 has the step [append x 1]"),
        ("0 txn [[\"r\" \"x\"]] 0..1", "operation 0 has the step [r x]"),
    ];
    for (line, expected) in odd {
        for model in Model::ALL.iter().filter(|model| **model != Model::Linearizable) {
            let reason = reason(model.name(), line);
            assert!(reason.starts_with(expected), "{}: {reason}", model.name());
        }
    }
}

#[test]
fn a_process_does_one_thing_at_a_time() {
    let lines = "0 write 1   0..10
                 0 read -> 1 5..20";
    assert!(reason("pram", lines).contains("process 0 had two operations in flight"));
}

#[test]
fn what_failed_or_was_not_answered_says_nothing() {
    let lines = "0 read -> 7   0..1 fail
                 0 read        2..3 info
                 0 write 1     4..5 fail
                 0 cas [8 9]   6..7 fail";
    assert!(reason("sequential", lines).starts_with("not exercised"));
}

#[test]
fn a_read_of_what_failed_is_a_read_of_nothing() {
    let lines = "0 write@x 1   0..1 fail
                 1 read@x -> 1 2..3";
    for model in ["sequential", "causal-memory", "causal-convergence", "causal", "pram"] {
        assert_eq!(
            sentence(model, lines),
            "process 1 read x=1 (0.000 s): process 1 read x=1, which nobody wrote"
        );
    }
}

#[test]
fn a_session_ends_with_an_operation_that_was_not_answered() {
    // Were it one session, the read would miss what it had written.
    let lines = "0 write@x 1     0..1 info
                 0 read@x -> nil 2..3
                 0 read@x -> 1   4..5";
    assert!(check("read-your-writes", lines).validity.rank() == 1, "not exercised");
    assert!(check("sequential", lines).validity.is_valid());
    let answered = "0 write@x 1     0..1
                    0 read@x -> nil 2..3";
    assert!(check("read-your-writes", answered).validity.is_invalid());
}

#[test]
fn an_unanswered_cas_that_was_seen_had_read_what_it_expected() {
    let lines = "0 write@x 1     0..1
                 0 write@y 2     2..3
                 1 cas@y [2 3]   4..
                 2 read@y -> 3   5..6
                 2 read@x -> nil 7..8";
    assert!(check("causal", lines).validity.is_invalid());
    assert!(check("pram", lines).validity.is_valid());
}

#[test]
fn repeated_values_leave_it_open_unless_something_else_decides() {
    let open = "0 write@x 1   0..1
                1 write@x 1   0..1
                2 read@x -> 1 2..3";
    assert!(reason("causal", open).contains("more than one write may have left it"));
    assert!(check("sequential", open).validity.is_valid(), "it is linearizable");
    let refuted = "0 write@x 1     0..1
                   1 write@x 1     0..1
                   2 read@x -> 1   2..3
                   3 write@y 1     0..1
                   3 read@y -> nil 2..3";
    assert!(check("causal", refuted).validity.is_invalid());
}

#[test]
fn operations_that_touch_are_in_session_order_all_the_same() {
    let lines = "0 write 1     0..10
                 0 read -> nil 10..20";
    assert!(check("sequential", lines).validity.is_invalid());
    let ladder = ladder(&notation::history(lines), &Default::default());
    assert_eq!(ladder.step(Model::Linearizable).standing, Standing::Refuted);
    let touching = "0 write 1   0..10
                    0 read -> 1 10..20";
    assert!(check("sequential", touching).validity.is_valid());
}

#[test]
fn transactions_are_atomic() {
    let fractured = "0 txn [[\"w\" \"x\" 1] [\"w\" \"y\" 1]] 0..1
                     1 txn [[\"r\" \"x\" 1] [\"r\" \"y\" nil]] 2..3";
    let own = "0 txn [[\"w\" \"x\" 1] [\"r\" \"x\" nil]] 0..1";
    let between = "0 txn [[\"w\" \"x\" 1] [\"w\" \"x\" 2]] 0..1
                   1 txn [[\"r\" \"x\" 1]]              2..3";
    let future = "0 txn [[\"r\" \"x\" 1] [\"w\" \"x\" 1]] 0..1";
    for model in ["sequential", "causal-memory", "causal-convergence", "causal", "pram"] {
        for lines in [fractured, own, between, future] {
            assert!(check(model, lines).validity.is_invalid(), "{model}: {lines}");
        }
    }
    assert_eq!(
        sentence("causal", between),
        "process 0 wrote x=1 and wrote x=2 (0.000 s); process 1 read x=1 (0.000 s): process 1 \
         read x=1, which its writer overwrote in the same transaction"
    );
}

#[test]
fn sentences_can_be_checked_by_hand() {
    let question = "0 write@x 1      0..1000000
                    1 read@x -> 1    2000000..3000000
                    1 write@y 2      4000000..5000000
                    2 read@y -> 2    6000000..7000000
                    2 read@x -> nil  8000000..9000000";
    assert_eq!(
        sentence("causal", question),
        "process 1 read x=1 (0.002 s), then wrote y=2 (0.004 s); process 2 read y=2 (0.006 s), \
         then read x=nil (0.008 s): process 2 read x=nil although x=1 had come before, and the \
         causes of that read do not explain it"
    );
    let orders = "0 write@x 1    0..1
                  1 write@x 2    0..1
                  2 read@x -> 1  2..3
                  2 read@x -> 2  4..5
                  3 read@x -> 2  2..3
                  3 read@x -> 1  4..5";
    let told = sentence("causal-convergence", orders);
    assert!(told.ends_with("and no one order of the writes explains what was read"), "{told}");
    let missed = sentence("writes-follow-reads", question);
    assert!(missed.ends_with("then missed what its writer had read before"), "{missed}");
}

#[test]
fn sessions_that_disagree_contradict_themselves_no_more_than_before() {
    let orders = "0 write@x 1    0..1
                  1 write@x 2    0..1
                  2 read@x -> 1  2..3
                  2 read@x -> 2  4..5
                  3 read@x -> 2  2..3
                  3 read@x -> 1  4..5";
    let finding = check("monotonic-reads", orders);
    assert!(finding.validity.is_valid());
    assert!(finding.summary.contains("do not agree on one order of versions"), "{finding:?}");
}

#[test]
fn the_ladder_goes_through_json() {
    let lines = "0 write@x 1     0..1
                 0 read@x -> nil 2..3";
    let ladder = ladder(&notation::history(lines), &Default::default());
    let json = serde_json::to_string(&ladder).unwrap();
    assert!(json.contains(r#""model":"causal-memory","standing":"refuted""#), "{json}");
    assert_eq!(serde_json::from_str::<super::Ladder>(&json).unwrap(), ladder);
}

#[test]
fn a_spent_limit_is_unknown() {
    let options = crate::checker::Options {
        limits: crate::limits::Limits { steps: 1, ..Default::default() },
        ..Default::default()
    };
    // Sequential, and not linearizable: the short cut does not help.
    let lines = "0 write@x 1      0..1
                 0 write@y 2      2..3
                 1 read@y -> nil  4..5
                 1 read@x -> nil  6..7";
    let history = notation::history(lines);
    let finding = registry::find("sequential").unwrap().run(&history, &options);
    assert_eq!(finding.validity, Validity::Unknown { reason: "the step limit was reached".into() });
}

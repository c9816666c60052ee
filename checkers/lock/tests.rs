//! What a lock may not do, one rule at a time.

use super::*;
use crate::notation;

fn sentence(lines: &str) -> String {
    let finding = LOCK.run(&notation::history(lines), &Default::default());
    finding.validity.witness().map(|w| w.sentence.clone()).unwrap_or_default()
}

#[test]
fn two_holders_are_said_with_what_is_needed() {
    let lines = "0 acquire 0..10 \n 1 acquire 15..18 \n 0 release 20..30 \n 1 release 25..40";
    let finding = LOCK.run(&notation::history(lines), &Default::default());
    let witness = finding.validity.witness().unwrap();
    assert_eq!(
        witness.sentence,
        "the acquire by process 0, acknowledged at 0.000 s and not released before 0.000 s, and \
         the acquire by process 1, acknowledged at 0.000 s and not released before 0.000 s, both \
         held the lock"
    );
    assert_eq!(witness.operations.len(), 3, "when the second was released does not matter");
    assert!(sentence("0 acquire 0..10 \n 1 acquire 5..20").contains("never released"));
}

#[test]
fn touching_and_unanswered_are_no_proof() {
    assert_eq!(sentence("0 acquire 0..10 \n 1 acquire 5..20 \n 0 release 20..30"), "");
    assert_eq!(sentence("0 acquire 0.. \n 1 acquire 5..20"), "");
    assert_eq!(sentence("0 acquire 0..10 \n 0 release 12.. \n 1 acquire 15..20"), "");
    assert!(!sentence("0 acquire 0..10 \n 0 release 12..14 fail \n 1 acquire 15..20").is_empty());
}

#[test]
fn a_process_releases_what_it_holds_and_acquires_what_it_does_not() {
    assert_eq!(
        sentence("3 release 0..10"),
        "the release by process 3 was acknowledged at 0.000 s, but its process had never acquired \
         the lock"
    );
    let lines = "0 acquire 0..1 \n 0 release 2..3 \n 0 release 4..5";
    assert!(sentence(lines).contains("had released the lock before"));
    let lines = "0 acquire 0..1 \n 0 acquire 2..3 \n 0 release 4..5";
    assert!(sentence(lines).ends_with("without a release in between"));
}

#[test]
fn fencing_tokens_grow() {
    let lines = |second: &str| {
        format!("0 acquire -> 5 0..10 \n 0 release 20..30 \n 1 acquire -> {second} 40..50")
    };
    assert_eq!(sentence(&lines("6")), "");
    assert!(sentence(&lines("4")).contains("which began only at"));
    assert!(sentence(&lines("5")).contains("both returned the fencing token 5"));
    // The acquires overlap, but only one order of the tenures is possible.
    let lines =
        "0 acquire -> 5 0..10 \n 0 release 11..12 \n 1 acquire -> 4 5..13 \n 1 release 20..30";
    assert!(sentence(lines).contains("which was not released before"));
}

#[test]
fn what_is_no_lock_is_unknown() {
    for lines in ["0 lock 0..1", "0 acquire 0.. \n 0 release 4..5", "0 acquire 0..1"] {
        let finding = LOCK.run(&notation::history(lines), &Default::default());
        assert_eq!(finding.validity.rank(), 1, "{lines}");
    }
}

#[test]
fn details_count_what_was_found() {
    let history = notation::history(
        "0 acquire 0..10
         1 acquire 5..20
         2 release 7..9
         3 acquire 30..40 fail",
    );
    let operations: Vec<&Operation> = history.operations.iter().collect();
    let details = inspect(&operations).unwrap();
    let expected = Details { tenures: 2, overlaps: 1, released_unheld: 1, ..Details::default() };
    assert_eq!(details, expected);
}

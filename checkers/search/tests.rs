//! What a search says, in a few histories small enough to be checked by hand.

use super::{by_key, check_history};
use crate::checker::{Checker, Options, Scope};
use crate::finding::Validity;
use crate::history::Value;
use crate::model;
use crate::notation;
use crate::registry;

/// The search of that name, whatever faster check the registry has.
fn by_search(name: &str) -> Checker {
    let about = "by search";
    match name {
        "mutex" => by_key::<model::Mutex>("mutex", about),
        "unique-ids" => Checker {
            scope: Scope::Whole(check_history::<model::UniqueIds>),
            ..by_key::<model::UniqueIds>("unique-ids", about)
        },
        "linearizable-set" => by_key::<model::Set>("linearizable-set", about),
        "fifo-queue" => by_key::<model::FifoQueue>("fifo-queue", about),
        "stack" => by_key::<model::Stack>("stack", about),
        "priority-queue" => by_key::<model::PriorityQueue>("priority-queue", about),
        registered => *registry::find(registered).unwrap(),
    }
}

fn run(checker: &str, lines: &str) -> Validity {
    by_search(checker).run(&notation::history(lines), &Options::default()).validity
}

fn sentence(checker: &str, lines: &str) -> String {
    match run(checker, lines) {
        Validity::Invalid { witness } => witness.sentence,
        other => panic!("{other:?}"),
    }
}

fn reason(checker: &str, lines: &str) -> String {
    match run(checker, lines) {
        Validity::Unknown { reason } => reason,
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_checker_has_a_valid_and_an_invalid_history() {
    for (checker, valid, invalid) in [
        (
            "mutex",
            "1 acquire  0..20
             1 release 30..40
             2 acquire 10..50",
            "1 acquire 0..20
             2 acquire 10..30
             1 release 40..50",
        ),
        (
            "reentrant-mutex",
            "1 acquire 0..1
             1 acquire 2..3
             1 release 4..5
             1 release 6..7
             2 acquire 8..9",
            "1 acquire 0..1
             1 release 2..3
             1 release 4..5",
        ),
        (
            "semaphore",
            "1 acquire 0..1
             2 release 2..3",
            "1 acquire 0..1
             2 acquire 0..1
             2 release 3..4",
        ),
        (
            "multi-register",
            "1 txn [[\"w\" \"x\" 1] [\"w\" \"y\" 1]] 0..10
             2 txn [[\"r\" \"x\" 1] [\"r\" \"y\" 1]] 5..6",
            "1 txn [[\"w\" \"x\" 1] [\"w\" \"y\" 1]] 0..10
             2 txn [[\"r\" \"x\" 1] [\"r\" \"y\" nil]] 5..6",
        ),
        (
            "append-string",
            "1 append@k \"a\" 0..10
             2 append@k \"b\" 0..10
             1 get@k -> \"ba\" 11..12",
            "1 append@k \"a\" 0..10
             2 append@k \"b\" 11..20
             1 get@k -> \"ba\" 21..22",
        ),
        (
            "unique-ids",
            "1 generate -> 1 0..1
             1 generate -> 2 0..1",
            "1 generate@a -> 1 0..1
             1 generate@b -> 1 0..1",
        ),
        (
            "linearizable-set",
            "1 add 1 0..10
             2 read -> [] 0..1
             2 contains 1 -> true 5..6",
            "1 add 1 0..10
             2 contains 1 -> true 3..4
             2 read -> [] 5..6",
        ),
        (
            "linearizable-counter",
            "1 add 2 0..10
             1 dec 1 0..10
             2 read -> 1 5..20",
            "1 add 2 0..10
             1 dec 1 11..12
             2 read -> -1 5..20",
        ),
        (
            "fifo-queue",
            "1 enqueue 1 0..10
             2 enqueue 2 5..6
             1 dequeue -> 2 11..12",
            "1 enqueue 1 0..4
             2 enqueue 2 5..6
             1 dequeue -> 2 11..12
             1 dequeue -> 1 13..14",
        ),
        (
            "stack",
            "1 push 1 0..4
             2 push 2 5..6
             1 pop -> 2 11..12",
            "1 push 1 0..4
             2 push 2 5..6
             1 pop -> 1 11..12
             1 pop -> 2 13..14",
        ),
        (
            "priority-queue",
            "1 insert 2 0..4
             2 insert 1 5..20
             1 delete-min -> 2 11..12",
            "1 insert 2 0..4
             2 insert 1 5..6
             1 delete-min -> 2 11..12
             1 delete-min -> 1 13..14",
        ),
    ] {
        assert!(run(checker, valid).is_valid(), "{checker}: {:?}", run(checker, valid));
        assert!(run(checker, invalid).is_invalid(), "{checker}: {:?}", run(checker, invalid));
    }
}

#[test]
fn a_sentence_can_be_checked_by_hand() {
    let lines = "1 acquire  0..10
                 3 acquire 12..15 fail
                 2 acquire 20..30
                 1 release 40..50
                 2 release 60..70";
    assert_eq!(
        sentence("mutex", lines),
        "No order of 2 operations is one that a mutex allows: acquire by process 1 (0.000 s to \
         0.000 s) and acquire by process 2 (0.000 s to 0.000 s); until acquire by process 2 \
         completed, the object was held by process 1, which does not allow it; nothing else had \
         begun by then."
    );
}

#[test]
fn what_is_not_known_is_said() {
    let broken = "1 acquire 20..10";
    assert!(reason("mutex", broken).contains("its clock cannot be trusted"));
    assert!(reason("mutex", "1 lock 1 0..1").contains("a mutex has acquire and release"));
    assert!(reason("mutex", "1 acquire 0..1 fail").starts_with("not exercised"));
    let options = Options { initial: Value::from("open"), ..Options::default() };
    let history = notation::history("1 acquire 0..1");
    let finding = by_search("mutex").run(&history, &options);
    assert_eq!(finding.validity.rank(), 1, "{finding:?}");
}

/// A failed acquire says nothing, and an acquire that may have been granted need not have been.
#[test]
fn what_may_not_have_happened_proves_nothing() {
    let lines = "1 acquire  0..10 info
                 2 acquire 20..30
                 3 acquire 40..50 fail
                 2 release 60..70";
    assert!(run("mutex", lines).is_valid());
    // But a release that may have happened may be just what was needed.
    let lines = "1 acquire  0..10
                 1 release 12..15 info
                 2 acquire 20..30";
    assert!(run("mutex", lines).is_valid());
    let too_late = "1 acquire  0..10
                    2 acquire 20..30
                    1 release 32..35 info";
    assert!(run("mutex", too_late).is_invalid());
}

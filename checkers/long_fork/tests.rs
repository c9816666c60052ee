//! Forks, and what only looks like one.

use super::*;
use crate::notation;

fn finding(lines: &str) -> Finding {
    LONG_FORK.run(&notation::history(lines), &Default::default())
}

#[test]
fn a_fork_is_said_with_both_reads() {
    let finding = finding(
        "0 read [[r 0 nil] [r 1 nil] [r 2 nil]] -> [[r 0 1] [r 1 1] [r 2 nil]] 0..10
         0 read [[r 2 nil] [r 0 nil] [r 1 nil]] -> [[r 2 1] [r 0 1] [r 1 nil]] 20..30",
    );
    let witness = finding.validity.witness().unwrap();
    assert_eq!(
        witness.sentence,
        "the read by process 0 that returned at 0.000 s saw the write of 1 and not that of 2, but \
         the read by process 0 that returned at 0.000 s saw the write of 2 and not that of 1"
    );
    assert_eq!(
        finding.summary,
        "2 reads of 1 group of keys, 2 of them in between: a long fork in 1 group"
    );
}

#[test]
fn groups_that_share_two_keys_fork_as_well() {
    let lines = "0 txn -> [[r a nil] [r b 1] [r c nil]] 0..10
                 1 txn -> [[r a 1] [r b nil] [r d 1]]   0..10";
    assert!(finding(lines).validity.is_invalid());
}

#[test]
fn transactions_that_write_or_were_not_acknowledged_say_nothing() {
    let lines = "0 txn  -> [[r a nil] [r b 1]]         0..10
                 1 txn  -> [[r b nil] [r a 1]]         0..10 info
                 2 txn  -> [[r b nil] [w a 1]]         0..10
                 3 read -> [[r a 1] [r b 1]]           0..10";
    let finding = finding(lines);
    assert_eq!(finding.summary, "2 reads of 1 group of keys, 1 of them in between: no long fork");
}

#[test]
fn keys_written_twice_and_odd_shapes_are_unknown() {
    for lines in [
        "0 write [[w a 1]] 0..10 \n 0 write [[w a 2]] 20..30",
        "0 read -> [[r a 1] [r b nil]] 0..10 \n 0 read -> [[r a 2] [r b nil]] 20..30",
        "0 read -> [[r a]] 0..10",
        "0 read -> 5 0..10",
        "0 read -> [[r a 1] [r a nil]] 0..10",
        "0 append [[append a 1]] 0..10",
        "0 read -> [[r a 1] [r b nil]] 0..10",
    ] {
        assert_eq!(finding(lines).validity.rank(), 1, "{lines}");
    }
}

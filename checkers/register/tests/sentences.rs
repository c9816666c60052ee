//! Each kind of violation: the witness, and the sentence that explains it.

use super::*;
use crate::finding::{Arrow, Relation};

#[test]
fn stale_read() {
    let witness = refuted(vec![
        at("n3", write(5, 100, 200)),
        at("n2", write(7, 300, 3102)),
        at("n1", read(5, 4502, 4600)),
        read(7, 4700, 4800),
        write(9, 5000, 5100),
    ]);
    assert_eq!(
        witness.sentence,
        "w(7) was acknowledged at n2 at 3.102 s; 1.400 s later, r -> 5 at n1 still returned a \
         value that had been overwritten before it began: w(5) at n3 wrote 5 by 0.200 s, before \
         w(7) began"
    );
    assert_eq!(shown(&witness), ["w(5)", "w(7)", "r -> 5"]);
    let arrow = |from, to, relation| Arrow { from, to, relation };
    assert_eq!(
        witness.arrows,
        [
            arrow(0, 2, Relation::ReadsFrom),
            arrow(0, 1, Relation::RealTime),
            arrow(1, 2, Relation::RealTime)
        ]
    );
    assert_eq!(
        witness.instead.as_deref(),
        Some("the read at n1 could have returned 7 (w(7) at n2)")
    );
}

#[test]
fn stale_read_of_the_initial_value() {
    let witness = refuted(vec![write(7, 1, 2), read(Value::Nil, 4, 5)]);
    assert_eq!(
        witness.sentence,
        "w(7) was acknowledged at n1 at 0.002 s; 2.0 ms later, r -> nil at n1 still returned a \
         value that had been overwritten before it began: nil, the initial value, was there \
         before anything was written"
    );
    assert_valid(vec![write(7, 1, 4), read(Value::Nil, 4, 5)]);
    assert_valid(vec![read(Value::Nil, 0, 3), write(7, 1, 2), read(Value::Nil, 0, 3)]);
}

#[test]
fn stale_cas_loses_an_update() {
    let witness = refuted(vec![write(5, 1, 2), write(7, 3, 4), cas(5, 9, 6, 7)]);
    assert!(
        witness.sentence.contains(
            "cas(5 -> 9) at n1 still replaced 5, a value that had been overwritten before it began"
        ),
        "{}",
        witness.sentence
    );
    assert_eq!(witness.instead.as_deref(), Some("cas(5 -> 9) at n1 should have been refused"));
}

#[test]
fn old_value_comes_back_after_a_newer_one_was_read() {
    let witness = refuted(vec![
        write(5, 1, 2),
        unanswered(write(7, 3, 4)),
        at("n2", read(7, 5, 6)),
        at("n3", read(5, 8, 9)),
    ]);
    assert_eq!(
        witness.sentence,
        "r -> 7 at n2 ended at 0.006 s; 2.0 ms later, r -> 5 at n3 returned 5 again, which had \
         been replaced by then: w(5) at n1 wrote 5 by 0.002 s, before r -> 7 began"
    );
    // The write of 7 itself may be at any time.
    assert_eq!(shown(&witness), ["w(5)", "r -> 7", "r -> 5"]);
}

#[test]
fn two_values_in_turn() {
    // 5 and 7 are written concurrently; 7 is found first, then 5, then 7.
    let witness =
        refuted(vec![write(5, 1, 9), write(7, 1, 9), read(7, 2, 3), read(5, 4, 5), read(7, 6, 7)]);
    assert_eq!(shown(&witness), ["r -> 7", "r -> 5", "r -> 7"]);
    // 7 ends before 5 is found first, and 5 before 7 is found last; neither stands alone.
    let witness = refuted(vec![
        write(5, 0, 3),
        write(7, 0, 3),
        read(7, 4, 5),
        read(5, 4, 9),
        read(5, 6, 7),
        write(8, 0, 3),
        read(7, 8, 9),
    ]);
    assert!(witness.operations.len() >= 3, "{witness:?}");
}

#[test]
fn interleaved_with_four_operations() {
    let witness = refuted(vec![write(5, 0, 2), write(7, 0, 2), read(5, 3, 9), read(7, 3, 9)]);
    assert_eq!(shown(&witness), ["w(5)", "w(7)", "r -> 5", "r -> 7"]);
    assert_eq!(
        witness.sentence,
        "r -> 7 at n1 began after w(5) at n1 had ended (0.002 s) and returned 7, so 7 came after \
         5; w(7) at n1 wrote 7 by 0.002 s, so 5 was gone by then; 1.0 ms later, r -> 5 at n1 \
         began and still returned 5"
    );
    assert_eq!(witness.arrows.len(), 4);
}

#[test]
fn value_nobody_wrote() {
    let witness = refuted(vec![write(5, 1, 2), at("n2", read(9, 3, 4))]);
    assert_eq!(
        witness.sentence,
        "r -> 9 at n2 returned 9 at 0.004 s, but no operation ever wrote 9"
    );
    assert_eq!(shown(&witness), ["r -> 9"]);
    assert_eq!(
        witness.instead.as_deref(),
        Some("the read at n2 could have returned 5 (w(5) at n1)")
    );
}

#[test]
fn value_of_a_failed_write() {
    let witness = refuted(vec![failed(at("n3", write(9, 1, 2)), "no leader"), read(9, 3, 4)]);
    assert_eq!(
        witness.sentence,
        "r -> 9 at n1 returned 9 at 0.004 s, but the only operation that tried to write 9, w(9) \
         at n3, was answered as failed (no leader)"
    );
}

#[test]
fn value_from_the_future() {
    let witness = refuted(vec![at("n2", write(5, 30, 40)), at("n1", read(5, 10, 20))]);
    assert_eq!(
        witness.sentence,
        "r -> 5 at n1 returned 5 at 0.020 s, 10.0 ms before w(5) at n2, the only operation that \
         writes 5, began"
    );
    assert_eq!(
        witness.instead.as_deref(),
        Some("the read at n1 could have returned nil (the initial value)")
    );
}

#[test]
fn two_winners() {
    let witness =
        refuted(vec![write(5, 1, 2), at("n1", cas(5, 7, 3, 9)), at("n2", cas(5, 8, 4, 9))]);
    assert_eq!(
        witness.sentence,
        "cas(5 -> 7) at n1 and cas(5 -> 8) at n2 both replaced 5, which was written only once: at \
         most one of them can have found it"
    );
    let witness = refuted(vec![
        cas(Value::Nil, 7, 3, 9),
        unanswered(cas(Value::Nil, 8, 4, 9)),
        at("n3", read(8, 10, 11)),
    ]);
    assert!(witness.sentence.ends_with(
        "both replaced nil, which was there at the beginning and never written: at most one of \
         them can have found it; cas(nil -> 8) at n1 was not acknowledged but took effect, since \
         r -> 8 at n3 returned 8"
    ));
}

#[test]
fn circle_of_cas() {
    let witness = refuted(vec![cas(1, 2, 1, 9), cas(2, 3, 1, 9), cas(3, 1, 1, 9)]);
    assert_eq!(shown(&witness), ["cas(1 -> 2)", "cas(2 -> 3)", "cas(3 -> 1)"]);
    assert!(witness.sentence.contains("in a circle"), "{}", witness.sentence);
}

#[test]
fn replaced_value_comes_back() {
    let witness = refuted(vec![write(5, 1, 2), at("n2", cas(5, 7, 3, 4)), read(5, 6, 7)]);
    assert_eq!(
        witness.sentence,
        "cas(5 -> 7) was acknowledged at n2 at 0.004 s; 2.0 ms later, r -> 5 at n1 still returned \
         a value that had been overwritten before it began"
    );
    assert_eq!(shown(&witness), ["cas(5 -> 7)", "r -> 5"]);
    // Two links, of which neither was acknowledged in time to prove it alone.
    let witness = refuted(vec![
        write(5, 1, 2),
        cas(5, 6, 3, 99),
        cas(6, 7, 3, 99),
        read(7, 4, 5),
        read(5, 8, 9),
    ]);
    assert_eq!(shown(&witness), ["cas(5 -> 6)", "cas(6 -> 7)", "r -> 7", "r -> 5"]);
    assert_eq!(
        witness.sentence,
        "r -> 7 at n1 returned 7 at 0.005 s, and cas(5 -> 6) and cas(6 -> 7) had turned 5 into 7 \
         by then; yet r -> 5 at n1 began 3.0 ms later and returned 5"
    );
}

#[test]
fn write_between_two_ends_of_a_cas() {
    // 5 becomes 6 by cas, but 8 was written and acknowledged between the two.
    let witness = refuted(vec![write(5, 1, 2), write(8, 3, 4), cas(5, 6, 0, 9), read(6, 5, 9)]);
    assert_eq!(shown(&witness), ["cas(5 -> 6)", "w(5)", "w(8)", "r -> 6"]);
    assert!(
        witness.sentence.ends_with("; cas(5 -> 6) ties 5 to 6, with nothing between"),
        "{}",
        witness.sentence
    );
}

#[test]
fn slow_write_among_many_cas() {
    // No link of the chain can be missing, or the write could have been there.
    let count = 3_000;
    let mut operations = vec![write(0, 1, 2), write(-1, 5, 10 * count as u64)];
    operations.extend((0..=count).map(|i| {
        let start = 10 * i as u64 + if i == 0 { 3 } else { 0 };
        cas(i, i + 1, start, start + 1 + u64::from(i > 0))
    }));
    operations.push(read(count + 1, 10 * count as u64 + 5, 10 * count as u64 + 6));
    let witness = refuted(operations);
    assert_eq!(witness.operations.len(), count as usize + 3);
    assert!(witness.sentence.len() < 600, "{}", witness.sentence);
    assert!(witness.sentence.contains(" more tie "), "{}", witness.sentence);
}

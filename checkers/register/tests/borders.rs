//! Border cases, both ways.

use super::*;
use crate::history::MISMATCH;
use crate::limits::Limits;

#[test]
fn operations_that_touch_are_concurrent() {
    assert_valid(vec![write(5, 1, 2), write(7, 3, 4), read(5, 4, 5)]);
    assert_valid(vec![read(5, 1, 2), write(5, 2, 3)]);
    assert_valid(vec![write(5, 1, 2), cas(5, 7, 3, 4), read(5, 4, 5)]);
    assert!(refuted(vec![write(5, 1, 2), write(7, 3, 4), read(5, 5, 6)]).operations.len() == 3);
    // All at one instant, in any order.
    assert_valid(vec![read(7, 1, 1), write(7, 1, 1), write(5, 1, 1), read(5, 1, 1)]);
}

#[test]
fn unanswered_operations() {
    // Nobody found it: it may never have happened.
    assert_valid(vec![write(5, 1, 2), unanswered(write(7, 3, 4)), read(5, 5, 6)]);
    // It takes effect late.
    assert_valid(vec![
        write(5, 1, 2),
        unanswered(write(7, 3, 4)),
        read(5, 5, 6),
        read(7, 7, 8),
        read(7, 9, 10),
    ]);
    // But not before its invocation.
    refuted(vec![write(5, 1, 2), read(7, 3, 4), unanswered(write(7, 5, 6))]);
    // A cas that took effect found what it replaced, at whatever remove.
    let witness = refuted(vec![
        unanswered(cas(8, 9, 1, 2)),
        unanswered(cas(9, 10, 1, 2)),
        at("n2", read(10, 3, 4)),
    ]);
    assert_eq!(shown(&witness), ["cas(8 -> 9)", "cas(9 -> 10)", "r -> 10"]);
    assert_eq!(
        witness.sentence,
        "cas(8 -> 9) at n1 replaced 8, but no operation ever wrote 8; cas(8 -> 9) at n1 was not \
         acknowledged but took effect, since cas(9 -> 10) at n1 replaced 9; cas(9 -> 10) at n1 \
         was not acknowledged but took effect, since r -> 10 at n2 returned 10"
    );
    assert_eq!(witness.instead.as_deref(), Some("cas(8 -> 9) at n1 should not have taken effect"));
    // Whether an answer came, and when, does not matter to what was not acknowledged.
    let answered = Operation { outcome: Outcome::Info, ..cas(8, 9, 1, 2) };
    assert!(
        refuted(vec![answered, read(9, 5, 6)])
            .sentence
            .starts_with("cas(8 -> 9) at n1 replaced 8, but no operation ever wrote 8; ")
    );
    // The same, but nobody found the last value.
    assert_valid(vec![unanswered(cas(8, 9, 1, 2)), unanswered(cas(9, 10, 1, 2))]);
    // Two of which at most one can have happened, and one was found.
    assert_valid(vec![
        write(5, 1, 2),
        unanswered(cas(5, 7, 3, 4)),
        unanswered(cas(5, 8, 3, 4)),
        read(8, 5, 6),
    ]);
}

#[test]
fn failed_operations_and_reads_without_answer_do_not_count() {
    assert_valid(vec![
        failed(write(5, 1, 2), "no leader"),
        failed(cas(Value::Nil, 6, 1, 2), MISMATCH),
        unanswered(read(99, 1, 2)),
        read(Value::Nil, 3, 4),
    ]);
}

#[test]
fn cas_to_the_same_value_is_a_read() {
    assert_valid(vec![write(5, 1, 2), cas(5, 5, 3, 4), cas(5, 5, 5, 6), read(5, 7, 8)]);
    assert_eq!(shown(&refuted(vec![cas(5, 5, 3, 4)])), ["cas(5 -> 5)"]);
    assert_valid(vec![unanswered(cas(5, 5, 3, 4))]);
}

#[test]
fn values_written_twice() {
    // Never found: not ambiguous.
    assert_valid(vec![write(5, 1, 2), write(5, 3, 4), write(6, 5, 6), read(6, 7, 8)]);
    // Found: left to the search, which knows both answers.
    assert_valid(vec![write(5, 1, 2), write(6, 3, 4), write(5, 5, 6), read(5, 7, 8)]);
    refuted(vec![write(5, 1, 2), write(5, 3, 4), write(6, 5, 6), read(5, 7, 8)]);
    // A write of nil makes nil ambiguous too.
    assert_valid(vec![write(5, 1, 2), write(Value::Nil, 3, 4), read(Value::Nil, 5, 6)]);
    refuted(vec![write(Value::Nil, 1, 2), write(5, 3, 4), read(Value::Nil, 5, 6)]);
    // What is wrong apart from the ambiguous values is found without a search.
    let mut long: Vec<Operation> = (0..300).map(|i| write(i64::from(i % 2), 0, 1000)).collect();
    long.extend([read(1, 10, 20), write(7, 2000, 2001), write(8, 2002, 2003)]);
    let hasty = Options { limits: Limits { steps: 0, ..Limits::default() }, ..Options::default() };
    let undecided = check_key(&numbered(long.clone()), &hasty).validity;
    assert!(matches!(undecided, Validity::Unknown { .. }), "{undecided:?}");
    long.push(read(7, 2004, 2005));
    assert_eq!(shown(&refuted(long)), ["w(7)", "w(8)", "r -> 7"]);
}

#[test]
fn another_initial_value() {
    let options = Options { initial: Value::Int(0), ..Options::default() };
    let result = |operations: Vec<Operation>| check_key(&numbered(operations), &options);
    assert_eq!(result(vec![read(0, 1, 2), write(1, 1, 2)]).validity, Validity::Valid);
    assert!(result(vec![read(Value::Nil, 1, 2)]).validity.is_invalid());
    assert!(result(vec![write(1, 1, 2), read(0, 3, 4)]).validity.is_invalid());
}

#[test]
fn what_a_register_does_not_have_is_not_passed() {
    let reason = |operation: Operation| match check(&[operation]) {
        Validity::Unknown { reason } => reason,
        other => panic!("{other:?}"),
    };
    let other = operation(Function::Other("append".into()), Value::Nil, Value::Nil, 1, 2);
    assert!(reason(other).contains("`append`"));
    let replica = operation(Function::ReplicaRead, Value::Nil, Value::Nil, 1, 2);
    assert!(reason(replica).contains("own copy"));
    let malformed = operation(Function::Cas, Value::Int(1), Value::Nil, 1, 2);
    assert!(reason(malformed).contains("[expected new]"));
    assert!(reason(write(1, 2, 1)).contains("ends before it begins"));
}

#[test]
fn violations_are_counted() {
    let mut operations = vec![write(5, 1, 2), write(7, 3, 4)];
    operations.extend([read(98, 6, 7), read(99, 6, 7), cas(5, 9, 6, 7), read(7, 8, 9)]);
    let result = check_key(&numbered(operations), &Options::default());
    assert_eq!((result.violations, result.operations, result.observations), (3, 6, 4));
}

#[test]
fn one_long_reign_over_two_short_ones_is_one_violation() {
    // Without the first value all is well, so there are not two violations of their own.
    let result = check_key(
        &numbered(vec![
            write(1, 0, 1),
            write(2, 10, 11),
            read(2, 20, 21),
            write(3, 30, 31),
            read(3, 40, 41),
            read(1, 100, 101),
        ]),
        &Options::default(),
    );
    assert_eq!(result.violations, 1);
}

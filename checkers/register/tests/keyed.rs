//! Many registers in one history.

use super::*;
use crate::history::History;

fn keyed(key: &str, operation: Operation) -> Operation {
    Operation { key: Some(key.into()), ..operation }
}

fn history(operations: Vec<Operation>) -> History {
    History { operations: numbered(operations), ..History::default() }
}

#[test]
fn keys_are_apart_and_the_worst_counts() {
    let finding = check_history(&history(vec![
        keyed("x", write(1, 1, 2)),
        keyed("y", write(1, 1, 2)),
        keyed("y", read(8, 3, 4)),
        keyed("z", read(8, 3, 4)),
        keyed("z", read(9, 3, 4)),
        keyed("x", read(1, 3, 4)),
    ]));
    assert!(finding.validity.is_invalid());
    assert_eq!((finding.check.as_str(), finding.operations), ("linearizable", 6));
    assert_eq!(finding.violations, 3);
    assert_eq!(finding.keys, ["z", "y"]);
    assert_eq!(finding.summary, "6 operations on 3 keys: 2 of 3 refuted, 3 violations");
}

#[test]
fn nothing_observed_is_unknown() {
    let finding = check_history(&history(vec![write(1, 1, 2)]));
    assert!(
        matches!(finding.validity, Validity::Unknown { reason } if reason.contains("not exercised"))
    );
    assert_eq!(check_history(&History::default()).validity.rank(), 1);
}

#[test]
fn replica_reads_are_left_out_and_others_are_not() {
    let replica = operation(Function::ReplicaRead, Value::Nil, Value::Int(9), 5, 6);
    let finding = check_history(&history(vec![write(1, 1, 2), read(1, 3, 4), replica]));
    assert_eq!((finding.validity, finding.operations), (Validity::Valid, 2));
    let other = operation(Function::Other("add".into()), Value::Nil, Value::Int(9), 5, 6);
    let finding = check_history(&history(vec![keyed("k", other), read(Value::Nil, 3, 4)]));
    assert!(
        matches!(finding.validity, Validity::Unknown { reason } if reason.starts_with("key k: "))
    );
}

//! What only the search decides, and how it gives up.

use super::*;
use crate::history::{Function, MISMATCH, Name, Outcome, Time, Value};

fn operation(
    index: usize,
    f: Function,
    (input, output): (Value, Value),
    (start, end): (u64, u64),
) -> Operation {
    Operation {
        index: index as u64,
        process: 0,
        node: None,
        f,
        key: None,
        input,
        output,
        invoke: Time(start),
        complete: Some(Time(end)),
        outcome: Outcome::Ok,
        intended: None,
        error: None,
    }
}

/// `w1 [0,3]` and the like: `w`, `r` or `c` with its values, start and end.
fn operations(rows: &[(char, i64, i64, u64, u64)]) -> Vec<Operation> {
    let parse = |(index, (f, a, b, start, end)): (usize, &(char, i64, i64, u64, u64))| {
        let (f, values) = match f {
            'w' => (Function::Write, (Value::Int(*a), Value::Nil)),
            'r' => (Function::Read, (Value::Nil, Value::Int(*a))),
            _ => (Function::Cas, (Value::pair(Value::Int(*a), Value::Int(*b)), Value::Nil)),
        };
        operation(index, f, values, (*start, *end))
    };
    rows.iter().enumerate().map(parse).collect()
}

fn decide(operations: &[Operation], settings: &Settings) -> Validity {
    check(operations, settings)
}

#[test]
fn repeated_values_both_ways() {
    let rows = [('w', 1, 0, 1, 2), ('w', 2, 0, 3, 4), ('w', 1, 0, 5, 6), ('r', 1, 0, 7, 8)];
    assert_eq!(decide(&operations(&rows), &Settings::default()), Validity::Valid);
    let rows = [('w', 1, 0, 1, 2), ('w', 1, 0, 3, 4), ('w', 2, 0, 5, 6), ('r', 1, 0, 7, 8)];
    let Validity::Invalid { witness } = decide(&operations(&rows), &Settings::default()) else {
        panic!("not refuted");
    };
    assert_eq!(witness.operations.len(), 4, "{witness:#?}");
    assert!(
        witness
            .sentence
            .contains("up to the instant when r -> 1 by process 0 returned 1 (0.000 s)"),
        "{}",
        witness.sentence
    );
}

#[test]
fn refused_cas_counts_only_if_asked() {
    let mut history = operations(&[('w', 1, 0, 1, 2), ('c', 1, 2, 3, 4)]);
    history[1].outcome = Outcome::Fail;
    history[1].error = Some(Name::from(MISMATCH));
    assert_eq!(decide(&history, &Settings::default()), Validity::Valid);
    let strict = Settings { refused_cas_observes: true, ..Settings::default() };
    assert!(decide(&history, &strict).is_invalid());
    assert!(crate::register::check_key(&history, &strict).validity.is_invalid());
    history[1].error = Some(Name::from("no leader"));
    assert_eq!(decide(&history, &strict), Validity::Valid);
}

#[test]
fn a_spent_budget_is_unknown_and_says_how_far_it_got() {
    let rows = [('w', 1, 0, 1, 2), ('w', 2, 0, 3, 4), ('w', 1, 0, 5, 6), ('r', 1, 0, 7, 8)];
    let hasty = Settings { search_steps: 2, ..Settings::default() };
    let Validity::Unknown { reason } = decide(&operations(&rows), &hasty) else {
        panic!("decided");
    };
    assert!(
        reason.ends_with("spent its 2 steps; it found an order up to w(1) by process 0 (0.000 s), 2 of 4 completions"),
        "{reason}"
    );
}

#[test]
fn more_open_operations_than_slots_are_unknown() {
    let history: Vec<Operation> = (0..300)
        .map(|i| operation(i, Function::Write, (Value::Int(1), Value::Nil), (0, 10)))
        .collect();
    let Validity::Unknown { reason } = decide(&history, &Settings::default()) else {
        panic!("decided");
    };
    assert!(reason.starts_with("300 operations were open at once"), "{reason}");
}

#[test]
fn nothing_to_place_is_valid() {
    assert_eq!(decide(&[], &Settings::default()), Validity::Valid);
}

//! What only the search decides, and how it gives up.

use super::*;
use crate::history::{Function, MISMATCH, Name, Outcome, Time, Value};
use crate::limits::Limits;

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

fn decide(operations: &[Operation], options: &Options<'_>) -> Validity {
    check(operations, options)
}

#[test]
fn repeated_values_both_ways() {
    let rows = [('w', 1, 0, 1, 2), ('w', 2, 0, 3, 4), ('w', 1, 0, 5, 6), ('r', 1, 0, 7, 8)];
    assert_eq!(decide(&operations(&rows), &Options::default()), Validity::Valid);
    let rows = [('w', 1, 0, 1, 2), ('w', 1, 0, 3, 4), ('w', 2, 0, 5, 6), ('r', 1, 0, 7, 8)];
    let Validity::Invalid { witness } = decide(&operations(&rows), &Options::default()) else {
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
    assert_eq!(decide(&history, &Options::default()), Validity::Valid);
    let strict = Options { observe_failed_cas: true, ..Options::default() };
    assert!(decide(&history, &strict).is_invalid());
    assert!(crate::register::check_key(&history, &strict).validity.is_invalid());
    history[1].error = Some(Name::from("no leader"));
    assert_eq!(decide(&history, &strict), Validity::Valid);
}

#[test]
fn a_spent_budget_is_unknown_and_says_how_far_it_got() {
    let rows = [('w', 1, 0, 1, 2), ('w', 2, 0, 3, 4), ('w', 1, 0, 5, 6), ('r', 1, 0, 7, 8)];
    let hasty = Options { limits: Limits { steps: 2, ..Limits::default() }, ..Options::default() };
    let Validity::Unknown { reason } = decide(&operations(&rows), &hasty) else {
        panic!("decided");
    };
    assert!(
        reason.ends_with(
            "the step limit was reached in the general search; it found an order up to w(1) by \
             process 0 (0.000 s), 2 of 4 completions, with 1 configuration at hand"
        ),
        "{reason}"
    );
}

#[test]
fn every_limit_is_obeyed() {
    let rows: Vec<_> = (0..8_000)
        .flat_map(|i| {
            let at = 40 * i;
            let cas = |a, b| ('c', a, b, at + 10, at + 30);
            [
                ('w', 1, 0, at, at + 5),
                cas(1, 2),
                cas(2, 3),
                cas(3, 1),
                ('r', 1, 0, at + 32, at + 39),
            ]
        })
        .collect();
    let history = operations(&rows);
    assert_eq!(decide(&history, &Options::default()), Validity::Valid);
    let is_over = || true;
    for (limits, name) in [
        (Limits { memory_bytes: 30, ..Limits::default() }, "memory"),
        (Limits { steps: 4_000, ..Limits::default() }, "step"),
        (Limits { is_over: Some(&is_over), ..Limits::default() }, "time"),
    ] {
        let options = Options { limits, ..Options::default() };
        let Validity::Unknown { reason } = decide(&history, &options) else { panic!("{name}") };
        assert!(reason.contains(&format!("the {name} limit was reached")), "{reason}");
        assert!(reason.contains("of 40,000 completions"), "{reason}");
    }
}

#[test]
fn any_number_of_operations_may_be_open_at_once() {
    for open in [60, 120, 250, 700] {
        let row = |index: usize, f: Function, value: i64, span: (u64, u64)| {
            let values = match f {
                Function::Read => (Value::Nil, Value::Int(value)),
                _ => (Value::Int(value), Value::Nil),
            };
            operation(index, f, values, span)
        };
        let mut history: Vec<Operation> =
            (0..open).map(|i| row(i, Function::Write, i as i64 % 5, (0, 10))).collect();
        history.extend((0..5).map(|i| row(open + i, Function::Read, i as i64, (5, 9))));
        history.push(row(open + 5, Function::Read, 3, (20, 21)));
        assert_eq!(decide(&history, &Options::default()), Validity::Valid, "{open}");
        history.push(row(open + 6, Function::Read, 4, (30, 31)));
        assert!(decide(&history, &Options::default()).is_invalid(), "{open}");
    }
}

#[test]
fn nothing_to_place_is_valid() {
    assert_eq!(decide(&[], &Options::default()), Validity::Valid);
}

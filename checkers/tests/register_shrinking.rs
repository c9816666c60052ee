//! The register check against every order once more, on histories that proptest can shrink: if
//! this fails, it fails with a smallest example.

mod support;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use splitbrain_checkers::finding::Validity;
use splitbrain_checkers::history::{Function, Operation, Outcome, Value};
use splitbrain_checkers::register;
use support::brute_force::is_linearizable;
use support::generate::operation;

/// Kind, value or expected value, start, length, outcome.
type Row = (u8, i64, u64, u64, u8);

/// The n-th operation writes n; value 0 is nil.
fn operations(rows: &[Row]) -> Vec<Operation> {
    let known = |value: i64| match value.min(rows.len() as i64) {
        0 => Value::Nil,
        value => Value::Int(value),
    };
    let parse = |(position, row): (usize, &Row)| {
        let (kind, value, start, length, outcome) = *row;
        let own = Value::Int(position as i64 + 1);
        let (f, input) = match kind {
            0 => (Function::Read, Value::Nil),
            1 => (Function::Write, own),
            _ => (Function::Cas, Value::pair(known(value), own)),
        };
        let outcome = [Outcome::Ok, Outcome::Info, Outcome::Fail][outcome as usize];
        let output = if f == Function::Read { known(value) } else { input.clone() };
        let interval = (start, Some(start + length));
        operation(position as u64, f, (input, output), interval, outcome)
    };
    rows.iter().enumerate().map(parse).collect()
}

#[test]
fn register_agrees_with_every_order() {
    let row = (
        0..3u8,
        0..7i64,
        0..16u64,
        0..16u64,
        prop_oneof![6 => Just(0u8), 2 => Just(1), 1 => Just(2)],
    );
    let rows = prop::collection::vec(row, 1..7);
    let config = Config { cases: 20_000, failure_persistence: None, ..Config::default() };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(config, rng);
    let outcome = runner.run(&rows, |rows| {
        let operations = operations(&rows);
        let expected = is_linearizable(&operations, &Value::Nil);
        let answer = register::check(&operations);
        prop_assert!(!matches!(answer, Validity::Unknown { .. }), "{answer:?}");
        prop_assert_eq!(answer.is_valid(), expected);
        Ok(())
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
}

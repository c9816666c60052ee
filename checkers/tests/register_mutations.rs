//! Longer histories, valid by construction and then changed: the register check against the
//! general search.

mod support;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use splitbrain_checkers::checker::Options;
use splitbrain_checkers::finding::Validity;
use splitbrain_checkers::history::{Function, Operation, Outcome, Time, Value};
use splitbrain_checkers::limits::Limits;
use splitbrain_checkers::register;
use splitbrain_checkers::register::repeated as search;
use support::generate::{self, Shape};

const SHAPE: Shape =
    Shape { operations: 120, clients: 5, writes: 30, cas: 20, unanswered: 300, values: 0 };

/// Changes what one operation found, or when it was.
fn mutate(random: &mut ChaCha8Rng, operations: &mut [Operation]) {
    let count = operations.len();
    let other = random.random_range(0..count);
    let victim = random.random_range(0..count);
    let written = match &operations[other] {
        Operation { f: Function::Write, input, .. } => input.clone(),
        Operation { output, .. } => output.as_pair().map_or(output, |(_, new)| new).clone(),
    };
    let operation = &mut operations[victim];
    match random.random_range(0..4) {
        0 if operation.f == Function::Read => operation.output = written,
        1 if operation.f == Function::Cas => {
            let new = operation.input.as_pair().unwrap().1.clone();
            operation.input = Value::pair(written, new);
            operation.outcome = Outcome::Ok;
            operation.complete = operation.complete.or(Some(Time(operation.invoke.0 + 30_000)));
        }
        2 => {
            let later = random.random_range(0..60_000);
            operation.invoke = Time(operation.invoke.0 + later);
            operation.complete = operation.complete.map(|end| Time(end.0 + later));
        }
        _ if operation.outcome == Outcome::Ok => {
            let end = operation.complete.unwrap().0;
            operation.complete = Some(Time(random.random_range(operation.invoke.0..=end)));
        }
        _ => {}
    }
}

#[test]
fn unchanged_histories_are_valid() {
    let mut random = ChaCha8Rng::seed_from_u64(11);
    for case in 0..300 {
        let operations = generate::valid(&mut random, SHAPE);
        assert_eq!(register::check(&operations), Validity::Valid, "case {case}");
    }
}

#[test]
fn register_check_and_search_agree_on_changed_histories() {
    let mut random = ChaCha8Rng::seed_from_u64(12);
    let (mut valid, mut invalid, mut undecided) = (0, 0, 0);
    let options =
        Options { limits: Limits { steps: 200_000, ..Limits::default() }, ..Options::default() };
    for case in 0..4_000 {
        let mut operations = generate::valid(&mut random, SHAPE);
        for _ in 0..random.random_range(1..=3) {
            mutate(&mut random, &mut operations);
        }
        let answer = register::check(&operations);
        match (&answer, search::check(&operations, &options)) {
            (Validity::Valid, Validity::Valid) => valid += 1,
            (Validity::Invalid { witness }, Validity::Invalid { .. }) => {
                invalid += 1;
                assert!(witness.operations.len() <= 12, "case {case}: {witness:#?}");
            }
            (_, Validity::Unknown { .. }) => undecided += 1,
            (register, search) => panic!("case {case}: {register:#?}, {search:#?}"),
        }
    }
    println!("{valid} valid, {invalid} invalid, {undecided} not decided by the search");
    assert!(valid.min(invalid) * 5 > valid + invalid);
    assert!(undecided < 400, "{undecided}");
}

#[test]
fn the_search_finds_an_order_of_long_histories_with_repeated_values() {
    let mut random = ChaCha8Rng::seed_from_u64(13);
    for (operations, clients, values) in [(20_000, 5, 5), (5_000, 20, 5), (2_000, 50, 3)] {
        let shape = Shape { operations, clients, values, unanswered: 2, ..SHAPE };
        let operations = generate::valid(&mut random, shape);
        assert_eq!(register::check(&operations), Validity::Valid, "{shape:?}");
    }
}

/// Written values begin again after `period` of them.
fn repeat(value: &Value, period: i64) -> Value {
    match value {
        Value::Int(number) if *number > 0 => Value::Int((number - 1) % period + 1),
        Value::List(items) => Value::List(items.iter().map(|item| repeat(item, period)).collect()),
        other => other.clone(),
    }
}

#[test]
fn values_that_real_time_tells_apart_need_no_search() {
    let mut random = ChaCha8Rng::seed_from_u64(14);
    let no_search =
        Options { limits: Limits { steps: 0, ..Limits::default() }, ..Options::default() };
    for case in 0..20 {
        let shape = Shape { operations: 5_000, clients: 20, unanswered: 0, ..SHAPE };
        let mut operations = generate::valid(&mut random, shape);
        for operation in &mut operations {
            operation.input = repeat(&operation.input, 500);
            operation.output = repeat(&operation.output, 500);
        }
        let answer = register::check_key(&operations, &no_search).validity;
        assert_eq!(answer, Validity::Valid, "case {case}");
        // A read of what was written long ago, and not again since.
        let victim = (3_000..).find(|place| operations[*place].f == Function::Read);
        let victim = &mut operations[victim.expect("half of them are reads")];
        let Value::Int(found) = victim.output else { panic!("{victim:?}") };
        victim.output = Value::Int((found + 249) % 500 + 1);
        let answer = register::check_key(&operations, &no_search).validity;
        assert_ne!(answer, Validity::Valid, "case {case}");
        if case < 4 {
            let answer = register::check(&operations);
            let witness = answer.witness().unwrap_or_else(|| panic!("case {case}: {answer:?}"));
            assert!(witness.operations.len() < 30, "case {case}: {}", witness.sentence);
        }
    }
}

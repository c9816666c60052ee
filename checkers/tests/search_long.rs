//! The search on long histories and with many operations in flight; and its limits.

mod search_support;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use search_support::generate::{self, Shape};
use search_support::objects::Object;
use search_support::show;
use splitbrain_checkers::checker::Options;
use splitbrain_checkers::finding::Validity;
use splitbrain_checkers::history::{Function, Operation, Outcome, Time, Value};
use splitbrain_checkers::limits::{Limits, Spent};
use splitbrain_checkers::model::{Counter, FifoQueue, Register};
use splitbrain_checkers::search;

const SEED: u64 = 0x5eed_2001;

/// Objects of which long histories with one impossible answer are refuted.
const REFUTED_SOON: [Object; 4] =
    [Object::Register, Object::MultiRegister, Object::Set, Object::Counter];

#[test]
fn long_histories_are_decided_and_one_wrong_answer_is_found() {
    let mut random = ChaCha8Rng::seed_from_u64(SEED);
    let (mut small, mut large) = (0, 0);
    for object in Object::ALL {
        let options = Options { initial: generate::initial(object), ..Options::default() };
        for round in 0..4 {
            let shape =
                Shape { operations: 1500, unanswered: 0, failed: 3, concurrency: 2, unique: true };
            let mut operations = generate::valid(&mut random, object, shape);
            let report = object.explore(&operations, &options);
            assert!(report.validity.is_valid(), "{object:?}, round {round}: {:?}", report.validity);
            assert!(report.steps < 200_000, "{object:?}: {} steps", report.steps);
            // To refute these may take time that is exponential in what depends on each other.
            if !REFUTED_SOON.contains(&object) {
                continue;
            }
            let Some(spoilt) = spoil_one(object, &mut operations, 400 + 200 * round) else {
                continue;
            };
            let report = object.explore(&operations, &options);
            let Validity::Invalid { witness } = &report.validity else {
                panic!("{object:?}: {:?} with {}", report.validity, show(&[spoilt]));
            };
            let size = witness.operations.len();
            println!("{object:?}: {size} of 1500, {} steps: {}", report.steps, witness.sentence);
            let is_all = witness.operations.contains(&spoilt);
            assert!(is_all || witness.sentence.contains("too long"), "{}", witness.sentence);
            small += usize::from(size < 20);
            large += usize::from(size >= 20);
        }
    }
    println!("{small} small witnesses, {large} large ones");
    assert!(small > large, "{small} small witnesses, {large} large ones");
}

/// Gives an operation after that place an answer that no operation can explain.
fn spoil_one(object: Object, operations: &mut [Operation], place: usize) -> Option<Operation> {
    let impossible = Value::Int(-77);
    let spoilt = operations[place..].iter_mut().find(|operation| {
        operation.outcome == Outcome::Ok
            && matches!(
                operation.f.as_str(),
                "read" | "get" | "dequeue" | "pop" | "delete-min" | "txn"
            )
            && operation.output != Value::Nil
    })?;
    spoilt.output = match object {
        Object::MultiRegister => {
            Value::list([Value::list([Value::from("r"), Value::from("x"), impossible])])
        }
        Object::Set => Value::list([impossible]),
        Object::AppendString => Value::from("never appended"),
        // Any sum is possible as far as one operation knows, but not with all others.
        Object::Counter => Value::Int(1 << 40),
        _ => impossible,
    };
    Some(spoilt.clone())
}

#[test]
fn unanswered_operations_are_carried_along() {
    let mut random = ChaCha8Rng::seed_from_u64(SEED + 1);
    let mut decided = 0;
    for object in Object::ALL {
        let limits = Limits { steps: 300_000, ..Limits::default() };
        let options = Options { initial: generate::initial(object), limits, ..Options::default() };
        for round in 0..4 {
            let shape =
                Shape { operations: 600, unanswered: 1, failed: 3, concurrency: 2, unique: true };
            let operations = generate::valid(&mut random, object, shape);
            let lost = operations.iter().filter(|o| o.outcome == Outcome::Info).count();
            let report = object.explore(&operations, &options);
            println!("{object:?}, round {round}: {lost} unanswered, {} steps", report.steps);
            assert!(!report.validity.is_invalid(), "{object:?}: {:?}", report.validity);
            decided += usize::from(report.validity.is_valid());
        }
    }
    // It is exponential in how many are unanswered, at worst.
    assert!(decided >= 42, "{decided} of 48");
}

fn operation(index: u64, f: &str, (input, output): (Value, Value), at: (u64, u64)) -> Operation {
    Operation {
        index,
        process: index,
        node: None,
        f: Function::from_name(f),
        key: None,
        input,
        output,
        invoke: Time(at.0),
        complete: Some(Time(at.1)),
        outcome: Outcome::Ok,
        intended: None,
        error: None,
    }
}

fn write(value: i64, at: (u64, u64)) -> Operation {
    operation(value as u64, "write", (Value::Int(value), Value::Int(value)), at)
}

fn read(value: i64, at: (u64, u64)) -> Operation {
    operation(1_000_000 + value as u64, "read", (Value::Nil, Value::Int(value)), at)
}

/// Hundreds of writes in flight, each read in an order of its own: the window grows.
#[test]
fn more_operations_are_in_flight_than_a_word_has_bits() {
    for clients in [60, 200, 700] {
        let mut operations: Vec<Operation> =
            (1..=clients).map(|value| write(value, (0, 10_000))).collect();
        let order = (1..=clients).map(|turn| turn * 37 % (clients + 1));
        for (turn, value) in order.filter(|value| *value > 0).enumerate() {
            let start = 10 + 4 * turn as u64;
            operations.push(read(value, (start, start + 1)));
        }
        let all: Vec<&Operation> = operations.iter().collect();
        let report = search::explore::<Register>(&all, &Options::default());
        assert!(report.validity.is_valid(), "{clients} clients: {:?}", report.validity);
    }
}

/// A thousand writes without an answer, of which only those that are read are ever tried.
#[test]
fn unanswered_writes_pile_up() {
    let mut operations = Vec::new();
    for value in 1..=1000 {
        let mut lost = write(value, (value as u64 * 10, value as u64 * 10));
        lost.outcome = Outcome::Info;
        lost.complete = None;
        operations.push(lost);
        if value % 10 == 0 {
            operations.push(read(value - 5, (value as u64 * 10 + 5, value as u64 * 10 + 6)));
        }
    }
    let all: Vec<&Operation> = operations.iter().collect();
    let report = search::explore::<Register>(&all, &Options::default());
    assert!(report.validity.is_valid(), "{:?}", report.validity);
    assert!(report.steps < 1000, "{} steps", report.steps);
}

/// Additions that never commute with the sum that is read: as many orders as there are subsets.
fn hard(clients: i64) -> Vec<Operation> {
    let mut operations: Vec<Operation> = (0..clients)
        .map(|client| {
            let value = Value::Int(1 << client);
            operation(client as u64, "add", (value.clone(), value), (0, 100))
        })
        .collect();
    // Within reach of all the powers of two, but no sum of them.
    operations.push(operation(901, "add", (Value::Int(1 << 51), Value::Nil), (200, 201)));
    operations.push(operation(900, "read", (Value::Nil, Value::Int(1 << 50)), (1, 99)));
    operations
}

#[test]
fn limits_are_obeyed_and_the_answer_says_how_far_it_got() {
    let operations = hard(24);
    let all: Vec<&Operation> = operations.iter().collect();
    let over = || true;
    let no_limit = Limits::default();
    for (limits, spent, word) in [
        (Limits { steps: 1000, ..no_limit }, Spent::Steps, "the step limit was reached"),
        (Limits { memory_bytes: 1 << 20, ..no_limit }, Spent::Memory, "the memory limit"),
        (Limits { is_over: Some(&over), ..no_limit }, Spent::Time, "the time limit was reached"),
    ] {
        let report = search::explore::<Counter>(&all, &Options { limits, ..Options::default() });
        let Validity::Unknown { reason } = &report.validity else { panic!("{report:?}") };
        assert!(reason.starts_with(word), "{reason}");
        let progress = report.progress.unwrap();
        assert_eq!((progress.spent, progress.of), (spent, 26));
        assert!(report.memory_bytes < 2 << 20, "{spent:?}: {}", report.memory_bytes);
        if spent == Spent::Steps {
            assert!(!progress.frontier.is_empty() && !progress.frontier[0].pending.is_empty());
            assert!(reason.contains("an order of 0 of 26 acknowledged operations"), "{reason}");
            assert!(reason.contains("up to r -> 1125899906842624"), "{reason}");
            assert_eq!(report.steps, 1000);
        }
    }
}

#[test]
fn a_long_sequential_history_needs_no_memory_and_no_stack() {
    let operations: Vec<Operation> = (0..200_000)
        .map(|number| {
            let at = (3 * number, 3 * number + 1);
            let value = Value::Int(number as i64 / 2);
            match number % 2 {
                0 => operation(number, "enqueue", (value.clone(), value), at),
                _ => operation(number, "dequeue", (Value::Nil, value), at),
            }
        })
        .collect();
    let all: Vec<&Operation> = operations.iter().collect();
    let report = search::explore::<FifoQueue>(&all, &Options::default());
    assert!(report.validity.is_valid(), "{:?}", report.validity);
    // Nearly all of it the list of operations itself.
    assert!(report.memory_bytes < 80 * operations.len(), "{}", report.memory_bytes);
}

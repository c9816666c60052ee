//! What the tests of the register check are made of.

mod borders;
mod keyed;
mod sentences;

use super::*;
use crate::finding::Witness;
use crate::history::{Function, Outcome, Time, Value};

fn operation(f: Function, input: Value, output: Value, start: u64, end: u64) -> Operation {
    Operation {
        index: 0,
        process: 0,
        node: Some("n1".into()),
        f,
        key: None,
        input,
        output,
        invoke: Time(start * 1_000_000),
        complete: Some(Time(end * 1_000_000)),
        outcome: Outcome::Ok,
        intended: None,
        error: None,
    }
}

fn read(value: impl Into<Value>, start: u64, end: u64) -> Operation {
    operation(Function::Read, Value::Nil, value.into(), start, end)
}

fn write(value: impl Into<Value>, start: u64, end: u64) -> Operation {
    operation(Function::Write, value.into(), Value::Nil, start, end)
}

fn cas(expected: impl Into<Value>, new: impl Into<Value>, start: u64, end: u64) -> Operation {
    let pair = Value::pair(expected.into(), new.into());
    operation(Function::Cas, pair.clone(), pair, start, end)
}

fn unanswered(operation: Operation) -> Operation {
    Operation { outcome: Outcome::Info, complete: None, ..operation }
}

fn failed(operation: Operation, error: &str) -> Operation {
    Operation { outcome: Outcome::Fail, error: Some(error.into()), ..operation }
}

fn at(node: &str, operation: Operation) -> Operation {
    Operation { node: Some(node.into()), ..operation }
}

fn numbered(operations: Vec<Operation>) -> Vec<Operation> {
    let number = |(index, operation)| Operation { index: index as u64, ..operation };
    operations.into_iter().enumerate().map(number).collect()
}

fn refuted(operations: Vec<Operation>) -> Witness {
    match check(&numbered(operations)) {
        Validity::Invalid { witness } => *witness,
        other => panic!("{other:?}"),
    }
}

fn assert_valid(operations: Vec<Operation>) {
    assert_eq!(check(&numbered(operations)), Validity::Valid);
}

fn shown(witness: &Witness) -> Vec<String> {
    witness.operations.iter().map(Operation::to_string).collect()
}

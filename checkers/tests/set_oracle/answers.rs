//! A set that answers operations, and lies at times; and the oracle that tries every order.

use std::collections::BTreeSet;

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use splitbrain_checkers::history::{Operation, Outcome, Value};

use crate::objects_support::*;

/// Which operations a history has.
#[derive(Debug, Clone, Copy)]
pub struct Mix {
    /// Of ten: adds, removals, reads of the whole; the rest ask for one element.
    pub adds: u32,
    pub removals: u32,
    pub reads: u32,
    pub elements: i64,
}

pub const GROWING: Mix = Mix { adds: 5, removals: 0, reads: 4, elements: 3 };
pub const ONE_BY_ONE: Mix = Mix { adds: 3, removals: 3, reads: 0, elements: 2 };
pub const FULL: Mix = Mix { adds: 3, removals: 2, reads: 5, elements: 2 };
pub const SIMPLE: Mix = Mix { adds: 6, removals: 0, reads: 4, elements: 4 };

/// A set that works, and with a chance of 60 % answers up to three times as it likes.
pub fn operations(random: &mut ChaCha8Rng, mix: Mix) -> Vec<Operation> {
    let mut state: BTreeSet<i64> = BTreeSet::new();
    let mut operations: Vec<Operation> = Vec::new();
    for (index, slot) in slots(random, 8, None).iter().enumerate() {
        let element = random.random_range(1..=mix.elements);
        let kind = random.random_range(0..10);
        let (f, input, output) = if kind < mix.adds {
            if slot.takes_effect {
                state.insert(element);
            }
            ("add", Value::Int(element), Value::Int(element))
        } else if kind < mix.adds + mix.removals {
            if slot.takes_effect {
                state.remove(&element);
            }
            ("remove", Value::Int(element), Value::Int(element))
        } else if kind < mix.adds + mix.removals + mix.reads {
            ("read", Value::Nil, list(state.iter().copied()))
        } else {
            ("contains", Value::Int(element), Value::Bool(state.contains(&element)))
        };
        operations.push(operation(slot, index, f, input, output));
    }
    let lies = if random.random_bool(0.6) { random.random_range(1..=3) } else { 0 };
    for _ in 0..lies {
        let position = random.random_range(0..operations.len());
        lie(random, &mut operations[position], mix.elements);
    }
    operations
}

/// Changes one element of an answer.
pub fn lie(random: &mut ChaCha8Rng, operation: &mut Operation, elements: i64) {
    let element = random.random_range(1..=elements);
    match &mut operation.output {
        Value::Bool(found) => *found = !*found,
        Value::List(items) => {
            let mut set: BTreeSet<Value> = items.iter().cloned().collect();
            if !set.remove(&Value::Int(element)) {
                set.insert(Value::Int(element));
            }
            *items = set.into_iter().collect();
        }
        _ => {}
    }
}

pub fn members(operation: &Operation) -> BTreeSet<i64> {
    match &operation.output {
        Value::List(items) => items.iter().map(integer).collect(),
        _ => BTreeSet::new(),
    }
}

pub fn integer(value: &Value) -> i64 {
    match value {
        Value::Int(integer) => *integer,
        other => panic!("{other}"),
    }
}

pub fn apply(operation: &Operation, state: &BTreeSet<i64>) -> Option<BTreeSet<i64>> {
    let mut next = state.clone();
    let says_nothing = operation.outcome == Outcome::Info;
    match operation.f.as_str() {
        "add" => {
            next.insert(integer(&operation.input));
        }
        "remove" => {
            next.remove(&integer(&operation.input));
        }
        "read" if !says_nothing && members(operation) != *state => return None,
        "contains" if !says_nothing => {
            let found = state.contains(&integer(&operation.input));
            if operation.output != Value::Bool(found) {
                return None;
            }
        }
        _ => {}
    }
    Some(next)
}

pub fn is_linearizable(operations: &[Operation]) -> bool {
    let jobs: Vec<Job> = operations.iter().map(job).collect();
    all_in_order(operations, &jobs)
}

pub fn all_in_order(operations: &[Operation], jobs: &[Job]) -> bool {
    let (operations, jobs): (Vec<&Operation>, Vec<Job>) =
        operations.iter().zip(jobs).filter(|(o, _)| o.outcome != Outcome::Fail).unzip();
    has_order(&jobs, &BTreeSet::new(), &|job, state| apply(operations[job], state))
}

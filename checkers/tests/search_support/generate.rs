//! Random histories of every object: served at random instants, so valid by construction, and
//! then spoiled.

use rand::Rng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;
use splitbrain_checkers::history::{Function, Operation, Outcome, Time, Value};

use super::objects::Object;

/// How a history is made.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    pub operations: usize,
    /// How many of a hundred have no answer, or failed.
    pub unanswered: u32,
    pub failed: u32,
    /// The mean number of operations in flight.
    pub concurrency: u64,
    /// Written values are distinct, else from a few.
    pub unique: bool,
}

/// What a semaphore or a register begins with.
pub fn initial(object: Object) -> Value {
    match object {
        Object::Semaphore => Value::Int(2),
        Object::MultiRegister => Value::Int(0),
        _ => Value::Nil,
    }
}

/// A valid history. Times lie so close that many are equal.
pub fn valid(random: &mut ChaCha8Rng, object: Object, shape: Shape) -> Vec<Operation> {
    let span = 2 * shape.operations as u64 + 4;
    let mut instants: Vec<u64> =
        (0..shape.operations).map(|_| random.random_range(0..span)).collect();
    instants.sort_unstable();
    let mut state = object.first(&initial(object));
    let mut operations = Vec::new();
    for (index, instant) in instants.into_iter().enumerate() {
        let mut operation = request(random, object, index, shape.unique);
        let early = random.random_range(0..=2 * shape.concurrency);
        let late = random.random_range(0..=2 * shape.concurrency);
        operation.invoke = Time((instant + 2 * shape.concurrency).saturating_sub(early));
        operation.complete = Some(Time(instant + 2 * shape.concurrency + late));
        let dice = random.random_range(0..100);
        let served = if dice < shape.failed { None } else { object.serve(&state, &operation) };
        match served {
            None => operation.outcome = Outcome::Fail,
            Some((next, answer)) if dice >= shape.failed + shape.unanswered => {
                state = next;
                if operation.output == Value::Nil {
                    operation.output = answer;
                }
            }
            Some((next, _)) => {
                lose(random, &mut operation);
                if random.random_bool(0.5) {
                    state = next;
                }
            }
        }
        operations.push(operation);
    }
    operations.sort_by_key(|operation| (operation.invoke, operation.index));
    operations
}

fn lose(random: &mut ChaCha8Rng, operation: &mut Operation) {
    operation.outcome = Outcome::Info;
    operation.output = Value::Nil;
    if random.random_bool(0.5) {
        operation.complete = None;
    }
}

/// Makes one or two random changes, which may or may not make the history invalid.
pub fn spoil(random: &mut ChaCha8Rng, object: Object, operations: &mut [Operation]) {
    for _ in 0..random.random_range(1..=3) {
        let outputs: Vec<Value> = operations
            .iter()
            .filter(|operation| operation.outcome == Outcome::Ok && observes(object, operation))
            .map(|operation| operation.output.clone())
            .collect();
        let place = random.random_range(0..operations.len());
        let operation = &mut operations[place];
        match random.random_range(0..5) {
            0 | 1 if operation.outcome == Outcome::Ok && observes(object, operation) => {
                let other = outputs.choose(random).cloned().unwrap_or_default();
                let fits = std::mem::discriminant(&other)
                    == std::mem::discriminant(&operation.output)
                    && object != Object::MultiRegister
                    && object != Object::Set;
                operation.output =
                    if fits { other } else { twist(random, object, &operation.output) };
            }
            0..3 => {
                let width = operation.complete.map_or(0, |end| end.0 - operation.invoke.0);
                operation.invoke = Time(random.random_range(0..30));
                let end = Time(operation.invoke.0 + width / 2);
                operation.complete = operation.complete.map(|_| end);
            }
            3 => operation.process = random.random_range(0..3),
            _ if operation.outcome == Outcome::Fail && operation.f.as_str() != "generate" => {
                operation.outcome = Outcome::Ok;
                if observes(object, operation) && object != Object::MultiRegister {
                    let nothing = match object {
                        Object::Counter => Value::Int(0),
                        Object::AppendString => Value::from(""),
                        _ => Value::Nil,
                    };
                    operation.output = outputs.choose(random).cloned().unwrap_or(nothing);
                } else if object == Object::MultiRegister {
                    operation.output = operation.input.clone();
                }
                if operation.f.as_str() == "contains" {
                    operation.output = Value::Bool(random.random_bool(0.5));
                } else if object == Object::Set && operation.f == Function::Read {
                    operation.output = Value::list([]);
                }
            }
            _ if operation.outcome == Outcome::Ok => lose(random, operation),
            _ => {}
        }
    }
    operations.sort_by_key(|operation| (operation.invoke, operation.index));
}

/// Whether the output says something.
fn observes(object: Object, operation: &Operation) -> bool {
    match operation.f.as_str() {
        "read" | "contains" | "get" | "dequeue" | "pop" | "delete-min" | "generate" => true,
        "txn" => object == Object::MultiRegister,
        _ => false,
    }
}

/// Another answer of the same shape.
fn twist(random: &mut ChaCha8Rng, object: Object, output: &Value) -> Value {
    match output {
        Value::Bool(answer) => Value::Bool(!answer),
        Value::Int(number) => Value::Int(number + random.random_range(1..3)),
        Value::Text(text) => match text.len() {
            0 => Value::from("a"),
            length => Value::from(&text[..random.random_range(0..length)]),
        },
        Value::List(items) if object == Object::MultiRegister => {
            let mut items = items.to_vec();
            if let Some(Value::List(parts)) = items.first_mut()
                && parts[0] == Value::from("r")
            {
                parts[2] = Value::Int(random.random_range(0..3));
            }
            Value::List(items.into())
        }
        Value::List(items) => Value::List(items.iter().skip(1).cloned().collect()),
        Value::Nil => Value::Int(1),
    }
}

/// A random request, acknowledged, without times or output.
fn request(random: &mut ChaCha8Rng, object: Object, index: usize, unique: bool) -> Operation {
    let value = |random: &mut ChaCha8Rng| match unique {
        true => Value::Int(index as i64 + 1),
        false => Value::Int(random.random_range(1..=3)),
    };
    let mut key = None;
    let first = random.random_bool(0.5);
    let (f, input) = match object {
        Object::Register => match random.random_range(0..3) {
            0 => ("read", Value::Nil),
            1 => ("write", value(random)),
            _ => ("cas", Value::pair(value(random), value(random))),
        },
        Object::MultiRegister => {
            let micros = (0..random.random_range(1..=3)).map(|_| {
                let key = Value::from(["x", "y", "z"][random.random_range(0..3)]);
                if random.random_bool(0.5) {
                    Value::list([Value::from("r"), key, Value::Nil])
                } else {
                    Value::list([Value::from("w"), key, value(random)])
                }
            });
            ("txn", Value::List(micros.collect()))
        }
        Object::Mutex | Object::ReentrantMutex if first => ("acquire", Value::Nil),
        Object::Mutex | Object::ReentrantMutex => ("release", Value::Nil),
        Object::Semaphore => {
            (if first { "acquire" } else { "release" }, Value::Int(random.random_range(1..=2)))
        }
        Object::Set => match random.random_range(0..8) {
            0..3 => ("add", value(random)),
            3..5 => ("remove", value(random)),
            5..7 => ("contains", value(random)),
            // Half of the histories read the whole set, the others have parts.
            _ if unique => ("read", Value::Nil),
            _ => ("contains", value(random)),
        },
        Object::Counter => match random.random_range(0..5) {
            0 => ("add", Value::Int(random.random_range(-2..=3))),
            1 => ("inc", Value::Int(1)),
            2 => ("dec", Value::Int(random.random_range(1..=2))),
            _ => ("read", Value::Nil),
        },
        Object::FifoQueue if first => ("enqueue", value(random)),
        Object::FifoQueue => ("dequeue", Value::Nil),
        Object::Stack if first => ("push", value(random)),
        Object::Stack => ("pop", Value::Nil),
        Object::PriorityQueue if first => ("insert", value(random)),
        Object::PriorityQueue => ("delete-min", Value::Nil),
        Object::AppendString => {
            key = Some(["x", "y"][random.random_range(0..2)].into());
            let pieces = ["a", "b", "ab", "ba"];
            match (first, unique) {
                (true, _) if random.random_bool(0.2) => {
                    ("put", Value::from(pieces[random.random_range(0..4)]))
                }
                (true, true) => ("append", Value::from(format!("{index};").as_str())),
                (true, false) => ("append", Value::from(pieces[random.random_range(0..4)])),
                (false, _) => ("get", Value::Nil),
            }
        }
        Object::UniqueIds => ("generate", Value::Nil),
    };
    Operation {
        index: index as u64,
        process: random.random_range(0..3),
        node: None,
        f: Function::from_name(f),
        key,
        input,
        output: Value::Nil,
        invoke: Time(0),
        complete: None,
        outcome: Outcome::Ok,
        intended: None,
        error: None,
    }
}

/// A valid history of clients that are always busy, each operation served at a random instant
/// between its invocation and its completion. Every operation has an answer.
pub fn busy(
    random: &mut ChaCha8Rng,
    object: Object,
    clients: u64,
    operations: usize,
) -> Vec<Operation> {
    let mut free_at: Vec<u64> = (0..clients).map(|_| random.random_range(0..1_000)).collect();
    let mut served = Vec::with_capacity(operations);
    for index in 0..operations {
        let client = (0..free_at.len()).min_by_key(|client| free_at[*client]).unwrap();
        let invoke = free_at[client];
        let effect = invoke + random.random_range(1..40_000);
        let complete = effect + random.random_range(1..40_000);
        free_at[client] = complete + random.random_range(1..2_000);
        served.push((effect, index, client as u64, invoke, complete));
    }
    served.sort_unstable();
    let mut state = object.first(&initial(object));
    let mut operations: Vec<Operation> = served
        .into_iter()
        .map(|(_, index, client, invoke, complete)| {
            let mut operation = request(random, object, index, true);
            operation.process = client;
            operation.invoke = Time(invoke);
            operation.complete = Some(Time(complete));
            match object.serve(&state, &operation) {
                None => operation.outcome = Outcome::Fail,
                Some((next, answer)) => {
                    state = next;
                    operation.output = answer;
                }
            }
            operation
        })
        .collect();
    operations.sort_by_key(|operation| (operation.invoke, operation.index));
    operations
}

//! Small histories of transactions as a store with one of several faults would answer them, and
//! long ones without a fault.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use splitbrain_checkers::history::{Function, History, Operation, Outcome, Time, Value};
use splitbrain_checkers::transactions::Workload;

/// What the store gets wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing: one transaction after the other.
    None,
    /// Each transaction reads what was there some time ago.
    Stale,
    /// Each read does.
    Fuzzy,
    /// Each read does, and may see a part of a transaction, or one that did not commit.
    Dirty,
}

const FAULTS: [Fault; 6] =
    [Fault::None, Fault::Stale, Fault::Fuzzy, Fault::Dirty, Fault::Dirty, Fault::Dirty];

fn micro(f: &str, key: i64, value: Value) -> Value {
    named(&f.into(), key, value)
}

/// The same with a name that is shared, as readers of files leave it.
fn named(f: &Value, key: i64, value: Value) -> Value {
    Value::list([f.clone(), key.into(), value])
}

/// Up to `most` transactions of up to three micro-operations on up to three keys.
pub fn history(random: &mut ChaCha8Rng, workload: Workload, most: usize) -> History {
    let fault = FAULTS[random.random_range(0..FAULTS.len())];
    let is_late = random.random_bool(0.3);
    let keys = random.random_range(1..=3_i64);
    let count = random.random_range(1..=most);
    // All writes that took effect: after which transaction, key, value.
    let mut log: Vec<(usize, i64, Value)> = Vec::new();
    let mut next_value = 1;
    let mut operations = Vec::new();
    for number in 0..count {
        let snapshot = match fault {
            Fault::None => number,
            _ => number - random.random_range(0..=number.min(2)),
        };
        let mut own: Vec<(usize, i64, Value)> = Vec::new();
        let (mut input, mut output) = (Vec::new(), Vec::new());
        for _ in 0..random.random_range(1..=3) {
            let key = random.random_range(1..=keys);
            let can_replace = workload == Workload::RwRegister && random.random_bool(0.6);
            if random.random_bool(0.5) {
                let at = match fault {
                    Fault::Fuzzy | Fault::Dirty => number - random.random_range(0..=number.min(2)),
                    _ => snapshot,
                };
                let log = match fault {
                    Fault::Dirty => &log[..log.len() - random.random_range(0..=log.len().min(3))],
                    _ => &log,
                };
                let found = read(random, log, &own, key, at, workload);
                input.push(micro("r", key, Value::Nil));
                output.push(micro("r", key, found));
                if !can_replace {
                    continue;
                }
            }
            let f = if workload == Workload::ListAppend { "append" } else { "w" };
            own.push((number, key, next_value.into()));
            input.push(micro(f, key, next_value.into()));
            output.push(micro(f, key, next_value.into()));
            next_value += 1;
        }
        let worst = if fault == Fault::Dirty { 125 } else { 100 };
        let (outcome, takes_effect) = match random.random_range(0..worst) {
            0..84 => (Outcome::Ok, true),
            84..90 => (Outcome::Info, true),
            90..94 => (Outcome::Info, false),
            94..99 => (Outcome::Fail, false),
            // Read by others, as only a dirty store lets them.
            _ => (Outcome::Fail, true),
        };
        if takes_effect {
            log.extend(own);
        }
        let middle = 100 + 10 * if is_late { random.random_range(0..count) } else { number } as u64;
        let invoke = Time(middle - random.random_range(0..25));
        let complete = Time(middle + random.random_range(0..25));
        operations.push(Operation {
            index: 0,
            process: 0,
            node: None,
            f: Function::from_name("txn"),
            key: None,
            input: Value::List(input.into()),
            output: if outcome == Outcome::Ok { Value::List(output.into()) } else { Value::Nil },
            invoke,
            complete: Some(complete),
            outcome,
            intended: None,
            error: None,
        });
    }
    if fault == Fault::Dirty {
        for _ in 0..random.random_range(1..=3) {
            read_from_any_time(random, &mut operations, &log, count, workload);
        }
    }
    operations.sort_by_key(|operation| operation.invoke);
    assign_processes(random, &mut operations);
    History { operations, ..History::default() }
}

/// Gives each operation to a process that is idle and not retired.
fn assign_processes(random: &mut ChaCha8Rng, operations: &mut [Operation]) {
    let mut idle_from: Vec<Option<Time>> = Vec::new();
    for (index, operation) in operations.iter_mut().enumerate() {
        let idle = |time: &Option<Time>| time.is_some_and(|time| time <= operation.invoke);
        let known = idle_from.iter().position(idle).filter(|_| random.random_bool(0.7));
        let process = known.unwrap_or(idle_from.len());
        if process == idle_from.len() {
            idle_from.push(None);
        }
        idle_from[process] = operation.complete.filter(|_| operation.outcome != Outcome::Info);
        operation.process = process as u64;
        operation.index = index as u64;
    }
}

/// What a read returns of the first `at` transactions and of its own; seldom something wrong.
fn read(
    random: &mut ChaCha8Rng,
    log: &[(usize, i64, Value)],
    own: &[(usize, i64, Value)],
    key: i64,
    at: usize,
    workload: Workload,
) -> Value {
    let before = log.iter().filter(|(number, ..)| *number < at).chain(own);
    let mut found: Vec<Value> =
        before.filter(|(_, of, _)| *of == key).map(|(_, _, value)| value.clone()).collect();
    if random.random_bool(0.03) {
        match (random.random_range(0..10), found.len()) {
            (0, _) => found.push(1000.into()),
            (1, 1..) => found.push(found[0].clone()),
            (2..5, 2..) => found.swap(0, 1),
            (5..8, 1..) => drop(found.remove(0)),
            (_, 1..) => drop(found.pop()),
            _ => {}
        }
    }
    match workload {
        Workload::ListAppend => Value::List(found.into()),
        Workload::RwRegister => found.pop().unwrap_or_default(),
    }
}

/// Lets one transaction read what was there at any time, also after it.
fn read_from_any_time(
    random: &mut ChaCha8Rng,
    operations: &mut [Operation],
    log: &[(usize, i64, Value)],
    count: usize,
    workload: Workload,
) {
    let chosen = random.random_range(0..operations.len());
    let Value::List(forms) = &mut operations[chosen].output else { return };
    for form in forms {
        let Value::List(parts) = form else { continue };
        let (Value::Text(f), Value::Int(key)) = (&parts[0], &parts[1]) else { continue };
        if &**f == "r" {
            let at = random.random_range(0..=count);
            parts[2] = read(random, log, &[], *key, at, workload);
        }
    }
}

/// What transactions of a long history do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Load {
    Lists,
    /// Each is read before it is written, so that the order of its versions is known.
    Registers,
    BlindRegisters,
}

const CLIENTS: u64 = 20;
const KEYS: usize = 10;
const WRITES_PER_KEY: i64 = 100;

/// A realistic load, strict serializable by construction: 20 clients that are always busy, 1 to
/// 4 micro-operations, half of them reads, 10 keys at a time, each retired after 100 writes.
/// Transactions take effect one after the other, each between its invocation and its end.
pub fn long(seed: u64, load: Load, count: usize) -> History {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let is_list = load == Load::Lists;
    let [r, f] = ["r", if is_list { "append" } else { "w" }].map(Value::from);
    let (txn, mut next_key) = (Function::from_name("txn"), KEYS as i64);
    let mut keys: Vec<(i64, Vec<Value>)> = (0..KEYS as i64).map(|key| (key, Vec::new())).collect();
    let mut operations = Vec::with_capacity(count);
    for number in 0..count as u64 {
        let (mut input, mut output) = (Vec::new(), Vec::new());
        for _ in 0..random.random_range(1..=4) {
            let (key, written) = &mut keys[random.random_range(0..KEYS)];
            let is_read = random.random_bool(0.5);
            if is_read || load == Load::Registers {
                let found = match is_list {
                    true => Value::List(written.as_slice().into()),
                    false => written.last().cloned().unwrap_or_default(),
                };
                input.push(named(&r, *key, Value::Nil));
                output.push(named(&r, *key, found));
            }
            if is_read {
                continue;
            }
            let value = Value::Int(written.len() as i64 + 1);
            input.push(named(&f, *key, value.clone()));
            output.push(named(&f, *key, value.clone()));
            written.push(value);
            if written.len() as i64 == WRITES_PER_KEY {
                (*key, *written) = (next_key, Vec::new());
                next_key += 1;
            }
        }
        let middle = 1_000 + 10 * number;
        operations.push(Operation {
            index: number,
            process: number % CLIENTS,
            node: None,
            f: txn.clone(),
            key: None,
            input: Value::List(input.into()),
            output: Value::List(output.into()),
            invoke: Time(middle - random.random_range(0..100)),
            complete: Some(Time(middle + random.random_range(0..100))),
            outcome: Outcome::Ok,
            intended: None,
            error: None,
        });
    }
    operations.sort_by_key(|operation| operation.invoke);
    History { operations, ..History::default() }
}

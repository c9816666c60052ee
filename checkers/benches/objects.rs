//! How fast long histories of sets, counters, locks and the like are checked, and in how much
//! memory.
//!
//! ```text
//! cargo bench -p splitbrain-checkers --bench objects [-- CHECKER]
//! ```
//!
//! Plain harness: for each checker n, 2n, 4n and 8n operations, each in a process of its own, so
//! that its peak memory is that of one history and one check. All histories are valid by
//! construction: 20 clients that are always busy. Sets are read 20 times as a whole, however long
//! the history is.

mod usage;

use std::time::Instant;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use splitbrain_checkers::checker::Options;
use splitbrain_checkers::history::{Function, History, Operation, Outcome, Time, Value};
use splitbrain_checkers::registry;
use usage::{peak_memory_mb, processor};

/// Checkers and their smallest number of operations.
const CASES: &[(&str, usize)] = &[
    ("set", 50_000),
    ("set-full", 50_000),
    ("linearizable-set", 50_000),
    ("counter", 100_000),
    ("lock", 100_000),
    ("mutex", 100_000),
    ("unique-ids", 100_000),
    ("bank", 100_000),
    ("long-fork", 100_000),
    ("monotonic", 100_000),
    ("monotonic-process", 100_000),
];

/// Name, number of operations: in a process of its own.
const ONE: &str = "SPLITBRAIN_BENCH_ONE";

fn main() {
    if let Ok(one) = std::env::var(ONE) {
        let (name, count) = one.split_once(' ').unwrap();
        return run(name, count.parse().unwrap());
    }
    let wanted = std::env::args().skip(1).find(|argument| !argument.starts_with("--"));
    println!("checker              operations    seconds    of CPU   history MB      peak MB");
    for (name, count) in
        CASES.iter().filter(|(name, _)| wanted.as_deref().is_none_or(|w| w == *name))
    {
        for count in [1, 2, 4, 8].map(|times| times * count) {
            let status = std::process::Command::new(std::env::current_exe().unwrap())
                .env(ONE, format!("{name} {count}"))
                .status()
                .unwrap();
            assert!(status.success());
        }
    }
}

fn run(name: &str, count: usize) {
    let checker = registry::find(name).unwrap();
    let history = history(name, count);
    let before = peak_memory_mb();
    let (start, busy) = (Instant::now(), processor());
    let finding = checker.run(&history, &Options::default());
    let (took, busy) = (start.elapsed().as_secs_f64(), (processor() - busy).as_secs_f64());
    let after = peak_memory_mb();
    println!("{name:<20} {count:>10} {took:>10.3} {busy:>10.3} {before:>12} {after:>12}");
    assert!(finding.validity.is_valid(), "{finding:?}");
}

fn history(name: &str, count: usize) -> History {
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let mut object = Object::default();
    let mut operations: Vec<Operation> = (0..count as u64)
        .map(|number| {
            let (f, input, output) = object.serve(&mut random, name, number, count as u64);
            // A lock is waited for, and given back at once; others are served meanwhile.
            let (before, after) = match (name, number % 2) {
                ("lock" | "mutex", 0) => (random.random_range(0..20_000), 10),
                ("lock" | "mutex", _) => (10, random.random_range(0..2_000)),
                _ => (random.random_range(0..10_000), random.random_range(0..10_000)),
            };
            // The last operation is alone, so that a set has a final read.
            let apart = if number + 1 == count as u64 { 100_000 } else { 0 };
            let effect = 20_000 + 1_000 * number + apart;
            Operation {
                index: number,
                process: if matches!(name, "lock" | "mutex") {
                    number / 2 % 97
                } else {
                    number % 20
                },
                node: None,
                f: Function::from_name(f),
                key: None,
                input,
                output,
                invoke: Time(effect - before),
                complete: Some(Time(effect + after)),
                outcome: Outcome::Ok,
                intended: None,
                error: None,
            }
        })
        .collect();
    operations.sort_by_key(|operation| operation.invoke);
    History { operations, nemesis: Vec::new(), end: Time(0) }
}

/// What the operations so far left.
#[derive(Default)]
struct Object {
    elements: Vec<Value>,
    sum: i64,
    balances: [i64; 8],
    written: Vec<bool>,
}

impl Object {
    fn serve(
        &mut self,
        random: &mut ChaCha8Rng,
        name: &str,
        number: u64,
        count: u64,
    ) -> (&'static str, Value, Value) {
        let integer = Value::Int(number as i64);
        match name {
            "set" | "set-full" | "linearizable-set" if number % (count / 20) == count / 20 - 1 => {
                ("read", Value::Nil, Value::List(self.elements.clone().into()))
            }
            "set" | "set-full" | "linearizable-set" => {
                self.elements.push(integer.clone());
                ("add", integer.clone(), integer)
            }
            "counter" | "monotonic" | "monotonic-process" if number.is_multiple_of(2) => {
                ("read", Value::Nil, Value::Int(self.sum))
            }
            "counter" => {
                let delta = random.random_range(1..=5);
                self.sum += delta;
                ("add", Value::Int(delta), Value::Int(delta))
            }
            "monotonic" | "monotonic-process" => {
                self.sum += 1;
                ("inc", Value::Nil, Value::Int(self.sum))
            }
            "lock" | "mutex" if number.is_multiple_of(2) => ("acquire", Value::Nil, integer),
            "lock" | "mutex" => ("release", Value::Nil, Value::Nil),
            "unique-ids" => ("generate", Value::Nil, integer),
            "bank" => self.bank(random),
            "long-fork" => self.long_fork(random),
            other => panic!("{other}"),
        }
    }

    fn bank(&mut self, random: &mut ChaCha8Rng) -> (&'static str, Value, Value) {
        if self.balances == [0; 8] {
            self.balances[0] = 100;
        }
        let (from, to) = (random.random_range(0..8), random.random_range(0..8));
        if random.random_bool(0.5) || self.balances[from] == 0 {
            let balances = self.balances.iter().enumerate();
            let map = balances.map(|(a, b)| Value::pair(Value::Int(a as i64), Value::Int(*b)));
            return ("read", Value::Nil, Value::List(map.collect()));
        }
        self.balances[from] -= 1;
        self.balances[to] += 1;
        let field = |name: &str, value: usize| Value::pair(name.into(), Value::Int(value as i64));
        let transfer = [field("from", from), field("to", to), field("amount", 1)];
        let transfer = Value::list(transfer);
        ("transfer", transfer.clone(), transfer)
    }

    /// Groups of ten keys; one is written, then read ten times.
    fn long_fork(&mut self, random: &mut ChaCha8Rng) -> (&'static str, Value, Value) {
        let micro = |f: &str, key: usize, value: Value| {
            Value::list([f.into(), Value::Int(key as i64), value])
        };
        if random.random_bool(0.1) || self.written.is_empty() {
            let key = self.written.len();
            self.written.push(true);
            let write = Value::list([micro("w", key, Value::Int(1))]);
            return ("write", write.clone(), write);
        }
        let group = (self.written.len() - 1) / 10 * 10;
        let read = (group..group + 10).map(|key| {
            let is_written = key < self.written.len();
            micro("r", key, if is_written { Value::Int(1) } else { Value::Nil })
        });
        ("read", Value::Nil, Value::List(read.collect()))
    }
}

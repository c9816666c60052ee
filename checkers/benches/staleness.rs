//! How long measuring staleness takes, and in how much memory.
//!
//! ```text
//! cargo bench -p splitbrain-checkers --bench staleness [-- OPERATIONS]
//! ```
//!
//! Plain harness, sizes n, 2n, 4n and 8n, each in a process of its own so that peak memory is its
//! own (operations included); processor time, so that other work on the machine does not count.
//! One key, 20 clients that are always busy, half of the operations reads. Three histories:
//! *valid*; *stale*, where one read in a hundred returns what reads had seen up to 20 versions
//! before; and *lagging*, where every other read is served by a copy that is one write behind: 2-
//! atomic by construction, in long pieces.

#[path = "../tests/support/mod.rs"]
mod support;
mod usage;

use std::collections::BTreeMap;
use std::process::Command;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use splitbrain_checkers::history::{Function, Operation, Outcome, Time, Value};
use splitbrain_checkers::staleness::{Settings, measure_key};
use support::generate::{self, Shape};
use usage::{peak_memory_mb, processor};

const KINDS: [&str; 3] = ["valid", "stale", "lagging"];

fn main() {
    let arguments: Vec<String> =
        std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let count = arguments.first().map_or(125_000, |count| count.parse().unwrap());
    if let Some(kind) = arguments.get(1) {
        return run(kind, count);
    }
    for kind in KINDS {
        for size in [count, 2 * count, 4 * count, 8 * count] {
            let this = std::env::current_exe().unwrap();
            let status = Command::new(this).args([&size.to_string(), kind]).status().unwrap();
            assert!(status.success());
        }
    }
}

fn run(kind: &str, count: usize) {
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let shape =
        Shape { operations: count, clients: 20, writes: 30, cas: 20, unanswered: 5, values: 0 };
    let operations = match kind {
        "valid" => generate::valid(&mut random, shape),
        "stale" => {
            let valid = generate::valid(&mut random, shape);
            stale(&mut random, valid)
        }
        _ => lagging(&mut random, count),
    };
    let start = processor();
    let measured = measure_key(&operations, &Settings::default()).unwrap();
    let took = (processor() - start).as_nanos() as u64;
    println!(
        "{kind:<12} {count:>9} operations {:>8.3} s {:>6} ns each {:>6} MB   {} stale, {:?}, {:?}",
        took as f64 / 1e9,
        took / count as u64,
        peak_memory_mb(),
        measured.stale,
        measured.least_delta.unwrap_or_default(),
        measured.least_k,
    );
}

/// Makes one read in a hundred return what reads that had ended before had seen, up to 20 values
/// back.
fn stale(random: &mut ChaCha8Rng, mut operations: Vec<Operation>) -> Vec<Operation> {
    let mut in_flight: BTreeMap<(Time, u64), Value> = BTreeMap::new();
    let mut seen: Vec<Value> = vec![Value::Nil];
    for operation in &mut operations {
        if operation.f != Function::Read || operation.outcome != Outcome::Ok {
            continue;
        }
        while let Some(entry) = in_flight.first_entry()
            && entry.key().0 < operation.invoke
        {
            let value = entry.remove();
            if seen.last() != Some(&value) {
                seen.push(value);
            }
        }
        let end = operation.complete.unwrap();
        in_flight.insert((end, operation.index), operation.output.clone());
        if random.random_range(0..100) == 0 {
            let back = random.random_range(1..=20);
            operation.output = seen[seen.len().saturating_sub(back)].clone();
        }
    }
    operations
}

/// Reads and writes that take effect one after the other, at a random instant of each; a read
/// returns the last value or the one before.
fn lagging(random: &mut ChaCha8Rng, count: usize) -> Vec<Operation> {
    let mut free_at: [u64; 20] = std::array::from_fn(|client| client as u64 * 1_000);
    let mut spans: Vec<(u64, u64, u64)> = (0..count)
        .map(|number| {
            let invoke = free_at[number % 20];
            let effect = invoke + random.random_range(1..40_000);
            let complete = effect + random.random_range(1..40_000);
            free_at[number % 20] = complete + random.random_range(1..2_000);
            (effect, invoke, complete)
        })
        .collect();
    spans.sort_unstable();
    let mut last = [Value::Nil, Value::Nil];
    let serve = |(index, (_, invoke, complete)): (usize, (u64, u64, u64))| {
        let (f, values) = if random.random_bool(0.5) {
            let value = last[random.random_range(0..2)].clone();
            (Function::Read, (Value::Nil, value))
        } else {
            let value = Value::Int(index as i64);
            last = [value.clone(), std::mem::take(&mut last[0])];
            (Function::Write, (value.clone(), value))
        };
        let interval = (invoke, Some(complete));
        generate::operation(index as u64, f, values, interval, Outcome::Ok)
    };
    spans.into_iter().enumerate().map(serve).collect()
}

//! How long measuring staleness takes, and in how much memory.
//!
//! ```text
//! cargo bench -p splitbrain-checkers --bench staleness [-- OPERATIONS]
//! ```
//!
//! Plain harness, sizes n, 2n, 4n and 8n, each in a process of its own so that peak memory is its
//! own (operations included); processor time, so that other work on the machine does not count.
//! One key, 20 clients that are always busy, half of the operations reads. Three histories:
//! *valid*; *some stale*, where one read in a hundred returns what was written some versions
//! before; and *lagging*, where during every other 10 ms each read may come from a copy that is a
//! little behind, so that long pieces have to be tested for k = 2 and more.

#[path = "../tests/support/mod.rs"]
mod support;

use std::collections::BTreeMap;
use std::process::Command;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use splitbrain_checkers::history::{Function, Operation, Outcome, Time, Value};
use splitbrain_checkers::staleness::{Settings, measure_key};
use support::generate::{self, Shape};

const KINDS: [&str; 3] = ["valid", "some stale", "lagging"];

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
    let cas = if kind == "lagging" { 0 } else { 20 };
    let shape = Shape { operations: count, clients: 20, writes: 30, cas, unanswered: 5, values: 0 };
    let mut operations = generate::valid(&mut random, shape);
    match kind {
        "some stale" => spoil(&mut random, &mut operations, |_| true, 100, 20),
        "lagging" => {
            let lags = |operation: &Operation| operation.invoke.0 / 10_000_000 % 2 == 1;
            spoil(&mut random, &mut operations, lags, 1, 1);
        }
        _ => {}
    }
    let start = processor_time_ns();
    let measured = measure_key(&operations, &Settings::default()).unwrap();
    let took = processor_time_ns() - start;
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

/// Makes one of `every` of these reads return what one of the last `most` values was that reads
/// before it had seen.
fn spoil(
    random: &mut ChaCha8Rng,
    operations: &mut [Operation],
    which: impl Fn(&Operation) -> bool,
    every: u32,
    most: usize,
) {
    let mut in_flight: BTreeMap<(Time, u64), Value> = BTreeMap::new();
    let mut seen: Vec<Value> = vec![Value::Nil];
    for operation in operations.iter_mut() {
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
        if which(operation) && random.random_range(0..every) == 0 {
            let back = random.random_range(1..=most);
            operation.output = seen[seen.len().saturating_sub(back)].clone();
        }
    }
}

/// How long this thread has been running on a processor.
fn processor_time_ns() -> u64 {
    let text = std::fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    text.split(' ').next().and_then(|first| first.parse().ok()).unwrap_or(0)
}

/// The most memory that this process ever held.
fn peak_memory_mb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse().ok());
    kilobytes.unwrap_or(0_u64) / 1024
}

//! How long measuring staleness takes, and in how much memory.
//!
//! ```text
//! cargo bench -p splitbrain-checkers --bench staleness [-- OPERATIONS]
//! ```
//!
//! Plain harness, sizes n, 2n, 4n and 8n, each in a process of its own so that peak memory is its
//! own (operations included). One key, 20 clients that are always busy, half of the operations
//! reads. Three histories: *valid*; *some stale*, where one read in a hundred returns what was
//! written some versions before; and *lagging*, where reads of every other second come from a copy
//! that is one write behind, so that long pieces have to be tested for k = 2.

#[path = "../tests/support/mod.rs"]
mod support;

use std::process::Command;
use std::time::Instant;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use splitbrain_checkers::history::{Function, Operation, Outcome, Value};
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
            let lags = |operation: &Operation| operation.invoke.0 / 1_000_000_000 % 2 == 1;
            spoil(&mut random, &mut operations, lags, 1, 1);
        }
        _ => {}
    }
    let start = Instant::now();
    let measured = measure_key(&operations, &Settings::default()).unwrap();
    let took = start.elapsed();
    println!(
        "{kind:<12} {count:>9} operations {:>8.3} s {:>6.0} ns each {:>6} MB   {} stale, {:?}, {:?}",
        took.as_secs_f64(),
        took.as_nanos() as f64 / count as f64,
        peak_memory_mb(),
        measured.stale,
        measured.least_delta.unwrap_or_default(),
        measured.least_k,
    );
}

/// Makes one of `every` of these reads return what was read up to `most` versions before.
fn spoil(
    random: &mut ChaCha8Rng,
    operations: &mut [Operation],
    which: impl Fn(&Operation) -> bool,
    every: u32,
    most: usize,
) {
    let mut versions: Vec<Value> = vec![Value::Nil];
    let mut number = rustc_hash::FxHashMap::default();
    for operation in operations.iter_mut() {
        if operation.f != Function::Read || operation.outcome != Outcome::Ok {
            continue;
        }
        let newest = *number.entry(operation.output.clone()).or_insert_with(|| {
            versions.push(operation.output.clone());
            versions.len() - 1
        });
        if which(operation) && random.random_range(0..every) == 0 {
            let back = random.random_range(0..=most);
            operation.output = versions[newest.saturating_sub(back)].clone();
        }
    }
}

/// The most memory that this process ever held.
fn peak_memory_mb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse().ok());
    kilobytes.unwrap_or(0_u64) / 1024
}

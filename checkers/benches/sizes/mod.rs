//! Checks histories of n, 2n, 4n and 8n operations, each in a process of its own, so that peak
//! memory is that of one size.

use std::time::Instant;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use splitbrain_checkers::history::{Operation, Outcome, Value};

use crate::containers::generate::{self, Shape};
use crate::containers::{Check, Kind, run};
use crate::usage::{forget_peak, peak_memory_mb, processor, resident_memory_mb};

const SIZE: &str = "SPLITBRAIN_BENCH_SIZE";

/// 20 clients that are always busy; half of the operations put a value in. The first argument is
/// the largest size, a million if not given.
pub fn run_sizes(kind: Kind, check: Check) {
    if let Ok(size) = std::env::var(SIZE) {
        let (operations, unanswered) = size.split_once(' ').unwrap();
        return run_one(kind, check, operations.parse().unwrap(), unanswered.parse().unwrap());
    }
    let mut arguments = std::env::args().skip(1).filter(|argument| !argument.starts_with("--"));
    let most: usize = arguments.next().map_or(1_000_000, |count| count.parse().unwrap());
    println!("{kind:?}: valid histories in memory, 20 clients");
    for unanswered in [0, 5] {
        println!("{unanswered} of 10,000 operations without an answer");
        for size in [most / 8, most / 4, most / 2, most] {
            let this = std::env::current_exe().unwrap();
            let status = std::process::Command::new(this)
                .env(SIZE, format!("{size} {unanswered}"))
                .status()
                .unwrap();
            assert!(status.success());
        }
    }
}

fn run_one(kind: Kind, check: Check, operations: usize, unanswered: u32) {
    let shape = Shape { operations, clients: 20, adds: 5_000, unanswered, failed: 0 };
    let mut history = generate::valid(&mut ChaCha8Rng::seed_from_u64(1), kind, shape);
    forget_peak();
    let before = resident_memory_mb();
    let (start, cpu) = (Instant::now(), processor());
    let result = run(check, &history);
    let (took, cpu) = (start.elapsed().as_secs_f64(), (processor() - cpu).as_secs_f64());
    println!(
        "{operations:>9} operations {took:>7.3} s (cpu {cpu:.2} s), {:>5.0} ns each; \
         history {before} MB, peak {} MB; {:?}",
        took * 1e9 / operations as f64,
        peak_memory_mb(),
        result.validity,
    );
    assert!(!result.validity.is_invalid());
    if unanswered == 0 {
        spoil(&mut history);
        let cpu = processor();
        let result = run(check, &history);
        let witness = result.validity.witness().expect("a value was lost");
        println!(
            "          with one value lost: cpu {:.2} s, {} of {} operations in the witness",
            (processor() - cpu).as_secs_f64(),
            witness.operations.len(),
            history.len(),
        );
    }
}

/// Denies that the removal in the middle took effect: its value never came out.
fn spoil(history: &mut [Operation]) {
    let returned: Vec<usize> = (0..history.len())
        .filter(|i| history[*i].input == Value::Nil && history[*i].output != Value::Nil)
        .collect();
    history[returned[returned.len() / 2]].outcome = Outcome::Fail;
}

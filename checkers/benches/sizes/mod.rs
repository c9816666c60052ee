//! Checks histories of n, 2n, 4n and 8n operations, each in a process of its own, so that peak
//! memory is that of one size.

use std::time::Instant;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use splitbrain_checkers::history::{Operation, Outcome, Value};

use crate::containers::generate::{self, Shape};
use crate::containers::{Check, Kind, run};

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
    // Forget the peak of making the history.
    std::fs::write("/proc/self/clear_refs", "5").ok();
    let before = status_mb("VmRSS:");
    let (start, cpu) = (Instant::now(), cpu_seconds());
    let result = run(check, &history);
    let (took, cpu) = (start.elapsed().as_secs_f64(), cpu_seconds() - cpu);
    println!(
        "{operations:>9} operations {took:>7.3} s (cpu {cpu:.2} s), {:>5.0} ns each; \
         history {before} MB, peak {} MB; {:?}",
        took * 1e9 / operations as f64,
        status_mb("VmHWM:"),
        result.validity,
    );
    assert!(!result.validity.is_invalid());
    if unanswered == 0 {
        spoil(&mut history);
        let cpu = cpu_seconds();
        let result = run(check, &history);
        let witness = result.validity.witness().expect("a value was lost");
        println!(
            "          with one value lost: cpu {:.2} s, {} of {} operations in the witness",
            cpu_seconds() - cpu,
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

/// What this process used of the processor, to a hundredth; on a busy machine it says more than
/// the time that passed.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name of the program, in parentheses, may hold blanks.
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    let ticks = fields.skip(11).take(2).filter_map(|field| field.parse::<f64>().ok());
    ticks.sum::<f64>() / 100.0
}

/// A line of this process's memory.
fn status_mb(what: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(what));
    let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse().ok());
    kilobytes.unwrap_or(0_u64) / 1024
}

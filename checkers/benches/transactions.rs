//! How fast long histories of transactions are checked, and in how much memory.
//!
//! ```text
//! cargo bench -p splitbrain-checkers --bench transactions [-- SMALLEST]
//! ```
//!
//! Plain harness: one run for each of n, 2n, 4n and 8n transactions, each in a process of its
//! own. 20 clients that are always busy, 1 to 4 micro-operations, half of them reads, 10 keys at
//! a time, each retired after 100 writes: strict serializable by construction. Then the same with
//! one stale read, and as registers. The memory of the history itself is told apart: it holds
//! every list that was read.

#[path = "../tests/transactions_support/mod.rs"]
mod transactions_support;

use std::process::Command;
use std::time::Instant;

use splitbrain_checkers::checker::{Checker, Options};
use splitbrain_checkers::finding::Validity;
use splitbrain_checkers::history::{History, Value};
use splitbrain_checkers::transactions::{LIST_APPEND, Model, RW_REGISTER, Workload};
use transactions_support::generate;

fn main() {
    let arguments: Vec<String> =
        std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    match arguments.as_slice() {
        [workload, fault, count] => run(workload, fault == "stale", count.parse().unwrap()),
        rest => {
            let smallest: usize = rest.first().map_or(125_000, |count| count.parse().unwrap());
            for (workload, fault) in
                [("list-append", "valid"), ("list-append", "stale"), ("rw-register", "valid")]
            {
                for factor in [1, 2, 4, 8] {
                    let count = (factor * smallest).to_string();
                    let this = std::env::current_exe().unwrap();
                    let status =
                        Command::new(this).args([workload, fault, &count]).status().unwrap();
                    assert!(status.success());
                }
            }
        }
    }
}

fn run(workload: &str, is_stale: bool, count: usize) {
    let checker: Checker = if workload == LIST_APPEND.name { LIST_APPEND } else { RW_REGISTER };
    let kind = match checker.name == LIST_APPEND.name {
        true => Workload::ListAppend,
        false => Workload::RwRegister,
    };
    let mut history = generate::long(1, kind, count);
    if is_stale {
        spoil(&mut history);
    }
    let before = memory_mb("VmRSS:");
    let options = Options { isolation: Some(Model::StrictSerializable), ..Options::default() };
    let (start, processor) = (Instant::now(), processor_seconds());
    let finding = checker.run(&history, &options);
    let (took, processor) = (start.elapsed(), processor_seconds() - processor);
    let peak = memory_mb("VmHWM:");
    let what = format!("{workload}, {}", if is_stale { "one stale read" } else { "valid" });
    println!(
        "{what:<28} {count:>8} transactions {:>7.3} s, {processor:.3} s of them on a processor, peak \
         {peak} MB, {} MB of them beside the history",
        took.as_secs_f64(),
        peak - before
    );
    match &finding.validity {
        Validity::Invalid { witness } => {
            println!("  {}\n  {}", finding.summary, witness.sentence);
            assert!(is_stale);
        }
        _ => assert!(!is_stale && finding.validity.is_valid(), "{finding:?}"),
    }
}

/// Takes the last three elements from one list that was read, in the middle.
fn spoil(history: &mut History) {
    let middle = history.operations.len() / 2;
    for operation in &mut history.operations[middle..] {
        let Value::List(forms) = &mut operation.output else { continue };
        for form in forms {
            let Value::List(parts) = form else { continue };
            if let Value::List(list) = &parts[2]
                && list.len() > 60
            {
                parts[2] = Value::List(list[..list.len() - 3].into());
                return;
            }
        }
    }
}

/// How long this process has been on a processor: on a busy machine the other figure is longer.
fn processor_seconds() -> f64 {
    let figures = std::fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    let nanoseconds = figures.split(' ').next().and_then(|first| first.parse().ok());
    nanoseconds.unwrap_or(0_f64) / 1e9
}

/// A figure of this process's memory.
fn memory_mb(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse().ok());
    kilobytes.unwrap_or(0_u64) / 1024
}

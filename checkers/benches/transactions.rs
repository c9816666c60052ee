//! How fast long histories of transactions are checked, and in how much memory.
//!
//! ```text
//! cargo bench -p splitbrain-checkers --bench transactions [-- SMALLEST]
//! ```
//!
//! Plain harness: one run for each of n, 2n, 4n and 8n transactions, each in a process of its
//! own, of a load that is strict serializable by construction (see `tests/transactions_support`).
//! Then the same with one stale read, with every read stale, and as registers, also such as are
//! written without a read before. The memory of the history itself is told apart: it holds every
//! list that was read.

#[path = "../tests/transactions_support/mod.rs"]
mod transactions_support;
mod usage;

use std::process::Command;
use std::time::Instant;

use splitbrain_checkers::checker::Options;
use splitbrain_checkers::finding::Validity;
use splitbrain_checkers::history::{History, Value};
use splitbrain_checkers::transactions::{LIST_APPEND, Model, RW_REGISTER};
use transactions_support::generate::{self, Load};
use usage::{peak_memory_mb, processor, resident_memory_mb};

/// Workload and what is special about the load.
const LOADS: [(&str, &str); 5] = [
    ("list-append", "valid"),
    ("list-append", "one stale read"),
    ("list-append", "stale reads"),
    ("rw-register", "valid"),
    ("rw-register", "blind writes"),
];

fn main() {
    let arguments: Vec<String> =
        std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    if let [workload, special, count] = arguments.as_slice() {
        return run(workload, special, count.parse().unwrap());
    }
    let smallest: usize = arguments.first().map_or(125_000, |count| count.parse().unwrap());
    for (workload, special) in LOADS {
        for factor in [1, 2, 4, 8] {
            let count = (factor * smallest).to_string();
            let this = std::env::current_exe().unwrap();
            let status = Command::new(this).args([workload, special, &count]).status().unwrap();
            assert!(status.success());
        }
    }
}

fn run(workload: &str, special: &str, count: usize) {
    let is_list = workload == LIST_APPEND.name;
    let checker = if is_list { LIST_APPEND } else { RW_REGISTER };
    let load = match (is_list, special) {
        (true, _) => Load::Lists,
        (false, "blind writes") => Load::BlindRegisters,
        (false, _) => Load::Registers,
    };
    let mut history = generate::long(1, load, count);
    match special {
        "one stale read" => spoil(&mut history, 1),
        "stale reads" => spoil(&mut history, usize::MAX),
        _ => {}
    }
    let before = resident_memory_mb();
    let options = Options { isolation: Some(Model::StrictSerializable), ..Options::default() };
    let (start, busy) = (Instant::now(), processor());
    let finding = checker.run(&history, &options);
    let (took, busy) = (start.elapsed(), (processor() - busy).as_secs_f64());
    let peak = peak_memory_mb();
    println!(
        "{workload}, {special:<15} {count:>8} transactions {:>7.3} s, {busy:.3} s of them on a \
         processor, peak {peak} MB, {} MB of them beside the history",
        took.as_secs_f64(),
        peak - before
    );
    match &finding.validity {
        Validity::Valid => assert!(!special.contains("stale"), "{finding:?}"),
        Validity::Invalid { witness } => {
            println!("  {}\n  {}", finding.summary, witness.sentence);
            assert!(special.contains("stale"), "{finding:?}");
        }
        // Of blind writes an order is not always found.
        Validity::Unknown { reason } => {
            println!("  {reason}");
            assert_eq!(load, Load::BlindRegisters);
        }
    }
}

/// Takes the last three elements from so many lists that were read, from the middle on.
fn spoil(history: &mut History, mut count: usize) {
    let middle = history.operations.len() / 2;
    for operation in &mut history.operations[middle..] {
        let Value::List(forms) = &mut operation.output else { continue };
        for form in forms {
            let Value::List(parts) = form else { continue };
            if let Value::List(list) = &parts[2]
                && list.len() > 60
                && count > 0
            {
                count -= 1;
                parts[2] = Value::List(list[..list.len() - 3].into());
            }
        }
    }
}

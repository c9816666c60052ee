//! How fast transactions of reads and writes are checked for causal consistency, and in how much
//! memory.
//!
//! ```text
//! cargo bench -p splitbrain-checkers --bench causal [-- TRANSACTIONS [SESSIONS]]
//! ```
//!
//! Plain harness: n, 2n, 4n and 8n transactions (n = 25,000 unless given), each size in a process
//! of its own so that peak memory is that of one size. The histories are causally convergent by
//! construction: every session has a node of its own that gets the others' transactions whole, in
//! each session's order, after random delays, and the newest write wins by a Lamport clock. Each
//! transaction has 8 micro-operations on average, half of them reads, on 1,000 keys.

mod usage;

use std::time::Instant;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use splitbrain_checkers::checker::Options;
use splitbrain_checkers::finding::Finding;
use splitbrain_checkers::history::{Function, History, Operation, Outcome, Time, Value};
use splitbrain_checkers::registry;
use usage::{peak_memory_mb, processor};

const KEYS: usize = 1_000;

fn main() {
    let arguments: Vec<usize> = std::env::args()
        .skip(1)
        .filter(|argument| !argument.starts_with("--"))
        .map(|argument| argument.parse().unwrap())
        .collect();
    let smallest = arguments.first().copied().unwrap_or(25_000);
    let sessions = arguments.get(1).copied().unwrap_or(50);
    if std::env::var("SPLITBRAIN_BENCH_ONE_SIZE").is_ok() {
        return measure(smallest, sessions);
    }
    println!(
        "transactions operations sessions | history MB; then per check time, time on a processor, peak MB"
    );
    for factor in [1, 2, 4, 8] {
        let this = std::env::current_exe().unwrap();
        let status = std::process::Command::new(this)
            .args([(smallest * factor).to_string(), sessions.to_string()])
            .env("SPLITBRAIN_BENCH_ONE_SIZE", "1")
            .status()
            .unwrap();
        assert!(status.success());
    }
}

fn measure(count: usize, sessions: usize) {
    let history = generate(count, sessions);
    let steps: usize = history
        .operations
        .iter()
        .map(|operation| match &operation.output {
            Value::List(steps) => steps.len(),
            _ => 0,
        })
        .sum();
    println!("{count:>12} {steps:>10} {sessions:>8} | {:>7}", peak_memory_mb());
    for model in ["causal-convergence", "causal", "monotonic-reads", "writes-follow-reads"] {
        let finding = run(model, &history, "");
        assert!(finding.validity.is_valid(), "{}", finding.summary);
    }
    // Where the newest write wins a session may see what no view of its own explains, and then
    // each session is looked at alone.
    for model in ["pram", "causal-memory"].into_iter().filter(|_| count <= 50_000) {
        println!("        {}", run(model, &history, "").summary);
    }
    let mut spoiled = history;
    let victim = spoil(&mut spoiled);
    for model in ["causal-convergence", "causal"] {
        let finding = run(model, &spoiled, ", one stale read, with witness");
        let witness = finding.validity.witness().expect("a stale read was planted");
        assert!(witness.operations.len() <= 4, "process {victim}: {}", witness.sentence);
    }
}

fn run(model: &str, history: &History, what: &str) -> Finding {
    let checker = registry::find(model).unwrap();
    let (start, busy) = (Instant::now(), processor());
    let finding = checker.run(history, &Options::default());
    let (took, busy) = (start.elapsed(), processor() - busy);
    println!(
        "    {:<50} {:>8.3} s {:>8.3} s {:>6}",
        format!("{model}{what}"),
        took.as_secs_f64(),
        busy.as_secs_f64(),
        peak_memory_mb()
    );
    finding
}

/// What a node holds of a key: the value and the Lamport time and session that wrote it.
type Held = (u64, usize, i64);

/// A transaction's writes, on their way.
struct Sent {
    at: u64,
    writes: Vec<(usize, i64)>,
}

fn generate(count: usize, sessions: usize) -> History {
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let mut nodes = vec![vec![(0_u64, 0_usize, 0_i64); KEYS]; sessions];
    let mut clocks = vec![0_u64; sessions];
    let mut logs: Vec<Vec<Sent>> = (0..sessions).map(|_| Vec::new()).collect();
    // Per node and origin, how much of the origin's log has arrived, and what the node knew when
    // each was sent: causes come first.
    let mut arrived = vec![vec![0_usize; sessions]; sessions];
    let mut known: Vec<Vec<Vec<u32>>> = (0..sessions).map(|_| Vec::new()).collect();
    let mut fresh = 0;
    let operations = (0..count).map(|number| {
        let session = random.random_range(0..sessions);
        for _ in 0..4 {
            let from = random.random_range(0..sessions);
            while from != session && arrived[session][from] < logs[from].len() {
                let next = arrived[session][from];
                let needs = &known[from][next];
                let has_all = (0..sessions)
                    .all(|o| o == from || arrived[session][o] >= needs[o] as usize || o == session);
                if !has_all || random.random_ratio(1, 8) {
                    break;
                }
                let sent = &logs[from][next];
                clocks[session] = clocks[session].max(sent.at);
                for &(key, value) in &sent.writes {
                    let held: &mut Held = &mut nodes[session][key];
                    if (held.0, held.1) <= (sent.at, from) {
                        *held = (sent.at, from, value);
                    }
                }
                arrived[session][from] += 1;
            }
        }
        clocks[session] += 1;
        let at = clocks[session];
        let mut writes = Vec::new();
        let steps: Vec<Value> = (0..random.random_range(4..=12))
            .map(|_| {
                let key = random.random_range(0..KEYS);
                let (f, value) = if random.random_ratio(1, 2) {
                    ("r", nodes[session][key].2)
                } else {
                    fresh += 1;
                    nodes[session][key] = (at, session, fresh);
                    writes.push((key, fresh));
                    ("w", fresh)
                };
                let value = if value == 0 { Value::Nil } else { Value::Int(value) };
                Value::list([f.into(), Value::Int(key as i64), value])
            })
            .collect();
        arrived[session][session] = logs[session].len() + 1;
        known[session].push(arrived[session].iter().map(|count| *count as u32).collect());
        logs[session].push(Sent { at, writes });
        transaction(number as u64, session as u64, steps)
    });
    History { operations: operations.collect(), ..History::default() }
}

fn transaction(number: u64, process: u64, steps: Vec<Value>) -> Operation {
    Operation {
        index: number,
        process,
        node: None,
        f: Function::Other("txn".into()),
        key: None,
        input: Value::Nil,
        output: Value::List(steps.into()),
        invoke: Time(10 * number),
        complete: Some(Time(10 * number + 5)),
        outcome: Outcome::Ok,
        intended: None,
        error: None,
    }
}

/// Makes a session read again, at the end, what it had overwritten itself; returns the process.
fn spoil(history: &mut History) -> u64 {
    let own = |step: &Value| match step {
        Value::List(parts) if parts[0] == "w".into() => Some((parts[1].clone(), parts[2].clone())),
        _ => None,
    };
    let process = history.operations[0].process;
    let mut written: Vec<(Value, Value)> = Vec::new();
    for operation in history.operations.iter().filter(|o| o.process == process) {
        let Value::List(steps) = &operation.output else { continue };
        // Only what is left at the end of a transaction.
        let mut left: Vec<(Value, Value)> = Vec::new();
        for (key, value) in steps.iter().filter_map(own) {
            left.retain(|(other, _)| *other != key);
            left.push((key, value));
        }
        written.extend(left);
    }
    let last = written.iter().map(|(key, _)| key).collect::<Vec<_>>();
    let (key, old) = (0..written.len())
        .find(|i| last[i + 1..].contains(&&written[*i].0))
        .map(|i| written[i].clone())
        .expect("some key is written twice");
    let end = history.operations.len() as u64;
    let step = Value::list(["r".into(), key, old]);
    history.operations.push(transaction(end, process, vec![step]));
    process
}

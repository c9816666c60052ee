//! How fast a long history is written, read and checked, and in how much memory.
//!
//! ```text
//! cargo bench -p splitbrain-checkers --bench register [-- OPERATIONS [FILE]]
//! ```
//!
//! Plain harness: one run of each step on one history, since a run takes a second. The history
//! is valid by construction: 50 clients that are always busy, one key, 50 % reads, 30 % writes,
//! 20 % cas. It is written to FILE (else to the temporary folder and removed), and read as the
//! program does it: blocks of whole lines parsed on two threads, joined and checked on one.

#[path = "../tests/support/mod.rs"]
mod support;

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use splitbrain_checkers::format::{Chunk, Format, Joiner, Reading, jsonl, write_event};
use splitbrain_checkers::history::{Event, Kind, Operation, Outcome, Process, Time, Value};
use splitbrain_checkers::register::{self, Settings};
use support::generate::{self, Shape};

/// Bytes of one block.
const BLOCK: usize = 1 << 20;

fn main() {
    let mut arguments = std::env::args().skip(1).filter(|argument| !argument.starts_with("--"));
    let count: usize = arguments.next().map_or(1_000_000, |count| count.parse().unwrap());
    let kept = arguments.next().map(PathBuf::from);
    let path = kept.clone().unwrap_or_else(|| {
        std::env::temp_dir().join(format!("splitbrain-bench-{}.jsonl", std::process::id()))
    });
    // In a process of its own, so that peak memory is that of reading and checking.
    match std::env::var("SPLITBRAIN_BENCH_READ") {
        Ok(_) => read_and_check(&path, count),
        Err(_) => {
            write(&path, count);
            let this = std::env::current_exe().unwrap();
            let status = std::process::Command::new(this)
                .args([count.to_string().as_str(), path.to_str().unwrap()])
                .env("SPLITBRAIN_BENCH_READ", "1")
                .status()
                .unwrap();
            if kept.is_none() {
                std::fs::remove_file(&path).unwrap();
            }
            assert!(status.success());
        }
    }
}

fn report(what: &str, took: Duration, operations: usize) {
    let each = took.as_nanos() as f64 / operations as f64;
    println!("{what:<40} {:>8.3} s {each:>8.0} ns/operation", took.as_secs_f64());
}

fn write(path: &Path, count: usize) {
    let shape =
        Shape { operations: count, clients: 50, writes: 30, cas: 20, unanswered: 5, values: 0 };
    let operations = generate::valid(&mut ChaCha8Rng::seed_from_u64(1), shape);
    let events = events(&operations);
    let mut bytes = Vec::with_capacity(events.len() * 130);
    let start = Instant::now();
    for event in &events {
        write_event(event, &mut bytes);
    }
    report("write (two events each), to memory", start.elapsed(), count);
    println!("{:<40} {:>8.1} MB", "file", bytes.len() as f64 / 1e6);
    File::create(path).unwrap().write_all(&bytes).unwrap();
}

/// Invocations and completions in order of time; after an unanswered operation its process is
/// retired.
fn events(operations: &[Operation]) -> Vec<Event> {
    let mut retired = std::collections::BTreeMap::new();
    let mut events = Vec::with_capacity(2 * operations.len());
    for operation in operations {
        let generation: &mut u64 = retired.entry(operation.process).or_default();
        let invoke = Event {
            index: 0,
            time: operation.invoke,
            process: Process::Client(operation.process + 50 * *generation),
            node: operation.node.clone(),
            kind: Kind::Invoke,
            f: operation.f.clone(),
            key: Some("x".into()),
            value: operation.input.clone(),
            intended: None,
            error: None,
        };
        let (kind, error) = match operation.outcome {
            Outcome::Ok => (Kind::Ok, None),
            Outcome::Fail => (Kind::Fail, Some("mismatch".into())),
            Outcome::Info => (Kind::Info, Some("timed out".into())),
        };
        *generation += u64::from(operation.outcome == Outcome::Info);
        let time = operation.complete.unwrap_or(Time(operation.invoke.0 + 100_000));
        let value = operation.output.clone();
        events.push(invoke.clone());
        events.push(Event { time, kind, value, error, ..invoke });
    }
    events.sort_by_key(|event| event.time);
    for (index, event) in events.iter_mut().enumerate() {
        event.index = index as u64;
    }
    events
}

fn read_and_check(path: &Path, count: usize) {
    let all = Instant::now();
    let reading = read_on_two_threads(path);
    report("read, parsed on two threads", all.elapsed(), count);
    assert_eq!((reading.history.operations.len(), reading.problems.len()), (count, 0));
    let start = Instant::now();
    let finding = register::check_history(&reading.history);
    report("check a valid history", start.elapsed(), count);
    println!("{:<40} {:>8.3} s", "read and check together", all.elapsed().as_secs_f64());
    println!("{:<40} {:>8} MB", "peak memory", peak_memory_mb());
    assert!(finding.validity.is_valid(), "{finding:?}");

    let mut operations: Vec<Operation> = reading.history.operations;
    let victims = spoil(&mut operations);
    let start = Instant::now();
    let result = register::check_key(&operations, &Settings::default());
    report("check with stale reads, and witness", start.elapsed(), count);
    let witness = result.validity.witness().expect("stale reads are violations");
    println!("{} stale reads made, {} violations", victims, result.violations);
    println!("{}", witness.sentence);
    println!("instead: {}", witness.instead.as_deref().unwrap_or("-"));
    assert!(witness.operations.len() <= 4);
}

/// Makes a few reads return what an earlier read returned.
fn spoil(operations: &mut [Operation]) -> usize {
    let reads: Vec<usize> = (0..operations.len())
        .filter(|i| operations[*i].f.as_str() == "read" && operations[*i].output != Value::Nil)
        .collect();
    let victims: Vec<usize> = (1..10).map(|tenth| reads.len() * tenth / 10).collect();
    for &victim in &victims {
        let older = operations[reads[victim - 2_000.min(victim)]].output.clone();
        operations[reads[victim]].output = older;
    }
    victims.len()
}

/// One thread reads blocks of whole lines and parses every other one; the second thread parses
/// the rest. This thread joins them in order.
fn read_on_two_threads(path: &Path) -> Reading {
    let mut joiner = Joiner::new(Format::JsonLines);
    let (blocks, to_parse) = mpsc::sync_channel::<Vec<u8>>(1);
    let (chunks, parsed) = mpsc::sync_channel::<Chunk>(1);
    std::thread::scope(|scope| {
        scope.spawn(move || {
            for block in to_parse {
                chunks.send(jsonl::parse_chunk(&block)).unwrap();
            }
        });
        let mut file = BufReader::with_capacity(1 << 16, File::open(path).unwrap());
        loop {
            let (one, other) = (next_block(&mut file), next_block(&mut file));
            let more = !other.is_empty();
            if more {
                blocks.send(other).unwrap();
            }
            joiner.push(jsonl::parse_chunk(&one));
            if !more {
                break;
            }
            joiner.push(parsed.recv().unwrap());
        }
        drop(blocks);
    });
    joiner.finish().unwrap()
}

/// The next lines of the file, about [`BLOCK`] bytes of them.
fn next_block(file: &mut BufReader<File>) -> Vec<u8> {
    let mut block = Vec::with_capacity(BLOCK + 1000);
    file.take(BLOCK as u64).read_to_end(&mut block).unwrap();
    file.read_until(b'\n', &mut block).unwrap();
    block
}

/// The most memory that this process ever held.
fn peak_memory_mb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse().ok());
    kilobytes.unwrap_or(0_u64) / 1024
}

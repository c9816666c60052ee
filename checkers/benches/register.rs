//! How fast a long history is written, read and checked, and in how much memory.
//!
//! ```text
//! cargo bench -p splitbrain-checkers --bench register [-- OPERATIONS [FILE [KEYS]]]
//! ```
//!
//! Plain harness: one run of each step on one history, since a run takes a second. The history
//! is valid by construction: clients that are always busy (50, or 5 for each of several keys),
//! 50 % reads, 30 % writes, 20 % cas. It is written to FILE (else to the temporary folder and
//! removed), and read as the program does it: blocks of whole lines parsed on all cores and
//! joined on one. Keys are checked one after the other.

#[path = "../tests/support/mod.rs"]
mod support;

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use splitbrain_checkers::format::{Format, Joiner, Reading, jsonl, write_event};
use splitbrain_checkers::history::{Event, Kind, Name, Operation, Outcome, Process, Time, Value};
use splitbrain_checkers::register::{self, Settings};
use support::generate::{self, Shape};

/// Bytes of one block.
const BLOCK: usize = 512 << 10;

fn main() {
    let mut arguments = std::env::args().skip(1).filter(|argument| !argument.starts_with("--"));
    let count: usize = arguments.next().map_or(1_000_000, |count| count.parse().unwrap());
    let kept = arguments.next().map(PathBuf::from);
    let keys: usize = arguments.next().map_or(1, |keys| keys.parse().unwrap());
    let path = kept.clone().unwrap_or_else(|| {
        std::env::temp_dir().join(format!("splitbrain-bench-{}.jsonl", std::process::id()))
    });
    // In a process of its own, so that peak memory is that of reading and checking.
    match std::env::var("SPLITBRAIN_BENCH_READ") {
        Ok(_) => read_and_check(&path, count),
        Err(_) => {
            write(&path, count, keys);
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

fn write(path: &Path, count: usize, keys: usize) {
    let clients = if keys == 1 { 50 } else { 5 };
    let shape =
        Shape { operations: count / keys, clients, writes: 30, cas: 20, unanswered: 5, values: 0 };
    let mut events = Vec::with_capacity(2 * count);
    for key in 0..keys {
        let operations = generate::valid(&mut ChaCha8Rng::seed_from_u64(1 + key as u64), shape);
        let (first, all) = (key as u64 * clients, keys as u64 * clients);
        add_events(&operations, key, first, all, &mut events);
    }
    events.sort_by_key(|event| event.time);
    let mut file = BufWriter::new(File::create(path).unwrap());
    let mut line = Vec::new();
    let (mut bytes, mut took) = (0, Duration::ZERO);
    for (index, event) in events.iter_mut().enumerate() {
        event.index = index as u64;
        line.clear();
        let start = Instant::now();
        write_event(event, &mut line);
        took += start.elapsed();
        bytes += line.len();
        file.write_all(&line).unwrap();
    }
    file.flush().unwrap();
    report("write (two events each), to memory", took, events.len() / 2);
    println!("{:<40} {:>8.1} MB", "file", bytes as f64 / 1e6);
}

/// Invocations and completions of one key. Its clients are numbered from `first`; after an
/// unanswered operation a process is retired, and its client goes on as another.
fn add_events(
    operations: &[Operation],
    key: usize,
    first: u64,
    clients: u64,
    events: &mut Vec<Event>,
) {
    let key: Name = format!("x{key}").into();
    let mut retired = std::collections::BTreeMap::new();
    for operation in operations {
        let generation: &mut u64 = retired.entry(operation.process).or_default();
        let invoke = Event {
            index: 0,
            time: operation.invoke,
            process: Process::Client(first + operation.process + clients * *generation),
            node: operation.node.clone(),
            kind: Kind::Invoke,
            f: operation.f.clone(),
            key: Some(key.clone()),
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
}

fn read_and_check(path: &Path, count: usize) {
    let all = Instant::now();
    let reading = read(path);
    report("read, parsed on all cores", all.elapsed(), count);
    println!("{:<40} {:>8.3} s", "processor time, all cores", processor_time().as_secs_f64());
    assert_eq!((reading.history.operations.len(), reading.problems.len()), (count, 0));
    println!("{:<40} {:>8} MB", "peak memory", peak_memory_mb());
    let start = Instant::now();
    let finding = register::check_history(&reading.history);
    report("check a valid history", start.elapsed(), count);
    println!("{:<40} {:>8.3} s", "read and check together", all.elapsed().as_secs_f64());
    println!("{:<40} {:>8.3} s", "processor time, all cores", processor_time().as_secs_f64());
    println!("{:<40} {:>8} MB", "peak memory", peak_memory_mb());
    assert!(finding.validity.is_valid(), "{finding:?}");

    if finding.summary.contains("100 keys") {
        return;
    }
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

/// This thread reads and joins; one for each core parses. Blocks go round, so that they come
/// back in order.
fn read(path: &Path) -> Reading {
    let mut joiner = Joiner::new(Format::JsonLines);
    let mut file = BufReader::with_capacity(1 << 16, File::open(path).unwrap());
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..cores)
            .map(|_| {
                let (blocks, to_parse) = mpsc::sync_channel::<Vec<u8>>(2);
                let (parsed, chunks) = mpsc::sync_channel(2);
                scope.spawn(move || {
                    for block in to_parse {
                        parsed.send(jsonl::parse_chunk(&block)).unwrap();
                    }
                });
                (blocks, chunks)
            })
            .collect();
        let (mut sent, mut joined, mut is_over) = (0, 0, false);
        while !is_over || joined < sent {
            while !is_over && sent - joined < 2 * cores {
                let block = next_block(&mut file);
                is_over = block.is_empty();
                if !is_over {
                    workers[sent % cores].0.send(block).unwrap();
                    sent += 1;
                }
            }
            if joined < sent {
                joiner.push(workers[joined % cores].1.recv().unwrap());
                joined += 1;
            }
        }
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

/// What this process has used of all cores so far; says more than the clock on a busy machine.
fn processor_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks = after_name.split_whitespace().skip(11).take(2);
    // A tick is 10 ms on every Linux that there is.
    Duration::from_millis(10 * ticks.filter_map(|ticks| ticks.parse::<u64>().ok()).sum::<u64>())
}

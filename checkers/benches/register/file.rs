//! Histories that are written to a file, read as the program does it, and checked.

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Instant;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use splitbrain_checkers::format::{Format, Joiner, Reading, jsonl, write_event};
use splitbrain_checkers::history::{Event, Process};
use splitbrain_checkers::register;

use crate::measure::Measure;
use crate::support::events;
use crate::support::generate::{self, Shape};
use crate::usage::peak_memory_mb;

/// Bytes of one block.
const BLOCK: usize = 512 << 10;
/// Keys and clients of each in [`run_keyed`].
const KEYS: usize = 100;
const CLIENTS: u64 = 5;

/// `count` operations of 50 clients on one key.
pub fn run(count: usize) {
    write_read_and_check(count, &mut || events::of(&crate::alone::history(count, 5)));
}

/// `count` operations over 100 keys with clients of their own.
pub fn run_keyed(count: usize) {
    write_read_and_check(count, &mut || keyed(count));
}

fn keyed(count: usize) -> Vec<Event> {
    let operations = count / KEYS;
    let shape =
        Shape { operations, clients: CLIENTS, writes: 30, cas: 20, unanswered: 5, values: 0 };
    let mut all = Vec::with_capacity(2 * count);
    for key in 0..KEYS {
        let operations = generate::valid(&mut ChaCha8Rng::seed_from_u64(1 + key as u64), shape);
        let mut own = events::of(&operations);
        for event in &mut own {
            event.key = Some(format!("x{key}").into());
            if let Process::Client(process) = &mut event.process {
                *process = *process * KEYS as u64 + key as u64;
            }
        }
        all.append(&mut own);
    }
    all.sort_by_key(|event| event.time);
    all
}

/// The file is read in a process of its own, so that the peak memory is that of reading.
fn write_read_and_check(count: usize, events: &mut dyn FnMut() -> Vec<Event>) {
    if let Ok(path) = std::env::var("SPLITBRAIN_BENCH_READ") {
        return read_and_check(Path::new(&path), count);
    }
    let name = format!("splitbrain-bench-{}.jsonl", std::process::id());
    let path: PathBuf = std::env::temp_dir().join(name);
    write(&path, events());
    let this = std::env::current_exe().unwrap();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let status = std::process::Command::new(this)
        .args(arguments)
        .env("SPLITBRAIN_BENCH_READ", &path)
        .status()
        .unwrap();
    std::fs::remove_file(&path).unwrap();
    assert!(status.success());
}

fn write(path: &Path, mut events: Vec<Event>) {
    let mut file = BufWriter::new(File::create(path).unwrap());
    let mut line = Vec::new();
    for (index, event) in events.iter_mut().enumerate() {
        event.index = index as u64;
        event.key.get_or_insert_with(|| "x".into());
        line.clear();
        write_event(event, &mut line);
        file.write_all(&line).unwrap();
    }
    file.flush().unwrap();
    let bytes = path.metadata().unwrap().len();
    println!("{:<44} {:>8.1} MB", "file", bytes as f64 / 1e6);
}

fn read_and_check(path: &Path, count: usize) {
    let all = Instant::now();
    let measure = Measure::begin();
    let reading = read(path);
    measure.report("read, parsed on all cores", count);
    assert_eq!((reading.history.operations.len(), reading.problems.len()), (count, 0));
    let measure = Measure::begin();
    let finding = register::check_history(&reading.history);
    measure.report("check, keys one after the other", count);
    println!("{:<44} {:>8.3} s", "read and check together", all.elapsed().as_secs_f64());
    println!("{:<44} {:>8} MB", "peak memory", peak_memory_mb());
    assert!(finding.validity.is_valid(), "{finding:?}");
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

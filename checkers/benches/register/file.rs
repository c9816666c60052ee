//! A history that is written to a file, read as the program does it, and checked.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::sync::mpsc;
use std::time::Instant;

use splitbrain_checkers::format::{Chunk, Format, Joiner, Reading, jsonl, write_event};
use splitbrain_checkers::register;

use crate::measure::{Measure, peak_memory_mb};
use crate::support::events;

/// Bytes of one block.
const BLOCK: usize = 1 << 20;

/// Writes `count` operations of one key to a temporary file, reads them and checks them.
pub fn run(count: usize) {
    let path = std::env::temp_dir().join(format!("splitbrain-bench-{}.jsonl", std::process::id()));
    write(&path, count);
    read_and_check(&path, count);
    std::fs::remove_file(&path).unwrap();
}

fn write(path: &Path, count: usize) {
    let operations = crate::alone::history(count, 5);
    let mut events = events::of(&operations);
    drop(operations);
    let mut bytes = Vec::with_capacity(events.len() * 130);
    let measure = Measure::begin();
    for event in &mut events {
        event.key = Some("x".into());
        write_event(event, &mut bytes);
    }
    measure.report("write (two events each), to memory", count);
    println!("{:<44} {:>8.1} MB", "file", bytes.len() as f64 / 1e6);
    File::create(path).unwrap().write_all(&bytes).unwrap();
}

fn read_and_check(path: &Path, count: usize) {
    let all = Instant::now();
    let measure = Measure::begin();
    let reading = read_on_two_threads(path);
    measure.report("read, parsed on two threads", count);
    assert_eq!((reading.history.operations.len(), reading.problems.len()), (count, 0));
    let measure = Measure::begin();
    let finding = register::check_history(&reading.history);
    measure.report("check", count);
    println!("{:<44} {:>8.3} s", "read and check together", all.elapsed().as_secs_f64());
    println!("{:<44} {:>8} MB", "peak memory", peak_memory_mb());
    assert!(finding.validity.is_valid(), "{finding:?}");
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
    joiner.finish()
}

/// The next lines of the file, about [`BLOCK`] bytes of them.
fn next_block(file: &mut BufReader<File>) -> Vec<u8> {
    let mut block = Vec::with_capacity(BLOCK + 1000);
    file.take(BLOCK as u64).read_to_end(&mut block).unwrap();
    file.read_until(b'\n', &mut block).unwrap();
    block
}

//! Reads histories and runs checkers over them, key by key on the cores that there are.
//!
//! The checkers are pure and start no thread, so the caller does.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use splitbrain_checkers::checker::{Checker, Options, Scope};
use splitbrain_checkers::finding::{Finding, Validity};
use splitbrain_checkers::format::{self, Format, Joiner, Reading, jsonl};
use splitbrain_checkers::history::{History, Name, Operation};
use splitbrain_checkers::keys::{self, KeyResult};

/// Bytes of a file of JSON lines that are in memory at a time, for each core.
const BLOCK: usize = 4 << 20;

/// Reads a history in any format that we know. JSON lines are read block by block and parsed on
/// all cores, so a long file is never in memory as a whole.
pub fn read(path: &Path) -> Result<Reading, String> {
    let mut file = File::open(path).map_err(|error| error.to_string())?;
    let mut block = vec![0; cores() * BLOCK];
    let first = fill(&mut file, &mut block).map_err(|error| error.to_string())?;
    let whole = first < block.len();
    block.truncate(first);
    match format::detect(&block) {
        Ok(Format::JsonLines) if !whole => {
            read_lines(file, block).map_err(|error| error.to_string())
        }
        _ => {
            file.read_to_end(&mut block).map_err(|error| error.to_string())?;
            format::read(&block).map_err(|error| error.to_string())
        }
    }
}

/// Goes on after the first block. What is left of a block's last line begins the next block.
fn read_lines(mut file: File, mut block: Vec<u8>) -> io::Result<Reading> {
    let size = block.len();
    let mut joiner = Joiner::new(Format::JsonLines);
    loop {
        let ended = block.len() < size;
        let lines = match block.iter().rposition(|&byte| byte == b'\n') {
            Some(end) if !ended => end + 1,
            _ => block.len(),
        };
        for chunk in parse(&block[..lines]) {
            joiner.push(chunk);
        }
        if ended {
            return Ok(joiner.finish());
        }
        block.copy_within(lines.., 0);
        let left = block.len() - lines;
        block.resize(size, 0);
        let more = fill(&mut file, &mut block[left..])?;
        block.truncate(left + more);
    }
}

/// Parses whole lines on all cores.
fn parse(lines: &[u8]) -> Vec<format::Chunk> {
    thread::scope(|scope| {
        let workers: Vec<_> = jsonl::split_at_lines(lines, cores())
            .into_iter()
            .map(|part| scope.spawn(|| jsonl::parse_chunk(part)))
            .collect();
        workers.into_iter().map(joined).collect()
    })
}

/// Reads until the buffer is full or the file ends; returns how much was read.
fn fill(file: &mut File, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read(&mut buffer[filled..])? {
            0 => break,
            count => filled += count,
        }
    }
    Ok(filled)
}

/// Runs a checker over a history. Where events may be missing between others nothing is refuted:
/// the operation that explains the rest may be among them.
pub fn run(checker: &Checker, reading: &Reading, options: &Options<'_>) -> Finding {
    let options = Options { clock: reading.clock, ..options.clone() };
    let history = &reading.history;
    let mut finding = match checker.scope {
        Scope::Whole(check) => check(history, &options),
        Scope::Key(check_key) => {
            each_key(checker.check, history, &|operations| check_key(operations, &options))
        }
    };
    if reading.has_gaps() {
        finding.validity = Validity::Unknown {
            reason: format!(
                "{} events could not be read, and one of them may explain the rest",
                reading.problems.len()
            ),
        };
    }
    finding
}

/// Checks the keys of a history on all cores.
fn each_key(
    check: &str,
    history: &History,
    check_key: &(dyn Fn(&[&Operation]) -> KeyResult + Sync),
) -> Finding {
    let keys: Vec<_> = keys::split_by_key(history).into_iter().collect();
    let next = AtomicUsize::new(0);
    let worker = || {
        let mut results: Vec<(usize, KeyResult)> = Vec::new();
        loop {
            let position = next.fetch_add(1, Ordering::Relaxed);
            let Some((_, operations)) = keys.get(position) else { return results };
            results.push((position, check_key(operations)));
        }
    };
    let mut results: Vec<(usize, KeyResult)> = thread::scope(|scope| {
        let workers: Vec<_> = (0..cores().min(keys.len())).map(|_| scope.spawn(worker)).collect();
        workers.into_iter().flat_map(joined).collect()
    });
    results.sort_by_key(|(position, _)| *position);
    let results: Vec<(Option<Name>, KeyResult)> =
        keys.into_iter().zip(results).map(|((name, _), (_, result))| (name, result)).collect();
    keys::finding(check, results)
}

fn cores() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// What a thread came to; its panic is ours.
fn joined<T>(worker: thread::ScopedJoinHandle<'_, T>) -> T {
    worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

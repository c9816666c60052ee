//! Reading histories from files, on all cores.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, Scope};

use splitbrain_checkers::format::{self, Chunk, Format, FormatError, Joiner, Reading, jsonl};

use super::cores;

/// Bytes of one block of lines. Small, so that its events are still in the cache when they are
/// joined.
const BLOCK: usize = 512 << 10;

/// Blocks that each core has to do or has done, and that are not joined yet.
const DEPTH: usize = 2;

/// Why a file could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error(transparent)]
    File(#[from] io::Error),
    /// It could, and is no history.
    #[error(transparent)]
    Format(#[from] FormatError),
}

/// Reads a history in any format that we know. JSON lines are read block by block, parsed on all
/// cores and joined in order meanwhile, so a long file is never in memory as a whole.
pub fn read(path: &Path) -> Result<Reading, ReadError> {
    let mut blocks = Blocks { file: File::open(path)?, left: Vec::new(), is_over: false };
    let mut start = Vec::new();
    blocks.fill(&mut start, BLOCK)?;
    match format::detect(without_mark(&start)) {
        Ok(Format::JsonLines) if !blocks.is_over => {
            blocks.left = start;
            read_lines(blocks)
        }
        Ok(_) => {
            blocks.file.read_to_end(&mut start)?;
            Ok(format::read(&start)?)
        }
        Err(error) => Err(error.into()),
    }
}

/// The bytes after the mark that some programs put before UTF-8.
fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)
}

/// This thread reads and joins; one for each core parses. Blocks go round, so that they come
/// back in order.
fn read_lines(mut blocks: Blocks) -> Result<Reading, ReadError> {
    blocks.left = without_mark(&blocks.left).to_vec();
    let mut joiner = Joiner::new(Format::JsonLines);
    thread::scope(|scope| {
        let workers: Vec<Worker> = (0..cores()).map(|_| Worker::start(scope)).collect();
        let (mut sent, mut joined) = (0, 0);
        // Blocks that were parsed, to be filled again.
        let mut spare: Vec<Vec<u8>> = Vec::new();
        loop {
            while sent - joined < workers.len() * DEPTH
                && let Some(block) = blocks.next(spare.pop().unwrap_or_default())?
            {
                // Fails only if the worker has panicked, which ends the scope with its panic.
                let _ = workers[sent % workers.len()].blocks.send(block);
                sent += 1;
            }
            if joined == sent {
                return Ok(());
            }
            let Ok(parsed) = workers[joined % workers.len()].parsed.recv() else { return Ok(()) };
            joiner.push(parsed.0);
            spare.push(parsed.1);
            joined += 1;
        }
    })
    .map_err(ReadError::File)?;
    Ok(joiner.finish()?)
}

/// A thread that parses blocks.
struct Worker {
    blocks: SyncSender<Vec<u8>>,
    /// What was in a block, and the block.
    parsed: Receiver<(Chunk, Vec<u8>)>,
}

impl Worker {
    fn start<'scope>(scope: &'scope Scope<'scope, '_>) -> Worker {
        let (blocks, to_parse) = sync_channel::<Vec<u8>>(DEPTH);
        let (done, parsed) = sync_channel(DEPTH);
        scope.spawn(move || {
            for block in to_parse {
                if done.send((jsonl::parse_chunk(&block), block)).is_err() {
                    // Reading has failed, and nobody waits any more.
                    return;
                }
            }
        });
        Worker { blocks, parsed }
    }
}

/// A file in blocks of whole lines.
struct Blocks {
    file: File,
    /// Read, and not given out.
    left: Vec<u8>,
    is_over: bool,
}

impl Blocks {
    /// The next block, in the memory of one that is no longer needed. Only the last one may end
    /// within a line.
    fn next(&mut self, mut block: Vec<u8>) -> io::Result<Option<Vec<u8>>> {
        block.clear();
        block.append(&mut self.left);
        let mut searched = 0;
        loop {
            let end = block[searched..].iter().rposition(|&byte| byte == b'\n');
            match end {
                Some(end) if !self.is_over => {
                    let end = searched + end + 1;
                    self.left.extend_from_slice(&block[end..]);
                    block.truncate(end);
                    return Ok(Some(block));
                }
                _ if self.is_over => return Ok((!block.is_empty()).then_some(block)),
                _ => searched = block.len(),
            }
            self.fill(&mut block, BLOCK)?;
        }
    }

    /// Appends so many bytes, or what is left of the file.
    fn fill(&mut self, buffer: &mut Vec<u8>, count: usize) -> io::Result<()> {
        buffer.reserve(count);
        let read = (&mut self.file).take(count as u64).read_to_end(buffer)?;
        self.is_over |= read < count;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use splitbrain_checkers::format::write_event;
    use splitbrain_checkers::history::{Event, Function, Kind, Process, Time, Value};

    use super::*;

    /// Lines of writes by one process, several blocks of them.
    fn long_history() -> Vec<u8> {
        let mut bytes = Vec::new();
        for index in 0..30_000 {
            let event = Event {
                index,
                time: Time(100 * index),
                process: Process::Client(0),
                node: Some("n1".into()),
                kind: if index % 2 == 0 { Kind::Invoke } else { Kind::Ok },
                f: Function::Write,
                key: Some("x".into()),
                value: Value::Int(index as i64),
                intended: None,
                error: None,
            };
            write_event(&event, &mut bytes);
        }
        bytes
    }

    fn read_file(bytes: &[u8]) -> Reading {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(bytes).unwrap();
        read(file.path()).unwrap()
    }

    #[test]
    fn a_long_file_reads_as_its_bytes_do() {
        let whole = long_history();
        assert!(whole.len() > 5 * BLOCK, "{}", whole.len());
        let mut broken = whole.clone();
        let end = broken.len() - 7;
        broken.truncate(end);
        for spoilt in [100, BLOCK, BLOCK + 1, 3 * BLOCK] {
            broken[spoilt] = b'\n';
        }
        let marked = [b"\xef\xbb\xbf".as_slice(), &whole].concat();
        for bytes in [&whole, &broken, &marked] {
            assert_eq!(read_file(bytes), format::read(bytes).unwrap());
        }
        assert!(read_file(&broken).problems.len() > 4);
    }

    #[test]
    fn a_line_may_be_longer_than_a_block() {
        let mut bytes = long_history();
        let more = format!("{{\"unknown\":\"{}\",\"process\":9,", "x".repeat(3 * BLOCK));
        bytes.splice(0..1, more.into_bytes());
        let reading = read_file(&bytes);
        assert_eq!(reading, format::read(&bytes).unwrap());
        assert_eq!(reading.problems, []);
    }

    #[test]
    fn what_is_no_history_is_told_from_what_cannot_be_read() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "prose").unwrap();
        assert!(matches!(read(file.path()), Err(ReadError::Format(_))));
        assert!(matches!(read(Path::new("/nonexistent")), Err(ReadError::File(_))));
    }
}

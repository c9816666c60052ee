//! Jepsen's console log, as Porcupine's test data have it:
//!
//! ```text
//! INFO  jepsen.util - 4   :invoke :cas    [1 0]
//! ```
//!
//! Lines of other loggers are passed over. There are no times. A cas that failed was refused
//! because the value differed: that is what `:fail` means in these logs. What stands in place of
//! the value of an `:info` is the error.

use super::ProblemKind;
use super::chunk::{Chunk, Entry};
use super::edn::{Edn, Reader};
use super::jepsen::{kind, plain, process, value};
use super::jsonl::function;
use super::names::Names;
use crate::history::{Function, Kind, MISMATCH, Value};

/// What precedes each event.
const LOGGER: &[u8] = b"jepsen.util - ";

/// Whether the first lines look like such a log.
pub(super) fn is_log(bytes: &[u8]) -> bool {
    bytes.split(|byte| *byte == b'\n').take(100).any(|line| event_of(line).is_some())
}

/// What follows the logger's name.
fn event_of(line: &[u8]) -> Option<&[u8]> {
    let at = line.windows(LOGGER.len()).position(|window| window == LOGGER)?;
    Some(line[at + LOGGER.len()..].trim_ascii())
}

/// Parses the log.
pub(super) fn parse(bytes: &[u8]) -> Chunk {
    let mut chunk = Chunk::default();
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        chunk.lines += 1;
        let Some(event) = event_of(line) else { continue };
        match entry(event, chunk.lines, &mut chunk.names) {
            Ok(entry) => chunk.entries.push(entry),
            Err(_) if !line.ends_with(b"\n") => {
                let message = "the file ends within this line; the history is read up to the \
                               line before it";
                chunk.problem(chunk.lines, ProblemKind::CutOff, message.to_owned());
            }
            Err(message) => chunk.problem(chunk.lines, ProblemKind::Unreadable, message),
        }
    }
    chunk
}

fn entry(event: &[u8], line: usize, names: &mut Names) -> Result<Entry, String> {
    let mut reader = Reader::new(event);
    let mut next = || {
        reader.form().map_err(|_| "expected PROCESS :TYPE :F VALUE, separated by tabs".to_owned())
    };
    let who = match next()? {
        Edn::Symbol(name) => Edn::Keyword(name),
        other => other,
    };
    let (process, kind, f) = (process(&who)?, kind(&next()?)?, plain(&next()?));
    let last = next()?;
    let f = function(&f, names);
    let (value, error) = match kind {
        Kind::Info => (Value::Nil, Some(names.id(&plain(&last)))),
        Kind::Fail if f == Function::Cas => (value(last, names), Some(names.id(MISMATCH))),
        _ => (value(last, names), None),
    };
    Ok(Entry {
        line: line as u32,
        index: None,
        time: None,
        process: Some(process),
        node: None,
        kind,
        f,
        key: None,
        value,
        intended: None,
        error,
    })
}

//! A JSON array of events, as elle-cli has them. Index, time and process may be absent; so may
//! `f`, which is then "txn", as in Elle's histories. Values of one object per key are told as in
//! EDN (see `jepsen.rs`).

use super::ProblemKind;
use super::chunk::{Chunk, Entry};
use super::jepsen::separate_keys;
use super::jsonl::{Absent, explain, parse_event};

/// Parses the array.
pub(super) fn parse(bytes: &[u8]) -> Chunk {
    let mut chunk = Chunk::default();
    let mut position = 0;
    let mut line = 1;
    let mut is_closed = false;
    while let Some(&byte) = bytes.get(position) {
        match byte {
            b'{' => {
                let rest = &bytes[position..];
                let Some(length) = object_length(rest) else {
                    let message = "the file ends within this event; the history is read up to \
                                   the event before it";
                    chunk.problem(line, ProblemKind::CutOff, message.to_owned());
                    is_closed = true;
                    break;
                };
                match parse_event(&rest[..length], &mut chunk.names, Absent::Allowed) {
                    Ok(entry) => chunk.entries.push(Entry { line: line as u32, ..entry }),
                    Err(error) => {
                        chunk.problem(line, ProblemKind::Unreadable, explain(&error));
                    }
                }
                line += count_lines(&rest[..length]);
                position += length;
                continue;
            }
            b'\n' => line += 1,
            b']' => is_closed = true,
            b'[' | b',' => {}
            byte if byte.is_ascii_whitespace() => {}
            other => {
                let message =
                    format!("`{}` is not expected here, but an event {{...}}", other as char);
                chunk.problem(line, ProblemKind::Unreadable, message);
                position = next_line(bytes, position);
                continue;
            }
        }
        position += 1;
    }
    if !is_closed {
        let message = "the file ends before the array does; the history is read up to there";
        chunk.problem(line, ProblemKind::CutOff, message.to_owned());
    }
    chunk.lines = line;
    separate_keys(&mut chunk);
    chunk
}

fn count_lines(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| **byte == b'\n').count()
}

/// The position of the next line feed, or the end.
fn next_line(bytes: &[u8], from: usize) -> usize {
    let end = bytes[from..].iter().position(|byte| *byte == b'\n');
    end.map_or(bytes.len(), |end| from + end)
}

/// The length of the object that the bytes begin with; `None` if it does not end.
fn object_length(bytes: &[u8]) -> Option<usize> {
    let (mut depth, mut in_string, mut escaped) = (0usize, false, false);
    for (position, byte) in bytes.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'{' => depth += 1,
            b'}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(position + 1);
        }
    }
    None
}

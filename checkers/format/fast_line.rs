//! The fast path for JSON lines in exactly the form that `write.rs` gives them: fields in its
//! order, no white space, plain ASCII without escapes.
//!
//! Anything else is left to the general reader (`jsonl.rs`), down to numbers that might not fit
//! and zeros in front of them. So this path accepts less and never says something else: for each
//! line that it takes, the general reader says the same (tests and a fuzz target compare them).

use super::chunk::{Chunk, Entry};
use super::jsonl::function;
use super::names::Names;
use crate::history::{Function, Kind, List, Process, Time, Value};

/// How deep lists may be nested here; the general reader allows more.
const DEEPEST: usize = 8;

/// Digits that fit a `u64` whatever they are.
const U64_DIGITS: usize = 19;

/// Digits that fit an `i64` whatever they are.
const I64_DIGITS: usize = 18;

/// Parses the line that the bytes begin with, if it has the form, and adds the event to the
/// chunk. Returns the length of the line with its line feed.
pub(super) fn parse(bytes: &[u8], line: u32, chunk: &mut Chunk) -> Option<usize> {
    let mut scanner = Scanner { bytes, position: 0 };
    let entry = scanner.event(line, &mut chunk.names)?;
    let length = match bytes.get(scanner.position) {
        None => scanner.position,
        Some(b'\n') => scanner.position + 1,
        Some(_) => return None,
    };
    chunk.entries.push(entry);
    Some(length)
}

struct Scanner<'b> {
    bytes: &'b [u8],
    position: usize,
}

impl<'b> Scanner<'b> {
    #[inline]
    fn event(&mut self, line: u32, names: &mut Names) -> Option<Entry> {
        self.expect(b"{\"index\":")?;
        let index = self.natural(U64_DIGITS)?;
        self.expect(b",\"time\":")?;
        let time = self.natural(U64_DIGITS)?;
        self.expect(b",\"process\":")?;
        let process = match self.takes(b"\"nemesis\"") {
            true => Process::Nemesis,
            false => Process::Client(self.natural(U64_DIGITS)?),
        };
        let node = match self.takes(b",\"node\":") {
            true => Some(names.id_of_ascii(self.string()?)),
            false => None,
        };
        self.expect(b",\"type\":")?;
        let kind = self.kind()?;
        self.expect(b",\"f\":")?;
        let f = match self.string()? {
            b"read" => Function::Read,
            b"write" => Function::Write,
            b"cas" => Function::Cas,
            other => function(std::str::from_utf8(other).ok()?, names),
        };
        let key = match self.takes(b",\"key\":") {
            true => Some(names.id_of_ascii(self.string()?)),
            false => None,
        };
        self.expect(b",\"value\":")?;
        let value = self.value(names, 0)?;
        let intended = match self.takes(b",\"intended\":") {
            true => Some(Time(self.natural(U64_DIGITS)?)),
            false => None,
        };
        let error = match self.takes(b",\"error\":") {
            true => Some(names.id_of_ascii(self.string()?)),
            false => None,
        };
        self.expect(b"}")?;
        Some(Entry {
            line,
            index: Some(index),
            time: Some(Time(time)),
            process: Some(process),
            node,
            kind,
            f,
            key,
            value,
            intended,
            error,
        })
    }

    /// Takes the literal if it is there. Its length is known here, so this is a comparison or
    /// two and no call.
    fn takes<const N: usize>(&mut self, literal: &[u8; N]) -> bool {
        let is_there = self.bytes[self.position..].first_chunk() == Some(literal);
        if is_there {
            self.position += N;
        }
        is_there
    }

    fn expect<const N: usize>(&mut self, literal: &[u8; N]) -> Option<()> {
        self.takes(literal).then_some(())
    }

    /// A number of at most so many digits, written as JSON has it: without zeros in front.
    fn natural(&mut self, digits_max: usize) -> Option<u64> {
        let digits = &self.bytes[self.position..];
        let (mut number, mut length) = (0u64, 0);
        while let Some(digit @ b'0'..=b'9') = digits.get(length) {
            if length == digits_max {
                return None;
            }
            number = 10 * number + u64::from(digit - b'0');
            length += 1;
        }
        if length == 0 || (length > 1 && digits[0] == b'0') {
            return None;
        }
        self.position += length;
        Some(number)
    }

    /// A string of ASCII without escapes and control characters.
    fn string(&mut self) -> Option<&'b [u8]> {
        let (b'"', text) = self.bytes[self.position..].split_first()? else { return None };
        let end =
            text.iter().position(|byte| !matches!(byte, b' '..=b'~') || b"\"\\".contains(byte))?;
        if text[end] != b'"' {
            return None;
        }
        self.position += end + 2;
        Some(&text[..end])
    }

    fn kind(&mut self) -> Option<Kind> {
        match self.string()? {
            b"invoke" => Some(Kind::Invoke),
            b"ok" => Some(Kind::Ok),
            b"fail" => Some(Kind::Fail),
            b"info" => Some(Kind::Info),
            _ => None,
        }
    }

    fn value(&mut self, names: &mut Names, depth: usize) -> Option<Value> {
        match self.bytes.get(self.position)? {
            b'0'..=b'9' => Some(Value::Int(self.natural(I64_DIGITS)? as i64)),
            b'-' => {
                self.position += 1;
                // JSON has a negative zero, and it is no integer.
                let number = self.natural(I64_DIGITS).filter(|number| *number > 0)?;
                Some(Value::Int(-(number as i64)))
            }
            b'"' => {
                let id = names.id_of_ascii(self.string()?);
                Some(Value::Text(names.get(id).clone()))
            }
            b'[' if depth < DEEPEST => self.list(names, depth + 1),
            b'n' => self.expect(b"null").map(|()| Value::Nil),
            b't' => self.expect(b"true").map(|()| Value::Bool(true)),
            b'f' => self.expect(b"false").map(|()| Value::Bool(false)),
            _ => None,
        }
    }

    fn list(&mut self, names: &mut Names, depth: usize) -> Option<Value> {
        self.position += 1;
        if self.takes(b"]") {
            return Some(Value::list([]));
        }
        // Most are the pair of a compare-and-set.
        let mut items = List::with_capacity(2);
        loop {
            items.push(self.value(names, depth)?);
            if self.takes(b"]") {
                items.shrink_to_fit();
                return Some(Value::List(items));
            }
            self.expect(b",")?;
        }
    }
}

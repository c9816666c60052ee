//! Reading recorded histories from bytes, and writing our own.
//!
//! [`read`] tells the formats apart by their content:
//! - JSON lines, our own (`jsonl.rs`): one event a line
//! - a JSON array of events, as elle-cli has them (`json_array.rs`)
//! - EDN, Jepsen's: events one after the other, or in one vector or list (`edn.rs`, `jepsen.rs`)
//! - Jepsen's console log, as Porcupine's test data have it (`jepsen_log.rs`)
//!
//! Whatever can be read is read; what cannot is a [`Problem`] with its line. A history whose end
//! is missing is a history of the time before. To read a long file of JSON lines in parallel,
//! give blocks of whole lines to [`jsonl::parse_chunk`] and what comes out, in order, to a
//! [`Joiner`].

mod chunk;
mod edn;
mod fast_line;
mod jepsen;
mod jepsen_log;
mod join;
mod json_array;
pub mod jsonl;
mod names;
mod write;

use serde::Serialize;

use crate::clock::Clock;
use crate::history::{History, Value};
pub use chunk::Chunk;
pub(crate) use edn::{Edn, Reader as EdnReader};
pub use join::Joiner;
pub use write::write_event;

/// A format of recorded histories.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    JsonLines,
    JsonArray,
    Edn,
    JepsenLog,
}

/// What a problem means for the history that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProblemKind {
    /// The file ends within an event. All before it was read, so nothing but the end is missing.
    CutOff,
    /// An event could not be read, and is missing from the history.
    Unreadable,
    /// An event does not fit those before it, and is missing from the history.
    Inconsistent,
}

/// Something that could not be read as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct Problem {
    /// From 1.
    pub line: usize,
    pub kind: ProblemKind,
    /// What is wrong, and what would be accepted.
    pub message: String,
}

/// A history as far as it could be read.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    pub history: History,
    pub problems: Vec<Problem>,
    pub format: Format,
    /// What the times are. Where events carry none, their positions stand for them.
    pub clock: Clock,
}

impl Reading {
    /// Whether events may be missing between others. Then nothing can be refuted: the operation
    /// that would explain the rest may be among the missing. A missing end is no such gap.
    pub fn has_gaps(&self) -> bool {
        self.problems.iter().any(|problem| problem.kind != ProblemKind::CutOff)
    }
}

/// The bytes are no history in a format that we know.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FormatError {
    #[error("the file is empty; a history has at least one event")]
    Empty,
    #[error(
        "this is no history: it begins with `{beginning}`; accepted are JSON lines ({{\"index\":0,\
         \"time\":...), a JSON array of such events, Jepsen's EDN ({{:type :invoke, ...) and \
         Jepsen's log (INFO jepsen.util - 0 :invoke :read nil)"
    )]
    Unknown { beginning: String },
    #[error("this is no history: not one event in it can be read; {first}")]
    NoEvent { first: Problem },
}

/// Reads a history in whichever format it is.
///
/// # Errors
/// None of the formats, or no event at all; a broken history in a known format is a [`Reading`]
/// with problems.
pub fn read(bytes: &[u8]) -> Result<Reading, FormatError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let format = detect(bytes)?;
    let chunk = match format {
        Format::JsonLines => jsonl::parse_chunk(bytes),
        Format::JsonArray => json_array::parse(bytes),
        Format::Edn => jepsen::parse(bytes),
        Format::JepsenLog => jepsen_log::parse(bytes),
    };
    let mut joiner = Joiner::new(format);
    joiner.push(chunk);
    joiner.finish()
}

/// Tells the format by the first characters that are not white space.
///
/// # Errors
/// None of the formats.
pub fn detect(bytes: &[u8]) -> Result<Format, FormatError> {
    let beginning = bytes.trim_ascii_start();
    let mut solid = beginning.iter().copied().filter(|byte| !byte.is_ascii_whitespace());
    match (solid.next(), solid.next(), solid.next()) {
        (None, ..) => Err(FormatError::Empty),
        (Some(b'{'), Some(b'"'), _) => Ok(Format::JsonLines),
        (Some(b'['), Some(b'{'), Some(b'"')) => Ok(Format::JsonArray),
        (Some(b'{' | b'[' | b'(' | b';'), ..) => Ok(Format::Edn),
        // A record: #jepsen.history.Op{...}; a heading of a text has a space there.
        (Some(b'#'), ..) if beginning.get(1).is_some_and(u8::is_ascii_alphabetic) => {
            Ok(Format::Edn)
        }
        _ if jepsen_log::is_log(bytes) => Ok(Format::JepsenLog),
        _ => {
            let beginning = String::from_utf8_lossy(&bytes[..bytes.len().min(40)]);
            Err(FormatError::Unknown { beginning: beginning.escape_debug().collect() })
        }
    }
}

/// The value that a text says in EDN, of which JSON's numbers, strings and arrays are a part:
/// `5`, `"x"`, `[1 2]`, `nil` (or `null`).
///
/// # Errors
/// Why it is none, for a person.
pub fn parse_value(text: &str) -> Result<Value, String> {
    let mut reader = EdnReader::new(text.as_bytes());
    let form = reader.form().map_err(|error| match error {
        edn::EdnError::End => "it ends too early".to_owned(),
        edn::EdnError::Unexpected { message, .. } => message,
    })?;
    match (reader.peek(), form) {
        (Some(_), form) => Err(format!("more than one value; the first is `{form}`")),
        (None, Edn::Symbol(name)) if name == "null" => Ok(Value::Nil),
        (None, form) => Ok(value(form)),
    }
}

/// The value of an EDN form.
pub(crate) fn value(form: Edn) -> Value {
    jepsen::value(form, &mut names::Names::default())
}

#[cfg(test)]
mod tests;

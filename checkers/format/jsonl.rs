//! JSON lines: one event a line, with Jepsen's field names.
//!
//! ```text
//! {"index":0,"time":1203344,"process":0,"node":"n1","type":"invoke","f":"write","key":"x","value":1}
//! ```
//!
//! `process`, `type` and `f` are needed. `process` is a number or "nemesis". `key` may be a
//! number; it is kept as text. Fields that we do not know are passed over. An object as a value
//! becomes the list of its pairs `[key value]`, in the order of the file. What a value of ours
//! cannot hold (fractions, integers beyond 64 bits) is kept as its JSON text.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::chunk::{Chunk, Entry};
use super::names::{NameId, Names};
use super::{ProblemKind, fast_line};
use crate::history::{Function, Kind, List, Process, Time, Value};

/// Cuts bytes into at most `parts` blocks of whole lines, of about the same size.
pub fn split_at_lines(bytes: &[u8], parts: usize) -> Vec<&[u8]> {
    let size = bytes.len().div_ceil(parts.max(1)).max(1);
    let mut blocks = Vec::with_capacity(parts);
    let mut rest = bytes;
    while !rest.is_empty() {
        let from = size.min(rest.len()) - 1;
        let end = rest[from..].iter().position(|byte| *byte == b'\n');
        let (block, after) = rest.split_at(end.map_or(rest.len(), |end| from + end + 1));
        blocks.push(block);
        rest = after;
    }
    blocks
}

/// Parses some whole lines; only the last block of a file may end within a line.
pub fn parse_chunk(bytes: &[u8]) -> Chunk {
    parse_lines(bytes, true)
}

/// As [`parse_chunk`], every line by the general reader. The result is the same; this is for
/// those who want to see that.
pub fn parse_chunk_generally(bytes: &[u8]) -> Chunk {
    parse_lines(bytes, false)
}

fn parse_lines(bytes: &[u8], fast: bool) -> Chunk {
    let mut chunk = Chunk::default();
    chunk.entries.reserve(bytes.len() / 120);
    let mut rest = bytes;
    while !rest.is_empty() {
        let line = chunk.lines as u32 + 1;
        let taken = if fast { fast_line::parse(rest, line, &mut chunk) } else { None };
        let length = taken.unwrap_or_else(|| {
            let end = rest.iter().position(|byte| *byte == b'\n');
            let length = end.map_or(rest.len(), |end| end + 1);
            general_line(&rest[..length], &mut chunk);
            length
        });
        chunk.lines += usize::from(rest[length - 1] == b'\n');
        rest = &rest[length..];
    }
    chunk
}

/// Parses one line, which may have any form.
fn general_line(line: &[u8], chunk: &mut Chunk) {
    let is_whole = line.ends_with(b"\n");
    let number = chunk.lines + 1;
    let line = line.trim_ascii();
    if line.is_empty() {
        return;
    }
    match parse_event(line, &mut chunk.names, Absent::Refused) {
        Ok(entry) => chunk.entries.push(Entry { line: number as u32, ..entry }),
        Err(error) if !is_whole && error.is_eof() => {
            let message = "the file ends within this line; the history is read up to the line \
                           before it";
            chunk.problem(number, ProblemKind::CutOff, message.to_owned());
        }
        Err(error) => chunk.problem(number, ProblemKind::Unreadable, explain(&error)),
    }
}

/// What becomes of an event that has no `f` or no `process`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Absent {
    Refused,
    /// Its `f` is `txn`, as in Elle's histories, and its process stays unsaid.
    Allowed,
}

/// Parses one event; its line is left at 0.
pub(super) fn parse_event(
    json: &[u8],
    names: &mut Names,
    absent: Absent,
) -> Result<Entry, serde_json::Error> {
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    let entry = deserializer.deserialize_map(EventVisitor { names, absent })?;
    deserializer.end()?;
    Ok(entry)
}

/// The error without serde's "at line 1", which is not the line of the file.
pub(super) fn explain(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let text = text.split(" at line ").next().unwrap_or_default();
    format!("column {}: {text}; an event is one JSON object", error.column())
}

struct EventVisitor<'n> {
    names: &'n mut Names,
    absent: Absent,
}

impl<'de> Visitor<'de> for EventVisitor<'_> {
    type Value = Entry;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an event with `process`, `type` and `f`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entry, A::Error> {
        let names = self.names;
        let (mut process, mut kind, mut function) = (None, None, None);
        let (mut index, mut time, mut intended) = (None, None, None);
        let (mut node, mut key, mut error) = (None, None, None);
        let mut value = Value::Nil;
        while let Some(field) = map.next_key_seed(FieldSeed)? {
            match field {
                Field::Index => index = map.next_value::<Option<u64>>()?,
                Field::Time => time = map.next_value::<Option<u64>>()?,
                Field::Intended => intended = map.next_value::<Option<u64>>()?,
                Field::Process => process = Some(map.next_value_seed(ProcessSeed)?),
                Field::Type => kind = Some(map.next_value::<Kind>()?),
                Field::F => function = Some(map.next_value_seed(FunctionSeed { names })?),
                Field::Node => node = text(map.next_value_seed(ValueSeed { names })?, names),
                Field::Key => key = text(map.next_value_seed(ValueSeed { names })?, names),
                Field::Error => error = text(map.next_value_seed(ValueSeed { names })?, names),
                Field::Value => value = map.next_value_seed(ValueSeed { names })?,
                Field::Unknown => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        if self.absent == Absent::Allowed {
            function = function.or_else(|| Some(self::function("txn", names)));
        } else if process.is_none() {
            return Err(A::Error::missing_field("process"));
        }
        Ok(Entry {
            line: 0,
            index,
            time: time.map(Time),
            process,
            node,
            kind: kind.ok_or_else(|| A::Error::missing_field("type"))?,
            f: function.ok_or_else(|| A::Error::missing_field("f"))?,
            key,
            value,
            intended: intended.map(Time),
            error,
        })
    }
}

/// A name from whatever was given for it; nothing from null.
fn text(value: Value, names: &mut Names) -> Option<NameId> {
    match value {
        Value::Nil => None,
        Value::Text(name) => Some(names.id(&name)),
        other => Some(names.id(&other.to_string())),
    }
}

enum Field {
    Index,
    Time,
    Process,
    Node,
    Type,
    F,
    Key,
    Value,
    Intended,
    Error,
    Unknown,
}

struct FieldSeed;

impl<'de> DeserializeSeed<'de> for FieldSeed {
    type Value = Field;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Field, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for FieldSeed {
    type Value = Field;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a field name")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Field, E> {
        Ok(match name {
            "index" => Field::Index,
            "time" => Field::Time,
            "process" => Field::Process,
            "node" => Field::Node,
            "type" => Field::Type,
            "f" => Field::F,
            "key" => Field::Key,
            "value" => Field::Value,
            "intended" => Field::Intended,
            "error" => Field::Error,
            _ => Field::Unknown,
        })
    }
}

struct ProcessSeed;

impl<'de> DeserializeSeed<'de> for ProcessSeed {
    type Value = Process;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Process, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Visitor<'_> for ProcessSeed {
    type Value = Process;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("as `process` a number or \"nemesis\"")
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Process, E> {
        Ok(Process::Client(number))
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Process, E> {
        match name {
            "nemesis" => Ok(Process::Nemesis),
            other => Err(E::invalid_value(serde::de::Unexpected::Str(other), &self)),
        }
    }
}

struct FunctionSeed<'n> {
    names: &'n mut Names,
}

impl<'de> DeserializeSeed<'de> for FunctionSeed<'_> {
    type Value = Function;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Function, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for FunctionSeed<'_> {
    type Value = Function;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("as `f` a name such as \"read\", \"write\" or \"cas\"")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Function, E> {
        Ok(function(name, self.names))
    }
}

/// The function of that name; the name of an unknown one is shared.
pub(super) fn function(name: &str, names: &mut Names) -> Function {
    match name {
        "read" | "write" | "cas" | "replica-read" => Function::from_name(name),
        other => Function::Other(names.name(other)),
    }
}

struct ValueSeed<'n> {
    names: &'n mut Names,
}

impl<'de> DeserializeSeed<'de> for ValueSeed<'_> {
    type Value = Value;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ValueSeed<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Nil)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Int(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(match i64::try_from(value) {
            Ok(value) => Value::Int(value),
            Err(_) => Value::Text(value.to_string().into()),
        })
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Text(value.to_string().into()))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::Text(self.names.name(value)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let names = self.names;
        let mut list = List::with_capacity(items.size_hint().unwrap_or(2));
        while let Some(item) = items.next_element_seed(ValueSeed { names })? {
            list.push(item);
        }
        list.shrink_to_fit();
        Ok(Value::List(list))
    }

    /// The pairs of an object, in the order of the file.
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let names = self.names;
        let mut pairs = List::with_capacity(map.size_hint().unwrap_or(2));
        while let Some(key) = map.next_key_seed(ValueSeed { names })? {
            pairs.push(Value::pair(key, map.next_value_seed(ValueSeed { names })?));
        }
        pairs.shrink_to_fit();
        Ok(Value::List(pairs))
    }
}

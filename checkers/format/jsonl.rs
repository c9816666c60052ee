//! JSON lines: one event a line, with Jepsen's field names.
//!
//! ```text
//! {"index":0,"time":1203344,"process":0,"node":"n1","type":"invoke","f":"write","key":"x","value":1}
//! ```
//!
//! `process`, `type` and `f` are needed. `process` is a number or "nemesis". `key` may be a
//! number; it is kept as text. Fields that we do not know are passed over. What a value of ours
//! cannot hold (objects, fractions, integers beyond 64 bits) is kept as its JSON text.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::join::{Chunk, Entry};
use super::names::Names;
use super::{Format, Joiner, ProblemKind, Reading};
use crate::history::{Event, Function, Kind, Name, Process, Time, Value};

/// Reads a history of JSON lines.
pub fn read(bytes: &[u8]) -> Reading {
    let mut joiner = Joiner::new(Format::JsonLines);
    joiner.push(parse_chunk(bytes));
    joiner.finish()
}

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
    let mut chunk = Chunk::default();
    chunk.entries.reserve(bytes.len() / 120);
    let mut names = Names::default();
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let is_whole = line.ends_with(b"\n");
        let number = chunk.lines + 1;
        chunk.lines += usize::from(is_whole);
        let line = line.trim_ascii();
        if line.is_empty() {
            continue;
        }
        match parse_event(line, &mut names, None) {
            Ok(entry) => chunk.entries.push(Entry { line: number as u32, ..entry }),
            Err(error) if !is_whole && error.is_eof() => {
                let message = "the file ends within this line; the history is read up to the \
                               line before it";
                chunk.problem(number, ProblemKind::CutOff, message.to_owned());
            }
            Err(error) => {
                chunk.problem(number, ProblemKind::Unreadable, explain(&error));
            }
        }
    }
    chunk
}

/// Parses one event; its line is left at 0. If `default` is given, an event needs no `f`.
pub(super) fn parse_event(
    json: &[u8],
    names: &mut Names,
    default: Option<&str>,
) -> Result<Entry, serde_json::Error> {
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    let entry = deserializer.deserialize_map(EventVisitor { names, default })?;
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
    default: Option<&'n str>,
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
        let function = function.or_else(|| self.default.map(|f| self::function(f, names)));
        let event = Event {
            index: index.unwrap_or_default(),
            time: Time(time.unwrap_or_default()),
            process: process.ok_or_else(|| A::Error::missing_field("process"))?,
            node,
            kind: kind.ok_or_else(|| A::Error::missing_field("type"))?,
            f: function.ok_or_else(|| A::Error::missing_field("f"))?,
            key,
            value,
            intended: intended.map(Time),
            error,
        };
        Ok(Entry { line: 0, event, has_index: index.is_some(), has_time: time.is_some() })
    }
}

/// A name from whatever was given for it; nothing from null.
fn text(value: Value, names: &mut Names) -> Option<Name> {
    match value {
        Value::Nil => None,
        Value::Text(name) => Some(name),
        other => Some(names.name(&other.to_string())),
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
        let mut list = Vec::with_capacity(items.size_hint().unwrap_or(2));
        while let Some(item) = items.next_element_seed(ValueSeed { names })? {
            list.push(item);
        }
        Ok(Value::List(list.into_boxed_slice()))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut object = serde_json::Map::new();
        while let Some((key, value)) = map.next_entry()? {
            object.insert(key, value);
        }
        let json = serde_json::Value::Object(object).to_string();
        Ok(Value::Text(json.into()))
    }
}

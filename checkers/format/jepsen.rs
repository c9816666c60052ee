//! Jepsen's histories in EDN: maps one after the other, or in one vector or list.
//!
//! `:type` is needed; `:f` is `:txn` where it is absent, as in Elle. `:index`, `:time` and
//! `:process` may be absent. Keywords, symbols and strings become text, sets become lists, maps
//! become lists of pairs `[key value]`; fractions stay EDN text.
//!
//! A history of one object per key (jepsen.independent) has values `[k v]`, which look like any
//! vector. They are taken apart if they are tagged as a tuple, and else if nothing in the history
//! speaks against it:
//! - every invocation and every ok of a client carries a vector of two, the first no collection,
//! - each cas has a vector of two inside it,
//! - there are no transactions, whose values are vectors of micro-operations,
//! - there is nothing but reads, writes and cas, or some invocation is `[k nil]`, a read of k.

use super::ProblemKind;
use super::chunk::{Chunk, Entry};
use super::edn::{Edn, EdnError, Reader};
use super::jsonl::function;
use super::names::{NameId, Names};
use crate::history::{Function, Kind, Process, Time, Value};

/// Parses the history.
pub(super) fn parse(bytes: &[u8]) -> Chunk {
    let mut chunk = Chunk::default();
    let mut reader = Reader::new(bytes);
    let mut open = None;
    while let Some(byte) = reader.peek() {
        let line = reader.line;
        match (byte, open) {
            (b'[' | b'(', None) => {
                open = Some(if byte == b'[' { b']' } else { b')' });
                reader.take();
                continue;
            }
            (b']' | b')', Some(close)) if byte == close => {
                open = None;
                reader.take();
                continue;
            }
            _ => {}
        }
        match reader.form() {
            Ok(form) => match entry(form, line, &mut chunk.names) {
                Ok(entry) => chunk.entries.push(entry),
                Err(message) => chunk.problem(line, ProblemKind::Unreadable, message),
            },
            Err(EdnError::End) => {
                let message = "the file ends within this event; the history is read up to the \
                               event before it";
                chunk.problem(line, ProblemKind::CutOff, message.to_owned());
                open = None;
                break;
            }
            Err(EdnError::Unexpected { line, message }) => {
                let message = format!("{message}; events before and after it are read");
                chunk.problem(line, ProblemKind::Unreadable, message);
                reader.skip_to_map();
            }
        }
    }
    if let Some(close) = open {
        let message = format!(
            "the file ends before the `{}` that ends the history; it is read up to there",
            close as char
        );
        chunk.problem(reader.line, ProblemKind::CutOff, message);
    }
    chunk.lines = reader.line;
    separate_keys(&mut chunk);
    chunk
}

/// Makes an event of a map.
fn entry(form: Edn, line: usize, names: &mut Names) -> Result<Entry, String> {
    let fields = match form {
        Edn::Map(fields) => fields,
        // A record: #jepsen.history.Op{...}
        Edn::Tagged(_, map) if matches!(*map, Edn::Map(_)) => match *map {
            Edn::Map(fields) => fields,
            _ => Vec::new(),
        },
        other => return Err(format!("`{other}` is no event; expected a map {{:type ...}}")),
    };
    let mut kind = None;
    let mut entry = Entry {
        line: line as u32,
        index: None,
        time: None,
        process: None,
        node: None,
        kind: Kind::Info,
        f: Function::Other(names.name("txn")),
        key: None,
        value: Value::Nil,
        intended: None,
        error: None,
    };
    for (key, form) in fields {
        let Edn::Keyword(key) = key else { continue };
        match key.as_str() {
            "index" => entry.index = natural(&key, &form)?,
            "time" => entry.time = natural(&key, &form)?.map(Time),
            "process" => entry.process = Some(process(&form)?),
            "type" => kind = Some(self::kind(&form)?),
            "f" => entry.f = function(&plain(&form), names),
            "node" => entry.node = text(&form, names),
            "key" => entry.key = text(&form, names),
            "error" => entry.error = text(&form, names),
            "value" => match tuple(form) {
                Ok((key, form)) => {
                    entry.key = text(&key, names);
                    entry.value = value(form, names);
                }
                Err(form) => entry.value = value(form, names),
            },
            _ => {}
        }
    }
    entry.kind = kind.ok_or("`:type` is missing; expected :invoke, :ok, :fail or :info")?;
    Ok(entry)
}

fn natural(key: &str, form: &Edn) -> Result<Option<u64>, String> {
    match form {
        Edn::Nil => Ok(None),
        Edn::Int(number) if *number >= 0 => Ok(Some(*number as u64)),
        other => Err(format!("`:{key} {other}`; expected a number from 0 on")),
    }
}

pub(super) fn process(form: &Edn) -> Result<Process, String> {
    match form {
        Edn::Int(number) if *number >= 0 => Ok(Process::Client(*number as u64)),
        Edn::Keyword(name) if name == "nemesis" => Ok(Process::Nemesis),
        other => Err(format!("`:process {other}`; expected a number from 0 on or :nemesis")),
    }
}

pub(super) fn kind(form: &Edn) -> Result<Kind, String> {
    match plain(form).as_str() {
        "invoke" => Ok(Kind::Invoke),
        "ok" => Ok(Kind::Ok),
        "fail" => Ok(Kind::Fail),
        "info" => Ok(Kind::Info),
        _ => Err(format!("`:type {form}`; expected :invoke, :ok, :fail or :info")),
    }
}

/// The name of a keyword, the text of a string, else EDN.
pub(super) fn plain(form: &Edn) -> String {
    match form {
        Edn::Keyword(name) | Edn::Symbol(name) | Edn::Text(name) => name.clone(),
        other => other.to_string(),
    }
}

fn text(form: &Edn, names: &mut Names) -> Option<NameId> {
    match form {
        Edn::Nil => None,
        other => Some(names.id(&plain(other))),
    }
}

/// Key and value of a tagged tuple; else the form as it was.
fn tuple(form: Edn) -> Result<(Edn, Edn), Edn> {
    match form {
        Edn::Tagged(tag, inner) if tag.ends_with("tuple") || tag.ends_with("Tuple") => match *inner
        {
            Edn::Sequence(items) => {
                <[Edn; 2]>::try_from(items).map(|[key, value]| (key, value)).map_err(Edn::Sequence)
            }
            other => Err(other),
        },
        other => Err(other),
    }
}

pub(super) fn value(form: Edn, names: &mut Names) -> Value {
    match form {
        Edn::Nil => Value::Nil,
        Edn::Bool(value) => Value::Bool(value),
        Edn::Int(value) => Value::Int(value),
        Edn::Sequence(items) | Edn::Set(items) => {
            Value::List(items.into_iter().map(|item| value(item, names)).collect())
        }
        Edn::Map(entries) => Value::List(
            entries
                .into_iter()
                .map(|(key, item)| Value::pair(value(key, names), value(item, names)))
                .collect(),
        ),
        other => Value::Text(names.name(&plain(&other))),
    }
}

/// Takes values `[k v]` apart if the whole history is one of objects by key.
pub(super) fn separate_keys(chunk: &mut Chunk) {
    let is_client = |entry: &&mut Entry| entry.process != Some(Process::Nemesis);
    let mut entries: Vec<&mut Entry> = chunk.entries.iter_mut().filter(is_client).collect();
    if !is_keyed(&entries) {
        return;
    }
    for entry in &mut entries {
        if let Some((key, value)) = tuple_of(entry) {
            let (key, value) = (chunk.names.id(&key.to_string()), value.clone());
            entry.key = Some(key);
            entry.value = value;
        }
    }
}

/// Whether the values of these events are tuples of key and value, as far as one can see.
fn is_keyed(entries: &[&mut Entry]) -> bool {
    let is_register =
        |entry: &&mut Entry| matches!(entry.f, Function::Read | Function::Write | Function::Cas);
    let reads_key = |entry: &&mut Entry| {
        entry.kind == Kind::Invoke && matches!(tuple_of(entry), Some((_, Value::Nil)))
    };
    let may_be = |entry: &&mut Entry| {
        let carries_one = matches!(entry.kind, Kind::Invoke | Kind::Ok);
        entry.key.is_none()
            && entry.f.as_str() != "txn"
            && (tuple_of(entry).is_some() || !carries_one)
    };
    entries.iter().all(may_be) && (entries.iter().all(is_register) || entries.iter().any(reads_key))
}

fn tuple_of(entry: &Entry) -> Option<(&Value, &Value)> {
    let (key, inner) = entry.value.as_pair()?;
    let is_name = matches!(key, Value::Bool(_) | Value::Int(_) | Value::Text(_));
    (is_name && (entry.f != Function::Cas || inner.as_pair().is_some())).then_some((key, inner))
}

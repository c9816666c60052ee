//! The two formats of recorded histories.
//!
//! ```text
//! INFO  jepsen.util - 4   :invoke :cas    [1 0]
//! {:process 9, :type :invoke, :f :append, :key "0", :value "x 9 0 y"}
//! ```
//!
//! Other lines are passed over. There are no times: what happened first stands first.

use std::collections::HashMap;

use crate::objects::{Action, RegisterOperation, StringsOperation, Value};

/// An operation and when it was asked for and answered, in lines of the file.
#[derive(Debug, Clone)]
pub struct Recorded<T> {
    /// The client; it has one operation at a time.
    pub process: usize,
    pub call: usize,
    /// `None` if it was never answered, so that it may take effect at any time, or never.
    pub answer: Option<usize>,
    pub operation: T,
}

/// What a file holds, in the order of the calls.
pub enum History {
    Register(Vec<Recorded<RegisterOperation>>),
    Strings(Vec<Recorded<StringsOperation>>),
}

/// Reads a file.
///
/// # Errors
///
/// A sentence, if the file cannot be read, or no operation is in it.
pub fn read(name: &str) -> Result<History, String> {
    let text = std::fs::read_to_string(name).map_err(|error| format!("{name}: {error}"))?;
    let history = match text.trim_start().starts_with('{') {
        true => History::Strings(strings(&text)),
        false => History::Register(register(&text)),
    };
    let is_empty = match &history {
        History::Register(operations) => operations.is_empty(),
        History::Strings(operations) => operations.is_empty(),
    };
    if is_empty { Err(format!("{name}: no operation is in it")) } else { Ok(history) }
}

/// Calls, and the answers as they come.
struct Pairing<T> {
    history: Vec<Recorded<T>>,
    /// Where the operation of each process is that has no answer yet.
    open: HashMap<usize, usize>,
}

impl<T> Pairing<T> {
    fn new() -> Pairing<T> {
        Pairing { history: Vec::new(), open: HashMap::new() }
    }

    fn call(&mut self, process: usize, line: usize, operation: T) {
        self.open.insert(process, self.history.len());
        self.history.push(Recorded { process, call: line, answer: None, operation });
    }

    fn answer(&mut self, process: usize, line: usize, learn: impl FnOnce(&mut T)) {
        let Some(place) = self.open.remove(&process) else { return };
        let recorded = &mut self.history[place];
        recorded.answer = Some(line);
        learn(&mut recorded.operation);
    }
}

fn register(text: &str) -> Vec<Recorded<RegisterOperation>> {
    let mut pairing = Pairing::new();
    for (line, content) in text.lines().enumerate() {
        let Some((_, event)) = content.split_once("jepsen.util - ") else { continue };
        let words: Vec<&str> = event.split_whitespace().collect();
        let [process, kind, f, ref values @ ..] = words[..] else { continue };
        let Ok(process) = process.parse() else { continue };
        let value = |place: usize| number(values.get(place).copied());
        match (kind, f) {
            (":invoke", ":read") => pairing.call(process, line, RegisterOperation::Read(None)),
            (":invoke", ":write") => {
                pairing.call(process, line, RegisterOperation::Write(value(0)));
            }
            (":invoke", ":cas") => {
                let (from, to) = (value(0), value(1));
                pairing.call(process, line, RegisterOperation::Cas { from, to, succeeded: None });
            }
            (":ok", _) | (":fail", ":cas") => {
                pairing.answer(process, line, |operation| match operation {
                    RegisterOperation::Read(answer) => *answer = Some(value(0)),
                    RegisterOperation::Write(_) => {}
                    RegisterOperation::Cas { succeeded, .. } => *succeeded = Some(kind == ":ok"),
                });
            }
            (":fail", ":read") => pairing.answer(process, line, |_| {}),
            _ => {}
        }
    }
    pairing.history
}

/// The number in a word, with or without brackets; whatever is none is `nil`.
fn number(word: Option<&str>) -> Value {
    word?.trim_matches(['[', ']']).parse().ok()
}

fn strings(text: &str) -> Vec<Recorded<StringsOperation>> {
    let mut pairing = Pairing::new();
    for (line, event) in text.lines().enumerate() {
        let [Some(process), Some(kind), Some(f), Some(key), value] =
            [":process ", ":type ", ":f ", ":key ", ":value "].map(|name| field(event, name))
        else {
            continue;
        };
        let Ok(process) = process.parse() else { continue };
        let text = value.unwrap_or_default().to_owned();
        let action = match f {
            ":append" => Action::Append(text),
            ":put" => Action::Put(text),
            ":get" if kind == ":ok" => Action::Get(Some(text)),
            ":get" => Action::Get(None),
            _ => continue,
        };
        let operation = StringsOperation { key: key.to_owned(), action };
        match kind {
            ":invoke" => pairing.call(process, line, operation),
            ":ok" => pairing.answer(process, line, |called| *called = operation),
            _ => {}
        }
    }
    pairing.history
}

/// What follows the name: a word, or a text without its quotes. Texts hold neither quotes nor names
/// of fields.
fn field<'a>(event: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = event.split_once(name)?;
    match rest.strip_prefix('"') {
        Some(text) => text.split('"').next(),
        None => rest.split([',', '}']).next(),
    }
}

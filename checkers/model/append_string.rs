//! A map from keys to strings that only grow: append and get.
//!
//! The state keeps no string. Let `L` be the longest string that any acknowledged get of a key
//! returned. Strings only grow, so at every get the string is a beginning of all that later gets
//! return. Hence a get that returned no beginning of `L` is allowed in no order that also has the
//! get that returned `L`; and as long as the string is a beginning of `L`, its length says all.
//! Once it is not, being longer or different, no get is allowed any more, now or ever: one state,
//! *beyond*, stands for all such strings. So the state of a key is a position in `L`, and an
//! append either moves it by its own length, if `L` goes on like that, or puts it beyond.
//!
//! A position greater than what a get returned that is still to come is a dead end. That is known
//! as soon as the wrong append is chosen ([`Model::is_hopeless`]), not when the get comes; so a
//! search seldom has a choice, and little is left of its exponent.

use rustc_hash::FxHashMap;

use crate::checker::Options;
use crate::history::{Name, Operation, Time, Value};
use crate::model::{
    After, Model, Parsed, Parts, answer, unknown_function, unknown_value, values::Values,
};

/// A map of strings. `append` adds its input to the end of the string of its key, `get` (or
/// `read`) returns the whole string, nil or empty if nothing was appended. Every string begins as
/// [`Options::initial`], nil being empty. Each key is an object of its own.
#[derive(Debug)]
pub struct AppendString {
    first: Name,
    keys: FxHashMap<Option<Name>, u32>,
    /// What was appended.
    pieces: Values,
    /// What was returned of which key, and its number.
    returned: FxHashMap<(u32, Name), u32>,
    /// How long what was returned is, if it is a beginning of the longest string of its key.
    lengths: Vec<Option<u32>>,
    strings: Vec<GrowingString>,
}

/// What is known of the string of one key.
#[derive(Debug, Clone)]
struct GrowingString {
    /// `L` above.
    longest: Name,
    /// Invocations of gets in order of time, each with the length of the shortest string that it
    /// or any later one returned.
    shortest_to_come: Vec<(Time, u32)>,
}

/// The position of a string that no get can return.
const BEYOND: u32 = u32::MAX;

/// What an operation does to the map: its key and a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    Append { key: u32, piece: u32 },
    Get { key: u32, whole: u32 },
}

impl AppendString {
    /// Where an append leads from that position.
    fn after(&self, position: u32, key: u32, piece: u32) -> u32 {
        let Value::Text(piece) = self.pieces.value(piece) else { return BEYOND };
        let longest = self.strings[key as usize].longest.as_bytes();
        match longest.get(position as usize..) {
            Some(rest) if rest.starts_with(piece.as_bytes()) => position + piece.len() as u32,
            _ => BEYOND,
        }
    }
}

/// A string, as a text whatever it was recorded as; nil is the empty one.
fn as_text(value: &Value) -> Option<Name> {
    match value {
        Value::Nil => Some("".into()),
        Value::Text(text) => Some(text.clone()),
        Value::Int(_) | Value::Bool(_) => Some(value.to_string().into()),
        Value::List(_) => None,
    }
}

impl Model for AppendString {
    const OBJECT: &'static str = "a map of strings that grow";
    const FUNCTIONS: &'static [&'static str] = &["append", "get", "read"];
    /// The position of each key in its longest string.
    type State = Box<[u32]>;
    type Action = Action;

    fn new(options: &Options<'_>) -> Result<Self, String> {
        let first = as_text(&options.initial)
            .ok_or_else(|| format!("a string cannot begin as {}", options.initial))?;
        Ok(Self {
            first,
            keys: FxHashMap::default(),
            pieces: Values::default(),
            returned: FxHashMap::default(),
            lengths: Vec::new(),
            strings: Vec::new(),
        })
    }

    fn action(&mut self, operation: &Operation) -> Result<Option<Action>, String> {
        let (value, appends) = match operation.f.as_str() {
            "append" => (&operation.input, true),
            "get" | "read" => match answer(operation) {
                Some(value) => (value, false),
                None => return Ok(None),
            },
            _ => return Err(unknown_function::<Self>(operation)),
        };
        let Some(text) = as_text(value) else {
            return Err(unknown_value(operation, value, "a string"));
        };
        if appends && text.is_empty() {
            return Ok(None);
        }
        let next = self.keys.len() as u32;
        let key = *self.keys.entry(operation.key.clone()).or_insert(next);
        Ok(Some(if appends {
            Action::Append { key, piece: self.pieces.number(&Value::Text(text)) }
        } else {
            let next = self.returned.len() as u32;
            Action::Get { key, whole: *self.returned.entry((key, text)).or_insert(next) }
        }))
    }

    fn settle(&mut self, actions: &[Parsed<Action>]) {
        let nothing = GrowingString { longest: "".into(), shortest_to_come: Vec::new() };
        self.strings = vec![nothing; self.keys.len()];
        for (key, text) in self.returned.keys() {
            let longest = &mut self.strings[*key as usize].longest;
            // Of two of the same length either will do, but always the same one.
            if (text.len(), text) > (longest.len(), longest) {
                *longest = text.clone();
            }
        }
        self.lengths = vec![None; self.returned.len()];
        for ((key, text), whole) in &self.returned {
            let is_beginning = self.strings[*key as usize].longest.starts_with(&**text);
            self.lengths[*whole as usize] = is_beginning.then_some(text.len() as u32);
        }
        for parsed in actions {
            if let Action::Get { key, whole } = parsed.action
                && let Some(length) = self.lengths[whole as usize]
            {
                self.strings[key as usize].shortest_to_come.push((parsed.invoke, length));
            }
        }
        for string in &mut self.strings {
            string.shortest_to_come.sort_unstable_by_key(|(invoke, _)| *invoke);
            let mut shortest = u32::MAX;
            for (_, length) in string.shortest_to_come.iter_mut().rev() {
                shortest = shortest.min(*length);
                *length = shortest;
            }
        }
    }

    fn initial(&self) -> Box<[u32]> {
        let position = |string: &GrowingString| match string.longest.starts_with(&*self.first) {
            true => self.first.len() as u32,
            false => BEYOND,
        };
        self.strings.iter().map(position).collect()
    }

    fn apply(&self, positions: &Box<[u32]>, action: &Action) -> After<Box<[u32]>> {
        match *action {
            Action::Get { key, whole } => {
                After::same_if(self.lengths[whole as usize] == Some(positions[key as usize]))
            }
            Action::Append { key, piece } => {
                let before = positions[key as usize];
                let position = self.after(before, key, piece);
                if position == before {
                    return After::Same;
                }
                let mut next = positions.clone();
                next[key as usize] = position;
                After::Next(next)
            }
        }
    }

    fn is_pure(&self, action: &Action) -> bool {
        matches!(action, Action::Get { .. })
    }

    fn observes(&self, action: &Action) -> bool {
        self.is_pure(action)
    }

    fn parts<'a>(&self, action: &'a Action) -> Parts<'a> {
        let (Action::Append { key, .. } | Action::Get { key, .. }) = *action;
        Parts::One(key)
    }

    /// One that would put the string beyond what anybody saw can as well be left out: no get of
    /// this key comes after it.
    fn enables(&self, positions: &Box<[u32]>, unanswered: &Action, _pending: &Action) -> bool {
        match *unanswered {
            Action::Append { key, piece } => {
                self.after(positions[key as usize], key, piece) != BEYOND
            }
            Action::Get { .. } => false,
        }
    }

    fn may_follow(&self, positions: &Box<[u32]>, get: &Action) -> bool {
        match *get {
            Action::Get { key, whole } => {
                self.lengths[whole as usize].is_some_and(|length| positions[key as usize] <= length)
            }
            Action::Append { .. } => true,
        }
    }

    fn is_hopeless(&self, positions: &Box<[u32]>, append: &Action, now: Time) -> bool {
        let Action::Append { key, .. } = *append else { return false };
        let to_come = &self.strings[key as usize].shortest_to_come;
        let next = to_come.partition_point(|(invoke, _)| *invoke <= now);
        to_come.get(next).is_some_and(|(_, shortest)| positions[key as usize] > *shortest)
    }

    fn heap_bytes(positions: &Box<[u32]>) -> usize {
        size_of_val(&**positions)
    }

    fn describe(&self, positions: &Box<[u32]>) -> String {
        let mut keys: Vec<(&Option<Name>, u32)> =
            self.keys.iter().map(|(key, number)| (key, *number)).collect();
        keys.sort();
        let described: Vec<String> = keys
            .into_iter()
            .map(|(key, number)| {
                let longest = &self.strings[number as usize].longest;
                let string = match positions[number as usize] {
                    BEYOND => "beyond what anybody saw".to_owned(),
                    position => quoted(&String::from_utf8_lossy(&longest.as_bytes()[..position as usize])),
                };
                match key {
                    Some(key) => format!("{key}: {string}"),
                    None => string,
                }
            })
            .collect();
        crate::words::few(&described, "and")
    }
}

/// A string in quotation marks; of a long one its end, which is where strings differ.
fn quoted(text: &str) -> String {
    const SHOWN: usize = 24;
    let count = text.chars().count();
    match text.char_indices().nth(count.saturating_sub(SHOWN)) {
        Some((start, _)) if count > SHOWN => {
            format!("\"...{}\" ({count} characters)", &text[start..])
        }
        _ => format!("\"{text}\""),
    }
}

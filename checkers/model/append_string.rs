//! A map from keys to strings: append, put and get.
//!
//! The state keeps no string. All that can ever be said of the string of a key is which of the
//! strings that acknowledged gets of the key returned it is, or may become by appending. So as
//! long as it is a beginning of some returned string, the state is its place: the first string in
//! the sorted list of those returned that begins like it, and its length. Once it is a beginning
//! of none, no get is allowed any more until the string is replaced, so one state, *beyond*,
//! stands for all such strings.
//!
//! A string that is no beginning of what a later get returned, and is not replaced before that
//! get, is a dead end. That is known as soon as the wrong append is chosen
//! ([`Model::is_hopeless`]), not when the get comes; so a search seldom has a choice, and little
//! is left of its exponent.

use rustc_hash::FxHashMap;

use crate::checker::Options;
use crate::history::{Name, Operation, Time, Value};
use crate::model::{
    After, Model, Parsed, Parts, answer, unknown_function, unknown_value, values::Values,
};

/// A map of strings. `append` adds its input to the end of the string of its key, `put` replaces
/// it, `get` (or `read`) returns the whole string, nil or empty if there is none. Every string
/// begins as [`Options::initial`], nil being empty. Each key is an object of its own.
#[derive(Debug, Clone)]
pub struct AppendString {
    first: Name,
    keys: FxHashMap<Option<Name>, u32>,
    /// What was appended or put.
    pieces: Values,
    /// What was returned, of which key, and its number.
    returned: FxHashMap<(u32, Name), u32>,
    /// The place of what was returned.
    places: Vec<Place>,
    strings: Vec<Known>,
}

/// What is known of the string of one key.
#[derive(Debug, Clone, Default)]
struct Known {
    /// Every string returned, sorted.
    returned: Vec<Name>,
    /// The gets in order of their invocations: invocation, completion, and what was returned.
    gets: Vec<(Time, Time, u32)>,
    /// The puts in order of their completions: completion, and the earliest invocation of this or
    /// any later one.
    puts: Vec<(Time, Time)>,
}

/// A beginning of a returned string: the first in sorted order that begins so, and the length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Place {
    string: u32,
    length: u32,
}

/// Of a string that no get can return.
const BEYOND: Place = Place { string: u32::MAX, length: u32::MAX };

/// How many gets to come a state is compared with, to see whether it is a dead end.
const LOOK_AHEAD: usize = 8;

/// What an operation does to the map: its key and a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    Append { key: u32, piece: u32 },
    Put { key: u32, piece: u32 },
    Get { key: u32, whole: u32 },
}

impl Known {
    /// The place of the string that begins as `place` says and goes on with `piece`.
    fn place(&self, place: Place, piece: &str) -> Place {
        let from = place.string as usize;
        let Some(first) = self.returned.get(from) else { return BEYOND };
        let begin = &first.as_bytes()[..place.length as usize];
        let order = |text: &Name| {
            let (head, tail) = text.as_bytes().split_at(begin.len().min(text.len()));
            head.cmp(begin).then_with(|| tail.cmp(piece.as_bytes()))
        };
        let found = from + self.returned[from..].partition_point(|text| order(text).is_lt());
        let begins_so = |text: &Name| {
            let rest = text.as_bytes().strip_prefix(begin);
            rest.is_some_and(|rest| rest.starts_with(piece.as_bytes()))
        };
        match self.returned.get(found) {
            Some(text) if begins_so(text) => {
                Place { string: found as u32, length: place.length + piece.len() as u32 }
            }
            _ => BEYOND,
        }
    }

    /// The place of a string.
    fn place_of(&self, text: &str) -> Place {
        self.place(Place { string: 0, length: 0 }, text)
    }

    /// Whether what is at `whole` begins with what is at `place`.
    fn begins_with(&self, whole: Place, place: Place) -> bool {
        if place == BEYOND || place.length > whole.length {
            return false;
        }
        let text = |place: Place| self.returned[place.string as usize].as_bytes();
        text(whole).starts_with(&text(place)[..place.length as usize])
    }

    /// The earliest that a put can begin that has not taken effect by `now`.
    fn next_put(&self, now: Time) -> Time {
        let next = self.puts.partition_point(|(end, _)| *end < now);
        self.puts.get(next).map_or(Time::MAX, |(_, earliest)| *earliest)
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
    const OBJECT: &'static str = "a map of strings";
    const FUNCTIONS: &'static [&'static str] = &["append", "put", "get", "read"];
    /// The place of the string of each key.
    type State = Box<[Place]>;
    type Action = Action;

    fn new(options: &Options<'_>) -> Result<Self, String> {
        let first = as_text(&options.initial)
            .ok_or_else(|| format!("a string cannot begin as {}", options.initial))?;
        Ok(Self {
            first,
            keys: FxHashMap::default(),
            pieces: Values::default(),
            returned: FxHashMap::default(),
            places: Vec::new(),
            strings: Vec::new(),
        })
    }

    fn action(&mut self, operation: &Operation) -> Result<Option<Action>, String> {
        let f = operation.f.as_str();
        let value = match f {
            "append" | "put" => &operation.input,
            "get" | "read" => match answer(operation) {
                Some(value) => value,
                None => return Ok(None),
            },
            _ => return Err(unknown_function::<Self>(operation)),
        };
        let Some(text) = as_text(value) else {
            return Err(unknown_value(operation, value, "a string"));
        };
        if f == "append" && text.is_empty() {
            return Ok(None);
        }
        let next = self.keys.len() as u32;
        let key = *self.keys.entry(operation.key.clone()).or_insert(next);
        Ok(Some(match f {
            "append" => Action::Append { key, piece: self.pieces.number(&Value::Text(text)) },
            "put" => Action::Put { key, piece: self.pieces.number(&Value::Text(text)) },
            _ => {
                let next = self.returned.len() as u32;
                Action::Get { key, whole: *self.returned.entry((key, text)).or_insert(next) }
            }
        }))
    }

    fn settle(&mut self, actions: &[Parsed<Action>]) {
        self.strings = vec![Known::default(); self.keys.len()];
        let mut returned: Vec<(u32, &Name, u32)> =
            self.returned.iter().map(|((key, text), whole)| (*key, text, *whole)).collect();
        returned.sort_unstable();
        self.places = vec![BEYOND; returned.len()];
        for (key, text, whole) in returned {
            // The first that begins like it is the string itself.
            let known = &mut self.strings[key as usize].returned;
            let (string, length) = (known.len() as u32, text.len() as u32);
            self.places[whole as usize] = Place { string, length };
            known.push(text.clone());
        }
        for parsed in actions {
            match parsed.action {
                Action::Get { key, whole } => {
                    let get = (parsed.invoke, parsed.finish, whole);
                    self.strings[key as usize].gets.push(get);
                }
                Action::Put { key, .. } => {
                    self.strings[key as usize].puts.push((parsed.finish, parsed.invoke));
                }
                Action::Append { .. } => {}
            }
        }
        for string in &mut self.strings {
            string.gets.sort_unstable();
            string.puts.sort_unstable();
            let mut earliest = Time::MAX;
            for (_, invoke) in string.puts.iter_mut().rev() {
                earliest = earliest.min(*invoke);
                *invoke = earliest;
            }
        }
    }

    fn initial(&self) -> Box<[Place]> {
        self.strings.iter().map(|string| string.place_of(&self.first)).collect()
    }

    fn apply(&self, places: &Box<[Place]>, action: &Action) -> After<Box<[Place]>> {
        if let Action::Get { key, whole } = *action {
            return After::same_if(self.places[whole as usize] == places[key as usize]);
        }
        let (key, place) = self.after(places, action);
        if place == places[key as usize] {
            return After::Same;
        }
        let mut next = places.clone();
        next[key as usize] = place;
        After::Next(next)
    }

    fn is_pure(&self, action: &Action) -> bool {
        matches!(action, Action::Get { .. })
    }

    fn observes(&self, action: &Action) -> bool {
        self.is_pure(action)
    }

    fn parts<'a>(&self, action: &'a Action) -> Parts<'a> {
        Parts::One(action.key())
    }

    /// One that would put the string beyond what anybody saw can as well be left out: no get of
    /// this key comes after it before the string is replaced.
    fn enables(&self, places: &Box<[Place]>, unanswered: &Action, _pending: &Action) -> bool {
        self.after(places, unanswered).1 != BEYOND
    }

    fn may_follow(&self, places: &Box<[Place]>, get: &Action, (now, finish): (Time, Time)) -> bool {
        let Action::Get { key, whole } = *get else { return true };
        let string = &self.strings[key as usize];
        string.begins_with(self.places[whole as usize], places[key as usize])
            || string.next_put(now) <= finish
    }

    fn is_hopeless(&self, places: &Box<[Place]>, by: &Action, now: Time) -> bool {
        let (key, place) = (by.key() as usize, places[by.key() as usize]);
        let string = &self.strings[key];
        let next_put = string.next_put(now);
        let next = string.gets.partition_point(|(invoke, ..)| *invoke <= now);
        string.gets[next..]
            .iter()
            .take(LOOK_AHEAD)
            .filter(|(_, finish, _)| *finish < next_put)
            .any(|(.., whole)| !string.begins_with(self.places[*whole as usize], place))
    }

    fn heap_bytes(places: &Box<[Place]>) -> usize {
        size_of_val(&**places)
    }

    fn describe(&self, places: &Box<[Place]>) -> String {
        let mut keys: Vec<(&Option<Name>, u32)> =
            self.keys.iter().map(|(key, number)| (key, *number)).collect();
        keys.sort();
        let described: Vec<String> = keys
            .into_iter()
            .map(|(key, number)| {
                let string = match places[number as usize] {
                    BEYOND => "what no get returned".to_owned(),
                    place => {
                        let text = &self.strings[number as usize].returned[place.string as usize];
                        let text = &text.as_bytes()[..place.length as usize];
                        quoted(&String::from_utf8_lossy(text))
                    }
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

impl Action {
    fn key(&self) -> u32 {
        match *self {
            Action::Append { key, .. } | Action::Put { key, .. } | Action::Get { key, .. } => key,
        }
    }
}

impl AppendString {
    /// Where the string of the action's key is after it.
    fn after(&self, places: &[Place], action: &Action) -> (u32, Place) {
        let text = |piece: u32| match self.pieces.value(piece) {
            Value::Text(text) => text.clone(),
            _ => Name::default(),
        };
        let string = |key: u32| &self.strings[key as usize];
        match *action {
            Action::Append { key, piece } => {
                (key, string(key).place(places[key as usize], &text(piece)))
            }
            Action::Put { key, piece } => {
                let put = (key, text(piece));
                let place = match self.returned.get(&put) {
                    Some(whole) => self.places[*whole as usize],
                    None => string(key).place_of(&put.1),
                };
                (key, place)
            }
            Action::Get { key, .. } => (key, places[key as usize]),
        }
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

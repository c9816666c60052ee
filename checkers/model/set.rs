//! A set: add, remove, contains, and reads of the whole set.

use crate::checker::Options;
use crate::history::{Operation, Value};
use crate::model::{
    After, Model, Parsed, Parts, answer, unknown_function, unknown_value, values::Values,
};

/// A set. `add` and `remove` say nothing of whether the element was there; `contains` returns
/// true or false, `read` the list of all elements (nil: none), in any order. A list that names an
/// element twice is no set's answer.
///
/// As long as nobody reads the whole set each element is an object of its own.
#[derive(Debug, Clone)]
pub struct Set {
    values: Values,
    first: Box<[u32]>,
}

/// What an operation does to the set.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Action {
    Add(u32),
    Remove(u32),
    Contains(u32, bool),
    /// All elements, sorted.
    Read(Box<[u32]>),
}

/// The elements of a list, sorted; of nil, none.
fn elements(values: &mut Values, value: &Value) -> Option<Box<[u32]>> {
    let mut elements: Vec<u32> = match value {
        Value::Nil => Vec::new(),
        Value::List(items) => items.iter().map(|item| values.number(item)).collect(),
        _ => return None,
    };
    elements.sort_unstable();
    Some(elements.into())
}

impl Model for Set {
    const OBJECT: &'static str = "a set";
    const FUNCTIONS: &'static [&'static str] = &["add", "remove", "contains", "read"];
    /// The elements, sorted.
    type State = Box<[u32]>;
    type Action = Action;

    fn new(options: &Options<'_>) -> Result<Self, String> {
        let mut values = Values::default();
        let first = elements(&mut values, &options.initial)
            .ok_or_else(|| format!("a set begins as a list, not as {}", options.initial))?;
        Ok(Self { values, first })
    }

    fn action(&mut self, operation: &Operation) -> Result<Option<Action>, String> {
        let input = &operation.input;
        Ok(match operation.f.as_str() {
            "add" => Some(Action::Add(self.values.number(input))),
            "remove" => Some(Action::Remove(self.values.number(input))),
            "contains" => match answer(operation) {
                None => None,
                Some(Value::Bool(there)) => {
                    Some(Action::Contains(self.values.number(input), *there))
                }
                Some(other) => return Err(unknown_value(operation, other, "true or false")),
            },
            "read" => match answer(operation) {
                None => None,
                Some(list) => match elements(&mut self.values, list) {
                    Some(elements) => Some(Action::Read(elements)),
                    None => return Err(unknown_value(operation, list, "a list")),
                },
            },
            _ => return Err(unknown_function::<Self>(operation)),
        })
    }

    fn settle(&mut self, actions: &[Parsed<Action>]) {
        // An element that the set began with and that nobody mentions cannot matter unless the
        // whole set is read; without it the parts stay small.
        if !actions.iter().any(|parsed| matches!(parsed.action, Action::Read(_))) {
            let mut mentioned = vec![false; self.values.len()];
            for parsed in actions {
                if let Parts::One(element) = self.parts(&parsed.action) {
                    mentioned[element as usize] = true;
                }
            }
            let kept = self.first.iter().copied().filter(|element| mentioned[*element as usize]);
            self.first = kept.collect();
        }
    }

    fn initial(&self) -> Box<[u32]> {
        self.first.clone()
    }

    fn apply(&self, set: &Box<[u32]>, action: &Action) -> After<Box<[u32]>> {
        match action {
            Action::Read(elements) => After::same_if(elements == set),
            Action::Contains(element, there) => {
                After::same_if(set.binary_search(element).is_ok() == *there)
            }
            Action::Add(element) => match set.binary_search(element) {
                Ok(_) => After::Same,
                Err(place) => {
                    let (front, back) = set.split_at(place);
                    After::Next([front, &[*element], back].concat().into())
                }
            },
            Action::Remove(element) => match set.binary_search(element) {
                Ok(place) => After::Next([&set[..place], &set[place + 1..]].concat().into()),
                Err(_) => After::Same,
            },
        }
    }

    fn is_pure(&self, action: &Action) -> bool {
        matches!(action, Action::Contains(..) | Action::Read(_))
    }

    fn observes(&self, action: &Action) -> bool {
        self.is_pure(action)
    }

    fn parts<'a>(&self, action: &'a Action) -> Parts<'a> {
        match action {
            Action::Add(element) | Action::Remove(element) | Action::Contains(element, _) => {
                Parts::One(*element)
            }
            Action::Read(_) => Parts::All,
        }
    }

    fn commute(&self, one: &Action, other: &Action) -> bool {
        one == other
    }

    /// What follows on the same element either finds what it left, or is an addition or a removal
    /// that makes its own end of it.
    fn enables(&self, _set: &Box<[u32]>, unanswered: &Action, pending: &Action) -> bool {
        let (element, there) = match unanswered {
            Action::Add(element) => (element, true),
            Action::Remove(element) => (element, false),
            _ => return false,
        };
        match pending {
            Action::Contains(other, answer) => other == element && *answer == there,
            Action::Read(elements) => elements.binary_search(element).is_ok() == there,
            _ => false,
        }
    }

    fn heap_bytes(set: &Box<[u32]>) -> usize {
        size_of_val(&**set)
    }

    fn describe(&self, set: &Box<[u32]>) -> String {
        self.values.show(set)
    }
}

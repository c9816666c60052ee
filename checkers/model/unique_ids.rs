//! A generator of ids that are never given twice.

use crate::checker::Options;
use crate::history::{Operation, Value};
use crate::model::{After, Model, Parts, answer, unknown_function, unknown_value, values::Values};

/// A generator of ids: `generate` returns a value that it has not returned before.
///
/// Each id is an object of its own, which can be given once: so this is linear, and the
/// operations that got the same id are the witness.
#[derive(Debug, Clone)]
pub struct UniqueIds {
    values: Values,
}

/// Gave that id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Generate(u32);

impl Model for UniqueIds {
    const OBJECT: &'static str = "a generator of unique ids";
    const FUNCTIONS: &'static [&'static str] = &["generate"];
    /// The ids given so far, sorted.
    type State = Box<[u32]>;
    type Action = Generate;

    fn new(_options: &Options<'_>) -> Result<Self, String> {
        Ok(Self { values: Values::default() })
    }

    fn action(&mut self, operation: &Operation) -> Result<Option<Generate>, String> {
        if operation.f.as_str() != "generate" {
            return Err(unknown_function::<Self>(operation));
        }
        match answer(operation) {
            // An id that nobody saw is nobody's second.
            None => Ok(None),
            Some(Value::Nil) => Err(unknown_value(operation, &Value::Nil, "an id")),
            Some(id) => Ok(Some(Generate(self.values.number(id)))),
        }
    }

    fn initial(&self) -> Box<[u32]> {
        Box::default()
    }

    fn apply(&self, given: &Box<[u32]>, Generate(id): &Generate) -> After<Box<[u32]>> {
        match given.binary_search(id) {
            Ok(_) => After::Refused,
            Err(place) => {
                let (front, back) = given.split_at(place);
                After::Next([front, &[*id], back].concat().into())
            }
        }
    }

    fn is_pure(&self, _action: &Generate) -> bool {
        false
    }

    fn parts<'a>(&self, Generate(id): &'a Generate) -> Parts<'a> {
        Parts::One(*id)
    }

    fn heap_bytes(given: &Box<[u32]>) -> usize {
        size_of_val(&**given)
    }

    fn describe(&self, given: &Box<[u32]>) -> String {
        format!("past giving {}", self.values.show(given))
    }
}

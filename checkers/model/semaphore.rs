//! A counting semaphore.

use crate::checker::Options;
use crate::history::{Operation, Value};
use crate::model::{After, Model, unknown_function, unknown_value};

/// A semaphore with a fixed number of permits: [`Options::initial`], one if that is nil.
///
/// `acquire` and `release` take one permit, or as many as their input says. Permits have no
/// owner, as with most semaphores: any process may give back what another took, but no more than
/// have been taken.
#[derive(Debug, Clone)]
pub struct Semaphore {
    permits: u64,
}

/// What an operation does to the permits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    Acquire(u64),
    Release(u64),
}

impl Model for Semaphore {
    const OBJECT: &'static str = "a semaphore";
    const FUNCTIONS: &'static [&'static str] = &["acquire", "release"];
    /// How many permits are left.
    type State = u64;
    type Action = Action;

    fn new(options: &Options<'_>) -> Result<Self, String> {
        match options.initial {
            Value::Nil => Ok(Self { permits: 1 }),
            Value::Int(permits) if permits > 0 => Ok(Self { permits: permits as u64 }),
            ref other => Err(format!("a semaphore has one permit or more, not {other}")),
        }
    }

    fn action(&mut self, operation: &Operation) -> Result<Option<Action>, String> {
        let permits = match operation.input {
            Value::Nil => 1,
            Value::Int(permits) if permits > 0 => permits as u64,
            ref other => {
                let expected = "nil for one permit, or how many";
                return Err(unknown_value(operation, other, expected));
            }
        };
        match operation.f.as_str() {
            "acquire" => Ok(Some(Action::Acquire(permits))),
            "release" => Ok(Some(Action::Release(permits))),
            _ => Err(unknown_function::<Self>(operation)),
        }
    }

    fn initial(&self) -> u64 {
        self.permits
    }

    fn apply(&self, left: &u64, action: &Action) -> After<u64> {
        match *action {
            Action::Acquire(permits) if permits <= *left => After::Next(left - permits),
            Action::Release(permits) if permits <= self.permits - left => {
                After::Next(left + permits)
            }
            _ => After::Refused,
        }
    }

    fn is_pure(&self, _action: &Action) -> bool {
        false
    }

    /// An acquire can always be put off until after other acquires, which only become easier,
    /// and a release likewise.
    fn enables(&self, _left: &u64, unanswered: &Action, pending: &Action) -> bool {
        matches!(
            (unanswered, pending),
            (Action::Acquire(_), Action::Release(_)) | (Action::Release(_), Action::Acquire(_))
        )
    }

    fn describe(&self, left: &u64) -> String {
        format!("with {left} of {} permits left", self.permits)
    }
}

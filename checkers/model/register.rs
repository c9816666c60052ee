//! One register: read, write, compare-and-set.

use crate::checker::Options;
use crate::history::{Function, MISMATCH, Operation, Outcome};
use crate::model::{After, Model, answer, unknown_function, unknown_value, values::Values};

/// A register. A cas that was refused because the value differed is an observation if the
/// options say so ([`Options::observe_failed_cas`]).
#[derive(Debug, Clone)]
pub struct Register {
    values: Values,
    observe_failed_cas: bool,
}

/// What an operation does to the register.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    Read(u32),
    Write(u32),
    /// Expected, new; they differ.
    Cas(u32, u32),
    /// The register held anything but this.
    Differs(u32),
}

/// The number of the initial value.
const INITIAL: u32 = 0;

impl Model for Register {
    const OBJECT: &'static str = "a register";
    const FUNCTIONS: &'static [&'static str] = &["read", "write", "cas"];
    type State = u32;
    type Action = Action;

    fn new(options: &Options<'_>) -> Result<Self, String> {
        let mut values = Values::default();
        values.number(&options.initial);
        Ok(Self { values, observe_failed_cas: options.observe_failed_cas })
    }

    fn action(&mut self, operation: &Operation) -> Result<Option<Action>, String> {
        match operation.f {
            Function::Read => {
                Ok(answer(operation).map(|value| Action::Read(self.values.number(value))))
            }
            Function::Write => Ok(Some(Action::Write(self.values.number(&operation.input)))),
            Function::Cas => {
                let Some((expected, new)) = operation.input.as_pair() else {
                    return Err(unknown_value(operation, &operation.input, "[expected new]"));
                };
                let (expected, new) = (self.values.number(expected), self.values.number(new));
                Ok(match operation.outcome {
                    Outcome::Ok if expected == new => Some(Action::Read(expected)),
                    _ if expected == new => None,
                    _ => Some(Action::Cas(expected, new)),
                })
            }
            _ => Err(unknown_function::<Self>(operation)),
        }
    }

    fn refusal(&mut self, operation: &Operation) -> Option<Action> {
        let proves = self.observe_failed_cas && operation.error.as_deref() == Some(MISMATCH);
        let (expected, _) = operation.input.as_pair().filter(|_| proves)?;
        (operation.f == Function::Cas).then(|| Action::Differs(self.values.number(expected)))
    }

    fn initial(&self) -> u32 {
        INITIAL
    }

    fn apply(&self, state: &u32, action: &Action) -> After<u32> {
        match *action {
            Action::Read(value) => After::same_if(*state == value),
            Action::Differs(value) => After::same_if(*state != value),
            Action::Cas(expected, _) if *state != expected => After::Refused,
            Action::Write(new) | Action::Cas(_, new) => After::Next(new),
        }
    }

    fn is_pure(&self, action: &Action) -> bool {
        matches!(action, Action::Read(_) | Action::Differs(_))
    }

    fn observes(&self, action: &Action) -> bool {
        !matches!(action, Action::Write(_))
    }

    /// What follows it either finds its value, or is a write: then nobody found the value, and
    /// it can be left out.
    fn enables(&self, state: &u32, unanswered: &Action, pending: &Action) -> bool {
        let (Action::Write(new) | Action::Cas(_, new)) = *unanswered else { return false };
        match *pending {
            Action::Read(needed) | Action::Cas(needed, _) => needed == new,
            Action::Differs(value) => *state == value,
            Action::Write(_) => false,
        }
    }

    fn describe(&self, state: &u32) -> String {
        self.values.value(*state).to_string()
    }
}

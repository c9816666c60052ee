//! A stack.

use crate::checker::Options;
use crate::history::{Operation, Time};
use crate::model::fifo_queue::{Action, Got, container_action, first_values};
use crate::model::{After, Model, Parsed, values::Values};

/// A stack. `push` adds its input on top, `pop` removes and returns the top, or returns nil from
/// an empty stack. It begins with the list [`Options::initial`], the top last.
#[derive(Debug, Clone)]
pub struct Stack {
    values: Values,
    first: Box<[u32]>,
    got: Got,
}

impl Model for Stack {
    const OBJECT: &'static str = "a stack";
    const FUNCTIONS: &'static [&'static str] = &["push", "pop"];
    /// The values, the top last.
    type State = Box<[u32]>;
    type Action = Action;

    fn new(options: &Options<'_>) -> Result<Self, String> {
        let mut values = Values::default();
        let first = first_values::<Self>(options, &mut values)?;
        Ok(Self { values, first, got: Got::default() })
    }

    fn action(&mut self, operation: &Operation) -> Result<Option<Action>, String> {
        container_action::<Self>(operation, &mut self.values, &["push"], &["pop"])
    }

    fn settle(&mut self, actions: &[Parsed<Action>]) {
        self.got = Got::new(actions, self.values.len(), &self.first);
    }

    fn initial(&self) -> Box<[u32]> {
        self.first.clone()
    }

    fn apply(&self, stack: &Box<[u32]>, action: &Action) -> After<Box<[u32]>> {
        match (*action, stack.split_last()) {
            (Action::Put(value), _) => After::Next([stack, &[value][..]].concat().into()),
            (Action::Take(value), Some((top, rest))) if value == *top => After::Next(rest.into()),
            (Action::TakeUnseen, Some((_, rest))) => After::Next(rest.into()),
            (Action::Empty | Action::TakeUnseen, None) => After::Same,
            _ => After::Refused,
        }
    }

    fn is_pure(&self, action: &Action) -> bool {
        *action == Action::Empty
    }

    fn observes(&self, action: &Action) -> bool {
        matches!(action, Action::Take(_) | Action::Empty)
    }

    fn matters(&self, unanswered: &Action) -> bool {
        self.got.matters(unanswered)
    }

    /// What stands above a value has to leave before it does.
    fn is_hopeless(&self, stack: &Box<[u32]>, by: &Action, _now: Time) -> bool {
        match (*by, stack.split_last()) {
            (Action::Put(value), Some((_, below))) => {
                below.iter().any(|other| self.got.outstays(value, *other))
            }
            _ => false,
        }
    }

    fn heap_bytes(stack: &Box<[u32]>) -> usize {
        size_of_val(&**stack)
    }

    fn describe(&self, stack: &Box<[u32]>) -> String {
        self.values.show(stack)
    }
}

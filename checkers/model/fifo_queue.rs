//! A first-in, first-out queue, and what it shares with the stack and the priority queue.

use crate::checker::Options;
use crate::history::{Operation, Outcome, Value};
use crate::model::{After, Model, Parsed, unknown_function, values::Values};

/// A queue. `enqueue` appends its input, `dequeue` removes and returns the oldest value, or
/// returns nil from an empty queue. It begins with the list [`Options::initial`], oldest first.
#[derive(Debug, Clone)]
pub struct FifoQueue {
    values: Values,
    first: Box<[u32]>,
    got: Got,
}

/// What an operation does to a queue, a stack or a priority queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    Put(u32),
    /// Removed that value.
    Take(u32),
    /// Found nothing to remove.
    Empty,
    /// Removed what was next, if anything was there; nobody saw it.
    TakeUnseen,
}

/// Which values somebody got.
#[derive(Debug, Default, Clone)]
pub(super) struct Got(Vec<bool>);

impl Got {
    pub(super) fn new(actions: &[Parsed<Action>], values: usize) -> Self {
        let mut got = vec![false; values];
        for parsed in actions {
            if let Action::Take(value) = parsed.action {
                got[value as usize] = true;
            }
        }
        Got(got)
    }

    /// An addition without an answer of a value that nobody got can be left out: if it stayed,
    /// it stood in nobody's way, and if it was removed unseen, then so can be that removal. A
    /// removal that then finds another value, or nothing, was unseen as well.
    pub(super) fn matters(&self, unanswered: &Action) -> bool {
        match unanswered {
            Action::Put(value) => self.0[*value as usize],
            _ => true,
        }
    }
}

/// Parses an operation of a container whose two functions have these names.
pub(super) fn container_action<M: Model>(
    operation: &Operation,
    values: &mut Values,
    puts: &[&str],
    takes: &[&str],
) -> Result<Option<Action>, String> {
    let f = operation.f.as_str();
    if puts.contains(&f) {
        return Ok(Some(Action::Put(values.number(&operation.input))));
    }
    if !takes.contains(&f) {
        return Err(unknown_function::<M>(operation));
    }
    Ok(Some(match (&operation.output, operation.outcome) {
        (Value::Nil, Outcome::Ok) => Action::Empty,
        (value, Outcome::Ok) => Action::Take(values.number(value)),
        _ => Action::TakeUnseen,
    }))
}

/// What a container begins with.
pub(super) fn first_values<M: Model>(
    options: &Options<'_>,
    values: &mut Values,
) -> Result<Box<[u32]>, String> {
    match &options.initial {
        Value::Nil => Ok(Box::default()),
        Value::List(items) => Ok(items.iter().map(|item| values.number(item)).collect()),
        other => Err(format!("{} begins as a list, not as {other}", M::OBJECT)),
    }
}

impl Model for FifoQueue {
    const OBJECT: &'static str = "a first-in, first-out queue";
    const FUNCTIONS: &'static [&'static str] = &["enqueue", "dequeue"];
    /// The values, oldest first.
    type State = Box<[u32]>;
    type Action = Action;

    fn new(options: &Options<'_>) -> Result<Self, String> {
        let mut values = Values::default();
        let first = first_values::<Self>(options, &mut values)?;
        Ok(Self { values, first, got: Got::default() })
    }

    fn action(&mut self, operation: &Operation) -> Result<Option<Action>, String> {
        container_action::<Self>(operation, &mut self.values, &["enqueue"], &["dequeue"])
    }

    fn settle(&mut self, actions: &[Parsed<Action>]) {
        self.got = Got::new(actions, self.values.len());
    }

    fn initial(&self) -> Box<[u32]> {
        self.first.clone()
    }

    fn apply(&self, queue: &Box<[u32]>, action: &Action) -> After<Box<[u32]>> {
        match (*action, queue.split_first()) {
            (Action::Put(value), _) => After::Next([queue, &[value][..]].concat().into()),
            (Action::Take(value), Some((oldest, rest))) if value == *oldest => {
                After::Next(rest.into())
            }
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

    fn heap_bytes(queue: &Box<[u32]>) -> usize {
        size_of_val(&**queue)
    }

    fn describe(&self, queue: &Box<[u32]>) -> String {
        self.values.show(queue)
    }
}

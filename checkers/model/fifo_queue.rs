//! A first-in, first-out queue, and what it shares with the stack and the priority queue.

use crate::checker::Options;
use crate::history::{Operation, Outcome, Time, Value};
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

/// Who got which values, and when.
#[derive(Debug, Default, Clone)]
pub(super) struct Got {
    values: Vec<GotValue>,
}

#[derive(Debug, Clone, Copy)]
struct GotValue {
    is_got: bool,
    /// The last invocation of an operation that got it.
    taken: Time,
    /// Before that a value put in cannot leave.
    leaves: Time,
    /// By then it has left, if it is put in at all.
    due: Time,
}

impl Got {
    pub(super) fn new(actions: &[Parsed<Action>], values: usize, first: &[u32]) -> Self {
        let (mut puts, mut takes) = (vec![0_u32; values], vec![0_u32; values]);
        first.iter().for_each(|value| puts[*value as usize] += 1);
        let is_unseen = |parsed: &Parsed<Action>| parsed.action == Action::TakeUnseen;
        let nobody = match actions.iter().any(is_unseen) {
            true => Time(0),
            false => Time::MAX,
        };
        let never = GotValue { is_got: false, taken: Time(0), leaves: nobody, due: Time::MAX };
        let mut got = vec![never; values];
        for parsed in actions {
            match parsed.action {
                Action::Put(value) => puts[value as usize] += 1,
                Action::Take(value) => {
                    takes[value as usize] += 1;
                    let got = &mut got[value as usize];
                    *got = GotValue {
                        is_got: true,
                        taken: parsed.invoke,
                        leaves: got.leaves.min(parsed.invoke),
                        due: parsed.finish,
                    };
                }
                Action::Empty | Action::TakeUnseen => {}
            }
        }
        for (value, got) in got.iter_mut().enumerate() {
            match (puts[value], takes[value]) {
                // Put once and taken once: by that take.
                (1, 1) => got.leaves = got.taken,
                _ => got.due = Time::MAX,
            }
        }
        Got { values: got }
    }

    /// An addition without an answer of a value that nobody got can be left out: if it stayed,
    /// it stood in nobody's way, and if it was removed unseen, then so can be that removal. A
    /// removal that then finds another value, or nothing, was unseen as well.
    pub(super) fn matters(&self, unanswered: &Action) -> bool {
        match unanswered {
            Action::Put(value) => self.values[*value as usize].is_got,
            _ => true,
        }
    }

    /// Whether the first value cannot leave before the other one has to have left.
    pub(super) fn outstays(&self, first: u32, other: u32) -> bool {
        self.values[first as usize].leaves > self.values[other as usize].due
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
        self.got = Got::new(actions, self.values.len(), &self.first);
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

    /// What stands before a value has to leave before it does.
    fn is_hopeless(&self, queue: &Box<[u32]>, by: &Action, _now: Time) -> bool {
        match (*by, queue.split_last()) {
            (Action::Put(value), Some((_, before))) => {
                before.iter().any(|other| self.got.outstays(*other, value))
            }
            _ => false,
        }
    }

    fn heap_bytes(queue: &Box<[u32]>) -> usize {
        size_of_val(&**queue)
    }

    fn describe(&self, queue: &Box<[u32]>) -> String {
        self.values.show(queue)
    }
}

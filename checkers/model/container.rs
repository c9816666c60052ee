//! What a queue, a stack and a priority queue have in common: values go in, and come out one by
//! one. They differ in which one is next: their [`Discipline`].

use crate::checker::Options;
use crate::history::{Operation, Outcome, Time, Value};
use crate::model::{After, Model, Parsed, unknown_function, values::Values};

/// In which order values leave a container. What is inside is a list of them, the next to leave
/// last.
pub trait Discipline: Clone + Default {
    /// As [`Model::OBJECT`] and [`Model::FUNCTIONS`].
    const OBJECT: &'static str;
    const FUNCTIONS: &'static [&'static str];
    /// Those of the functions that put a value in; the others take one out.
    const PUTS: &'static [&'static str];
    /// Whether it does not matter which of two values went in first.
    const FORGETS_ORDER: bool = false;

    /// All values of the history are known; none is new from now on.
    fn settle(&mut self, _values: &Values) {}

    /// What is inside after the value was put in.
    fn put(&self, inside: &[u32], value: u32) -> Box<[u32]>;

    /// Whether the value that was just put in stands in the way of another one, or another one in
    /// its, and cannot leave before that has to have left.
    fn is_hopeless(&self, _inside: &[u32], _got: &Got) -> bool {
        false
    }

    /// What is inside, for people.
    fn describe(&self, inside: &[u32], values: &Values) -> String;
}

/// Values, and who got them. It begins with the list [`Options::initial`], put in one by one.
#[derive(Debug, Clone)]
pub struct Container<D> {
    discipline: D,
    values: Values,
    first: Vec<u32>,
    got: Got,
}

/// What an operation does to a container.
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
pub struct Got {
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
    fn new(actions: &[Parsed<Action>], values: usize, first: &[u32]) -> Self {
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
    fn matters(&self, unanswered: &Action) -> bool {
        match unanswered {
            Action::Put(value) => self.values[*value as usize].is_got,
            _ => true,
        }
    }

    /// Whether the first value cannot leave before the other one has to have left.
    pub(crate) fn outstays(&self, first: u32, other: u32) -> bool {
        self.values[first as usize].leaves > self.values[other as usize].due
    }
}

impl<D: Discipline> Model for Container<D> {
    const OBJECT: &'static str = D::OBJECT;
    const FUNCTIONS: &'static [&'static str] = D::FUNCTIONS;
    /// The values, the next to leave last.
    type State = Box<[u32]>;
    type Action = Action;

    fn new(options: &Options<'_>) -> Result<Self, String> {
        let mut values = Values::default();
        let first = match &options.initial {
            Value::Nil => Vec::new(),
            Value::List(items) => items.iter().map(|item| values.number(item)).collect(),
            other => return Err(format!("{} begins as a list, not as {other}", D::OBJECT)),
        };
        Ok(Self { discipline: D::default(), values, first, got: Got::default() })
    }

    fn action(&mut self, operation: &Operation) -> Result<Option<Action>, String> {
        let f = operation.f.as_str();
        if D::PUTS.contains(&f) {
            return Ok(Some(Action::Put(self.values.number(&operation.input))));
        }
        if !D::FUNCTIONS.contains(&f) {
            return Err(unknown_function::<Self>(operation));
        }
        Ok(Some(match (&operation.output, operation.outcome) {
            (Value::Nil, Outcome::Ok) => Action::Empty,
            (value, Outcome::Ok) => Action::Take(self.values.number(value)),
            _ => Action::TakeUnseen,
        }))
    }

    fn settle(&mut self, actions: &[Parsed<Action>]) {
        self.got = Got::new(actions, self.values.len(), &self.first);
        self.discipline.settle(&self.values);
    }

    fn initial(&self) -> Box<[u32]> {
        let put = |inside: Box<[u32]>, value: &u32| self.discipline.put(&inside, *value);
        self.first.iter().fold(Box::default(), put)
    }

    fn apply(&self, inside: &Box<[u32]>, action: &Action) -> After<Box<[u32]>> {
        match (*action, inside.split_last()) {
            (Action::Put(value), _) => After::Next(self.discipline.put(inside, value)),
            (Action::Take(value), Some((next, rest))) if value == *next => After::Next(rest.into()),
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

    fn commute(&self, one: &Action, other: &Action) -> bool {
        D::FORGETS_ORDER && matches!((one, other), (Action::Put(_), Action::Put(_)))
    }

    fn matters(&self, unanswered: &Action) -> bool {
        self.got.matters(unanswered)
    }

    fn is_hopeless(&self, inside: &Box<[u32]>, by: &Action, _now: Time) -> bool {
        matches!(by, Action::Put(_)) && self.discipline.is_hopeless(inside, &self.got)
    }

    fn heap_bytes(inside: &Box<[u32]>) -> usize {
        size_of_val(&**inside)
    }

    fn describe(&self, inside: &Box<[u32]>) -> String {
        self.discipline.describe(inside, &self.values)
    }
}

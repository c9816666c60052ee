//! A counter.

use crate::checker::Options;
use crate::history::{Operation, Time, Value};
use crate::model::{After, Model, Parsed, answer, unknown_function, unknown_value};

/// A counter. `add` adds its input, which may be negative; `inc` and `dec` add and subtract their
/// input, or one if that is nil; `read` returns the sum (nil: zero). It begins with
/// [`Options::initial`], nil being zero.
#[derive(Debug, Clone)]
pub struct Counter {
    first: i128,
    /// The sums that all additions, and only the positive or only the negative ones, can reach.
    least: i128,
    greatest: i128,
}

/// What an operation does to the counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    Add(i128),
    Read(i128),
}

fn number(value: &Value, if_nil: i128) -> Option<i128> {
    match value {
        Value::Nil => Some(if_nil),
        Value::Int(number) => Some(i128::from(*number)),
        _ => None,
    }
}

impl Model for Counter {
    const OBJECT: &'static str = "a counter";
    const FUNCTIONS: &'static [&'static str] = &["add", "inc", "dec", "read"];
    type State = i128;
    type Action = Action;

    fn new(options: &Options<'_>) -> Result<Self, String> {
        let first = number(&options.initial, 0)
            .ok_or_else(|| format!("a counter begins with a number, not {}", options.initial))?;
        Ok(Self { first, least: first, greatest: first })
    }

    fn action(&mut self, operation: &Operation) -> Result<Option<Action>, String> {
        let (value, if_nil, sign) = match operation.f.as_str() {
            "add" => (&operation.input, None, 1),
            "inc" => (&operation.input, Some(1), 1),
            "dec" => (&operation.input, Some(1), -1),
            "read" => match answer(operation) {
                None => return Ok(None),
                Some(value) => (value, Some(0), 0),
            },
            _ => return Err(unknown_function::<Self>(operation)),
        };
        let understood = match if_nil {
            None if *value == Value::Nil => None,
            _ => number(value, if_nil.unwrap_or_default()),
        };
        let Some(number) = understood else {
            return Err(unknown_value(operation, value, "a number"));
        };
        Ok(match (sign, number) {
            (0, sum) => Some(Action::Read(sum)),
            (_, 0) => None,
            (sign, number) => Some(Action::Add(sign * number)),
        })
    }

    fn settle(&mut self, actions: &[Parsed<Action>]) {
        (self.least, self.greatest) = (self.first, self.first);
        for parsed in actions {
            if let Action::Add(number) = parsed.action {
                self.least += number.min(0);
                self.greatest += number.max(0);
            }
        }
    }

    fn initial(&self) -> i128 {
        self.first
    }

    fn apply(&self, sum: &i128, action: &Action) -> After<i128> {
        match *action {
            Action::Add(number) => After::Next(sum + number),
            Action::Read(read) => After::same_if(*sum == read),
        }
    }

    fn is_pure(&self, action: &Action) -> bool {
        matches!(action, Action::Read(_))
    }

    fn observes(&self, action: &Action) -> bool {
        self.is_pure(action)
    }

    fn commute(&self, one: &Action, other: &Action) -> bool {
        !self.is_pure(one) && !self.is_pure(other)
    }

    fn may_follow(&self, _sum: &i128, read: &Action, _now_and_finish: (Time, Time)) -> bool {
        match *read {
            Action::Read(sum) => (self.least..=self.greatest).contains(&sum),
            Action::Add(_) => true,
        }
    }

    fn describe(&self, sum: &i128) -> String {
        sum.to_string()
    }
}

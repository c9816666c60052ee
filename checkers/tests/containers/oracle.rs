//! The oracle: tries every order of the operations of one object. Slow, and obviously right.
//!
//! It remembers the configurations that it has seen, so that it is quick enough for histories of
//! a hundred operations of a few clients.

use std::collections::HashSet;

use splitbrain_checkers::history::{Operation, Outcome, Value};

use super::Kind;

#[derive(Debug, Clone, Copy, PartialEq)]
enum Act {
    Add(i64),
    /// Took this value; none: found nothing.
    Remove(Option<i64>),
    /// Took whatever was next.
    RemoveAny,
}

#[derive(Debug, Clone, Copy)]
pub struct Step {
    start: u64,
    finish: u64,
    sure: bool,
    act: Act,
}

/// The operation as the oracle sees it; none if it did not take effect.
pub fn step(operation: &Operation, kind: Kind) -> Option<Step> {
    let integer = |value: &Value| match value {
        Value::Int(integer) => Some(*integer),
        _ => None,
    };
    let sure = match operation.outcome {
        Outcome::Fail => return None,
        outcome => outcome == Outcome::Ok,
    };
    let act = match (operation.f.as_str() == kind.add(), sure) {
        (true, _) => Act::Add(integer(&operation.input).unwrap()),
        (false, true) => Act::Remove(integer(&operation.output)),
        (false, false) => Act::RemoveAny,
    };
    let finish = if sure { operation.complete.unwrap().0 } else { u64::MAX };
    Some(Step { start: operation.invoke.0, finish, sure, act })
}

/// Something that may have been done at any time, or never: a value put in, or taken out.
pub fn forgotten(value: i64, add: bool) -> Step {
    let act = if add { Act::Add(value) } else { Act::Remove(Some(value)) };
    Step { start: 0, finish: u64::MAX, sure: false, act }
}

/// Whether some order of all acknowledged and any unanswered operations respects real time and
/// is what the object does.
pub fn is_linearizable(operations: &[Operation], kind: Kind) -> bool {
    let steps: Vec<Step> = operations.iter().filter_map(|o| step(o, kind)).collect();
    can_be_ordered(&steps, kind)
}

pub fn can_be_ordered(steps: &[Step], kind: Kind) -> bool {
    assert!(steps.len() <= 128);
    Search { steps, kind, seen: HashSet::new() }.completes(0, &[])
}

struct Search<'s> {
    steps: &'s [Step],
    kind: Kind,
    seen: HashSet<(u128, Vec<i64>)>,
}

impl Search<'_> {
    fn completes(&mut self, placed: u128, contents: &[i64]) -> bool {
        let open = |i: &usize| placed & (1 << *i) == 0;
        let sure = |i: &usize| open(i) && self.steps[*i].sure;
        let Some(limit) = (0..self.steps.len()).filter(sure).map(|i| self.steps[i].finish).min()
        else {
            return true;
        };
        if !self.seen.insert((placed, contents.to_vec())) {
            return false;
        }
        for i in (0..self.steps.len()).filter(open) {
            let step = self.steps[i];
            if step.start > limit {
                continue;
            }
            let mut after = contents.to_vec();
            if self.apply(step.act, &mut after) && self.completes(placed | 1 << i, &after) {
                return true;
            }
        }
        false
    }

    fn apply(&self, act: Act, contents: &mut Vec<i64>) -> bool {
        let next = self.kind.next(contents);
        match (act, next) {
            (Act::Add(value), _) => contents.push(value),
            (Act::Remove(found), None) => return found.is_none(),
            (Act::Remove(found), Some(next)) => return found == Some(contents.remove(next)),
            (Act::RemoveAny, Some(next)) => {
                contents.remove(next);
            }
            (Act::RemoveAny, None) => return false,
        }
        true
    }
}

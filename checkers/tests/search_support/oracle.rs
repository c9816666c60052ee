//! The oracle: tries every order. Slow, and obviously right.

use splitbrain_checkers::history::{Operation, Outcome, Value};

use super::objects::{Object, State};

/// Whether some order of all acknowledged and any unanswered operations respects real time and
/// is what the object does.
pub fn is_linearizable(object: Object, operations: &[Operation], initial: &Value) -> bool {
    let possible: Vec<&Operation> =
        operations.iter().filter(|operation| operation.outcome != Outcome::Fail).collect();
    let mut placed = vec![false; possible.len()];
    can_be_completed(object, &possible, &mut placed, &object.first(initial))
}

fn can_be_completed(
    object: Object,
    operations: &[&Operation],
    placed: &mut [bool],
    state: &State,
) -> bool {
    let missing = |i: usize| !placed[i] && operations[i].outcome == Outcome::Ok;
    if !(0..operations.len()).any(missing) {
        return true;
    }
    for i in 0..operations.len() {
        if placed[i] {
            continue;
        }
        let must_wait = (0..operations.len()).any(|j| {
            !placed[j]
                && operations[j].outcome == Outcome::Ok
                && operations[j].complete.unwrap() < operations[i].invoke
        });
        if must_wait {
            continue;
        }
        let Some((next, answer)) = object.serve(state, operations[i]) else { continue };
        if operations[i].outcome == Outcome::Ok && !object.agrees(operations[i], &answer) {
            continue;
        }
        placed[i] = true;
        let found = can_be_completed(object, operations, placed, &next);
        placed[i] = false;
        if found {
            return true;
        }
    }
    false
}

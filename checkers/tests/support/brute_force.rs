//! The oracle: tries every order of the operations of one register. Slow, and obviously right.

use splitbrain_checkers::history::{Function, Operation, Outcome, Value};

/// Whether some order of all acknowledged and any unanswered operations respects real time and
/// is what a register does that holds `initial` at first.
pub fn is_linearizable(operations: &[Operation], initial: &Value) -> bool {
    let possible: Vec<&Operation> =
        operations.iter().filter(|operation| operation.outcome != Outcome::Fail).collect();
    let mut placed = vec![false; possible.len()];
    can_be_completed(&possible, &mut placed, initial)
}

fn can_be_completed(operations: &[&Operation], placed: &mut [bool], state: &Value) -> bool {
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
        let Some(next) = apply(operations[i], state) else { continue };
        placed[i] = true;
        let found = can_be_completed(operations, placed, &next);
        placed[i] = false;
        if found {
            return true;
        }
    }
    false
}

/// The state after the operation; `None` if it cannot have happened in that state.
fn apply(operation: &Operation, state: &Value) -> Option<Value> {
    match operation.f {
        Function::Read if operation.outcome == Outcome::Info => Some(state.clone()),
        Function::Read => (operation.output == *state).then(|| state.clone()),
        Function::Write => Some(operation.input.clone()),
        Function::Cas => {
            let (expected, new) = operation.input.as_pair().unwrap();
            (expected == state).then(|| new.clone())
        }
        _ => panic!("a register has read, write and cas"),
    }
}

//! Random histories of one register: small ones without rhyme or reason, and long ones that are
//! valid by construction.

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use splitbrain_checkers::history::{Function, Operation, Outcome, Time, Value};

/// An operation with nothing but what a check of a register looks at.
pub fn operation(
    index: u64,
    f: Function,
    (input, output): (Value, Value),
    (invoke, complete): (u64, Option<u64>),
    outcome: Outcome,
) -> Operation {
    Operation {
        index,
        process: index,
        node: Some(format!("n{}", index % 3 + 1).into()),
        f,
        key: None,
        input,
        output,
        invoke: Time(invoke),
        complete: complete.map(Time),
        outcome,
        intended: None,
        error: None,
    }
}

/// Up to `most` operations with random intervals on a short, coarse time line. Written values
/// are unique if `unique`; what reads return and cas expect is mostly a written value.
pub fn chaos(random: &mut ChaCha8Rng, most: usize, unique: bool) -> Vec<Operation> {
    let count = random.random_range(1..=most);
    let span = random.random_range(2..=2 * count as u64 + 8);
    let longest = random.random_range(1..=span);
    let mut fresh: i64 = 0;
    let kinds: Vec<u32> = (0..count).map(|_| random.random_range(0..10)).collect();
    let writes = kinds.iter().filter(|kind| **kind >= 4).count() as i64;
    let known = |random: &mut ChaCha8Rng| match random.random_range(0..=writes) {
        0 => Value::Nil,
        value => Value::Int(if unique { value } else { value % 3 + 1 }),
    };
    let mut operations = Vec::with_capacity(count);
    for (index, kind) in kinds.into_iter().enumerate() {
        let mut written = |random: &mut ChaCha8Rng| {
            fresh += 1;
            match random.random_range(0..if unique { 40 } else { 12 }) {
                0 => Value::Nil,
                _ if unique => Value::Int(fresh),
                _ => Value::Int(random.random_range(1..=3)),
            }
        };
        let (f, input) = match kind {
            0..4 => (Function::Read, Value::Nil),
            4..7 => (Function::Write, written(random)),
            _ => {
                let expected = known(random);
                let new = match random.random_range(0..20) {
                    0 => expected.clone(),
                    _ => written(random),
                };
                (Function::Cas, Value::pair(expected, new))
            }
        };
        let outcome = match random.random_range(0..10) {
            0..7 => Outcome::Ok,
            7 => Outcome::Fail,
            _ => Outcome::Info,
        };
        let output = if f == Function::Read { known(random) } else { input.clone() };
        let invoke = random.random_range(0..span);
        let complete = invoke + random.random_range(0..=longest);
        let unanswered = outcome == Outcome::Info && random.random_bool(0.5);
        let interval = (invoke, (!unanswered).then_some(complete));
        operations.push(operation(index as u64, f, (input, output), interval, outcome));
    }
    operations
}

/// How a valid history is made.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    pub operations: usize,
    pub clients: u64,
    /// Chances in percent; the rest are reads.
    pub writes: u32,
    pub cas: u32,
    /// Chance in ten thousand that an operation is not answered; half of these took effect.
    pub unanswered: u32,
    /// Written values repeat from `1..=values`; 0: they are unique.
    pub values: i64,
}

/// Clients that are always busy, on a register that serves each at a random instant between
/// invocation and completion: linearizable by construction.
pub fn valid(random: &mut ChaCha8Rng, shape: Shape) -> Vec<Operation> {
    // Each client's next invocation.
    let mut free_at: Vec<u64> = (0..shape.clients).map(|_| random.random_range(0..1_000)).collect();
    let mut served = Vec::with_capacity(shape.operations);
    for number in 0..shape.operations {
        let client = (0..free_at.len()).min_by_key(|client| free_at[*client]).unwrap();
        let invoke = free_at[client];
        let effect = invoke + random.random_range(1..40_000);
        let complete = effect + random.random_range(1..40_000);
        free_at[client] = complete + random.random_range(1..2_000);
        served.push((effect, number, client as u64, invoke, complete));
    }
    served.sort_unstable();
    let mut state = Value::Nil;
    let mut operations: Vec<Operation> = served
        .into_iter()
        .map(|(_, number, client, invoke, complete)| {
            serve(random, shape, &mut state, number, (invoke, complete), client)
        })
        .collect();
    operations.sort_by_key(|operation| (operation.invoke, operation.index));
    operations
}

/// Serves one operation at the instant when its turn comes.
fn serve(
    random: &mut ChaCha8Rng,
    shape: Shape,
    state: &mut Value,
    number: usize,
    (invoke, complete): (u64, u64),
    client: u64,
) -> Operation {
    let fresh = match shape.values {
        0 => Value::Int(number as i64 + 1),
        values => Value::Int(random.random_range(1..=values)),
    };
    let kind = random.random_range(0..100);
    let (f, input) = if kind < shape.writes {
        (Function::Write, fresh)
    } else if kind < shape.writes + shape.cas {
        let mistaken = random.random_bool(0.2);
        let expected = if mistaken { Value::Int(-1) } else { state.clone() };
        (Function::Cas, Value::pair(expected, fresh))
    } else {
        (Function::Read, Value::Nil)
    };
    let lost = random.random_range(0..10_000) < shape.unanswered;
    let takes_effect = !lost || random.random_bool(0.5);
    let mut outcome = if lost { Outcome::Info } else { Outcome::Ok };
    let mut output = input.clone();
    match input.as_pair() {
        Some((expected, _)) if expected != state => outcome = Outcome::Fail,
        Some((_, new)) if takes_effect => *state = new.clone(),
        None if f == Function::Write && takes_effect => *state = input.clone(),
        None if f == Function::Read => output = state.clone(),
        _ => {}
    }
    let complete = (outcome != Outcome::Info).then_some(complete);
    let mut served = operation(number as u64, f, (input, output), (invoke, complete), outcome);
    served.process = client;
    served
}

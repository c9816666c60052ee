//! Random histories: what a real object answered, with random intervals, and then changed.

use rand::Rng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use splitbrain_checkers::history::{Function, Operation, Outcome, Time, Value};

use super::Kind;

/// How a history is made. Chances are in ten thousand.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    pub operations: usize,
    /// Always busy, one operation at a time.
    pub clients: u64,
    pub adds: u32,
    /// Not answered; half of these took effect.
    pub unanswered: u32,
    pub failed: u32,
}

/// Clients that are always busy, on an object that serves each at a random instant between
/// invocation and completion: linearizable by construction.
pub fn valid(random: &mut ChaCha8Rng, kind: Kind, shape: Shape) -> Vec<Operation> {
    let mut free_at: Vec<u64> = (0..shape.clients).map(|_| random.random_range(0..1_000)).collect();
    let mut served = Vec::with_capacity(shape.operations);
    for number in 0..shape.operations {
        let client = (0..free_at.len()).min_by_key(|client| free_at[*client]).unwrap();
        let invoke = free_at[client];
        let effect = invoke + random.random_range(1..40_000);
        let complete = effect + random.random_range(1..40_000);
        free_at[client] = complete + random.random_range(1..2_000);
        served.push((effect, number as u64, client as u64, invoke, complete));
    }
    serve(random, kind, shape, served)
}

/// A few operations with any intervals on a short, coarse time line, then changed or not.
pub fn small(random: &mut ChaCha8Rng, kind: Kind, most: usize) -> Vec<Operation> {
    let operations = random.random_range(most / 2..=most);
    let span = random.random_range(2..=2 * operations as u64 + 8);
    let bound = if random.random_bool(0.3) { span / 2 } else { 2 };
    let longest = random.random_range(0..=bound);
    let often = |random: &mut ChaCha8Rng, chance| if random.random_bool(0.5) { chance } else { 0 };
    let shape = Shape {
        operations,
        clients: 1,
        adds: random.random_range(3_000..7_000),
        unanswered: often(random, 3_000),
        failed: often(random, 1_000),
    };
    let served = (0..operations as u64)
        .map(|number| {
            let effect = random.random_range(0..=span);
            let invoke = effect.saturating_sub(random.random_range(0..=longest));
            (effect, number, number, invoke, effect + random.random_range(0..=longest))
        })
        .collect();
    let mut history = serve(random, kind, shape, served);
    for _ in 0..random.random_range(0..=3) {
        change(random, &mut history);
    }
    history
}

/// Values that were all put in and taken out, each some time, with intervals around.
pub fn pairs(random: &mut ChaCha8Rng, kind: Kind, values: i64) -> Vec<Operation> {
    let span = random.random_range(8..=24);
    let longest = random.random_range(1..=5);
    let mut operations = Vec::new();
    for value in 1..=values {
        let (one, other) = (random.random_range(0..span), random.random_range(0..span));
        for (instant, adds) in [(std::cmp::min(one, other), true), (one.max(other), false)] {
            let name = if adds { kind.add() } else { kind.remove() };
            operations.push(Operation {
                index: operations.len() as u64,
                process: operations.len() as u64,
                node: None,
                f: Function::from_name(name),
                key: None,
                input: if adds { Value::Int(value) } else { Value::Nil },
                output: Value::Int(value),
                invoke: Time(u64::saturating_sub(instant, random.random_range(0..=longest))),
                complete: Some(Time(instant + random.random_range(0..=longest))),
                outcome: Outcome::Ok,
                intended: None,
                error: None,
            });
        }
    }
    operations.sort_by_key(|operation| (operation.invoke, operation.index));
    operations
}

/// When it takes effect, its number, its client, its invocation and its completion.
type Served = (u64, u64, u64, u64, u64);

fn serve(
    random: &mut ChaCha8Rng,
    kind: Kind,
    shape: Shape,
    mut served: Vec<Served>,
) -> Vec<Operation> {
    served.sort_unstable();
    let mut values: Vec<i64> = (1..=served.len() as i64).collect();
    values.shuffle(random);
    let (add, remove) = (Function::from_name(kind.add()), Function::from_name(kind.remove()));
    let nodes = ["n1", "n2", "n3"].map(splitbrain_checkers::history::Name::from);
    let mut contents = Contents::new(kind);
    let mut operations: Vec<Operation> = Vec::with_capacity(served.len());
    for (_, number, client, invoke, complete) in served {
        let adds = random.random_range(0..10_000) < shape.adds;
        let dice = random.random_range(0..10_000);
        let outcome = match dice {
            _ if dice < shape.unanswered => Outcome::Info,
            _ if dice < shape.unanswered + shape.failed => Outcome::Fail,
            _ => Outcome::Ok,
        };
        let takes_effect =
            outcome == Outcome::Ok || (outcome == Outcome::Info && random.random_bool(0.5));
        let input = if adds { Value::Int(values[number as usize]) } else { Value::Nil };
        let output = match input {
            Value::Int(value) if takes_effect => {
                contents.add(value);
                input.clone()
            }
            Value::Nil if takes_effect => contents.remove().map_or(Value::Nil, Value::Int),
            _ => Value::Nil,
        };
        let answered = outcome != Outcome::Info;
        operations.push(Operation {
            index: number,
            process: client,
            node: Some(nodes[number as usize % 3].clone()),
            f: if adds { add.clone() } else { remove.clone() },
            key: None,
            input,
            output: if outcome == Outcome::Ok { output } else { Value::Nil },
            invoke: Time(invoke),
            complete: answered.then_some(Time(complete)),
            outcome,
            intended: None,
            error: None,
        });
    }
    operations.sort_by_key(|operation| (operation.invoke, operation.index));
    operations
}

/// The object itself.
struct Contents {
    kind: Kind,
    line: std::collections::VecDeque<i64>,
    heap: std::collections::BTreeSet<i64>,
}

impl Contents {
    fn new(kind: Kind) -> Self {
        Contents { kind, line: Default::default(), heap: Default::default() }
    }

    fn add(&mut self, value: i64) {
        match self.kind {
            Kind::Priority => {
                self.heap.insert(value);
            }
            _ => self.line.push_back(value),
        }
    }

    fn remove(&mut self) -> Option<i64> {
        match self.kind {
            Kind::Queue => self.line.pop_front(),
            Kind::Stack => self.line.pop_back(),
            Kind::Priority => self.heap.pop_first(),
        }
    }
}

/// Changes what one or two operations returned, or when one was.
pub fn change(random: &mut ChaCha8Rng, operations: &mut Vec<Operation>) {
    let returned =
        |operation: &Operation| operation.outcome == Outcome::Ok && operation.input == Value::Nil;
    let removals: Vec<usize> =
        (0..operations.len()).filter(|i| returned(&operations[*i])).collect();
    let any = random.random_range(0..operations.len());
    let pick = |random: &mut ChaCha8Rng| match removals.len() {
        0 => any,
        count => removals[random.random_range(0..count)],
    };
    match random.random_range(0..12) {
        0..4 if removals.len() > 1 => {
            let (one, other) = (pick(random), pick(random));
            let output = operations[one].output.clone();
            operations[one].output = std::mem::replace(&mut operations[other].output, output);
        }
        4 if !removals.is_empty() => {
            let victim = pick(random);
            operations[victim].output = match operations[any].input {
                Value::Int(value) => Value::Int(value),
                _ => Value::Nil,
            };
        }
        5 if operations.len() > 1 => {
            operations.remove(any);
        }
        6 if !removals.is_empty() => {
            let victim = pick(random);
            operations[victim].output = Value::Nil;
        }
        7 if operations[any].outcome == Outcome::Ok => {
            let operation = &mut operations[any];
            operation.outcome = Outcome::Info;
            operation.complete = None;
            operation.output = Value::Nil;
        }
        _ => {
            let operation = &mut operations[any];
            let length = operation.complete.map_or(4, |end| end.0 - operation.invoke.0);
            let shift = random.random_range(0..=length + 3);
            if random.random_bool(0.5) {
                operation.invoke = Time(operation.invoke.0 + shift);
                operation.complete = operation.complete.map(|end| Time(end.0 + shift));
            } else {
                let shift = shift.min(operation.invoke.0);
                operation.invoke = Time(operation.invoke.0 - shift);
                operation.complete = operation.complete.map(|end| Time(end.0 - shift));
            }
        }
    }
}

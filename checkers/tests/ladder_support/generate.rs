//! Random histories of several keys: what a store of three nodes might answer that forwards its
//! writes more or less carefully.

use std::collections::BTreeMap;

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use splitbrain_checkers::history::{Function, Operation, Outcome, Time, Value};

/// How careless the store is, and what clients do.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    pub operations: usize,
    pub sessions: usize,
    pub keys: usize,
    /// Whether there are transactions; else there are plain reads, writes and cas.
    pub transactions: bool,
    /// Chances in a hundred: that an operation goes to another node, that writes overtake each
    /// other, that a read returns any value of its key, that an operation is not answered.
    pub hop: u32,
    pub overtake: u32,
    pub noise: u32,
    pub unanswered: u32,
    /// Chance in a hundred that a waiting write arrives somewhere before the next operation.
    pub deliver: u32,
    /// Whether the first session does most of the writing; the others mostly read. Reads often
    /// find nothing.
    pub roles: bool,
    /// Whether the first session begins with a write, a read and a write, and the second then
    /// reads twice: the least that tests all of the guarantees.
    pub script: bool,
    /// Whether the newest write wins; else the one that arrives last.
    pub newest_wins: bool,
}

impl Shape {
    /// Up to `most` operations of three sessions on two keys, on a store of random habits.
    pub fn small(random: &mut ChaCha8Rng, most: usize, transactions: bool) -> Shape {
        let mut chance = |of: &[u32]| of[random.random_range(0..of.len())];
        Shape {
            operations: chance(&[5, 6, 7, 8, 8]).min(most as u32) as usize,
            sessions: 3,
            keys: 2,
            transactions,
            hop: chance(&[0, 0, 0, 20, 50]),
            overtake: chance(&[0, 50]),
            noise: chance(&[0, 20, 50, 90]),
            unanswered: chance(&[0, 10, 25]),
            deliver: chance(&[10, 40, 90]),
            roles: false,
            script: false,
            newest_wins: chance(&[0, 1]) == 1,
        }
    }
}

/// A write of one transaction, on its way to one node.
struct Message {
    to: usize,
    from: usize,
    number: usize,
    cells: Vec<(usize, Value)>,
}

/// What a node holds: per key the value and the number of its write.
type Node = BTreeMap<usize, (usize, Value)>;

struct Store {
    nodes: Vec<Node>,
    messages: Vec<Message>,
    /// Per key all values that were ever written.
    values: Vec<Vec<Value>>,
}

/// A history of that shape; operations in the order of their invocations.
pub fn history(random: &mut ChaCha8Rng, shape: Shape) -> Vec<Operation> {
    let mut store = Store {
        nodes: vec![Node::new(); shape.sessions],
        messages: Vec::new(),
        values: vec![vec![Value::Nil]; shape.keys],
    };
    let mut processes: Vec<u64> = (0..shape.sessions as u64).collect();
    let mut operations = Vec::with_capacity(shape.operations);
    for number in 0..shape.operations {
        store.deliver(random, shape);
        let mut session = random.random_range(0..shape.sessions);
        if shape.script && number < 5 {
            session = usize::from(number >= 3);
        }
        let node = match random.random_ratio(shape.hop, 100) {
            true => random.random_range(0..shape.sessions),
            false => session,
        };
        let mut operation = store.serve(random, shape, number, (node, session == 0));
        operation.process = processes[session];
        if operation.outcome == Outcome::Info && random.random_ratio(3, 4) {
            processes[session] += shape.sessions as u64;
        }
        operations.push(operation);
    }
    operations
}

impl Store {
    fn deliver(&mut self, random: &mut ChaCha8Rng, shape: Shape) {
        while !self.messages.is_empty() && random.random_ratio(shape.deliver, 100) {
            let mut chosen = random.random_range(0..self.messages.len());
            if !random.random_ratio(shape.overtake, 100) {
                let (to, from) = (self.messages[chosen].to, self.messages[chosen].from);
                let first = |m: &Message| m.to == to && m.from == from;
                chosen = self.messages.iter().position(first).unwrap();
            }
            let message = self.messages.remove(chosen);
            for (key, value) in message.cells {
                let held = self.nodes[message.to].entry(key).or_insert((0, Value::Nil));
                if !shape.newest_wins || held.0 <= message.number {
                    *held = (message.number, value);
                }
            }
        }
    }

    fn read(&self, random: &mut ChaCha8Rng, shape: Shape, node: usize, key: usize) -> Value {
        if random.random_ratio(shape.noise, 100) {
            let values = &self.values[key];
            let first = usize::from(shape.roles && node == 0 && values.len() > 1);
            let (chance, of) = if node == 0 { (1, 3) } else { (1, 2) };
            let finds_nothing = shape.roles && random.random_ratio(chance, of);
            return match finds_nothing {
                true => Value::Nil,
                false => values[random.random_range(first..values.len())].clone(),
            };
        }
        self.nodes[node].get(&key).map_or(Value::Nil, |(_, value)| value.clone())
    }

    fn serve(
        &mut self,
        random: &mut ChaCha8Rng,
        shape: Shape,
        number: usize,
        (node, is_writer): (usize, bool),
    ) -> Operation {
        let outcome = match random.random_range(0..100) {
            roll if roll < shape.unanswered => Outcome::Info,
            roll if roll < shape.unanswered + 4 => Outcome::Fail,
            _ => Outcome::Ok,
        };
        let takes_effect = match outcome {
            Outcome::Ok => true,
            // Seldom, a write that failed is there after all.
            Outcome::Fail => random.random_ratio(1, 10),
            Outcome::Info => random.random_ratio(1, 2),
        };
        let key = random.random_range(0..shape.keys);
        let fresh = Value::Int(number as i64 + 1);
        let mut cells = Vec::new();
        let found = self.read(random, shape, node, key);
        let kind = match (shape.roles, is_writer) {
            _ if shape.script && number < 5 => [5, 0, 5, 0, 0][number],
            (false, _) => random.random_range(0..10),
            (true, true) => random.random_range(2..10),
            (true, false) => random.random_range(0..6),
        };
        let (f, input, output) = match kind {
            _ if shape.transactions && random.random_ratio(2, 3) => {
                let (input, output) = self.transaction(random, shape, number, node, &mut cells);
                (Function::Other("txn".into()), input, output)
            }
            0..5 => (Function::Read, Value::Nil, found),
            5..9 => {
                cells.push((key, fresh.clone()));
                (Function::Write, fresh.clone(), fresh)
            }
            _ => {
                cells.push((key, fresh.clone()));
                let pair = Value::pair(found, fresh);
                (Function::Cas, pair.clone(), pair)
            }
        };
        if takes_effect {
            self.write(shape, number, node, &cells);
        }
        let named = f != Function::Other("txn".into());
        Operation {
            index: number as u64,
            process: 0,
            node: None,
            f,
            key: named.then(|| key_name(key).into()),
            input,
            output: if outcome == Outcome::Ok { output } else { Value::Nil },
            invoke: Time(10 * number as u64),
            complete: (outcome != Outcome::Info).then_some(Time(10 * number as u64 + 5)),
            outcome,
            intended: None,
            error: None,
        }
    }

    /// One to three micro-operations on what the node holds; the first writes of a key only.
    fn transaction(
        &self,
        random: &mut ChaCha8Rng,
        shape: Shape,
        number: usize,
        node: usize,
        cells: &mut Vec<(usize, Value)>,
    ) -> (Value, Value) {
        let (mut input, mut output) = (Vec::new(), Vec::new());
        for step in 0..random.random_range(1..=3) {
            let key = random.random_range(0..shape.keys);
            let micro = |f: &str, value: Value| {
                Value::list([f.into(), Value::Text(key_name(key).into()), value])
            };
            if random.random_ratio(3, 5) {
                let own = cells.iter().rfind(|(written, _)| *written == key);
                let found = match own {
                    Some((_, value)) if !random.random_ratio(shape.noise, 200) => value.clone(),
                    _ => self.read(random, shape, node, key),
                };
                input.push(micro("r", Value::Nil));
                output.push(micro("r", found));
            } else {
                let value = Value::Int(10_000 * (step + 1) + number as i64 + 1);
                cells.push((key, value.clone()));
                input.push(micro("w", value.clone()));
                output.push(micro("w", value));
            }
        }
        (Value::List(input.into()), Value::List(output.into()))
    }

    fn write(&mut self, shape: Shape, number: usize, node: usize, cells: &[(usize, Value)]) {
        for (key, value) in cells {
            self.values[*key].push(value.clone());
            self.nodes[node].insert(*key, (number, value.clone()));
        }
        if !cells.is_empty() {
            let others = (0..shape.sessions).filter(|to| *to != node);
            let cells = cells.to_vec();
            self.messages.extend(others.map(|to| Message {
                to,
                from: node,
                number,
                cells: cells.clone(),
            }));
        }
    }
}

fn key_name(key: usize) -> String {
    if key < 2 { ["x", "y"][key].to_owned() } else { format!("k{key}") }
}

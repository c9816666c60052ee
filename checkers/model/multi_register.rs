//! Several registers, read and written together in transactions.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::checker::Options;
use crate::history::{Function, Operation, Outcome, Value};
use crate::model::{After, Model, Parsed, Parts, unknown_function, unknown_value, values::Values};

/// Registers that a transaction (`txn`) reads and writes at one instant. Its value is a list of
/// micro-operations `[f key value]`, f being `r` (`read`) or `w` (`write`), done one after the
/// other; a single `read` or `write` of a key is a transaction, too. All registers together are
/// one object: two transactions that share no key may still be ordered by a third.
///
/// At first every register holds [`Options::initial`]; if that is a list of pairs `[key value]`,
/// each holds its own value, and keys not named in it hold nil.
#[derive(Debug, Clone)]
pub struct MultiRegister {
    values: Values,
    keys: FxHashMap<Value, u32>,
    /// What each key holds at first.
    first: Vec<u32>,
    initial: Initial,
    /// Keys and values that somebody read.
    read: FxHashSet<(u32, u32)>,
}

#[derive(Debug, Clone)]
enum Initial {
    All(Value),
    Each(FxHashMap<Value, Value>),
}

/// One read or write within a transaction: key and value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Micro {
    Read(u32, u32),
    Write(u32, u32),
}

/// A transaction.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Transaction {
    micros: Box<[Micro]>,
    /// The keys that it touches, each once.
    keys: Box<[u32]>,
    writes: bool,
}

impl MultiRegister {
    fn key(&mut self, key: &Value) -> u32 {
        let next = self.keys.len() as u32;
        let number = *self.keys.entry(key.clone()).or_insert(next);
        if number == next {
            let first = match &self.initial {
                Initial::All(value) => value,
                Initial::Each(values) => values.get(key).unwrap_or(&Value::Nil),
            };
            self.first.push(self.values.number(first));
        }
        number
    }

    /// One micro-operation of a transaction; a read whose answer is not known is left out.
    fn micro(&mut self, micro: &Value, answered: bool) -> Option<Option<Micro>> {
        let Value::List(parts) = micro else { return None };
        let [Value::Text(f), key, value] = &**parts else { return None };
        match &**f {
            "r" | "read" if !answered => Some(None),
            "r" | "read" => Some(Some(Micro::Read(self.key(key), self.values.number(value)))),
            "w" | "write" => Some(Some(Micro::Write(self.key(key), self.values.number(value)))),
            _ => None,
        }
    }

    fn transaction(
        &mut self,
        operation: &Operation,
        micros: &[Value],
    ) -> Result<Option<Transaction>, String> {
        let answered = operation.outcome == Outcome::Ok;
        let mut parsed = Vec::with_capacity(micros.len());
        for micro in micros {
            match self.micro(micro, answered) {
                Some(micro) => parsed.extend(micro),
                None => {
                    return Err(unknown_value(operation, micro, "[r key value] or [w key value]"));
                }
            }
        }
        let mut keys: Vec<u32> = parsed.iter().map(|micro| micro.key()).collect();
        keys.sort_unstable();
        keys.dedup();
        let writes = parsed.iter().any(|micro| matches!(micro, Micro::Write(..)));
        let matters = !parsed.is_empty() && (answered || writes);
        Ok(matters.then(|| Transaction { micros: parsed.into(), keys: keys.into(), writes }))
    }
}

impl Micro {
    fn key(self) -> u32 {
        match self {
            Micro::Read(key, _) | Micro::Write(key, _) => key,
        }
    }
}

impl Transaction {
    /// Whether it writes a key that the other touches.
    fn disturbs(&self, other: &Transaction) -> bool {
        self.micros.iter().any(|micro| match micro {
            Micro::Write(key, _) => other.keys.contains(key),
            Micro::Read(..) => false,
        })
    }
}

impl Model for MultiRegister {
    const OBJECT: &'static str = "a group of registers";
    const FUNCTIONS: &'static [&'static str] = &["txn", "read", "write"];
    /// What each key holds.
    type State = Box<[u32]>;
    type Action = Transaction;

    fn new(options: &Options<'_>) -> Result<Self, String> {
        let pairs = match &options.initial {
            Value::List(pairs) => pairs.iter().map(Value::as_pair).collect::<Option<Vec<_>>>(),
            _ => None,
        };
        let initial = match pairs {
            Some(pairs) => {
                let cloned = pairs.into_iter().map(|(key, value)| (key.clone(), value.clone()));
                Initial::Each(cloned.collect())
            }
            None => Initial::All(options.initial.clone()),
        };
        let (values, keys) = (Values::default(), FxHashMap::default());
        Ok(Self { values, keys, first: Vec::new(), initial, read: FxHashSet::default() })
    }

    fn action(&mut self, operation: &Operation) -> Result<Option<Transaction>, String> {
        let answered = operation.outcome == Outcome::Ok;
        let value = if answered { &operation.output } else { &operation.input };
        let key = || operation.key.clone().map_or(Value::Nil, Value::Text);
        let single = |f: &str, value: &Value| [Value::list([Value::from(f), key(), value.clone()])];
        match &operation.f {
            Function::Read => self.transaction(operation, &single("r", value)),
            Function::Write => self.transaction(operation, &single("w", &operation.input)),
            Function::Other(f) if &**f == "txn" => match value {
                Value::List(micros) => self.transaction(operation, micros),
                other => Err(unknown_value(operation, other, "a list of [f key value]")),
            },
            _ => Err(unknown_function::<Self>(operation)),
        }
    }

    fn settle(&mut self, actions: &[Parsed<Transaction>]) {
        let micros = actions.iter().flat_map(|parsed| &parsed.action.micros);
        self.read = micros
            .filter_map(|micro| match *micro {
                Micro::Read(key, value) => Some((key, value)),
                Micro::Write(..) => None,
            })
            .collect();
    }

    fn initial(&self) -> Box<[u32]> {
        self.first.clone().into()
    }

    fn apply(&self, registers: &Box<[u32]>, action: &Transaction) -> After<Box<[u32]>> {
        if !action.writes {
            return After::same_if(action.micros.iter().all(|micro| match *micro {
                Micro::Read(key, value) => registers[key as usize] == value,
                Micro::Write(..) => true,
            }));
        }
        let mut next = registers.clone();
        for micro in &action.micros {
            match *micro {
                Micro::Write(key, value) => next[key as usize] = value,
                Micro::Read(key, value) if next[key as usize] != value => return After::Refused,
                Micro::Read(..) => {}
            }
        }
        if next == *registers { After::Same } else { After::Next(next) }
    }

    fn is_pure(&self, action: &Transaction) -> bool {
        !action.writes
    }

    fn observes(&self, action: &Transaction) -> bool {
        action.micros.iter().any(|micro| matches!(micro, Micro::Read(..)))
    }

    fn parts<'a>(&self, action: &'a Transaction) -> Parts<'a> {
        Parts::These(&action.keys)
    }

    fn commute(&self, one: &Transaction, other: &Transaction) -> bool {
        !one.disturbs(other) && !other.disturbs(one)
    }

    /// If nobody read what it wrote, then nobody read those registers at all between it and the
    /// next that wrote them, and it can be left out.
    fn matters(&self, unanswered: &Transaction) -> bool {
        unanswered.micros.iter().any(|micro| match *micro {
            Micro::Write(key, value) => self.read.contains(&(key, value)),
            Micro::Read(..) => false,
        })
    }

    fn heap_bytes(registers: &Box<[u32]>) -> usize {
        size_of_val(&**registers)
    }

    fn describe(&self, registers: &Box<[u32]>) -> String {
        let mut keys: Vec<(&Value, u32)> =
            self.keys.iter().map(|(key, number)| (key, *number)).collect();
        keys.sort();
        let described: Vec<String> = keys
            .into_iter()
            .map(|(key, number)| {
                format!("{key} = {}", self.values.value(registers[number as usize]))
            })
            .collect();
        crate::words::few(&described, "and")
    }
}

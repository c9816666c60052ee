//! What the transactions that only read saw.

use rustc_hash::FxHashMap;

use crate::evidence::{Span, refusal};
use crate::history::{Function, History, Operation, Outcome, Value};
use crate::numbering::Numbering;

/// Whether a read saw the write of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Seen {
    pub key: u32,
    pub is_written: bool,
}

/// Every acknowledged transaction that read two keys or more and wrote none.
#[derive(Debug)]
pub(super) struct Reads<'a> {
    /// With its position in the history; what it saw in the order of the keys' numbers.
    pub reads: Vec<(usize, Vec<Seen>)>,
    /// What each number of a key stands for.
    pub keys: Vec<&'a Value>,
}

/// One micro-operation: `[r x 1]`.
struct Micro<'a> {
    is_write: bool,
    key: &'a Value,
    value: &'a Value,
}

impl<'a> Reads<'a> {
    /// # Errors
    /// A sentence that names the first operation that is none of ours, or a key that was written
    /// more than once.
    pub fn of(history: &'a History) -> Result<Self, String> {
        let mut numbering = Numbering::default();
        let mut reads = Vec::new();
        let mut values = Values::default();
        for (position, operation) in history.operations.iter().enumerate() {
            if operation.f == Function::ReplicaRead {
                continue;
            }
            Span::of(operation)?;
            let micros = micros(operation)?;
            let writes = micros.iter().any(|micro| micro.is_write);
            let mut seen = Vec::new();
            for micro in &micros {
                let key = numbering.number(micro.key);
                if micro.is_write {
                    values.write(key, micro.value, operation)?;
                } else if operation.outcome == Outcome::Ok && !writes {
                    let is_written = *micro.value != Value::Nil;
                    if is_written {
                        values.read(key, micro.value, operation)?;
                    }
                    seen.push(Seen { key, is_written });
                }
            }
            seen.sort_unstable();
            seen.dedup();
            if seen.windows(2).any(|pair| pair[0].key == pair[1].key) {
                return Err(format!(
                    "operation {} saw a key written and not written",
                    operation.index
                ));
            }
            if seen.len() >= 2 {
                reads.push((position, seen));
            }
        }
        Ok(Reads { reads, keys: numbering.into_values() })
    }
}

/// The one value of each key.
#[derive(Debug, Default)]
struct Values<'a> {
    read: FxHashMap<u32, &'a Value>,
    written: FxHashMap<u32, &'a Value>,
}

impl<'a> Values<'a> {
    fn write(&mut self, key: u32, value: &'a Value, operation: &Operation) -> Result<(), String> {
        if operation.outcome == Outcome::Fail {
            return Ok(());
        }
        if self.written.insert(key, value).is_some() || *value == Value::Nil {
            return Err(format!(
                "operation {} writes a key that was written before, or nil; what this check says \
                 holds for keys that are written once",
                operation.index
            ));
        }
        self.read(key, value, operation)
    }

    fn read(&mut self, key: u32, value: &'a Value, operation: &Operation) -> Result<(), String> {
        if *self.read.entry(key).or_insert(value) != value {
            return Err(format!(
                "operation {} has {value} where another value of the same key was before; what \
                 this check says holds for keys that are written once",
                operation.index
            ));
        }
        Ok(())
    }
}

/// The micro-operations of a transaction; of a read that returned, what it returned.
fn micros(operation: &Operation) -> Result<Vec<Micro<'_>>, String> {
    if !matches!(operation.f.as_str(), "read" | "write" | "txn") {
        return Err(refusal(operation, "a long fork has txn, read and write"));
    }
    let from = match (&operation.output, operation.outcome) {
        (output @ Value::List(_), Outcome::Ok) => output,
        _ => &operation.input,
    };
    let misshapen = || {
        format!(
            "operation {} is {} of {from}; expected a list of [r key value] and [w key value]",
            operation.index, operation.f
        )
    };
    match from {
        Value::List(list) => list.iter().map(|item| micro(item).ok_or_else(misshapen)).collect(),
        // Nothing is known of it.
        Value::Nil if operation.outcome != Outcome::Ok => Ok(Vec::new()),
        _ => Err(misshapen()),
    }
}

fn micro(item: &Value) -> Option<Micro<'_>> {
    let Value::List(parts) = item else { return None };
    let [Value::Text(f), key, value] = parts.as_ref() else { return None };
    let is_write = match f.as_ref() {
        "r" | "read" => false,
        "w" | "write" => true,
        _ => return None,
    };
    Some(Micro { is_write, key, value })
}

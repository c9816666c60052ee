//! From operations to flat arrays of micro-operations, with small numbers for keys and writes.

use rustc_hash::FxHashMap;

use super::Workload;
use crate::history::{Function, History, Operation, Outcome, Time, Value};

/// No such thing; also a read whose value is unknown or useless.
pub(super) const NONE: u32 = u32::MAX;

/// The version before the first write of a key.
pub(super) const INITIAL: u32 = u32::MAX - 1;

/// More than this of anything would not fit beside the marks above and those of the graph.
const MOST: usize = 1 << 28;

#[derive(Debug, Clone)]
pub(super) struct Transaction {
    /// Position in the history's operations.
    pub operation: u32,
    /// Position of its first micro-operation.
    first: u32,
    pub invoke: Time,
    /// [`Time::MAX`] unless acknowledged.
    pub complete: Time,
    pub process: u64,
    pub outcome: Outcome,
}

/// A micro-operation.
#[derive(Debug, Clone, Copy)]
pub(super) struct Step {
    pub key: u32,
    /// The number of a write; of a read first the position in [`Parsed::reads`], and once it is
    /// resolved the version that was read: a write, [`INITIAL`] or [`NONE`].
    pub value: u32,
    pub is_write: bool,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Write<'h> {
    pub transaction: u32,
    pub key: u32,
    pub value: &'h Value,
    /// Whether its transaction wrote nothing later to the key.
    pub is_final: bool,
}

/// All transactions in the order of their invocations.
#[derive(Debug)]
pub(super) struct Parsed<'h> {
    pub workload: Workload,
    pub transactions: Vec<Transaction>,
    pub steps: Vec<Step>,
    pub keys: Vec<&'h Value>,
    pub key_numbers: FxHashMap<&'h Value, u32>,
    pub writes: Vec<Write<'h>>,
    /// By key and value.
    pub ids: FxHashMap<(u32, &'h Value), u32>,
    /// What acknowledged reads returned.
    pub reads: Vec<&'h Value>,
    /// By key: whether some value was written to it twice, so that it says nothing.
    pub is_ambiguous: Vec<bool>,
}

impl<'h> Parsed<'h> {
    /// Takes the transactions of a history apart; an error says which operation is none.
    pub fn new(history: &'h History, workload: Workload) -> Result<Self, String> {
        let mut parser = Parser {
            parsed: Parsed {
                workload,
                transactions: Vec::with_capacity(history.operations.len()),
                steps: Vec::with_capacity(2 * history.operations.len()),
                keys: Vec::new(),
                key_numbers: FxHashMap::default(),
                writes: Vec::with_capacity(history.operations.len()),
                ids: FxHashMap::default(),
                reads: Vec::with_capacity(history.operations.len()),
                is_ambiguous: Vec::new(),
            },
            last_write: Vec::new(),
        };
        let operations = &history.operations;
        let mut order: Vec<u32> = (0..operations.len() as u32).collect();
        if !operations.is_sorted_by_key(|operation| operation.invoke) {
            order.sort_by_key(|position| operations[*position as usize].invoke);
        }
        for position in order {
            let operation = &operations[position as usize];
            if operation.f == Function::ReplicaRead {
                continue;
            }
            parser
                .transaction(position, operation)
                .map_err(|what| format!("operation {} of the history {what}", operation.index))?;
            if parser.parsed.steps.len() > MOST {
                return Err("the history has too many micro-operations".to_owned());
            }
        }
        Ok(parser.parsed)
    }

    pub fn steps_of(&self, transaction: u32) -> &[Step] {
        &self.steps[self.range(transaction)]
    }

    /// Where its micro-operations are.
    pub fn range(&self, transaction: u32) -> std::ops::Range<usize> {
        let first = |number: usize| self.transactions.get(number).map(|next| next.first as usize);
        let number = transaction as usize;
        first(number).unwrap_or_default()..first(number + 1).unwrap_or(self.steps.len())
    }

    /// The transactions that were acknowledged.
    pub fn acknowledged(&self) -> impl Iterator<Item = u32> {
        let outcomes = self.transactions.iter().map(|transaction| transaction.outcome);
        (0..).zip(outcomes).filter(|(_, outcome)| *outcome == Outcome::Ok).map(|(number, _)| number)
    }

    pub fn outcome(&self, transaction: u32) -> Outcome {
        self.transactions[transaction as usize].outcome
    }

    pub fn writer(&self, write: u32) -> u32 {
        self.writes[write as usize].transaction
    }
}

/// What a read of a list returned; nil is the empty list.
pub(super) fn elements(value: &Value) -> &[Value] {
    match value {
        Value::List(elements) => elements,
        _ => &[],
    }
}

struct Parser<'h> {
    parsed: Parsed<'h>,
    /// By key, the last write to it.
    last_write: Vec<u32>,
}

impl<'h> Parser<'h> {
    fn transaction(&mut self, position: u32, operation: &'h Operation) -> Result<(), String> {
        if operation.f.as_str() != "txn" {
            return Err(format!("is no transaction but `{}`", operation.f));
        }
        let is_ok = operation.outcome == Outcome::Ok;
        let value = if is_ok { &operation.output } else { &operation.input };
        let Value::List(micro_operations) = value else {
            return Err(format!("has no list of micro-operations but `{value}`"));
        };
        match &operation.input {
            Value::List(asked) if asked.len() != micro_operations.len() => {
                return Err(format!(
                    "asked for {} micro-operations and was answered {}",
                    asked.len(),
                    micro_operations.len()
                ));
            }
            _ => {}
        }
        let number = self.parsed.transactions.len() as u32;
        self.parsed.transactions.push(Transaction {
            operation: position,
            first: self.parsed.steps.len() as u32,
            invoke: operation.invoke,
            complete: operation.complete.filter(|_| is_ok).unwrap_or(Time::MAX),
            process: operation.process,
            outcome: operation.outcome,
        });
        for micro_operation in micro_operations {
            let step = self.step(number, micro_operation, is_ok).ok_or_else(|| {
                format!("has `{micro_operation}`, which is no {}", self.parsed.workload.form())
            })?;
            self.parsed.steps.push(step);
        }
        Ok(())
    }

    fn step(&mut self, transaction: u32, form: &'h Value, is_ok: bool) -> Option<Step> {
        let Value::List(parts) = form else { return None };
        let [Value::Text(f), key, value] = parts.as_ref() else { return None };
        let key = self.key(key);
        let is_write = match (&**f, self.parsed.workload) {
            ("r" | "read", _) => false,
            ("append", Workload::ListAppend) | ("w" | "write", Workload::RwRegister) => true,
            _ => return None,
        };
        let value = match (is_write, self.parsed.workload, value) {
            (true, ..) => self.write(transaction, key, value),
            (false, ..) if !is_ok => NONE,
            (false, Workload::ListAppend, Value::Nil | Value::List(_))
            | (false, Workload::RwRegister, _) => {
                self.parsed.reads.push(value);
                (self.parsed.reads.len() - 1) as u32
            }
            _ => return None,
        };
        Some(Step { key, value, is_write })
    }

    fn key(&mut self, key: &'h Value) -> u32 {
        let Parsed { keys, key_numbers, is_ambiguous, .. } = &mut self.parsed;
        *key_numbers.entry(key).or_insert_with(|| {
            keys.push(key);
            is_ambiguous.push(false);
            self.last_write.push(NONE);
            (keys.len() - 1) as u32
        })
    }

    fn write(&mut self, transaction: u32, key: u32, value: &'h Value) -> u32 {
        let Parsed { writes, ids, is_ambiguous, .. } = &mut self.parsed;
        let number = writes.len() as u32;
        if ids.insert((key, value), number).is_some() {
            is_ambiguous[key as usize] = true;
        }
        let last = std::mem::replace(&mut self.last_write[key as usize], number);
        if let Some(last) = writes.get_mut(last as usize)
            && last.transaction == transaction
        {
            last.is_final = false;
        }
        writes.push(Write { transaction, key, value, is_final: true });
        number
    }
}

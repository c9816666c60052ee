//! The operations of one counter as numbers.

use crate::evidence::{NEVER, Span, refusal};
use crate::history::{Operation, Outcome, Value};

/// An add that may have taken effect.
#[derive(Debug, Clone, Copy)]
pub(super) struct Add {
    pub delta: i128,
    pub span: Span,
    /// Position of the operation in the caller's slice.
    pub source: u32,
}

impl Add {
    /// It was acknowledged.
    pub fn is_sure(&self) -> bool {
        self.span.finish != NEVER
    }
}

/// An acknowledged read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Read {
    /// What it returned, less what the counter began with.
    pub value: i128,
    pub span: Span,
    pub source: u32,
    pub index: u64,
}

/// The operations of one counter; adds of nothing are left out.
#[derive(Debug, Default, Clone)]
pub(super) struct Adds {
    pub initial: i128,
    pub adds: Vec<Add>,
    /// In the order of their beginnings.
    pub reads: Vec<Read>,
}

impl Adds {
    /// # Errors
    /// A sentence that names the first operation that a counter does not have.
    pub fn of(operations: &[&Operation], initial: &Value) -> Result<Adds, String> {
        let initial = match initial {
            Value::Nil => 0,
            Value::Int(initial) => i128::from(*initial),
            other => return Err(format!("the counter begins at {other}, which is no integer")),
        };
        let mut counter = Adds { initial, ..Adds::default() };
        for (source, operation) in operations.iter().enumerate() {
            let span = Span::of(operation)?;
            let source = source as u32;
            let amount = match (operation.f.as_str(), &operation.input) {
                ("read", _) => {
                    if operation.outcome == Outcome::Ok {
                        let value = value(operation)?.unwrap_or(initial) - initial;
                        let index = operation.index;
                        counter.reads.push(Read { value, span, source, index });
                    }
                    continue;
                }
                ("inc" | "increment", Value::Nil) => 1,
                ("dec" | "decrement", Value::Nil) => -1,
                ("add" | "inc" | "increment", Value::Int(amount)) => i128::from(*amount),
                ("dec" | "decrement", Value::Int(amount)) => -i128::from(*amount),
                ("add" | "inc" | "increment" | "dec" | "decrement", other) => {
                    return Err(format!(
                        "operation {} is {} of {other}, which is no integer",
                        operation.index, operation.f
                    ));
                }
                _ => return Err(refusal(operation, "a counter has add, inc, dec and read")),
            };
            if operation.outcome != Outcome::Fail && amount != 0 {
                counter.adds.push(Add { delta: amount, span, source });
            }
        }
        counter.reads.sort_by_key(|read| (read.span.start, read.index));
        Ok(counter)
    }

    /// 1 if no delta is negative, -1 if none is positive, `None` if there are both.
    pub fn sign(&self) -> Option<i128> {
        if self.adds.iter().all(|add| add.delta > 0) {
            Some(1)
        } else if self.adds.iter().all(|add| add.delta < 0) {
            Some(-1)
        } else {
            None
        }
    }
}

/// What a read returned; `None` is nil.
fn value(operation: &Operation) -> Result<Option<i128>, String> {
    match &operation.output {
        Value::Int(value) => Ok(Some(i128::from(*value))),
        Value::Nil => Ok(None),
        other => {
            Err(format!("operation {} returned {other}, which is no integer", operation.index))
        }
    }
}

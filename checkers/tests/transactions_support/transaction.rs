//! A transaction as the oracle sees it.

use splitbrain_checkers::history::{Operation, Outcome, Value};

#[derive(Debug, Clone)]
pub enum Micro {
    Write(Value, Value),
    Read(Value, Value),
}

#[derive(Debug)]
pub struct Transaction {
    pub micros: Vec<Micro>,
    pub is_ok: bool,
    pub process: u64,
    pub invoke: u64,
    pub complete: Option<u64>,
}

impl Transaction {
    /// The keys that it writes.
    pub fn written(&self) -> impl Iterator<Item = &Value> {
        self.micros.iter().filter_map(|micro| match micro {
            Micro::Write(key, _) => Some(key),
            Micro::Read(..) => None,
        })
    }
}

/// What an operation did, or, without an answer, would have done.
pub fn transaction(operation: &Operation) -> Transaction {
    let is_ok = operation.outcome == Outcome::Ok;
    let Value::List(forms) = (if is_ok { &operation.output } else { &operation.input }) else {
        panic!("no transaction: {operation}");
    };
    let micros = forms.iter().filter_map(|form| {
        let Value::List(parts) = form else { panic!("no micro-operation: {form}") };
        match (&parts[0], is_ok) {
            (Value::Text(f), _) if &**f != "r" => {
                Some(Micro::Write(parts[1].clone(), parts[2].clone()))
            }
            (_, true) => Some(Micro::Read(parts[1].clone(), parts[2].clone())),
            _ => None,
        }
    });
    Transaction {
        micros: micros.collect(),
        is_ok,
        process: operation.process,
        invoke: operation.invoke.0,
        complete: operation.complete.filter(|_| is_ok).map(|time| time.0),
    }
}

//! What the tests of the ladder share.
#![allow(dead_code, reason = "each test binary uses what it needs")]

pub mod brute_force;
pub mod compare;
pub mod generate;

use splitbrain_checkers::history::{History, Operation};

/// A history of these operations, in the order of their invocations.
pub fn history(operations: &[Operation]) -> History {
    let mut operations = operations.to_vec();
    operations.sort_by_key(|operation| (operation.invoke, operation.index));
    History { operations, ..History::default() }
}

/// One line per operation, for a failed assertion.
pub fn show(operations: &[Operation]) -> String {
    let lines = operations.iter().map(|o| {
        let (process, f, key) = (o.process, o.f.as_str(), o.key.as_deref().unwrap_or(""));
        let end = o.complete.map_or(String::new(), |end| end.0.to_string());
        let (input, output, start) = (&o.input, &o.output, o.invoke.0);
        format!("\n  {process} {f}@{key} {input} -> {output} {start}..{end} {:?}", o.outcome)
    });
    lines.collect()
}

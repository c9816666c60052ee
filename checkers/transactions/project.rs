//! A history with all but a few transactions removed: their writes are struck from what the
//! others read.
//!
//! Nothing becomes forbidden by it: whatever explains the whole history (an order, a set of
//! snapshots) explains what is left, with the removed transactions left out. So what a few
//! transactions show by themselves holds for the whole history.

use rustc_hash::FxHashSet;

use super::Workload;
use super::analysis::Analysis;
use crate::history::{History, Operation, Outcome, Value};

/// The history of these transactions alone.
pub(super) fn project(analysis: &Analysis<'_>, kept: &[u32]) -> History {
    let kept: FxHashSet<u32> = kept.iter().copied().collect();
    let mut order: Vec<u32> = kept.iter().copied().collect();
    order.sort_unstable();
    let operations = order
        .into_iter()
        .map(|transaction| {
            let whole = analysis.operation(transaction);
            let strike = |value| strike(analysis, &kept, value);
            let (input, output) = match whole.outcome {
                Outcome::Ok => (Value::Nil, strike(&whole.output)),
                _ => (strike(&whole.input), Value::Nil),
            };
            Operation { input, output, ..whole.clone() }
        })
        .collect();
    History { operations, ..History::default() }
}

/// What is left of a list of micro-operations.
fn strike(analysis: &Analysis<'_>, kept: &FxHashSet<u32>, micro_operations: &Value) -> Value {
    let Value::List(micro_operations) = micro_operations else { return micro_operations.clone() };
    let mut left = Vec::with_capacity(micro_operations.len());
    for micro_operation in micro_operations {
        let Value::List(parts) = micro_operation else { continue };
        let [f, key, value] = parts.as_ref() else { continue };
        let Some(&key_number) = analysis.parsed.key_numbers.get(key) else { continue };
        let is_ambiguous = analysis.parsed.is_ambiguous[key_number as usize];
        let is_left = |value: &Value| match analysis.parsed.ids.get(&(key_number, value)) {
            Some(write) => !is_ambiguous && kept.contains(&analysis.parsed.writer(*write)),
            None => true,
        };
        let value = match (value, analysis.parsed.workload) {
            (Value::List(elements), Workload::ListAppend) => {
                Value::List(elements.iter().filter(|element| is_left(element)).cloned().collect())
            }
            (Value::Nil, Workload::ListAppend) => Value::Nil,
            (value, _) if is_left(value) => value.clone(),
            _ => continue,
        };
        left.push(Value::list([f.clone(), key.clone(), value]));
    }
    Value::List(left.into())
}

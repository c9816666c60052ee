//! Each register by itself, where the order of its versions is unknown.
//!
//! A serial order of all transactions in real time is one for each key, too. So of every key
//! alone each transaction is a read, a write or, if it read and then wrote, a compare-and-set, and
//! these have to be [linearizable](crate::register), which can be decided however they were
//! written. That finds most of what blind writes hide from the graph: a stale read first of all.
//! The converse does not hold: keys that are each right can be wrong together.

use super::anomaly::Anomaly;
use super::parse::{INITIAL, NONE, Parsed};
use super::tally::{Proof, Tally};
use super::versions::Versions;
use crate::checker::Options;
use crate::history::{Function, History, Operation, Outcome, Value};
use crate::register;

/// Finds the keys that are not linearizable. Every read has to be resolved.
pub(super) fn find(
    history: &History,
    parsed: &Parsed<'_>,
    versions: &Versions,
    options: &Options<'_>,
    tally: &mut Tally,
) {
    for (key, operations) in (0..).zip(by_key(history, parsed, versions, options)) {
        let result = register::check_key(&operations, options);
        if let Some(witness) = result.validity.witness() {
            let transactions = witness.operations.iter().map(|o| o.index as u32).collect();
            let sentence = witness.sentence.clone();
            tally.add(Anomaly::NotLinearizable, Proof::Key { key, transactions, sentence });
        }
    }
}

/// What the committed transactions did to each key; the index is the transaction's number.
fn by_key(
    history: &History,
    parsed: &Parsed<'_>,
    versions: &Versions,
    options: &Options<'_>,
) -> Vec<Vec<Operation>> {
    let mut keys: Vec<Vec<Operation>> = vec![Vec::new(); parsed.keys.len()];
    for (number, transaction) in (0..).zip(&parsed.transactions) {
        if !versions.is_committed[number as usize] {
            continue;
        }
        let whole = &history.operations[transaction.operation as usize];
        for step in parsed.steps_of(number) {
            let value = match step.value {
                INITIAL => &options.initial,
                write => parsed.writes.get(write as usize).map_or(&Value::Nil, |w| w.value),
            };
            let operations = &mut keys[step.key as usize];
            match operations.last_mut().filter(|last| last.index == u64::from(number)) {
                // Reads again what it read or wrote before.
                Some(_) if !step.is_write => {}
                Some(last) if last.f == Function::Read => {
                    last.f = Function::Cas;
                    last.input = Value::pair(last.output.clone(), value.clone());
                }
                Some(last) => {
                    last.input = match last.input.as_pair() {
                        Some((expected, _)) if last.f == Function::Cas => {
                            Value::pair(expected.clone(), value.clone())
                        }
                        _ => value.clone(),
                    };
                }
                None if !step.is_write && step.value == NONE => {}
                None => operations.push(Operation {
                    index: u64::from(number),
                    f: if step.is_write { Function::Write } else { Function::Read },
                    key: None,
                    input: if step.is_write { value.clone() } else { Value::Nil },
                    output: value.clone(),
                    complete: whole.complete.filter(|_| whole.outcome == Outcome::Ok),
                    error: None,
                    ..whole.clone()
                }),
            }
        }
    }
    keys
}

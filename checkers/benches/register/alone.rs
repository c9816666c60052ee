//! The check alone, on a history in memory with unique values.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use splitbrain_checkers::checker::Options;
use splitbrain_checkers::history::{Operation, Value};
use splitbrain_checkers::register;

use crate::measure::Measure;
use crate::support::generate::{self, Shape};

/// 50 clients that are always busy, one key, 50 % reads, 30 % writes, 20 % cas.
pub fn history(operations: usize, unanswered: u32) -> Vec<Operation> {
    let shape = Shape { operations, clients: 50, writes: 30, cas: 20, unanswered, values: 0 };
    generate::valid(&mut ChaCha8Rng::seed_from_u64(1), shape)
}

/// A valid history, one with 2 % of its operations unanswered, and one with stale reads.
pub fn run(count: usize) {
    let operations = history(count, 0);
    let measure = Measure::begin();
    let result = register::check_key(&operations, &Options::default());
    measure.report("check a valid history", count);
    assert!(result.validity.is_valid(), "{result:?}");
    drop(operations);

    let mut operations = history(count, 200);
    let measure = Measure::begin();
    let result = register::check_key(&operations, &Options::default());
    measure.report("with 2 % unanswered", count);
    assert!(result.validity.is_valid(), "{result:?}");

    let victims = spoil(&mut operations);
    let measure = Measure::begin();
    let result = register::check_key(&operations, &Options::default());
    measure.report("with stale reads too, and a witness", count);
    let witness = result.validity.witness().expect("stale reads are violations");
    println!("  {victims} stale reads made, {} violations", result.violations);
    println!("  {}", witness.sentence);
    println!("  instead: {}", witness.instead.as_deref().unwrap_or("-"));
    assert!(witness.operations.len() <= 4);
}

/// Makes a few reads return what an earlier read returned.
fn spoil(operations: &mut [Operation]) -> usize {
    let reads: Vec<usize> = (0..operations.len())
        .filter(|i| operations[*i].f.as_str() == "read" && operations[*i].output != Value::Nil)
        .collect();
    let victims: Vec<usize> = (1..10).map(|tenth| reads.len() * tenth / 10).collect();
    for &victim in &victims {
        let older = operations[reads[victim - 2_000.min(victim)]].output.clone();
        operations[reads[victim]].output = older;
    }
    victims.len()
}

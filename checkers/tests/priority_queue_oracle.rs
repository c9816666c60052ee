//! The priority queue check and every witness against an oracle that tries every order, on random
//! histories.

mod containers;

use containers::generate::{self, Shape};
use containers::{Kind, compare, run};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use splitbrain_checkers::history::Value;
use splitbrain_checkers::priority_queue::check_key;

#[test]
fn agrees_with_every_order() {
    let split = compare::small(check_key, Kind::Priority, 120_000, 0x5eed_2001);
    assert!(split.is_balanced(), "{split:?}");
    assert_eq!(split.unknown, 0);
}

#[test]
fn agrees_with_every_order_on_longer_histories_that_were_changed() {
    let split = compare::changed(check_key, Kind::Priority, 3_000, 0x5eed_2002);
    assert!(split.is_balanced(), "{split:?}");
    assert!(split.unknown < 30, "{split:?}");
}

/// Four values that all came and went, with intervals that overlap in every way.
#[test]
fn agrees_with_every_order_on_four_values() {
    let (split, sizes) = compare::pairs(check_key, Kind::Priority, 40_000, 0x5eed_3001);
    assert!(split.is_balanced(), "{split:?}");
    assert!(sizes[3] > 1000 && sizes[4..=6].iter().sum::<usize>() > 100, "{sizes:?}");
    assert_eq!(split.unknown, 0);
}

#[test]
fn long_valid_histories_pass() {
    let answered =
        Shape { operations: 20_000, clients: 20, adds: 5_000, unanswered: 0, failed: 50 };
    let split = compare::valid(check_key, Kind::Priority, answered, 10, 0x5eed_2003);
    assert_eq!(split.valid, 10);
    let lossy = Shape { operations: 2_000, clients: 5, unanswered: 20, ..answered };
    let split = compare::valid(check_key, Kind::Priority, lossy, 50, 0x5eed_2004);
    assert!(split.valid >= 45, "{split:?}");
}

#[test]
fn every_witness_is_a_smallest_proof() {
    let sizes = compare::witnesses(check_key, Kind::Priority, 30_000, 0x5eed_2005);
    assert!(sizes[1..=3].iter().all(|size| *size > 200) && sizes[4] > 10, "{sizes:?}");
}

/// One wrong answer in a long valid history is found, and proven with few operations.
#[test]
fn one_changed_answer_in_a_long_history_is_found() {
    let mut random = ChaCha8Rng::seed_from_u64(0x5eed_2006);
    let shape = Shape { operations: 5_000, clients: 5, adds: 5_500, unanswered: 0, failed: 20 };
    for case in 0..50 {
        let mut operations = generate::valid(&mut random, Kind::Priority, shape);
        let returned: Vec<usize> = (0..operations.len())
            .filter(|i| operations[*i].input == Value::Nil && operations[*i].output != Value::Nil)
            .collect();
        let (early, late) = (returned[returned.len() / 3], returned[returned.len() / 3 + 300]);
        let output = operations[early].output.clone();
        operations[early].output = std::mem::replace(&mut operations[late].output, output);
        let result = run(check_key, &operations);
        let witness = result.validity.witness().unwrap_or_else(|| panic!("case {case}"));
        assert!(witness.operations.len() <= 12, "case {case}: {witness:#?}");
        assert!(result.violations > 0);
    }
}

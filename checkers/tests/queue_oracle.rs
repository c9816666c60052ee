//! The queue check and every witness against an oracle that tries every order, on random
//! histories; and the total queue against counting by hand.

mod containers;

use containers::generate::{self, Shape};
use containers::{Kind, compare, run};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use splitbrain_checkers::finding::Validity;
use splitbrain_checkers::history::{Operation, Outcome, Value};
use splitbrain_checkers::queue::{check_key, total};

#[test]
fn agrees_with_every_order() {
    let split = compare::small(check_key, Kind::Queue, 120_000, 0x5eed_1001);
    assert!(split.is_balanced(), "{split:?}");
    assert_eq!(split.unknown, 0);
}

#[test]
fn agrees_with_every_order_on_longer_histories_that_were_changed() {
    let split = compare::changed(check_key, Kind::Queue, 500, 0x5eed_1002);
    assert!(split.is_balanced(), "{split:?}");
    assert_eq!(split.unknown, 0);
}

/// Four values that all came and went, with intervals that overlap in every way.
#[test]
fn agrees_with_every_order_on_four_values() {
    let (split, sizes) = compare::pairs(check_key, Kind::Queue, 40_000, 0x5eed_3001);
    assert!(split.is_balanced(), "{split:?}");
    assert!(sizes[4] > 1000, "{sizes:?}");
    assert_eq!(split.unknown, 0);
}

#[test]
fn long_valid_histories_pass() {
    let shape = Shape { operations: 20_000, clients: 20, adds: 5_000, unanswered: 50, failed: 50 };
    let split = compare::valid(check_key, Kind::Queue, shape, 10, 0x5eed_1003);
    assert_eq!(split.valid, 10);
}

#[test]
fn every_witness_is_a_smallest_proof() {
    let sizes = compare::witnesses(check_key, Kind::Queue, 30_000, 0x5eed_1004);
    assert!(sizes[1..=4].iter().all(|size| *size > 200), "{sizes:?}");
}

/// One wrong answer in a long valid history is found, and proven with few operations.
#[test]
fn one_changed_answer_in_a_long_history_is_found() {
    let mut random = ChaCha8Rng::seed_from_u64(0x5eed_1005);
    let shape = Shape { operations: 5_000, clients: 5, adds: 5_500, unanswered: 20, failed: 20 };
    for case in 0..50 {
        let mut operations = generate::valid(&mut random, Kind::Queue, shape);
        let returned = |o: &Operation| o.outcome == Outcome::Ok && o.output != o.input;
        let dequeues: Vec<usize> = (0..operations.len())
            .filter(|i| returned(&operations[*i]) && operations[*i].output != Value::Nil)
            .collect();
        let (early, late) = (dequeues[dequeues.len() / 3], dequeues[dequeues.len() / 3 + 100]);
        let output = operations[early].output.clone();
        operations[early].output = std::mem::replace(&mut operations[late].output, output);
        let result = run(check_key, &operations);
        let witness = result.validity.witness().unwrap_or_else(|| panic!("case {case}"));
        assert!(witness.operations.len() <= 4, "case {case}: {witness:#?}");
        assert!(result.violations > 0);
    }
}

/// Whatever the total queue refutes, no queue of any order can have done.
#[test]
fn the_total_queue_counts_what_a_slow_count_counts() {
    let mut random = ChaCha8Rng::seed_from_u64(0x5eed_1006);
    let (mut lost, mut duplicated, mut unexpected, mut unknown, mut valid) = (0, 0, 0, 0, 0);
    for case in 0..40_000 {
        let operations = generate::small(&mut random, Kind::Queue, 8);
        let all: Vec<&Operation> = operations.iter().collect();
        let (result, report) = total::check_key(&all, &Default::default());
        let took = |o: &&Operation| o.outcome == Outcome::Ok && o.f.as_str() == "dequeue";
        let mut expected = [0, 0];
        for dequeue in all.iter().copied().filter(took).filter(|o| o.output != Value::Nil) {
            let same = |o: &&&Operation| o.outcome != Outcome::Fail && o.input == dequeue.output;
            let earlier = all.iter().take_while(|o| o.index != dequeue.index);
            let again = earlier.filter(|o| took(o)).any(|o| o.output == dequeue.output);
            match all.iter().filter(same).count() {
                0 => expected[0] += 1,
                _ if again => expected[1] += 1,
                _ => {}
            }
        }
        assert_eq!([report.unexpected, report.duplicated], expected, "case {case}");
        // Lost: the fewest values that are missing whatever the dequeues without an answer took.
        let empties = all.iter().filter(|o| took(o) && o.output == Value::Nil);
        let missing = empties.map(|empty| {
            let gone = |o: &&&Operation| {
                o.outcome == Outcome::Ok
                    && o.f.as_str() == "enqueue"
                    && o.complete.unwrap() < empty.invoke
                    && !all.iter().any(|d| took(d) && d.output == o.input)
            };
            let excuse = |o: &&&Operation| {
                o.outcome == Outcome::Info
                    && o.f.as_str() == "dequeue"
                    && o.invoke <= empty.complete.unwrap()
            };
            let missing = all.iter().filter(gone).count();
            missing.saturating_sub(all.iter().filter(excuse).count())
        });
        assert_eq!(report.lost, missing.max().unwrap_or(0), "case {case}");
        match result.validity {
            Validity::Valid => valid += 1,
            Validity::Unknown { .. } => unknown += 1,
            Validity::Invalid { .. } => {}
        }
        lost += usize::from(report.lost > 0);
        duplicated += usize::from(report.duplicated > 0);
        unexpected += usize::from(report.unexpected > 0);
    }
    let counts = [lost, duplicated, unexpected, unknown, valid];
    println!("lost, duplicated, unexpected, unknown, valid: {counts:?}");
    assert!(counts.iter().all(|count| *count > 300), "{counts:?}");
}

//! The search, with every model and every witness, against an oracle that tries every order, on
//! random histories.

mod search_support;

use std::collections::{BTreeMap, BTreeSet};

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use search_support::generate::{self, Shape};
use search_support::objects::Object;
use search_support::oracle::is_linearizable;
use search_support::show;
use splitbrain_checkers::checker::Options;
use splitbrain_checkers::finding::{Relation, Validity, Witness};
use splitbrain_checkers::history::{Operation, Outcome, Time};

const SEED: u64 = 0x5eed_1001;
const CASES_EACH: usize = 12_000;

fn small(random: &mut ChaCha8Rng, object: Object) -> Vec<Operation> {
    let shape = Shape {
        operations: random.random_range(1..=8),
        unanswered: random.random_range(0..40),
        failed: 8,
        concurrency: random.random_range(0..=4),
        unique: random.random_bool(0.5),
    };
    let mut operations = generate::valid(random, object, shape);
    if random.random_bool(0.95) {
        generate::spoil(random, object, &mut operations);
    }
    operations
}

fn assert_agrees(object: Object, answer: &Validity, truth: bool, operations: &[Operation]) {
    let context = || format!("{object:?}: {answer:#?}{}", show(operations));
    match answer {
        Validity::Valid => assert!(truth, "a false pass of {}", context()),
        Validity::Invalid { .. } => assert!(!truth, "a false alarm of {}", context()),
        Validity::Unknown { .. } => panic!("undecided: {}", context()),
    }
}

#[test]
fn every_model_agrees_with_every_order() {
    let mut random = ChaCha8Rng::seed_from_u64(SEED);
    let mut answers: BTreeMap<Object, [usize; 2]> = BTreeMap::new();
    for object in Object::ALL {
        let initial = generate::initial(object);
        let options = Options { initial: initial.clone(), ..Options::default() };
        for _ in 0..CASES_EACH {
            let operations = small(&mut random, object);
            let truth = is_linearizable(object, &operations, &initial);
            assert_agrees(
                object,
                &object.explore(&operations, &options).validity,
                truth,
                &operations,
            );
            answers.entry(object).or_default()[usize::from(truth)] += 1;
        }
    }
    println!("invalid, valid: {answers:?}");
    for (object, [invalid, valid]) in answers {
        assert!(invalid.min(valid) * 10 >= CASES_EACH, "{object:?}: {invalid} and {valid}");
    }
}

#[test]
fn parts_together_agree_with_parts_apart() {
    let mut random = ChaCha8Rng::seed_from_u64(SEED + 1);
    for object in [Object::MultiRegister, Object::Set, Object::AppendString, Object::UniqueIds] {
        let options = Options { initial: generate::initial(object), ..Options::default() };
        let mut answers = [0; 2];
        for _ in 0..3_000 {
            let operations = small(&mut random, object);
            let apart = object.explore(&operations, &options).validity.is_valid();
            let together = object.explore_unsplit(&operations, &options).validity;
            assert_agrees(object, &together, apart, &operations);
            answers[usize::from(apart)] += 1;
        }
        assert!(answers[0].min(answers[1]) > 200, "{object:?}: {answers:?}");
    }
}

/// What had begun at `end`, with everything forgotten but the witness.
fn alone(all: &[Operation], witness: &[Operation], end: Time) -> Vec<Operation> {
    let inside: BTreeSet<u64> = witness.iter().map(|operation| operation.index).collect();
    let forget = |operation: &Operation| match operation.outcome {
        Outcome::Fail => operation.clone(),
        _ if inside.contains(&operation.index) => operation.clone(),
        _ => Operation {
            invoke: Time(0),
            complete: None,
            outcome: Outcome::Info,
            ..operation.clone()
        },
    };
    all.iter().filter(|operation| operation.invoke <= end).map(forget).collect()
}

fn assert_smallest(object: Object, all: &[Operation], witness: &Witness) {
    let initial = generate::initial(object);
    let context = || {
        let (sentence, shown) = (&witness.sentence, show(&witness.operations));
        format!("{object:?}: {sentence}{shown}\nof{}", show(all))
    };
    let operations = &witness.operations;
    let answered = operations.iter().filter(|operation| operation.outcome == Outcome::Ok);
    let end = answered.filter_map(|operation| operation.complete).max().unwrap();
    let refutes = |kept: &[Operation]| !is_linearizable(object, &alone(all, kept, end), &initial);
    assert!(refutes(operations), "proves nothing: {}", context());
    for left_out in 0..operations.len() {
        let mut rest = operations.clone();
        rest.remove(left_out);
        assert!(!refutes(&rest), "not without {left_out}: {}", context());
    }
    for arrow in &witness.arrows {
        let (from, to) = (&operations[arrow.from], &operations[arrow.to]);
        assert_eq!(arrow.relation, Relation::RealTime);
        assert!(from.complete.unwrap() < to.invoke, "{}", context());
    }
    assert!(operations.is_sorted_by_key(|operation| operation.invoke), "{}", context());
    assert!(!witness.sentence.contains("too long"), "{}", context());
}

#[test]
fn every_witness_is_a_smallest_proof() {
    let mut random = ChaCha8Rng::seed_from_u64(SEED + 2);
    for object in Object::ALL {
        let options = Options { initial: generate::initial(object), ..Options::default() };
        let mut sizes = [0; 9];
        for _ in 0..1_500 {
            let mut operations = small(&mut random, object);
            operations.truncate(6);
            if let Validity::Invalid { witness } = object.explore(&operations, &options).validity {
                assert_smallest(object, &operations, &witness);
                sizes[witness.operations.len()] += 1;
            }
        }
        println!("{object:?}: witnesses by size: {sizes:?}");
        assert!(sizes.iter().sum::<usize>() > 50, "{object:?}: {sizes:?}");
    }
}

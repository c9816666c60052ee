//! The checks by name against the oracle.

use std::collections::BTreeMap;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use splitbrain_checkers::finding::{Finding, Validity};
use splitbrain_checkers::history::Operation;
use splitbrain_checkers::ladder::Model;
use splitbrain_checkers::registry;

use super::brute_force::{is_eventual, satisfies};
use super::generate::{self, Shape};
use super::{history, show};

/// The models that look at what everyone read and wrote, and when that ended.
pub const ORDERS: [Model; 6] = [
    Model::Sequential,
    Model::CausalMemory,
    Model::CausalConvergence,
    Model::Causal,
    Model::Pram,
    Model::Eventual,
];

/// The models that look at one session at a time.
pub const GUARANTEES: [Model; 4] = [
    Model::ReadYourWrites,
    Model::MonotonicReads,
    Model::MonotonicWrites,
    Model::WritesFollowReads,
];

pub fn ask(model: Model, operations: &[Operation]) -> Finding {
    registry::find(model.name()).unwrap().run(&history(operations), &Default::default())
}

pub fn truth(model: Model, operations: &[Operation]) -> bool {
    match model {
        Model::Eventual => is_eventual(operations),
        model => satisfies(model, operations),
    }
}

/// How often each answer came.
type Split = BTreeMap<Model, [usize; 3]>;

fn compare(models: &[Model], operations: &[Operation], case: usize, split: &mut Split) {
    let mut truths = BTreeMap::new();
    for &model in models {
        let truth = truth(model, operations);
        truths.insert(model, truth);
        let finding = ask(model, operations);
        let shown = || format!("case {case}, {}: {finding:#?}{}", model.name(), show(operations));
        match &finding.validity {
            Validity::Valid => assert!(truth, "a false pass, {}", shown()),
            Validity::Invalid { .. } => assert!(!truth, "a false alarm, {}", shown()),
            Validity::Unknown { reason } => {
                assert!(reason.starts_with("not exercised"), "{}", shown());
                assert!(truth, "not exercised, yet refuted: {}", shown());
            }
        }
        split.entry(model).or_default()[finding.validity.rank() as usize] += 1;
    }
    for (model, _) in truths.iter().filter(|(_, truth)| **truth) {
        for weaker in model.implies().iter().filter_map(|weaker| truths.get_key_value(weaker)) {
            assert!(weaker.1, "{model:?} without {:?}{}", weaker.0, show(operations));
        }
    }
}

/// Of the definite answers both are well represented, or the comparison says little.
fn assert_balanced(split: &Split, models: &[Model]) {
    for (model, [valid, unknown, invalid]) in split {
        println!("{:<20} valid {valid}, unknown {unknown}, invalid {invalid}", model.name());
        let enough = valid.min(invalid) * 10 >= valid + invalid;
        assert!(enough || !models.contains(model), "{model:?}: {valid} and {invalid}");
    }
}

pub fn compare_many(
    models: &[Model],
    cases: usize,
    seed: u64,
    shape: fn(&mut ChaCha8Rng) -> Shape,
) {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut split = Split::new();
    for case in 0..cases {
        let shape = shape(&mut random);
        let operations = generate::history(&mut random, shape);
        compare(models, &operations, case, &mut split);
    }
    assert_balanced(&split, models);
}

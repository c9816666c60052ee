//! The register check, the general search and every witness against an oracle that tries every
//! order, on random histories.

mod support;

use std::collections::BTreeSet;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use splitbrain_checkers::checker::Options;
use splitbrain_checkers::finding::{Relation, Validity, Witness};
use splitbrain_checkers::history::{Function, Operation, Outcome, Time, Value};
use splitbrain_checkers::register;
use splitbrain_checkers::register::repeated as search;
use support::brute_force::is_linearizable;
use support::generate;

const SEED: u64 = 0x5eed_0001;

/// How often each answer came; both have to be well represented, or the comparison says little.
#[derive(Debug, Default)]
struct Split {
    valid: usize,
    invalid: usize,
}

impl Split {
    fn count(&mut self, valid: bool) {
        *(if valid { &mut self.valid } else { &mut self.invalid }) += 1;
    }

    fn is_balanced(&self) -> bool {
        let total = self.valid + self.invalid;
        self.valid.min(self.invalid) * 10 >= total
    }
}

fn show(operations: &[Operation]) -> String {
    let mut lines: Vec<String> = operations
        .iter()
        .map(|o| {
            let end = o.complete.map_or("...".to_owned(), |end| end.0.to_string());
            format!("{:?} {o} [{}, {end}]", o.outcome, o.invoke.0)
        })
        .collect();
    lines.insert(0, String::new());
    lines.join("\n  ")
}

fn assert_agrees(answer: &Validity, operations: &[Operation], case: usize) -> bool {
    let truth = is_linearizable(operations, &Value::Nil);
    match answer {
        Validity::Valid => assert!(truth, "case {case}: a false pass{}", show(operations)),
        Validity::Invalid { witness } => {
            assert!(!truth, "case {case}: a false alarm, {witness:#?}{}", show(operations));
        }
        Validity::Unknown { reason } => panic!("case {case}: {reason}{}", show(operations)),
    }
    truth
}

#[test]
fn register_agrees_with_every_order_on_unique_values() {
    let mut random = ChaCha8Rng::seed_from_u64(SEED);
    let mut split = Split::default();
    for case in 0..150_000 {
        let operations = generate::chaos(&mut random, 8, true);
        split.count(assert_agrees(&register::check(&operations), &operations, case));
    }
    println!("unique values: {split:?}");
    assert!(split.is_balanced(), "{split:?}");
}

#[test]
fn register_and_search_agree_with_every_order_on_repeated_values() {
    let mut random = ChaCha8Rng::seed_from_u64(SEED + 1);
    let mut split = Split::default();
    for case in 0..60_000 {
        let operations = generate::chaos(&mut random, 8, false);
        split.count(assert_agrees(&register::check(&operations), &operations, case));
        assert_agrees(&search::check(&operations, &Options::default()), &operations, case);
    }
    println!("repeated values: {split:?}");
    assert!(split.is_balanced(), "{split:?}");
}

/// The witness with everything else forgotten: an operation outside it may at most have written
/// its value at any time, once or (`repeats`) as often as someone found it.
fn alone(all: &[Operation], witness: &[Operation], repeats: bool) -> Vec<Operation> {
    let inside: BTreeSet<u64> = witness.iter().map(|operation| operation.index).collect();
    let found: Vec<&Value> = witness.iter().filter_map(found).collect();
    let mut result = witness.to_vec();
    for other in all.iter().filter(|other| !inside.contains(&other.index)) {
        let Some(value) = written(other) else { continue };
        let times = found.iter().filter(|found| **found == value).count();
        for _ in 0..if repeats { times } else { times.min(1) } {
            result.push(Operation {
                f: Function::Write,
                input: value.clone(),
                invoke: Time(0),
                complete: None,
                outcome: Outcome::Info,
                ..other.clone()
            });
        }
    }
    result
}

fn found(operation: &Operation) -> Option<&Value> {
    match operation.f {
        Function::Read => Some(&operation.output),
        Function::Cas => operation.input.as_pair().map(|(expected, _)| expected),
        _ => None,
    }
}

fn written(operation: &Operation) -> Option<&Value> {
    let same = |(expected, new): &(&Value, &Value)| expected == new;
    match operation.f {
        _ if operation.outcome == Outcome::Fail => None,
        Function::Write => Some(&operation.input),
        Function::Cas => operation.input.as_pair().filter(|pair| !same(pair)).map(|pair| pair.1),
        _ => None,
    }
}

/// A witness is refuted by itself, and is not with any one of its operations forgotten.
fn assert_smallest(all: &[Operation], witness: &Witness, repeats: bool, case: usize) {
    let context = || {
        format!(
            "case {case}: {}\n{:?}{}\nof{}",
            witness.sentence,
            witness.arrows,
            show(&witness.operations),
            show(all)
        )
    };
    let operations = &witness.operations;
    assert!(!is_linearizable(&alone(all, operations, repeats), &Value::Nil), "{}", context());
    for left_out in 0..operations.len() {
        let mut rest = operations.clone();
        rest.remove(left_out);
        let rest = alone(all, &rest, repeats);
        assert!(is_linearizable(&rest, &Value::Nil), "without {left_out}, {}", context());
    }
    for arrow in &witness.arrows {
        let (from, to) = (&operations[arrow.from], &operations[arrow.to]);
        match arrow.relation {
            Relation::RealTime => assert!(from.complete.unwrap() < to.invoke, "{}", context()),
            Relation::ReadsFrom => assert_eq!(written(from), found(to), "{}", context()),
            other => panic!("{other:?} proves nothing about a register: {}", context()),
        }
    }
    assert!(operations.is_sorted_by_key(|operation| operation.invoke), "{}", context());
    for operation in operations.iter().filter(|_| !repeats) {
        assert!(witness.sentence.contains(&operation.to_string()), "{}", context());
    }
}

#[test]
fn every_witness_is_a_smallest_proof() {
    let mut random = ChaCha8Rng::seed_from_u64(SEED + 2);
    let mut sizes = [0; 9];
    for case in 0..60_000 {
        let operations = generate::chaos(&mut random, 8, true);
        if operations.iter().any(|operation| written(operation) == Some(&Value::Nil)) {
            continue;
        }
        if let Validity::Invalid { witness } = register::check(&operations) {
            assert_smallest(&operations, &witness, false, case);
            sizes[witness.operations.len()] += 1;
        }
    }
    println!("witnesses of the register check by size: {sizes:?}");
    assert!(sizes[2] > 1000 && sizes[3] > 300 && sizes[4] > 30, "{sizes:?}");
}

#[test]
fn every_witness_of_the_search_is_a_smallest_proof() {
    let mut random = ChaCha8Rng::seed_from_u64(SEED + 3);
    let mut sizes = [0; 9];
    for case in 0..20_000 {
        let operations = generate::chaos(&mut random, 8, false);
        if let Validity::Invalid { witness } = search::check(&operations, &Options::default()) {
            assert_smallest(&operations, &witness, true, case);
            sizes[witness.operations.len()] += 1;
        }
    }
    println!("witnesses of the search by size: {sizes:?}");
    assert!(sizes[2] > 1000 && sizes[3] > 300 && sizes[4] > 30, "{sizes:?}");
}

//! A check against the oracle.

use std::collections::BTreeSet;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use splitbrain_checkers::finding::{Relation, Validity, Witness};
use splitbrain_checkers::history::{Operation, Outcome, Value};

use super::generate::{self, Shape};
use super::oracle::{self, Step};
use super::{Check, Kind, run};

/// How often each answer came; both have to be well represented, or the comparison says little.
#[derive(Debug, Default)]
pub struct Split {
    pub valid: usize,
    pub invalid: usize,
    pub unknown: usize,
}

impl Split {
    pub fn is_balanced(&self) -> bool {
        self.valid.min(self.invalid) * 10 >= self.valid + self.invalid + self.unknown
    }
}

pub fn show(operations: &[Operation]) -> String {
    let mut lines: Vec<String> = operations
        .iter()
        .map(|o| {
            let end = o.complete.map_or("...".to_owned(), |end| end.0.to_string());
            format!("{:?} {} {} -> {} [{}, {end}]", o.outcome, o.f, o.input, o.output, o.invoke.0)
        })
        .collect();
    lines.insert(0, String::new());
    lines.join("\n  ")
}

/// Compares one answer with the oracle's.
pub fn one(check: Check, kind: Kind, operations: &[Operation], split: &mut Split, case: usize) {
    let truth = oracle::is_linearizable(operations, kind);
    match run(check, operations).validity {
        Validity::Valid => {
            assert!(truth, "case {case}: a false pass{}", show(operations));
            split.valid += 1;
        }
        Validity::Invalid { witness } => {
            assert!(!truth, "case {case}: a false alarm, {witness:#?}{}", show(operations));
            split.invalid += 1;
        }
        Validity::Unknown { .. } => split.unknown += 1,
    }
}

/// Many small histories.
pub fn small(check: Check, kind: Kind, cases: usize, seed: u64) -> Split {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut split = Split::default();
    for case in 0..cases {
        let operations = generate::small(&mut random, kind, 8);
        one(check, kind, &operations, &mut split, case);
    }
    println!("{kind:?}, small: {split:?}");
    split
}

/// Four values that came and went; the witnesses of these too.
pub fn pairs(check: Check, kind: Kind, cases: usize, seed: u64) -> (Split, [usize; 10]) {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut split = Split::default();
    let mut sizes = [0; 10];
    for case in 0..cases {
        let operations = generate::pairs(&mut random, kind, 4);
        one(check, kind, &operations, &mut split, case);
        if let Validity::Invalid { witness } = run(check, &operations).validity {
            assert_smallest(&operations, &witness, kind, case);
            sizes[witness.operations.len()] += 1;
        }
    }
    println!("{kind:?}, four values: {split:?}, witnesses by size: {sizes:?}");
    (split, sizes)
}

/// Longer histories of a few clients, valid by construction and then changed.
pub fn changed(check: Check, kind: Kind, cases: usize, seed: u64) -> Split {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut split = Split::default();
    for case in 0..cases {
        let shape = Shape {
            operations: random.random_range(10..32),
            clients: random.random_range(2..5),
            adds: random.random_range(4_000..6_000),
            unanswered: if random.random_bool(0.5) { 300 } else { 0 },
            failed: 200,
        };
        let mut operations = generate::valid(&mut random, kind, shape);
        for _ in 0..random.random_range(0..=2) {
            generate::change(&mut random, &mut operations);
        }
        one(check, kind, &operations, &mut split, case);
    }
    println!("{kind:?}, changed: {split:?}");
    split
}

/// Unchanged histories are never refuted; says how many were passed and how many not decided.
pub fn valid(check: Check, kind: Kind, shape: Shape, cases: usize, seed: u64) -> Split {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut split = Split::default();
    for case in 0..cases {
        let operations = generate::valid(&mut random, kind, shape);
        match run(check, &operations).validity {
            Validity::Valid => split.valid += 1,
            Validity::Unknown { .. } => split.unknown += 1,
            Validity::Invalid { witness } => panic!("case {case}: {witness:#?}"),
        }
    }
    println!("{kind:?}, valid: {split:?}");
    split
}

/// The witness with everything else forgotten: values of which only one operation is known may
/// have come or gone at any time; removals without an answer stay.
fn alone(all: &[Operation], witness: &[Operation], kind: Kind) -> Vec<Step> {
    let inside: BTreeSet<u64> = witness.iter().map(|operation| operation.index).collect();
    let mut steps: Vec<Step> = witness.iter().filter_map(|o| oracle::step(o, kind)).collect();
    let adds = |operation: &Operation| operation.f.as_str() == kind.add();
    for other in all.iter().filter(|other| !inside.contains(&other.index)) {
        if other.outcome == Outcome::Fail {
            continue;
        }
        if !adds(other) && other.outcome == Outcome::Info {
            steps.extend(oracle::step(other, kind));
            continue;
        }
        let value = if adds(other) { &other.input } else { &other.output };
        let Value::Int(integer) = value else { continue };
        let counterpart = |operation: &Operation| match adds(operation) {
            true => !adds(other) && operation.input == *value,
            false => adds(other) && operation.output == *value,
        };
        if witness.iter().any(counterpart) {
            steps.push(oracle::forgotten(*integer, adds(other)));
        }
    }
    steps
}

/// A witness is refuted by itself, and is not with any one of its operations forgotten.
pub fn assert_smallest(all: &[Operation], witness: &Witness, kind: Kind, case: usize) {
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
    assert!(!oracle::can_be_ordered(&alone(all, operations, kind), kind), "{}", context());
    for left_out in 0..operations.len() {
        let mut rest = operations.clone();
        rest.remove(left_out);
        let rest = alone(all, &rest, kind);
        assert!(oracle::can_be_ordered(&rest, kind), "without {left_out}, {}", context());
    }
    for arrow in &witness.arrows {
        let (from, to) = (&operations[arrow.from], &operations[arrow.to]);
        match arrow.relation {
            Relation::RealTime => assert!(from.complete.unwrap() < to.invoke, "{}", context()),
            Relation::ReadsFrom => assert_eq!(from.input, to.output, "{}", context()),
            other => panic!("{other:?} proves nothing about a {kind:?}: {}", context()),
        }
    }
    assert!(operations.is_sorted_by_key(|operation| operation.invoke), "{}", context());
}

/// Many small histories, and the witness of each that is refuted; how many there were by size.
pub fn witnesses(check: Check, kind: Kind, cases: usize, seed: u64) -> [usize; 10] {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut sizes = [0; 10];
    for case in 0..cases {
        let operations = generate::small(&mut random, kind, 8);
        if let Validity::Invalid { witness } = run(check, &operations).validity {
            assert_smallest(&operations, &witness, kind, case);
            sizes[witness.operations.len()] += 1;
        }
    }
    println!("{kind:?}, witnesses by size: {sizes:?}");
    sizes
}

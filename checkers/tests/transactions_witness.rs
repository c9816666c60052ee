//! Witnesses of anomalies among transactions: each proves what it says by itself, and nothing
//! with any transaction left out.

mod transactions_support;

use std::collections::BTreeSet;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use splitbrain_checkers::checker::Options;
use splitbrain_checkers::finding::{Relation, Witness};
use splitbrain_checkers::history::{History, Operation, Outcome, Value};
use splitbrain_checkers::transactions::{
    LIST_APPEND, Model, RW_REGISTER, Standing, Workload, analyse,
};
use transactions_support::generate;
use transactions_support::oracle::{MOST, Oracle};

const SEED: u64 = 0x5eed_0006;

fn micros(value: &Value) -> &[Value] {
    match value {
        Value::List(forms) => forms,
        _ => &[],
    }
}

fn parts(form: &Value) -> (&str, &Value, &Value) {
    match micros(form) {
        [Value::Text(f), key, value] => (f, key, value),
        _ => panic!("no micro-operation: {form}"),
    }
}

/// These transactions alone: what others wrote is struck from what they read.
fn alone(all: &[Operation], kept: &[Operation], workload: Workload) -> Vec<Operation> {
    let inside: BTreeSet<u64> = kept.iter().map(|operation| operation.index).collect();
    let removed: BTreeSet<(&Value, &Value)> = all
        .iter()
        .filter(|operation| !inside.contains(&operation.index))
        .flat_map(|operation| micros(&operation.input))
        .map(parts)
        .filter(|(f, ..)| *f != "r")
        .map(|(_, key, value)| (key, value))
        .collect();
    let strike = |operation: &Operation| {
        let mut output = Vec::new();
        for (f, key, value) in micros(&operation.output).iter().map(parts) {
            let value = match value {
                Value::List(list) if workload == Workload::ListAppend => {
                    let left = list.iter().filter(|element| !removed.contains(&(key, *element)));
                    Value::List(left.cloned().collect())
                }
                value if removed.contains(&(key, value)) => continue,
                value => value.clone(),
            };
            output.push(Value::list([f.into(), key.clone(), value]));
        }
        let output =
            if operation.outcome == Outcome::Ok { Value::List(output.into()) } else { Value::Nil };
        let input =
            if operation.outcome == Outcome::Ok { Value::Nil } else { operation.input.clone() };
        Operation { input, output, ..operation.clone() }
    };
    kept.iter().map(strike).collect()
}

/// Asserts that a witness proves what it says, and that nothing less does; gives how many
/// transactions could be left out for a reason that the check does not see: where an order of
/// writes is unknown it says so, and refutes less than trying every order would.
fn assert_proves(all: &[Operation], witness: &Witness, workload: Workload, model: Model) -> usize {
    let context = || {
        let shown: Vec<String> = all.iter().map(ToString::to_string).collect();
        let kept: Vec<String> = witness.operations.iter().map(ToString::to_string).collect();
        format!("{model}: {}\n{}\nof\n{}", witness.sentence, kept.join("\n"), shown.join("\n"))
    };
    let operations = &witness.operations;
    let all_kept = alone(all, operations, workload);
    assert!(!Oracle::new(&all_kept, workload).allows(model), "{}", context());
    let mut unseen = 0;
    for left_out in 0..operations.len() {
        let mut rest = operations.clone();
        rest.remove(left_out);
        let rest = alone(all, &rest, workload);
        if !Oracle::new(&rest, workload).allows(model) {
            let history = History { operations: rest, ..History::default() };
            let rest = analyse(&history, workload, &Options::default()).unwrap();
            let is_open = matches!(rest.standing(model), Standing::Unknown { .. });
            assert!(is_open, "without {left_out}: {}", context());
            unseen += 1;
        }
    }
    assert!(operations.is_sorted_by_key(|operation| operation.invoke), "{}", context());
    for arrow in &witness.arrows {
        let (from, to) = (&operations[arrow.from], &operations[arrow.to]);
        match arrow.relation {
            Relation::RealTime => assert!(from.complete.unwrap() < to.invoke, "{}", context()),
            Relation::ProcessOrder => assert_eq!(from.process, to.process, "{}", context()),
            Relation::ReadsFrom | Relation::Overwrites => {
                assert!(writes(from), "{}", context());
            }
            Relation::ReadBefore => assert!(writes(to), "{}", context()),
        }
    }
    for name in 1..=operations.len() {
        assert!(witness.sentence.contains(&format!("T{name}")), "{}", context());
    }
    unseen
}

fn writes(operation: &Operation) -> bool {
    micros(&operation.input).iter().map(parts).any(|(f, ..)| f != "r")
}

fn witnesses(workload: Workload, seed: u64) {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let checker = if workload == Workload::ListAppend { LIST_APPEND } else { RW_REGISTER };
    let (mut sizes, mut unseen) = ([0; MOST + 1], 0);
    for _ in 0..10_000 {
        let history = generate::history(&mut random, workload, MOST);
        for model in [
            Model::ReadCommitted,
            Model::Causal,
            Model::SnapshotIsolation,
            Model::Serializable,
            Model::StrictSerializable,
        ] {
            let options = Options { isolation: Some(model), ..Options::default() };
            let finding = checker.run(&history, &options);
            if let Some(witness) = finding.validity.witness() {
                sizes[witness.operations.len()] += 1;
                unseen += assert_proves(&history.operations, witness, workload, model);
            }
        }
    }
    println!("witnesses by size: {sizes:?}, {unseen} not smallest");
    assert!(unseen * 1000 <= sizes.iter().sum::<usize>(), "{unseen}");
    assert!(sizes[1] > 100 && sizes[2] > 1_000 && sizes[3] > 100, "{sizes:?}");
}

#[test]
fn witnesses_of_lists_are_smallest_proofs() {
    witnesses(Workload::ListAppend, SEED);
}

#[test]
fn witnesses_of_registers_are_smallest_proofs() {
    witnesses(Workload::RwRegister, SEED + 1);
}

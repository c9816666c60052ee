//! Long valid histories of transactions, made wrong in one place or in all.

mod transactions_support;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use splitbrain_checkers::checker::{Checker, Options};
use splitbrain_checkers::finding::Finding;
use splitbrain_checkers::history::{History, Outcome, Time, Value};
use splitbrain_checkers::transactions::{LIST_APPEND, Model, RW_REGISTER};
use transactions_support::generate::{self, Load};

const SEED: u64 = 0x5eed_0007;

const LOADS: [(Checker, Load); 2] = [(LIST_APPEND, Load::Lists), (RW_REGISTER, Load::Registers)];

fn check(checker: Checker, history: &History, model: Model) -> Finding {
    checker.run(history, &Options { isolation: Some(model), ..Options::default() })
}

/// Positions of reads: operation and micro-operation.
fn reads(history: &History) -> Vec<(usize, usize)> {
    let mut reads = Vec::new();
    for (position, operation) in history.operations.iter().enumerate() {
        let Value::List(forms) = &operation.output else { continue };
        for (micro, form) in forms.iter().enumerate() {
            if matches!(form, Value::List(parts) if parts[0] == "r".into()) {
                reads.push((position, micro));
            }
        }
    }
    reads
}

fn returned(history: &mut History, (operation, micro): (usize, usize)) -> &mut Value {
    let Value::List(forms) = &mut history.operations[operation].output else { panic!() };
    let Value::List(parts) = &mut forms[micro] else { panic!() };
    &mut parts[2]
}

#[test]
fn long_histories_are_strict_serializable_until_one_read_is_stale() {
    let mut random = ChaCha8Rng::seed_from_u64(SEED);
    for (checker, load) in LOADS {
        let valid = generate::long(SEED, load, 3_000);
        let finding = check(checker, &valid, Model::StrictSerializable);
        assert!(finding.validity.is_valid(), "{finding:?}");
        let reads = reads(&valid);
        let mut tried = 0;
        while tried < 60 {
            let mut history = valid.clone();
            let victim = reads[random.random_range(0..reads.len())];
            let value = returned(&mut history, victim);
            // So much older that it was replaced before the transaction began: in 20 writes to
            // one of ten keys there are 80 transactions or so, of which 40 can be in flight.
            let older = match &*value {
                Value::List(list) if list.len() > 20 => Value::List(list[..list.len() - 20].into()),
                Value::Int(number) if *number > 20 => Value::Int(number - 20),
                _ => continue,
            };
            *value = older;
            tried += 1;
            let finding = check(checker, &history, Model::StrictSerializable);
            let witness = finding.validity.witness().unwrap_or_else(|| panic!("{finding:?}"));
            let index = history.operations[victim.0].index;
            assert!(witness.operations.iter().any(|o| o.index == index), "{finding:?}");
            assert!(witness.operations.len() <= 4, "{finding:?}");
        }
    }
}

#[test]
fn lost_answers_and_unused_failures_change_nothing() {
    let mut history = generate::long(SEED + 1, Load::Lists, 3_000);
    let mut random = ChaCha8Rng::seed_from_u64(SEED + 1);
    let mut retired = 100;
    for position in 0..history.operations.len() {
        if random.random_bool(0.1) {
            let operation = &mut history.operations[position];
            operation.outcome = Outcome::Info;
            operation.output = Value::Nil;
            operation.complete = random.random_bool(0.5).then_some(Time(operation.invoke.0 + 1));
            operation.process = retired;
            retired += 1;
        }
    }
    let finding = check(LIST_APPEND, &history, Model::StrictSerializable);
    assert!(finding.validity.is_valid(), "{finding:?}");
    // The same transactions said to have failed were read by others.
    for operation in &mut history.operations {
        if operation.outcome == Outcome::Info {
            operation.outcome = Outcome::Fail;
        }
    }
    let finding = check(LIST_APPEND, &history, Model::ReadCommitted);
    assert!(finding.summary.contains("G1a"), "{}", finding.summary);
}

/// Every read is stale, so that all transactions are one tangle: it still comes to an end.
#[test]
fn a_history_with_nothing_right_is_refuted() {
    for (checker, load) in LOADS {
        let mut random = ChaCha8Rng::seed_from_u64(SEED + 2);
        let mut history = generate::long(SEED + 2, load, 20_000);
        for victim in reads(&history) {
            let value = returned(&mut history, victim);
            let stale = match &*value {
                Value::List(list) => Value::List(
                    list[..list.len() - random.random_range(0..=list.len().min(9))].into(),
                ),
                Value::Int(number) => match number - random.random_range(0..=9) {
                    older if older > 0 => Value::Int(older),
                    _ => Value::Nil,
                },
                other => other.clone(),
            };
            *value = stale;
        }
        for model in [Model::Serializable, Model::StrictSerializable] {
            let finding = check(checker, &history, model);
            assert!(finding.validity.is_invalid(), "{finding:?}");
        }
    }
}

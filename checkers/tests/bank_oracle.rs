//! The bank against its rules, said once more with maps, on random histories.

mod objects_support;

use std::collections::BTreeMap;

use objects_support::*;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use splitbrain_checkers::bank::BANK;
use splitbrain_checkers::finding::Validity;
use splitbrain_checkers::history::{Operation, Outcome, Value};

const SEED: u64 = 0x5eed_0050;
/// What the bank begins with: accounts 0 and 1. Account 2 is opened by a transfer to it.
const FIRST: [(i64, i64); 2] = [(0, 5), (1, 5)];

type Balances = BTreeMap<i64, i64>;

/// An account as one of the formats would write it.
fn account(random: &mut ChaCha8Rng, number: i64) -> Value {
    if random.random_bool(0.2) { number.to_string().as_str().into() } else { number.into() }
}

fn map(random: &mut ChaCha8Rng, balances: &Balances) -> Value {
    Value::list(
        balances
            .iter()
            .map(|(number, balance)| Value::pair(account(random, *number), Value::Int(*balance))),
    )
}

/// A bank that works, and with a chance of 60 % reads up to twice as it likes.
fn operations(random: &mut ChaCha8Rng) -> Vec<Operation> {
    let mut balances = Balances::from(FIRST);
    let mut operations: Vec<Operation> = Vec::new();
    for (index, slot) in slots(random, 8, None).iter().enumerate() {
        if random.random_bool(0.6) {
            let read = map(random, &balances);
            operations.push(operation(slot, index, "read", Value::Nil, read));
            continue;
        }
        let (from, to) = (random.random_range(0..2), random.random_range(0..3));
        let amount = random.random_range(0..=balances[&from]);
        if slot.takes_effect {
            *balances.get_mut(&from).unwrap() -= amount;
            *balances.entry(to).or_default() += amount;
        }
        let [from, to] = [from, to].map(|number| account(random, number));
        let part = |name: &str, value: Value| Value::pair(name.into(), value);
        let asked =
            Value::list([part("from", from), part("to", to), part("amount", amount.into())]);
        operations.push(operation(slot, index, "transfer", asked.clone(), asked));
    }
    if random.random_bool(0.6) {
        for _ in 0..random.random_range(1..=2) {
            let any = random.random_range(0..operations.len());
            lie(random, &mut operations[any]);
        }
    }
    operations
}

/// Changes what a read returned: a balance, or which accounts there are.
fn lie(random: &mut ChaCha8Rng, operation: &mut Operation) {
    if operation.f.as_str() != "read" || operation.outcome != Outcome::Ok {
        return;
    }
    let Value::List(entries) = &mut operation.output else { panic!("a read returns a map") };
    let is_unknown = |entry: &Value| entry.as_pair().unwrap().0 == &Value::Int(7);
    if entries.is_empty() || entries.iter().any(is_unknown) {
        return;
    }
    let any = random.random_range(0..entries.len());
    let Value::List(entry) = &mut entries[any] else { panic!("an entry is a pair") };
    match random.random_range(0..5) {
        0 => entry[1] = Value::Nil,
        1 => drop(entries.remove(any)),
        2 => entries.push(Value::pair(7.into(), Value::Int(random.random_range(0..2)))),
        _ => entry[1] = Value::Int(random.random_range(-1..=6)),
    }
}

/// What a read returned, and by account its balance, if it had one.
fn returned(read: &Operation) -> BTreeMap<String, Option<i64>> {
    let Value::List(entries) = &read.output else { panic!("a read returns a map") };
    let entry = |entry: &Value| match entry.as_pair() {
        Some((account, Value::Int(balance))) => (account.to_string(), Some(*balance)),
        Some((account, _)) => (account.to_string(), None),
        None => panic!("an entry is a pair"),
    };
    entries.iter().map(entry).collect()
}

fn total(read: &Operation) -> i64 {
    returned(read).values().flatten().sum()
}

/// Whether every acknowledged read keeps the four rules of the module.
fn keeps_the_rules(operations: &[Operation]) -> bool {
    let sure = |f: &'static str| {
        operations.iter().filter(move |o| o.outcome == Outcome::Ok && o.f.as_str() == f)
    };
    let is_sound =
        |read: &&Operation| returned(read).values().all(|balance| balance.is_some_and(|b| b >= 0));
    let first = sure("read").filter(is_sound).min_by_key(|read| (read.complete, read.index));
    let was_named = |account: &str, read: &Operation| {
        operations
            .iter()
            .filter(|o| o.outcome != Outcome::Fail && o.f.as_str() == "transfer")
            .filter(|transfer| Some(transfer.invoke) <= read.complete)
            .any(|transfer| {
                let Value::List(parts) = &transfer.input else { panic!("a transfer has parts") };
                parts[..2].iter().any(|part| part.as_pair().unwrap().1.to_string() == account)
            })
    };
    sure("read").all(|read| {
        let balances = returned(read);
        let Some(first) = first else { return false };
        let known = returned(first);
        is_sound(&read)
            && total(read) == total(first)
            && known.keys().all(|account| balances.contains_key(account))
            && balances.keys().all(|a| known.contains_key(a) || was_named(a, read))
    })
}

#[test]
fn a_bank_keeps_its_rules() {
    let mut random = ChaCha8Rng::seed_from_u64(SEED);
    let (mut split, mut sizes) = (Split::default(), [0; 4]);
    for case in 0..100_000 {
        let operations = operations(&mut random);
        let truth = keeps_the_rules(&operations);
        split.count(truth);
        let validity = check(&BANK, &operations);
        assert_agrees(&validity, truth, &operations, case);
        if let Validity::Invalid { witness } = validity {
            sizes[witness.operations.len()] += 1;
            assert_smallest(&operations, &witness, &|kept| {
                !keeps_the_rules(&only(&operations, kept))
            });
        }
    }
    split.assert_balanced("bank");
    assert!(sizes[1] > 1000 && sizes[2] > 1000, "{sizes:?}");
}

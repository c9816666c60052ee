//! The counter check against every order, and against its definition, on random histories.

mod objects_support;

use objects_support::*;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use splitbrain_checkers::counter::COUNTER;
use splitbrain_checkers::finding::Validity;
use splitbrain_checkers::history::{Operation, Outcome, Value};

const SEED: u64 = 0x5eed_0020;

/// A counter that works with these deltas, and up to three times answers as it likes.
fn operations(random: &mut ChaCha8Rng, deltas: &[i64]) -> Vec<Operation> {
    let mut state = 0;
    let mut operations = Vec::new();
    for (index, slot) in slots(random, 8, None).iter().enumerate() {
        if random.random_bool(0.4) {
            operations.push(operation(slot, index, "read", Value::Nil, Value::Int(state)));
        } else {
            let delta = deltas[random.random_range(0..deltas.len())];
            state += if slot.takes_effect { delta } else { 0 };
            let (f, amount) = match (delta, random.random_bool(0.5)) {
                (1, true) => ("inc", Value::Nil),
                (-1, true) => ("dec", Value::Nil),
                (1.., true) => ("increment", Value::Int(delta)),
                (..=0, true) => ("decrement", Value::Int(-delta)),
                _ => ("add", Value::Int(delta)),
            };
            operations.push(operation(slot, index, f, amount, Value::Nil));
        }
    }
    for _ in 0..random.random_range(0..4) {
        let position = random.random_range(0..operations.len());
        if let Value::Int(value) = &mut operations[position].output {
            *value += deltas[random.random_range(0..deltas.len())] * random.random_range(-2..=2);
        }
    }
    operations
}

fn delta(operation: &Operation) -> i64 {
    match (operation.f.as_str(), &operation.input) {
        ("add" | "increment", Value::Int(delta)) => *delta,
        ("inc", Value::Nil) => 1,
        ("dec", Value::Nil) => -1,
        ("decrement", Value::Int(delta)) => -delta,
        _ => panic!("{operation}"),
    }
}

fn is_linearizable(operations: &[Operation]) -> bool {
    let operations: Vec<&Operation> =
        operations.iter().filter(|operation| operation.outcome != Outcome::Fail).collect();
    let jobs: Vec<Job> = operations.iter().map(|operation| job(operation)).collect();
    has_order(&jobs, &0, &|job, state: &i64| match operations[job].f.as_str() {
        "read" if operations[job].outcome == Outcome::Info => Some(*state),
        "read" => (operations[job].output == Value::Int(*state)).then_some(*state),
        _ => Some(state + delta(operations[job])),
    })
}

/// Each read with all adds and no other read; and pairs of reads with the adds between them.
fn is_refuted_by_definition(operations: &[Operation]) -> bool {
    let is_read =
        |operation: &&Operation| operation.f.as_str() == "read" && operation.outcome == Outcome::Ok;
    let adds: Vec<&Operation> = operations
        .iter()
        .filter(|o| o.f.as_str() != "read" && o.outcome != Outcome::Fail)
        .collect();
    let reads: Vec<&Operation> = operations.iter().filter(is_read).collect();
    let alone = |read: &&&Operation| {
        let mut with_adds: Vec<Operation> = adds.iter().map(|add| (*add).clone()).collect();
        with_adds.push((**read).clone());
        !is_linearizable(&with_adds)
    };
    if reads.iter().any(|read| alone(&read)) {
        return true;
    }
    let sign = match (adds.iter().all(|a| delta(a) > 0), adds.iter().all(|a| delta(a) < 0)) {
        (true, _) => 1,
        (_, true) => -1,
        _ => return false,
    };
    let value = |read: &Operation| match read.output {
        Value::Int(value) => value * sign,
        _ => panic!("{read}"),
    };
    reads.iter().any(|earlier| {
        reads.iter().filter(|later| job(earlier).finish < job(later).start).any(|later| {
            let between = adds.iter().filter(|add| {
                job(earlier).finish < job(add).start && job(add).finish < job(later).start
            });
            let sum: i64 = between.map(|add| delta(add) * sign).sum();
            value(later) < value(earlier) + sum
        })
    })
}

fn with_others_forgotten(operations: &[Operation], kept: &[u64]) -> Vec<Operation> {
    operations
        .iter()
        .filter_map(|operation| match operation.f.as_str() {
            _ if operation.outcome == Outcome::Fail => None,
            _ if kept.contains(&operation.index) => Some(operation.clone()),
            "read" => None,
            _ => Some(forgotten(operation)),
        })
        .collect()
}

/// Whether a read is less (or more) than it can be if of all adds but these nothing is known but
/// their amounts, and they may have been done in part.
fn is_out_of_bounds(operations: &[Operation], kept: &[u64]) -> bool {
    let kept = |operation: &&Operation| kept.contains(&operation.index);
    let reads = operations.iter().filter(kept).filter(|o| o.f.as_str() == "read");
    reads.into_iter().any(|read| {
        [1, -1].into_iter().any(|sign| {
            let adds =
                operations.iter().filter(|o| o.f.as_str() != "read" && o.outcome != Outcome::Fail);
            let least: i64 = adds
                .map(|add| {
                    let (amount, kept) = (delta(add) * sign, kept(&add));
                    let (add, read) = (job(add), job(read));
                    match kept {
                        true if add.finish < read.start => amount,
                        true if add.start > read.finish => 0,
                        _ => amount.min(0),
                    }
                })
                .sum();
            matches!(read.output, Value::Int(value) if value * sign < least)
        })
    })
}

#[test]
fn equal_deltas_agree_with_every_order() {
    let mut random = ChaCha8Rng::seed_from_u64(SEED);
    let mut split = Split::default();
    let mut sizes = [0; 9];
    for case in 0..120_000 {
        let deltas = [[1], [2], [-1], [-3]][random.random_range(0..4)];
        let operations = operations(&mut random, &deltas);
        let truth = is_linearizable(&operations);
        let validity = check(&COUNTER, &operations);
        assert_eq!(
            validity.is_invalid(),
            !truth,
            "case {case}: {validity:#?}{}",
            show(&operations)
        );
        split.count(truth);
        if let Validity::Invalid { witness } = validity {
            sizes[witness.operations.len()] += 1;
            assert_smallest(&operations, &witness, &|kept| {
                !is_linearizable(&with_others_forgotten(&operations, kept))
            });
        }
    }
    split.assert_balanced("equal deltas");
    assert!(sizes[1] > 100 && sizes[2] > 1000 && sizes[3] > 100, "{sizes:?}");
}

#[test]
fn other_deltas_agree_with_the_definition() {
    let mut random = ChaCha8Rng::seed_from_u64(SEED + 1);
    let mut split = Split::default();
    let mut missed = 0;
    for case in 0..120_000 {
        let deltas: &[i64] = [&[1, 3][..], &[1, -1], &[5, -2, 7], &[2, 4], &[-1, -4], &[6, 10, 15]]
            [random.random_range(0..6)];
        let operations = operations(&mut random, deltas);
        let refuted = is_refuted_by_definition(&operations);
        let validity = check(&COUNTER, &operations);
        assert_eq!(
            validity.is_invalid(),
            refuted,
            "case {case}: {validity:#?}{}",
            show(&operations)
        );
        let truth = is_linearizable(&operations);
        assert!(truth <= !refuted, "case {case}: a false alarm{}", show(&operations));
        missed += usize::from(!truth && !refuted);
        split.count(!refuted);
        if let Validity::Invalid { witness } = validity {
            if witness.sentence.contains("all the time") {
                assert_smallest(&operations, &witness, &|kept| is_out_of_bounds(&operations, kept));
                continue;
            }
            assert_smallest(&operations, &witness, &|kept| {
                check(&COUNTER, &with_others_forgotten(&operations, kept)).is_invalid()
            });
            let alone: Vec<u64> = witness.operations.iter().map(|o| o.index).collect();
            assert!(!is_linearizable(&with_others_forgotten(&operations, &alone)));
        }
    }
    println!("not linearizable and not refuted: {missed}");
    split.assert_balanced("other deltas");
}

#[test]
fn mutations_of_long_valid_histories_are_found() {
    let mut random = ChaCha8Rng::seed_from_u64(SEED + 2);
    for round in 0..100 {
        let mut state = 0;
        let mut valid = Vec::new();
        for index in 0..500 {
            let effect = 100 * index as u64 + 2000;
            let slot = Slot {
                process: index as u64 % 20,
                invoke: effect - random.random_range(0..1500),
                effect,
                complete: Some(effect + random.random_range(0..1500)),
                outcome: Outcome::Ok,
                takes_effect: true,
            };
            valid.push(if index % 3 == 0 {
                operation(&slot, index, "read", Value::Nil, Value::Int(state))
            } else {
                let delta = random.random_range(if round % 2 == 0 { 1..=9 } else { -9..=9 });
                state += delta;
                operation(&slot, index, "add", Value::Int(delta), Value::Nil)
            });
        }
        assert!(check(&COUNTER, &valid).is_valid());
        let victim = 3 * random.random_range(50..160);
        for wrong in [-1000, 1000] {
            let mut operations = valid.clone();
            let Value::Int(value) = &mut operations[victim].output else { panic!() };
            *value += wrong;
            let validity = check(&COUNTER, &operations);
            let witness = validity.witness().expect("it is out of all bounds");
            assert!(witness.operations.iter().any(|o| o.index == victim as u64));
        }
    }
}

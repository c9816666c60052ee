//! Unique ids, long fork and monotonic reads against their definitions, every pair tried, on
//! random histories.

mod objects_support;

use objects_support::*;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use splitbrain_checkers::finding::Validity;
use splitbrain_checkers::history::{Operation, Outcome, Value};
use splitbrain_checkers::long_fork::LONG_FORK;
use splitbrain_checkers::monotonic::{MONOTONIC, MONOTONIC_PROCESS};
use splitbrain_checkers::unique_ids::UNIQUE_IDS;

const SEED: u64 = 0x5eed_0040;

/// Whether no two acknowledged operations stand in this relation.
fn no_pair(operations: &[Operation], related: &dyn Fn(&Operation, &Operation) -> bool) -> bool {
    let sure = || operations.iter().filter(|operation| operation.outcome == Outcome::Ok);
    !sure().any(|one| sure().any(|other| one.index != other.index && related(one, other)))
}

#[test]
fn unique_ids_agree_with_every_pair() {
    let mut random = ChaCha8Rng::seed_from_u64(SEED);
    let mut split = Split::default();
    let is_unique =
        |operations: &[Operation]| no_pair(operations, &|one, other| one.output == other.output);
    for case in 0..100_000 {
        let ids = random.random_range(3..60);
        let operations: Vec<Operation> = slots(&mut random, 8, None)
            .iter()
            .enumerate()
            .map(|(index, slot)| {
                let id = match random.random_range(0..ids) {
                    0 => Value::from("1"),
                    id => Value::Int(id),
                };
                operation(slot, index, "generate", Value::Nil, id)
            })
            .collect();
        let truth = is_unique(&operations);
        let validity = check(&UNIQUE_IDS, &operations);
        assert_agrees(&validity, truth, &operations, case);
        split.count(truth);
        if let Validity::Invalid { witness } = validity {
            assert_smallest(&operations, &witness, &|kept| !is_unique(&only(&operations, kept)));
        }
    }
    split.assert_balanced("unique ids");
}

/// What an operation read: keys, and whether their writes were seen.
fn seen(operation: &Operation) -> Vec<(i64, bool)> {
    let Value::List(micros) = &operation.output else { return Vec::new() };
    micros
        .iter()
        .map(|micro| match micro {
            Value::List(parts) => match (&parts[1], &parts[2]) {
                (Value::Int(key), value) => (*key, *value != Value::Nil),
                _ => panic!("{micro}"),
            },
            _ => panic!("{micro}"),
        })
        .collect()
}

fn reads_fork(one: &Operation, other: &Operation) -> bool {
    if one.f.as_str() != "read" || other.f.as_str() != "read" {
        return false;
    }
    let (one, other) = (seen(one), seen(other));
    let saw = |seen: &[(i64, bool)], key: i64, is_written: bool| seen.contains(&(key, is_written));
    one.iter().any(|(x, _)| {
        one.iter().any(|(y, _)| {
            saw(&one, *x, true)
                && saw(&one, *y, false)
                && saw(&other, *x, false)
                && saw(&other, *y, true)
        })
    })
}

#[test]
fn long_forks_agree_with_every_pair() {
    let mut random = ChaCha8Rng::seed_from_u64(SEED + 1);
    let mut split = Split::default();
    for case in 0..100_000 {
        let mut written = [false; 6];
        let micro = |f: &str, key: usize, value: Value| {
            Value::list([Value::from(f), Value::Int(key as i64), value])
        };
        let forks = random.random_bool(0.7);
        let mixes_groups = random.random_bool(0.3);
        let mut started = [false; 6];
        let operations: Vec<Operation> = slots(&mut random, 8, None)
            .iter()
            .enumerate()
            .map(|(index, slot)| {
                let key = random.random_range(0..6);
                if random.random_bool(0.4) && !started[key] {
                    started[key] = true;
                    written[key] |= slot.takes_effect;
                    let write = Value::list([micro("w", key, Value::Int(1))]);
                    return operation(slot, index, "write", write.clone(), write);
                }
                let first = if mixes_groups { random.random_range(0..4) } else { key / 3 * 3 };
                let mut keys = [first, first + 1, first + 2];
                keys.rotate_left(random.random_range(0..3));
                let mut value = |key: usize| {
                    let lies = forks && random.random_bool(0.25);
                    if written[key] ^ lies { Value::Int(1) } else { Value::Nil }
                };
                let read =
                    Value::List(keys.iter().map(|key| micro("r", *key, value(*key))).collect());
                let asked =
                    Value::List(keys.iter().map(|key| micro("r", *key, Value::Nil)).collect());
                operation(slot, index, "read", asked, read)
            })
            .collect();
        let truth = no_pair(&operations, &reads_fork);
        let validity = check(&LONG_FORK, &operations);
        assert_agrees(&validity, truth, &operations, case);
        split.count(truth);
        if let Validity::Invalid { witness } = validity {
            assert_smallest(&operations, &witness, &|kept| {
                !no_pair(&only(&operations, kept), &reads_fork)
            });
        }
    }
    split.assert_balanced("long forks");
}

/// A register that grows, and up to three times answers as it likes.
fn growing(random: &mut ChaCha8Rng) -> Vec<Operation> {
    let mut state = 0;
    let mut operations = Vec::new();
    for (index, slot) in slots(random, 8, Some(3)).iter().enumerate() {
        if random.random_bool(0.4) {
            state += if slot.takes_effect { random.random_range(1..=2) } else { 0 };
            operations.push(operation(slot, index, "inc", Value::Nil, Value::Int(state)));
        } else {
            let value = if state == 0 { Value::Nil } else { Value::Int(state) };
            operations.push(operation(slot, index, "read", Value::Nil, value));
        }
    }
    for _ in 0..random.random_range(0..=3) {
        let position = random.random_range(0..operations.len());
        if let Value::Int(value) = &mut operations[position].output {
            *value += random.random_range(-3..=3);
        }
    }
    operations
}

fn value(operation: &Operation) -> i64 {
    match operation.output {
        Value::Int(value) => value,
        _ => i64::MIN,
    }
}

/// Whether the register can have grown in some order.
fn can_grow(operations: &[Operation]) -> bool {
    let sure: Vec<&Operation> =
        operations.iter().filter(|operation| operation.outcome == Outcome::Ok).collect();
    let jobs: Vec<Job> = sure.iter().map(|operation| job(operation)).collect();
    has_order(&jobs, &i64::MIN, &|job, state: &i64| {
        let value = value(sure[job]);
        let fits = if sure[job].f.as_str() == "inc" { value > *state } else { value >= *state };
        fits.then_some(value)
    })
}

/// The second is later in the same process, and behind.
fn goes_back(one: &Operation, other: &Operation) -> bool {
    let (before, after) = (value(one), value(other));
    one.process == other.process
        && (one.invoke, one.index) < (other.invoke, other.index)
        && (after < before || other.f.as_str() == "inc" && after == before)
}

#[test]
fn monotonic_reads_agree_with_every_order() {
    let mut random = ChaCha8Rng::seed_from_u64(SEED + 2);
    let (mut split, mut of_processes) = (Split::default(), Split::default());
    for case in 0..100_000 {
        let operations = growing(&mut random);
        let truth = can_grow(&operations);
        let validity = check(&MONOTONIC, &operations);
        assert_agrees(&validity, truth, &operations, case);
        split.count(truth);
        if let Validity::Invalid { witness } = validity {
            assert_smallest(&operations, &witness, &|kept| !can_grow(&only(&operations, kept)));
        }
        let truth = no_pair(&operations, &goes_back);
        let validity = check(&MONOTONIC_PROCESS, &operations);
        assert_agrees(&validity, truth, &operations, case);
        of_processes.count(truth);
        if let Validity::Invalid { witness } = validity {
            assert_smallest(&operations, &witness, &|kept| {
                !no_pair(&only(&operations, kept), &goes_back)
            });
        }
    }
    split.assert_balanced("monotonic by real time");
    of_processes.assert_balanced("monotonic by process");
}

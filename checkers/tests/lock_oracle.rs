//! The lock check against every order, on random histories.

mod objects_support;

use std::collections::BTreeMap;

use objects_support::*;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use splitbrain_checkers::finding::Validity;
use splitbrain_checkers::history::{Operation, Outcome, Value};
use splitbrain_checkers::lock::{LOCK, MUTEX};

const SEED: u64 = 0x5eed_0030;

/// Three clients that release what they believe to hold, and now and then what they do not. With
/// a chance of 60 % some of them acquire a lock that is not free.
fn operations(random: &mut ChaCha8Rng, with_tokens: bool) -> Vec<Operation> {
    let mut holder: Option<u64> = None;
    let mut believes = [false; 3];
    let mut token = 0;
    let mut operations = Vec::new();
    let honest = random.random_bool(0.4);
    for (index, mut slot) in slots(random, 8, Some(3)).into_iter().enumerate() {
        let client = (slot.process / 100) as usize;
        let lies = !honest && random.random_bool(0.25);
        let releases = believes[client] != random.random_bool(0.04);
        let allowed = if releases { holder == Some(client as u64) } else { holder.is_none() };
        if slot.outcome == Outcome::Ok && !allowed && !lies && (honest || !releases) {
            slot.outcome = Outcome::Fail;
        } else if slot.takes_effect {
            believes[client] = !releases && slot.outcome == Outcome::Ok;
            if allowed || !releases && lies {
                holder = (!releases).then_some(client as u64);
            }
        }
        if slot.outcome == Outcome::Info {
            believes[client] = false;
        }
        token += if lies { random.random_range(-2..=1) } else { 1 };
        let output = if with_tokens && !releases { Value::Int(token) } else { Value::Nil };
        let f = if releases { "release" } else { "acquire" };
        operations.push(operation(&slot, index, f, Value::Nil, output));
    }
    operations.sort_by_key(|operation| (operation.invoke, operation.index));
    operations
}

/// Whether it is known of a process that it holds the lock.
#[derive(Clone, Default)]
struct State {
    holds: BTreeMap<u64, bool>,
    token: Option<i64>,
}

/// Whether there is an order if only the operations with these indices are known. Between two
/// known operations of a process with unknown ones between, it may have done as it liked.
fn is_possible(all: &[Operation], kept: &[u64]) -> bool {
    let effective: Vec<&Operation> =
        all.iter().filter(|operation| operation.outcome != Outcome::Fail).collect();
    let known: Vec<&Operation> =
        effective.iter().copied().filter(|o| kept.contains(&o.index)).collect();
    // The operation of the same process before (or after) this one, and whether it is known.
    let neighbour = |operation: &Operation, after: bool| {
        let mut own = effective.iter().filter(|o| o.process == operation.process);
        let other = if after {
            own.find(|o| (o.invoke, o.index) > (operation.invoke, operation.index))
        } else {
            own.rfind(|o| (o.invoke, o.index) < (operation.invoke, operation.index))
        };
        other.map(|other| (*other, kept.contains(&other.index)))
    };
    let jobs: Vec<Job> = known.iter().map(|operation| job(operation)).collect();
    has_order(&jobs, &State::default(), &|job, state: &State| {
        let operation = known[job];
        // A process does its operations in its order, also where they touch.
        if let Some((other, true)) = neighbour(operation, false)
            && !state.holds.contains_key(&(1_000_000 + other.index))
        {
            return None;
        }
        let mut next = state.clone();
        next.holds.insert(1_000_000 + operation.index, false);
        let held_by_other =
            state.holds.iter().any(|(process, holds)| *holds && *process != operation.process);
        let holds = state.holds.get(&operation.process).copied().unwrap_or(false);
        if held_by_other {
            return None;
        }
        if operation.f.as_str() == "acquire" {
            if holds {
                return None;
            }
            if let Value::Int(token) = operation.output {
                if state.token.is_some_and(|before| before >= token) {
                    return None;
                }
                next.token = Some(token);
            }
            let knows_end = neighbour(operation, true).is_none_or(|(_, is_known)| is_known);
            next.holds.insert(operation.process, knows_end);
        } else {
            let may_hold = match neighbour(operation, false) {
                Some((_, false)) => true,
                _ => holds,
            };
            if !may_hold {
                return None;
            }
            next.holds.insert(operation.process, false);
        }
        Some(next)
    })
}

fn compare(with_tokens: bool, seed: u64, cases: usize) {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut split = Split::default();
    let mut sizes = [0; 9];
    for case in 0..cases {
        let operations = operations(&mut random, with_tokens);
        let all: Vec<u64> = operations.iter().map(|operation| operation.index).collect();
        let truth = is_possible(&operations, &all);
        let validity = check(&LOCK, &operations);
        match &validity {
            Validity::Unknown { reason } => {
                assert!(truth && reason.starts_with("not exercised"), "case {case}: {reason}");
            }
            _ => assert_eq!(
                validity.is_valid(),
                truth,
                "case {case}: {validity:#?}{}",
                show(&operations)
            ),
        }
        split.count(truth);
        if let Validity::Invalid { witness } = validity {
            sizes[witness.operations.len()] += 1;
            assert_smallest(&operations, &witness, &|kept| !is_possible(&operations, kept));
        }
    }
    split.assert_balanced("locks");
    println!("witnesses by size: {sizes:?}");
    assert!(sizes[1] > 100 && sizes[2] > 1000 && sizes[3] > 100, "{sizes:?}");
}

#[test]
fn locks_agree_with_every_order() {
    compare(false, SEED, 100_000);
}

#[test]
fn fencing_tokens_agree_with_every_order() {
    compare(true, SEED + 1, 60_000);
}

/// Whether acquires and releases can alternate if only the operations with these indices surely
/// took effect.
fn alternates(operations: &[Operation], kept: &[u64]) -> bool {
    let (operations, jobs): (Vec<&Operation>, Vec<Job>) = operations
        .iter()
        .filter(|operation| operation.outcome != Outcome::Fail)
        .map(|o| (o, Job { must: job(o).must && kept.contains(&o.index), ..job(o) }))
        .unzip();
    has_order(&jobs, &false, &|job, is_held| {
        let acquires = operations[job].f.as_str() == "acquire";
        (acquires != *is_held).then_some(acquires)
    })
}

#[test]
fn mutexes_agree_with_every_order() {
    let mut random = ChaCha8Rng::seed_from_u64(SEED + 3);
    let mut split = Split::default();
    let mut sizes = [0; 9];
    for case in 0..60_000 {
        let operations = operations(&mut random, false);
        let all: Vec<u64> = operations.iter().map(|operation| operation.index).collect();
        let truth = alternates(&operations, &all);
        let validity = check(&MUTEX, &operations);
        match &validity {
            Validity::Unknown { reason } => {
                assert!(truth && reason.starts_with("not exercised"), "case {case}: {reason}");
            }
            _ => assert_eq!(
                validity.is_valid(),
                truth,
                "case {case}: {validity:#?}{}",
                show(&operations)
            ),
        }
        split.count(truth);
        if let Validity::Invalid { witness } = validity {
            sizes[witness.operations.len()] += 1;
            assert_smallest(&operations, &witness, &|kept| !alternates(&operations, kept));
        }
    }
    split.assert_balanced("mutexes");
    println!("witnesses by size: {sizes:?}");
    assert!(sizes[1] > 100 && sizes[2] > 1000 && sizes[3] > 100, "{sizes:?}");
}

#[test]
fn mutations_of_long_valid_histories_are_found() {
    let mut random = ChaCha8Rng::seed_from_u64(SEED + 2);
    for _ in 0..15 {
        let mut valid = Vec::new();
        for tenure in 0..300_u64 {
            let start = tenure * 100;
            let slot = |invoke: u64, complete: u64| Slot {
                process: tenure % 7,
                invoke,
                effect: invoke,
                complete: Some(complete),
                outcome: Outcome::Ok,
                takes_effect: true,
            };
            let taken = start + random.random_range(10..40);
            let given = start + random.random_range(60..90);
            let waiting = random.random_range(0..300);
            let acquire = slot((start + 10).saturating_sub(waiting), taken);
            let release = slot(given, given + random.random_range(0..100));
            let token = Value::Int(tenure as i64);
            valid.push(operation(&acquire, valid.len(), "acquire", Value::Nil, token));
            valid.push(operation(&release, valid.len(), "release", Value::Nil, Value::Nil));
        }
        assert!(check(&LOCK, &valid).is_valid());
        assert!(check(&MUTEX, &valid).is_valid());
        let victim = 2 * random.random_range(10..290);
        let mut never_released = valid.clone();
        never_released[victim + 1].outcome = Outcome::Fail;
        assert!(check(&LOCK, &never_released).is_invalid());
        assert!(check(&MUTEX, &never_released).is_invalid());
        let mut never_acquired = valid.clone();
        never_acquired[victim].outcome = Outcome::Fail;
        assert!(check(&LOCK, &never_acquired).is_invalid());
        assert!(check(&MUTEX, &never_acquired).is_invalid());
        let mut stale_token = valid.clone();
        stale_token[victim].output = Value::Int(1);
        assert!(check(&LOCK, &stale_token).is_invalid());
    }
}

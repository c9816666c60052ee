//! Ages, versions behind, the least delta and the least k against their definitions, tried out on
//! random histories.

#[path = "staleness_oracle/ages.rs"]
mod ages;
mod support;

use std::time::Duration;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use splitbrain_checkers::finding::Validity;
use splitbrain_checkers::history::{Function, History, Operation, Outcome, Time, Value};
use splitbrain_checkers::limits::Limits;
use splitbrain_checkers::staleness::{
    self, LeastK, Settings, StaleRead, Staleness, measure_key, stale_reads,
};
use support::brute_force::is_linearizable;
use support::generate::{self, Shape};

const SEED: u64 = 0x5eed_0050;

fn show(operations: &[Operation]) -> String {
    let line = |o: &Operation| {
        let end = o.complete.map_or("...".to_owned(), |end| end.0.to_string());
        format!("\n  {} {:?} {o} [{}, {end}]", o.index, o.outcome, o.invoke.0)
    };
    operations.iter().map(line).collect()
}

/// What an operation found and what it wrote, if it may have taken effect.
fn effect(operation: &Operation) -> (Option<&Value>, Option<&Value>) {
    match (&operation.f, operation.outcome) {
        (_, Outcome::Fail) | (Function::Read, Outcome::Info) => (None, None),
        (Function::Read, _) => (Some(&operation.output), None),
        (Function::Write, _) => (None, Some(&operation.input)),
        _ => match operation.input.as_pair().unwrap() {
            (expected, new) if expected != new => (Some(expected), Some(new)),
            (expected, _) if operation.outcome == Outcome::Ok => (Some(expected), None),
            _ => (None, None),
        },
    }
}

/// Histories in which a value is written at most once, and nil never.
fn random_history(random: &mut ChaCha8Rng, most: usize) -> Vec<Operation> {
    loop {
        let operations = generate::chaos(random, most, true);
        if operations.iter().all(|operation| effect(operation).1 != Some(&Value::Nil)) {
            return operations;
        }
    }
}

fn measured(operations: &[Operation], k_max: usize) -> Staleness {
    let settings = Settings { k_max, ..Settings::default() };
    measure_key(operations, &settings)
        .unwrap_or_else(|reason| panic!("{reason}{}", show(operations)))
}

/// Reads, and cas that write nothing, with an earlier start.
fn moved(operations: &[Operation], delta: u64) -> Vec<Operation> {
    let mut operations = operations.to_vec();
    for operation in operations.iter_mut().filter(|operation| effect(operation).1.is_none()) {
        operation.invoke = Time(operation.invoke.0.saturating_sub(delta));
    }
    operations
}

#[test]
fn the_least_delta_is_the_least() {
    let mut random = ChaCha8Rng::seed_from_u64(SEED);
    let (mut zero, mut some, mut none) = (0, 0, 0);
    for case in 0..120_000 {
        let operations = match case % 2 {
            0 => random_history(&mut random, 8),
            _ => crowded(&mut random, 8),
        };
        let fits = |delta: u64| is_linearizable(&moved(&operations, delta), &Value::Nil);
        match measured(&operations, 1).least_delta.map(|delta| delta.as_nanos() as u64) {
            Some(0) => {
                assert!(fits(0), "case {case}: 0{}", show(&operations));
                zero += 1;
            }
            Some(delta) => {
                let right = fits(delta) && !fits(delta - 1);
                assert!(right, "case {case}: {delta}{}", show(&operations));
                some += 1;
            }
            None => {
                assert!(!fits(1_000), "case {case}: none{}", show(&operations));
                none += 1;
            }
        }
    }
    println!("least delta: {zero} zero, {some} more, {none} none");
    assert!(zero > 12_000 && some > 12_000 && none > 12_000, "{zero}, {some}, {none}");
}

/// Whether some order of all acknowledged and any unanswered operations respects real time, and
/// every value that is found in it is one of the k last ones.
fn is_k_atomic(operations: &[Operation], k: usize) -> bool {
    fn go(left: &mut Vec<&Operation>, written: &mut Vec<Value>, k: usize) -> bool {
        let sure = |operation: &Operation| operation.outcome == Outcome::Ok;
        if !left.iter().any(|operation| sure(operation)) {
            return true;
        }
        for place in 0..left.len() {
            let next = left[place];
            let waits = |o: &&Operation| sure(o) && o.complete.unwrap() < next.invoke;
            if left.iter().any(waits) {
                continue;
            }
            let (found, new) = effect(next);
            if found.is_some_and(|found| !written.iter().rev().take(k).any(|old| old == found)) {
                continue;
            }
            left.remove(place);
            written.extend(new.cloned());
            let can = go(left, written, k);
            if new.is_some() {
                written.pop();
            }
            left.insert(place, next);
            if can {
                return true;
            }
        }
        false
    }
    let mut possible: Vec<&Operation> =
        operations.iter().filter(|operation| operation.outcome != Outcome::Fail).collect();
    go(&mut possible, &mut vec![Value::Nil], k)
}

/// A few writes, and reads of their values at some time after they began.
fn crowded(random: &mut ChaCha8Rng, most: usize) -> Vec<Operation> {
    let count = random.random_range(4..=most);
    let writes = random.random_range(2..=count.min(5));
    let span = random.random_range(6..24);
    let cas = random.random_bool(0.3);
    let mut operations: Vec<Operation> = Vec::with_capacity(count);
    for index in 0..count {
        let earlier = random.random_range(0..=index.min(writes));
        let (found, after) = match earlier.checked_sub(1) {
            Some(place) => (Value::Int(earlier as i64), operations[place].invoke.0),
            None => (Value::Nil, 0),
        };
        let new = Value::Int(index as i64 + 1);
        let mut start = random.random_range(0..span);
        let (f, values) = if index >= writes {
            start = after + random.random_range(0..span / 2);
            (Function::Read, (Value::Nil, found))
        } else if cas && random.random_bool(0.4) {
            start = after + random.random_range(0..span / 2);
            let input = Value::pair(found, new);
            (Function::Cas, (input.clone(), input))
        } else {
            (Function::Write, (new.clone(), new))
        };
        let end = start + random.random_range(0..span / 3);
        let answered = f == Function::Read || random.random_bool(0.9);
        let outcome = if answered { Outcome::Ok } else { Outcome::Info };
        let interval = (start, answered.then_some(end));
        operations.push(generate::operation(index as u64, f, values, interval, outcome));
    }
    operations
}

#[test]
fn the_least_k_is_the_least() {
    let mut random = ChaCha8Rng::seed_from_u64(SEED + 1);
    let mut counts = [0; 6];
    for case in 0..120_000 {
        let operations = match case % 4 {
            0 => random_history(&mut random, 8),
            _ => crowded(&mut random, 9),
        };
        match measured(&operations, 4).least_k {
            LeastK::Exactly { k } => {
                let right =
                    is_k_atomic(&operations, k) && !(k > 1 && is_k_atomic(&operations, k - 1));
                assert!(right, "case {case}: {k}{}", show(&operations));
                counts[k] += 1;
            }
            LeastK::MoreThan { k } => {
                assert!(!is_k_atomic(&operations, k), "case {case}: > {k}{}", show(&operations));
                counts[5] += 1;
            }
            LeastK::Never => {
                assert!(!is_k_atomic(&operations, 100), "case {case}: never{}", show(&operations));
                counts[0] += 1;
            }
            LeastK::Unknown { reason, .. } => panic!("case {case}: {reason}{}", show(&operations)),
        }
    }
    println!("least k: {counts:?} (never, 1, 2, 3, 4, more)");
    assert!(counts[0] > 12_000 && counts[1] > 12_000 && counts[2] > 12_000, "{counts:?}");
    assert!(counts[3] > 1_000 && counts[4] > 50, "{counts:?}");
}

#[test]
fn a_long_valid_history_has_no_staleness_and_a_spoilt_one_just_what_was_done_to_it() {
    let mut random = ChaCha8Rng::seed_from_u64(SEED + 4);
    let shape =
        Shape { operations: 3_000, clients: 8, writes: 30, cas: 20, unanswered: 50, values: 0 };
    for _ in 0..20 {
        let mut operations = generate::valid(&mut random, shape);
        let valid = measured(&operations, 3);
        assert_eq!((valid.stale, valid.least_delta), (0, Some(Duration::ZERO)));
        assert_eq!(valid.least_k, LeastK::Exactly { k: 1 });
        assert!(valid.fresh[0].fresh.attempted > 1_000);
        assert_eq!(valid.fresh[0].fresh.answered, valid.fresh[0].fresh.attempted);

        let reads: Vec<usize> = (0..operations.len())
            .filter(|&i| operations[i].f == Function::Read && operations[i].outcome == Outcome::Ok)
            .collect();
        let victim = reads[random.random_range(reads.len() / 2..reads.len())];
        let older = reads[random.random_range(0..reads.len() / 4)];
        operations[victim].output = operations[older].output.clone();
        let spoilt = measured(&operations, 3);
        assert_eq!(spoilt.stale, 1);
        let oldest = spoilt.oldest.unwrap();
        assert_eq!(oldest.read, operations[victim].index);
        assert!(oldest.behind > 100, "{oldest:?}");
        assert_eq!(spoilt.least_k, LeastK::MoreThan { k: 3 });
        // A read may begin while the write that ends its value is in flight.
        let delta = spoilt.least_delta.unwrap();
        assert!(delta >= oldest.age && delta < oldest.age + Duration::from_nanos(200_000));
    }
}

#[test]
fn a_spent_budget_is_said() {
    let mut random = ChaCha8Rng::seed_from_u64(SEED + 6);
    let limits = Limits { steps: 0, ..Limits::default() };
    let mut unknown = 0;
    for _ in 0..1_000 {
        let operations = crowded(&mut random, 9);
        let settings = Settings { limits, ..Settings::default() };
        let least_k = measure_key(&operations, &settings).unwrap().least_k;
        if let LeastK::Unknown { at_least, reason } = least_k {
            assert!(at_least >= 2);
            assert_eq!(reason, "the step limit was reached");
            unknown += 1;
        }
    }
    assert!(unknown > 50, "{unknown} of 1000");
}

#[test]
fn the_finding_is_a_smallest_proof_that_the_bound_is_too_small() {
    let mut random = ChaCha8Rng::seed_from_u64(SEED + 7);
    let (mut valid, mut invalid) = (0, 0);
    for case in 0..20_000 {
        let operations = random_history(&mut random, 8);
        let history = History { operations, ..History::default() };
        let bound = Duration::from_nanos(random.random_range(0..6));
        let settings = Settings { bound, ..Settings::default() };
        let (_, finding) = staleness::check(&history, &settings);
        let truth =
            is_linearizable(&moved(&history.operations, bound.as_nanos() as u64), &Value::Nil);
        match &finding.validity {
            Validity::Unknown { reason } => {
                assert!(reason.contains("not exercised"), "case {case}: {reason}");
            }
            Validity::Valid => {
                assert!(truth, "case {case}{}", show(&history.operations));
                valid += 1;
            }
            Validity::Invalid { witness } => {
                assert!(!truth, "case {case}{}", show(&history.operations));
                for one in &witness.operations {
                    assert!(history.operations.contains(one), "as recorded");
                }
                let earlier = |kept: &[Operation]| {
                    moved(&alone(&history.operations, kept), bound.as_nanos() as u64)
                };
                let possible = |kept: &[Operation]| is_linearizable(&earlier(kept), &Value::Nil);
                let context = || format!("case {case}: {witness:?}{}", show(&history.operations));
                assert!(!possible(&witness.operations), "no proof alone: {}", context());
                for place in 0..witness.operations.len() {
                    let mut rest = witness.operations.clone();
                    rest.remove(place);
                    assert!(possible(&rest), "{place} is too much: {}", context());
                }
                assert!(witness.operations.is_sorted_by_key(|o| o.invoke));
                invalid += 1;
            }
        }
    }
    println!("bounded staleness: {valid} valid, {invalid} invalid");
    assert!(valid > 2_000 && invalid > 2_000, "{valid} {invalid}");
}

/// The operations kept, with all others forgotten: of a write or a cas nothing remains but that its
/// value may have been written once, at some time.
fn alone(all: &[Operation], kept: &[Operation]) -> Vec<Operation> {
    let others = all.iter().filter(|other| kept.iter().all(|one| one.index != other.index));
    let written = others.filter_map(|other| {
        Some(Operation {
            f: Function::Write,
            input: effect(other).1?.clone(),
            invoke: Time(0),
            complete: None,
            outcome: Outcome::Info,
            ..other.clone()
        })
    });
    kept.iter().cloned().chain(written).collect()
}

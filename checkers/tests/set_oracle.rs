//! The set checks against every order, or against their definitions word for word, on random
//! histories.

#[path = "set_oracle/answers.rs"]
mod answers;
mod objects_support;

use std::collections::BTreeSet;

use answers::*;
use objects_support::*;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use splitbrain_checkers::checker::Options;
use splitbrain_checkers::finding::Validity;
use splitbrain_checkers::history::{Operation, Outcome, Value};
use splitbrain_checkers::set::{LINEARIZABLE_SET, SET, SET_FULL, full};

const SEED: u64 = 0x5eed_0010;

#[test]
fn a_set_that_grows_agrees_with_every_order() {
    let mut random = ChaCha8Rng::seed_from_u64(SEED);
    let mut split = Split::default();
    let mut sizes = [0; 9];
    for case in 0..100_000 {
        let operations = operations(&mut random, GROWING);
        let truth = is_linearizable(&operations);
        let validity = check(&LINEARIZABLE_SET, &operations);
        assert_agrees(&validity, truth, &operations, case);
        split.count(truth);
        if let Validity::Invalid { witness } = validity {
            sizes[witness.operations.len()] += 1;
            assert_smallest(&operations, &witness, &|kept| {
                !is_linearizable(&with_others_forgotten(&operations, kept))
            });
        }
    }
    split.assert_balanced("a set that grows");
    assert!(sizes[1] > 100 && sizes[2] > 1000 && sizes[3] > 100, "{sizes:?}");
}

/// Other adds and removals may have been done at any time, other reads are left out.
fn with_others_forgotten(operations: &[Operation], kept: &[u64]) -> Vec<Operation> {
    operations
        .iter()
        .filter_map(|operation| match operation.f.as_str() {
            _ if operation.outcome == Outcome::Fail => None,
            _ if kept.contains(&operation.index) => Some(operation.clone()),
            "add" | "remove" => Some(forgotten(operation)),
            _ => None,
        })
        .collect()
}

#[test]
fn elements_that_are_removed_agree_with_every_order() {
    let mut random = ChaCha8Rng::seed_from_u64(SEED + 1);
    let mut split = Split::default();
    for case in 0..60_000 {
        let operations = operations(&mut random, ONE_BY_ONE);
        let truth = is_linearizable(&operations);
        let validity = check(&LINEARIZABLE_SET, &operations);
        assert_agrees(&validity, truth, &operations, case);
        split.count(truth);
        let removes =
            operations.iter().any(|o| o.f.as_str() == "remove" && o.outcome != Outcome::Fail);
        if let (Validity::Invalid { witness }, true) = (validity, removes) {
            assert_smallest(&operations, &witness, &|kept| {
                let jobs: Vec<Job> = operations
                    .iter()
                    .map(|o| Job { must: kept.contains(&o.index), ..job(o) })
                    .collect();
                !all_in_order(&operations, &jobs)
            });
        }
    }
    split.assert_balanced("elements that are removed");
}

/// The definition of `set-full`, with every quantifier a loop. Gives lost, stale and resurrected
/// elements, and whether anything else is wrong.
fn fates(operations: &[Operation]) -> ([BTreeSet<i64>; 3], bool) {
    let effective: Vec<(&Operation, Job)> = operations
        .iter()
        .filter(|operation| operation.outcome != Outcome::Fail)
        .map(|operation| (operation, job(operation)))
        .collect();
    let of = |f: &'static str, element: i64| {
        effective
            .iter()
            .filter(move |(o, _)| o.f.as_str() == f && o.input == Value::Int(element))
            .map(|(_, job)| *job)
            .collect::<Vec<Job>>()
    };
    let reads: Vec<(&Operation, Job)> =
        effective.iter().copied().filter(|(o, job)| o.f.as_str() == "read" && job.must).collect();
    let last = reads.iter().map(|(_, read)| read.start).max();
    let mut fates = [BTreeSet::new(), BTreeSet::new(), BTreeSet::new()];
    let mut unexpected = false;
    for element in 1..=FULL.elements {
        let (adds, removals) = (of("add", element), of("remove", element));
        let has = |read: &Operation| members(read).contains(&element);
        if reads.iter().any(|(o, read)| has(o) && !adds.iter().any(|add| add.start <= read.finish))
        {
            unexpected = true;
            continue;
        }
        let first_add = adds.iter().map(|add| add.start).min().unwrap_or(0);
        let mut known: Vec<(u64, u64)> =
            adds.iter().filter(|add| add.must).map(|add| (add.finish, add.start)).collect();
        known
            .extend(reads.iter().filter(|(o, _)| has(o)).map(|(_, read)| (read.finish, first_add)));
        let is_missing = |(operation, read): &&(&Operation, Job)| {
            !has(operation)
                && known.iter().any(|(end, begun)| {
                    *end < read.start
                        && !removals.iter().any(|r| r.start <= read.finish && r.finish >= *begun)
                })
        };
        let is_too_much = |(operation, read): &&(&Operation, Job)| {
            has(operation)
                && removals.iter().any(|removal| {
                    removal.must
                        && removal.finish < read.start
                        && !adds.iter().any(|a| a.start <= read.finish && a.finish >= removal.start)
                })
        };
        let last_reads: Vec<_> =
            reads.iter().filter(|(_, read)| Some(read.start) == last).collect();
        let fate = if last_reads.iter().all(|(o, _)| !has(o)) && last_reads.iter().any(&is_missing)
        {
            0
        } else if last_reads.iter().all(|(o, _)| has(o)) && last_reads.iter().any(&is_too_much) {
            2
        } else if reads.iter().any(|read| is_missing(&read) || is_too_much(&read)) {
            1
        } else {
            continue;
        };
        fates[fate].insert(element);
    }
    (fates, unexpected)
}

#[test]
fn what_became_of_each_element_agrees_with_its_definition() {
    let mut random = ChaCha8Rng::seed_from_u64(SEED + 2);
    let (mut split, mut resurrections, mut stale) = (Split::default(), 0, 0);
    for case in 0..100_000 {
        let mix = match case % 3 {
            0 => Mix { elements: FULL.elements, ..SIMPLE },
            1 => FULL,
            _ => Mix { elements: 1, adds: 2, removals: 3, reads: 5 },
        };
        let mut operations = operations(&mut random, mix);
        if case % 6 == 2 {
            // The element is back (or gone) in the end.
            let sure = |o: &&mut Operation| o.f.as_str() == "read" && o.outcome == Outcome::Ok;
            let last = operations.iter_mut().filter(sure).max_by_key(|read| read.invoke);
            last.into_iter().for_each(|last| lie(&mut random, last, 1));
        }
        let (truth, unexpected) = fates(&operations);
        let refs: Vec<&Operation> = operations.iter().collect();
        let details = full::inspect(&refs, &Options::default()).unwrap();
        let found = [&details.lost, &details.stale, &details.resurrected].map(|troubled| {
            troubled.iter().map(|troubled| integer(&troubled.element)).collect::<BTreeSet<i64>>()
        });
        assert_eq!(found, truth, "case {case}: lost, stale, resurrected{}", show(&operations));
        assert_eq!(details.unexpected > 0, unexpected, "case {case}{}", show(&operations));
        stale += usize::from(!truth[1].is_empty());
        resurrections += usize::from(!truth[2].is_empty());
        let is_refuted = |operations: &[Operation]| {
            let (fates, unexpected) = fates(operations);
            unexpected || !fates[0].is_empty() || !fates[2].is_empty()
        };
        let validity = check(&SET_FULL, &operations);
        assert_agrees(&validity, !is_refuted(&operations), &operations, case);
        split.count(!is_refuted(&operations));
        if let Validity::Invalid { witness } = validity {
            assert_smallest(&operations, &witness, &|kept| {
                is_refuted(&with_others_forgotten(&operations, kept))
            });
        }
    }
    split.assert_balanced("what became of each element");
    assert!(resurrections > 50 && stale > 500, "{resurrections} {stale}");
}

/// The definition of `set`: whether it is refuted, and whether it was exercised.
fn is_lost_or_unexpected(operations: &[Operation]) -> (bool, bool) {
    let effective: Vec<(&Operation, Job)> = operations
        .iter()
        .filter(|operation| operation.outcome != Outcome::Fail)
        .map(|operation| (operation, job(operation)))
        .collect();
    let adds: Vec<_> = effective.iter().filter(|(o, _)| o.f.as_str() == "add").collect();
    let reads: Vec<_> =
        effective.iter().filter(|(o, job)| o.f.as_str() == "read" && job.must).collect();
    let unexpected = reads.iter().any(|(o, read)| {
        members(o).iter().any(|element| {
            !adds.iter().any(|(o, add)| o.input == Value::Int(*element) && add.start <= read.finish)
        })
    });
    let is_final = |read: &Job| {
        adds.iter()
            .all(|(_, add)| add.start <= read.start && (!add.must || add.finish <= read.start))
    };
    let last = reads.iter().max_by_key(|(o, read)| (read.start, o.index));
    let last = last.filter(|(_, read)| is_final(read));
    let lost = last.is_some_and(|(o, read)| {
        adds.iter().any(|(add, job)| {
            job.must && job.finish < read.start && !members(o).contains(&integer(&add.input))
        })
    });
    (lost || unexpected, last.is_some() && adds.iter().any(|(_, add)| add.must))
}

#[test]
fn the_final_read_agrees_with_its_definition() {
    let mut random = ChaCha8Rng::seed_from_u64(SEED + 3);
    let (mut split, mut exercised) = (Split::default(), 0);
    for case in 0..60_000 {
        let mut operations = operations(&mut random, SIMPLE);
        operations.sort_by_key(|operation| (operation.invoke, operation.index));
        let (refuted, is_exercised) = is_lost_or_unexpected(&operations);
        let validity = check(&SET, &operations);
        assert_agrees(&validity, !refuted, &operations, case);
        assert_eq!(
            validity.is_valid(),
            !refuted && is_exercised,
            "case {case}{}",
            show(&operations)
        );
        split.count(!refuted);
        exercised += usize::from(is_exercised);
        if let Validity::Invalid { witness } = validity {
            assert_smallest(&operations, &witness, &|kept| {
                is_lost_or_unexpected(&with_others_forgotten(&operations, kept)).0
            });
        }
    }
    split.assert_balanced("the final read");
    assert!(exercised > 3_000, "{exercised}");
}

/// A long history of one set: adds by 20 clients, and reads of the whole every now and then.
fn long(random: &mut ChaCha8Rng) -> Vec<Operation> {
    let mut state = BTreeSet::new();
    let mut operations = Vec::new();
    for index in 0..400 {
        let effect = 100 * index as u64 + 2000;
        let slot = Slot {
            process: index as u64 % 20,
            invoke: effect - random.random_range(0..1500),
            effect,
            complete: Some(effect + random.random_range(0..1500)),
            outcome: Outcome::Ok,
            takes_effect: true,
        };
        let is_read = index % 10 == 9;
        let element = index as i64;
        if !is_read {
            state.insert(element);
        }
        operations.push(match is_read {
            true => operation(&slot, index, "read", Value::Nil, list(state.iter().copied())),
            false => operation(&slot, index, "add", Value::Int(element), Value::Int(element)),
        });
    }
    let last = Slot {
        process: 99,
        invoke: 100_000,
        effect: 100_001,
        complete: Some(100_002),
        outcome: Outcome::Ok,
        takes_effect: true,
    };
    operations.push(operation(&last, 400, "read", Value::Nil, list(state)));
    operations
}

#[test]
fn mutations_of_long_valid_histories_are_found() {
    let mut random = ChaCha8Rng::seed_from_u64(SEED + 4);
    for _ in 0..50 {
        let valid = long(&mut random);
        for checker in [SET, SET_FULL, LINEARIZABLE_SET] {
            assert!(check(&checker, &valid).is_valid(), "{}", checker.name);
        }
        let without = |read: usize, element: i64| {
            let mut operations = valid.clone();
            let rest = members(&operations[read]).into_iter().filter(|other| *other != element);
            operations[read].output = list(rest.collect::<Vec<_>>());
            operations
        };
        let element = random.random_range(0..36) * 10 + random.random_range(0..9);
        let lost = without(400, element);
        for checker in [SET, SET_FULL, LINEARIZABLE_SET] {
            let validity = check(&checker, &lost);
            let witness = validity.witness().expect(checker.name);
            assert_eq!(witness.operations.len(), 2, "{}: {}", checker.name, witness.sentence);
        }
        let stale = without(399, 5);
        assert!(check(&SET_FULL, &stale).is_valid());
        assert!(check(&LINEARIZABLE_SET, &stale).is_invalid());
    }
}

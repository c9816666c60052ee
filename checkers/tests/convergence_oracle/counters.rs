//! Counters: E5, with witnesses.

use super::*;

/// The least and the most of all sums with any of the updates that were not answered.
fn extremes(updates: &[&Operation]) -> (i64, i64) {
    let amount = |o: &Operation| match (o.f.as_str(), &o.input) {
        ("dec", Value::Int(amount)) => -amount,
        ("dec", _) => -1,
        (_, Value::Int(amount)) => *amount,
        _ => 1,
    };
    let mut sums = BTreeSet::from([0]);
    for o in updates {
        let with = sums.iter().map(|sum| sum + amount(o)).collect();
        match o.outcome {
            Outcome::Ok => sums = with,
            Outcome::Info => sums.extend(with),
            Outcome::Fail => {}
        }
    }
    (*sums.first().unwrap(), *sums.last().unwrap())
}

#[test]
fn counters() {
    let mut random = ChaCha8Rng::seed_from_u64(SEED + 3);
    let mut bounds = Split::default();
    let mut sizes = [0; 8];
    for case in 0..CASES {
        let count = random.random_range(0..=6);
        let written: Vec<Operation> = (0..count)
            .map(|_| match random.random_range(0..4) {
                0 => update(&mut random, "inc", Value::Nil),
                1 => {
                    let amount = random.random_range(0..4);
                    update(&mut random, "dec", int(amount))
                }
                _ => {
                    let amount = random.random_range(-3..6);
                    update(&mut random, "add", int(amount))
                }
            })
            .collect();
        let state = |random: &mut ChaCha8Rng| match random.random_range(-8..16) {
            0 => Value::Nil,
            sum => int(sum),
        };
        let finals = finals(&mut random, state);
        let history = history(&written, polls(&finals));
        let (convergence, finding) = run(&history, DataType::Counter, false);
        let all = updates(&history);
        let context = || format!("case {case}: {finding:?} {all:#?} {finals:?}");
        let sum = |state: &Value| if let Value::Int(sum) = state { *sum } else { 0 };
        let outside = |(least, most): (i64, i64)| {
            finals.iter().all(|state| sum(state) < least || sum(state) > most)
        };
        let (least, most) = extremes(&all);
        let expected: Vec<Breach> = outside((least, most))
            .then(|| Breach::OutOfBounds { key: "k".into(), least, most })
            .into_iter()
            .collect();
        assert_eq!(convergence.breaches, expected, "{}", context());
        assert!(convergence.lost.is_empty() && convergence.phantoms.is_empty());
        bounds.count(!expected.is_empty());
        if !expected.is_empty() {
            let witness = finding.validity.witness().expect("a witness");
            let refuted = |updates: &[Operation]| {
                let all: Vec<&Operation> = updates.iter().collect();
                outside(extremes(&all))
            };
            is_smallest(&history, witness, refuted, &context);
            sizes[witness.operations.len() - 2] += 1;
        }
    }
    println!("updates in a counter's witness: {sizes:?}");
    assert!(sizes[0] > 100 && sizes[1] > 100 && sizes[3] > 100, "{sizes:?}");
    bounds.assert_balanced("counters, E5");
}

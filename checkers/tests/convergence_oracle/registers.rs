//! Registers: E2 and E3.

use super::*;

#[test]
fn registers() {
    let mut random = ChaCha8Rng::seed_from_u64(SEED + 1);
    let (mut losses, mut phantoms) = (Split::default(), Split::default());
    for case in 0..CASES {
        let count = random.random_range(1..=5);
        let some = |random: &mut ChaCha8Rng| match random.random_range(0..=count) {
            0 => Value::Nil,
            value => int(value),
        };
        let writes: Vec<Operation> = (1..=count)
            .map(|value| match random.random_bool(0.25) {
                true => {
                    let pair = Value::pair(some(&mut random), int(value));
                    update(&mut random, "cas", pair)
                }
                false => update(&mut random, "write", int(value)),
            })
            .collect();
        // Now and then what nobody wrote.
        let finals = finals(&mut random, |random| match random.random_range(0..20) {
            0 => int(count + 1),
            _ => some(random),
        });
        let history = history(&writes, polls(&finals));
        let (convergence, _) = run(&history, DataType::Register, false);
        let writes = updates(&history);
        let target = |o: &Operation| match o.input.as_pair() {
            Some((_, new)) => new.clone(),
            None => o.input.clone(),
        };
        let may = |value: &Value| {
            writes.iter().any(|w| w.outcome != Outcome::Fail && target(w) == *value)
        };
        let phantom = |value: &Value| *value != Value::Nil && !may(value);
        let expected: Vec<&Value> = finals.iter().filter(|value| phantom(value)).collect();
        let found: Vec<&Value> = convergence.phantoms.iter().map(|p| &p.value).collect();
        assert_eq!(found, expected, "case {case}: {writes:#?} {finals:?}");
        phantoms.count(!expected.is_empty());
        if !expected.is_empty() {
            continue;
        }
        for write in writes.iter().filter(|write| write.outcome == Outcome::Ok) {
            let descends = |value: &Value| {
                let mut value = value.clone();
                for _ in 0..=count {
                    if value == target(write) {
                        return true;
                    }
                    let cas = writes.iter().find(|w| {
                        w.outcome != Outcome::Fail && w.f == Function::Cas && target(w) == value
                    });
                    match cas.and_then(|cas| cas.input.as_pair()) {
                        Some((expected, _)) => value = expected.clone(),
                        None => return false,
                    }
                }
                false
            };
            let overwritten = || {
                let leave = |_: &Value, o: &Operation| Some(target(o));
                some_order(&writes, write, &Value::Nil, &leave, &|state| finals.contains(state))
            };
            let lost = !finals.iter().any(descends) && !overwritten();
            let found = convergence.lost.iter().any(|lost| lost.write == write.index);
            assert_eq!(found, lost, "case {case}: {write} {writes:#?} {finals:?}");
            losses.count(lost);
        }
    }
    losses.assert_balanced("registers, E2");
    phantoms.assert_balanced("registers, E3");
}

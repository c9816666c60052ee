//! Siblings: E2, E3 and E4, with witnesses.

use super::*;

fn random_siblings(random: &mut ChaCha8Rng) -> (Vec<Operation>, [Value; 2]) {
    let count = random.random_range(1..=5);
    let written = (1..=count)
        .map(|value| {
            let context: Vec<Value> =
                (1..=count).filter(|_| random.random_range(0..count) == 0).map(int).collect();
            let context = if context.is_empty() && random.random_bool(0.5) {
                Value::Nil
            } else {
                list(context)
            };
            // Now and then one value of two writes.
            let value = if random.random_range(0..20) == 0 { 1 } else { value };
            update(random, "write", list([context, int(value)]))
        })
        .collect();
    let state = |random: &mut ChaCha8Rng| {
        let mut members: Vec<Value> =
            (1..=count).rev().filter(|_| random.random_bool(0.4)).map(int).collect();
        if random.random_range(0..8) == 0 {
            members.push(int(9));
        }
        list(members)
    };
    let finals = finals(random, state);
    (written, finals)
}

/// What a test of siblings needs of a write. Of one whose context is forgotten, everything that
/// began before it may be in it.
struct Sibling {
    index: u64,
    value: Value,
    context: Vec<Value>,
    forgotten: bool,
    invoke: u64,
    outcome: Outcome,
}

fn siblings_of(history: &History, kept: Option<&BTreeSet<u64>>) -> Vec<Sibling> {
    let possible = updates(history).into_iter().filter(|o| o.outcome != Outcome::Fail);
    possible
        .map(|o| {
            let (context, value) = o.input.as_pair().unwrap();
            Sibling {
                index: o.index,
                value: value.clone(),
                context: if let Value::List(values) = context { values.to_vec() } else { vec![] },
                forgotten: kept.is_some_and(|kept| !kept.contains(&o.index)),
                invoke: o.invoke.0,
                outcome: o.outcome,
            }
        })
        .collect()
}

/// Whether `later` may have (if `surely`: must have) replaced `earlier` directly.
fn replaces(all: &[Sibling], later: &Sibling, earlier: &Sibling, surely: bool) -> bool {
    let once = |s: &Sibling| all.iter().filter(|other| other.value == s.value).count() == 1;
    let known = later.context.contains(&earlier.value);
    let in_context =
        if surely { known && !later.forgotten && once(earlier) } else { known || later.forgotten };
    in_context && later.index != earlier.index && earlier.invoke <= later.invoke
}

/// Whether a path of replacements leads from the write up to one that passes.
fn leads_up(
    all: &[Sibling],
    from: usize,
    surely: bool,
    path: &mut Vec<usize>,
    passes: &dyn Fn(&Sibling) -> bool,
) -> bool {
    (0..all.len()).filter(|next| !path.contains(next)).collect::<Vec<_>>().into_iter().any(|next| {
        if !replaces(all, &all[next], &all[from], surely) {
            return false;
        }
        path.push(next);
        let found = passes(&all[next]) || leads_up(all, next, surely, path, passes);
        path.pop();
        found
    })
}

fn is_lost(all: &[Sibling], write: usize, finals: &[Value; 2]) -> bool {
    let there = |s: &Sibling| finals.iter().any(|state| has(state, &s.value));
    !there(&all[write]) && !leads_up(all, write, false, &mut vec![write], &there)
}

fn is_resurrected(all: &[Sibling], write: usize) -> bool {
    leads_up(all, write, true, &mut vec![write], &|s| s.outcome == Outcome::Ok)
}

#[test]
fn siblings() {
    let mut random = ChaCha8Rng::seed_from_u64(SEED + 4);
    let (mut losses, mut back, mut phantoms) =
        (Split::default(), Split::default(), Split::default());
    for case in 0..CASES {
        let (written, finals) = random_siblings(&mut random);
        let history = history(&written, polls(&finals));
        let (convergence, finding) = run(&history, DataType::Siblings, false);
        let all = siblings_of(&history, None);
        let context = || format!("case {case}: {finding:?} {:#?} {finals:?}", updates(&history));
        let mut expected = BTreeSet::new();
        let mut resurrected = BTreeSet::new();
        for (place, write) in all.iter().enumerate() {
            if write.outcome == Outcome::Ok {
                let lost = is_lost(&all, place, &finals);
                losses.count(lost);
                expected.extend(lost.then_some(write.index));
            }
            if finals.iter().all(|state| has(state, &write.value)) {
                let surely = is_resurrected(&all, place);
                back.count(surely);
                resurrected.extend(surely.then_some(write.value.clone()));
            }
        }
        assert_eq!(indexes(convergence.lost.iter().map(|l| &l.write)), expected, "{}", context());
        let found: BTreeSet<Value> = convergence
            .breaches
            .iter()
            .map(|breach| match breach {
                Breach::Resurrected { value, .. } => value.clone(),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(found, resurrected, "{}", context());
        let nobodys: usize = finals
            .iter()
            .map(|state| {
                let nobody =
                    |v: &i64| has(state, &int(*v)) && all.iter().all(|s| s.value != int(*v));
                (1..=9).filter(nobody).count()
            })
            .sum();
        assert_eq!(convergence.phantoms.len(), nobodys, "{}", context());
        phantoms.count(nobodys > 0);

        let Some(witness) = finding.validity.witness() else { continue };
        let kept: BTreeSet<u64> =
            witness.operations.iter().filter(|o| !is_read(o)).map(|o| o.index).collect();
        let value = |v: &Value| all.iter().position(|s| s.value == *v);
        let place = |index: u64| all.iter().position(|s| s.index == index).unwrap();
        let refuted = |kept: &BTreeSet<u64>| -> bool {
            let alone = siblings_of(&history, Some(kept));
            match (convergence.lost.last(), convergence.breaches.first()) {
                (Some(lost), _) => {
                    kept.contains(&lost.write) && is_lost(&alone, place(lost.write), &finals)
                }
                (None, Some(Breach::Resurrected { value: v, .. })) => {
                    is_resurrected(&alone, value(v).unwrap())
                }
                _ => unreachable!(),
            }
        };
        let about_phantom = convergence.lost.is_empty() && !convergence.phantoms.is_empty();
        if about_phantom || convergence.lost.is_empty() && convergence.breaches.is_empty() {
            continue;
        }
        assert!(refuted(&kept), "no proof alone {}", context());
        for index in &kept {
            let mut rest = kept.clone();
            rest.remove(index);
            assert!(!refuted(&rest), "{index} is too much {}", context());
        }
    }
    losses.assert_balanced("siblings, E2");
    back.assert_balanced("siblings, E4");
    phantoms.assert_balanced("siblings, E3");
}

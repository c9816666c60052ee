//! Sets: E2, E3 and E4, with witnesses.

use super::*;

fn random_set(random: &mut ChaCha8Rng) -> (Vec<Operation>, [Value; 2]) {
    let count = random.random_range(1..=6);
    let updates = (0..count)
        .map(|_| {
            let f = if random.random_bool(0.6) { "add" } else { "remove" };
            let element = int(random.random_range(1..=2));
            update(random, f, element)
        })
        .collect();
    let state = |random: &mut ChaCha8Rng| {
        let mut members: Vec<Value> =
            (1..=2).filter(|_| random.random_bool(0.5)).map(int).collect();
        if random.random_range(0..6) == 0 {
            members.insert(0, int(3));
        }
        if members.is_empty() && random.random_bool(0.5) { Value::Nil } else { list(members) }
    };
    let finals = finals(random, state);
    (updates, finals)
}

/// Whether an order of the updates can end with the element there, or gone.
fn can_end(updates: &[&Operation], contains: &Operation, there: bool) -> bool {
    let element = &contains.input;
    let apply = |_: &bool, o: &Operation| (o.input == *element).then(|| o.f.as_str() == "add");
    some_order(updates, contains, &false, &apply, &|state| *state == there)
}

#[test]
fn sets() {
    let mut random = ChaCha8Rng::seed_from_u64(SEED + 2);
    let (mut losses, mut back, mut phantoms) =
        (Split::default(), Split::default(), Split::default());
    for case in 0..CASES {
        let (written, finals) = random_set(&mut random);
        let history = history(&written, polls(&finals));
        let (convergence, finding) = run(&history, DataType::Set, false);
        let all = updates(&history);
        let context = || format!("case {case}: {finding:?} {all:#?} {finals:?}");
        let may_be_added = |element: &Value| {
            all.iter()
                .any(|o| o.f.as_str() == "add" && o.outcome != Outcome::Fail && o.input == *element)
        };
        let mut expected = BTreeSet::new();
        let mut resurrected = BTreeSet::new();
        for o in all.iter().filter(|o| o.outcome == Outcome::Ok) {
            if o.f.as_str() == "add" {
                let gone = finals.iter().all(|state| !has(state, &o.input));
                let lost = gone && !can_end(&all, o, false);
                losses.count(lost);
                expected.extend(lost.then_some(o.index));
            } else {
                let there = finals.iter().all(|state| has(state, &o.input));
                let for_nothing = there && may_be_added(&o.input) && !can_end(&all, o, true);
                if there {
                    back.count(for_nothing);
                }
                resurrected.extend(for_nothing.then_some(o.index));
            }
        }
        assert_eq!(indexes(convergence.lost.iter().map(|l| &l.write)), expected, "{}", context());
        let found = convergence.breaches.iter().map(|breach| match breach {
            Breach::Resurrected { removed_by, .. } => removed_by,
            other => panic!("{other:?}"),
        });
        assert_eq!(indexes(found), resurrected, "{}", context());
        let mut nobodys = 0;
        for state in &finals {
            nobodys += (1..=3).filter(|e| has(state, &int(*e)) && !may_be_added(&int(*e))).count();
        }
        assert_eq!(convergence.phantoms.len(), nobodys, "{}", context());
        phantoms.count(nobodys > 0);
        if let Some(witness) = finding.validity.witness() {
            set_witness_is_smallest(&convergence, witness, &history, &context);
        }
    }
    losses.assert_balanced("sets, E2");
    back.assert_balanced("sets, E4");
    phantoms.assert_balanced("sets, E3");
}

fn set_witness_is_smallest(
    convergence: &Convergence,
    witness: &Witness,
    history: &History,
    context: &dyn Fn() -> String,
) {
    let lost = convergence.lost.last().map(|lost| lost.write);
    let about = lost.or_else(|| match convergence.breaches.first()? {
        Breach::Resurrected { removed_by, .. } => Some(*removed_by),
        _ => None,
    });
    // A phantom goes before a resurrection, and disagreement comes last.
    let Some(about) = about.filter(|_| lost.is_some() || convergence.phantoms.is_empty()) else {
        return;
    };
    let there = lost.is_none();
    let refuted = |updates: &[Operation]| {
        let all: Vec<&Operation> = updates.iter().collect();
        let about = all.iter().find(|o| o.index == about).unwrap();
        about.outcome == Outcome::Ok && !can_end(&all, about, there)
    };
    is_smallest(history, witness, refuted, context);
}

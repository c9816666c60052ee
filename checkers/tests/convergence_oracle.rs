//! E1 to E6 against their definitions, tried out on random histories of one key.

use std::collections::BTreeSet;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use splitbrain_checkers::convergence::{
    self, Agreement, Breach, Convergence, DataType, KeyStatus, Settings,
};
use splitbrain_checkers::finding::{Finding, Relation, Witness};
use splitbrain_checkers::history::{
    Event, Function, History, Kind, Name, Operation, Outcome, Process, Time, Value,
};

const SEED: u64 = 0x5eed_0060;
const CASES: usize = 100_000;
const HEAL: u64 = 100;

fn int(value: i64) -> Value {
    Value::Int(value)
}

fn list(values: impl IntoIterator<Item = Value>) -> Value {
    Value::List(values.into_iter().collect())
}

fn nodes() -> [Name; 2] {
    ["n1".into(), "n2".into()]
}

fn operation(f: &str, input: Value, interval: (u64, Option<u64>), outcome: Outcome) -> Operation {
    Operation {
        index: 0,
        process: 0,
        node: Some("n1".into()),
        f: Function::from_name(f),
        key: Some("k".into()),
        output: input.clone(),
        input,
        invoke: Time(interval.0),
        complete: interval.1.map(Time),
        outcome,
        intended: None,
        error: None,
    }
}

/// An update with a random interval before the heal and a random outcome.
fn update(random: &mut ChaCha8Rng, f: &str, input: Value) -> Operation {
    let start = random.random_range(0..16);
    let end = start + random.random_range(0..5);
    match random.random_range(0..10) {
        0..7 => operation(f, input, (start, Some(end)), Outcome::Ok),
        7 => operation(f, input, (start, Some(end)), Outcome::Fail),
        _ => operation(f, input, (start, None), Outcome::Info),
    }
}

fn replica_read(node: &Name, start: u64, returned: Value, outcome: Outcome) -> Operation {
    let mut read = operation("replica-read", Value::Nil, (start, Some(start + 2)), outcome);
    read.node = Some(node.clone());
    read.output = returned;
    read
}

/// Three polls of each node, each of which returns its value of `finals`.
fn polls(finals: &[Value; 2]) -> Vec<Operation> {
    let mut reads = Vec::new();
    for poll in 0..3 {
        for (node, value) in nodes().iter().zip(finals) {
            let start = HEAL + 10 + 10 * poll + 5 * u64::from(node == &nodes()[1]);
            reads.push(replica_read(node, start, value.clone(), Outcome::Ok));
        }
    }
    reads
}

fn history(updates: &[Operation], reads: Vec<Operation>) -> History {
    let mut operations: Vec<Operation> = updates.iter().cloned().chain(reads).collect();
    operations.sort_by_key(|operation| operation.invoke);
    for (index, operation) in operations.iter_mut().enumerate() {
        operation.index = index as u64;
    }
    let heal = Event {
        index: 1_000,
        time: Time(HEAL),
        process: Process::Nemesis,
        node: None,
        kind: Kind::Info,
        f: Function::Other("heal".into()),
        key: None,
        value: Value::Nil,
        intended: None,
        error: None,
    };
    History { operations, nemesis: vec![heal], end: Time(1_000) }
}

fn updates(history: &History) -> Vec<&Operation> {
    history.operations.iter().filter(|o| o.f != Function::ReplicaRead).collect()
}

fn run(history: &History, data: DataType, deliveries: bool) -> (Convergence, Finding) {
    let settings = Settings { data, deliveries, ..Settings::default() };
    convergence::check(history, &nodes(), &settings)
}

/// One state at both nodes, or now and then one for each.
fn finals(random: &mut ChaCha8Rng, mut one: impl FnMut(&mut ChaCha8Rng) -> Value) -> [Value; 2] {
    let first = one(random);
    let second = if random.random_bool(0.25) { one(random) } else { first.clone() };
    [first, second]
}

/// How often each answer came.
#[derive(Debug, Default)]
struct Split {
    broken: usize,
    kept: usize,
}

impl Split {
    fn count(&mut self, broken: bool) {
        *(if broken { &mut self.broken } else { &mut self.kept }) += 1;
    }

    fn assert_balanced(&self, what: &str) {
        println!("{what}: {self:?}");
        let total = self.broken + self.kept;
        assert!(self.broken.min(self.kept) * 10 >= total, "{what}: {self:?}");
    }
}

/// Whether some sequence of distinct updates that may have taken effect contains this one, keeps
/// real time, and ends in a state that passes. A state is what `apply` made of the updates.
fn some_order<S: Clone>(
    updates: &[&Operation],
    contains: &Operation,
    start: &S,
    apply: &impl Fn(&S, &Operation) -> Option<S>,
    passes: &impl Fn(&S) -> bool,
) -> bool {
    fn go<'o, S: Clone>(
        left: &[&'o Operation],
        state: &S,
        missing: Option<&'o Operation>,
        apply: &impl Fn(&S, &Operation) -> Option<S>,
        passes: &impl Fn(&S) -> bool,
    ) -> bool {
        if missing.is_none() && passes(state) {
            return true;
        }
        left.iter().any(|next| {
            let Some(state) = apply(state, next) else { return false };
            // What finished before this one started can no longer follow it.
            let rest: Vec<&Operation> = left
                .iter()
                .copied()
                .filter(|o| o.index != next.index)
                .filter(|o| o.outcome != Outcome::Ok || o.complete.unwrap() >= next.invoke)
                .collect();
            let missing = missing.filter(|missing| missing.index != next.index);
            let reachable = missing.is_none_or(|m| rest.iter().any(|o| o.index == m.index));
            reachable && go(&rest, &state, missing, apply, passes)
        })
    }
    let possible: Vec<&Operation> =
        updates.iter().copied().filter(|o| o.outcome != Outcome::Fail).collect();
    go(&possible, start, Some(contains), apply, passes)
}

fn indexes<'c>(lost: impl Iterator<Item = &'c u64>) -> BTreeSet<u64> {
    lost.copied().collect()
}

// E1

/// The values of one node's reads from the last one completed by the instant on, if nothing but
/// one value was seen from then to the end, and something was seen at or after the instant.
fn held_to_the_end(reads: &[&Operation], instant: u64) -> Option<Value> {
    let last = reads.iter().rposition(|read| read.outcome == Outcome::Ok)?;
    let first = (0..=last)
        .rev()
        .find(|&i| reads[i].outcome == Outcome::Ok && reads[i].complete.unwrap().0 <= instant)?;
    let same = reads[first..=last]
        .iter()
        .all(|read| read.outcome == Outcome::Ok && read.output == reads[last].output);
    (same && reads[last].invoke.0 >= instant).then(|| reads[last].output.clone())
}

#[test]
fn e1_agreement() {
    let mut random = ChaCha8Rng::seed_from_u64(SEED);
    let (mut agreed, mut differ, mut unknown) = (0, 0, 0);
    for case in 0..CASES {
        let mut reads = Vec::new();
        for node in &nodes() {
            let polls = random.random_range(2..=5);
            let last = if random.random_bool(0.6) { 1 } else { random.random_range(1..=2) };
            let steady = random.random_bool(0.7);
            for poll in 0..polls {
                let other = !steady && random.random_bool(0.3);
                let value = if other { 3 - last } else { last };
                let fails = random.random_range(0..30) == 0;
                let outcome = if fails { Outcome::Fail } else { Outcome::Ok };
                let start = HEAL + 1 + 10 * poll + random.random_range(0..8);
                reads.push(replica_read(node, start, int(value), outcome));
            }
        }
        let writes = [1, 2].map(|value| operation("write", int(value), (1, Some(5)), Outcome::Ok));
        let history = history(&writes, reads);
        let (convergence, _) = run(&history, DataType::Register, false);
        let of = |node: &Name| -> Vec<&Operation> {
            let reads = history.operations.iter().filter(|o| o.f == Function::ReplicaRead);
            reads.filter(|o| o.node.as_ref() == Some(node)).collect()
        };
        let [one, other] = nodes().map(|node| of(&node));
        let last_three = |reads: &[&Operation]| -> Option<Value> {
            let last = reads.len().checked_sub(3)?;
            let same = |o: &&Operation| o.outcome == Outcome::Ok && o.output == reads[last].output;
            reads[last..].iter().all(same).then(|| reads[last].output.clone())
        };
        let agree = last_three(&one).is_some() && last_three(&one) == last_three(&other);
        let apart = (HEAL..HEAL + 100).any(|instant| {
            match (held_to_the_end(&one, instant), held_to_the_end(&other, instant)) {
                (Some(one), Some(other)) => one != other,
                _ => false,
            }
        });
        let context =
            || format!("case {case}: {:?}\n{:#?}", convergence.agreement, history.operations);
        match &convergence.agreement {
            Agreement::Agreed { after } => {
                assert!(agree && !apart, "{}", context());
                // From the first read of the last run at each node on.
                let begin = |reads: &[&Operation]| -> u64 {
                    let last = &reads[reads.len() - 1].output;
                    let same = |o: &&&Operation| o.outcome == Outcome::Ok && o.output == *last;
                    let run = reads.iter().rev().take_while(same).count();
                    reads[reads.len() - run].complete.unwrap().0
                };
                let since = begin(&one).max(begin(&other)) - HEAL;
                assert_eq!(after.as_nanos() as u64, since, "{}", context());
                agreed += 1;
            }
            Agreement::Refuted { .. } => {
                assert!(apart && !agree, "{}", context());
                differ += 1;
            }
            Agreement::Unknown { .. } => {
                assert!(!agree && !apart, "{}", context());
                unknown += 1;
            }
        }
    }
    println!("E1: {agreed} agreed, {differ} differ, {unknown} unknown");
    assert!(agreed.min(differ).min(unknown) * 10 >= CASES, "{agreed} {differ} {unknown}");
}

// Registers

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

// Sets

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

fn has(state: &Value, element: &Value) -> bool {
    matches!(state, Value::List(members) if members.contains(element))
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

/// Of an update nothing remains but that it may have taken effect at any time.
fn forgotten(operation: &Operation) -> Operation {
    let mut operation = operation.clone();
    if operation.outcome != Outcome::Fail {
        operation.outcome = Outcome::Info;
    }
    operation.complete = None;
    operation.invoke = Time(0);
    operation
}

/// The updates with all forgotten that are not kept.
fn all_but(history: &History, kept: &BTreeSet<u64>) -> Vec<Operation> {
    let keep = |o: &&Operation| match kept.contains(&o.index) {
        true => (*o).clone(),
        false => forgotten(o),
    };
    updates(history).iter().map(keep).collect()
}

fn is_read(operation: &Operation) -> bool {
    operation.f == Function::ReplicaRead
}

/// The witness proves by itself what it was built for, and not with any of its updates forgotten;
/// and it has a read of each node.
fn is_smallest(
    history: &History,
    witness: &Witness,
    refuted: impl Fn(&[Operation]) -> bool,
    context: &dyn Fn() -> String,
) {
    let kept: BTreeSet<u64> =
        witness.operations.iter().filter(|o| !is_read(o)).map(|o| o.index).collect();
    assert!(refuted(&all_but(history, &kept)), "no proof alone: {witness:?} {}", context());
    for index in &kept {
        let mut rest = kept.clone();
        rest.remove(index);
        assert!(!refuted(&all_but(history, &rest)), "{index} too much: {witness:?} {}", context());
    }
    assert_eq!(witness.operations.len(), kept.len() + 2, "a read of each node");
    for arrow in &witness.arrows {
        let (from, to) = (&witness.operations[arrow.from], &witness.operations[arrow.to]);
        if arrow.relation == Relation::RealTime {
            assert!(from.complete.unwrap() < to.invoke, "{witness:?}");
        }
    }
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

// Counters

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

// Siblings

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

// E6

#[test]
fn e6_same_deliveries_same_state() {
    let mut random = ChaCha8Rng::seed_from_u64(SEED + 5);
    let mut split = Split::default();
    for case in 0..CASES {
        let mut reads = Vec::new();
        for poll in 0..3 {
            for node in &nodes() {
                let count = random.random_range(0..=3);
                let mut delivered: Vec<Value> = (1..=count).map(int).collect();
                // Mostly what the deliveries make it, in any order.
                let mut state = delivered.clone();
                if random.random_range(0..12) == 0 {
                    state.pop();
                }
                state.reverse();
                if random.random_bool(0.5) {
                    delivered.reverse();
                }
                let entry = |name: &str, values: Vec<Value>| list([name.into(), list(values)]);
                let mut map = [entry("delivered", delivered), entry("state", state)];
                if random.random_bool(0.5) {
                    map.reverse();
                }
                let start = HEAL + 10 + 10 * poll + 5 * u64::from(node == &nodes()[1]);
                let fails = random.random_range(0..20) == 0;
                let outcome = if fails { Outcome::Fail } else { Outcome::Ok };
                reads.push(replica_read(node, start, list(map), outcome));
            }
        }
        let adds: Vec<Operation> =
            (1..=3).map(|e| operation("add", int(e), (e as u64, Some(9)), Outcome::Ok)).collect();
        let history = history(&adds, reads);
        let (convergence, _) = run(&history, DataType::Set, true);
        let shown = |o: &Operation| -> (BTreeSet<Value>, BTreeSet<Value>) {
            let Value::List(map) = &o.output else { panic!() };
            let get = |wanted: &str| {
                let entry = map.iter().filter_map(Value::as_pair).find(|e| *e.0 == wanted.into());
                match entry.unwrap().1 {
                    Value::List(values) => values.iter().cloned().collect(),
                    _ => panic!(),
                }
            };
            (get("delivered"), get("state"))
        };
        let answered: Vec<&Operation> =
            history.operations.iter().filter(|o| is_read(o) && o.outcome == Outcome::Ok).collect();
        let breaks = |one: &Operation, other: &Operation| {
            let ((a, state_a), (b, state_b)) = (shown(one), shown(other));
            a == b && state_a != state_b
        };
        let broken = answered.iter().any(|one| answered.iter().any(|other| breaks(one, other)));
        let found = convergence.breaches.iter().find_map(|breach| match breach {
            Breach::Differs { reads, .. } => Some(*reads),
            _ => None,
        });
        let context = || format!("case {case}: {found:?} {answered:#?}");
        assert_eq!(found.is_some(), broken, "{}", context());
        if let Some(pair) = found {
            let read = |index: u64| answered.iter().find(|o| o.index == index).unwrap();
            assert!(breaks(read(pair[0]), read(pair[1])), "{}", context());
        }
        split.count(broken);
    }
    split.assert_balanced("E6");
}

#[test]
fn what_a_type_does_not_have_is_unknown() {
    let status = |data: DataType, update: Operation, returned: Value, deliveries: bool| {
        let reads = polls(&[returned.clone(), returned]);
        let (convergence, finding) = run(&history(&[update], reads), data, deliveries);
        assert_eq!(finding.validity.rank(), 1, "{finding:?}");
        assert!(convergence.lost.is_empty() && convergence.phantoms.is_empty());
        match &convergence.keys[0].status {
            KeyStatus::Unsettled { reason } => reason.clone(),
            other => panic!("{other:?}"),
        }
    };
    let ok = |f: &str, input: Value| operation(f, input, (1, Some(2)), Outcome::Ok);
    let reason = status(DataType::Set, ok("write", int(1)), list([]), false);
    assert_eq!(reason, "operation 0 is `write`, which a set has not");
    let reason = status(DataType::Set, ok("add", int(1)), int(1), false);
    assert_eq!(reason, "replica read 1 returned 1, no state of a set");
    let reason = status(DataType::Counter, ok("add", "x".into()), int(1), false);
    assert_eq!(reason, "operation 0 is `add` of x; a counter takes an integer");
    let reason = status(DataType::Siblings, ok("write", int(1)), list([]), false);
    assert!(reason.ends_with("a key with siblings takes [context value]"), "{reason}");
    let reason = status(DataType::Set, ok("add", int(1)), list([int(1)]), true);
    assert_eq!(reason, "replica read 1 returned [1], no state with its deliveries of a set");
}

//! E1 to E6 against their definitions, tried out on random histories of one key.

#[path = "convergence_oracle/agreement.rs"]
mod agreement;
#[path = "convergence_oracle/counters.rs"]
mod counters;
#[path = "convergence_oracle/deliveries.rs"]
mod deliveries;
#[path = "convergence_oracle/registers.rs"]
mod registers;
#[path = "convergence_oracle/sets.rs"]
mod sets;
#[path = "convergence_oracle/siblings.rs"]
mod siblings;

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

/// Whether a list has the value.
fn has(state: &Value, element: &Value) -> bool {
    matches!(state, Value::List(members) if members.contains(element))
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

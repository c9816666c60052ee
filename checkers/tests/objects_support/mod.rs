//! Random small histories of objects that are not registers, and an oracle that tries every order.
#![allow(dead_code)] // Each test binary uses its own part.

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use splitbrain_checkers::checker::{Checker, Options};
use splitbrain_checkers::finding::{Relation, Validity, Witness};
use splitbrain_checkers::history::{Function, History, Operation, Outcome, Time, Value};

/// How often each answer came; both have to be well represented, or the comparison says little.
#[derive(Debug, Default)]
pub struct Split {
    pub valid: usize,
    pub invalid: usize,
}

impl Split {
    pub fn count(&mut self, valid: bool) {
        *(if valid { &mut self.valid } else { &mut self.invalid }) += 1;
    }

    pub fn assert_balanced(&self, what: &str) {
        println!("{what}: {self:?}");
        assert!(self.valid.min(self.invalid) * 10 >= self.valid + self.invalid, "{what}: {self:?}");
    }
}

pub fn show(operations: &[Operation]) -> String {
    let lines = operations.iter().map(|o| {
        let end = o.complete.map_or("...".to_owned(), |end| end.0.to_string());
        format!(
            "\n  {} {:?} {} {} -> {} [{}, {end}]",
            o.process, o.outcome, o.f, o.input, o.output, o.invoke.0
        )
    });
    lines.collect()
}

/// When an operation is done and how it ends; what it does is up to the object.
#[derive(Debug, Clone, Copy)]
pub struct Slot {
    pub process: u64,
    pub invoke: u64,
    /// When it takes effect, if it does.
    pub effect: u64,
    pub complete: Option<u64>,
    pub outcome: Outcome,
    pub takes_effect: bool,
}

/// Up to `most` operations on a short, coarse time line, in the order of their effects. Each has
/// a process of its own, or each of `processes` does one after the other, and no more after one
/// that was not answered.
pub fn slots(random: &mut ChaCha8Rng, most: usize, processes: Option<u64>) -> Vec<Slot> {
    let count = random.random_range(2..=most);
    let span = random.random_range(2..=2 * count as u64 + 8);
    let longest = random.random_range(1..=span);
    let mut free_at = vec![0; processes.unwrap_or_default() as usize];
    let mut retired = 0;
    let mut slots: Vec<Slot> = (0..count)
        .map(|number| {
            let client = (!free_at.is_empty()).then(|| random.random_range(0..free_at.len()));
            let earliest = client.map_or(0, |client| free_at[client]);
            let invoke = earliest
                + random.random_range(0..if client.is_some() { longest + 1 } else { span });
            let effect = invoke + random.random_range(0..=longest);
            let complete = effect + random.random_range(0..=longest);
            let outcome = match random.random_range(0..20) {
                0..15 => Outcome::Ok,
                15 | 16 => Outcome::Fail,
                _ => Outcome::Info,
            };
            let unanswered = outcome == Outcome::Info && random.random_bool(0.5);
            let takes_effect = match outcome {
                Outcome::Ok => true,
                Outcome::Fail => false,
                Outcome::Info => random.random_bool(0.5),
            };
            let process = match client {
                None => number as u64,
                Some(client) => {
                    free_at[client] = complete;
                    100 * client as u64
                        + if outcome == Outcome::Info { retire(&mut retired) } else { 0 }
                }
            };
            let complete = (!unanswered).then_some(complete);
            // An operation without an answer may take effect after it was given up.
            let effect = if outcome == Outcome::Info {
                effect + random.random_range(0..=span)
            } else {
                effect
            };
            Slot { process, invoke, effect, complete, outcome, takes_effect }
        })
        .collect();
    slots.sort_by_key(|slot| slot.effect);
    slots
}

fn retire(retired: &mut u64) -> u64 {
    *retired += 1;
    *retired
}

pub fn operation(slot: &Slot, index: usize, f: &str, input: Value, output: Value) -> Operation {
    Operation {
        index: index as u64,
        process: slot.process,
        node: None,
        f: Function::from_name(f),
        key: None,
        input,
        output: if slot.outcome == Outcome::Ok { output } else { Value::Nil },
        invoke: Time(slot.invoke),
        complete: slot.complete.map(Time),
        outcome: slot.outcome,
        intended: None,
        error: None,
    }
}

pub fn list(items: impl IntoIterator<Item = i64>) -> Value {
    Value::List(items.into_iter().map(Value::Int).collect())
}

pub fn history(operations: &[Operation]) -> History {
    let mut operations = operations.to_vec();
    operations.sort_by_key(|operation| operation.invoke);
    History { operations, nemesis: Vec::new(), end: Time(0) }
}

pub fn check(checker: &Checker, operations: &[Operation]) -> Validity {
    checker.run(&history(operations), &Options::default()).validity
}

/// An operation as the oracle sees it.
#[derive(Debug, Clone, Copy)]
pub struct Job {
    pub start: u64,
    pub finish: u64,
    /// It has to be in the order; else it may be left out.
    pub must: bool,
}

/// The jobs of operations: all of ok, any of info, none of fail.
pub fn job(operation: &Operation) -> Job {
    let must = operation.outcome == Outcome::Ok;
    let finish = operation.complete.filter(|_| must).map_or(u64::MAX, |time| time.0);
    Job { start: operation.invoke.0, finish, must }
}

/// An operation of which nothing is known but that it may have been done, at any time.
pub fn forgotten(operation: &Operation) -> Operation {
    Operation { invoke: Time(0), complete: None, outcome: Outcome::Info, ..operation.clone() }
}

/// Whether some order of all that must be in it and any of the others fits the intervals, with
/// `apply` giving the state after the job of that number, or `None` if it cannot be in that state.
pub fn has_order<S: Clone>(
    jobs: &[Job],
    state: &S,
    apply: &dyn Fn(usize, &S) -> Option<S>,
) -> bool {
    place(jobs, &mut vec![false; jobs.len()], 0, state, apply)
}

fn place<S: Clone>(
    jobs: &[Job],
    placed: &mut Vec<bool>,
    latest_start: u64,
    state: &S,
    apply: &dyn Fn(usize, &S) -> Option<S>,
) -> bool {
    let missing = |i: &usize| jobs[*i].must && !placed[*i];
    if (0..jobs.len()).find(missing).is_none() {
        return true;
    }
    if (0..jobs.len()).filter(missing).any(|i| jobs[i].finish < latest_start) {
        return false;
    }
    for i in 0..jobs.len() {
        if placed[i] || jobs[i].finish < latest_start {
            continue;
        }
        let Some(next) = apply(i, state) else { continue };
        placed[i] = true;
        let found = place(jobs, placed, latest_start.max(jobs[i].start), &next, apply);
        placed[i] = false;
        if found {
            return true;
        }
    }
    false
}

/// The arrows of a witness are true, and its operations in order.
pub fn assert_in_order(witness: &Witness) {
    let operations = &witness.operations;
    for arrow in &witness.arrows {
        let (from, to) = (&operations[arrow.from], &operations[arrow.to]);
        match arrow.relation {
            Relation::RealTime => assert!(from.complete.unwrap() < to.invoke, "{witness:#?}"),
            Relation::ProcessOrder => assert_eq!(from.process, to.process, "{witness:#?}"),
            other => panic!("{other:?} proves nothing here: {witness:#?}"),
        }
    }
    assert!(operations.is_sorted_by_key(|operation| operation.invoke), "{witness:#?}");
    assert!(!witness.sentence.is_empty());
}

/// With all of the witness, and with each of its operations left out: `refuted` says whether the
/// history is still refuted with only these indices kept.
pub fn assert_smallest(all: &[Operation], witness: &Witness, refuted: &dyn Fn(&[u64]) -> bool) {
    assert_in_order(witness);
    let kept: Vec<u64> = witness.operations.iter().map(|operation| operation.index).collect();
    let shown = || {
        format!(
            "{}\n{:?}{}\nof{}",
            witness.sentence,
            witness.arrows,
            show(&witness.operations),
            show(all)
        )
    };
    assert!(refuted(&kept), "{}", shown());
    for left_out in &kept {
        let rest: Vec<u64> = kept.iter().copied().filter(|index| index != left_out).collect();
        assert!(!refuted(&rest), "not needed: {left_out} in {}", shown());
    }
}

/// The operations of these indexes alone.
pub fn only(operations: &[Operation], kept: &[u64]) -> Vec<Operation> {
    operations.iter().filter(|operation| kept.contains(&operation.index)).cloned().collect()
}

/// Compares an answer with the truth; what was not exercised is not refuted.
pub fn assert_agrees(validity: &Validity, truth: bool, operations: &[Operation], case: usize) {
    match validity {
        Validity::Valid => assert!(truth, "case {case}: a false pass{}", show(operations)),
        Validity::Invalid { witness } => {
            assert!(!truth, "case {case}: a false alarm, {witness:#?}{}", show(operations));
        }
        Validity::Unknown { reason } => {
            assert!(
                truth && reason.starts_with("not exercised"),
                "case {case}: {reason}{}",
                show(operations)
            );
        }
    }
}

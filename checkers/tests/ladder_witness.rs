//! Every witness of the ladder is a smallest proof; what the ladder says as a whole never
//! contradicts itself or the oracle; violations planted in long valid histories are found.

mod ladder_support;

use std::collections::{BTreeMap, BTreeSet};

use ladder_support::brute_force::{satisfies, written_and_found};
use ladder_support::compare::{GUARANTEES, ORDERS, ask, truth};
use ladder_support::generate::{self, Shape};
use ladder_support::{history, show};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use splitbrain_checkers::finding::{Relation, Validity, Witness};
use splitbrain_checkers::history::{Function, Operation, Outcome, Value};
use splitbrain_checkers::ladder::{Ladder, Model, Standing, ladder};

const SEED: u64 = 0x1add_e403;

/// Each session gets a number of its own, so that leaving operations out changes no session.
fn with_session_numbers(operations: &[Operation]) -> Vec<Operation> {
    let mut sessions: BTreeMap<u64, u64> = BTreeMap::new();
    let mut next = 0;
    let number = |operation: &Operation| {
        let session = *sessions.entry(operation.process).or_insert_with(|| {
            next += 1;
            next
        });
        let writes = !written_and_found(operation).0.is_empty();
        if operation.outcome == Outcome::Info && writes {
            sessions.remove(&operation.process);
        }
        Operation { process: session, ..operation.clone() }
    };
    operations.iter().map(number).collect()
}

/// The operations of a witness with all others forgotten: nothing remains of those but that a
/// value that the witness found was written once, by a session that did nothing else.
fn alone(all: &[Operation], witness: &[Operation]) -> Vec<Operation> {
    let inside: BTreeSet<u64> = witness.iter().map(|operation| operation.index).collect();
    let mut result: Vec<Operation> = witness.iter().map(as_if_acknowledged).collect();
    let found: Vec<_> = witness.iter().flat_map(|o| written_and_found(o).1).collect();
    let others = all.iter().filter(|other| !inside.contains(&other.index));
    for other in others.filter(|other| other.outcome != Outcome::Fail) {
        for (key, value) in written_and_found(other).0 {
            if found.contains(&(key, value)) {
                result.push(Operation {
                    process: 1_000 + result.len() as u64,
                    f: Function::Write,
                    key: Some(format!("k{key}").into()),
                    input: Value::Int(value),
                    output: Value::Int(value),
                    outcome: Outcome::Ok,
                    ..other.clone()
                });
            }
        }
    }
    result
}

/// What is in a witness surely took effect; of an unanswered transaction the writes are known.
fn as_if_acknowledged(operation: &Operation) -> Operation {
    let mut result = operation.clone();
    if operation.outcome == Outcome::Info {
        result.outcome = Outcome::Ok;
        result.output = match &operation.input {
            Value::List(steps) if operation.f.as_str() == "txn" => {
                let is_write = |step: &&Value| step.to_string().starts_with("[w");
                Value::List(steps.iter().filter(is_write).cloned().collect())
            }
            input => input.clone(),
        };
    }
    result
}

fn assert_smallest(model: Model, all: &[Operation], witness: &Witness) {
    let context = || format!("{}\n{witness:#?}\nof{}", model.name(), show(all));
    let operations = &witness.operations;
    assert!(!satisfies(model, &alone(all, operations)), "no proof: {}", context());
    for left_out in 0..operations.len() {
        let mut rest = operations.clone();
        rest.remove(left_out);
        assert!(satisfies(model, &alone(all, &rest)), "without {left_out}: {}", context());
    }
    for arrow in &witness.arrows {
        let (from, to) = (&operations[arrow.from], &operations[arrow.to]);
        match arrow.relation {
            Relation::ProcessOrder => assert_eq!(from.process, to.process, "{}", context()),
            Relation::ReadsFrom => {
                let (written, _) = written_and_found(from);
                let (_, found) = written_and_found(to);
                assert!(written.iter().any(|cell| found.contains(cell)), "{}", context());
            }
            other => panic!("{other:?} is no arrow of the ladder: {}", context()),
        }
    }
    assert!(operations.is_sorted_by_key(|operation| operation.invoke), "{}", context());
    let processes = operations.iter().map(|operation| format!("process {}", operation.process));
    for process in processes {
        assert!(witness.sentence.contains(&process), "{}", context());
    }
}

#[test]
fn every_witness_is_a_smallest_proof() {
    let mut random = ChaCha8Rng::seed_from_u64(SEED);
    let mut sizes: BTreeMap<Model, [usize; 9]> = BTreeMap::new();
    for case in 0..12_000 {
        let shape = Shape::small(&mut random, 8, case % 4 == 0);
        let shape = Shape { roles: case % 2 == 0, keys: 1 + case / 2 % 2, ..shape };
        let operations = with_session_numbers(&generate::history(&mut random, shape));
        for model in ORDERS.into_iter().chain(GUARANTEES) {
            let finding = ask(model, &operations);
            let Validity::Invalid { witness } = &finding.validity else { continue };
            sizes.entry(model).or_default()[witness.operations.len()] += 1;
            match model {
                // Two reads are all that there is to say.
                Model::Eventual => assert_eq!(witness.operations.len(), 2),
                _ => assert_smallest(model, &operations, witness),
            }
        }
    }
    println!("witnesses by size: {sizes:#?}");
    assert!(sizes[&Model::Sequential][2..=4].iter().all(|count| *count > 20));
}

/// What the ladder says of a model, and of those that are weaker.
fn assert_coherent(ladder: &Ladder, operations: &[Operation]) {
    for step in ladder.steps.iter().chain(&ladder.beside) {
        for other in ladder.steps.iter().chain(&ladder.beside) {
            let contradiction = step.model.is_stronger_than(other.model)
                && step.standing == Standing::NotRefuted
                && other.standing == Standing::Refuted;
            assert!(!contradiction, "{step:?} but {other:?}{}", show(operations));
        }
        if let Some(source) = step.follows_from {
            assert_eq!(ladder.step(source).standing, step.standing, "{}", show(operations));
            assert!(ladder.step(source).finding.is_some(), "{}", show(operations));
        }
    }
}

#[test]
fn the_ladder_agrees_with_the_oracle_and_with_itself() {
    let mut random = ChaCha8Rng::seed_from_u64(SEED + 1);
    let mut standings: BTreeMap<Model, [usize; 4]> = BTreeMap::new();
    for case in 0..15_000 {
        let shape = Shape::small(&mut random, 8, false);
        let shape = Shape { roles: case % 2 == 0, ..shape };
        let operations = generate::history(&mut random, shape);
        let ladder = ladder(&history(&operations), &Default::default());
        assert_eq!(ladder.steps.iter().map(|step| step.model).collect::<Vec<_>>(), Model::STEPS);
        assert_coherent(&ladder, &operations);
        for step in ladder.steps.iter().chain(&ladder.beside) {
            standings.entry(step.model).or_default()[step.standing as usize] += 1;
            if step.model == Model::Linearizable {
                continue;
            }
            let truth = truth(step.model, &operations);
            let expected = match truth {
                true => [Standing::NotRefuted, Standing::NotExercised],
                false => [Standing::Refuted; 2],
            };
            assert!(expected.contains(&step.standing), "{step:?}{}", show(&operations));
        }
    }
    println!("refuted, not refuted, unknown, not exercised: {standings:#?}");
    assert!(standings.values().all(|counts| counts[0] > 4 && counts[1] > 100));
}

#[test]
fn repeated_values_never_give_a_wrong_answer() {
    let mut random = ChaCha8Rng::seed_from_u64(SEED + 2);
    let mut ranks = [0; 3];
    for _ in 0..20_000 {
        let shape = Shape::small(&mut random, 7, false);
        let mut operations = generate::history(&mut random, shape);
        for operation in &mut operations {
            operation.input = repeated(&operation.input);
            operation.output = repeated(&operation.output);
        }
        // A cas from a value to itself is a read here and both to the oracle.
        operations.retain(|o| o.input.as_pair().is_none_or(|(expected, new)| expected != new));
        for model in [Model::Sequential, Model::Pram] {
            let validity = ask(model, &operations).validity;
            ranks[validity.rank() as usize] += 1;
            let truth = satisfies(model, &operations);
            match validity {
                Validity::Valid => assert!(truth, "{model:?}: a false pass{}", show(&operations)),
                Validity::Invalid { witness } => {
                    assert!(!truth, "{model:?}: a false alarm {witness:?}{}", show(&operations));
                }
                Validity::Unknown { .. } => {}
            }
        }
    }
    println!("valid, unknown, invalid: {ranks:?}");
    assert!(ranks.iter().all(|count| *count > 500), "{ranks:?}");
}

fn repeated(value: &Value) -> Value {
    match value {
        Value::Int(integer) => Value::Int(integer % 4 + 1),
        Value::List(items) => Value::List(items.iter().map(repeated).collect()),
        other => other.clone(),
    }
}

/// A long history of a store whose nodes get every write at once.
fn long_and_valid(seed: u64, transactions: bool) -> Vec<Operation> {
    let shape = Shape {
        operations: 3_000,
        sessions: 12,
        keys: 20,
        transactions,
        hop: 20,
        overtake: 0,
        noise: 0,
        unanswered: 3,
        deliver: 100,
        roles: false,
        script: false,
        newest_wins: true,
    };
    let operations = generate::history(&mut ChaCha8Rng::seed_from_u64(seed), shape);
    // In this store a write that failed is sometimes there after all.
    operations
        .into_iter()
        .map(|o| match o.outcome {
            Outcome::Fail => {
                Operation { outcome: Outcome::Info, complete: None, process: 5_000 + o.index, ..o }
            }
            _ => o,
        })
        .collect()
}

#[test]
fn long_histories_of_one_copy_satisfy_every_model() {
    for transactions in [false, true] {
        let operations = long_and_valid(SEED, transactions);
        for model in ORDERS.into_iter().chain(GUARANTEES).filter(|model| *model != Model::Eventual)
        {
            let finding = ask(model, &operations);
            assert!(finding.validity.is_valid(), "{}: {}", model.name(), finding.summary);
        }
    }
}

#[test]
fn a_stale_read_in_a_long_history_is_found_and_told_in_a_few_words() {
    let mut random = ChaCha8Rng::seed_from_u64(SEED + 3);
    let valid = long_and_valid(SEED, false);
    for _ in 0..30 {
        let mut operations = valid.clone();
        let read = stale_read(&mut random, &mut operations);
        for model in [
            Model::Sequential,
            Model::CausalMemory,
            Model::CausalConvergence,
            Model::Causal,
            Model::Pram,
            Model::ReadYourWrites,
        ] {
            let finding = ask(model, &operations);
            let witness = finding.validity.witness().unwrap_or_else(|| {
                panic!("{} misses a read of its own past at {read}", model.name())
            });
            assert!(witness.operations.len() <= 4, "{}", witness.sentence);
        }
    }
}

/// Makes a read find nothing though its own process had written that key before.
fn stale_read(random: &mut ChaCha8Rng, operations: &mut [Operation]) -> usize {
    loop {
        let read = random.random_range(0..operations.len());
        let chosen = operations[read].clone();
        let had_written = operations[..read].iter().any(|o| {
            o.process == chosen.process
                && o.key == chosen.key
                && o.f == Function::Write
                && o.outcome == Outcome::Ok
        });
        if chosen.f == Function::Read && chosen.outcome == Outcome::Ok && had_written {
            operations[read].output = Value::Nil;
            return read;
        }
    }
}

//! Where an object has both a polynomial check and a search, the two agree: on random histories too
//! long for an oracle that tries every order. They share no code but the reading of values.

mod search_support;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use search_support::generate::{self, Shape};
use search_support::objects::Object;
use search_support::show;
use splitbrain_checkers::checker::Options;
use splitbrain_checkers::finding::Validity;
use splitbrain_checkers::history::{History, Operation};
use splitbrain_checkers::registry;

const SEED: u64 = 0x5eed_2001;
const CASES: usize = 1_500;

fn history(random: &mut ChaCha8Rng, object: Object) -> Vec<Operation> {
    let shape = Shape {
        operations: random.random_range(8..=24),
        unanswered: random.random_range(0..15),
        failed: 5,
        concurrency: random.random_range(0..=4),
        unique: true,
    };
    let mut operations = generate::valid(random, object, shape);
    if random.random_bool(0.6) {
        generate::spoil(random, object, &mut operations);
    }
    operations
}

/// How often both said valid, both said invalid, and the polynomial check said unknown.
#[derive(Debug, Default)]
struct Answers {
    valid: usize,
    invalid: usize,
    unknown: usize,
}

fn compare(name: &str, object: Object, seed: u64, cases: usize) -> Answers {
    let checker = registry::find(name).expect(name);
    let options = Options { initial: generate::initial(object), ..Options::default() };
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut answers = Answers::default();
    for case in 0..cases {
        let operations = history(&mut random, object);
        if object == Object::Mutex && !is_in_turn(&operations) {
            continue;
        }
        let searched = object.explore(&operations, &options).validity;
        let recorded = History { operations: operations.clone(), ..History::default() };
        let answer = checker.run(&recorded, &options).validity;
        let count = match (&answer, &searched) {
            (Validity::Unknown { .. }, _) => &mut answers.unknown,
            (Validity::Valid, Validity::Valid) => &mut answers.valid,
            (Validity::Invalid { .. }, Validity::Invalid { .. }) => &mut answers.invalid,
            _ => panic!("{name}, case {case}: {answer:#?}\n{searched:#?}{}", show(&operations)),
        };
        *count += 1;
    }
    println!("{name}: {answers:?}");
    answers
}

#[track_caller]
fn assert_decided(answers: &Answers) {
    assert!(answers.valid.min(answers.invalid) * 10 >= CASES, "{answers:?}");
    assert!(answers.unknown * 10 <= CASES, "{answers:?}");
}

#[test]
fn queues() {
    assert_decided(&compare("fifo-queue", Object::FifoQueue, SEED, CASES));
}

#[test]
fn stacks() {
    assert_decided(&compare("stack", Object::Stack, SEED + 1, CASES));
}

#[test]
fn priority_queues() {
    assert_decided(&compare("priority-queue", Object::PriorityQueue, SEED + 2, CASES));
}

#[test]
fn sets() {
    assert_decided(&compare("linearizable-set", Object::Set, SEED + 3, CASES));
}

/// Whether each process begins an operation strictly after the one before. The check of a lock
/// knows the order in which a process did things; to the search, operations that touch are
/// concurrent.
fn is_in_turn(operations: &[Operation]) -> bool {
    let mut sorted: Vec<&Operation> = operations.iter().collect();
    sorted.sort_by_key(|operation| (operation.process, operation.invoke));
    sorted.windows(2).all(|pair| {
        pair[0].process != pair[1].process
            || pair[0].complete.is_some_and(|end| end < pair[1].invoke)
    })
}

/// Many histories are not [in turn](is_in_turn) and left out.
#[test]
fn locks() {
    let answers = compare("lock", Object::Mutex, SEED + 4, 20 * CASES);
    assert!(answers.valid.min(answers.invalid) >= 300, "{answers:?}");
}

#[test]
fn registers() {
    assert_decided(&compare("cas-register", Object::Register, SEED + 5, CASES));
}

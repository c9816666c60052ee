//! The register check event by event, against the check of the whole: after every event of small
//! random histories, and around the decisive event of long ones.

mod support;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use splitbrain_checkers::finding::Validity;
use splitbrain_checkers::history::{
    Event, Function, Kind, Operation, Outcome, Process, Time, Value,
};
use splitbrain_checkers::register;
use splitbrain_checkers::register::incremental::{Incremental, Progress};
use support::events::{self, Stream};
use support::generate::{self, Shape};

/// How often each answer came after an event.
#[derive(Debug, Default)]
struct Answers {
    possible: usize,
    broken: usize,
    undecided: usize,
}

fn agree_after_every_event(operations: &[Operation], case: usize, answers: &mut Answers) {
    let events = events::of(operations);
    let mut check = Incremental::new(Value::Nil);
    for (index, event) in events.iter().enumerate() {
        let progress = check.push(event).clone();
        let prefix = events::prefix(operations, &events, index + 1);
        let whole = register::check(&prefix);
        let context =
            || format!("case {case}, event {index}: {progress:?}, {whole:#?}\n{prefix:#?}");
        assert!(whole.rank() != 1, "{}", context());
        match progress {
            Progress::Possible => {
                answers.possible += 1;
                assert!(whole.is_valid(), "{}", context());
            }
            Progress::Broken { .. } => {
                answers.broken += 1;
                assert!(whole.is_invalid(), "{}", context());
            }
            Progress::Undecided { .. } => answers.undecided += 1,
        }
    }
}

#[test]
fn it_agrees_with_the_whole_check_after_every_event() {
    let mut random = ChaCha8Rng::seed_from_u64(31);
    let mut answers = Answers::default();
    for case in 0..100_000 {
        let operations = generate::chaos(&mut random, 8, true);
        agree_after_every_event(&operations, case, &mut answers);
    }
    println!("unique values: {answers:?}");
    let all = answers.possible + answers.broken + answers.undecided;
    assert!(answers.possible.min(answers.broken) * 10 > all, "{answers:?}");
    assert!(answers.undecided * 20 < all, "{answers:?}");
}

#[test]
fn where_it_decides_repeated_values_it_agrees_too() {
    let mut random = ChaCha8Rng::seed_from_u64(32);
    let mut answers = Answers::default();
    for case in 0..40_000 {
        let operations = generate::chaos(&mut random, 8, false);
        agree_after_every_event(&operations, case, &mut answers);
    }
    println!("repeated values: {answers:?}");
    let all = answers.possible + answers.broken + answers.undecided;
    assert!(answers.possible.min(answers.broken) * 10 > all, "{answers:?}");
}

/// Makes a read return an older value, or an operation end earlier.
fn spoil(random: &mut ChaCha8Rng, operations: &mut [Operation]) {
    let victim = random.random_range(0..operations.len());
    let other = victim.saturating_sub(random.random_range(0..40));
    let older = (operations[other].f == Function::Read).then(|| operations[other].output.clone());
    let operation = &mut operations[victim];
    match operation.f {
        Function::Read if older.is_some() => operation.output = older.unwrap_or_default(),
        _ if operation.outcome == Outcome::Ok => {
            let (start, end) = (operation.invoke.0, operation.complete.unwrap_or_default().0);
            operation.complete = Some(Time(random.random_range(start..=end.max(start))));
        }
        _ => {}
    }
}

#[test]
fn long_histories_break_at_the_first_event_that_breaks_them() {
    let mut random = ChaCha8Rng::seed_from_u64(33);
    let (mut valid, mut broken) = (0, 0);
    for case in 0..400 {
        let clients = random.random_range(2..30);
        let shape =
            Shape { operations: 600, clients, writes: 30, cas: 20, unanswered: 300, values: 0 };
        let mut operations = generate::valid(&mut random, shape);
        for (index, operation) in operations.iter_mut().enumerate() {
            (operation.index, operation.process) = (index as u64, index as u64);
        }
        (0..random.random_range(0..8)).for_each(|_| spoil(&mut random, &mut operations));
        let events = events::of(&operations);
        let mut check = Incremental::new(Value::Nil);
        for event in &events {
            check.push(event);
        }
        match check.progress() {
            Progress::Possible => {
                valid += 1;
                assert_eq!(register::check(&operations), Validity::Valid, "case {case}");
            }
            Progress::Broken { index, sentence } => {
                broken += 1;
                let until =
                    |count: usize| register::check(&events::prefix(&operations, &events, count));
                let index = *index as usize;
                assert_eq!(until(index), Validity::Valid, "case {case}: {sentence}");
                assert!(until(index + 1).is_invalid(), "case {case}: {sentence}");
            }
            Progress::Undecided { reason, .. } => panic!("case {case}: {reason}"),
        }
    }
    println!("{valid} valid, {broken} broken");
    assert!(valid.min(broken) * 5 > valid + broken, "{valid} valid, {broken} broken");
}

#[test]
fn it_remembers_what_is_in_flight_and_not_the_past() {
    let stream = Stream::new(ChaCha8Rng::seed_from_u64(34), 20, 0);
    let mut check = Incremental::new(Value::Nil);
    let mut most = 0;
    for event in stream.take(400_000) {
        assert_eq!(*check.push(&event), Progress::Possible);
        most = most.max(check.remembered());
    }
    assert!(most < 200, "{most} operations remembered");
}

#[test]
fn unanswered_writes_are_remembered_and_may_take_effect_late() {
    let stream = Stream::new(ChaCha8Rng::seed_from_u64(35), 20, 100);
    let mut check = Incremental::new(Value::Nil);
    let mut unanswered = 0;
    for event in stream.take(200_000) {
        unanswered += usize::from(event.kind == Kind::Info);
        assert_eq!(*check.push(&event), Progress::Possible);
        assert!(check.remembered() < 200 + unanswered);
    }
    assert!(unanswered > 500);
}

#[test]
fn what_cannot_be_followed_is_undecided() {
    let event = |time: u64, kind, f, value| Event {
        index: time,
        time: Time(time),
        process: Process::Client(0),
        node: None,
        kind,
        f,
        key: None,
        value,
        intended: None,
        error: None,
    };
    let reason = |events: &[Event]| {
        let mut check = Incremental::new(Value::Nil);
        events.iter().for_each(|event| _ = check.push(event));
        match check.progress() {
            Progress::Undecided { reason, .. } => reason.clone(),
            other => panic!("{other:?}"),
        }
    };
    let write = |time, kind| event(time, kind, Function::Write, Value::Int(1));
    assert!(reason(&[write(5, Kind::Invoke), write(4, Kind::Ok)]).contains("out of order"));
    assert!(reason(&[write(5, Kind::Invoke), write(6, Kind::Invoke)]).contains("second in flight"));
    assert!(reason(&[write(5, Kind::Ok)]).contains("never invoked"));
    let other = event(1, Kind::Invoke, Function::Other("append".into()), Value::Nil);
    assert!(reason(&[other]).contains("append"));
    let odd = event(1, Kind::Invoke, Function::Cas, Value::Int(1));
    assert!(reason(&[odd]).contains("[expected new]"));
}

#[test]
fn a_write_that_was_found_cannot_have_failed() {
    let event = |time: u64, process, kind, f, value| Event {
        index: time,
        time: Time(time),
        process: Process::Client(process),
        node: Some("n1".into()),
        kind,
        f,
        key: None,
        value,
        intended: None,
        error: None,
    };
    let mut check = Incremental::new(Value::Nil);
    for event in [
        event(1, 0, Kind::Invoke, Function::Write, Value::Int(7)),
        event(2, 1, Kind::Invoke, Function::Read, Value::Nil),
        event(3, 1, Kind::Ok, Function::Read, Value::Int(7)),
    ] {
        assert_eq!(*check.push(&event), Progress::Possible);
    }
    let failed = event(4, 0, Kind::Fail, Function::Write, Value::Int(7));
    let Progress::Broken { index: 4, sentence } = check.push(&failed) else {
        panic!("{:?}", check.progress());
    };
    assert_eq!(
        sentence,
        "the write at n1 (0.000 s) was answered as failed, but its value had been found"
    );
    // A broken history stays broken.
    let next = event(5, 0, Kind::Invoke, Function::Read, Value::Nil);
    assert!(matches!(check.push(&next), Progress::Broken { index: 4, .. }));
}

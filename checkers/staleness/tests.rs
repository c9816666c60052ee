//! The two ways to decide 2-atomicity against each other on long pieces, and the small print of
//! measures and findings.

use std::time::Duration;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::chunk::Chunk;
use super::reigns::{Effect, NONE};
use super::*;
use crate::finding::{Finding, Validity};
use crate::limits::Spent;
use crate::notation;

/// Writes of a few clients, and reads of about the last two values.
fn piece(random: &mut ChaCha8Rng, writes: usize) -> Chunk {
    let mut chunk = Chunk::default();
    let mut effects: Vec<u64> = Vec::new();
    for _ in 0..writes {
        effects.push(effects.last().copied().unwrap_or(10) + random.random_range(1..12));
    }
    let around = |random: &mut ChaCha8Rng, instant: u64| {
        let start = instant - random.random_range(0..9);
        (start, instant + random.random_range(0..9))
    };
    for &instant in &effects {
        let began = chunk.reign(false);
        let (start, finish) = around(random, instant);
        chunk.operations.push(Effect { start, finish, found: NONE, began });
    }
    let slips = random.random_bool(0.5);
    for _ in 0..2 * writes {
        let instant = random.random_range(effects[0]..=effects[writes - 1] + 6);
        let newest = effects.partition_point(|&effect| effect <= instant) - 1;
        let back = if slips && random.random_range(0..12) == 0 { 5 } else { 2 };
        let found = newest.saturating_sub(random.random_range(0..back)) as u32;
        let (start, finish) = around(random, instant);
        // A read that ends before its writer starts was sorted out before.
        let finish = finish.max(chunk.operations[found as usize].start);
        chunk.operations.push(Effect { start, finish, found, began: NONE });
    }
    chunk
}

#[test]
fn limited_backtracking_agrees_with_the_search_on_long_pieces() {
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let mut counts = [0; 2];
    for case in 0..4_000 {
        let writes = random.random_range(2..60);
        let chunk = piece(&mut random, writes);
        let mut budget = search::Budget::new(Limits::default());
        let by_two = two::is_two_atomic(&chunk, &mut budget).expect("no limit");
        let by_search = search::is_k_atomic(&chunk, 2, &mut budget).expect("no limit");
        assert_eq!(by_two, by_search, "case {case}: {chunk:?}");
        counts[usize::from(by_two)] += 1;
    }
    assert!(counts[0] > 400 && counts[1] > 400, "{counts:?}");
}

#[test]
fn the_search_seldom_turns_back_and_obeys_its_limits() {
    let mut random = ChaCha8Rng::seed_from_u64(2);
    let chunk = loop {
        let chunk = piece(&mut random, 2_000);
        let mut budget = search::Budget::new(Limits::default());
        if two::is_two_atomic(&chunk, &mut budget).expect("no limit") {
            break chunk;
        }
    };
    let search =
        |limits: Limits<'_>| search::is_k_atomic(&chunk, 2, &mut search::Budget::new(limits));
    assert_eq!(search(Limits { steps: 20_000, ..Limits::default() }), Ok(true));
    assert_eq!(search(Limits { steps: 1_000, ..Limits::default() }), Err(Spent::Steps));
    assert_eq!(search(Limits { memory_bytes: 10_000, ..Limits::default() }), Err(Spent::Memory));
    let over = || true;
    let limits = Limits { is_over: Some(&over), ..Limits::default() };
    let mut budget = search::Budget::new(limits);
    assert_eq!(budget.spend(Limits::STEPS_BETWEEN_LOOKS), Err(Spent::Time));
}

fn run(lines: &str, settings: &Settings<'_>) -> (Staleness, Finding) {
    check(&notation::history(lines), settings)
}

fn gap(nanoseconds: u64) -> Duration {
    Duration::from_nanos(nanoseconds)
}

const TWO_KEYS: &str = "
    0 write@x 1            0..10
    0 write@x 2           20..30
    1 read@x -> 1         75..80
    2 write@y 1            0..10
    2 cas@y [1 2]         20..30
    2 write@y 3           40..50
    3 read@y -> 1         55..60
    3 read@y -> 3         65..70
";

#[test]
fn keys_are_measured_alone_and_joined() {
    let (staleness, finding) = run(TWO_KEYS, &Settings::default());
    assert_eq!((staleness.reads, staleness.stale, staleness.impossible), (4, 2, 0));
    let oldest = staleness.oldest.expect("a stale read");
    assert_eq!((oldest.key.as_deref(), oldest.age, oldest.behind), (Some("x"), gap(45), 1));
    let behind = staleness.most_behind.expect("a stale read");
    assert_eq!((behind.key.as_deref(), behind.age, behind.behind), (Some("y"), gap(25), 2));
    assert_eq!(
        (staleness.least_delta, staleness.least_k),
        (Some(gap(45)), LeastK::Exactly { k: 3 })
    );
    assert_eq!(finding.keys, ["y", "x"]);
    assert!(
        finding.summary.ends_with(
            "2 of 4 reads stale, by 45 ns and 2 versions at most; least delta 45 ns; least k 3"
        ),
        "{}",
        finding.summary
    );
}

#[test]
fn a_bound_is_kept_or_broken_to_the_nanosecond() {
    let with = |bound| run(TWO_KEYS, &Settings { bound: gap(bound), ..Settings::default() }).1;
    assert_eq!(with(45).validity, Validity::Valid);
    let finding = with(44);
    let witness = finding.validity.witness().expect("a witness");
    assert_eq!(witness.operations.len(), 3);
    let start = "even if every read is taken to have begun 44 ns earlier than it did: ";
    assert!(witness.sentence.starts_with(start), "{}", witness.sentence);
    assert_eq!(witness.operations[2].invoke, Time(75), "as recorded");
}

#[test]
fn what_no_delta_and_no_k_helps() {
    let least = |lines: &str| {
        let staleness = run(lines, &Settings::default()).0;
        (staleness.least_delta, staleness.least_k, staleness.impossible)
    };
    assert_eq!(least("0 read -> 7 0..1"), (None, LeastK::Never, 1));
    assert_eq!(least("0 read -> 7 0..1 \n 0 write 7 2..3"), (None, LeastK::Never, 1));
    let circle = "0 cas [1 2] 0..9 \n 1 cas [2 1] 0..9";
    assert_eq!(least(circle), (None, LeastK::Never, 0));
    // Two cas replaced one value: one of them found the last but one.
    let twice = "0 write 1 0..1 \n 0 cas [1 2] 2..3 \n 1 cas [1 3] 2..3";
    assert_eq!(least(twice), (None, LeastK::Exactly { k: 2 }, 0));
}

#[test]
fn what_is_seen_dates_what_was_not_acknowledged() {
    let (staleness, _) = run(
        "0 write 1         0..5
         1 write 2        10..
         2 read -> 2      20..25
         3 read -> 1      40..45",
        &Settings::default(),
    );
    let stale = staleness.oldest.expect("a stale read");
    assert_eq!((stale.age, stale.overwritten, stale.overwritten_by), (gap(15), Time(25), 1));
}

#[test]
fn repeated_values_and_foreign_functions_are_unknown() {
    let reason = |lines: &str| match run(lines, &Settings::default()).1.validity {
        Validity::Unknown { reason } => reason,
        other => panic!("{other:?}"),
    };
    let repeated = reason("0 write@x 1 0..1 \n 0 write@x 1 2..3 \n 0 read@x -> 1 4..5");
    assert!(repeated.contains("key x: the value 1 was written more than once"), "{repeated}");
    let initial = reason("0 write@x nil 0..1 \n 0 read@x -> nil 4..5");
    assert!(initial.contains("the value nil was written more than once, counting the initial one"));
    assert!(reason("0 push@x 1 0..1").contains("`push`"));
    assert!(reason("0 write@x 1 0..1").contains("not exercised"));
    // Nobody found it, so it does not matter that it came twice.
    let (_, finding) = run(
        "0 write 1 0..1 \n 0 write 1 2..3 \n 0 read 4..5 fail
                            0 write 2 6..7 \n 0 read -> 2 8..9",
        &Settings::default(),
    );
    assert!(finding.validity.is_valid(), "{finding:?}");
}

#[test]
fn freshness_counts_reads_that_could_have_been_stale() {
    let millisecond = 1_000_000;
    let lines = format!(
        "0 read -> nil     0..1
         0 write 1         2..3
         1 read -> nil     {}..{}
         2 read -> 1       {}..{}",
        3 + millisecond,
        4 + millisecond,
        3 + 20 * millisecond,
        4 + 20 * millisecond
    );
    let (staleness, _) = run(&lines, &Settings::default());
    let rows: Vec<(usize, usize)> =
        staleness.fresh.iter().map(|row| (row.fresh.answered, row.fresh.attempted)).collect();
    // A millisecond after the acknowledgement is not more than a millisecond after it.
    assert_eq!(rows[..4], [(1, 2), (1, 1), (1, 1), (0, 0)]);
}

#[test]
fn the_result_survives_serialisation() {
    let (staleness, _) = run(TWO_KEYS, &Settings::default());
    let text = serde_json::to_string(&staleness).expect("serialises");
    assert_eq!(serde_json::from_str::<Staleness>(&text).expect("reads back"), staleness);
}

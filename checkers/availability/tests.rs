//! Windows, bounds, levels, recovery, strips, and every answer of the finding.

use super::*;
use crate::finding::Validity;
use crate::history::Value;
use crate::partition::Proof;
use crate::synthetic::{Ends, Synthetic, ms, names, partition};

const READ: Function = Function::Read;
const WRITE: Function = Function::Write;

fn millis(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

fn settings() -> Settings {
    Settings { latency_bound: None, failover_allowance: millis(1000) }
}

/// Two nodes, cut from 4 s to 12 s, load until 16 s: n1 answers throughout, n2 as told while it
/// is cut off.
fn cut_run(ends: Ends) -> (Availability, Finding) {
    let mut history = Synthetic::new();
    for f in [READ, WRITE] {
        history.load("n1", f.clone(), (0, 16000), [10, 2], Ends::Ok);
        history.load("n2", f.clone(), (0, 4000), [10, 2], Ends::Ok);
        history.load("n2", f.clone(), (4000, 12000), [10, 9], ends);
        history.load("n2", f, (12300, 16000), [10, 2], Ends::Ok);
    }
    history.nemesis("settle", 16000);
    let cut = partition(&[&["n1"], &["n2"]], 4000, 12000);
    check(&history.finish(), &[cut], &names(&["n1", "n2"]), &settings())
}

const CUT: Period = Period::Cut { partition: 0 };

#[test]
fn the_judged_window_leaves_out_failover_and_rescue() {
    let (availability, _) = cut_run(Ends::Info);
    let window = availability.windows.iter().find(|window| window.period == CUT).expect("a cut");
    assert_eq!((window.judged_from, window.judged_to), (ms(5000), ms(11000)));
    assert_eq!(availability.latency_bound, millis(1000));
    assert_eq!(availability.healthy_p999, Some(millis(2)));
    let row = availability.row(CUT, "n2", Class::Write).expect("a row");
    assert_eq!(row.answered, Answered { answered: 0, attempted: 600 });
    assert_eq!((row.level, row.p50, row.p99), (Level::Unavailable, None, None));
    assert_eq!((row.downtime, row.outages), (millis(8000), 1));
    let row = availability.row(CUT, "n1", Class::Read).expect("a row");
    assert_eq!((row.level, row.p50, row.outages), (Level::Available, Some(millis(2)), 0));
    let healthy = availability.row(Period::Healthy, "n2", Class::Read).expect("a row");
    // The cut was commanded at 3998 ms; the last second before it is not judged.
    assert_eq!(healthy.answered, Answered { answered: 300, attempted: 300 });
    let after = availability.row(Period::After { partition: 0 }, "n2", Class::Read);
    assert_eq!(after.expect("a row").answered.attempted, 270);
}

#[test]
fn an_unavailable_node_makes_the_finding_invalid() {
    let (_, finding) = cut_run(Ends::Info);
    let witness = finding.validity.witness().expect("a witness");
    assert_eq!(
        witness.sentence,
        "n2 answered 0 of 600 reads within 1.000 s while it was cut off from n1"
    );
    assert_eq!(witness.operations.len(), 1);
    assert!(!witness.operations[0].answered());
    assert_eq!((finding.violations, finding.operations), (2, 2400));
}

#[test]
fn total_availability_is_valid_and_refusals_by_meaning_are_answers() {
    assert!(cut_run(Ends::Ok).1.validity.is_valid());
    assert!(cut_run(Ends::Mismatch).1.validity.is_valid());
    assert!(cut_run(Ends::Fail).1.validity.is_invalid());
}

#[test]
fn what_was_not_exercised_or_not_proven_is_unknown() {
    let unknown = |history: Synthetic, cuts: &[Partition]| {
        let nodes = names(&["n1", "n2"]);
        match check(&history.finish(), cuts, &nodes, &settings()).1.validity {
            Validity::Unknown { reason } => reason,
            other => panic!("expected unknown, got {other:?}"),
        }
    };
    let load = |every: u64, ends: Ends| {
        let mut history = Synthetic::new();
        for node in ["n1", "n2"] {
            history.load(node, READ, (0, 12000), [every, 2], ends);
        }
        history
    };
    let cut = partition(&[&["n1"], &["n2"]], 4000, 12000);
    assert!(unknown(load(10, Ends::Ok), &[]).contains("no partition"));
    assert!(unknown(Synthetic::new(), std::slice::from_ref(&cut)).contains("no client"));
    let few = unknown(load(100, Ends::Ok), std::slice::from_ref(&cut));
    assert!(few.contains("n1 answered 60 of 60 reads: too few to tell"), "{few}");
    assert!(few.contains("takes 381, all answered"), "{few}");
    let reason = "n1 to n2 went on".to_owned();
    let unproven = Partition { proof: Proof::Missing { reason }, ..cut };
    let text = unknown(load(10, Ends::Fail), &[unproven]);
    assert!(text.contains("not proven: n1 to n2 went on"), "{text}");
}

#[test]
fn an_answer_that_comes_too_late_is_none() {
    let rows = |latency: u64| {
        let mut history = Synthetic::new();
        history.load("n1", READ, (0, 3000), [10, 2], Ends::Ok);
        history.load("n1", READ, (4000, 12000), [10, latency], Ends::Ok);
        let cut = partition(&[&["n1"], &["n2"]], 4000, 30000);
        let (availability, _) = check(&history.finish(), &[cut], &names(&["n1"]), &settings());
        availability.row(CUT, "n1", Class::Read).expect("a row").level
    };
    assert_eq!((rows(1000), rows(1001)), (Level::Available, Level::Unavailable));
}

#[test]
fn the_bound_follows_the_healthy_latency_unless_it_is_set() {
    let mut history = Synthetic::new();
    history.load("n1", READ, (0, 10000), [10, 300], Ends::Ok);
    history.load("n1", READ, (11000, 19000), [10, 5000], Ends::Ok);
    let history = history.finish();
    let cut = partition(&[&["n1"], &["n2"]], 11000, 30000);
    let bound = |latency_bound| {
        let settings = Settings { latency_bound, failover_allowance: Duration::ZERO };
        check(&history, std::slice::from_ref(&cut), &names(&["n1"]), &settings).0.latency_bound
    };
    assert_eq!(bound(None), millis(1500));
    assert_eq!(bound(Some(millis(200))), millis(200));
}

#[test]
fn recovery_is_the_first_success_after_the_cut_and_after_the_heal() {
    let (availability, _) = cut_run(Ends::Info);
    let of = |node: &str| {
        let found = availability.recoveries.iter().find(|r| &*r.node == node);
        let recovery = found.expect("a recovery");
        (recovery.after_cut, recovery.after_heal)
    };
    let after = |time| FirstSuccess::After { time: millis(time) };
    assert_eq!(of("n1"), (after(2), after(2)));
    assert_eq!(of("n2"), (FirstSuccess::Never { attempted: 800 }, after(302)));
    assert_eq!(availability.recovery_time(), after(302));
}

#[test]
fn an_answer_that_the_heal_brought_is_no_success_of_the_cut() {
    let mut history = Synthetic::new();
    history.read("n1", "k", Value::Nil, (5000, 9001), Ends::Ok);
    history.read("n1", "k", Value::Nil, (9500, 9600), Ends::Fail);
    let cut = partition(&[&["n1"], &["n2"]], 4000, 9000);
    let (availability, _) = check(&history.finish(), &[cut], &names(&["n1"]), &settings());
    let recovery = &availability.recoveries[0];
    assert_eq!(recovery.after_cut, FirstSuccess::Never { attempted: 1 });
    assert_eq!(recovery.after_heal, FirstSuccess::Never { attempted: 1 });
    assert_eq!(availability.recovery_time(), FirstSuccess::Never { attempted: 1 });
}

#[test]
fn recovery_that_never_comes_outranks_one_that_was_not_tried() {
    let never = FirstSuccess::Never { attempted: 3 };
    let after = FirstSuccess::After { time: millis(5) };
    assert_eq!(after.worst(FirstSuccess::NotExercised), FirstSuccess::NotExercised);
    assert_eq!(FirstSuccess::NotExercised.worst(never), never);
    assert_eq!(after.worst(FirstSuccess::After { time: millis(4) }), after);
}

#[test]
fn replica_reads_and_unknown_nodes_do_not_count() {
    let mut history = Synthetic::new();
    history.load("n1", READ, (0, 9000), [10, 2], Ends::Ok);
    history.load("elsewhere", READ, (0, 9000), [10, 2], Ends::Fail);
    for start in 0..900 {
        let span = (start * 10, start * 10 + 1);
        history.replica_read("n1", "k", Value::Nil, span, Ends::Fail);
    }
    let cut = partition(&[&["n1"], &["n2"]], 1000, 9000);
    let (availability, finding) = check(&history.finish(), &[cut], &names(&["n1"]), &settings());
    assert!(finding.validity.is_valid(), "{finding:?}");
    assert_eq!((availability.classes.as_slice(), availability.rows.len()), (&[Class::Read][..], 3));
}

#[test]
fn a_window_shorter_than_the_bound_is_empty() {
    let mut history = Synthetic::new();
    history.load("n1", READ, (0, 9000), [10, 2], Ends::Ok);
    let cut = partition(&[&["n1"], &["n2"]], 1000, 2500);
    let (availability, finding) = check(&history.finish(), &[cut], &names(&["n1"]), &settings());
    let row = availability.row(CUT, "n1", Class::Read).expect("a row");
    assert_eq!((row.answered.attempted, row.level), (0, Level::TooFew));
    assert_eq!(finding.validity.rank(), 1);
}

#[test]
fn strips_tell_answers_errors_and_silence_apart() {
    let mut history = Synthetic::new();
    history.read("n1", "k", Value::Nil, (10, 20), Ends::Ok);
    history.read("n1", "k", Value::Nil, (110, 1300), Ends::Ok);
    history.write("n1", "k", 1, (120, 130), Ends::Fail);
    history.cas("n1", "k", (1, 2), (130, 140), Ends::Mismatch);
    history.write("n1", "k", 3, (220, 0), Ends::Never);
    history.replica_read("n1", "k", Value::Nil, (230, 240), Ends::Ok);
    let strips = bins::strips(&history.finish(), &names(&["n1", "n2"]), millis(100), millis(1000));
    assert_eq!((strips.len(), strips[0].bins.len()), (2, 14));
    let counts = |bin: &bins::Bin| (bin.answered, bin.failed, bin.indeterminate);
    let first: Vec<_> = strips[0].bins.iter().take(3).map(counts).collect();
    assert_eq!(first, [(1, 0, 0), (1, 1, 1), (0, 0, 1)]);
    assert!(strips[1].bins.iter().all(|bin| counts(bin) == (0, 0, 0)));
}

#[test]
fn the_result_survives_serialisation() {
    let both = cut_run(Ends::Info);
    let text = serde_json::to_string(&both).expect("serialises");
    let back: (Availability, Finding) = serde_json::from_str(&text).expect("reads back");
    assert_eq!(back, both);
}

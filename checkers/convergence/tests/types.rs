//! Sets, counters and siblings: what is said of them.

use super::reason;
use crate::convergence::{Breach, Convergence, DataType, Settings, check};
use crate::finding::{Finding, Validity};
use crate::history::{Event, Function, History, Kind, Name, Operation, Process, Time, Value};
use crate::notation;

/// Updates in the notation, and what n1 and n2 return for key `k` in each of three polls after a
/// heal at 1 s, again in the notation.
fn run(data: DataType, updates: &str, returned: [&str; 2]) -> (Convergence, Finding) {
    run_with(Settings { data, ..Settings::default() }, updates, returned)
}

fn run_with(settings: Settings, updates: &str, returned: [&str; 2]) -> (Convergence, Finding) {
    let second = 1_000_000_000;
    let mut history: History = notation::history(updates);
    for poll in 0..6 {
        let start = second + (poll + 1) * 10;
        let value = returned[poll as usize % 2];
        let line = format!("9 replica-read@k -> {value} {start}..{}", start + 5);
        let read = notation::history(&line).operations.remove(0);
        let node: Name = ["n1", "n2"][poll as usize % 2].into();
        history.operations.push(Operation { node: Some(node), index: 100 + poll, ..read });
    }
    history.nemesis.push(Event {
        index: 99,
        time: Time(second),
        process: Process::Nemesis,
        node: None,
        kind: Kind::Info,
        f: Function::Other("heal".into()),
        key: None,
        value: Value::Nil,
        intended: None,
        error: None,
    });
    check(&history, &["n1".into(), "n2".into()], &settings)
}

fn sentence(finding: &Finding) -> &str {
    &finding.validity.witness().expect("a witness").sentence
}

#[test]
fn a_set_in_any_order_with_all_that_was_added_is_valid() {
    let updates = "0 add@k 1 0..10 \n 1 add@k 2 0..10 \n 0 add@k 3 20..30 \n 0 remove@k 3 40..50";
    let (convergence, finding) = run(DataType::Set, updates, ["[2 1]", "[1 2]"]);
    assert_eq!(finding.validity, Validity::Valid, "{finding:?}");
    assert_eq!(convergence.acknowledged, 4);
    let expected = "all nodes agreed on 1 key within 0.000 s; 0 of 4 acknowledged writes lost, \
                    0 values that nobody wrote; 0 removals for nothing";
    assert_eq!(finding.summary, expected);
}

#[test]
fn a_lost_element_is_named_with_the_removes_that_do_not_explain_it() {
    let updates = "
        0 add@k 1        0..10
        0 remove@k 1    20..30
        1 add@k 1       40..50
        1 add@k 2       40..50
    ";
    let (convergence, finding) = run(DataType::Set, updates, ["[2]", "[2]"]);
    assert_eq!(convergence.lost.len(), 1);
    assert_eq!(
        sentence(&finding),
        "add(1) to key k was acknowledged at 0.000 s, and no remove of 1 was in flight from then \
         on or while it was added; after the heal no node has 1"
    );
    let witness = finding.validity.witness().expect("a witness");
    assert_eq!(witness.operations.len(), 4, "the remove, the add and two reads");
    // Removed at the same time, or perhaps removed.
    let explained = |line: &str| {
        let updates = format!("0 add@k 1 10..20 \n {line}");
        run(DataType::Set, &updates, ["nil", "nil"]).1.validity
    };
    assert_eq!(explained("1 remove@k 1 0..10"), Validity::Valid);
    assert_eq!(explained("1 remove@k 1 0..5 info"), Validity::Valid);
    assert!(explained("1 remove@k 1 0..9").is_invalid());
    assert!(explained("1 remove@k 1 30..40 fail").is_invalid());
}

#[test]
fn what_was_removed_and_is_there_is_resurrected() {
    let updates = "0 add@k 1 0..10 \n 0 remove@k 1 20..30";
    let (convergence, finding) = run(DataType::Set, updates, ["[1]", "[1]"]);
    let expected = Breach::Resurrected { key: "k".into(), value: 1.into(), removed_by: 1 };
    assert_eq!(convergence.breaches, [expected]);
    assert_eq!((finding.violations, finding.keys.len()), (1, 1));
    assert_eq!(
        sentence(&finding),
        "remove(1) by process 0 was acknowledged at 0.000 s, and every add of 1 to key k was over \
         when it began, at 0.000 s; after the heal every node has 1 all the same"
    );
    assert!(finding.summary.ends_with("1 removal for nothing"), "{}", finding.summary);
    // Where nodes differ to the end, that is what is wrong.
    let (convergence, finding) = run(DataType::Set, updates, ["[1]", "[]"]);
    assert!(convergence.breaches.is_empty());
    assert!(sentence(&finding).contains("did not agree"));
}

#[test]
fn a_counter_is_held_to_its_bounds() {
    let updates = "
        0 add@k 5       0..10
        0 dec@k 2      20..30
        1 inc@k         0..10
        2 add@k 10      0..
        3 add@k -1      0..
        4 add@k 100     0..5 fail
    ";
    for (sum, valid) in [("2", false), ("3", true), ("9", true), ("14", true), ("15", false)] {
        let (_, finding) = run(DataType::Counter, updates, [sum, sum]);
        assert_eq!(finding.validity.is_valid(), valid, "{sum}: {finding:?}");
    }
    let (convergence, finding) = run(DataType::Counter, updates, ["15", "15"]);
    let expected = Breach::OutOfBounds { key: "k".into(), least: 3, most: 14 };
    assert_eq!(convergence.breaches, [expected]);
    assert_eq!(
        sentence(&finding),
        "3 updates of key k acknowledged and 2 not answered leave a sum of 3 at least and 14 at \
         most; after the heal every node returns 15"
    );
    assert!(finding.summary.ends_with("; 1 counter out of bounds"), "{}", finding.summary);
    let (_, finding) = run(DataType::Counter, "0 add@k 1 0..1", ["nil", "nil"]);
    assert!(finding.validity.is_invalid(), "nil is zero");
}

#[test]
fn a_counter_of_large_amounts_does_not_overflow() {
    let largest = i64::MAX;
    let updates = format!("0 add@k {largest} 0..1 \n 0 add@k {largest} 2..3");
    let (convergence, _) = run(DataType::Counter, &updates, ["1", "1"]);
    let expected = Breach::OutOfBounds { key: "k".into(), least: largest, most: largest };
    assert_eq!(convergence.breaches, [expected]);
}

#[test]
fn a_sibling_is_lost_unless_a_context_says_that_it_was_read() {
    let updates = "
        0 write@k [nil 1]        0..10
        1 write@k [[] 2]        20..30
        0 write@k [[1] 3]       40..50
    ";
    let (convergence, finding) = run(DataType::Siblings, updates, ["[3 2]", "[2 3]"]);
    assert_eq!(finding.validity, Validity::Valid, "{convergence:?}");
    // 2 was written later, but in ignorance of 1.
    let (convergence, finding) = run(DataType::Siblings, updates, ["[3]", "[3]"]);
    assert_eq!(convergence.lost.len(), 1);
    assert_eq!(
        sentence(&finding),
        "w([[] 2]) of key k was acknowledged at 0.000 s; after the heal every node returns [3], \
         and none of that was written with 2 in its context or in that of what it replaced"
    );
    let witness = finding.validity.witness().expect("a witness");
    assert_eq!(witness.operations.len(), 4, "the loss, the write of 3 and two reads");
    let (convergence, _) = run(DataType::Siblings, updates, ["[1 2 3]", "[1 2 3]"]);
    let expected = Breach::Resurrected { key: "k".into(), value: 1.into(), removed_by: 2 };
    assert_eq!(convergence.breaches, [expected]);
}

#[test]
fn a_sibling_replaced_through_others_is_resurrected_too() {
    let updates = "
        0 write@k [nil 1]        0..10
        1 write@k [[1] 2]       20..
        2 write@k [[2] 3]       40..50
    ";
    let (_, finding) = run(DataType::Siblings, updates, ["[1 3]", "[1 3]"]);
    assert_eq!(
        sentence(&finding),
        "w([[2] 3]) by process 2 of key k had in its context what had, through others, replaced \
         1, and was acknowledged at 0.000 s; after the heal every node has 1 all the same"
    );
    assert_eq!(finding.validity.witness().map(|witness| witness.operations.len()), Some(4));
}

#[test]
fn deliveries_are_looked_at_only_if_asked_for() {
    let [one, other] = [
        "{\"delivered\" {\"n1\" 1 \"n2\" 2} \"state\" [1]}",
        "{\"state\" [1 2] \"delivered\" {\"n2\" 2 \"n1\" 1}}",
    ];
    let settings = Settings { deliveries: true, data: DataType::Set, ..Settings::default() };
    let updates = "0 add@k 1 0..1 \n 0 add@k 2 2..3";
    let (convergence, finding) = run_with(settings.clone(), updates, [one, other]);
    let expected = Breach::Differs { key: "k".into(), reads: [100, 101] };
    assert_eq!(convergence.breaches, [expected]);
    let shown = sentence(&finding);
    assert!(
        shown.starts_with("n1 returned [1] for key k at 1.000 s, n2 returned [1 2] at 1.000 s"),
        "{shown}"
    );
    assert!(run_with(settings, updates, [other, other]).1.validity.is_valid());
    let (_, finding) = run(DataType::Set, updates, ["5", "5"]);
    assert!(reason(&finding).contains("returned 5, no state of a set"), "{finding:?}");
}

#[test]
fn every_breach_survives_serialisation() {
    let key: Name = "k".into();
    for breach in [
        Breach::Resurrected { key: key.clone(), value: 1.into(), removed_by: 2 },
        Breach::OutOfBounds { key: key.clone(), least: -3, most: i64::MAX },
        Breach::Differs { key: key.clone(), reads: [4, 5] },
    ] {
        let text = serde_json::to_string(&breach).expect("serialises");
        assert_eq!(serde_json::from_str::<Breach>(&text).expect("reads back"), breach);
        assert_eq!(*breach.key(), key);
    }
    let old = r#"{"polls": 3, "limit": null}"#;
    let settings: Settings = serde_json::from_str(old).expect("as it was before types");
    assert_eq!(settings, Settings::default());
}

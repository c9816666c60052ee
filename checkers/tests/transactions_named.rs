//! Every anomaly by name, in the smallest history that has it; and recorded histories.

use splitbrain_checkers::checker::Options;
use splitbrain_checkers::clock::Clock;
use splitbrain_checkers::finding::Validity;
use splitbrain_checkers::format;
use splitbrain_checkers::history::History;
use splitbrain_checkers::notation;
use splitbrain_checkers::registry;
use splitbrain_checkers::transactions::{
    LIST_APPEND, Model, RW_REGISTER, Standing, Workload, analyse,
};

use Workload::{ListAppend, RwRegister};

/// Workload, lines, the anomalies that it has, and the strongest models that are left.
type Row = (Workload, &'static str, &'static [&'static str], &'static [Model]);

const TABLE: &[Row] = &[
    (ListAppend, "0 txn [[r x nil]] -> [[r x [7]]] 0..1", &["garbage-read"], &[]),
    (
        ListAppend,
        "0 txn [[append x 1]]              0..1
         1 txn [[r x nil]] -> [[r x [1 1]]] 2..3",
        &["duplicate-elements"],
        &[],
    ),
    (
        ListAppend,
        "0 txn [[append x 1] [append y 1]] 0..9
         1 txn [[append x 2] [append y 2]] 0..9
         2 txn [[r x nil]] -> [[r x [1 2]]] 10..11
         2 txn [[r y nil]] -> [[r y [2 1]]] 12..13",
        &["G0"],
        &[],
    ),
    (
        ListAppend,
        "0 txn [[append x 1]]            0..1 fail
         1 txn [[r x nil]] -> [[r x [1]]] 2..3",
        &["G1a"],
        &[Model::ReadUncommitted],
    ),
    (
        ListAppend,
        "0 txn [[append x 1] [append x 2]] 0..9
         1 txn [[r x nil]] -> [[r x [1]]]   0..9
         1 txn [[r x nil]] -> [[r x [1 2]]] 10..11",
        &["G1b", "G-single"],
        &[Model::ReadUncommitted],
    ),
    (
        ListAppend,
        "0 txn [[append x 1]]              0..1 fail
         1 txn [[append x 2]]              2..3
         2 txn [[r x nil]] -> [[r x [1 2]]] 4..5",
        &["G1a", "dirty-update"],
        &[Model::ReadUncommitted],
    ),
    (
        ListAppend,
        "0 txn [[append x 1]]              0..9
         1 txn [[append x 2]]              0..9
         2 txn [[r x nil]] -> [[r x [1 2]]] 10..11
         3 txn [[r x nil]] -> [[r x [2 1]]] 10..11",
        &["incompatible-order"],
        &[],
    ),
    (
        RwRegister,
        "0 txn [[r x nil] [w x 1]] -> [[r x 2] [w x 1]] 0..9
         1 txn [[r x nil] [w x 2]] -> [[r x 1] [w x 2]] 0..9",
        &["cyclic-versions"],
        &[Model::ReadUncommitted],
    ),
    (
        ListAppend,
        "0 txn [[append x 1] [r y nil]] -> [[append x 1] [r y [1]]] 0..9
         1 txn [[append y 1] [r x nil]] -> [[append y 1] [r x [1]]] 0..9",
        &["G1c"],
        &[Model::ReadUncommitted],
    ),
    (
        RwRegister,
        "0 txn [[w x 1] [w y 1]]                           0..9
         1 txn [[r x nil] [r y nil]] -> [[r x 1] [r y nil]] 0..9",
        &["observed-transaction-vanishes", "G-single"],
        &[Model::ReadCommitted],
    ),
    (
        RwRegister,
        "0 txn [[w x 1] [w y 1]]                           0..9
         1 txn [[r y nil] [r x nil]] -> [[r y nil] [r x 1]] 0..9",
        &["fractured-read", "G-single"],
        &[Model::MonotonicAtomicView],
    ),
    (
        RwRegister,
        "0 txn [[w x 1] [r x nil]] -> [[w x 1] [r x nil]] 0..1",
        &["internal"],
        &[Model::MonotonicAtomicView],
    ),
    (
        ListAppend,
        "0 txn [[append x 1]]                                     0..1
         1 txn [[r x nil] [append y 1]] -> [[r x [1]] [append y 1]] 2..3
         2 txn [[r y nil] [r x nil]] -> [[r y [1]] [r x []]]       4..5",
        &["causality-violation", "G-single"],
        &[Model::ReadAtomic],
    ),
    (
        RwRegister,
        "0 txn [[r x nil] [w x 1]] -> [[r x nil] [w x 1]] 0..9
         1 txn [[r x nil] [w x 2]] -> [[r x nil] [w x 2]] 0..9
         2 txn [[r x nil]] -> [[r x 2]]                   10..11",
        &["lost-update", "G2-item"],
        &[Model::ReadCommitted],
    ),
    (
        ListAppend,
        "0 txn [[r x nil] [append x 1]] -> [[r x []] [append x 1]] 0..9
         1 txn [[r x nil] [append x 2]] -> [[r x []] [append x 2]] 0..9
         2 txn [[r x nil]] -> [[r x [1 2]]]                       10..11",
        &["lost-update", "G-single"],
        &[Model::Causal],
    ),
    (
        ListAppend,
        "0 txn [[append x 1] [append y 1]]                  0..1
         1 txn [[append y 2]]                               2..3
         2 txn [[r y nil] [r x nil]] -> [[r y [1 2]] [r x []]] 4..5",
        &["G-single"],
        &[Model::Causal],
    ),
    (
        ListAppend,
        "0 txn [[append x 1]]                                 0..9
         1 txn [[append y 1]]                                 0..9
         2 txn [[r x nil] [r y nil]] -> [[r x [1]] [r y []]]  10..11
         3 txn [[r x nil] [r y nil]] -> [[r x []] [r y [1]]]  10..11",
        &["long-fork", "G-nonadjacent"],
        &[Model::ParallelSnapshotIsolation],
    ),
    (
        ListAppend,
        "0 txn [[r x nil] [append y 1]] -> [[r x []] [append y 1]] 0..9
         1 txn [[r y nil] [append x 1]] -> [[r y []] [append x 1]] 0..9",
        &["G2-item"],
        &[Model::StrongSnapshotIsolation],
    ),
    (
        ListAppend,
        "0 txn [[append x 1]]            0..1
         0 txn [[r x nil]] -> [[r x []]] 1..3",
        &["G-single-process"],
        &[Model::Serializable],
    ),
    (
        ListAppend,
        "0 txn [[append x 1]]            0..1
         1 txn [[r x nil]] -> [[r x []]] 2..3",
        &["G-single-realtime"],
        &[Model::StrongSessionSerializable],
    ),
    (
        ListAppend,
        "0 txn [[append x 1]]               0..1
         0 txn [[append y 1]]               1..2
         1 txn [[r y nil]] -> [[r y [1]]]   3..4
         1 txn [[r x nil]] -> [[r x []]]    4..5
         2 txn [[r x nil]] -> [[r x [1]]]   0..9",
        &["G-single-process"],
        &[Model::Serializable],
    ),
    (
        ListAppend,
        "0 txn [[append x 1]]               2..3
         1 txn [[append x 2]]               0..1
         2 txn [[r x nil]] -> [[r x [1 2]]] 0..9",
        &["G0-realtime"],
        &[Model::StrongSessionSerializable],
    ),
    (
        ListAppend,
        "0 txn [[append x 1]]             2..3
         1 txn [[r x nil]] -> [[r x [1]]] 0..1",
        &["G1c-realtime"],
        &[Model::StrongSessionSerializable],
    ),
    (
        ListAppend,
        "0 txn [[append x 1]]                              0..10
         1 txn [[r x nil] [r y nil]] -> [[r x [1]] [r y []]] 1..9
         2 txn [[append y 1]]                              2..3
         3 txn [[r x nil]] -> [[r x []]]                   5..9",
        &["G-nonadjacent-realtime"],
        &[Model::StrongSessionSerializable],
    ),
    (
        ListAppend,
        "0 txn [[append y 1]]                                     0..1
         1 txn [[r y nil] [append x 1]] -> [[r y []] [append x 1]] 0..20
         0 txn [[r x nil]] -> [[r x []]]                          1..2",
        &["G2-item-process"],
        &[Model::Serializable, Model::StrongSnapshotIsolation],
    ),
    (
        ListAppend,
        "0 txn [[append y 1]]                                     0..1
         1 txn [[r y nil] [append x 1]] -> [[r y []] [append x 1]] 0..20
         2 txn [[r x nil]] -> [[r x []]]                          2..3",
        &["G2-item-realtime"],
        &[Model::StrongSessionSerializable, Model::StrongSnapshotIsolation],
    ),
    (
        RwRegister,
        "0 txn [[w x 1]]                0..1
         1 txn [[w x 2]]                2..3
         2 txn [[r x nil]] -> [[r x 1]] 4..5",
        &["nonlinearizable-key"],
        &[Model::StrongSessionSerializable],
    ),
];

#[test]
fn every_anomaly_is_found_by_name() {
    for (workload, lines, expected, strongest) in TABLE {
        let history = notation::history(lines);
        let result = analyse(&history, *workload, &Options::default()).unwrap();
        let found: Vec<String> =
            result.anomalies.iter().map(|found| found.anomaly.name()).collect();
        assert_eq!(found, *expected, "{lines}\n{result:#?}");
        assert_eq!(result.strongest, *strongest, "{lines}\n{result:#?}");
        let json = serde_json::to_value(&result).unwrap();
        assert_eq!(json["anomalies"][0]["anomaly"], expected[0]);
    }
}

fn sentence(workload: Workload, lines: &str, model: Model) -> String {
    let checker = if workload == ListAppend { LIST_APPEND } else { RW_REGISTER };
    let options = Options { isolation: Some(model), clock: Clock::Events, ..Options::default() };
    let finding = checker.run(&notation::history(lines), &options);
    finding.validity.witness().unwrap_or_else(|| panic!("{finding:?}")).sentence.clone()
}

#[test]
fn cycles_are_told_so_that_they_can_be_checked_by_hand() {
    let circle = "0 txn [[append x 5] [r y nil]] -> [[append x 5] [r y [3]]] 1000..2000
                  1 txn [[r x nil] [append y 3]] -> [[r x [5]] [append y 3]] 1000..3000";
    assert_eq!(
        sentence(ListAppend, circle, Model::Serializable),
        "not serializable (G1c): T1 (process 0, event 1000 to event 2000) appended 5 to x and T2 \
         (process 1, event 1000 to event 3000) read it, so T1 came before T2; T2 appended 3 to y \
         and T1 read it, so T2 came before T1: a cycle"
    );
    let skew = "0 txn [[append x 1]]                                  0..1
                1 txn [[append x 2] [append y 2]]                     2..3
                2 txn [[r y nil] [r x nil]] -> [[r y [2]] [r x [1]]] 4..5";
    assert_eq!(
        sentence(ListAppend, skew, Model::SnapshotIsolation),
        "not snapshot isolation (observed-transaction-vanishes): T1 (process 1, event 2 to event \
         3) appended 2 to y and appended 2 to x; T2 (process 2, event 4 to event 5) saw the \
         former and afterwards read x without the latter"
    );
    let late = "0 txn [[w x 1]]                  0..1
                1 txn [[r x nil]] -> [[r x nil]] 5..6";
    assert_eq!(
        sentence(RwRegister, late, Model::StrictSerializable),
        "not strict serializable (G-single-realtime): T1 (process 0, event 0 to event 1) ended 4 \
         events before T2 (process 1, event 5 to event 6) began; T2 read x with its initial value \
         and T1 wrote 1 to it, so T2 came before T1: a cycle"
    );
    let own = "0 txn [[append x 1] [r x nil]] -> [[append x 1] [r x []]] 0..1";
    assert_eq!(
        sentence(ListAppend, own, Model::Serializable),
        "not serializable (internal): of x T1 (process 0, event 0 to event 1) first appended 1, \
         then read [], which contradict each other (what does not matter is left out of the \
         lists)"
    );
}

fn load(file: &str) -> History {
    let path = format!("{}/testdata/elle-cli/elle/{file}", env!("CARGO_MANIFEST_DIR"));
    format::read(&std::fs::read(path).unwrap()).unwrap().history
}

#[test]
fn recorded_histories_are_refuted_for_the_known_reason() {
    for (file, checker, reason) in [
        ("paper-example.json", "list-append", "G-single"),
        ("rw-register.edn", "rw-register", "garbage-read"),
        ("rw-register.json", "rw-register", "garbage-read"),
    ] {
        let finding = registry::find(checker).unwrap().run(&load(file), &Options::default());
        assert!(finding.validity.is_invalid(), "{file}: {finding:#?}");
        assert!(finding.summary.contains(reason), "{file}: {}", finding.summary);
    }
}

/// Appends that nobody saw come after what was read (issue 30 of the checker that this was first
/// reported to).
#[test]
fn appends_that_nobody_saw_are_after_what_was_read() {
    let history = notation::history(
        "0 txn [[r 2 nil] [r 3 nil] [append 4 0]] -> [[r 2 []] [r 3 []] [append 4 0]] 2..8
         1 txn [[append 3 1] [append 2 4] [r 4 nil]] -> [[append 3 1] [append 2 4] [r 4 []]] 3..6
         2 txn [[append 4 2] [append 5 5]] 1..4
         2 txn [[append 2 8]] 5..9
         1 txn [[append 3 7] [append 4 10]] 7..10",
    );
    let finding = LIST_APPEND.run(&history, &Options::default());
    assert!(finding.validity.is_invalid(), "{finding:#?}");
    assert!(finding.summary.contains("G2-item"), "{}", finding.summary);
}

#[test]
fn blind_writes_that_no_order_is_found_for_leave_it_open() {
    // Serializable would be: 3 sees 1 of x after 2 of y, 4 sees 2 of x after 1 of y.
    let history = notation::history(
        "0 txn [[w x 1] [w y 1]]                          0..9
         1 txn [[w x 2] [w y 2]]                          0..9
         2 txn [[r x nil] [r z nil]] -> [[r x 1] [r z 4]] 0..9
         3 txn [[w z 3] [r y nil]] -> [[w z 3] [r y 2]]   0..9
         4 txn [[r x nil] [w z 4]] -> [[r x 2] [w z 4]]   0..9
         5 txn [[r y nil] [r z nil]] -> [[r y 1] [r z 3]] 0..9",
    );
    let result = analyse(&history, RwRegister, &Options::default()).unwrap();
    let is_open = |model| matches!(result.standing(model), Standing::Unknown { .. });
    assert!(is_open(Model::Serializable), "{result:#?}");
    assert_eq!(*result.standing(Model::ReadCommitted), Standing::NotRefuted);
    let finding = RW_REGISTER.run(&history, &Options::default());
    assert!(finding.summary.contains("incomplete for 3 keys"), "{finding:?}");
}

#[test]
fn what_is_no_transaction_or_says_nothing_is_unknown() {
    for (checker, lines, reason) in [
        (LIST_APPEND, "0 write 1 0..1", "is no transaction but `write`"),
        (LIST_APPEND, "0 txn [[w x 1]] 0..1", "`[w x 1]`, which is no `[append key element]`"),
        (LIST_APPEND, "0 txn [[r x 5]] 0..1", "`[r x 5]`"),
        (RW_REGISTER, "0 txn [[w x]] 0..1", "`[w x]`, which is no `[w key value]`"),
        (RW_REGISTER, "0 txn 7 0..1", "no list of micro-operations but `7`"),
        (RW_REGISTER, "0 txn [[w x 1] [w x 2]] -> [[w x 1]] 0..1", "was answered 1"),
        (LIST_APPEND, "0 txn [[append x 1]] 0..1", "not exercised"),
        (LIST_APPEND, "0 txn [[r x nil]] 0..1 fail", "not exercised"),
        (RW_REGISTER, "0 txn [[w x 1]] 0..1\n1 txn [[w x 1]] 0..1", "written twice"),
    ] {
        let finding = checker.run(&notation::history(lines), &Options::default());
        let Validity::Unknown { reason: found } = &finding.validity else {
            panic!("{lines}: {finding:?}")
        };
        assert!(found.contains(reason), "{lines}: {found}");
    }
}

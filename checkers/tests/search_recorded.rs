//! Recorded histories of objects that are no single register: what we say, against what the
//! checkers of those who recorded them say.

use std::path::PathBuf;

use splitbrain_checkers::checker::Options;
use splitbrain_checkers::finding::Validity;
use splitbrain_checkers::format::{self, Reading};
use splitbrain_checkers::history::{Operation, Value};
use splitbrain_checkers::model::{AppendString, Register};
use splitbrain_checkers::{registry, search};

fn load(file: &str) -> Reading {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("testdata").join(file);
    let reading = format::read(&std::fs::read(path).unwrap()).unwrap();
    assert_eq!(reading.problems, [], "{file}");
    reading
}

#[test]
fn recorded_histories_have_their_expected_verdicts() {
    for (file, checker, initial, is_valid) in [
        ("porcupine/kv/c01-ok.txt", "append-string", Value::Nil, true),
        ("porcupine/kv/c01-bad.txt", "append-string", Value::Nil, false),
        ("porcupine/kv/c10-ok.txt", "append-string", Value::Nil, true),
        ("porcupine/kv/c10-bad.txt", "append-string", Value::Nil, false),
        ("knossos/multi-register/good/multi-register.edn", "multi-register", Value::Int(0), true),
        ("knossos/mutex/bad/etcd.edn", "mutex", Value::Nil, false),
    ] {
        let reading = load(file);
        let options = Options { initial, clock: reading.clock, ..Options::default() };
        let finding = registry::find(checker).unwrap().run(&reading.history, &options);
        match &finding.validity {
            Validity::Valid => assert!(is_valid, "{file}: {finding:#?}"),
            Validity::Invalid { witness } => {
                assert!(!is_valid, "{file}: {finding:#?}");
                println!("{file}: {}", witness.sentence);
                let is_small = witness.operations.len() <= 12;
                assert!(is_small || checker == "mutex", "{file}: {}", witness.operations.len());
                assert!(witness.sentence.len() < 1500, "{file}: {}", witness.sentence);
            }
            Validity::Unknown { reason } => panic!("{file}: {reason}"),
        }
    }
}

/// Without the split all keys are one object; the answer is the same.
#[test]
fn keys_need_not_be_split() {
    for (file, is_valid) in [("porcupine/kv/c10-ok.txt", true), ("porcupine/kv/c10-bad.txt", false)]
    {
        let reading = load(file);
        let operations: Vec<&Operation> = reading.history.operations.iter().collect();
        let report = search::explore_unsplit::<AppendString>(&operations, &Options::default());
        assert_eq!(report.validity.is_valid(), is_valid, "{file}: {report:?}");
        assert_eq!(report.validity.is_invalid(), !is_valid, "{file}: {report:?}");
        println!("{file}: {} steps, {} bytes", report.steps, report.memory_bytes);
    }
}

/// The registers that the polynomial check decides, by search: the general one agrees.
#[test]
fn registers_are_decided_by_the_general_search() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("testdata/EXPECTED.tsv");
    let table = std::fs::read_to_string(path).unwrap();
    let mut steps = 0;
    for row in table.lines().filter(|row| !row.starts_with('#')) {
        let [file, model, options, expected, theirs, _] = row.split('\t').collect::<Vec<_>>()[..]
        else {
            panic!("six columns in {row}");
        };
        if model != "cas-register" {
            continue;
        }
        // A finding is unknown where nothing was observed; an order is found there all the same.
        let expected = if expected == "unknown" { theirs } else { expected };
        let reading = load(file);
        let observe_failed_cas = options == "observe-failed-cas";
        let options = Options { observe_failed_cas, ..Options::default() };
        let operations: Vec<&Operation> = reading.history.operations.iter().collect();
        let report = search::explore::<Register>(&operations, &options);
        assert_eq!(report.validity.is_valid(), expected == "valid", "{file}: {report:?}");
        assert_eq!(report.validity.is_invalid(), expected == "invalid", "{file}: {report:?}");
        steps += report.steps;
    }
    println!("{steps} steps in all");
}

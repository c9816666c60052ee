//! Histories recorded by other projects: what we say, against what their own checkers say.

use std::path::PathBuf;

use splitbrain_checkers::checker::Options;
use splitbrain_checkers::finding::Validity;
use splitbrain_checkers::format::{self, Format};
use splitbrain_checkers::history::{Function, Value};
use splitbrain_checkers::register;
use splitbrain_checkers::register::repeated as search;

fn testdata() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("testdata")
}

fn load(file: &str) -> format::Reading {
    let bytes = std::fs::read(testdata().join(file)).unwrap();
    format::read(&bytes).unwrap_or_else(|error| panic!("{file}: {error}"))
}

fn word(validity: &Validity) -> &'static str {
    match validity {
        Validity::Valid => "valid",
        Validity::Unknown { .. } => "unknown",
        Validity::Invalid { .. } => "invalid",
    }
}

#[test]
fn recorded_histories_have_their_expected_verdicts() {
    let table = std::fs::read_to_string(testdata().join("EXPECTED.tsv")).unwrap();
    let (mut valid, mut invalid) = (0, 0);
    for row in table.lines().filter(|row| !row.starts_with('#')) {
        let [file, model, expected] = row.split('\t').collect::<Vec<_>>()[..] else {
            panic!("three columns in {row}");
        };
        let reading = load(file);
        assert_eq!(reading.problems, [], "{file}");
        let options = Options {
            observe_failed_cas: model.ends_with("refused cas observes"),
            clock: reading.clock,
            ..Options::default()
        };
        let operations = &reading.history.operations;
        let result = register::check_key(operations, &options);
        assert_eq!(word(&result.validity), expected, "{file}: {result:#?}");
        let searched = search::check(operations, &options);
        assert_eq!(word(&searched), expected, "{file} by search: {searched:#?}");
        // Without refused cas there is less evidence, so no more may be refuted.
        let lenient = Options { observe_failed_cas: false, ..options };
        let lenient = register::check_key(operations, &lenient).validity;
        assert!(lenient.rank() <= result.validity.rank(), "{file}");
        *(if expected == "valid" { &mut valid } else { &mut invalid }) += 1;
    }
    println!("{valid} valid, {invalid} invalid");
    assert!(valid >= 40 && invalid >= 40, "{valid} valid, {invalid} invalid");
}

#[test]
fn the_formats_are_told_apart() {
    for (file, expected, operations) in [
        ("porcupine/etcd_000.log", Format::JepsenLog, 85),
        ("porcupine/c01-ok.txt", Format::Edn, 58),
        ("knossos/bad/rethink-fail-minimal.edn", Format::Edn, 4),
        ("elle-cli/rw-register.edn", Format::Edn, 3),
        ("elle-cli/rw-register.json", Format::JsonArray, 3),
        ("elle-cli/paper-example.json", Format::JsonArray, 4),
    ] {
        let reading = load(file);
        assert_eq!(reading.format, expected, "{file}");
        assert_eq!(reading.history.operations.len(), operations, "{file}");
        assert_eq!(reading.problems, [], "{file}");
    }
}

#[test]
fn the_same_history_in_two_formats_is_the_same() {
    let (edn, json) = (load("elle-cli/rw-register.edn"), load("elle-cli/rw-register.json"));
    assert_eq!(edn.history, json.history);
    let read = &edn.history.operations[1];
    assert_eq!(read.f, Function::Other("txn".into()));
    assert_eq!(read.output.to_string(), "[[r x 3]]");
    assert!(matches!(read.output, Value::List(_)));
}

#[test]
fn what_is_no_register_is_unknown() {
    for file in ["porcupine/c01-ok.txt", "elle-cli/rw-register.edn", "elle-cli/paper-example.json"]
    {
        let finding = register::check_history(&load(file).history);
        assert_eq!(word(&finding.validity), "unknown", "{file}: {finding:?}");
    }
}

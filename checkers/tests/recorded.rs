//! Histories recorded by other projects: all can be read, and what we say of them, against what
//! their own checkers say.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use splitbrain_checkers::checker::{Checker, Options};
use splitbrain_checkers::clock::Clock;
use splitbrain_checkers::finding::Validity;
use splitbrain_checkers::format::{self, Format};
use splitbrain_checkers::history::Outcome;
use splitbrain_checkers::registry;

fn testdata() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("testdata")
}

fn load(file: &str) -> format::Reading {
    let bytes = std::fs::read(testdata().join(file)).unwrap();
    format::read(&bytes).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// A line of EXPECTED.tsv.
struct Row<'t> {
    file: &'t str,
    model: &'t str,
    options: &'t str,
    expected: &'t str,
    /// What their checker says where ours says something else, with the reason.
    theirs: Option<(&'t str, &'t str)>,
}

fn rows(table: &str) -> Vec<Row<'_>> {
    let row = |line| {
        let [file, model, options, expected, theirs, why] = columns(line);
        let theirs = (theirs != "-").then_some((theirs, why));
        Row { file, model, options, expected, theirs }
    };
    table.lines().filter(|line| !line.starts_with('#')).map(row).collect()
}

fn columns(line: &str) -> [&str; 6] {
    line.split('\t')
        .collect::<Vec<_>>()
        .try_into()
        .unwrap_or_else(|_| panic!("six columns: {line}"))
}

fn options(text: &str, clock: Clock) -> Options<'static> {
    let mut options = Options { clock, ..Options::default() };
    for option in text.split(' ').filter(|option| *option != "-") {
        match option.split_once('=') {
            None if option == "observe-failed-cas" => options.observe_failed_cas = true,
            None if option == "negative-balances" => options.negative_balances = true,
            Some(("initial", value)) => options.initial = format::parse_value(value).unwrap(),
            _ => panic!("no such option: {option}"),
        }
    }
    options
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
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut wrong = Vec::new();
    for row in rows(&table) {
        let checker = registry::find(row.model).expect(row.model);
        *counts.entry(row.expected).or_default() += 1;
        wrong.extend(compare(&row, checker));
    }
    println!("{counts:?}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(counts["valid"] >= 60 && counts["invalid"] >= 50, "{counts:?}");
}

/// What is not as the row says.
fn compare(row: &Row<'_>, checker: &Checker) -> Option<String> {
    let reading = load(row.file);
    if let Some((theirs, why)) = row.theirs {
        assert!(theirs != row.expected && why != "-", "{}: why {theirs}?", row.file);
    }
    let options = options(row.options, reading.clock);
    let validity = checker.run(&reading.history, &options).validity;
    if word(&validity) != row.expected {
        return Some(format!(
            "{}: {}, expected {}: {validity:?}",
            row.file,
            word(&validity),
            row.expected
        ));
    }
    // Without refused cas there is less evidence, so no more may be refuted.
    let lenient = Options { observe_failed_cas: false, ..options };
    let lenient = checker.run(&reading.history, &lenient).validity;
    (lenient.rank() > validity.rank())
        .then(|| format!("{}: with less evidence {}", row.file, word(&lenient)))
}

/// Every file under a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

#[test]
fn every_recorded_history_reads_without_a_problem() {
    let about = ["README.md", "LICENSE.md", "EXPECTED.tsv"];
    let mut read = 0;
    for path in files(&testdata()) {
        let bytes = std::fs::read(&path).unwrap();
        let reading = format::read(&bytes);
        if about.iter().any(|name| path.ends_with(name)) {
            let error = reading.expect_err("it is about histories").to_string();
            assert!(error.starts_with("this is no history"), "{}: {error}", path.display());
            continue;
        }
        let reading = reading.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert_eq!(reading.problems, [], "{}", path.display());
        let events = reading.history.operations.len() + reading.history.nemesis.len();
        assert!(events > 0, "{}", path.display());
        read += 1;
    }
    assert!(read >= 140, "{read} files");
}

#[test]
fn the_formats_are_told_apart() {
    for (file, expected, operations) in [
        ("porcupine/jepsen/etcd_000.log", Format::JepsenLog, 85),
        ("porcupine/kv/c01-ok.txt", Format::Edn, 58),
        ("knossos/cas-register/bad/rethink-fail-minimal.edn", Format::Edn, 4),
        ("elle-cli/elle/rw-register.edn", Format::Edn, 3),
        ("elle-cli/elle/rw-register.json", Format::JsonArray, 3),
        ("elle-cli/elle/paper-example.json", Format::JsonArray, 4),
    ] {
        let reading = load(file);
        assert_eq!(reading.format, expected, "{file}");
        assert_eq!(reading.history.operations.len(), operations, "{file}");
    }
}

#[test]
fn the_same_history_in_two_formats_is_the_same() {
    for name in ["elle/rw-register", "elle/paper-example", "jepsen/counter", "jepsen/set_full"] {
        let [edn, json] = ["edn", "json"].map(|end| load(&format!("elle-cli/{name}.{end}")));
        assert_eq!(edn.history, json.history, "{name}");
    }
    let read = &load("elle-cli/elle/rw-register.edn").history.operations[1];
    assert_eq!((read.f.as_str(), read.output.to_string().as_str()), ("txn", "[[r x 3]]"));
}

#[test]
fn values_have_the_shape_that_checkers_expect() {
    let last = |file: &str| load(file).history.operations.pop().unwrap();
    // It looks like a set by key, [0 n] added and [0 nil] read, but what was read is [0 1 2 ...]:
    // so the pairs are the elements, and all of them are lost.
    let read = last("elle-cli/jepsen/set_full.edn");
    assert_eq!((read.key.as_deref(), read.input.to_string().as_str()), (None, "[0 nil]"));
    assert!(read.output.to_string().starts_with("[0 1 2 "), "{}", read.output);
    // Accounts with their balances, in the order of the file.
    let [edn, json] = ["edn", "json"].map(|end| {
        load(&format!("elle-cli/jepsen/bank.{end}")).history.operations[0].output.to_string()
    });
    assert!(edn.starts_with("[[0 100] [1 0] [2 0]"), "{edn}");
    assert!(json.starts_with("[[0 100] [7 0] [1 0]"), "{json}");
    let bank = load("elle-cli/jepsen/bank-tidb.edn").history.operations;
    let transfer = bank.iter().find(|operation| operation.f.as_str() == "transfer").unwrap();
    assert_eq!(transfer.input.to_string(), "[[from 3] [to 0] [amount 1]]");
    // Strings by key.
    let get = last("porcupine/kv/c10-ok.txt");
    assert!(get.key.is_some() && get.f.as_str() == "get", "{get:?}");
}

#[test]
fn operations_whose_events_do_not_say_their_process_are_whole() {
    let fork = load("elle-cli/jepsen/long-fork.edn").history.operations;
    let shown: Vec<String> = fork.iter().map(|o| format!("{} {}", o.process, o.output)).collect();
    assert_eq!(shown, ["0 [[r 0 1] [r 1 1] [r 2 nil]]", "1 [[r 2 1] [r 0 1] [r 1 nil]]"]);
    // The read overlaps both writes.
    let comments = load("elle-cli/custom/comments.edn").history.operations;
    assert!(comments.iter().all(|operation| operation.outcome == Outcome::Ok), "{comments:?}");
    let times: Vec<_> = comments.iter().map(|o| (o.invoke.0, o.complete.unwrap().0)).collect();
    assert_eq!(times, [(1, 6), (2, 3), (4, 5)]);
}

#[test]
fn what_is_no_register_is_unknown() {
    for file in ["porcupine/kv/c01-ok.txt", "elle-cli/elle/rw-register.edn"] {
        let checker = registry::find("cas-register").unwrap();
        let finding = checker.run(&load(file).history, &Options::default());
        assert_eq!(word(&finding.validity), "unknown", "{file}: {finding:?}");
    }
}

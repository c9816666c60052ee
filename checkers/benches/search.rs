//! How fast the general search is, in how much memory, and how that grows; beside Porcupine, if
//! there is a Go tool chain, and beside the checkers that exist as crates.
//!
//! ```text
//! cargo bench -p splitbrain-checkers --bench search [-- CASE...]
//! ```
//!
//! Plain harness. Each case runs in a process of its own, so that its peak memory is its own; it
//! includes the history itself. Cases are words such as `sequential`, `recorded`, `growth`; all of
//! them without arguments. The others are built from `peers` into the temporary folder; if that
//! fails, their lines are left out, and it says so.

#[path = "search/busy.rs"]
mod busy;
#[path = "search/peers.rs"]
mod peers;
#[path = "../tests/search_support/mod.rs"]
mod search_support;
#[path = "../tests/support/mod.rs"]
mod support;
mod usage;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use search_support::generate;
use search_support::objects::Object;
use splitbrain_checkers::checker::Options;
use splitbrain_checkers::finding::Validity;
use splitbrain_checkers::format;
use splitbrain_checkers::history::{Function, Operation, Outcome, Time, Value};
use splitbrain_checkers::keys::KeyResult;
use splitbrain_checkers::register;
use splitbrain_checkers::search::Report;
use usage::peak_memory_kb;

/// The case that a process of its own has to run.
const CASE: &str = "SPLITBRAIN_BENCH_CASE";

fn main() {
    if let Ok(case) = std::env::var(CASE) {
        let words: Vec<&str> = case.split(' ').collect();
        return run_case(&words);
    }
    let wanted: Vec<String> =
        std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let is_wanted = |group: &str| wanted.is_empty() || wanted.iter().any(|word| word == group);
    if is_wanted("sequential") {
        println!("\none million operations, one after the other");
        for object in ["register", "mutex", "fifo-queue", "append-string"] {
            in_own_process(&format!("sequential {object}"));
        }
    }
    if is_wanted("growth") {
        println!("\nalways busy clients, twice as many operations each time");
        for (object, clients, first) in [
            ("append-string", 10, 5_000),
            ("multi-register", 5, 10_000),
            ("mutex", 20, 20_000),
            ("counter", 5, 10_000),
            ("fifo-queue", 4, 5_000),
        ] {
            for times in [1, 2, 4, 8] {
                in_own_process(&format!("growth {object} {clients} {}", first * times));
            }
        }
    }
    if is_wanted("recorded") {
        println!("\nrecorded histories");
        busy::write();
        let peers = peers::build();
        for recorded in RECORDED {
            let ours = in_own_process(&format!("recorded {recorded}"));
            let [file, keys, rounds] = words(recorded);
            let (files, whole) = (files(file), keys == "whole");
            let rounds = if whole { 1 } else { rounds.parse().unwrap() };
            let task = peers::Task { files: &files, whole, rounds };
            for peer in &peers {
                peer.compare(task, &ours);
            }
        }
    }
}

/// What is recorded: files, whether keys are apart, and rounds of which the fastest counts. The
/// etcd logs are one register each, so they are also given to the check of registers, which
/// `splitbrain check --model cas-register` takes.
const RECORDED: [&str; 7] = [
    "c10-ok.txt apart 200",
    "c10-bad.txt apart 200",
    "c10-ok.txt whole 3",
    "c10-bad.txt whole 3",
    "etcd as-registers 3",
    "etcd apart 3",
    "busy-register apart 3",
];

fn words(recorded: &str) -> [&str; 3] {
    recorded.split(' ').collect::<Vec<_>>().try_into().unwrap()
}

/// The files of a recorded case.
fn files(name: &str) -> Vec<PathBuf> {
    match name {
        "etcd" => etcd_logs(),
        "busy-register" => vec![busy::file()],
        _ => vec![testdata().join("kv").join(name)],
    }
}

/// What a case took.
struct Measured {
    seconds: f64,
    megabytes: f64,
}

/// Runs a case in a process of its own, and prints and returns what that measured.
fn in_own_process(case: &str) -> Measured {
    let this = std::env::current_exe().unwrap();
    let output = Command::new(this).env(CASE, case).output().unwrap();
    assert!(output.status.success(), "{case}: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let parts: Vec<&str> = text.trim().split('\t').collect();
    let [answers, seconds, megabytes, more] = parts[..] else { panic!("{case}: {text}") };
    let (seconds, megabytes) = (seconds.parse().unwrap(), megabytes.parse().unwrap());
    println!("{:<52} {seconds:>12.6} s {megabytes:>8.1} MB  {more}", format!("{case} ({answers})"));
    Measured { seconds, megabytes }
}

fn run_case(words: &[&str]) {
    match *words {
        ["sequential", object] => {
            let (object, operations) = sequential(object, 1_000_000);
            measure(1, || vec![object.explore(&operations, &options(object))]);
        }
        ["growth", name, clients, count] => {
            let object = object(name);
            let mut random = ChaCha8Rng::seed_from_u64(1);
            let (clients, count) = (clients.parse().unwrap(), count.parse().unwrap());
            let operations = generate::busy(&mut random, object, clients, count);
            measure(1, || vec![object.explore(&operations, &options(object))]);
        }
        ["recorded", name @ ("etcd" | "busy-register"), how, rounds] => {
            let histories: Vec<Vec<Operation>> =
                files(name).iter().map(|file| read(file)).collect();
            let observe = Options { observe_failed_cas: true, ..Options::default() };
            let check = |history: &Vec<Operation>| match how {
                "as-registers" => as_register(history, &observe),
                _ => Object::Register.explore(history, &observe),
            };
            measure(rounds.parse().unwrap(), || histories.iter().map(check).collect());
        }
        ["recorded", name, keys, rounds] => {
            let operations = read(&files(name)[0]);
            let options = Options::default();
            measure(rounds.parse().unwrap(), || {
                vec![match keys {
                    "whole" => Object::AppendString.explore_unsplit(&operations, &options),
                    _ => Object::AppendString.explore(&operations, &options),
                }]
            });
        }
        _ => panic!("no such case: {words:?}"),
    }
}

/// What the check of registers says; it counts neither steps nor bytes.
fn as_register(history: &[Operation], options: &Options<'_>) -> Report {
    let KeyResult { validity, violations, observations, .. } =
        register::check_key(history, options);
    Report { validity, violations, observations, steps: 0, memory_bytes: 0, progress: None }
}

fn object(name: &str) -> Object {
    match name {
        "append-string" => Object::AppendString,
        "multi-register" => Object::MultiRegister,
        "mutex" => Object::Mutex,
        "counter" => Object::Counter,
        "fifo-queue" => Object::FifoQueue,
        _ => panic!("no such object: {name}"),
    }
}

fn options(object: Object) -> Options<'static> {
    Options { initial: generate::initial(object), ..Options::default() }
}

/// Runs so many rounds and prints the answers, the time of the fastest, and the peak memory.
fn measure(rounds: usize, run: impl Fn() -> Vec<Report>) {
    let before = peak_memory_kb() as f64 / 1024.0;
    let (mut best, mut reports) = (f64::MAX, Vec::new());
    for _ in 0..rounds {
        let start = Instant::now();
        reports = run();
        best = best.min(start.elapsed().as_secs_f64());
    }
    let count = |test: fn(&Validity) -> bool| {
        reports.iter().filter(|report| test(&report.validity)).count()
    };
    let (valid, invalid) = (count(Validity::is_valid), count(Validity::is_invalid));
    let answers = match (valid, invalid, reports.len() - valid - invalid) {
        (1, 0, 0) => "valid".to_owned(),
        (0, 1, 0) => "invalid".to_owned(),
        (valid, invalid, unknown) => format!("{valid} valid, {invalid} invalid, {unknown} unknown"),
    };
    let steps: u64 = reports.iter().map(|report| report.steps).sum();
    let most = reports.iter().map(|report| report.memory_bytes).max().unwrap_or_default();
    println!(
        "{answers}\t{best}\t{}\t{before:.1} MB of it before, tables {:.1} MB, {steps} steps",
        peak_memory_kb() as f64 / 1024.0,
        most as f64 / 1e6
    );
}

/// A history without any concurrency.
fn sequential(name: &str, count: u64) -> (Object, Vec<Operation>) {
    let number = |number: u64| Value::Int(number as i64);
    let text = |number: u64| Value::from(format!("{number};").as_str());
    let operation = |index: u64, f: &str, input: Value, output: Value| Operation {
        index,
        process: 0,
        node: None,
        f: Function::from_name(f),
        key: None,
        input,
        output,
        invoke: Time(10 * index),
        complete: Some(Time(10 * index + 5)),
        outcome: Outcome::Ok,
        intended: None,
        error: None,
    };
    let pair = |turn: u64| match name {
        "register" => [("write", number(turn), number(turn)), ("read", Value::Nil, number(turn))],
        "mutex" => [("acquire", Value::Nil, Value::Nil), ("release", Value::Nil, Value::Nil)],
        "fifo-queue" => {
            [("enqueue", number(turn), number(turn)), ("dequeue", Value::Nil, number(turn))]
        }

        _ => [("put", text(turn), text(turn)), ("get", Value::Nil, text(turn))],
    };
    let operations = (0..count / 2)
        .flat_map(|turn| {
            let [(f, input, output), (then, nothing, answer)] = pair(turn);
            [operation(2 * turn, f, input, output), operation(2 * turn + 1, then, nothing, answer)]
        })
        .collect();
    let object = if name == "register" { Object::Register } else { object(name) };
    (object, operations)
}

fn testdata() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("testdata/porcupine")
}

fn etcd_logs() -> Vec<PathBuf> {
    let mut logs: Vec<PathBuf> = std::fs::read_dir(testdata().join("jepsen"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "log"))
        .collect();
    logs.sort();
    logs
}

fn read(file: &Path) -> Vec<Operation> {
    format::read(&std::fs::read(file).unwrap()).unwrap().history.operations
}

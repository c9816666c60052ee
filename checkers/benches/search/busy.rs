//! A long history of one register that a few clients keep busy, as a console log: the form that our
//! reader and all peers understand.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use splitbrain_checkers::history::{Function, Operation, Outcome, Time, Value};

use crate::support::generate::{self, Shape};

/// Where the log is.
pub fn file() -> PathBuf {
    std::env::temp_dir().join("splitbrain-peers/busy-register.log")
}

/// Writes the log of a valid history: 5 clients, 10,000 operations, 50 % reads, 30 % writes of
/// unique values, 20 % cas, of which a fifth is refused. It is the same each time.
pub fn write() {
    let shape =
        Shape { operations: 10_000, clients: 5, writes: 30, cas: 20, unanswered: 0, values: 0 };
    let operations = generate::valid(&mut ChaCha8Rng::seed_from_u64(1), shape);
    let file = file();
    std::fs::create_dir_all(file.parent().unwrap_or(Path::new("/"))).unwrap();
    std::fs::write(file, log(&operations)).unwrap();
}

/// The events in the order of their times, each in a line.
fn log(operations: &[Operation]) -> String {
    let mut events: Vec<(Time, &Operation, &str, &Value)> = Vec::new();
    for operation in operations {
        events.push((operation.invoke, operation, ":invoke", &operation.input));
        let (kind, value) = match operation.outcome {
            Outcome::Fail => (":fail", &operation.input),
            _ => (":ok", &operation.output),
        };
        events.extend(operation.complete.map(|time| (time, operation, kind, value)));
    }
    events.sort_by_key(|(time, ..)| *time);
    let mut text = String::new();
    for (_, operation, kind, value) in events {
        let Operation { process, f, .. } = operation;
        let value = match value.as_pair() {
            Some((expected, new)) if *f == Function::Cas => {
                format!("[{} {}]", word(expected), word(new))
            }
            _ => word(value),
        };
        let f = f.as_str();
        writeln!(text, "INFO  jepsen.util - {process}\t{kind}\t:{f}\t{value}").unwrap();
    }
    text
}

/// The generator's mistaken cas expects -1, which is how a peer writes that nothing is there.
fn word(value: &Value) -> String {
    match value {
        Value::Int(-1) => "0".to_owned(),
        Value::Int(number) => number.to_string(),
        _ => "nil".to_owned(),
    }
}

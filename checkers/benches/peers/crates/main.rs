//! Linearizability checkers that exist as crates, on the recorded histories that our own benchmark
//! reads, for comparison.
//!
//! ```text
//! cargo run --release -- -checker NAME [-whole] [-repeat N] [-timeout SECONDS] FILE...
//! ```
//!
//! NAME is `porcupine-rs`, `todc` (the `WGLChecker` of todc-utils) or `stateright` (its
//! `LinearizabilityTester`). The crate lincheck is left out, because what it checks can only be
//! recorded by itself while threads run, and not be made of a history that exists. `-whole` does
//! not split a map by key.
//!
//! A file is either Jepsen's console log of one register with compare-and-set, where a cas that
//! failed proves that the value differed, or EDN events of a map of strings with append, put and
//! get. One line comes out: the answers of all files, the seconds of the fastest of N rounds over
//! all of them (reading the files is not counted), and the most memory, in kilobytes, that the
//! process of a file ever had.
//!
//! Each file is checked in a process of its own, because a search can neither be stopped from
//! outside nor be kept from taking all memory otherwise. Where the time or the memory does not
//! suffice, the answer is unknown, and the file is not checked in further rounds.

mod alone;
mod arguments;
mod checkers;
mod objects;
mod parse;

use std::process::ExitCode;

use alone::{ALONE, Alone};
use arguments::Arguments;
use checkers::Verdict;

fn main() -> ExitCode {
    let done = Arguments::parse(std::env::args().skip(1).collect()).and_then(|arguments| {
        match std::env::var_os(ALONE) {
            Some(_) => alone::check(&arguments),
            None => check_all(&arguments),
        }
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

/// Checks every file in a process of its own, and prints the line.
fn check_all(arguments: &Arguments) -> Result<(), String> {
    let answers = arguments
        .files
        .iter()
        .map(|file| alone::start(arguments, file))
        .collect::<Result<Vec<Alone>, String>>()?;
    let count =
        |verdict: Verdict| answers.iter().filter(|answer| answer.verdict() == verdict).count();
    let best = (0..arguments.repeat)
        .map(|round| answers.iter().map(|answer| answer.seconds(round)).sum())
        .fold(f64::MAX, f64::min);
    println!(
        "valid {} invalid {} unknown {} seconds {best:.6} kilobytes {}",
        count(Verdict::Valid),
        count(Verdict::Invalid),
        count(Verdict::Unknown),
        answers.iter().map(|answer| answer.kilobytes).max().unwrap_or(0),
    );
    Ok(())
}

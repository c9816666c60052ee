//! Other checkers, for comparison: programs of their own that read the same recorded files.
//!
//! They are built from folders below `benches/peers` into the temporary folder, and print
//! `valid V invalid I unknown U seconds S kilobytes K`.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Measured;

/// A program and the checkers that are in it.
struct Program {
    /// Below `benches/peers`.
    folder: &'static str,
    /// What builds it, to be run in its folder, and the file that comes of it. Given is a folder
    /// for everything that is made.
    build: fn(&Path) -> (Command, PathBuf),
    checkers: &'static [Checker],
}

#[derive(Debug, Clone, Copy)]
struct Checker {
    name: &'static str,
    /// What chooses it.
    options: &'static [&'static str],
    /// Seconds for a single file, and for each of many. Beyond, the answer is unknown.
    patience: (u32, u32),
}

const PROGRAMS: [Program; 2] = [
    Program {
        folder: "porcupine",
        build: with_go,
        checkers: &[Checker { name: "Porcupine", options: &[], patience: (60, 2) }],
    },
    Program {
        folder: "crates",
        build: with_cargo,
        checkers: &[
            Checker {
                name: "porcupine-rs",
                options: &["-checker", "porcupine-rs"],
                patience: (60, 2),
            },
            Checker { name: "todc-utils", options: &["-checker", "todc"], patience: (60, 2) },
            // It forgets what it tried, so it ends at once or not at all.
            Checker { name: "stateright", options: &["-checker", "stateright"], patience: (5, 1) },
        ],
    },
];

fn with_go(made: &Path) -> (Command, PathBuf) {
    let binary = made.join("porcupine");
    let mut command = Command::new("go");
    command.args(["build", "-o"]).arg(&binary);
    (command, binary)
}

fn with_cargo(made: &Path) -> (Command, PathBuf) {
    let target = made.join("target");
    let mut command = Command::new("cargo");
    command.args(["build", "--release", "--locked", "--quiet", "--target-dir"]).arg(&target);
    (command, target.join("release/splitbrain-bench-peers"))
}

/// A checker that is ready to be run.
pub struct Peer {
    checker: Checker,
    binary: PathBuf,
}

/// Builds all programs. Where that is not possible, a line says why, and their checkers are left
/// out.
pub fn build() -> Vec<Peer> {
    let mut peers = Vec::new();
    for program in &PROGRAMS {
        match built(program) {
            Ok(binary) => peers.extend(
                program.checkers.iter().map(|&checker| Peer { checker, binary: binary.clone() }),
            ),
            Err(message) => {
                let names: Vec<&str> =
                    program.checkers.iter().map(|checker| checker.name).collect();
                println!("without {}: {message}", names.join(", "));
            }
        }
    }
    peers
}

fn built(program: &Program) -> Result<PathBuf, String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/peers").join(program.folder);
    let (mut command, binary) = (program.build)(&std::env::temp_dir().join("splitbrain-peers"));
    let tool = command.get_program().to_string_lossy().into_owned();
    let output =
        command.current_dir(folder).output().map_err(|error| format!("{tool}: {error}"))?;
    match output.status.success() {
        true => Ok(binary),
        false => Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
    }
}

/// How a peer is to check files.
#[derive(Debug, Clone, Copy)]
pub struct Task<'a> {
    /// They are checked one after the other.
    pub files: &'a [PathBuf],
    /// A map is not split by key.
    pub whole: bool,
    /// The fastest counts.
    pub rounds: u32,
}

impl Peer {
    /// Runs it, and prints what came out and how that compares with ours.
    pub fn compare(&self, task: Task<'_>, ours: &Measured) {
        match self.run(task) {
            Ok(theirs) => theirs.print(self.checker.name, ours),
            Err(message) => println!("  {}: {message}", self.checker.name),
        }
    }

    fn run(&self, task: Task<'_>) -> Result<Answer, String> {
        let (for_one, for_each) = self.checker.patience;
        let patience = if task.files.len() == 1 { for_one } else { for_each };
        let output = Command::new(&self.binary)
            .args(self.checker.options)
            .args(["-repeat", &task.rounds.to_string(), "-timeout", &patience.to_string()])
            .args(task.whole.then_some("-whole"))
            .args(task.files)
            .output()
            .map_err(|error| error.to_string())?;
        let text = String::from_utf8_lossy(&output.stdout);
        Answer::read(&text)
            .ok_or_else(|| format!("{text}{}", String::from_utf8_lossy(&output.stderr).trim()))
    }
}

/// What a peer printed.
struct Answer {
    valid: u64,
    invalid: u64,
    unknown: u64,
    seconds: f64,
    megabytes: f64,
}

impl Answer {
    fn read(line: &str) -> Option<Answer> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let ["valid", valid, "invalid", invalid, "unknown", unknown, _, seconds, _, kilobytes] =
            words[..]
        else {
            return None;
        };
        Some(Answer {
            valid: valid.parse().ok()?,
            invalid: invalid.parse().ok()?,
            unknown: unknown.parse().ok()?,
            seconds: seconds.parse().ok()?,
            megabytes: kilobytes.parse::<f64>().ok()? / 1024.0,
        })
    }

    /// What is unknown would have taken more.
    fn print(&self, name: &str, ours: &Measured) {
        let Answer { valid, invalid, unknown, seconds, megabytes } = self;
        println!(
            "{:<52} {seconds:>12.6} s {megabytes:>8.1} MB  ({}{:.1} times our time, {:.1} times our \
             memory)",
            format!("  {name} ({valid} valid, {invalid} invalid, {unknown} unknown)"),
            if *unknown > 0 { "more than " } else { "" },
            seconds / ours.seconds,
            megabytes / ours.megabytes
        );
    }
}

//! One file in a process of its own: what starts it and reads its answers, and what it does.
//!
//! The process writes a line for each round, `VERDICT SECONDS`, and last `kilobytes K`.

use std::process::Command;
use std::time::Instant;

use nix::sys::resource::{Resource, UsageWho, getrusage, setrlimit};

use crate::arguments::Arguments;
use crate::checkers::Verdict;
use crate::objects::{Object, Register, StringMap, StringsApart};
use crate::parse::{self, History, Recorded};

/// The variable that tells a process that it has one file and is to check it itself.
pub const ALONE: &str = "SPLITBRAIN_PEER_ALONE";

/// The most memory that such a process may ask for, in bytes.
const MEMORY: u64 = 4 << 30;

/// What came out for one file.
pub struct Alone {
    /// At least one. No more than one is unknown, the last.
    rounds: Vec<(Verdict, f64)>,
    /// The most memory that the process ever had.
    pub kilobytes: i64,
}

impl Alone {
    /// The last answer.
    pub fn verdict(&self) -> Verdict {
        self.rounds[self.rounds.len() - 1].0
    }

    /// What the round took; one that was not run, as much as the last that was.
    pub fn seconds(&self, round: usize) -> f64 {
        self.rounds[round.min(self.rounds.len() - 1)].1
    }
}

/// Checks the file in a new process, all rounds.
///
/// # Errors
///
/// A sentence, if the process cannot be started, or says that it cannot check the file. That it
/// was killed, or ran out of memory, is not an error but an unknown answer.
pub fn start(arguments: &Arguments, file: &str) -> Result<Alone, String> {
    let this = std::env::current_exe().map_err(|error| error.to_string())?;
    let start = Instant::now();
    let output = Command::new(this)
        .env(ALONE, "")
        .args(&arguments.options)
        .arg(file)
        .output()
        .map_err(|error| error.to_string())?;
    let elapsed = start.elapsed().as_secs_f64();
    // What fails to get memory, or has no stack left, ends by a signal and so has no code.
    if output.status.code().is_some_and(|code| code != 0) {
        return Err(format!("{file}: {}", String::from_utf8_lossy(&output.stderr).trim()));
    }
    let (mut rounds, mut kilobytes) = (Vec::new(), None);
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        match line.split_once(' ') {
            Some(("kilobytes", number)) => kilobytes = number.parse().ok(),
            Some((verdict, seconds)) => {
                rounds.extend(Verdict::named(verdict).zip(seconds.parse().ok()));
            }
            None => {}
        }
    }
    if !output.status.success() {
        let before: f64 = rounds.iter().map(|(_, seconds)| seconds).sum();
        rounds.push((Verdict::Unknown, elapsed - before));
    }
    // The dead do not tell, but the kernel remembers the largest process that was waited for.
    let largest = || getrusage(UsageWho::RUSAGE_CHILDREN).map_or(0, |usage| usage.max_rss());
    match rounds.is_empty() {
        true => Err(format!("{file}: no answer")),
        false => Ok(Alone { rounds, kilobytes: kilobytes.unwrap_or_else(largest) }),
    }
}

/// Checks the first file in this process, and prints the answers.
///
/// # Errors
///
/// A sentence, if memory cannot be limited, or the file not be read.
pub fn check(arguments: &Arguments) -> Result<(), String> {
    setrlimit(Resource::RLIMIT_AS, MEMORY, MEMORY).map_err(|error| error.to_string())?;
    match parse::read(&arguments.files[0])? {
        History::Register(history) => rounds::<Register>(arguments, &history),
        History::Strings(history) if arguments.whole => rounds::<StringMap>(arguments, &history),
        History::Strings(history) => rounds::<StringsApart>(arguments, &history),
    }
    println!("kilobytes {}", peak_kilobytes());
    Ok(())
}

fn rounds<O: Object>(arguments: &Arguments, history: &[Recorded<O::Operation>]) {
    for _ in 0..arguments.repeat {
        let task = arguments.checker.task::<O>(history, arguments.timeout);
        let start = Instant::now();
        let verdict = task();
        println!("{} {}", verdict.name(), start.elapsed().as_secs_f64());
        if verdict == Verdict::Unknown {
            // Its threads may still be running.
            return;
        }
    }
}

/// The most memory that this process ever had; 0 where Linux does not say.
fn peak_kilobytes() -> i64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse().ok()).unwrap_or(0)
}

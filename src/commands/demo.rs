//! `splitbrain demo`: the reference cluster in every mode, one table, one page.
//!
//! Each mode is a `splitbrain run` of its own in a sandbox of its own, several at once where the
//! cores allow.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, IsTerminal};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{ChildStderr, Command, Stdio};
use std::sync::{Mutex, PoisonError};

use indicatif::{MultiProgress, ProgressBar};
use nix::errno::Errno;
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::Signal;
use nix::unistd::Pid;
use splitbrain_checkers::verdict::Kind as VerdictKind;

use super::{fault, refuse};
use crate::cli::DemoArguments;
use crate::conclude::Summary;
use crate::exit::Exit;
use crate::progress::{self, Update};
use crate::report::demo::{DemoRow, page, table};

/// A mode of the reference cluster with the verdict that its design has to get.
struct Mode {
    name: &'static str,
    workload: &'static str,
    expected: VerdictKind,
    /// The design, and what follows from it.
    explanation: &'static str,
}

/// The modes in the order of the table.
const MODES: &[Mode] = &[
    Mode {
        name: "single",
        workload: "single",
        expected: VerdictKind::SingleCopy,
        explanation: "One node holds the only copy. There is nothing to partition, so CAP says \
                      nothing of it.",
    },
    Mode {
        name: "primary-sync",
        workload: "demo",
        expected: VerdictKind::CHalts,
        explanation: "The primary waits for every replica before it acknowledges. Consistent, \
                      and any cut stops all writes on both sides.",
    },
    Mode {
        name: "primary-async",
        workload: "demo",
        expected: VerdictKind::Mixed,
        explanation: "The primary acknowledges first and replicates later, replicas answer reads. \
                      Everyone can read, stale; only the primary's side can write.",
    },
    Mode {
        name: "failover-async",
        workload: "demo",
        expected: VerdictKind::Neither,
        explanation: "As primary-async, and the majority elects a new primary while the old one \
                      goes on: two primaries, and acknowledged writes are lost when they meet.",
    },
    Mode {
        name: "majority",
        workload: "demo",
        expected: VerdictKind::CP,
        explanation: "Raft, reads through the leader's read index. The majority works on, the \
                      minority refuses.",
    },
    Mode {
        name: "majority-local-reads",
        workload: "demo",
        expected: VerdictKind::Mixed,
        explanation: "Raft, reads from each node's own state: readable everywhere, stale on the \
                      cut side, writable with the majority.",
    },
    Mode {
        name: "quorum",
        workload: "demo-without-cas",
        expected: VerdictKind::Neither,
        explanation: "Two of three replicas for a write, two for a read, no read repair. R + W > N \
                      and still not linearizable: a write that reached only the cut node appears \
                      and disappears.",
    },
    Mode {
        name: "gossip-lww",
        workload: "demo-without-cas",
        expected: VerdictKind::AP,
        explanation: "Every node answers everything, the last write wins when they meet again, \
                      and the others are lost.",
    },
];

/// A mode that has been run.
struct Finished {
    position: usize,
    outcome: Result<DemoRow, String>,
}

pub fn demo(arguments: &DemoArguments) -> Exit {
    let modes = match chosen(&arguments.mode) {
        Ok(modes) => modes,
        Err(what) => return refuse(what),
    };
    let seed = arguments.seed.unwrap_or_else(|| rand::random::<u32>().into());
    let at_once = arguments.at_once.unwrap_or_else(|| {
        // Half of a core is enough for a mode: its clients are paced.
        2 * std::thread::available_parallelism().map_or(1, usize::from)
    });
    let results = match std::fs::create_dir_all(&arguments.results)
        .and_then(|()| arguments.results.canonicalize())
    {
        Ok(results) => results,
        Err(error) => return refuse(format!("{}: {error}", arguments.results.display())),
    };
    let mut finished = play(&modes, at_once.max(1), seed, &results);
    finished.sort_by_key(|finished| finished.position);
    conclude(finished, seed, &results, arguments.json)
}

/// The modes that were asked for, or all.
fn chosen(names: &[String]) -> Result<Vec<&'static Mode>, String> {
    for name in names {
        if !MODES.iter().any(|mode| mode.name == name) {
            let known: Vec<&str> = MODES.iter().map(|mode| mode.name).collect();
            return Err(format!("there is no mode `{name}`; accepted are {}", known.join(", ")));
        }
    }
    let wanted = |mode: &&Mode| names.is_empty() || names.iter().any(|name| name == mode.name);
    Ok(MODES.iter().filter(wanted).collect())
}

/// Runs all modes, `at_once` at a time.
fn play(modes: &[&'static Mode], at_once: usize, seed: u64, results: &Path) -> Vec<Finished> {
    let bars = MultiProgress::new();
    let waiting: Mutex<VecDeque<(usize, &Mode, ProgressBar)>> = Mutex::new(
        modes
            .iter()
            .enumerate()
            .map(|(position, mode)| {
                let bar = bars.add(progress::bar());
                bar.set_prefix(mode.name);
                bar.set_message("waits");
                (position, *mode, bar)
            })
            .collect(),
    );
    let next = || waiting.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
    let worker = || {
        let mut finished = Vec::new();
        while let Some((position, mode, bar)) = next() {
            let outcome = play_one(mode, seed, results, &bar);
            bar.finish_with_message(match &outcome {
                Ok(row) => row.verdict.to_string(),
                Err(_) => "failed".to_string(),
            });
            finished.push(Finished { position, outcome });
        }
        finished
    };
    let finished = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..at_once.min(modes.len())).map(|_| scope.spawn(worker)).collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap_or_default()).collect()
    });
    if std::io::stderr().is_terminal() {
        // Nothing is lost if the bars stay.
        let _ = bars.clear();
    }
    finished
}

/// One mode as a run of its own.
fn play_one(mode: &Mode, seed: u64, results: &Path, bar: &ProgressBar) -> Result<DemoRow, String> {
    let own = results.join("demo").join(mode.name);
    let mut command = Command::new("/proc/self/exe");
    command
        .args(["run", mode.workload, "--target", "reference", "--json", "--progress-json"])
        .args(["--set", &format!("mode={}", mode.name), "--seed", &seed.to_string(), "--results"])
        .arg(&own)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let demo = Pid::this();
    let end_with_the_demo = move || {
        set_pdeathsig(Signal::SIGKILL)?;
        // If it ended before that line the signal never comes.
        if Pid::parent() == demo { Ok(()) } else { Err(Errno::ESRCH.into()) }
    };
    // SAFETY: two system calls. The run ends with the demo, however that ends.
    unsafe { command.pre_exec(end_with_the_demo) };
    let mut child = command.spawn().map_err(|error| error.to_string())?;
    let said = child.stderr.take().map(|stderr| follow(stderr, bar)).unwrap_or_default();
    let output = child.wait_with_output().map_err(|error| error.to_string())?;
    let summary: Summary = serde_json::from_slice(&output.stdout).map_err(|_| said)?;
    Ok(row(mode, summary, results))
}

/// Shows the run's progress; returns whatever else it said.
fn follow(stderr: ChildStderr, bar: &ProgressBar) -> String {
    let mut said = String::new();
    for line in BufReader::new(stderr).lines().map_while(Result::ok) {
        match serde_json::from_str::<Update>(&line) {
            Ok(update) => progress::show(bar, &update),
            Err(_) => {
                said += &line;
                said.push('\n');
            }
        }
    }
    said
}

fn row(mode: &Mode, summary: Summary, results: &Path) -> DemoRow {
    let report = PathBuf::from(&summary.report);
    let report = report.strip_prefix(results).unwrap_or(&report).to_string_lossy().into_owned();
    DemoRow {
        mode: mode.name.into(),
        explanation: mode.explanation.into(),
        expected: mode.expected,
        verdict: summary.kind,
        sentence: summary.sentence,
        violated: summary.violated,
        sides: summary.sides,
        recovery: summary.recovery,
        report,
    }
}

/// Writes the page, prints the table, and says how it ended.
fn conclude(finished: Vec<Finished>, seed: u64, results: &Path, json: bool) -> Exit {
    let mut rows = Vec::new();
    let mut failed = false;
    for finished in finished {
        match finished.outcome {
            Ok(row) => rows.push(row),
            Err(said) => {
                failed = true;
                eprint!("{said}");
            }
        }
    }
    let page_path = results.join("demo.html");
    let date = jiff::Zoned::now().strftime("%Y-%m-%d %H:%M %Z").to_string();
    let written = page(&rows, &date)
        .map_err(|error| error.to_string())
        .and_then(|page| std::fs::write(&page_path, page).map_err(|error| error.to_string()));
    if let Err(error) = written {
        return fault(format!("{}: {error}", page_path.display()));
    }
    if json {
        match serde_json::to_string_pretty(&rows) {
            Ok(text) => println!("{text}"),
            Err(error) => return fault(error),
        }
    } else {
        print!("{}", table(&rows, std::io::stdout().is_terminal()));
        println!("{}  (seed {seed})", page_path.display());
    }
    match (failed, rows.iter().all(DemoRow::as_expected)) {
        (true, _) => Exit::HarnessFault,
        (false, true) => Exit::Valid,
        (false, false) => Exit::Invalid,
    }
}

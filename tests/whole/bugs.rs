//! Every seeded bug of the reference cluster is found, by the command that its README gives, and
//! the same command without the bug does not report it.

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::sync::Mutex;

use crate::support::{self, Run};

const README: &str = include_str!("../../targets/reference/README.md");

/// Clusters at a time: their clients are paced, so two cores are enough for three.
const AT_ONCE: usize = 3;

/// A row of the table of seeded bugs.
struct Row {
    bug: String,
    mode: String,
    /// The arguments behind `splitbrain run`.
    arguments: Vec<String>,
    /// The checks that become invalid.
    invalid: Vec<String>,
    /// What their summaries say then, where the mode itself makes them invalid.
    says: Option<String>,
}

impl Row {
    /// `| bug | mode | what it does | found by | invalid | how it shows |`, of which the last may
    /// begin with what the summary says, in backquotes.
    fn of(line: &str) -> Row {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [bug, mode, _, command, invalid, shows] = cells[..] else {
            panic!("a row of another shape: {line}");
        };
        let command = command.trim_matches('`').strip_prefix("splitbrain run ").expect(command);
        Row {
            bug: bug.trim_matches('`').to_string(),
            mode: mode.trim_matches('`').to_string(),
            arguments: command.split(' ').map(str::to_string).collect(),
            invalid: invalid.split(", ").map(str::to_string).collect(),
            says: shows.strip_prefix('`').map(|rest| rest.split_once('`').expect(line).0.into()),
        }
    }

    /// The same without the bug.
    fn control(&self) -> Vec<String> {
        let bug = format!("bug={}", self.bug);
        let position = self.arguments.iter().position(|argument| *argument == bug).expect(&bug);
        let mut arguments = self.arguments.clone();
        arguments.drain(position - 1..=position);
        arguments
    }

    /// Whether this run reports what the row says.
    fn is_found(&self, run: &Run) -> bool {
        let reported = |check: &String| {
            let says = self.says.as_deref().unwrap_or_default();
            run.finding(check) == "invalid" && run.summary(check).contains(says)
        };
        self.invalid.iter().all(reported)
    }
}

fn rows() -> Vec<Row> {
    README.lines().filter(|line| line.contains(" --set bug=")).map(Row::of).collect()
}

/// Runs all of these, some at a time.
fn run_all(results: &Path, commands: Vec<Vec<String>>) -> BTreeMap<Vec<String>, Run> {
    let waiting = Mutex::new(commands.into_iter().enumerate().collect::<VecDeque<_>>());
    let finished = Mutex::new(BTreeMap::new());
    let worker = || loop {
        let Some((number, arguments)) = waiting.lock().unwrap().pop_front() else { return };
        let own = results.join(number.to_string());
        let (workload, rest) = arguments.split_first().unwrap();
        let rest: Vec<&str> = rest.iter().map(String::as_str).collect();
        let [target, more @ ..] = rest.strip_prefix(&["--target"]).unwrap() else {
            panic!("no target: {rest:?}")
        };
        let run = support::run(&own, workload, target, more);
        finished.lock().unwrap().insert(arguments, run);
    };
    std::thread::scope(|scope| (0..AT_ONCE).for_each(|_| drop(scope.spawn(worker))));
    finished.into_inner().unwrap()
}

#[test]
fn every_seeded_bug_is_found_and_only_where_it_is() {
    let rows = rows();
    assert!(rows.len() >= 17, "the table has {} rows", rows.len());
    let mut commands: Vec<Vec<String>> = rows.iter().map(|row| row.arguments.clone()).collect();
    commands.extend(rows.iter().map(Row::control));
    commands.sort();
    commands.dedup();
    let results = tempfile::tempdir().unwrap();
    let runs = run_all(results.path(), commands);
    let mut wrong = Vec::new();
    for row in &rows {
        let (with, without) = (&runs[&row.arguments], &runs[&row.control()]);
        let name = format!("{} in {}", row.bug, row.mode);
        if with.exit != 1 || !row.is_found(with) {
            wrong.push(format!("{name} is not found: {}", with.story()));
        }
        if row.is_found(without) {
            wrong.push(format!("{name} is reported without the bug: {}", without.story()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

//! `splitbrain check HISTORY --model M`: any recorded history, or every one in a folder.

mod folder;

use std::path::Path;

use splitbrain_checkers::checker::{Checker, Options};
use splitbrain_checkers::clock::Clock;
use splitbrain_checkers::finding::{Finding, Validity};
use splitbrain_checkers::format::{FormatError, Problem, Reading};
use splitbrain_checkers::history::{Function, Operation, Outcome};
use splitbrain_checkers::limits::Limits;
use splitbrain_checkers::registry;

use super::{fault, refuse};
use crate::check::{ReadError, read, run};
use crate::cli::CheckArguments;
use crate::exit::Exit;

/// How many problems of a file are printed; `--json` has all.
const PROBLEMS_SHOWN: usize = 10;

pub fn check(arguments: &CheckArguments) -> Exit {
    let Some(checker) = arguments.model else { return refuse(which_model()) };
    if arguments.history.is_dir() {
        return folder::check(checker, arguments);
    }
    let (reading, finding) = match examine(&arguments.history, checker, arguments) {
        Ok(examined) => examined,
        Err(refusal) => return refuse(format!("{}: {refusal}", arguments.history.display())),
    };
    if arguments.json {
        match serde_json::to_string_pretty(&Answer::new(&reading, &finding)) {
            Ok(text) => println!("{text}"),
            Err(error) => return fault(error),
        }
    } else {
        say(&reading, &finding);
    }
    // The process ends here, and to free millions of operations one by one takes its time.
    std::mem::forget(reading);
    Exit::from(&finding.validity)
}

/// What to say to one who gave no model.
fn which_model() -> String {
    let width = registry::CHECKERS.iter().map(|checker| checker.name.len()).max().unwrap_or(0);
    let lines: String = registry::CHECKERS
        .iter()
        .map(|checker| format!("\n  {:width$}  {}", checker.name, checker.about))
        .collect();
    format!("--model is missing; what should the recorded system have been?{lines}")
}

/// Why there is no finding about a file.
#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error(transparent)]
    File(std::io::Error),
    #[error(transparent)]
    NoHistory(FormatError),
    /// It is a history of something else.
    #[error("{0}")]
    Misfit(String),
}

/// Reads and checks one file, within its limits.
fn examine(
    path: &Path,
    checker: &Checker,
    arguments: &CheckArguments,
) -> Result<(Reading, Finding), Refusal> {
    let reading = read(path).map_err(|error| match error {
        ReadError::File(error) => Refusal::File(error),
        ReadError::Format(error) => Refusal::NoHistory(error),
    })?;
    if let Some(what) = misfit(checker, &reading.history.operations) {
        return Err(Refusal::Misfit(what));
    }
    let options = Options {
        initial: arguments.initial.clone(),
        observe_failed_cas: arguments.observe_failed_cas,
        negative_balances: arguments.negative_balances,
        isolation: arguments.isolation,
        clock: reading.clock,
        limits: Limits { memory_bytes: arguments.memory_limit, ..Limits::default() },
    };
    let finding = run(checker, &reading, &options, arguments.time_limit);
    Ok((reading, finding))
}

/// Why the history cannot be one of what the checker knows.
fn misfit(checker: &Checker, operations: &[Operation]) -> Option<String> {
    let is_known = |operation: &&Operation| {
        operation.f == Function::ReplicaRead || checker.functions.contains(&operation.f.as_str())
    };
    let stranger = operations.iter().find(|operation| !is_known(operation))?;
    let knows = |other: &&Checker| other.functions.contains(&stranger.f.as_str());
    let others: Vec<&str> = registry::CHECKERS.iter().filter(knows).map(|c| c.name).collect();
    let hint = match others[..] {
        [] => String::new(),
        _ => format!("; take --model {}", others.join(" or ")),
    };
    Some(format!(
        "event {}: `{}` does not fit; {} accepts {}{hint}",
        stranger.index,
        stranger.f,
        checker.name,
        checker.functions.join(", "),
    ))
}

/// What `--json` prints.
#[derive(serde::Serialize)]
struct Answer<'a> {
    #[serde(flatten)]
    finding: &'a Finding,
    invocations: usize,
    completions: Completions,
    problems: &'a [Problem],
}

#[derive(serde::Serialize)]
struct Completions {
    ok: usize,
    fail: usize,
    info: usize,
    /// Invocations without any completion.
    open: usize,
}

impl<'a> Answer<'a> {
    fn new(reading: &'a Reading, finding: &'a Finding) -> Answer<'a> {
        let operations = &reading.history.operations;
        Answer {
            finding,
            invocations: operations.len(),
            completions: Completions::of(operations),
            problems: &reading.problems,
        }
    }
}

impl Completions {
    fn of(operations: &[Operation]) -> Completions {
        let mut all = Completions { ok: 0, fail: 0, info: 0, open: 0 };
        for operation in operations {
            *match (operation.complete, operation.outcome) {
                (None, _) => &mut all.open,
                (Some(_), Outcome::Ok) => &mut all.ok,
                (Some(_), Outcome::Fail) => &mut all.fail,
                (Some(_), Outcome::Info) => &mut all.info,
            } += 1;
        }
        all
    }
}

fn say(reading: &Reading, finding: &Finding) {
    let operations = &reading.history.operations;
    let Completions { ok, fail, info, open } = Completions::of(operations);
    for problem in reading.problems.iter().take(PROBLEMS_SHOWN) {
        println!("{problem}");
    }
    if let Some(more) = reading.problems.len().checked_sub(PROBLEMS_SHOWN).filter(|more| *more > 0)
    {
        println!("and {more} more such lines");
    }
    println!(
        "{} invocations: {ok} ok, {fail} fail, {info} info, {open} without completion",
        operations.len()
    );
    println!("{}", finding.summary);
    match &finding.validity {
        Validity::Valid => println!("valid: {}", finding.check),
        Validity::Unknown { reason } => println!("unknown: {reason}"),
        Validity::Invalid { witness } => {
            println!("invalid: not {}\n{}", finding.check, witness.sentence);
            for operation in &witness.operations {
                println!("  {}", line(operation, reading.clock));
            }
            if let Some(instead) = &witness.instead {
                println!("{instead}");
            }
        }
    }
}

/// One operation of a witness: when, who, what.
fn line(operation: &Operation, clock: Clock) -> String {
    let from = clock.instant(operation.invoke);
    let until = operation.complete.map_or("never".into(), |complete| clock.instant(complete));
    let node = operation.node.as_deref().unwrap_or("-");
    format!("{from:>12} to {until:>12}  {node:<4} process {:<4} {operation}", operation.process)
}

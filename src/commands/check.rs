//! `splitbrain check HISTORY --model M`: any recorded history.

use super::{fault, refuse};
use crate::check::{read, run};
use crate::cli::CheckArguments;
use crate::exit::Exit;
use splitbrain_checkers::checker::{Checker, Options};
use splitbrain_checkers::finding::{Finding, Validity};
use splitbrain_checkers::format::Reading;
use splitbrain_checkers::history::{Function, Operation, Outcome};
use splitbrain_checkers::registry;

pub fn check(arguments: &CheckArguments) -> Exit {
    let reading = match read(&arguments.history) {
        Ok(reading) => reading,
        Err(error) => return refuse(format!("{}: {error}", arguments.history.display())),
    };
    if let Some(what) = misfit(arguments.model, &reading.history.operations) {
        return refuse(format!("{}: {what}", arguments.history.display()));
    }
    let finding = run(arguments.model, &reading, &Options::default());
    if arguments.json {
        match serde_json::to_string_pretty(&Answer::new(&reading, &finding)) {
            Ok(text) => println!("{text}"),
            Err(error) => return fault(error),
        }
    } else {
        say(&reading, &finding);
    }
    Exit::from(&finding.validity)
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
    problems: &'a [splitbrain_checkers::format::Problem],
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
        let count = |outcome: Outcome| {
            operations.iter().filter(|o| o.complete.is_some() && o.outcome == outcome).count()
        };
        Completions {
            ok: count(Outcome::Ok),
            fail: count(Outcome::Fail),
            info: count(Outcome::Info),
            open: operations.iter().filter(|operation| operation.complete.is_none()).count(),
        }
    }
}

fn say(reading: &Reading, finding: &Finding) {
    let operations = &reading.history.operations;
    let Completions { ok, fail, info, open } = Completions::of(operations);
    for problem in &reading.problems {
        println!("{problem}");
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
                println!("  {}", line(operation));
            }
            if let Some(instead) = &witness.instead {
                println!("{instead}");
            }
        }
    }
}

/// One operation of a witness: when, who, what.
fn line(operation: &Operation) -> String {
    let until = operation.complete.map_or("never".into(), |complete| complete.to_string());
    let node = operation.node.as_deref().unwrap_or("-");
    format!(
        "{:>12} to {until:>12}  {node:<4} process {:<4} {operation}",
        operation.invoke.to_string(),
        operation.process
    )
}

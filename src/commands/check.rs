//! `splitbrain check HISTORY --model M`: any recorded history.

use super::{fault, refuse};
use crate::check::{linearizable, read};
use crate::cli::{CheckArguments, Model};
use crate::exit::Exit;
use splitbrain_checkers::finding::{Finding, Validity};
use splitbrain_checkers::format::Reading;
use splitbrain_checkers::history::{Function, Operation, Outcome};

pub fn check(arguments: &CheckArguments) -> Exit {
    let reading = match read(&arguments.history) {
        Ok(reading) => reading,
        Err(error) => return refuse(format!("{}: {error}", arguments.history.display())),
    };
    if let Some(what) = misfit(arguments.model, &reading.history.operations) {
        return refuse(format!("{}: {what}", arguments.history.display()));
    }
    let finding = linearizable(&reading);
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

/// Why the history cannot be one of this model.
fn misfit(model: Model, operations: &[Operation]) -> Option<String> {
    let stranger = operations.iter().find(|operation| match operation.f {
        Function::Read | Function::Write | Function::ReplicaRead => false,
        Function::Cas => model == Model::Register,
        Function::Other(_) => true,
    })?;
    let accepted = match model {
        Model::Register => "read and write; for compare-and-set take --model cas-register",
        Model::CasRegister => "read, write and cas",
    };
    Some(format!(
        "event {}: `{}` does not fit; accepted are {accepted}",
        stranger.index, stranger.f
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
        Validity::Valid => println!("valid: linearizable"),
        Validity::Unknown { reason } => println!("unknown: {reason}"),
        Validity::Invalid { witness } => {
            println!("invalid: not linearizable\n{}", witness.sentence);
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

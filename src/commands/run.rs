//! `splitbrain run`: plan, record inside the sandbox, conclude outside of it.

use std::io::IsTerminal;

use nix::sys::signal::Signal;

use super::plan::{planned, programs_present};
use super::{fault, refuse};
use crate::cli::RunArguments;
use crate::conclude::{Conclusion, conclude};
use crate::exit::Exit;
use crate::report::terminal::terminal;
use crate::sandbox::{self, Running, Side};
use crate::session;
use crate::store::RunFolder;

pub fn run(arguments: &RunArguments, verbose: u8) -> Exit {
    let plan = match planned(&arguments.plan) {
        Ok(plan) => plan,
        Err(exit) => return exit,
    };
    if let Err(exit) = programs_present(&plan) {
        return exit;
    }
    let folder = match RunFolder::create(&arguments.results, &plan) {
        Ok(folder) => folder,
        Err(error) => return refuse(format!("{}: {error}", arguments.results.display())),
    };
    let exit_code = if plan.target.is_attached() {
        let exit = session::record(None, &folder, arguments.progress_json, verbose);
        session::end_by_interrupts_again();
        exit as i32
    } else {
        match sandbox::enter() {
            Ok(Side::Inside(inside)) => {
                let exit =
                    session::record(Some(&inside), &folder, arguments.progress_json, verbose);
                std::process::exit(exit as i32);
            }
            Ok(Side::Outside { exit_code }) => exit_code,
            Err(refusal) => return fault(format!("{refusal}\n`splitbrain doctor` says more")),
        }
    };
    // Out here, because the part inside may have been killed.
    Running::remove(folder.path());
    if let Some(exit) = without_verdict(exit_code, &folder) {
        return exit;
    }
    match conclude(&folder, arguments.expect) {
        Ok(conclusion) => say(arguments, &conclusion),
        Err(error) => fault(format!("{}: {error:#}", folder.path().display())),
    }
}

/// Says why there is nothing to conclude from what the part inside recorded, if so.
fn without_verdict(exit_code: i32, folder: &RunFolder) -> Option<Exit> {
    let path = folder.path().display();
    if exit_code == i32::from(session::ENDED_AT_ONCE) {
        eprintln!("splitbrain: ended at once; what was recorded is in {path}");
        return Some(Exit::Unknown);
    }
    if exit_code != Exit::Valid as i32 {
        let why = match Signal::try_from(exit_code - 128) {
            Ok(signal) => format!(": the part inside the sandbox was ended by {signal}"),
            Err(_) => String::new(),
        };
        eprintln!("splitbrain: no verdict{why}; what was recorded is in {path}");
        return Some(Exit::HarnessFault);
    }
    if !folder.has_history() {
        eprintln!("splitbrain: interrupted before the first operation; there is nothing to check");
        return Some(Exit::Unknown);
    }
    None
}

fn say(arguments: &RunArguments, conclusion: &Conclusion) -> Exit {
    if arguments.json {
        match serde_json::to_string_pretty(&conclusion.summary()) {
            Ok(text) => println!("{text}"),
            Err(error) => return fault(error),
        }
    } else if !arguments.progress_json {
        print!("{}", terminal(&conclusion.data, std::io::stdout().is_terminal()));
    }
    conclusion.exit()
}

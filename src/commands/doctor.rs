//! `splitbrain doctor`: what this machine, or a cluster that runs already, allows, and how to mend
//! what it does not.

use super::fault;
use super::plan::attached_target;
use crate::attach;
use crate::cli::DoctorArguments;
use crate::doctor::{Check, Status, examine, render};
use crate::exit::Exit;

pub fn doctor(arguments: &DoctorArguments) -> Exit {
    let checks = match &arguments.target {
        None => examine(),
        Some(file) => match of_a_cluster(file) {
            Ok(checks) => checks,
            Err(exit) => return exit,
        },
    };
    if arguments.json {
        match serde_json::to_string_pretty(&checks) {
            Ok(text) => println!("{text}"),
            Err(error) => return fault(error),
        }
    } else {
        print!("{}", render(&checks));
    }
    if checks.iter().any(|check| check.status == Status::Fail) {
        Exit::Invalid
    } else {
        Exit::Valid
    }
}

fn of_a_cluster(file: &str) -> Result<Vec<Check>, Exit> {
    let target = attached_target(file)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| fault(format!("no runtime: {error}")))?;
    runtime.block_on(attach::examine(&target)).map_err(fault)
}

//! `splitbrain doctor`: what this machine allows, and how to mend what it does not.

use super::fault;
use crate::cli::DoctorArguments;
use crate::doctor::{Status, examine, render};
use crate::exit::Exit;

pub fn doctor(arguments: &DoctorArguments) -> Exit {
    let checks = examine();
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

//! One file per command of the command line.

pub mod check;
pub mod demo;
pub mod doctor;
pub mod heal;
pub mod list;
pub mod plan;
pub mod reference_node;
pub mod report;
pub mod run;
pub mod shell;

use std::fmt::Display;

use crate::exit::Exit;

/// Says what is wrong with arguments or files, on standard error.
fn refuse(what: impl Display) -> Exit {
    eprintln!("splitbrain: {what}");
    Exit::BadArguments
}

/// Says that the harness or the cluster failed, on standard error.
fn fault(what: impl Display) -> Exit {
    eprintln!("splitbrain: {what}");
    Exit::HarnessFault
}

//! Parse, do, exit code.

use std::process::ExitCode;

use clap::Parser;
use splitbrain::cli::{Cli, Command};
use splitbrain::commands;
use splitbrain::exit::Exit;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage(&error).into(),
    };
    // Nothing may start a thread before `run` has entered its sandbox.
    let exit = match cli.command {
        Command::Demo(arguments) => commands::demo::demo(&arguments),
        Command::Run(arguments) => commands::run::run(&arguments, cli.verbose),
        Command::Check(arguments) => commands::check::check(&arguments),
        Command::Report(arguments) => commands::report::report(&arguments),
        Command::Plan(arguments) => commands::plan::plan(&arguments),
        Command::List(arguments) => commands::list::list(&arguments),
        Command::Doctor(arguments) => commands::doctor::doctor(&arguments),
        Command::Heal(arguments) => commands::heal::heal(&arguments),
        Command::Shell(arguments) => commands::shell::shell(&arguments),
        Command::ReferenceNode(arguments) => commands::reference_node::serve(arguments),
    };
    exit.into()
}

/// Prints help, version or what is wrong with the arguments.
fn usage(error: &clap::Error) -> Exit {
    // A closed standard output or error leaves nobody to tell.
    let _ = error.print();
    if error.use_stderr() { Exit::BadArguments } else { Exit::Valid }
}

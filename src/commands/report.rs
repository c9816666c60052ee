//! `splitbrain report DIR`: checks a recorded run again and writes its reports again.

use std::io::IsTerminal;

use super::{fault, refuse};
use crate::cli::ReportArguments;
use crate::conclude::conclude;
use crate::exit::Exit;
use crate::report::terminal::terminal;
use crate::store::RunFolder;

pub fn report(arguments: &ReportArguments) -> Exit {
    let folder = match RunFolder::open(&arguments.run) {
        Ok(folder) => folder,
        Err(error) => return refuse(format!("{}: {error}", arguments.run.display())),
    };
    if !folder.has_history() {
        return refuse(format!("{}: nothing was recorded", folder.path().display()));
    }
    match conclude(&folder, None) {
        Ok(conclusion) => {
            print!("{}", terminal(&conclusion.data, std::io::stdout().is_terminal()));
            conclusion.exit()
        }
        Err(error) => fault(format!("{}: {error:#}", folder.path().display())),
    }
}

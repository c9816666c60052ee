//! `splitbrain shell NODE`: a shell inside a node while a run is up.

use std::path::{Path, PathBuf};

use super::refuse;
use crate::cli::ShellArguments;
use crate::exit::Exit;
use crate::sandbox::{Running, shell as enter};

pub fn shell(arguments: &ShellArguments) -> Exit {
    let run = arguments.run.clone().or_else(|| newest_that_is_up(Path::new("results")));
    let Some(run) = run else {
        return refuse("no run is up under results; name its folder with --run DIR");
    };
    match enter(&run, &arguments.node, arguments.command.clone()) {
        // The command's own exit code is the one that the user wants to see.
        Ok(code) => std::process::exit(code),
        Err(error) => refuse(error),
    }
}

/// The run under `results` that is up and was started last.
fn newest_that_is_up(results: &Path) -> Option<PathBuf> {
    let folders = |path: &Path| -> Vec<PathBuf> {
        let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).filter(|path| !path.is_symlink()).collect()
    };
    folders(results)
        .iter()
        .flat_map(|family| folders(family))
        .filter(|run| Running::read(run).is_ok())
        .max_by_key(|run| Running::path(run).metadata().and_then(|data| data.modified()).ok())
}

//! The folder in which the sessions of this process have their sockets. It vanishes with the
//! process, whatever ends that.

use std::env;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;

/// Begins the folder's name.
const PREFIX: &str = "splitbrain-ssh-";
/// Its standard input ends with the process that started it.
const REMOVE: &str = "trap '' HUP; read -r _; rm -rf -- \"$1\"";

static FOLDER: Mutex<Option<PathBuf>> = Mutex::new(None);

/// That folder, made when it is first asked for.
///
/// # Errors
/// If it cannot be made, or the shell that is to remove it cannot be started.
pub(super) fn folder() -> io::Result<PathBuf> {
    let mut made = FOLDER.lock().expect("nobody panics with it");
    if let Some(folder) = made.as_ref() {
        return Ok(folder.clone());
    }
    // Not in the home folder, whose path may be too long for a socket.
    let folder = tempfile::Builder::new().prefix(PREFIX).tempdir_in(env::temp_dir())?;
    remove_after_us(folder.path())?;
    Ok(made.insert(folder.keep()).clone())
}

fn remove_after_us(folder: &Path) -> io::Result<()> {
    let mut shell = Command::new("sh");
    shell.args(["-c", REMOVE, "remove"]).arg(folder);
    shell.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    // What ends us by the terminal must not end it.
    let mut started = shell.process_group(0).spawn()?;
    let pipe = started.stdin.take().expect("a pipe, as asked for");
    // Open until the end of this process, which is the signal.
    std::mem::forget(pipe);
    Ok(())
}

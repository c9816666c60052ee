//! Root's rights on this host.

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;

use nix::unistd::geteuid;
use tokio::process::Command;

use super::{AccessError, Output, program};
use crate::sandbox::system_program;

const SUDO: [&str; 2] = ["sudo", "-n"];
const MEND: &str = "run `sudo -v` first, or run splitbrain itself with sudo; `splitbrain plan` shows what \
                    is run as root";
/// What an ordinary user's PATH often lacks.
const SYSTEM_FOLDERS: [&str; 3] = ["/usr/local/sbin", "/usr/sbin", "/sbin"];

/// The words that run `command` as root on this host: as it is for root, by `sudo -n` for
/// everybody else.
pub fn as_root(command: &[impl AsRef<str>]) -> Vec<String> {
    let sudo: &[&str] = if geteuid().is_root() { &[] } else { &SUDO };
    let words = command.iter().map(AsRef::as_ref);
    sudo.iter().copied().chain(words).map(ToString::to_string).collect()
}

/// Runs a program of this host as root. `machine` is for messages. A program that does not exist
/// has the exit code 127, as in a shell.
///
/// # Errors
/// If sudo does not let us, or if the program cannot be started for another reason.
pub(super) async fn run_as_root(
    machine: &str,
    command: &[impl AsRef<str>],
    input: &[u8],
) -> Result<Output, AccessError> {
    let by_sudo = !geteuid().is_root();
    let no_rights = |reason: String| AccessError::NoRights {
        machine: machine.to_string(),
        reason,
        mend: MEND.to_string(),
    };
    let words = as_root(command);
    let program = system_program(&words[0]);
    if program.is_relative() {
        if by_sudo {
            return Err(no_rights("the program sudo is missing".to_string()));
        }
        let stderr = format!("{}: command not found\n", words[0]).into_bytes();
        return Ok(Output { status: 127, stdout: Vec::new(), stderr });
    }
    let mut started = Command::new(program);
    // Sudo's complaints are read, so they have to be in English.
    started.args(&words[1..]).env("PATH", search_path()).env("LC_ALL", "C");
    let output = program::run(&mut started, input).await.map_err(|error| AccessError::Failed {
        machine: machine.to_string(),
        command: words[0].clone(),
        complaint: format!("it cannot be started: {error}"),
    })?;
    match refusal(&output) {
        Some(reason) if by_sudo => Err(no_rights(reason)),
        _ => Ok(output),
    }
}

/// What sudo said if it did not run the program; `None` if it did, or if there is no such program.
pub(super) fn refusal(output: &Output) -> Option<String> {
    if output.status != 1 {
        return None;
    }
    let text = String::from_utf8_lossy(&output.stderr);
    // Of this sudo only warns.
    let is_warning = |line: &str| line.is_empty() || line.contains("unable to resolve host");
    let complaint = text.lines().map(str::trim).find(|line| !is_warning(line))?;
    let of_sudo = ["sudo: ", "sudo-rs: ", "Sorry, user "];
    let refused = of_sudo.iter().any(|beginning| complaint.starts_with(beginning))
        || complaint.contains(" is not in the sudoers file");
    (refused && !complaint.ends_with("command not found")).then(|| complaint.to_string())
}

/// PATH with the folders of the system's programs, for what a program itself starts.
fn search_path() -> OsString {
    let path = env::var_os("PATH").unwrap_or_else(|| "/usr/bin:/bin".into());
    let folders = env::split_paths(&path).chain(SYSTEM_FOLDERS.map(PathBuf::from));
    env::join_paths(folders).expect("folders that were split at colons have none")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(status: i32, stderr: &str) -> Output {
        Output { status, stdout: Vec::new(), stderr: stderr.into() }
    }

    #[test]
    fn a_refusal_of_sudo_is_told_from_a_program_that_fails() {
        for refused in [
            "sudo: a password is required\n",
            "sudo: unable to resolve host db2: Name or service not known\nsudo: a password is required\n",
            "sudo-rs: I'm sorry admin. I'm afraid I can't do that\n",
            "Sorry, user admin is not allowed to execute '/usr/bin/env' as root on db2.\n",
            "admin is not in the sudoers file.\n",
        ] {
            let reason = refusal(&said(1, refused)).expect(refused);
            assert!(!reason.contains('\n') && !reason.contains("resolve"), "{reason}");
        }
        for ran in [
            "",
            "iptables: No chain/target/match by that name.\n",
            "sudo: unable to resolve host db2: Name or service not known\n",
            "sudo: iptables: command not found\n",
        ] {
            assert_eq!(refusal(&said(1, ran)), None);
        }
        assert_eq!(refusal(&said(5, "sudo: a password is required\n")), None);
    }

    #[test]
    fn programs_of_the_system_are_found() {
        let path = search_path();
        assert!(env::split_paths(&path).any(|folder| folder == *"/usr/sbin"));
    }
}

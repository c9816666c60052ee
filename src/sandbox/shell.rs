//! A command inside a node of a run that is up, started from another terminal.
//!
//! The run leaves a note in its results folder, [`Running`], for as long as it lasts.

use std::ffi::CString;
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use nix::errno::Errno;
use nix::sched::{CloneFlags, setns};
use nix::sys::signal::{SigHandler, Signal, signal};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, Gid, Pid, Uid, execvp, fork, setgid, setuid};
use serde::{Deserialize, Serialize};
use splitbrain_checkers::history::Name;

use super::enter::Inside;
use super::network::HOSTS;
use super::node::NodeEntry;

/// How to find the sandbox of a run that is up: `running.json` in its results folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Running {
    /// Process id of the sandbox's pid 1, as seen from where the run was started.
    pub pid: i32,
    /// When that process began, in the kernel's ticks: tells it from a later one with its id.
    pub started_ticks: u64,
    pub nodes: Vec<Name>,
}

/// Why no command could be started inside a node.
#[derive(Debug, thiserror::Error)]
pub enum ShellError {
    #[error("no run is up in {0}: there is no running.json; a shell is for while a run goes on")]
    NotRunning(PathBuf),
    #[error("the run in {0} has ended; a shell is for while a run goes on")]
    Ended(PathBuf),
    #[error("there is no node {node:?}; this run has {}", .nodes.join(", "))]
    NoSuchNode { node: String, nodes: Vec<Name> },
    #[error("{0} is not a note of a run: {1}")]
    Malformed(PathBuf, serde_json::Error),
    #[error("cannot enter the run's {0}: {1}; it was started by another user, or is ending")]
    Enter(&'static str, io::Error),
    #[error("cannot run {0}: {1}")]
    Exec(String, io::Error),
    #[error("{0}: {1}")]
    Io(PathBuf, io::Error),
}

impl Running {
    /// The note for this sandbox.
    ///
    /// # Errors
    /// If /proc cannot be read.
    pub fn of(inside: &Inside, nodes: Vec<Name>) -> io::Result<Running> {
        // Pid 1 of the sandbox, from inside; its start is the same number everywhere.
        let started_ticks =
            started_ticks(1).ok_or_else(|| io::Error::other("/proc/1/stat cannot be read"))?;
        Ok(Running { pid: inside.outer_pid(), started_ticks, nodes })
    }

    /// Where the note is.
    pub fn path(run_dir: &Path) -> PathBuf {
        run_dir.join("running.json")
    }

    /// Leaves the note.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn write(&self, run_dir: &Path) -> io::Result<()> {
        let text = serde_json::to_vec(self).expect("plain data");
        File::create(Running::path(run_dir))?.write_all(&text)
    }

    /// Takes the note away, at the end of the run. One that stays does no harm: it is told apart
    /// when it is read.
    pub fn remove(run_dir: &Path) {
        let _ = fs::remove_file(Running::path(run_dir));
    }

    /// Reads the note of a run that is up.
    ///
    /// # Errors
    /// If there is none, or the run that left it is over.
    pub fn read(run_dir: &Path) -> Result<Running, ShellError> {
        let path = Running::path(run_dir);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(ShellError::NotRunning(run_dir.to_path_buf()));
            }
            Err(error) => return Err(ShellError::Io(path, error)),
        };
        let running: Running =
            serde_json::from_slice(&text).map_err(|error| ShellError::Malformed(path, error))?;
        if started_ticks(running.pid) != Some(running.started_ticks) {
            return Err(ShellError::Ended(run_dir.to_path_buf()));
        }
        Ok(running)
    }
}

/// Runs `command` (the user's $SHELL if empty) inside a node of the run whose results are in
/// `run_dir`, and waits for it. Returns its exit code, 128 + signal if a signal ended it.
///
/// For a process with one thread that ends afterwards: it has entered the sandbox's namespaces.
///
/// # Errors
/// If no run is up there, there is no such node, or the command cannot be started.
pub fn shell(run_dir: &Path, node: &str, command: Vec<String>) -> Result<i32, ShellError> {
    let running = Running::read(run_dir)?;
    let Some(name) = running.nodes.iter().find(|name| &***name == node) else {
        return Err(ShellError::NoSuchNode { node: node.to_string(), nodes: running.nodes });
    };
    let directory = std::env::current_dir().ok();
    enter_sandbox(running.pid)?;
    let path = format!("/run/netns/{name}");
    let namespace = File::open(&path).map_err(|error| ShellError::Io(path.into(), error))?;
    let entry = NodeEntry {
        network: Arc::new(namespace.into()),
        hosts: CString::new(HOSTS).expect("a constant without a zero byte"),
        host_name: Box::from(&**name),
    };
    // SAFETY: one thread, as the contract says. The pid namespace begins with the child.
    match unsafe { fork() }.map_err(|errno| ShellError::Enter("process table", errno.into()))? {
        ForkResult::Parent { child } => Ok(wait_for(child)),
        ForkResult::Child => {
            let error = become_command(&entry, directory.as_deref(), command);
            eprintln!("splitbrain: {error}");
            std::process::exit(127)
        }
    }
}

/// All but the network, which is the node's.
fn enter_sandbox(pid: i32) -> Result<(), ShellError> {
    const SPACES: [(&str, &str, CloneFlags); 5] = [
        ("user", "user namespace", CloneFlags::CLONE_NEWUSER),
        ("ipc", "IPC namespace", CloneFlags::CLONE_NEWIPC),
        ("uts", "UTS namespace", CloneFlags::CLONE_NEWUTS),
        ("pid", "pid namespace", CloneFlags::CLONE_NEWPID),
        ("mnt", "mount namespace", CloneFlags::CLONE_NEWNS),
    ];
    let mut opened: Vec<(OwnedFd, &'static str, CloneFlags)> = Vec::new();
    for (file, what, flag) in SPACES {
        let path = format!("/proc/{pid}/ns/{file}");
        // One's own user namespace cannot be entered again: root's run may have none.
        if fs::read_link(&path).ok() == fs::read_link(format!("/proc/self/ns/{file}")).ok() {
            continue;
        }
        let file = File::open(path).map_err(|error| ShellError::Enter(what, error))?;
        opened.push((file.into(), what, flag));
    }
    for (file, what, flag) in opened {
        setns(file.as_fd(), flag).map_err(|errno| ShellError::Enter(what, errno.into()))?;
    }
    // Root who enters the sandbox of another user is nobody in it so far.
    if !Uid::effective().is_root() {
        let become_root = setgid(Gid::from_raw(0)).and_then(|()| setuid(Uid::from_raw(0)));
        become_root.map_err(|errno| ShellError::Enter("user ids", errno.into()))?;
    }
    Ok(())
}

/// In the child: does not return unless it fails.
fn become_command(
    entry: &NodeEntry,
    directory: Option<&Path>,
    mut command: Vec<String>,
) -> ShellError {
    if let Err(error) = entry.enter() {
        return ShellError::Enter("node", error);
    }
    // Entering a mount namespace leaves one in its root folder.
    if let Some(directory) = directory {
        let _ = std::env::set_current_dir(directory);
    }
    if command.is_empty() {
        command.push(std::env::var("SHELL").unwrap_or_else(|_| "/bin/sh".to_string()));
    }
    let words: Result<Vec<CString>, _> = command.iter().map(|word| CString::new(&**word)).collect();
    let errno = match &words {
        // Returns only if it failed.
        Ok(words) => execvp(&words[0], words).expect_err("infallible otherwise"),
        Err(_) => Errno::EINVAL,
    };
    ShellError::Exec(command.swap_remove(0), errno.into())
}

/// An interrupt from the terminal is for the command, not for us who wait for it.
fn wait_for(child: Pid) -> i32 {
    for ignored in [Signal::SIGINT, Signal::SIGQUIT] {
        // SAFETY: to ignore a signal runs none of our code.
        let _ = unsafe { signal(ignored, SigHandler::SigIgn) };
    }
    loop {
        match waitpid(child, None) {
            Ok(WaitStatus::Exited(_, code)) => return code,
            Ok(WaitStatus::Signaled(_, signal, _)) => return 128 + signal as i32,
            Ok(_) | Err(Errno::EINTR) => {}
            Err(_) => return 255,
        }
    }
}

/// When a process began, in clock ticks since boot; `None` if there is none, or if it has ended
/// and only waits for somebody to ask for its exit code.
fn started_ticks(pid: i32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    parse_started_ticks(&text)
}

/// Field 22. The second one is the program's name in parentheses, which may hold any character.
fn parse_started_ticks(stat: &str) -> Option<u64> {
    let (_, rest) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    if matches!(*fields.first()?, "Z" | "X") {
        return None;
    }
    fields.get(19)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_start_is_found_behind_any_program_name() {
        let stat = "42 (a) b (c) S 1 42 42 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 987654 1 2 3";
        assert_eq!(parse_started_ticks(stat), Some(987_654));
        assert_eq!(parse_started_ticks(&stat.replace(" S ", " Z ")), None);
        assert_eq!(parse_started_ticks("nonsense"), None);
    }

    #[test]
    fn without_a_run_it_says_so() {
        let dir = tempfile::tempdir().unwrap();
        let error = Running::read(dir.path()).unwrap_err().to_string();
        assert!(error.contains("no run is up"), "{error}");
    }

    #[test]
    fn a_note_that_outlived_its_run_is_told_apart() {
        let dir = tempfile::tempdir().unwrap();
        let own = std::process::id() as i32;
        let note = Running {
            pid: own,
            started_ticks: started_ticks(own).unwrap(),
            nodes: vec!["n1".into()],
        };
        note.write(dir.path()).unwrap();
        assert_eq!(Running::read(dir.path()).unwrap(), note);
        Running { started_ticks: 1, ..note }.write(dir.path()).unwrap();
        let error = Running::read(dir.path()).unwrap_err().to_string();
        assert!(error.contains("has ended"), "{error}");
        Running::remove(dir.path());
        assert!(matches!(Running::read(dir.path()), Err(ShellError::NotRunning(_))));
    }

    #[test]
    fn an_unknown_node_is_answered_with_those_that_exist() {
        let dir = tempfile::tempdir().unwrap();
        let own = std::process::id() as i32;
        let nodes = vec!["n1".into(), "n2".into()];
        let note = Running { pid: own, started_ticks: started_ticks(own).unwrap(), nodes };
        note.write(dir.path()).unwrap();
        let error = shell(dir.path(), "n7", vec![]).unwrap_err().to_string();
        assert_eq!(error, "there is no node \"n7\"; this run has n1, n2");
    }
}

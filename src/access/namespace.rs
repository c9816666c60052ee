//! This host, in the network namespace of a process. Programs and files are this host's: only
//! the network is the other one, so that a container needs no tools of its own.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, FromRawFd, OwnedFd};

use async_trait::async_trait;
use nix::errno::Errno;
use nix::libc;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::rights::run_as_root;
use super::{AccessError, Machine, Output};

/// The network namespace of a process of this host.
#[derive(Debug)]
pub struct NamespaceMachine {
    name: String,
    process: u32,
    /// Tells the process from a later one that gets its id, in whose network nothing must be done.
    handle: Result<OwnedFd, Errno>,
}

impl NamespaceMachine {
    /// The namespace in which that process is. If there is no such process, each run says so.
    pub fn new(name: String, process: u32) -> NamespaceMachine {
        NamespaceMachine { name, process, handle: open_process(process) }
    }

    /// Fails if the process has ended.
    fn still_there(&self) -> Result<(), AccessError> {
        let process = self.process;
        let reason = match &self.handle {
            Ok(handle) if runs(handle) => return Ok(()),
            Ok(_) | Err(Errno::ESRCH) => format!("there is no process {process} any more"),
            Err(errno) => format!("process {process} cannot be watched (pidfd_open): {errno}"),
        };
        Err(AccessError::Unreached { machine: self.name.clone(), reason })
    }
}

#[async_trait]
impl Machine for NamespaceMachine {
    fn name(&self) -> &str {
        &self.name
    }

    async fn run(&self, command: &[&str], input: &[u8]) -> Result<Output, AccessError> {
        self.still_there()?;
        let output = run_as_root(&self.name, &words(self.process, command), input).await?;
        if output.status != 0 {
            // Rather than what nsenter said of a file that is gone.
            self.still_there()?;
        }
        Ok(output)
    }
}

/// The words that run `command` in the network namespace of a process.
pub fn words(process: u32, command: &[&str]) -> Vec<String> {
    let file = format!("--net=/proc/{process}/ns/net");
    let enter = ["nsenter", &file, "--"];
    enter.iter().chain(command).map(ToString::to_string).collect()
}

/// The network namespace of a process, to move into.
///
/// # Errors
/// The system's: there is no such process, or only root may look.
pub fn open(process: u32) -> io::Result<OwnedFd> {
    Ok(File::open(format!("/proc/{process}/ns/net"))?.into())
}

/// A handle of a process, which stays that of this process.
fn open_process(process: u32) -> Result<OwnedFd, Errno> {
    let id = libc::pid_t::try_from(process).map_err(|_| Errno::ESRCH)?;
    // SAFETY: a plain system call.
    let result = Errno::result(unsafe { libc::syscall(libc::SYS_pidfd_open, id, 0) })?;
    // SAFETY: the system call opened it for us alone.
    Ok(unsafe { OwnedFd::from_raw_fd(result as i32) })
}

/// Whether the process of that handle has not ended: then there is something to read.
fn runs(handle: &OwnedFd) -> bool {
    let mut polled = [PollFd::new(handle.as_fd(), PollFlags::POLLIN)];
    poll(&mut polled, PollTimeout::ZERO) == Ok(0)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tokio::process::Command;

    use super::*;

    #[tokio::test]
    async fn its_network_is_that_of_the_process() {
        let own = fs::read_link("/proc/self/ns/net").unwrap();
        let machine = NamespaceMachine::new("n1".to_string(), std::process::id());
        match machine.run(&["readlink", "/proc/self/ns/net"], b"").await {
            Ok(output) => assert_eq!(output.text().unwrap().trim(), own.to_str().unwrap()),
            Err(error) => assert!(matches!(error, AccessError::NoRights { .. }), "{error}"),
        }
    }

    #[tokio::test]
    async fn a_process_that_has_ended_is_said_to_have() {
        let mut child = Command::new("sleep").arg("60").kill_on_drop(true).spawn().unwrap();
        let process = child.id().unwrap();
        let machine = NamespaceMachine::new("n1 (process 7)".to_string(), process);
        assert_eq!(machine.still_there(), Ok(()));
        child.kill().await.unwrap();
        let error = machine.run(&["true"], b"").await.unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("n1 (process 7) cannot be reached: there is no process {process} any more")
        );
    }

    #[test]
    fn the_network_alone_is_entered() {
        let words = words(4711, &["iptables", "-S"]).join(" ");
        assert_eq!(words, "nsenter --net=/proc/4711/ns/net -- iptables -S");
    }
}

//! Ways to reach the machine of a node of a cluster that runs already: one file each.
//!
//! - [`local`]: this host
//! - [`namespace`]: this host, in the network namespace of a process
//! - [`docker`]: the process of a container, which is then reached as a namespace
//! - [`ssh`]: another host
//!
//! Whatever is done to such a machine goes through the trait [`Machine`], with root's rights.

pub mod docker;
pub mod local;
pub mod namespace;
mod program;
mod rights;
pub mod ssh;

use std::net::IpAddr;
use std::sync::Arc;

use async_trait::async_trait;
use nix::sys::signal::Signal;

use crate::plan::Site;

/// What a program on a machine said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// Exit code; 128 + signal if a signal ended it.
    pub status: i32,
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
}

impl Output {
    /// What it printed, if it succeeded.
    ///
    /// # Errors
    /// What it complained of, in one line.
    pub fn text(&self) -> Result<String, String> {
        if self.status == 0 {
            return Ok(String::from_utf8_lossy(&self.stdout).into_owned());
        }
        let complaint = String::from_utf8_lossy(&self.stderr).trim().replace('\n', "; ");
        Err(format!("exit code {} ({complaint})", self.status))
    }
}

/// Why something could not be done on a machine. Each message says what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AccessError {
    #[error("{machine} cannot be reached: {reason}")]
    Unreached { machine: String, reason: String },
    #[error("no right to act as root on {machine}: {reason}\n{mend}")]
    NoRights { machine: String, reason: String, mend: String },
    #[error("`{command}` on {machine}: {complaint}")]
    Failed { machine: String, command: String, complaint: String },
}

/// A machine on which nodes run. Its programs are run as root, in the network namespace of the
/// node where it has one of its own.
#[async_trait]
pub trait Machine: Send + Sync {
    /// For a sentence: `this host`, `n2 (admin@db2 by ssh)`.
    fn name(&self) -> &str;

    /// From which address we log in there and to which port, if so: links to it are never cut.
    fn login(&self) -> Option<(IpAddr, u16)> {
        None
    }

    /// Runs a program to its end. The input is given to it as a whole.
    ///
    /// # Errors
    /// If the machine cannot be reached or does not let us act as root. A program that fails is
    /// no error here: its status says so.
    async fn run(&self, command: &[&str], input: &[u8]) -> Result<Output, AccessError>;

    /// The content of a file there.
    ///
    /// # Errors
    /// As [`Machine::run`], and if it cannot be read.
    async fn read(&self, path: &str) -> Result<Vec<u8>, AccessError> {
        let command = ["cat", "--", path];
        let output = self.run(&command, b"").await?;
        self.succeeded(&command, &output)?;
        Ok(output.stdout)
    }

    /// Writes a file there.
    ///
    /// # Errors
    /// As [`Machine::run`], and if it cannot be written.
    async fn write(&self, path: &str, content: &[u8]) -> Result<(), AccessError> {
        let command = ["sh", "-c", "cat > \"$1\"", "write", path];
        let output = self.run(&command, content).await?;
        self.succeeded(&command, &output)
    }

    /// Sends a signal to a process there.
    ///
    /// # Errors
    /// As [`Machine::run`], and if there is no such process.
    async fn signal(&self, process: u32, signal: Signal) -> Result<(), AccessError> {
        let number = (signal as i32).to_string();
        let process = process.to_string();
        let command = ["kill", "-s", &number, &process];
        let output = self.run(&command, b"").await?;
        self.succeeded(&command, &output)
    }

    /// The complaint of a program that failed.
    ///
    /// # Errors
    /// That complaint.
    fn succeeded(&self, command: &[&str], output: &Output) -> Result<(), AccessError> {
        output.text().map(drop).map_err(|complaint| AccessError::Failed {
            machine: self.name().to_string(),
            command: command.join(" "),
            complaint,
        })
    }
}

/// Opens the machine of a node that runs already.
///
/// # Errors
/// If it cannot be reached.
///
/// # Panics
/// For a node of the sandbox, which has no machine.
pub async fn open(node: &str, site: &Site) -> Result<Arc<dyn Machine>, AccessError> {
    Ok(match site {
        Site::Sandbox(_) => panic!("{node} is brought up by the run"),
        Site::Local { .. } => Arc::new(local::LocalMachine::new()),
        Site::Namespace { process } => Arc::new(namespace::NamespaceMachine::new(
            format!("{node} (process {process})"),
            *process,
        )),
        Site::Docker { container, process } => Arc::new(namespace::NamespaceMachine::new(
            format!("{node} (container {container})"),
            *process,
        )),
        Site::Ssh(host) => Arc::new(ssh::SshMachine::open(node, host).await?),
    })
}

/// The words that run `command` on a node's machine, as `splitbrain plan` shows them.
pub fn command_line(site: &Site, command: &[&str]) -> String {
    let words = match site {
        Site::Sandbox(_) => command.iter().map(ToString::to_string).collect(),
        Site::Local { .. } => rights::as_root(command),
        Site::Namespace { process } | Site::Docker { process, .. } => {
            rights::as_root(&namespace::words(*process, command))
        }
        Site::Ssh(host) => ssh::command_line(host, command),
    };
    words.join(" ")
}

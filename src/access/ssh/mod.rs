//! Another host, by one ssh session that stays open.
//!
//! The crate openssh logs in and keeps the session. Each program is then an `ssh` of its own that
//! is a client of that session, which takes some milliseconds instead of a login.

mod login;
mod sockets;
#[cfg(test)]
mod tests;
mod words;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use openssh::Session;
use tokio::process::Command;
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::rights::refusal;
use super::{AccessError, Machine, Output, program};
use crate::plan::SshHost;
use crate::sandbox::system_program;

pub use words::command_line;

/// How long a login, or a program, may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// Exit code of an `ssh` that lost its session, of a program that ended with it, and of one that
/// a signal ended.
const SSH_FAILED: i32 = 255;

/// A host that is reached by ssh.
///
/// A program that a signal ended has the status 255 here: ssh does not pass the signal on. One
/// that takes too long is left to itself there.
#[derive(Debug)]
pub struct SshMachine {
    name: String,
    host: SshHost,
    session: Mutex<Option<Arc<Session>>>,
    /// From which address the host sees us, and the port there.
    login: Option<(IpAddr, u16)>,
}

impl SshMachine {
    /// Logs in to the host of a node.
    ///
    /// # Errors
    /// If that fails, with ssh's reason.
    pub async fn open(node: &str, host: &SshHost) -> Result<SshMachine, AccessError> {
        let name = format!("{node} ({} by ssh)", words::destination(host));
        let session = Mutex::default();
        let mut machine = SshMachine { name, host: host.clone(), session, login: None };
        // Asked of the shell, for sudo would not pass it on.
        let connection = machine.exchange("echo $SSH_CONNECTION", b"").await?;
        machine.login = login::seen_from(&String::from_utf8_lossy(&connection.stdout));
        Ok(machine)
    }

    /// The open session. A new one if it has ended: what was done to a host has to be undone
    /// also after the network was gone for a while.
    async fn session(&self) -> Result<Arc<Session>, AccessError> {
        let mut held = self.session.lock().await;
        // With a session its socket vanishes.
        if let Some(session) = held.as_ref().filter(|held| held.control_socket().exists()) {
            return Ok(Arc::clone(session));
        }
        let opened = timeout(PATIENCE, login::log_in(&self.host)).await;
        let opened = opened.unwrap_or_else(|_| Err(late()));
        let session = Arc::new(opened.map_err(|reason| self.unreached(reason))?);
        *held = Some(Arc::clone(&session));
        Ok(session)
    }

    /// Has a line run by the host's shell.
    async fn exchange(&self, line: &str, input: &[u8]) -> Result<Output, AccessError> {
        let session = self.session().await?;
        let mut ssh = client_of(&session, line);
        let output = timeout(PATIENCE, program::run(&mut ssh, input))
            .await
            .map_err(|_| self.unreached(late()))?
            .map_err(|error| AccessError::Failed {
                machine: self.name.clone(),
                command: "ssh".to_string(),
                complaint: format!("it cannot be started: {error}"),
            })?;
        if output.status == SSH_FAILED
            && let Err(error) = session.check().await
        {
            self.forget(&session).await;
            return Err(self.unreached(login::cause(&error)));
        }
        Ok(output)
    }

    /// Lets go of a session that does not work any more.
    async fn forget(&self, session: &Arc<Session>) {
        let mut held = self.session.lock().await;
        if held.as_ref().is_some_and(|held| Arc::ptr_eq(held, session)) {
            *held = None;
        }
    }

    fn unreached(&self, reason: impl Into<String>) -> AccessError {
        AccessError::Unreached { machine: self.name.clone(), reason: reason.into() }
    }

    /// If sudo is needed there and does not let us.
    fn refused_by_sudo(&self, output: &Output) -> Option<AccessError> {
        if !self.host.sudo {
            return None;
        }
        let stderr = String::from_utf8_lossy(&output.stderr);
        let is_missing = output.status == 127
            && stderr.lines().any(|line| line.contains("sudo: ") && line.ends_with("not found"));
        let missing = is_missing.then(|| "the program sudo is missing there".to_string());
        let user = self.host.user.as_deref().unwrap_or("the user");
        Some(AccessError::NoRights {
            machine: self.name.clone(),
            reason: refusal(output).or(missing)?,
            mend: format!(
                "let {user} run sudo without a password on {}, or log in as root: \
                 `ssh: {{ user: root }}`",
                self.host.host
            ),
        })
    }
}

#[async_trait]
impl Machine for SshMachine {
    fn name(&self) -> &str {
        &self.name
    }

    fn login(&self) -> Option<(IpAddr, u16)> {
        self.login
    }

    async fn run(&self, command: &[&str], input: &[u8]) -> Result<Output, AccessError> {
        let output = self.exchange(&words::remote_line(&self.host, command), input).await?;
        match self.refused_by_sudo(&output) {
            Some(error) => Err(error),
            None => Ok(output),
        }
    }
}

fn late() -> String {
    format!("no answer within {} s", PATIENCE.as_secs())
}

/// An `ssh` that has a line run by the shell of the session's host.
fn client_of(session: &Session, line: &str) -> Command {
    let mut ssh = Command::new(system_program("ssh"));
    ssh.arg("-S").arg(session.control_socket());
    // The session has been opened with the user's configuration; nothing of it counts here.
    ssh.args(["-F", "none", "-T", "-o", "BatchMode=yes"]);
    // If the session has ended, ssh would log in to the host that is called "none".
    ssh.args(["-o", "ProxyCommand=false", "none", "--", line]);
    ssh
}

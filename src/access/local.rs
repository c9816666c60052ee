//! This host.

use async_trait::async_trait;

use super::rights::run_as_root;
use super::{AccessError, Machine, Output};

const NAME: &str = "this host";

/// This host, in the network namespace in which splitbrain itself is.
#[derive(Debug, Clone, Copy, Default)]
pub struct LocalMachine;

impl LocalMachine {
    pub fn new() -> LocalMachine {
        LocalMachine
    }
}

#[async_trait]
impl Machine for LocalMachine {
    fn name(&self) -> &str {
        NAME
    }

    async fn run(&self, command: &[&str], input: &[u8]) -> Result<Output, AccessError> {
        run_as_root(NAME, command, input).await
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;

    use nix::sys::signal::Signal;
    use nix::unistd::geteuid;

    use super::*;

    /// Without root's rights what is to be had is the message that says so.
    #[tokio::test]
    async fn a_program_runs_as_root_or_it_is_said_how_to_get_there() {
        match LocalMachine::new().run(&["id", "-u"], b"").await {
            Ok(output) => assert_eq!(output.text().unwrap(), "0\n"),
            Err(error) => {
                assert!(!geteuid().is_root(), "{error}");
                assert!(error.to_string().contains("sudo -v"), "{error}");
            }
        }
    }

    #[tokio::test]
    async fn a_signal_reaches_the_process_that_is_named() {
        let mut child = tokio::process::Command::new("sleep").arg("60").spawn().unwrap();
        let process = child.id().unwrap();
        let sent = LocalMachine::new().signal(process, Signal::SIGTERM).await;
        if sent.is_ok() {
            assert_eq!(child.wait().await.unwrap().signal(), Some(Signal::SIGTERM as i32));
            let gone = LocalMachine::new().signal(process, Signal::SIGTERM).await.unwrap_err();
            assert!(matches!(gone, AccessError::Failed { .. }), "{gone}");
        } else {
            assert!(!geteuid().is_root());
            child.kill().await.unwrap();
        }
    }

    #[tokio::test]
    async fn a_program_that_is_missing_is_said_to_be() {
        if let Ok(output) = LocalMachine::new().run(&["no-such-program"], b"").await {
            let complaint = output.text().unwrap_err();
            assert!(complaint.contains("no-such-program: command not found"), "{complaint}");
        }
    }
}

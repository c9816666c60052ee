//! Runs a program of this host to its end.

use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::{ExitStatus, Stdio};

use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use super::Output;

/// Gives it the input as a whole and collects what it says. It is killed if the future is
/// dropped before its end.
///
/// # Errors
/// If it cannot be started, or the system's for a pipe.
pub(super) async fn run(command: &mut Command, input: &[u8]) -> io::Result<Output> {
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        // Ctrl-C is for us, who then take faults out, and must not end what does just that. Still
        // the terminal's session, to which a right of sudo belongs.
        .process_group(0);
    let mut child = command.spawn()?;
    let mut pipe = child.stdin.take().expect("a pipe, as asked for");
    let feed = async move {
        // A program need not read all of it; whether it succeeded is for its status to say.
        let _ = pipe.write_all(input).await;
    };
    let ((), output) = tokio::join!(feed, child.wait_with_output());
    let output = output?;
    Ok(Output { status: code(output.status), stdout: output.stdout, stderr: output.stderr })
}

fn code(status: ExitStatus) -> i32 {
    status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn input_and_both_outputs_go_through_however_long_they_are() {
        let input = vec![b'x'; 1 << 20];
        let output = run(Command::new("sh").args(["-c", "tee /dev/stderr; exit 7"]), &input).await;
        let output = output.unwrap();
        assert_eq!(output.status, 7);
        assert!(output.stdout == input && output.stderr == input);
    }

    #[tokio::test]
    async fn a_program_need_not_read_its_input() {
        let output = run(&mut Command::new("true"), &vec![b'x'; 1 << 20]).await.unwrap();
        assert_eq!(output, Output { status: 0, stdout: vec![], stderr: vec![] });
    }

    #[tokio::test]
    async fn a_signal_is_in_the_status() {
        let output = run(Command::new("sh").args(["-c", "kill -KILL $$"]), b"").await.unwrap();
        assert_eq!(output.status, 128 + 9);
    }
}

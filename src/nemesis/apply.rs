//! Applies planned rules: in every node's network namespace, on all nodes at one instant.
//!
//! An `iptables-restore` per node and family is started first and given everything but the last
//! line, `COMMIT`. They load, parse and wait. At the instant of the fault each is given its last
//! line. So the fault takes effect on all nodes within about a millisecond, whatever the cost of
//! starting a dozen processes on a busy machine.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::os::fd::AsRawFd;
use std::process::{Child, ChildStdin, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use nix::libc;
use splitbrain_checkers::history::Name;

use super::rules::RuleText;
use crate::sandbox::{Family, Network, ask_for_short_slices, system_program};

const COMMIT: &str = "COMMIT\n";
/// How long to wait for the processes to have read what they were given. They need not have for
/// the fault to be correct, only for it to be prompt.
const ARMING: Duration = Duration::from_millis(500);

/// Why rules could not be applied or read.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    #[error("cannot run {program} on {node}: {error}; it is in the package iptables")]
    Start { program: &'static str, node: Name, error: io::Error },
    #[error("{program} on {node} refused our rules: {complaint}")]
    Refused { program: &'static str, node: Name, complaint: String },
    #[error("{program} on {node} printed a line that cannot be read: {line:?}")]
    Unreadable { program: &'static str, node: Name, line: String },
    #[error("after the heal the {family} rules of {node} are still there")]
    StillThere { node: Name, family: &'static str },
}

/// Rules that wait for their last line.
#[must_use = "nothing takes effect before `fire`"]
pub struct Armed {
    processes: Vec<Waiting>,
}

struct Waiting {
    node: Name,
    program: &'static str,
    child: Child,
    input: ChildStdin,
}

/// Starts a process for each text, up to its last line, which has to be `COMMIT`.
///
/// # Errors
/// If a process cannot be started; those that were are ended with nothing applied.
pub fn arm(network: &Network, texts: &[RuleText]) -> Result<Armed, ApplyError> {
    let started = network.in_each_node(|node| {
        // For the processes that are started here.
        ask_for_short_slices();
        let own = texts.iter().filter(|text| text.node == *node);
        own.map(start).collect::<Result<Vec<Waiting>, ApplyError>>()
    });
    let mut processes = Vec::new();
    for node in started {
        processes.extend(node?);
    }
    // In the order of the texts.
    let position = |waiting: &Waiting| {
        texts.iter().position(|text| {
            text.node == waiting.node && restore_command(text.family) == waiting.program
        })
    };
    processes.sort_by_key(position);
    let deadline = Instant::now() + ARMING;
    while processes.iter().any(|waiting| unread(&waiting.input) > 0) && Instant::now() < deadline {
        thread::sleep(Duration::from_millis(1));
    }
    Ok(Armed { processes })
}

impl Armed {
    /// Gives the last line to all, then waits for all. When this returns, everything that was
    /// planned is in effect.
    ///
    /// # Errors
    /// What the first process that failed complained of.
    pub fn fire(mut self) -> Result<(), ApplyError> {
        for waiting in &mut self.processes {
            // If the process is gone, its exit status says why.
            let _ = waiting.input.write_all(COMMIT.as_bytes());
        }
        let mut result = Ok(());
        for Waiting { node, program, child, input } in self.processes {
            drop(input);
            let ended = child.wait_with_output();
            result = result.and(checked(program, &node, ended).map(drop));
        }
        result
    }
}

/// In the thread that is in the node's namespace.
fn start(text: &RuleText) -> Result<Waiting, ApplyError> {
    let program = restore_command(text.family);
    let failed = |error| ApplyError::Start { program, node: text.node.clone(), error };
    let lines = text.text.strip_suffix(COMMIT).expect("every rule text ends with COMMIT");
    let mut child = Command::new(system_program(program))
        .args(["--noflush", "--wait"])
        // Legacy iptables takes a lock with its first line. The nodes do not wait for each other.
        .env("XTABLES_LOCKFILE", format!("/run/xtables-{program}-{}.lock", text.node))
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    let mut input = child.stdin.take().expect("piped");
    // If the process is gone already, its exit status says why.
    let _ = input.write_all(lines.as_bytes());
    Ok(Waiting { node: text.node.clone(), program, child, input })
}

/// Bytes that the reader of the pipe has not taken yet.
fn unread(input: &ChildStdin) -> libc::c_int {
    let mut count = 0;
    // SAFETY: FIONREAD writes one int to the pointer.
    unsafe { libc::ioctl(input.as_raw_fd(), libc::FIONREAD, &raw mut count) };
    count
}

/// What `iptables-save -c` prints on every node, in every family.
///
/// # Errors
/// If it cannot be run.
pub fn save(
    network: &Network,
    families: &[Family],
) -> Result<BTreeMap<(Name, Family), String>, ApplyError> {
    let saved = network.in_each_node(|node| {
        let run = |&family: &Family| {
            let program = saver(family);
            let ended = Command::new(system_program(program)).args(["-c", "-t", "filter"]).output();
            let output = checked(program, node, ended)?;
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            Ok(((node.clone(), family), text))
        };
        families.iter().map(run).collect::<Result<Vec<_>, ApplyError>>()
    });
    let mut texts = BTreeMap::new();
    for node in saved {
        texts.extend(node?);
    }
    Ok(texts)
}

fn checked(
    program: &'static str,
    node: &Name,
    ended: io::Result<Output>,
) -> Result<Output, ApplyError> {
    let start = |error| ApplyError::Start { program, node: node.clone(), error };
    let output = ended.map_err(start)?;
    if output.status.success() {
        return Ok(output);
    }
    let complaint = String::from_utf8_lossy(&output.stderr).trim().replace('\n', "; ");
    let complaint = format!("{} ({complaint})", output.status);
    Err(ApplyError::Refused { program, node: node.clone(), complaint })
}

/// The program that takes the rules of a family.
pub fn restore_command(family: Family) -> &'static str {
    match family {
        Family::Ipv4 => "iptables-restore",
        Family::Ipv6 => "ip6tables-restore",
    }
}

pub(super) fn saver(family: Family) -> &'static str {
    match family {
        Family::Ipv4 => "iptables-save",
        Family::Ipv6 => "ip6tables-save",
    }
}

//! Moves the program into the sandbox: a supervisor outside, a small pid 1 inside, and the
//! controller as pid 2.
//!
//! ```text
//! outside   supervisor: waits, relays signals, returns the controller's exit code
//! inside    pid 1: reaps every orphan, relays signals, ends with the controller
//! inside    pid 2: the controller, for which `enter` returns at once
//! ```
//!
//! For the supervisor `enter` returns when all of it is over.
//!
//! All three are copies of one process made by `fork`, so standard input and output, working
//! directory, environment and process group are the caller's. The end of any of them ends the
//! sandbox: the supervisor's by the parent-death signal of pid 1, the controller's by pid 1's
//! exit, pid 1's by the kernel's rule for pid namespaces.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Write};
use std::mem::MaybeUninit;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::exit;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::libc;
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, kill, sigaction};
use nix::sys::time::TimeSpec;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid, fork, pipe2};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::namespaces::{Copy, split};
use super::refusal::Refusal;

/// What ends or interrupts a program from outside; relayed to the controller.
const RELAYED: [Signal; 4] = [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP, Signal::SIGQUIT];

/// A signal sent to the whole process group reaches controller and supervisor alike; the
/// supervisor's relayed copy of it comes within this time and is dropped.
const SAME_SIGNAL: Duration = Duration::from_millis(100);
const LATE: Duration = Duration::from_millis(20);

/// Proof that this process is the controller of a sandbox.
#[derive(Debug)]
pub struct Inside {
    outer_pid: Pid,
}

impl Inside {
    /// Process id of the sandbox's pid 1 as seen from where the program was started.
    pub fn outer_pid(&self) -> i32 {
        self.outer_pid.as_raw()
    }
}

/// On which side of the sandbox's wall this process is.
#[derive(Debug)]
pub enum Side {
    /// In the sandbox, as its controller: do the work and exit.
    Inside(Inside),
    /// Outside, and the sandbox is gone.
    Outside {
        /// The controller's exit code; 128 + signal if a signal ended it.
        exit_code: i32,
    },
}

/// Enters the sandbox: the process becomes two. One returns at once, inside, as the controller.
/// The other stays outside as its supervisor and returns when the controller has ended and
/// nothing of the sandbox is left.
///
/// An interrupt reaches the controller once, whether it came from the terminal, for the whole
/// process group, or for the supervisor alone.
///
/// Works for an ordinary user, and for root also where user namespaces are forbidden.
///
/// # Errors
/// What was refused, the error number, and what to do about it; the program is then where it
/// was.
///
/// # Panics
/// If the process has more than one thread.
pub fn enter() -> Result<Side, Refusal> {
    let _ = std::io::stdout().flush();
    let mut awaited = SigSet::from_iter(RELAYED);
    awaited.add(Signal::SIGCHLD);
    // Children are waited for: an inherited "ignore" would lose their exit codes.
    let default = SigAction::new(SigHandler::SigDfl, SaFlags::empty(), SigSet::empty());
    // SAFETY: the default action runs none of our code.
    unsafe { sigaction(Signal::SIGCHLD, &default) }
        .map_err(|errno| Refusal::new("a signal handler", errno))?;
    let refused = |errno| Refusal::new("a signal mask", errno);
    let previous = SigSet::thread_get_mask().map_err(refused)?;
    awaited.thread_block().map_err(refused)?;
    match split() {
        Ok(Copy::Outside(child)) => {
            let exit_code = supervise(child.pid, &awaited);
            previous.thread_set_mask().map_err(refused)?;
            Ok(Side::Outside { exit_code })
        }
        // SAFETY: one thread, as `split` checked.
        Ok(Copy::Inside { outer_pid }) => match unsafe { fork() } {
            Ok(ForkResult::Parent { child }) => exit(be_init(child, &awaited)),
            Ok(ForkResult::Child) => {
                previous.thread_set_mask().map_err(refused)?;
                Ok(Side::Inside(Inside { outer_pid }))
            }
            Err(errno) => {
                eprintln!("splitbrain: {}", Refusal::new("a process in the sandbox", errno));
                exit(255)
            }
        },
        Err(refusal) => {
            previous.thread_set_mask().map_err(refused)?;
            Err(refusal)
        }
    }
}

/// Runs `body` as pid 1 of a sandbox of its own and hands back what it returns; nothing of it
/// is left.
///
/// # Errors
/// What was refused; also if `body` panicked (its message is on standard error).
///
/// # Panics
/// If the process has more than one thread.
pub fn throwaway<T: Serialize + DeserializeOwned>(
    body: impl FnOnce(&Inside) -> T,
) -> Result<T, Refusal> {
    let _ = std::io::stdout().flush();
    let (result, answer) =
        pipe2(OFlag::O_CLOEXEC).map_err(|errno| Refusal::new("a pipe", errno))?;
    match split()? {
        Copy::Outside(child) => {
            drop(answer);
            let mut text = Vec::new();
            let _ = File::from(result).read_to_end(&mut text);
            let _ = waitpid(child.pid, None);
            serde_json::from_slice(&text)
                .map_err(|_| Refusal::new("an answer from the sandbox", Errno::EPIPE))
        }
        Copy::Inside { outer_pid } => {
            let value = catch_unwind(AssertUnwindSafe(|| body(&Inside { outer_pid })));
            let text = value.map(|value| serde_json::to_vec(&value).unwrap_or_default());
            let _ = File::from(answer).write_all(&text.unwrap_or_default());
            exit(0)
        }
    }
}

/// Outside: relays signals to pid 1 until it ends. Returns the exit code.
fn supervise(init: Pid, awaited: &SigSet) -> i32 {
    loop {
        match wait_for_signal(awaited) {
            (Signal::SIGCHLD, _) => {
                if let Some(code) = reap(init) {
                    return code;
                }
            }
            (signal, _) => {
                let value = libc::sigval { sival_ptr: std::ptr::null_mut() };
                // Queued, so that pid 1 can tell it from a signal to the whole process group.
                // SAFETY: a plain system call; the value is not used.
                unsafe { libc::sigqueue(init.as_raw(), signal as i32, value) };
            }
        }
    }
}

/// Pid 1: adopts and reaps orphans, relays what the supervisor sends, ends with the controller.
fn be_init(controller: Pid, awaited: &SigSet) -> i32 {
    let mut direct: BTreeMap<Signal, Instant> = BTreeMap::new();
    loop {
        match wait_for_signal(awaited) {
            (Signal::SIGCHLD, _) => {
                if let Some(code) = reap(controller) {
                    return code;
                }
            }
            (signal, libc::SI_QUEUE) => {
                let seen = direct.remove(&signal).is_some_and(|at| at.elapsed() < SAME_SIGNAL);
                // The direct one may also be a moment late.
                if !seen && next_signal(&SigSet::from(signal), Some(LATE)).is_none() {
                    let _ = kill(controller, signal);
                }
            }
            // To the whole process group, so the controller has it too.
            (signal, _) => {
                direct.insert(signal, Instant::now());
            }
        }
    }
}

/// Reaps every child that has ended. The exit code of `of`, if it was among them.
fn reap(of: Pid) -> Option<i32> {
    loop {
        match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::Exited(pid, code)) if pid == of => return Some(code),
            Ok(WaitStatus::Signaled(pid, signal, _)) if pid == of => {
                return Some(128 + signal as i32);
            }
            Ok(WaitStatus::StillAlive) | Err(_) => return None,
            Ok(_) => {}
        }
    }
}

/// Waits for one of the (blocked) signals; also says how it was sent (`si_code`).
fn wait_for_signal(awaited: &SigSet) -> (Signal, i32) {
    loop {
        // None is an interruption (the process was stopped and goes on).
        if let Some(signal) = next_signal(awaited, None) {
            return signal;
        }
    }
}

/// The next of the (blocked) signals and its `si_code`; `None` after `limit` or an interruption.
fn next_signal(awaited: &SigSet, limit: Option<Duration>) -> Option<(Signal, i32)> {
    let limit = limit.map(TimeSpec::from);
    let limit = limit.as_ref().map_or(std::ptr::null(), |limit| std::ptr::from_ref(limit.as_ref()));
    let mut info = MaybeUninit::<libc::siginfo_t>::zeroed();
    // SAFETY: all pointers are valid for the call, or null for "no limit"; `info` is plain data,
    // zeroed before.
    let (number, info) = unsafe {
        let number = libc::sigtimedwait(awaited.as_ref(), info.as_mut_ptr(), limit);
        (number, info.assume_init())
    };
    Signal::try_from(number).ok().map(|signal| (signal, info.si_code))
}

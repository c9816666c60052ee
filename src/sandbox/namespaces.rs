//! Starts a copy of this process as pid 1 of new namespaces, tied to this one's life.
//!
//! What the unsafe calls rely on: there is exactly one thread (checked), so the copy has every
//! lock and every invariant that the original has, as after any `fork`.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::libc;
use nix::mount::{MsFlags, mount};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sched::CloneFlags;
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::Signal;
use nix::sys::wait::waitpid;
use nix::unistd::{Pid, getegid, geteuid, pipe2};

use super::refusal::Refusal;

/// Which copy of the process this is.
pub(super) enum Copy {
    /// The original, outside.
    Outside(Child),
    /// Pid 1 of the sandbox.
    Inside {
        /// Its own process id as the original sees it.
        outer_pid: Pid,
    },
}

/// Pid 1 of a sandbox, as seen from outside.
pub(super) struct Child {
    pub pid: Pid,
    /// Held open for as long as the original lives; its end tells the copy that we are gone.
    _liveness: File,
}

/// Makes the namespaces with a user namespace, or as root without one where that is refused.
/// Returns twice, in the original and in the copy. The refusal is that of the first try.
pub(super) fn split() -> Result<Copy, Refusal> {
    let threads = fs::read_dir("/proc/self/task").map_or(1, Iterator::count);
    assert_eq!(threads, 1, "the sandbox has to be entered before a thread is started");
    match split_with(true) {
        Err(refusal) if refusal.root => split_with(false).map_err(|_| refusal),
        result => result,
    }
}

fn split_with(user_namespace: bool) -> Result<Copy, Refusal> {
    let failed = |errno| Refusal::new("a pipe", errno);
    let (alive, liveness) = pipe2(OFlag::O_CLOEXEC).map_err(failed)?;
    let (complaint, complain) = pipe2(OFlag::O_CLOEXEC).map_err(failed)?;
    match clone_self(user_namespace)? {
        Some(pid) => {
            drop((alive, complain));
            let child = Child { pid, _liveness: File::from(liveness) };
            release(child, complaint, user_namespace).map(Copy::Outside)
        }
        None => {
            drop((liveness, complaint));
            match settle_in(alive) {
                Ok(outer_pid) => Ok(Copy::Inside { outer_pid }),
                Err(refusal) => {
                    let text = serde_json::to_vec(&refusal).expect("a refusal is plain data");
                    // If the original is gone there is nobody left to tell.
                    let _ = File::from(complain).write_all(&text);
                    std::process::exit(1)
                }
            }
        }
    }
}

/// A `fork` whose child is in new namespaces. `None` in the child.
fn clone_self(user_namespace: bool) -> Result<Option<Pid>, Refusal> {
    let mut flags = CloneFlags::CLONE_NEWNS
        | CloneFlags::CLONE_NEWNET
        | CloneFlags::CLONE_NEWPID
        | CloneFlags::CLONE_NEWIPC
        | CloneFlags::CLONE_NEWUTS;
    if user_namespace {
        flags |= CloneFlags::CLONE_NEWUSER;
    }
    let flags = (flags.bits() | libc::SIGCHLD) as libc::c_ulong;
    // SAFETY: without CLONE_VM and without a new stack this is a fork: the child goes on with a
    // copy of this stack. One thread (checked by the caller). The C library's fork is not used
    // because it takes no flags. On s390 the first two arguments are the other way round.
    #[cfg(not(target_arch = "s390x"))]
    let result = unsafe { libc::syscall(libc::SYS_clone, flags, 0, 0, 0, 0) };
    #[cfg(target_arch = "s390x")]
    let result = unsafe { libc::syscall(libc::SYS_clone, 0, flags, 0, 0, 0) };
    let step = if user_namespace {
        "a user, mount, network, pid, IPC and UTS namespace"
    } else {
        "a mount, network, pid, IPC and UTS namespace"
    };
    match Errno::result(result).map_err(|errno| Refusal::new(step, errno))? {
        0 => Ok(None),
        pid => Ok(Some(Pid::from_raw(pid as i32))),
    }
}

/// Outside: gives the copy its user ids and lets it go on, then waits until it has settled in.
fn release(mut child: Child, complaint: OwnedFd, user_namespace: bool) -> Result<Child, Refusal> {
    let mapped = if user_namespace { map_ids(child.pid) } else { Ok(()) };
    if let Err(error) = mapped {
        let refusal = Refusal::new("a map of user ids", errno_of(&error));
        let pid = child.pid;
        drop(child);
        let _ = waitpid(pid, None);
        return Err(refusal);
    }
    // A copy that is gone already shows in what it complained of, below.
    let _ = child._liveness.write_all(&child.pid.as_raw().to_ne_bytes());
    let mut text = Vec::new();
    let read = File::from(complaint).read_to_end(&mut text);
    if read.is_ok() && text.is_empty() {
        return Ok(child);
    }
    let _ = waitpid(child.pid, None);
    Err(serde_json::from_slice(&text)
        .unwrap_or_else(|_| Refusal::new("pid 1 of a pid namespace", Errno::ECHILD)))
}

/// Root keeps every id (so that it can read what others own and servers can change to their own
/// user); anybody else becomes root inside, which is the most that the kernel grants.
fn map_ids(pid: Pid) -> io::Result<()> {
    let file = |name: &str| format!("/proc/{pid}/{name}");
    let identity = |map: &str| -> io::Result<String> {
        let lines = fs::read_to_string(format!("/proc/self/{map}"))?;
        let extent = |line: &str| {
            let mut words = line.split_whitespace();
            let (first, count) = (words.next()?, words.nth(1)?);
            Some(format!("{first} {first} {count}\n"))
        };
        Ok(lines.lines().filter_map(extent).collect())
    };
    if geteuid().is_root()
        && fs::write(file("uid_map"), identity("uid_map")?).is_ok()
        && fs::write(file("gid_map"), identity("gid_map")?).is_ok()
    {
        return Ok(());
    }
    fs::write(file("setgroups"), "deny")?;
    fs::write(file("uid_map"), format!("0 {} 1\n", geteuid()))?;
    fs::write(file("gid_map"), format!("0 {} 1\n", getegid()))
}

/// Inside: ties this process to the life of the original, and makes the mounts. Returns our own
/// process id as the original sees it.
fn settle_in(alive: OwnedFd) -> Result<Pid, Refusal> {
    // The order matters. From the first line on, the death of the original kills us; if it died
    // before that, the pipe has hung up, which the last check sees whenever it happened.
    set_pdeathsig(Signal::SIGKILL)
        .map_err(|errno| Refusal::new("the parent-death signal", errno))?;
    let mut alive = File::from(alive);
    let mut pid = [0; 4];
    if alive.read_exact(&mut pid).is_err() || hung_up(&alive) {
        std::process::exit(1);
    }
    make_mounts()?;
    Ok(Pid::from_raw(i32::from_ne_bytes(pid)))
}

fn hung_up(pipe: &File) -> bool {
    let mut polled = [PollFd::new(pipe.as_fd(), PollFlags::POLLIN)];
    // Nothing is ever written after the process id, so any event is the hang-up.
    poll(&mut polled, PollTimeout::ZERO) != Ok(0)
}

fn make_mounts() -> Result<(), Refusal> {
    const NONE: Option<&str> = None;
    let refused = |step| move |errno| Refusal::new(step, errno);
    mount(NONE, "/", NONE, MsFlags::MS_REC | MsFlags::MS_PRIVATE, NONE)
        .map_err(refused("a private view of mounts"))?;
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    mount(Some("proc"), "/proc", Some("proc"), flags, NONE)
        .map_err(refused("a fresh mount of /proc"))?;
    // NixOS reaches its programs through a symbolic link in /run.
    let links: Vec<(PathBuf, PathBuf)> = fs::read_dir("/run")
        .map(|entries| {
            entries
                .flatten()
                .filter_map(|entry| Some((fs::read_link(entry.path()).ok()?, entry.path())))
                .collect()
        })
        .unwrap_or_default();
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
    mount(Some("splitbrain"), "/run", Some("tmpfs"), flags, Some("mode=0755"))
        .map_err(refused("a tmpfs on /run"))?;
    for (target, link) in links {
        symlink(target, link)
            .map_err(|error| Refusal::new("a symbolic link in /run", errno_of(&error)))?;
    }
    Ok(())
}

fn errno_of(error: &io::Error) -> Errno {
    Errno::from_raw(error.raw_os_error().unwrap_or(0))
}

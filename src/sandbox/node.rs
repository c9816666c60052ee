//! What a child process does between `fork` and `exec` to become a process of a node.

use std::ffi::CString;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, setns, unshare};
use nix::unistd::sethostname;

/// Everything that a child needs to enter a node, made before the fork.
///
/// ```no_run
/// # use std::os::unix::process::CommandExt;
/// # fn start(network: &splitbrain::sandbox::Network) -> std::io::Result<()> {
/// let entry = network.entry("n1");
/// let mut command = std::process::Command::new("sh");
/// // SAFETY: `enter` makes system calls only.
/// unsafe { command.pre_exec(move || entry.enter()) };
/// command.spawn()?;
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct NodeEntry {
    pub(super) network: Arc<OwnedFd>,
    /// A file with the names and addresses of all nodes.
    pub(super) hosts: CString,
    pub(super) host_name: Box<str>,
}

impl NodeEntry {
    /// Enters the node's network namespace, and a mount and a UTS namespace of the caller's own,
    /// with the node's /etc/hosts and host name.
    ///
    /// Async-signal-safe, so it may run between `fork` and `exec` of a process with threads: it
    /// makes system calls only, on what was prepared before; it neither allocates nor locks. For
    /// a process with one thread, or one that is about to become another program: mount and UTS
    /// namespace change for the calling thread only.
    ///
    /// # Errors
    /// The system call's error. `setns` and `mount` fail where the sandbox has ended.
    pub fn enter(&self) -> io::Result<()> {
        setns(self.network.as_fd(), CloneFlags::CLONE_NEWNET)?;
        unshare(CloneFlags::CLONE_NEWNS | CloneFlags::CLONE_NEWUTS)?;
        const NONE: Option<&str> = None;
        mount(Some(self.hosts.as_c_str()), c"/etc/hosts", NONE, MsFlags::MS_BIND, NONE)?;
        sethostname(&*self.host_name)?;
        Ok(())
    }
}

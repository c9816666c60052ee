//! Control groups of version 2, by which processes of one host are told apart.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::support::succeed;

/// Sees to it that they are mounted. Where the machine has not, this does, and takes the mount
/// away with itself.
pub struct Groups {
    mounted: Option<tempfile::TempDir>,
}

impl Groups {
    pub fn new() -> Groups {
        let mounted = mount().is_none().then(|| {
            let folder = tempfile::tempdir().unwrap();
            succeed(Command::new("mount").args(["-n", "-t", "cgroup2", "none"]).arg(folder.path()));
            folder
        });
        Groups { mounted }
    }
}

impl Drop for Groups {
    fn drop(&mut self) {
        if let Some(folder) = &self.mounted {
            let unmounted = Command::new("umount").args(["-n", "-l"]).arg(folder.path()).status();
            assert!(unmounted.is_ok_and(|status| status.success()), "a mount is left");
        }
    }
}

/// Where they are mounted; `None` if nowhere.
pub fn mount() -> Option<PathBuf> {
    let mounts = fs::read_to_string("/proc/mounts").unwrap();
    let mount = mounts.lines().find(|line| line.contains(" cgroup2 "))?;
    mount.split(' ').nth(1).map(PathBuf::from)
}

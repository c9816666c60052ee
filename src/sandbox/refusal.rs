//! Why this machine would not let us make a sandbox, and what its owner can do about it.

use std::fmt;
use std::fs;

use nix::errno::Errno;
use serde::{Deserialize, Serialize};

/// A step on the way into the sandbox that the kernel refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// What was tried, as a noun: `a mount of /proc`.
    pub step: String,
    /// The kernel's error number.
    pub errno: i32,
    /// Whether the caller was root.
    pub root: bool,
    /// The settings of this machine that decide about it.
    pub facts: Facts,
}

/// Kernel settings that forbid user namespaces; `None` where the kernel does not have them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// Debian's kernel.unprivileged_userns_clone: 0 forbids.
    pub unprivileged_userns_clone: Option<String>,
    /// user.max_user_namespaces: 0 forbids.
    pub max_user_namespaces: Option<String>,
    /// Ubuntu's kernel.apparmor_restrict_unprivileged_userns: 1 takes their capabilities away.
    pub apparmor_restrict: Option<String>,
}

impl Facts {
    /// Reads the settings of this machine.
    pub fn read() -> Facts {
        let setting = |name: &str| {
            let text = fs::read_to_string(format!("/proc/sys/{}", name.replace('.', "/")));
            text.ok().map(|text| text.trim().to_string())
        };
        Facts {
            unprivileged_userns_clone: setting("kernel.unprivileged_userns_clone"),
            max_user_namespaces: setting("user.max_user_namespaces"),
            apparmor_restrict: setting("kernel.apparmor_restrict_unprivileged_userns"),
        }
    }

    /// The commands that lift what is forbidden by settings; empty if no setting forbids it.
    pub fn mend(&self) -> Vec<String> {
        let mut commands = Vec::new();
        if self.unprivileged_userns_clone.as_deref() == Some("0") {
            commands.push("sudo sysctl -w kernel.unprivileged_userns_clone=1".to_string());
        }
        if self.max_user_namespaces.as_deref() == Some("0") {
            commands.push("sudo sysctl -w user.max_user_namespaces=15000".to_string());
        }
        if self.apparmor_restrict.as_deref() == Some("1") {
            commands
                .push("sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0".to_string());
        }
        commands
    }
}

impl Refusal {
    pub(super) fn new(step: &str, errno: Errno) -> Refusal {
        Refusal {
            step: step.to_string(),
            errno: errno as i32,
            root: nix::unistd::geteuid().is_root(),
            facts: Facts::read(),
        }
    }

    /// What to do about it, in one or two sentences.
    pub fn mend(&self) -> String {
        let mut commands = self.facts.mend();
        if self.root {
            commands.clear();
        }
        let settings = if !commands.is_empty() {
            format!("A kernel setting forbids it; to allow it: {}", commands.join(" && "))
        } else if self.errno == Errno::ENOSPC as i32 {
            "The limit on namespaces is reached; to raise it: sudo sysctl -w \
             user.max_user_namespaces=15000 user.max_net_namespaces=15000"
                .to_string()
        } else if self.step.contains("/proc") {
            "In a container /proc is often masked; start it with --security-opt \
             systempaths=unconfined, or --privileged"
                .to_string()
        } else {
            "Inside a container, start it with --privileged (or --security-opt \
             seccomp=unconfined --security-opt apparmor=unconfined)"
                .to_string()
        };
        if self.root { format!("{settings}.") } else { format!("{settings}. Or run it with sudo.") }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let errno = Errno::from_raw(self.errno);
        write!(
            f,
            "this machine does not let us make a sandbox: {} was refused: {} ({errno:?}). {}",
            self.step,
            errno.desc(),
            self.mend()
        )
    }
}

impl std::error::Error for Refusal {}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(errno: Errno, step: &str, root: bool, facts: Facts) -> Refusal {
        Refusal { step: step.to_string(), errno: errno as i32, root, facts }
    }

    #[test]
    fn a_forbidding_setting_is_named_with_its_command() {
        let facts = Facts {
            apparmor_restrict: Some("1".into()),
            max_user_namespaces: Some("0".into()),
            ..Facts::default()
        };
        let text = refusal(Errno::EACCES, "a private view of mounts", false, facts).to_string();
        assert!(text.contains("a private view of mounts was refused"), "{text}");
        assert!(text.contains("EACCES"), "{text}");
        assert!(text.contains("kernel.apparmor_restrict_unprivileged_userns=0"), "{text}");
        assert!(text.contains("user.max_user_namespaces=15000"), "{text}");
        assert!(text.ends_with("Or run it with sudo."), "{text}");
    }

    #[test]
    fn settings_that_allow_it_are_not_blamed() {
        let facts = Facts {
            unprivileged_userns_clone: Some("1".into()),
            max_user_namespaces: Some("96365".into()),
            apparmor_restrict: Some("0".into()),
        };
        assert_eq!(facts.mend(), Vec::<String>::new());
        let text = refusal(Errno::EPERM, "a user namespace", false, facts).to_string();
        assert!(text.contains("--privileged"), "{text}");
        assert!(!text.contains("sysctl"), "{text}");
    }

    #[test]
    fn root_is_not_told_to_become_root() {
        let text = refusal(Errno::EPERM, "a fresh /proc", true, Facts::default()).to_string();
        assert!(text.contains("systempaths=unconfined"), "{text}");
        assert!(!text.contains("sudo"), "{text}");
    }

    #[test]
    fn a_reached_limit_is_told_apart() {
        let text = refusal(Errno::ENOSPC, "a user namespace", false, Facts::default()).to_string();
        assert!(text.contains("limit on namespaces"), "{text}");
    }
}

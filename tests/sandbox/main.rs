//! The sandbox, the prober and the nemesis on this machine's kernel, from outside.
//!
//! A harness of its own: the sandbox has to be entered before a thread is started, so every
//! scenario runs in a process of its own, `sandbox --scenario NAME`, and the checks look at its
//! output, its exit code and what is left of it. Run by root, everything is done once as root
//! and once more as an ordinary user (`nobody`).
//!
//!     cargo test -p splitbrain --test sandbox [PART OF A CHECK'S NAME]

mod checks;
mod measure;
mod scenarios;
mod stage;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::panic::catch_unwind;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

/// Who runs the scenarios.
#[derive(Debug, Clone)]
pub struct Runner {
    /// `as root`, `as an ordinary user`.
    name: &'static str,
    /// This program, where that user can read it.
    program: PathBuf,
    /// `None`: as whoever runs the tests.
    uid: Option<u32>,
    /// A folder that this user may write to.
    folder: PathBuf,
}

impl Runner {
    /// A command that runs one of the scenarios.
    pub fn scenario(&self, name: &str) -> Command {
        let mut command = Command::new(&self.program);
        command.args(["--scenario", name]).current_dir(&self.folder);
        if let Some(uid) = self.uid {
            command.uid(uid).gid(uid).env("PATH", "/usr/local/bin:/usr/bin:/bin");
        }
        command
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [option, scenario, rest @ ..] = &*arguments
        && option == "--scenario"
    {
        return scenarios::run(scenario, rest);
    }
    // As cargo's own harness: a name to look for, and `--skip NAME`, which names no check here.
    let skipped = |at: usize| at > 0 && arguments[at - 1] == "--skip";
    let filter = arguments
        .iter()
        .enumerate()
        .find(|(at, argument)| !argument.starts_with('-') && !skipped(*at))
        .map(|(_, argument)| argument);
    let wanted = |name: &str| filter.is_none_or(|filter| name.contains(&**filter));
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (mut passed_in_all, mut failed) = (0, 0);
    for runner in runners(&folder) {
        for (name, check) in checks::ALL.iter().filter(|(name, _)| wanted(name)) {
            println!("{name} ({}) ...", runner.name);
            let passed = catch_unwind(|| check(&runner)).is_ok();
            println!("{name} ({}) ... {}", runner.name, if passed { "ok" } else { "FAILED" });
            passed_in_all += u32::from(passed);
            failed += u32::from(!passed);
        }
    }
    println!("\nsandbox: {passed_in_all} passed, {failed} failed");
    // A run of no check at all is no success.
    if failed == 0 && passed_in_all > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Root can also be somebody else.
fn runners(folder: &tempfile::TempDir) -> Vec<Runner> {
    const NOBODY: u32 = 65_534;
    let own = std::env::current_exe().expect("this program");
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("own folder");
    let program = folder.path().join("program");
    fs::copy(own, &program).expect("a copy of this program");
    let runner = |name, uid: Option<u32>| {
        let folder = folder.path().join(if uid.is_some() { "ordinary" } else { "own" });
        fs::create_dir(&folder).expect("a folder");
        std::os::unix::fs::chown(&folder, uid, uid).expect("chown of an own folder");
        Runner { name, program: program.clone(), uid, folder }
    };
    if nix::unistd::geteuid().is_root() {
        vec![runner("as root", None), runner("as an ordinary user", Some(NOBODY))]
    } else {
        vec![runner("as an ordinary user", None)]
    }
}

//! One server process: start, watch, end.

use std::fs::{self, File};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use splitbrain_checkers::history::Name;
use tokio::process::{Child, Command};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::fault::{HarnessFault, LastWords};
use crate::plan::Server;
use crate::sandbox::Network;

/// Lines of a node's log that an error quotes.
const TAIL_LINES: usize = 12;
/// Where the nodes' data are: in the sandbox's own memory.
const DATA_ROOT: &str = "/run/splitbrain";

/// A node that has been started.
pub struct RunningNode {
    pub name: Name,
    log: PathBuf,
    group: Pid,
    /// Set before we end the node, so that its end is not taken for a fault.
    ending: Arc<AtomicBool>,
    watcher: JoinHandle<()>,
}

impl RunningNode {
    /// Starts a server inside the namespaces of the node of that name. `folder` (created here) gets its
    /// configuration, log and exit status.
    pub fn start(
        name: &Name,
        server: &Server,
        network: &Arc<Network>,
        folder: &Path,
        faults: &mpsc::UnboundedSender<HarnessFault>,
    ) -> Result<RunningNode, HarnessFault> {
        let log = folder.join("log");
        let child = spawn(name, server, network, folder, &log)
            .map_err(|error| HarnessFault::Sandbox(format!("{name} cannot be started: {error}")))?;
        let group = Pid::from_raw(child.id().map_or(0, |id| id as i32));
        let ending = Arc::new(AtomicBool::new(false));
        let watch = Watch {
            name: name.clone(),
            log: log.clone(),
            status_file: folder.join("exit-status"),
            ending: ending.clone(),
            faults: faults.clone(),
        };
        let watcher = tokio::spawn(watch.until_it_ends(child));
        Ok(RunningNode { name: name.clone(), log, group, ending, watcher })
    }

    /// What it wrote last.
    pub fn last_words(&self) -> LastWords {
        last_words(&self.name, &self.log)
    }

    /// Ends the server and all that it started.
    pub fn end(&self) {
        self.ending.store(true, Ordering::SeqCst);
        if self.group.as_raw() > 0 {
            // An error means that the group is gone already.
            let _ = killpg(self.group, Signal::SIGKILL);
        }
    }

    /// Waits until it has ended.
    pub async fn ended(self) {
        // An error means that the watcher was cancelled with the runtime.
        let _ = self.watcher.await;
    }
}

fn spawn(
    name: &Name,
    server: &Server,
    network: &Arc<Network>,
    folder: &Path,
    log: &Path,
) -> Result<Child, std::io::Error> {
    let data = Path::new(DATA_ROOT).join(&**name);
    fs::create_dir_all(&data)?;
    fs::create_dir_all(folder)?;
    let program = std::env::current_exe()?;
    let fill = |text: &str| {
        text.replace("{data}", &data.to_string_lossy())
            .replace("{self}", &program.to_string_lossy())
    };
    let start = fill(&server.start);
    fs::write(folder.join("start"), format!("{start}\n"))?;
    for (path, content) in &server.files {
        for root in [data.as_path(), folder] {
            let path = root.join(path);
            if let Some(parent) = path.parent() {
                fs::create_dir_all(parent)?;
            }
            fs::write(path, fill(content))?;
        }
    }
    let output = File::options().create_new(true).append(true).open(log)?;
    let mut command = Command::new("sh");
    command
        .arg("-c")
        .arg(start)
        .envs(server.environment.iter().map(|(name, value)| (name, fill(value))))
        .env("HOME", &data)
        .env("TMPDIR", &data)
        .current_dir(&data)
        .stdin(Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(output)
        .process_group(0);
    let entry = network.entry(name);
    // SAFETY: `enter` makes system calls only.
    unsafe { command.pre_exec(move || entry.enter()) };
    command.spawn()
}

/// What the watcher of a node needs.
struct Watch {
    name: Name,
    log: PathBuf,
    status_file: PathBuf,
    ending: Arc<AtomicBool>,
    faults: mpsc::UnboundedSender<HarnessFault>,
}

impl Watch {
    async fn until_it_ends(self, mut child: Child) {
        let status = child.wait().await.map_or_else(|error| error.to_string(), said);
        let by_us = self.ending.load(Ordering::SeqCst);
        let note = if by_us { "at the end of the run" } else { "on its own" };
        if let Err(error) = fs::write(&self.status_file, format!("{status}, {note}\n")) {
            tracing::warn!("{}: {error}", self.status_file.display());
        }
        if !by_us {
            // A closed channel means that the run is over already.
            let last_words = last_words(&self.name, &self.log);
            let _ = self.faults.send(HarnessFault::NodeDied { status, last_words });
        }
    }
}

/// An exit status in words.
fn said(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(signal)) => match Signal::try_from(signal) {
            Ok(signal) => format!("signal {signal}"),
            Err(_) => format!("signal {signal}"),
        },
        (None, None) => "ended".into(),
    }
}

/// The last lines of a node's log; none if there is none.
fn last_words(node: &Name, log: &Path) -> LastWords {
    let content = fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&content);
    let lines: Vec<&str> = text.lines().collect();
    let tail = lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n");
    LastWords { node: node.to_string(), log: log.to_path_buf(), tail }
}

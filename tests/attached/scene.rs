//! A run against a world: its target file, what it came to, and what it may have left.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::groups;
use crate::namespace::Namespace;
use crate::support::{holds_within, splitbrain_in, succeed};

/// How long a run may take to be where a test wants it.
const PATIENCE: Duration = Duration::from_secs(60);

/// Two cuts, each longer than the slowest of the databases takes to fail over.
pub const WORKLOAD: &str = "\
type: register
operations: { read: 5, write: 3, cas: 2 }
keys: 10
writes-per-key: 50
clients: 5
rate: 40/s
timeout: 1s
phases:
  - healthy: 2s
  - partition: { isolate: one }
    for: 13s
  - healthy: 4s
  - partition: { isolate: primary }
    for: 13s
  - healthy: 4s
  - settle: 15s
check: [linearizable, convergent, available]
";

/// One cut that lasts until somebody ends it.
pub const LONG_CUT: &str = "\
type: register
operations: { read: 5, write: 3 }
keys: 5
clients: 2
rate: 20/s
timeout: 1s
phases:
  - healthy: 1s
  - partition: { isolate: n3 }
    for: 90s
  - settle: 5s
check: [linearizable, available]
";

/// A folder with a workload, a target and results, and the namespace in which splitbrain runs.
pub struct Scene<'a> {
    namespace: &'a Namespace,
    folder: tempfile::TempDir,
}

/// A splitbrain that runs.
pub struct Started {
    pub child: Child,
    results: PathBuf,
    stderr: PathBuf,
}

/// What a run came to.
pub struct Run {
    pub exit: i32,
    pub verdict: Value,
    pub folder: PathBuf,
    pub stderr: String,
}

impl<'a> Scene<'a> {
    /// `target` is the text of the target file.
    pub fn new(namespace: &'a Namespace, target: &str, workload: &str) -> Scene<'a> {
        let mut folder = tempfile::tempdir().unwrap();
        // To look at what a test has recorded.
        folder.disable_cleanup(std::env::var_os("SPLITBRAIN_KEEP").is_some());
        fs::write(folder.path().join("mycluster.yaml"), target).unwrap();
        fs::write(folder.path().join("w.yaml"), workload).unwrap();
        fs::create_dir(folder.path().join("tmp")).unwrap();
        Scene { namespace, folder }
    }

    pub fn target(&self) -> PathBuf {
        self.folder.path().join("mycluster.yaml")
    }

    pub fn results(&self) -> PathBuf {
        self.folder.path().join("results")
    }

    /// The temporary folder of its runs.
    pub fn temporary(&self) -> PathBuf {
        self.folder.path().join("tmp")
    }

    /// `splitbrain run` of the scene's files, results under `results`.
    fn command(&self, results: &Path, more: &[&str]) -> Command {
        let mut command = splitbrain_in(self.namespace);
        command.arg("run").arg(self.folder.path().join("w.yaml"));
        command.arg("--target").arg(self.target()).arg("--results").arg(results);
        command.arg("--json").args(more).env("TMPDIR", self.temporary());
        command
    }

    /// Runs until a run decides something, three times at most: one on a machine that starved
    /// the cluster is inconclusive, and says so. A cut without proof is no reason to try again.
    pub fn run_until_decided(&self, more: &[&str]) -> Run {
        let runs = (0..3).map(|_| self.run(more));
        let mut last = None;
        for run in runs {
            let proven = |cut: &Value| cut["proof"]["proof"] == "confirmed";
            if run.kind() != "inconclusive" || !run.partitions().iter().all(proven) {
                return run;
            }
            last = Some(run);
        }
        last.expect("three runs")
    }

    /// Runs to the end.
    pub fn run(&self, more: &[&str]) -> Run {
        let output = self.command(&self.results(), more).output().unwrap();
        Run {
            exit: output.status.code().unwrap_or(-1),
            verdict: serde_json::from_slice(&output.stdout).unwrap_or(Value::Null),
            folder: newest(&self.results()),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    pub fn start(&self) -> Started {
        self.start_with_results(&self.results())
    }

    pub fn start_with_results(&self, results: &Path) -> Started {
        let stderr = self.folder.path().join("stderr");
        let file = fs::File::create(&stderr).unwrap();
        let child = self.command(results, &[]).stdout(Stdio::null()).stderr(file).spawn().unwrap();
        Started { child, results: results.to_path_buf(), stderr }
    }

    /// Another command about the scene's target.
    pub fn say(&self, command: &str) -> String {
        let mut splitbrain = splitbrain_in(self.namespace);
        splitbrain.arg(command).arg("--target").arg(self.target());
        let output = splitbrain.output().unwrap();
        String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
    }
}

impl Started {
    /// Waits until the cut has been recorded.
    pub fn until_cut(&self) {
        let is_cut = || {
            let history = newest(&self.results).join("history.jsonl");
            fs::read_to_string(history).unwrap_or_default().contains("\"f\":\"partition\"")
        };
        assert!(holds_within(PATIENCE, is_cut), "no cut: {}", self.stderr());
    }

    /// Waits for the end; its exit code, or 128 and the signal.
    pub fn end(&mut self) -> i32 {
        use std::os::unix::process::ExitStatusExt;
        let ended = || self.child.try_wait().unwrap().is_some();
        assert!(holds_within(PATIENCE, ended), "it does not end: {}", self.stderr());
        let status = self.child.wait().unwrap();
        status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0))
    }

    pub fn stderr(&self) -> String {
        fs::read_to_string(&self.stderr).unwrap_or_default()
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        // An error means that it has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Run {
    pub fn kind(&self) -> &str {
        self.verdict["kind"].as_str().unwrap_or("none")
    }

    pub fn finding(&self, check: &str) -> String {
        let findings = fs::read(self.folder.join("findings.json")).unwrap_or_default();
        let findings: Value = serde_json::from_slice(&findings).unwrap_or(Value::Null);
        let mut all = findings.as_array().into_iter().flatten();
        let of_check = all.find(|finding| finding["check"] == check);
        of_check.and_then(|finding| finding["result"].as_str()).unwrap_or("missing").to_string()
    }

    /// Every cut with its proof.
    pub fn partitions(&self) -> Vec<Value> {
        let text = fs::read_to_string(self.folder.join("partitions.jsonl")).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    pub fn story(&self) -> String {
        format!(
            "exit {}\nverdict {:#}\npartitions {:#?}\nstderr:\n{}",
            self.exit,
            self.verdict,
            self.partitions(),
            self.stderr
        )
    }

    /// Whether probers watched the links, beside the rounds of connections.
    pub fn had_probers(&self) -> bool {
        let log = fs::read_to_string(self.folder.join("log")).expect("the run's log");
        log.contains("probers watch every link")
    }

    /// Every cut was real and was healed.
    pub fn assert_cuts(&self, count: usize) {
        let partitions = self.partitions();
        assert_eq!(partitions.len(), count, "{}", self.story());
        for partition in partitions {
            assert_eq!(partition["proof"]["proof"], "confirmed", "{partition:#}");
            assert!(partition["healed"].is_number(), "{partition:#}");
            let at = |name: &str| partition[name].as_f64().unwrap() / 1e6;
            // How quick it was is not for a test to judge.
            println!(
                "cut within {:.0} ms, healed within {:.0} ms",
                at("began") - at("commanded"),
                at("healed") - at("heal_commanded")
            );
        }
    }
}

fn newest(results: &Path) -> PathBuf {
    let folders = |path: &Path| -> Vec<PathBuf> {
        let entries = fs::read_dir(path).into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).filter(|p| p.is_dir() && !p.is_symlink()).collect()
    };
    let mut runs: Vec<PathBuf> =
        folders(results).iter().flat_map(|family| folders(family)).collect();
    runs.sort();
    runs.pop().unwrap_or_else(|| results.to_path_buf())
}

/// What a run changes on a machine, and has to leave as it was.
#[derive(Debug, PartialEq, Eq)]
pub struct Footprint {
    /// As the firewall's own programs print them, without counters and dates.
    rules: String,
    groups: Vec<PathBuf>,
    /// Programs of ours that run there.
    keepers: Vec<String>,
    /// The control group of every process of a server.
    members: Vec<String>,
}

impl Footprint {
    /// Of a namespace, and of the servers with these processes.
    pub fn of(namespace: &Namespace, servers: &[u32]) -> Footprint {
        let read = |path: String| fs::read_to_string(path).unwrap_or_default();
        let lines = ["iptables-save", "ip6tables-save"].map(|program| {
            let said = succeed(&mut namespace.command(program));
            let lines = said.lines().filter(|line| !line.starts_with('#'));
            lines
                .map(|line| line.split(" [").next().unwrap().to_string() + "\n")
                .collect::<String>()
        });
        let mut keepers: Vec<String> = namespace
            .processes()
            .iter()
            .map(|process| read(format!("/proc/{process}/cmdline")).replace('\0', " "))
            .filter(|line| line.contains("/run/splitbrain/"))
            .collect();
        keepers.sort();
        Footprint {
            rules: lines.concat(),
            groups: groups(namespace),
            keepers,
            members: servers
                .iter()
                .map(|process| read(format!("/proc/{process}/cgroup")))
                .collect(),
        }
    }

    /// Whether a run holds the machine.
    pub fn is_held(&self) -> bool {
        self.rules.contains("SPLITBRAIN") || !self.keepers.is_empty()
    }
}

/// Control groups of ours for a namespace.
fn groups(namespace: &Namespace) -> Vec<PathBuf> {
    let entries = groups::mount().map(fs::read_dir).into_iter().flatten().flatten().flatten();
    let prefix = format!("/splitbrain-{}-", namespace.identity());
    let ours = |path: &PathBuf| path.to_string_lossy().contains(&prefix);
    let mut groups: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(ours).collect();
    groups.sort();
    groups
}

/// Rules of somebody else, who must not notice us.
pub fn foreign_rules(namespace: &Namespace) {
    const RULES: &str = "\
        for family in iptables ip6tables; do \
        $family -N FOREIGN && $family -A FOREIGN -p tcp --dport 9999 -j DROP && \
        $family -A INPUT -m comment --comment \"not ours\" -j FOREIGN && \
        $family -I OUTPUT -p udp --dport 9998 -j DROP && \
        $family -t mangle -A OUTPUT -p tcp --dport 9997 -j MARK --set-mark 7 || exit 1; done";
    succeed(namespace.command("sh").args(["-c", RULES]));
}

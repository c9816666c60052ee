//! What the whole-program tests share: running the binary, and looking for what it left behind.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::processes;

/// The binary under test.
pub fn splitbrain() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_splitbrain"));
    command.stdin(Stdio::null()).current_dir(env!("CARGO_MANIFEST_DIR"));
    command
}

/// What a finished `splitbrain run --json` said.
pub struct Run {
    pub exit: i32,
    /// The verdict as printed; null if there is none.
    pub verdict: Value,
    pub output: Output,
    /// The folder of the run.
    pub folder: PathBuf,
}

impl Run {
    /// `CP`, `AP`, ...
    pub fn kind(&self) -> &str {
        self.verdict["kind"].as_str().unwrap_or("none")
    }

    /// `valid`, `invalid` or `unknown`.
    pub fn finding(&self, check: &str) -> String {
        self.of_check(check)["result"].as_str().unwrap_or("missing").to_string()
    }

    /// The sentence of a check's witness; empty if there is none.
    pub fn witness(&self, check: &str) -> String {
        self.of_check(check)["witness"]["sentence"].as_str().unwrap_or("").to_string()
    }

    /// The line that sums up a check; empty if there is none.
    pub fn summary(&self, check: &str) -> String {
        self.of_check(check)["summary"].as_str().unwrap_or("").to_string()
    }

    /// How many violations a check counted.
    pub fn violations(&self, check: &str) -> u64 {
        self.of_check(check)["violations"].as_u64().unwrap_or(0)
    }

    /// The last operation of a check's witness: for a stale read, that read.
    pub fn last_of_witness(&self, check: &str) -> Value {
        let operations = self.of_check(check)["witness"]["operations"].clone();
        operations.as_array().and_then(|all| all.last().cloned()).unwrap_or(Value::Null)
    }

    /// What a node wrote to its log.
    pub fn log_of(&self, node: &str) -> String {
        std::fs::read_to_string(self.folder.join("nodes").join(node).join("log"))
            .unwrap_or_default()
    }

    fn of_check(&self, check: &str) -> Value {
        let findings = self.findings();
        let mut all = findings.as_array().into_iter().flatten();
        all.find(|finding| finding["check"] == check).cloned().unwrap_or(Value::Null)
    }

    pub fn findings(&self) -> Value {
        read_json(&self.folder.join("findings.json"))
    }

    /// What verdict.json says.
    pub fn verdict_file(&self) -> Value {
        read_json(&self.folder.join("verdict.json"))
    }

    /// All that helps to understand a failed assertion.
    pub fn story(&self) -> String {
        format!(
            "exit {}\nverdict {:#}\nfindings {:#}\nstderr:\n{}",
            self.exit,
            self.verdict,
            self.findings(),
            String::from_utf8_lossy(&self.output.stderr)
        )
    }
}

/// Runs `splitbrain run WORKLOAD --target TARGET ...` to its end, results under `results`.
pub fn run(results: &Path, workload: &str, target: &str, more: &[&str]) -> Run {
    let output = splitbrain()
        .args(["run", workload, "--target", target, "--json", "--results"])
        .arg(results)
        .args(more)
        .output()
        .expect("the binary can be run");
    Run {
        exit: output.status.code().unwrap_or(-1),
        verdict: serde_json::from_slice(&output.stdout).unwrap_or(Value::Null),
        folder: newest(results),
        output,
    }
}

/// The folder of the newest run under `results`; `results` itself if there is none.
pub fn newest(results: &Path) -> PathBuf {
    let mut runs: Vec<PathBuf> = folders(results)
        .iter()
        .flat_map(|family| folders(family))
        .filter(|run| run.file_name().is_some_and(|name| name != "latest"))
        .collect();
    runs.sort_by_key(|run| run.metadata().and_then(|data| data.created()).ok());
    runs.pop().unwrap_or_else(|| results.to_path_buf())
}

fn folders(path: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(path)
        .map(|entries| entries.flatten().map(|entry| entry.path()).filter(|p| p.is_dir()).collect())
        .unwrap_or_default()
}

fn read_json(path: &Path) -> Value {
    std::fs::read(path)
        .ok()
        .and_then(|text| serde_json::from_slice(&text).ok())
        .unwrap_or(Value::Null)
}

/// What a run could leave on the host: its processes (those whose command line or environment
/// names `marker`), network devices, namespaces and rules. Compared before and after.
#[derive(Debug, PartialEq, Eq)]
pub struct Traces {
    pub processes: Vec<String>,
    pub devices: String,
    pub namespaces: Vec<PathBuf>,
    pub rules: String,
}

impl Traces {
    pub fn of(marker: &str) -> Traces {
        Traces {
            processes: processes::marked(marker).iter().map(|&pid| processes::name(pid)).collect(),
            devices: said("ip", &["-o", "link"]),
            namespaces: std::fs::read_dir("/run/netns")
                .map(|entries| entries.flatten().map(|entry| entry.path()).collect())
                .unwrap_or_default(),
            rules: without_counters(&(said("iptables-save", &[]) + &said("ip6tables-save", &[]))),
        }
    }
}

/// Rules without `[packets:bytes]`, which grow by themselves.
fn without_counters(rules: &str) -> String {
    let line = |line: &str| line.split(" [").next().unwrap_or_default().to_string() + "\n";
    rules.lines().map(line).collect()
}

/// Standard output of a program, without the comment lines that carry the time of day.
fn said(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    let text = text.unwrap_or_default();
    text.lines().filter(|line| !line.starts_with('#')).map(|line| format!("{line}\n")).collect()
}

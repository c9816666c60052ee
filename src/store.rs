//! The results of runs on disk: the only module that knows the layout under `results/`.
//!
//! `results/<workload>-<target>/<time>/` and a link `latest` beside it:
//!
//! - `plan.yaml`: all that is needed to run it again, seed included
//! - `history.jsonl`, `links.jsonl`, `partitions.jsonl`: what happened, written as it happened
//! - `run.json`: machine, versions, and how the run ended
//! - `findings.json`, `availability.json`, `verdict.json`, `report.html`, `junit.xml`
//! - `log`: what the harness did
//! - `nodes/<node>/`: configuration, log, exit status

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use splitbrain_checkers::partition::Partition;

use crate::plan::{Plan, stored};

/// The folder of one run.
#[derive(Debug, Clone)]
pub struct RunFolder {
    path: PathBuf,
}

/// How the recording of a run ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ended", rename_all = "lowercase")]
pub enum Ending {
    /// Every phase ran.
    Complete,
    /// Somebody pressed Ctrl-C; everything was healed and what there is can be checked.
    Interrupted,
    /// The harness or the cluster failed: no verdict.
    Fault { message: String },
}

/// What `run.json` says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunRecord {
    pub splitbrain: String,
    /// What the target says of its version.
    pub target_version: Option<String>,
    /// RFC 3339.
    pub started: String,
    pub machine: Machine,
    /// Absent while the run is up, and after a hard kill.
    #[serde(default, flatten, skip_serializing_if = "Option::is_none")]
    pub ending: Option<Ending>,
}

/// Where the run took place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    pub cores: usize,
    pub memory_mib: u64,
    pub kernel: String,
}

impl Machine {
    /// This machine, as the kernel tells it.
    pub fn here() -> Machine {
        let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let kib = read("/proc/meminfo")
            .lines()
            .find_map(|line| {
                line.strip_prefix("MemTotal:")?.split_whitespace().next()?.parse().ok()
            })
            .unwrap_or(0_u64);
        Machine {
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            memory_mib: kib / 1024,
            kernel: read("/proc/sys/kernel/osrelease").trim().to_string(),
        }
    }
}

impl RunFolder {
    /// Creates the folder of a new run, with its plan, and points `latest` at it.
    pub fn create(results: &Path, plan: &Plan) -> io::Result<RunFolder> {
        let target = plan.target.name.replace('/', "-");
        let family = results.join(format!("{}-{target}", plan.workload.name));
        fs::create_dir_all(&family)?;
        let path = create_unique(&family)?;
        let latest = family.join("latest");
        // Replaced in one step, so that a reader always finds a link.
        let fresh = family.join(format!(".latest-{}", std::process::id()));
        let name = path.file_name().ok_or_else(|| io::Error::other("a folder without a name"))?;
        symlink(name, &fresh)?;
        fs::rename(&fresh, &latest)?;
        let folder = RunFolder { path };
        let yaml = stored::to_yaml(plan).map_err(io::Error::other)?;
        folder.write("plan.yaml", yaml.as_bytes())?;
        Ok(folder)
    }

    /// The folder of an earlier run.
    pub fn open(path: &Path) -> io::Result<RunFolder> {
        let folder = RunFolder { path: path.canonicalize()? };
        if !folder.path.join("plan.yaml").is_file() {
            return Err(io::Error::new(
                io::ErrorKind::NotFound,
                "no plan.yaml in it: not the folder of a run",
            ));
        }
        Ok(folder)
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn plan(&self) -> io::Result<Plan> {
        stored::read(&self.path.join("plan.yaml"))
            .map_err(|mistakes| io::Error::new(io::ErrorKind::InvalidData, mistakes.to_string()))
    }

    pub fn history(&self) -> PathBuf {
        self.path.join("history.jsonl")
    }

    /// Whether anything was recorded.
    pub fn has_history(&self) -> bool {
        fs::metadata(self.history()).is_ok_and(|data| data.len() > 0)
    }

    pub fn links(&self) -> PathBuf {
        self.path.join("links.jsonl")
    }

    pub fn log(&self) -> PathBuf {
        self.path.join("log")
    }

    pub fn nodes(&self) -> PathBuf {
        self.path.join("nodes")
    }

    pub fn report(&self) -> PathBuf {
        self.path.join("report.html")
    }

    /// Keeps one partition with its proof; called when it has been healed.
    pub fn append_partition(&self, partition: &Partition) -> io::Result<()> {
        let mut line = serde_json::to_vec(partition)?;
        line.push(b'\n');
        let path = self.path.join("partitions.jsonl");
        fs::File::options().create(true).append(true).open(path)?.write_all(&line)
    }

    /// The partitions of the run, oldest first; a line that a hard kill cut off is left out.
    pub fn partitions(&self) -> io::Result<Vec<Partition>> {
        match fs::read_to_string(self.path.join("partitions.jsonl")) {
            Ok(text) => {
                Ok(text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect())
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    pub fn write_record(&self, record: &RunRecord) -> io::Result<()> {
        self.write_json("run.json", record)
    }

    pub fn record(&self) -> io::Result<RunRecord> {
        Ok(serde_json::from_slice(&fs::read(self.path.join("run.json"))?)?)
    }

    pub fn write_json<T: Serialize>(&self, name: &str, value: &T) -> io::Result<()> {
        let mut text = serde_json::to_vec_pretty(value)?;
        text.push(b'\n');
        self.write(name, &text)
    }

    /// Writes a file in one step: readers find the old content or the new, never half of it.
    pub fn write(&self, name: &str, content: &[u8]) -> io::Result<()> {
        let fresh = self.path.join(format!(".{name}"));
        fs::write(&fresh, content)?;
        fs::rename(&fresh, self.path.join(name))
    }
}

/// A folder named after the present second, with a number behind it if that is taken.
fn create_unique(family: &Path) -> io::Result<PathBuf> {
    let now = jiff::Zoned::now().strftime("%Y%m%dT%H%M%S").to_string();
    for attempt in 1.. {
        let name = if attempt == 1 { now.clone() } else { format!("{now}-{attempt}") };
        let path = family.join(name);
        match fs::create_dir(&path) {
            Ok(()) => return path.canonicalize(),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    unreachable!("an endless range has no end")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_runs_in_one_second_get_folders_of_their_own() {
        let family = tempfile::tempdir().unwrap();
        let first = create_unique(family.path()).unwrap();
        let second = create_unique(family.path()).unwrap();
        assert_ne!(first, second);
    }

    #[test]
    fn a_half_written_partition_is_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let run = RunFolder { path: folder.path().to_path_buf() };
        fs::write(folder.path().join("partitions.jsonl"), "{\"name\":\"iso").unwrap();
        assert_eq!(run.partitions().unwrap(), Vec::new());
    }
}

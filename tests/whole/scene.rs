//! A scene for one test: a folder of its own, runs that can be watched and ended from outside,
//! and the question what they left behind.

use std::fs::{self, File};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use tempfile::TempDir;

use crate::support::{Traces, newest, splitbrain};

/// After this long something that has to happen will not happen any more.
const PATIENCE: Duration = Duration::from_secs(60);
/// What is killed is gone after this long; less than a run would go on by itself.
const GONE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(20);

/// A folder, and what the host looked like before anything was started.
pub struct Scene {
    folder: TempDir,
    before: Traces,
}

/// A `splitbrain` that has been started; it is killed if the test fails before its end.
pub struct Started {
    child: Child,
    folder: PathBuf,
    ended: Option<i32>,
}

impl Scene {
    pub fn new() -> Scene {
        let folder = tempfile::tempdir().unwrap();
        let before = Traces::of(&folder.path().to_string_lossy());
        Scene { folder, before }
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// What finds every process that was started from here.
    pub fn marker(&self) -> String {
        self.path().to_string_lossy().into_owned()
    }

    pub fn results(&self) -> PathBuf {
        self.path().join("results")
    }

    /// Writes a file of the scene; returns its path as an argument.
    pub fn file(&self, name: &str, content: &str) -> String {
        let path = self.path().join(name);
        fs::write(&path, content).unwrap();
        path.to_string_lossy().into_owned()
    }

    /// A workload of the reference cluster with these phases.
    pub fn workload(&self, phases: &[&str]) -> String {
        self.file("short.yaml", &workload(phases))
    }

    /// The recipe of the reference cluster with these replacements, as a target of its own.
    #[track_caller]
    pub fn target(&self, replacements: &[(&str, &str)]) -> String {
        let recipe = Path::new(env!("CARGO_MANIFEST_DIR")).join("targets/reference/cluster.yaml");
        let mut recipe = text(&recipe);
        for (old, new) in replacements {
            assert!(recipe.contains(old), "{old}");
            recipe = recipe.replace(old, new);
        }
        self.file("mine.yaml", &recipe)
    }

    /// `splitbrain ARGUMENTS --results RESULTS`.
    pub fn start(&self, arguments: &[&str]) -> Started {
        let mut command = splitbrain();
        command.args(arguments).arg("--results").arg(self.results());
        self.start_as(command)
    }

    /// Starts a command of the scene, marked, with its output in files.
    pub fn start_as(&self, mut command: Command) -> Started {
        let output = |name: &str| File::create(self.path().join(name)).unwrap();
        let child = command
            .env("SPLITBRAIN_TEST", self.path())
            .stdin(Stdio::null())
            .stdout(output("stdout"))
            .stderr(output("stderr"))
            .spawn()
            .expect("the binary can be run");
        Started { child, folder: self.path().to_path_buf(), ended: None }
    }

    /// Waits until the host looks as before; fails if it does not.
    #[track_caller]
    pub fn assert_nothing_is_left(&self) {
        let now = || Traces::of(&self.marker());
        let deadline = Instant::now() + GONE;
        while now() != self.before && Instant::now() < deadline {
            sleep(PAUSE);
        }
        assert_eq!(now(), self.before);
    }
}

impl Started {
    pub fn pid(&self) -> i32 {
        self.child.id() as i32
    }

    /// The folder of the newest run.
    pub fn run(&self) -> PathBuf {
        newest(&self.folder.join("results"))
    }

    pub fn stderr(&self) -> String {
        text(&self.folder.join("stderr"))
    }

    pub fn stdout(&self) -> String {
        text(&self.folder.join("stdout"))
    }

    pub fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.pid()), signal).unwrap();
    }

    /// The exit code if it has ended, 128 + signal if a signal ended it.
    pub fn ended(&mut self) -> Option<i32> {
        if self.ended.is_none() {
            let status = self.child.try_wait().unwrap();
            self.ended = status
                .map(|status| status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0)));
        }
        self.ended
    }

    /// Waits for its end; returns the exit code.
    #[track_caller]
    pub fn end(&mut self) -> i32 {
        eventually("the end of splitbrain", || self.ended().is_some());
        self.ended.unwrap()
    }

    /// Waits for something that has to happen while it runs.
    #[track_caller]
    pub fn until(&mut self, what: &str, happened: impl Fn(&Started) -> bool) {
        eventually(what, || {
            let ended = self.ended();
            let happened = happened(self);
            assert!(
                happened || ended.is_none(),
                "ended ({ended:?}) before {what}: {}",
                self.stderr()
            );
            happened
        });
    }

    /// Waits until the nemesis has done `f`.
    #[track_caller]
    pub fn until_nemesis(&mut self, f: &str) {
        self.until(f, |started| events(&started.run()).iter().any(|event| event["f"] == f));
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        // An error means that it has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A workload of the reference cluster with these phases. It does not ask for availability, about
/// which cuts that are as short as those of most tests say nothing.
pub fn workload(phases: &[&str]) -> String {
    let phases: String = phases.iter().map(|phase| format!("  - {phase}\n")).collect();
    format!(
        "type: register\n\
         operations: {{ read: 5, write: 3, cas: 2 }}\n\
         keys: 4\n\
         clients: 2\n\
         rate: 50/s\n\
         timeout: 1s\n\
         phases:\n{phases}\
         check: [linearizable, convergent]\n"
    )
}

/// Asks until it is so; fails after a long time.
#[track_caller]
pub fn eventually(what: &str, mut so: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !so() {
        assert!(Instant::now() < deadline, "waited {PATIENCE:?} in vain for {what}");
        sleep(PAUSE);
    }
}

/// The events of a run's history that were written as a whole; none if there is no history yet.
pub fn events(run: &Path) -> Vec<Value> {
    let text = text(&run.join("history.jsonl"));
    let whole = text.split_inclusive('\n').filter(|line| line.ends_with('\n'));
    whole.map(|line| serde_json::from_str(line).expect(line)).collect()
}

/// A file's text; empty if there is none.
pub fn text(path: &Path) -> String {
    String::from_utf8_lossy(&fs::read(path).unwrap_or_default()).into_owned()
}

//! When the cluster, its recipe or the machine fails: no verdict, and a message that says where.

use serde_json::Value;

use crate::scene::{Scene, text};
use crate::support::splitbrain;

const PHASES: [&str; 3] = ["healthy: 1s", "{ partition: { isolate: n3 }, for: 20s }", "settle: 2s"];
const SERVE: &str = "exec {self} reference-node";
const LAST_ARGUMENT: &str = "--log {log}";

/// Runs the reference cluster with a recipe that was changed so. It has to end as a harness
/// fault, with nothing left and no verdict. Returns what it said, from the first to the last.
#[track_caller]
fn said_without_verdict(replacements: &[(&str, &str)]) -> String {
    let scene = Scene::new();
    let workload = scene.workload(&PHASES);
    let target = scene.target(replacements);
    let mut run = scene.start(&["run", &workload, "--target", &target, "--json"]);
    assert_eq!(run.end(), 255, "{}", run.stderr());
    let folder = run.run();
    let said = run.stderr();
    assert!(
        said.contains(&format!("no verdict; what was recorded is in {}", folder.display())),
        "{said}"
    );
    assert_eq!(run.stdout(), "");
    for report in ["verdict.json", "findings.json", "report.html", "running.json"] {
        assert!(!folder.join(report).exists(), "{report}");
    }
    let record: Value = serde_json::from_str(&text(&folder.join("run.json"))).unwrap();
    assert_eq!(record["ended"], "fault", "{record:#}");
    assert!(said.contains(record["message"].as_str().unwrap()), "{record:#}\n{said}");
    scene.assert_nothing_is_left();
    said
}

#[test]
fn a_node_that_dies_during_the_run() {
    let dies =
        "--log {log} & sleep 4; [ {index} = 2 ] || wait; echo the disk is full; kill -9 $!; exit 3";
    let said = said_without_verdict(&[(SERVE, "{self} reference-node"), (LAST_ARGUMENT, dies)]);
    assert!(said.contains("n2 died on its own (exit code 3)"), "{said}");
    assert!(said.contains("nodes/n2/log\n  | the disk is full\n"), "{said}");
}

/// The others do not get ready without it, but it is the one to look at.
#[test]
fn a_node_that_dies_while_the_cluster_comes_up() {
    let dies = "[ {index} = 2 ] && {{ echo no such device; exit 4; }}; exec {self} reference-node";
    let said = said_without_verdict(&[(SERVE, dies)]);
    assert!(said.contains("n2 died on its own (exit code 4)"), "{said}");
    assert!(said.contains("nodes/n2/log\n  | no such device\n"), "{said}");
}

#[test]
fn a_cluster_that_never_gets_ready() {
    let serve = "echo {node} waits for a leader; exec {self} reference-node";
    let never =
        [(SERVE, serve), ("\"ready\":true", "\"ready\":never"), ("within: 30s", "within: 2s")];
    let said = said_without_verdict(&never);
    assert!(said.contains("n1 was not ready within 2s"), "{said}");
    assert!(said.contains("nodes/n1/log\n  | n1 waits for a leader\n"), "{said}");
}

#[test]
fn a_node_that_cannot_be_asked_whether_it_is_ready() {
    let never = [("8000/status", "8001/status"), ("within: 30s", "within: 1s")];
    let said = said_without_verdict(&never);
    assert!(said.contains("n1 was not ready within 1s"), "{said}");
    assert!(said.contains("Connection refused"), "{said}");
}

#[test]
fn a_prepare_command_that_fails() {
    let prepare = "nodes: 3\nprepare: sleep 1; echo slots are taken >&2; exit 5\n";
    let serve = "echo {node} is a primary; exec {self} reference-node";
    let said = said_without_verdict(&[("nodes: 3\n", prepare), (SERVE, serve)]);
    assert!(said.contains("prepare command failed (exit status: 5)"), "{said}");
    assert!(said.contains("\n  | slots are taken\n"), "{said}");
    for node in ["n1", "n2", "n3"] {
        assert!(said.contains(&format!("nodes/{node}/log\n  | {node} is a primary\n")), "{said}");
    }
}

#[test]
fn a_server_program_that_is_not_installed() {
    let scene = Scene::new();
    let workload = scene.workload(&PHASES);
    let needs = "nodes: 3\nneeds: [{ program: no-such-db, install: apt-get install no-such-db }]\n";
    let target = scene.target(&[("nodes: 3\n", needs)]);
    let mut run = scene.start(&["run", &workload, "--target", &target]);
    assert_eq!(run.end(), 254, "{}", run.stderr());
    assert!(run.stderr().contains("no-such-db is missing; install it: apt-get install no-such-db"));
    assert!(!scene.results().exists());
}

#[test]
fn results_that_cannot_be_written() {
    let scene = Scene::new();
    let workload = scene.workload(&PHASES);
    let file = scene.file("results", "a file where the folder should be");
    for command in [&["run", &workload, "--target", "reference"][..], &["demo"]] {
        let output = splitbrain().args(command).args(["--results", &file]).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(254), "{said}");
        assert!(said.contains(&file), "{said}");
    }
    scene.assert_nothing_is_left();
}

/// A disk that is full: the history would have a hole, so there is no verdict.
#[test]
fn a_history_that_cannot_be_written_to_its_end() {
    let scene = Scene::new();
    let workload = scene.workload(&PHASES);
    let limited = "trap '' XFSZ; ulimit -f 100; exec \"$0\" \"$@\"";
    let mut command = std::process::Command::new("sh");
    command
        .args(["-c", limited])
        .arg(splitbrain().get_program())
        .args(["run", &workload, "--target", "reference", "--results"])
        .arg(scene.results());
    let mut run = scene.start_as(command);
    assert_eq!(run.end(), 255, "{}", run.stderr());
    let said = run.stderr();
    assert!(said.contains("the history could not be written: File too large"), "{said}");
    assert!(!run.run().join("verdict.json").exists());
    scene.assert_nothing_is_left();
}

//! Ctrl-C: the first heals, takes the cluster down and checks what there is; the second ends at
//! once.

use std::path::Path;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use crate::processes;
use crate::scene::{Scene, Started, events, text, workload};

const PHASES: [&str; 3] =
    ["healthy: 1s", "{ partition: { isolate: n3 }, for: 60s }", "settle: 10s"];

#[test]
fn an_interrupt_heals_and_checks_what_there_is() {
    let scene = Scene::new();
    let workload = scene.workload(&PHASES);
    let expected = ["--expect", "CP", "--json"];
    let mut run =
        scene.start(&[&["run", &workload, "--target", "reference"], &expected[..]].concat());
    run.until_nemesis("partition");
    run.until("operations during the cut", |run| {
        let events = events(&run.run());
        let cut = events.iter().position(|event| event["f"] == "partition");
        cut.is_some_and(|cut| events.len() > cut + 100)
    });
    run.signal(Signal::SIGINT);
    assert_eq!(run.end(), 2, "{}", run.stderr());
    assert_healed(&run);
    assert_reports(&run.run());
    // What `run` prints is there, and claims nothing that the whole run could have refuted.
    let printed: Value =
        serde_json::from_str(&run.stdout()).unwrap_or_else(|_| panic!("{}", run.stderr()));
    assert_eq!(printed["kind"], "inconclusive", "{printed:#}");
    assert!(run.stderr().contains("healing, then checking"), "{}", run.stderr());
    scene.assert_nothing_is_left();
}

/// The last that was recorded is the heal and the end, and the cut was a real one.
fn assert_healed(run: &Started) {
    let events = events(&run.run());
    let nemesis = events.iter().filter(|event| event["process"] == "nemesis");
    let marks: Vec<&str> = nemesis.map(|event| event["f"].as_str().unwrap()).collect();
    assert_eq!(marks, ["healthy", "partition", "heal", "healed", "end"]);
    assert_eq!(events.last().unwrap()["f"], "end");
    let partitions = text(&run.run().join("partitions.jsonl"));
    let partition: Value = serde_json::from_str(&partitions).unwrap();
    assert!(partition["healed"].is_number(), "{partition:#}");
    assert_eq!(partition["proof"]["proof"], "confirmed", "{partition:#}");
    for node in ["n1", "n2", "n3"] {
        let status = text(&run.run().join("nodes").join(node).join("exit-status"));
        assert!(status.contains("at the end of the run"), "{node}: {status}");
    }
}

fn assert_reports(run: &Path) {
    for report in ["report.html", "junit.xml", "verdict.json"] {
        assert!(!text(&run.join(report)).is_empty(), "{report}");
    }
    let record: Value = serde_json::from_str(&text(&run.join("run.json"))).unwrap();
    assert_eq!(record["ended"], "interrupted", "{record:#}");
    let findings: Value = serde_json::from_str(&text(&run.join("findings.json"))).unwrap();
    let findings = findings.as_array().unwrap();
    assert_eq!(findings.len(), 2);
    for finding in findings {
        assert_eq!(finding["result"], "unknown", "{finding:#}");
    }
    let reason = findings[0]["reason"].as_str().unwrap();
    assert!(reason.contains("the run was interrupted"), "{reason}");
}

/// A node that hangs keeps requests in flight for as long as they may take, so the first
/// interrupt cannot have ended the run when the second comes.
#[test]
fn a_second_interrupt_ends_at_once() {
    let scene = Scene::new();
    let patient = workload(&PHASES).replace("timeout: 1s", "timeout: 50s");
    let workload = scene.file("patient.yaml", &patient);
    let mut run = scene.start(&["run", &workload, "--target", "reference"]);
    run.until_nemesis("partition");
    let nodes = processes::marked(&scene.marker());
    let hanging = nodes
        .into_iter()
        .find(|&pid| processes::command_line(pid).contains("reference-node --node n1"))
        .unwrap();
    kill(Pid::from_raw(hanging), Signal::SIGSTOP).unwrap();
    run.signal(Signal::SIGINT);
    run.until("the answer to the first", |run| run.stderr().contains("once more ends at once"));
    run.until_nemesis("healed");
    run.signal(Signal::SIGINT);
    assert_eq!(run.end(), 2, "{}", run.stderr());
    assert!(run.stderr().contains("ended at once"), "{}", run.stderr());
    assert!(run.stderr().contains(&*run.run().to_string_lossy()), "{}", run.stderr());
    assert!(!run.run().join("verdict.json").exists());
    assert!(!run.run().join("running.json").exists());
    scene.assert_nothing_is_left();
}

#[test]
fn an_interrupt_ends_a_run_whose_cluster_never_gets_ready() {
    let scene = Scene::new();
    let workload = scene.workload(&PHASES);
    let target =
        scene.target(&[("\"ready\":true", "\"ready\":never"), ("within: 30s", "within: 1h")]);
    let mut run = scene.start(&["run", &workload, "--target", &target]);
    run.until("three nodes", |run| run.run().join("nodes/n3/log").exists());
    run.until("its readiness for interrupts", |run| {
        text(&run.run().join("log")).contains("n3 is started")
    });
    run.signal(Signal::SIGINT);
    assert_eq!(run.end(), 2, "{}", run.stderr());
    assert!(run.stderr().contains("interrupted before the first operation"), "{}", run.stderr());
    assert!(!run.run().join("verdict.json").exists());
    scene.assert_nothing_is_left();
}

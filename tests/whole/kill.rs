//! `kill -9` at any instant leaves nothing on the host and loses no recorded operation.
//!
//! Every node logs each request before it carries it out. What a node has logged has to be in
//! the history, since an invocation is written before its request leaves.
//!
//! `SPLITBRAIN_KILLS=20` kills more often, `SPLITBRAIN_KILLS_SEED` kills at the same instants
//! again.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::Value;

use crate::processes;
use crate::scene::{Scene, Started, events, eventually, text};
use crate::support::splitbrain;

const PHASES: [&str; 4] =
    ["healthy: 1s", "{ partition: { isolate: n3 }, for: 3s }", "healthy: 500ms", "settle: 2s"];
/// From the start to the settling, on an idle machine.
const LENGTH: Duration = Duration::from_millis(6000);

#[test]
fn a_killed_controller_leaves_nothing_and_loses_no_recorded_operation() {
    let setting = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
    let kills = setting("SPLITBRAIN_KILLS").unwrap_or(4);
    let seed = setting("SPLITBRAIN_KILLS_SEED").unwrap_or_else(|| u64::from(rand::random::<u32>()));
    println!("SPLITBRAIN_KILLS={kills} SPLITBRAIN_KILLS_SEED={seed}");
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut received = 0;
    for number in 0..kills {
        // One in each stretch, so that few kills meet every phase as well.
        let share = (number as f64 + random.random::<f64>()) / kills as f64;
        received += kill_after(LENGTH.mul_f64(share));
    }
    assert!(received > 0, "no kill came while clients were at work");
}

/// Kills a run so long after its start. Returns how many requests its nodes had received.
fn kill_after(delay: Duration) -> usize {
    let scene = Scene::new();
    let workload = scene.workload(&PHASES);
    let mut run =
        scene.start(&["run", &workload, "--target", "reference", "--set", "log=requests"]);
    sleep(delay);
    if let Some(exit) = run.ended() {
        assert!(exit <= 2, "{}", run.stderr());
        return kill_after(delay.mul_f64(0.8));
    }
    let namespaces = processes::namespaces(&processes::marked(&scene.marker()));
    run.signal(Signal::SIGKILL);
    assert_eq!(run.end(), 128 + Signal::SIGKILL as i32);
    scene.assert_nothing_is_left();
    assert_nobody_inside(&namespaces);
    let received = assert_all_recorded(&run.run());
    println!("killed after {delay:?}: the nodes had received {received} requests");
    assert_readable(&run.run());
    received
}

fn assert_nobody_inside(namespaces: &BTreeSet<String>) {
    eventually("the end of all in the sandbox", || processes::inside(namespaces).is_empty());
}

/// Every request that a node has logged is an invocation in the history, as often as it was
/// logged. Returns how many there are.
fn assert_all_recorded(run: &Path) -> usize {
    let mut recorded: BTreeMap<(String, String), usize> = BTreeMap::new();
    for event in events(run).iter().filter(|event| event["type"] == "invoke") {
        let node = event["node"].as_str().unwrap().to_string();
        *recorded.entry((node, words(event))).or_default() += 1;
    }
    let mut received: BTreeMap<(String, String), usize> = BTreeMap::new();
    for node in ["n1", "n2", "n3"] {
        let log = text(&run.join("nodes").join(node).join("log"));
        for request in log.lines().filter_map(|line| line.strip_prefix("received ")) {
            if !request.contains(" warm-up") {
                *received.entry((node.to_string(), request.to_string())).or_default() += 1;
            }
        }
    }
    for (request, count) in &received {
        let found = recorded.get(request).copied().unwrap_or(0);
        assert!(found >= *count, "{request:?}: received {count} times, recorded {found} times");
    }
    received.values().sum()
}

/// An invocation as a node logs it.
fn words(event: &Value) -> String {
    let (f, key) = (event["f"].as_str().unwrap(), event["key"].as_str().unwrap());
    let value = match &event["value"] {
        Value::Array(pair) => format!(" {} {}", pair[0], pair[1]),
        Value::Null => String::new(),
        value => format!(" {value}"),
    };
    format!("{f} {key}{value}")
}

/// `check` and `report` read what a killed run has recorded, and claim no more than that.
fn assert_readable(run: &Path) {
    let history = run.join("history.jsonl");
    let check = splitbrain()
        .args(["check", "--model", "cas-register", "--json"])
        .arg(&history)
        .output()
        .unwrap();
    let report = splitbrain().arg("report").arg(run).output().unwrap();
    let complaint = String::from_utf8_lossy(&report.stderr).into_owned();
    if text(&history).is_empty() {
        assert_eq!(check.status.code(), Some(254));
        assert_eq!(report.status.code(), Some(254), "{complaint}");
        return;
    }
    // Raft: nothing can be refuted.
    assert!(matches!(check.status.code(), Some(0 | 2)), "{check:?}");
    let answer: Value = serde_json::from_slice(&check.stdout).unwrap();
    let invoked = events(run).iter().filter(|event| event["type"] == "invoke").count();
    assert_eq!(answer["invocations"], invoked);
    assert_eq!(report.status.code(), Some(2), "{complaint}");
    assert!(text(&run.join("findings.json")).contains("the run was killed"));
    let shell = splitbrain().args(["shell", "n1", "--run"]).arg(run).output().unwrap();
    assert_eq!(shell.status.code(), Some(254));
    assert!(String::from_utf8_lossy(&shell.stderr).contains("has ended"), "{shell:?}");
}

#[test]
fn a_killed_sandbox_ends_the_run_without_a_verdict() {
    end_from_inside(first_process);
}

#[test]
fn a_killed_inner_controller_ends_the_run_without_a_verdict() {
    end_from_inside(|run| {
        let first = first_process(run);
        let controller = processes::command_line(run.pid());
        let mut children = processes::children(first).into_iter();
        children.find(|&child| processes::command_line(child) == controller).unwrap()
    });
}

/// Pid 1 of the sandbox.
fn first_process(run: &Started) -> i32 {
    let children = processes::children(run.pid());
    assert_eq!(children.len(), 1, "{children:?}");
    children[0]
}

fn end_from_inside(victim: impl Fn(&Started) -> i32) {
    let scene = Scene::new();
    let workload = scene.workload(&PHASES);
    let mut run = scene.start(&["run", &workload, "--target", "reference"]);
    run.until_nemesis("partition");
    let namespaces = processes::namespaces(&processes::marked(&scene.marker()));
    assert!(!namespaces.is_empty());
    kill(Pid::from_raw(victim(&run)), Signal::SIGKILL).unwrap();
    assert_eq!(run.end(), 255, "{}", run.stderr());
    let said = run.stderr();
    assert!(said.contains("no verdict") && said.contains("SIGKILL"), "{said}");
    assert!(said.contains(&*run.run().to_string_lossy()), "{said}");
    assert_eq!(run.stdout(), "");
    assert!(!run.run().join("verdict.json").exists());
    assert!(!run.run().join("running.json").exists());
    scene.assert_nothing_is_left();
    assert_nobody_inside(&namespaces);
}

#[test]
fn a_killed_demo_leaves_nothing() {
    let scene = Scene::new();
    let mut demo = scene.start(&["demo", "--mode", "majority", "--mode", "gossip-lww"]);
    let results = scene.results();
    demo.until("the first partition of both modes", |_| {
        ["majority", "gossip-lww"].iter().all(|mode| {
            let run = crate::support::newest(&results.join("demo").join(mode));
            events(&run).iter().any(|event| event["f"] == "partition")
        })
    });
    let namespaces = processes::namespaces(&processes::marked(&scene.marker()));
    assert!(!namespaces.is_empty());
    demo.signal(Signal::SIGKILL);
    demo.end();
    scene.assert_nothing_is_left();
    assert_nobody_inside(&namespaces);
}

//! What is said without running anything: plans, lists, the doctor, checks of recorded files, and
//! what is refused.

use std::path::Path;

use serde_json::Value;

use crate::scene::{Scene, text, workload};
use crate::support::{run, splitbrain};

const PHASES: [&str; 3] = ["healthy: 1s", "{ partition: { isolate: n3 }, for: 3s }", "settle: 2s"];

/// What a command said.
struct Said {
    exit: i32,
    stdout: String,
    stderr: String,
}

fn say(arguments: &[&str]) -> Said {
    let output = splitbrain().args(arguments).output().unwrap();
    Said {
        exit: output.status.code().unwrap(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

#[test]
fn a_plan_shows_the_exact_rules_and_starts_nothing() {
    let scene = Scene::new();
    let workload = scene.workload(&PHASES);
    let elsewhere = scene.path().join("elsewhere");
    std::fs::create_dir(&elsewhere).unwrap();
    let mut command = splitbrain();
    command.args(["plan", &workload, "--target", "reference", "--seed", "7"]);
    command.current_dir(&elsewhere);
    let mut plan = scene.start_as(command);
    assert_eq!(plan.end(), 0, "{}", plan.stderr());
    let said = plan.stdout();
    let rules: Vec<&str> = said
        .lines()
        .skip_while(|line| !line.contains("isolate n3:"))
        .skip(1)
        .take_while(|line| line.starts_with("        "))
        .collect();
    let expected = "
        n1 iptables-restore
          *filter
          :SPLITBRAIN - [0:0]
          -I INPUT 1 -j SPLITBRAIN
          -A SPLITBRAIN -s 10.77.0.3 -m comment --comment \"n3 -> n1\" -j DROP
          COMMIT
        n1 ip6tables-restore
          *filter
          :SPLITBRAIN - [0:0]
          -I INPUT 1 -j SPLITBRAIN
          -A SPLITBRAIN -s fd77::3 -m comment --comment \"n3 -> n1\" -j DROP
          COMMIT
        n2 iptables-restore
          *filter
          :SPLITBRAIN - [0:0]
          -I INPUT 1 -j SPLITBRAIN
          -A SPLITBRAIN -s 10.77.0.3 -m comment --comment \"n3 -> n2\" -j DROP
          COMMIT
        n2 ip6tables-restore
          *filter
          :SPLITBRAIN - [0:0]
          -I INPUT 1 -j SPLITBRAIN
          -A SPLITBRAIN -s fd77::3 -m comment --comment \"n3 -> n2\" -j DROP
          COMMIT
        n3 iptables-restore
          *filter
          :SPLITBRAIN - [0:0]
          -I INPUT 1 -j SPLITBRAIN
          -A SPLITBRAIN -s 10.77.0.1 -m comment --comment \"n1 -> n3\" -j DROP
          -A SPLITBRAIN -s 10.77.0.2 -m comment --comment \"n2 -> n3\" -j DROP
          COMMIT
        n3 ip6tables-restore
          *filter
          :SPLITBRAIN - [0:0]
          -I INPUT 1 -j SPLITBRAIN
          -A SPLITBRAIN -s fd77::1 -m comment --comment \"n1 -> n3\" -j DROP
          -A SPLITBRAIN -s fd77::2 -m comment --comment \"n2 -> n3\" -j DROP
          COMMIT";
    assert_eq!(rules, expected.lines().skip(1).collect::<Vec<_>>(), "{said}");
    assert_eq!(std::fs::read_dir(&elsewhere).unwrap().count(), 0);
    scene.assert_nothing_is_left();
}

/// Every workload with every target that it fits, at its widest.
#[test]
fn a_plan_fits_80_columns() {
    let mut planned = 0;
    for name in names(&["list", "workloads", "--json"]) {
        for target in names(&["list", "targets", "--json"]) {
            for size in [&[][..], &["--set", "n=5"]] {
                let arguments = [&["plan", &name, "--target", &target], size].concat();
                let said = say(&arguments);
                if said.exit == 0 {
                    planned += 1;
                    let wide = said.stdout.lines().find(|line| line.chars().count() > 80);
                    assert_eq!(wide, None, "{arguments:?}");
                }
            }
        }
    }
    assert!(planned >= 10, "{planned} plans");
}

fn names(arguments: &[&str]) -> Vec<String> {
    let said = say(arguments);
    assert_eq!(said.exit, 0, "{}", said.stderr);
    let entries: Vec<Value> = serde_json::from_str(&said.stdout).unwrap();
    entries.iter().map(|entry| entry["name"].as_str().unwrap().to_string()).collect()
}

#[test]
fn everything_that_there_is_can_be_listed() {
    for (what, some) in [
        ("targets", "etcd"),
        ("workloads", "register"),
        ("faults", "partition: ring"),
        ("checkers", "linearizable"),
    ] {
        let said = say(&["list", what]);
        assert_eq!(said.exit, 0, "{}", said.stderr);
        for name in names(&["list", what, "--json"]) {
            assert!(said.stdout.lines().any(|line| line.starts_with(&name)), "{name}");
        }
        assert!(said.stdout.lines().any(|line| line.starts_with(some)), "{}", said.stdout);
    }
    let said = say(&["list", "dishes"]);
    assert_eq!(said.exit, 254);
    assert!(said.stderr.contains("targets, workloads, faults, checkers"), "{}", said.stderr);
}

#[test]
fn the_doctor_says_what_this_machine_allows() {
    let scene = Scene::new();
    let said = say(&["doctor"]);
    let checks: Vec<Value> = serde_json::from_str(&say(&["doctor", "--json"]).stdout).unwrap();
    let status = |name: &str| {
        let check = checks.iter().find(|check| check["name"] == name).expect(name);
        check["status"].as_str().unwrap().to_string()
    };
    // The other tests run clusters here, so these have to be in order.
    for name in ["user namespaces", "ip", "iptables", "ip6tables", "rehearsal"] {
        assert_eq!(status(name), "ok", "{}", said.stdout);
        assert!(said.stdout.contains(name), "{}", said.stdout);
    }
    assert_eq!(said.exit, 0, "{}", said.stdout);
    scene.assert_nothing_is_left();
}

#[test]
fn recorded_histories_are_checked() {
    let folder = "checkers/testdata/knossos/cas-register";
    let check = |file: &str| say(&["check", "--model", "cas-register", file]);
    let valid = check(&format!("{folder}/good/memstress3-20.edn"));
    assert_eq!((valid.exit, &*valid.stderr), (0, ""), "{}", valid.stdout);
    assert!(valid.stdout.contains("valid: linearizable"), "{}", valid.stdout);
    let invalid = check(&format!("{folder}/bad/cas-failure.edn"));
    assert_eq!(invalid.exit, 1, "{}", invalid.stderr);
    assert!(invalid.stdout.contains("invalid: not linearizable"), "{}", invalid.stdout);
    let file = format!("{folder}/bad/cas-failure.edn");
    let json = say(&["check", "--model", "cas-register", "--json", &file]);
    let json: Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(json["result"], "invalid");
    assert!(!json["witness"]["operations"].as_array().unwrap().is_empty(), "{json:#}");
    // What does not fit the model is refused, not skipped.
    let register = say(&["check", "--model", "register", &file]);
    assert_eq!(register.exit, 254, "{}", register.stdout);
    assert!(register.stderr.contains("take --model cas-register"), "{}", register.stderr);
}

#[test]
fn every_history_of_a_folder_is_checked() {
    let scene = Scene::new();
    let folder = "checkers/testdata/porcupine";
    let arguments = ["check", "--model", "cas-register", "--observe-failed-cas", folder];
    let said = say(&arguments);
    assert_eq!(said.exit, 1, "{}", said.stderr);
    let wide = said.stdout.lines().find(|line| line.chars().count() > 80);
    assert_eq!(wide, None);
    let row = |file: &str| {
        let row = said.stdout.lines().find(|line| line.starts_with(file)).expect(file);
        row.split_whitespace().map(str::to_string).collect::<Vec<_>>()
    };
    assert_eq!(row("jepsen/etcd_000.log")[1..3], ["85", "invalid"]);
    assert_eq!(row("jepsen/etcd_002.log")[2..], ["valid", "linearizable"]);
    // Neither what fits another model nor what is no history is passed over.
    assert_eq!(row("kv/c01-ok.txt")[1..3], ["-", "unknown"]);
    assert_eq!(row("LICENSE.md")[1..4], ["-", "no", "history"]);
    let sum = said.stdout.lines().last().unwrap();
    assert!(sum.starts_with("65 files: ") && sum.ends_with("4 unknown, 1 no history"), "{sum}");

    let json = say(&[&arguments[..], &["--json"]].concat());
    assert_eq!(json.exit, 1);
    let rows: Vec<Value> = serde_json::from_str(&json.stdout).unwrap();
    let of = |file: &str| rows.iter().find(|row| row["file"] == file).unwrap();
    assert_eq!(of("jepsen/etcd_000.log")["invocations"], 85);
    assert_eq!(of("LICENSE.md")["result"], "no-history");
    // Without refused cas as evidence less is refuted; the sentence is in the row.
    let file = format!("{folder}/jepsen/etcd_000.log");
    let one = say(&["check", "--model", "cas-register", "--observe-failed-cas", &file]);
    let sentence = of("jepsen/etcd_000.log")["witness"]["sentence"].as_str().unwrap();
    assert!(one.stdout.contains(sentence), "{}", one.stdout);

    // The exit code is that of the worst: here nothing is refuted.
    let lines = "{:process 0 :type :invoke :f :read}\n{:process 0 :type :ok :f :read :value 7}\n";
    scene.file("a.edn", lines);
    let inside = scene.marker();
    let said = say(&["check", "--model", "register", "--initial", "7", &inside]);
    assert_eq!(said.exit, 0, "{}", said.stdout);
    let said = say(&["check", "--model", "register", "--initial", "8", &inside]);
    assert_eq!(said.exit, 1, "{}", said.stdout);
    scene.file("b.edn", &lines.replace(":read", ":enqueue"));
    let said = say(&["check", "--model", "register", "--initial", "7", &inside]);
    assert_eq!(said.exit, 2, "{}", said.stdout);
}

#[test]
fn arguments_of_a_check_say_what_they_want() {
    let file = "checkers/testdata/elle-cli/jepsen/counter.edn";
    let said = say(&["check", file]);
    assert_eq!((said.exit, &*said.stdout), (254, ""));
    for part in ["--model is missing", "  cas-register  ", "a linearizable register"] {
        assert!(said.stderr.contains(part), "{part} in {}", said.stderr);
    }
    for (arguments, part) in [
        (["--model", "registre"], "cas-register"),
        (["--time-limit", "60"], "accepted: a unit: `60s`"),
        (["--time-limit", "soon"], "a number with a unit"),
        (["--memory-limit", "4"], "accepted: `4GiB`"),
        (["--initial", "[1"], "it ends too early"),
        (["--initial", "1 2"], "more than one value"),
    ] {
        let model: &[&str] = if arguments[0] == "--model" { &[] } else { &["--model", "register"] };
        let said = say(&[&["check", file], model, &arguments].concat());
        assert_eq!((said.exit, &*said.stdout), (254, ""), "{arguments:?}");
        assert!(said.stderr.contains(part), "{part} in {}", said.stderr);
    }
    let said = say(&["list", "checkers"]);
    let place = |part: &str| said.stdout.find(part).expect(part);
    assert!(place("checks of a run") < place("\nlinearizable "));
    assert!(place("\nlinearizable ") < place("models of a recorded history"));
    assert!(place("models of a recorded history") < place("\ncas-register "));
}

#[test]
fn a_history_that_was_cut_off_is_read_as_far_as_it_goes() {
    let scene = Scene::new();
    let event = |index: u32, kind: &str, f: &str, value: &str| {
        format!(
            "{{\"index\":{index},\"time\":1{index},\"process\":0,\"type\":\"{kind}\",\
             \"f\":\"{f}\",\"key\":\"x\",\"value\":{value}}}\n"
        )
    };
    let mut lines = event(0, "invoke", "write", "1") + &event(1, "ok", "write", "1");
    lines += &(event(2, "invoke", "read", "null") + &event(3, "ok", "read", "1"));
    lines += &event(4, "invoke", "read", "null");
    lines += &event(5, "ok", "read", "1")[..30];
    let file = scene.file("cut.jsonl", &lines);
    let said = say(&["check", "--model", "register", &file]);
    assert_eq!(said.exit, 0, "{}{}", said.stdout, said.stderr);
    assert!(said.stdout.contains("line 6: the file ends within this line"), "{}", said.stdout);
    assert!(said.stdout.contains("3 invocations: 2 ok, 0 fail, 0 info, 1 without completion"));
    // A hole in the middle is another thing: what is missing may explain the rest.
    let hole = lines.replace("\"value\":1}\n{\"index\":1", "\"val\n{\"index\":1");
    assert_ne!(hole, lines);
    let file = scene.file("hole.jsonl", &hole);
    let said = say(&["check", "--model", "register", &file]);
    assert_eq!(said.exit, 2, "{}{}", said.stdout, said.stderr);
    assert!(said.stdout.contains("line 1"), "{}", said.stdout);
    assert!(said.stdout.contains("what is missing may explain the rest"), "{}", said.stdout);
    assert!(!said.stdout.contains("linearizable"), "{}", said.stdout);
}

#[test]
fn files_that_are_no_histories_are_refused() {
    let scene = Scene::new();
    let missing = scene.path().join("missing.jsonl").to_string_lossy().into_owned();
    let folder = scene.marker();
    let empty = scene.file("empty.jsonl", "");
    let prose = scene.file("prose.txt", "It was a dark and stormy night.\n");
    for path in [&missing, &empty, &prose] {
        let said = say(&["check", "--model", "register", path]);
        assert_eq!((said.exit, &*said.stdout), (254, ""), "{path}: {}", said.stderr);
        assert!(said.stderr.contains(&**path), "{}", said.stderr);
    }
    let said = say(&["check", "--model", "register", &folder]);
    assert_eq!(said.exit, 254, "{}", said.stdout);
    assert!(said.stdout.contains("2 files: 0 valid, 0 invalid, 0 unknown, 2 no history"));
    assert!(said.stderr.contains("no file in it is a history"), "{}", said.stderr);
    for path in [&missing, &folder] {
        let said = say(&["report", path]);
        assert_eq!(said.exit, 254, "{path}: {}", said.stderr);
        assert!(said.stderr.contains(&**path), "{}", said.stderr);
    }
}

#[test]
fn a_report_gives_the_same_verdict_again() {
    let scene = Scene::new();
    let workload = scene.workload(&PHASES);
    let first = run(&scene.results(), &workload, "reference", &[]);
    assert!(first.exit <= 2, "{}", first.story());
    let files = ["verdict.json", "findings.json", "junit.xml"];
    let of = |folder: &Path| files.map(|file| text(&folder.join(file)));
    let before = of(&first.folder);
    for file in files {
        std::fs::remove_file(first.folder.join(file)).unwrap();
    }
    let again = say(&["report", &first.folder.to_string_lossy()]);
    assert_eq!(again.exit, first.exit, "{}", again.stderr);
    let printed = again.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(printed.contains(first.verdict["sentence"].as_str().unwrap()), "{printed}");
    assert_eq!(of(&first.folder), before);
}

#[test]
fn every_mistake_of_a_workload_is_named_at_once_and_nothing_is_started() {
    let scene = Scene::new();
    let bad = workload(&["healthy: 2", "{ partition: { isolate: n9 }, for: 3s }"])
        .replace("keys: 4", "keys: none\ncolour: blue")
        .replace("cas: 2", "delete: 2");
    let file = scene.file("bad.yaml", &bad);
    let mut run = scene.start(&["run", &file, "--target", "reference", "--set", "mode=perfect"]);
    assert_eq!(run.end(), 254, "{}", run.stderr());
    let said = run.stderr();
    for mistake in ["`2` has no unit", "n9", "colour", "delete", "none", "perfect"] {
        assert!(said.contains(mistake), "{mistake}: {said}");
    }
    assert!(said.contains("bad.yaml:3:"), "{said}");
    assert!(said.contains("mistakes; nothing was started"), "{said}");
    assert!(!scene.results().exists());
    scene.assert_nothing_is_left();
    let said = say(&["run", &file, "--target", "oracle"]);
    assert_eq!(said.exit, 254);
    assert!(said.stderr.contains("etcd, redis, zookeeper"), "{}", said.stderr);
}

//! What loads: the workloads of the repository, every form of a partition, settings, `--time`,
//! and a plan that is written and read again.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use splitbrain_checkers::history::Function;

use super::super::document;
use super::super::fields::Reader;
use super::super::recipe;
use super::super::stored;
use super::super::timeline::timeline;
use super::super::{
    Check, DataType, Mistakes, NodePlan, Partition, Phase, Plan, ReadyProbe, Request, Server, Site,
    Source, WORKLOADS, load,
};
use super::{TARGET, WORKLOAD, load_texts, registry, with};

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// What starts a node of the sandbox.
fn server(node: &NodePlan) -> &Server {
    match &node.site {
        Site::Sandbox(server) => server,
        other => panic!("{other:?}"),
    }
}

fn good(workload: &str, target: &str, set: &[&str], time: Option<&str>) -> Plan {
    load_texts(workload, target, set, time).unwrap_or_else(|mistakes| panic!("{mistakes}"))
}

#[test]
fn the_workload_is_what_was_written() {
    let workload = good(WORKLOAD, TARGET, &[], None).workload;
    assert_eq!((workload.name.as_str(), workload.data_type), ("w", DataType::Register));
    let weights = [(Function::Read, 5), (Function::Write, 3), (Function::Cas, 2)];
    assert_eq!(workload.operations, BTreeMap::from(weights));
    assert_eq!((workload.keys, workload.writes_per_key, workload.clients), (10, Some(50), 3));
    assert_eq!((workload.rate, workload.timeout), (Some(50.0), seconds(1)));
    let expected = [
        Phase::Healthy { length: seconds(3) },
        Phase::Faults { partitions: vec![Partition::IsolateOne], length: seconds(8) },
        Phase::Settle { limit: seconds(10) },
    ];
    assert_eq!(workload.phases, expected);
    assert_eq!(workload.checks, [Check::Linearizable, Check::Convergent, Check::Available]);
}

#[test]
fn what_may_be_left_out() {
    let workload = with(WORKLOAD, "rate: 50/s\n", "");
    let workload = with(&workload, "timeout: 1s\n", "");
    let workload = with(&workload, "writes-per-key: 50\n", "");
    let workload = good(&workload, TARGET, &[], None).workload;
    assert_eq!((workload.rate, workload.writes_per_key), (None, None));
    assert_eq!(workload.timeout, seconds(1));
}

#[test]
fn every_form_of_a_partition() {
    let names = |names: &[&str]| names.iter().map(|name| (*name).into()).collect::<Vec<_>>();
    let target = with(TARGET, "nodes: 3", "nodes: 5");
    for (written, expected) in [
        ("{ isolate: one }", Partition::IsolateOne),
        ("{ isolate: primary }", Partition::IsolatePrimary),
        ("{ isolate: n5 }", Partition::IsolateNode("n5".into())),
        ("{ halves: random }", Partition::HalvesRandom),
        (
            "{ groups: [[n1, n2], [n3, n4, n5]] }",
            Partition::Groups(vec![names(&["n1", "n2"]), names(&["n3", "n4", "n5"])]),
        ),
        ("{ bridge: n3 }", Partition::Bridge("n3".into())),
        ("ring", Partition::Ring),
        (
            "{ one-way: { from: [n1], to: [n2, n3] } }",
            Partition::OneWay { from: names(&["n1"]), to: names(&["n2", "n3"]) },
        ),
    ] {
        let plan = good(&with(WORKLOAD, "{ isolate: one }", written), &target, &[], None);
        assert_eq!(plan.workload.phases[1].partitions(), [expected], "{written}");
        let again = stored::parse("plan.yaml", &stored::to_yaml(&plan).expect("YAML"));
        assert_eq!(again, Ok(plan), "{written}");
    }
}

#[test]
fn several_faults_at_once() {
    let faults = "faults: [{ partition: { isolate: n1 } }, { partition: { isolate: n2 } }]";
    let plan = good(&with(WORKLOAD, "partition: { isolate: one }", faults), TARGET, &[], None);
    let isolated = |name: &str| Partition::IsolateNode(name.into());
    assert_eq!(plan.workload.phases[1].partitions(), [isolated("n1"), isolated("n2")]);
}

#[test]
fn the_target_has_its_placeholders_filled_in() {
    let target = good(WORKLOAD, TARGET, &["read=serializable"], None).target;
    assert_eq!((target.name.as_str(), target.driver.as_str()), ("t", "http"));
    assert_eq!(target.driver_config, serde_json::json!({ "read": { "method": "GET" } }));
    assert_eq!(target.settings["read"], "serializable");
    assert_eq!(target.settings["mode"], "quorum");
    assert_eq!(target.failover_allowance, seconds(2));
    let node = &target.nodes[1];
    assert_eq!((&*node.name, node.ip.to_string().as_str()), ("n2", "10.77.0.2"));
    let start = "exec store --data {data} --peers n1=10.77.0.1,n2=10.77.0.2,n3=10.77.0.3";
    assert_eq!(server(node).start, start);
    let ready = &server(node).ready;
    assert_eq!(ready.probe, ReadyProbe::Http("http://10.77.0.2:80/health".to_string()));
    assert_eq!((ready.contains.as_str(), ready.within), ("ok", seconds(30)));
}

#[test]
fn settings_change_what_when_says_and_later_entries_win() {
    let workload = WORKLOADS[2].1;
    let target = with(
        TARGET,
        "lists:",
        "  - { setting: { mode: single, read: [serializable] }, start: 'exec other {mode}' }\nlists:",
    );
    let nodes = |set: &[&str]| {
        let target = good(workload, &target, set, None).target;
        (target.nodes.len(), server(&target.nodes[0]).start.clone())
    };
    let usual = |peers: &str| format!("exec store --data {{data}} --peers {peers}");
    assert_eq!(nodes(&["mode=single"]), (1, usual("n1=10.77.0.1")));
    let other = "exec other single".to_string();
    assert_eq!(nodes(&["mode=single", "read=serializable"]), (1, other));
    assert_eq!(nodes(&["read=serializable"]).0, 3);
}

#[test]
fn time_scales_all_phases_but_the_settling() {
    let plan = good(WORKLOAD, TARGET, &[], Some("22s"));
    let lengths: Vec<Duration> = plan.workload.phases.iter().map(Phase::length).collect();
    assert_eq!(lengths, [seconds(6), seconds(16), seconds(10)]);
    let plan = good(WORKLOAD, TARGET, &[], Some("8s"));
    let lengths: Vec<Duration> = plan.workload.phases[..2].iter().map(Phase::length).collect();
    assert_eq!(lengths.iter().sum::<Duration>(), seconds(8));
}

#[test]
fn every_built_in_workload_loads() {
    for (name, _) in WORKLOADS {
        let target = match name {
            "single" => with(TARGET, "nodes: 3", "nodes: 1"),
            "register-without-cas" => with(TARGET, "write, cas]", "write]"),
            _ => TARGET.to_string(),
        };
        let request = Request {
            workload: name.to_string(),
            target: "store".to_string(),
            seed: Some(1),
            ..Request::default()
        };
        let plan = load(&request, &registry(&[("store", &target)]));
        assert_eq!(plan.unwrap_or_else(|mistakes| panic!("{mistakes}")).workload.name, name);
    }
}

#[test]
fn every_workload_of_the_repository_is_built_in() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/workloads");
    let mut files: Vec<String> = std::fs::read_dir(folder)
        .expect("the folder of workloads")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("UTF-8"))
        .collect();
    files.sort();
    let built_in: Vec<String> = WORKLOADS.iter().map(|(name, _)| format!("{name}.yaml")).collect();
    let mut sorted = built_in.clone();
    sorted.sort();
    assert_eq!(files, sorted);
}

/// Every recipe in the folder of targets, with every value of every setting.
#[test]
fn every_recipe_of_the_repository_loads() {
    let targets = Path::new(env!("CARGO_MANIFEST_DIR")).join("targets");
    for entry in std::fs::read_dir(targets).expect("the folder of targets") {
        let path = entry.expect("an entry").path().join("cluster.yaml");
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        let source = Source::new(path.display().to_string(), text);
        let root = document::parse(&source).unwrap_or_else(|m| panic!("{}", Mistakes::from(*m)));
        let reader = Reader::new(&source);
        let recipe = recipe::read(&reader, &root, &registry(&[]));
        let mistakes = Mistakes::new(reader.into_mistakes());
        assert!(mistakes.is_empty(), "{mistakes}");
        let line = Reader::new(&Source::new("command line", ""));
        for (name, values) in &recipe.settings {
            for value in values {
                let settings = recipe.choose(&line, &[(format!("{name}={value}"), 0..0)]);
                assert_eq!(settings[name], *value);
                let target = recipe.resolve("target", settings).expect("complete");
                assert!(!target.nodes.is_empty() && !target.operations.is_empty());
            }
        }
    }
}

#[test]
fn without_a_seed_one_is_taken() {
    let request =
        Request { workload: "register".into(), target: "store".into(), ..Request::default() };
    let targets = [("store", TARGET)];
    let seed = || load(&request, &registry(&targets)).map(|plan| plan.seed);
    // Three equal ones by chance: once in 2^64 runs.
    assert!(seed() != seed() || seed() != seed(), "the same seed twice");
}

/// A plan with everything that could be hard to write as YAML.
fn difficult() -> Plan {
    let target = with(
        TARGET,
        "start:",
        "\
environment: { YES: 'on', EMPTY_LIKE: '~', NUMBER: 1.10, COLON: 'a: b # c', NONE: '' }
sysctl: { net.ipv4.tcp_retries2: 4 }
files:
  conf/a.conf: |
    one {ip}

      two: {{x}}
    \ttab
  b.json: '{{\"a\": \"{self}\"}}'
needs: [{ program: /usr/bin/store, install: 'apt-get install store' }]
prepare: |
  set -e
  store join {members}
version: store --version
start:",
    );
    let target =
        with(&target, "method: GET", "method: GET, none: null, number: 1.5, list: [on, 1]");
    let mut plan = good(WORKLOAD, &target, &["mode=quorum"], Some("13s"));
    plan.seed = u64::MAX;
    plan.workload.rate = Some(0.1);
    plan
}

#[test]
fn a_plan_that_is_written_is_read_back_equal() {
    let plan = difficult();
    assert_eq!(plan.target.sysctl["net.ipv4.tcp_retries2"], "4");
    assert_eq!(server(&plan.target.nodes[0]).environment["NUMBER"], "1.10");
    let conf = "one 10.77.0.1\n\n  two: {x}\n\ttab\n";
    assert_eq!(server(&plan.target.nodes[0]).files["conf/a.conf"], conf);
    assert_eq!(server(&plan.target.nodes[0]).files["b.json"], "{\"a\": \"{self}\"}");
    let yaml = stored::to_yaml(&plan).expect("a plan is YAML");
    assert!(yaml.contains("timeout: 1s\n") && yaml.contains("limit: 10s\n"), "{yaml}");
    let again = stored::parse("plan.yaml", &yaml).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    assert_eq!(again, plan);
}

#[test]
fn a_plan_that_was_edited_is_checked_again() {
    let yaml = stored::to_yaml(&difficult()).expect("a plan is YAML");
    for (part, replacement, message) in [
        ("  keys: 10\n", "  keys: 0\n", "zero keys"),
        ("  keys: 10\n", "  keyz: 10\n", "not a plan: unknown field"),
        ("timeout: 1s\n", "timeout: 1\n", "`1` has no unit"),
        ("isolate-one", "ring", "`ring` makes no sense with 3 nodes"),
        ("  name: w\n", "  name: w: x\n", "not readable as YAML"),
    ] {
        let edited = with(&yaml, part, replacement);
        let line = edited[..edited.find(replacement).expect("replaced")].matches('\n').count() + 1;
        let mistakes = stored::parse("plan.yaml", &edited).expect_err(message);
        let mistake = mistakes.iter().next().expect("one mistake");
        assert!(mistake.message.contains(message), "{mistakes}");
        assert!(mistake.place.line() == line, "{line}: {mistakes}");
    }
}

#[test]
fn the_timeline() {
    let plan = good(WORKLOAD, TARGET, &["mode=quorum"], None);
    let rules = |partition: &Partition| format!("rules of {partition:?}");
    let expected = "\
workload      w
target        t (driver http)
              --set mode=quorum
              --set read=linearizable
seed          7

   start     length  phase
      0s         3s  healthy
      3s         8s  partition: isolate one node (chosen by the seed)
        rules of IsolateOne
     11s     <= 10s  settle: no writes, every key is read at every node until
                      all agree
   total  11s, then at most 10s of settling

clients       3 beside each of 3 nodes, 9 in all
rate          50/s each, 450/s in all (open loop)
operations    read 50 %, write 30 %, cas 20 %
keys          10 in use; after 50 writes a key retires for a fresh one
timeout       1s, then indeterminate
checks        linearizable, convergent, available

cluster       3 nodes, operations read, write, cas
failover      may take 2s
";
    let text = timeline(&plan, &rules);
    assert!(text.starts_with(expected), "{text}");
    let node = "\
n3            10.77.0.3
  start       exec store --data {data} --peers
              n1=10.77.0.1,n2=10.77.0.2,n3=10.77.0.3
  ready       GET http://10.77.0.3:80/health, answer with `ok`, within 30s
";
    assert!(text.ends_with(node), "{text}");
    for line in timeline(&difficult(), &|_| String::new()).lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
}

/// Whatever a recipe holds: blanks, line breaks, quotes, long lines.
#[test]
fn any_text_survives_being_written_and_read() {
    let mut plan = difficult();
    plan.target.nodes.truncate(1);
    plan.workload.phases = vec![Phase::Healthy { length: seconds(1) }];
    plan.workload.checks = vec![Check::Linearizable];
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let letters: Vec<char> = " \n\t:#'\"{}[]>|-,&*!%@`\\?=<~0né…\r".chars().collect();
    for round in 0..200 {
        let length = random.random_range(0..if round % 2 == 0 { 8 } else { 300 });
        let plain = round % 4 > 1;
        let text: String = (0..length)
            .map(|_| match random.random_range(0..letters.len() * 2) {
                at if at < letters.len() && !(plain && at > 1) => letters[at],
                _ => 'a',
            })
            .collect();
        let Site::Sandbox(server) = &mut plan.target.nodes[0].site else { panic!("a sandbox") };
        server.start = text.clone();
        server.files = BTreeMap::from([(text.clone(), text.clone())]);
        server.ready.contains = text.clone();
        plan.target.driver_config = serde_json::json!({ "text": text, "list": [text] });
        let yaml = stored::to_yaml(&plan).expect("a plan is YAML");
        let again = stored::parse("plan.yaml", &yaml);
        assert_eq!(again.as_ref(), Ok(&plan), "{text:?}\n{yaml}");
    }
}

#[test]
fn the_command_to_ask_again_is_one_that_a_shell_reads_back() {
    let request = Request {
        workload: "my workloads/it's.yaml".to_string(),
        target: "etcd".to_string(),
        set: vec!["read=serializable".to_string()],
        seed: None,
        time: Some("30s".to_string()),
    };
    assert_eq!(
        request.command(7),
        r"splitbrain run 'my workloads/it'\''s.yaml' --target etcd --set read=serializable --time 30s --seed 7"
    );
}

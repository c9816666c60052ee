//! One table of everything that is refused: a part of a good file, what stands there instead,
//! and the line, column, message and help that come of it.

use super::super::Mistakes;
use super::{TARGET, WORKLOAD, load_texts, with};

/// A part, its replacement, line, column, and parts of the message and of what is accepted.
type Case = (&'static str, &'static str, usize, usize, &'static str, &'static str);

const SHAPES: &str = "{ isolate: one }";
const CHECKS: &str = "[linearizable, convergent, available]";
const PHASES: &str = "\
  - healthy: 3s
  - partition: { isolate: one }
    for: 8s
  - settle: 10s
";

/// Changes of the workload.
const WORKLOADS: &[Case] = &[
    // Fields
    ("keys:", "keyz:", 3, 1, "unknown field `keyz` in a workload", "did you mean `keys`?"),
    ("rate: 50/s", "nemesis: x", 6, 1, "unknown field `nemesis`", "type, operations, keys"),
    (SHAPES, "{ isolat: one }", 10, 18, "unknown field `isolat`", "did you mean `isolate`?"),
    ("type: register\n", "", 1, 1, "`type` is missing in a workload", "`type: register`"),
    ("clients: 3\n", "", 1, 1, "`clients` is missing", "`clients: 5`"),
    ("keys: 10", "keys: 10\nkeys: 11", 4, 1, "`keys` is written twice", "each key once"),
    ("read: 5,", "read: 5, read: 6,", 2, 24, "`read` is written twice", "each key once"),
    ("    for: 8s\n", "", 10, 5, "`for` is missing beside `partition`", "`for: 8s`"),
    // Type and operations
    ("register", "registr", 1, 7, "unknown type `registr`", "did you mean `register`?"),
    ("type: register", "type: [a]", 1, 7, "type is a list, not a text", "`register`"),
    ("cas: 2", "swap: 2", 2, 34, "unknown operation `swap`", "read, write, cas"),
    ("write: 3", "write: -1", 2, 31, "the weight of write of -1 is negative", "whole number"),
    ("write: 3", "write: 0.5", 2, 31, "of 0.5 is not a whole number", "`3`"),
    ("write: 3", "write: many", 2, 31, "is a text, not a whole number", "`3`"),
    ("read: 5, write: 3, cas: 2", "read: 0, write: 0", 2, 1, "no operation", "positive weight"),
    ("{ read: 5, write: 3, cas: 2 }", "{}", 2, 1, "no operation has a positive", "read: 5"),
    ("{ read: 5, write: 3, cas: 2 }", "read", 2, 13, "is a text, not a map", "read, write, cas"),
    // Numbers
    ("keys: 10", "keys: 0", 3, 7, "zero keys", "at least `1`"),
    ("keys: 10", "keys: -4", 3, 7, "the number of keys of -4 is negative", "whole number"),
    ("keys: 10", "keys: ten", 3, 7, "the number of keys is a text", "`10`"),
    ("keys: 10", "keys: 99999999", 3, 7, "is too large", "up to 1000000"),
    ("key: 50", "key: 0", 4, 17, "zero writes per key", "at least `1`"),
    ("clients: 3", "clients: 0", 5, 10, "zero clients", "at least `1`"),
    ("50/s", "50", 6, 7, "rate `50` has no unit", "`50/s`"),
    ("50/s", "-5/s", 6, 7, "rate `-5/s` is negative", "`5/s`"),
    ("50/s", "0/s", 6, 7, "a rate of zero", "more than `0/s`"),
    ("50/s", "9e9/s", 6, 7, "rate `9e9/s` is too large", "`1000/s`"),
    ("50/s", "50/day", 6, 7, "rate `50/day` is no rate", "`50/s`"),
    // Durations
    ("timeout: 1s", "timeout: 1", 7, 10, "timeout: `1` has no unit", "`1s`, `1ms`"),
    ("timeout: 1s", "timeout: 0s", 7, 10, "a timeout of zero", "`1s`"),
    ("healthy: 3s", "healthy: 3", 9, 14, "healthy: `3` has no unit", "`3s`"),
    ("healthy: 3s", "healthy: -3s", 9, 14, "`-3s` is negative", "`3s`"),
    ("healthy: 3s", "healthy: soon", 9, 14, "`soon` is not a duration", "`10s`"),
    ("healthy: 3s", "healthy: 0s", 9, 5, "a phase of zero length", "more than zero"),
    ("healthy: 3s", "healthy: 999h", 9, 14, "longer than a week", "`168h`"),
    ("for: 8s", "for: 8", 11, 10, "for: `8` has no unit", "`8s`"),
    ("for: 8s", "for:", 11, 8, "for has no value", "`8s`"),
    // Phases
    (PHASES, "  []\n", 9, 5, "phases is empty", "healthy: 3s"),
    ("- healthy: 3s", "- healthy", 9, 5, "the phase `healthy` says nothing", "`healthy: 3s`"),
    ("- healthy: 3s", "- kill: n1", 9, 5, "unknown field `kill` in a phase", "partition, faults"),
    ("- healthy: 3s", "- for: 3s", 9, 5, "does not say what happens", "healthy, partition"),
    ("- healthy: 3s", "- { healthy: 3s, for: 3s }", 9, 20, "`for` beside `healthy`", "itself"),
    (
        "- healthy: 3s",
        "- { healthy: 3s, settle: 3s }",
        9,
        20,
        "`healthy` and `settle` in one phase",
        "`- settle:`",
    ),
    ("- healthy: 3s", "- settle: 3s", 9, 5, "settle is not the last phase", "at the end"),
    ("  - settle: 10s\n", "", 10, 5, "the run ends with links cut", "`- settle: 10s`"),
    ("  - settle: 10s\n", "", 12, 23, "no phase does that", "`- settle: 10s` as the last"),
    ("  - settle: 10s", "  - healthy: 1s", 13, 23, "`convergent` reads every", "`- settle: 10s`"),
    ("for: 8s", "for: 2s", 10, 5, "a cut of 2s says nothing about `available`", "longer than 2s"),
    // Partitions
    (SHAPES, "blackhole", 10, 16, "unknown partition `blackhole`", "{ halves: random }"),
    (SHAPES, "[n1]", 10, 16, "a partition is a list", "isolate: one|primary|NODE"),
    (SHAPES, "{}", 10, 16, "an empty partition", "isolate"),
    (SHAPES, "{ isolate: n4 }", 10, 27, "there is no node `n4`", "n1, n2, n3"),
    (SHAPES, "{ isolate: oen }", 10, 27, "there is no node `oen`", "n1"),
    (SHAPES, "{ halves: best }", 10, 26, "unknown way to choose halves `best`", "random"),
    (SHAPES, "{ ring: yes }", 10, 18, "`ring` takes no value", "`partition: ring`"),
    (SHAPES, "ring", 10, 5, "`ring` makes no sense with 3 nodes", "at least 4 nodes"),
    (SHAPES, "{ bridge: n9 }", 10, 26, "there is no node `n9`", "n1, n2, n3"),
    (SHAPES, "{ isolate: n1, bridge: n2 }", 10, 31, "two partitions in one", "faults"),
    (SHAPES, "{ groups: [[n1], [n2]] }", 10, 5, "the groups leave out n3", "exactly one group"),
    (
        SHAPES,
        "{ groups: [[n1, n2], [n2, n3]] }",
        10,
        38,
        "the groups name n2 twice",
        "exactly one group",
    ),
    (SHAPES, "{ groups: [[n1, n2, n3]] }", 10, 5, "a single group cuts no link", "two groups"),
    (SHAPES, "{ groups: [n1, n2] }", 10, 27, "a group is a text, not a list", "`[n2, n3]`"),
    (SHAPES, "{ groups: [[n1], [n2, n5]] }", 10, 38, "there is no node `n5`", "n1, n2, n3"),
    (SHAPES, "{ one-way: { from: [n1] } }", 10, 18, "`to` is missing", "`to: [n2]`"),
    (
        SHAPES,
        "{ one-way: { from: [n1], to: [n1] } }",
        10,
        46,
        "`one-way` names n1 twice",
        "one side at most",
    ),
    (
        "partition: { isolate: one }",
        "faults: [{ clock: 3s }]",
        10,
        16,
        "unknown field `clock` in a fault",
        "partition",
    ),
    ("partition: { isolate: one }", "faults: []", 10, 13, "faults is empty", "partition"),
    (
        "partition: { isolate: one }",
        "faults: [{ partition: { isolate: n1 } }, { partition: ring }]",
        10,
        48,
        "`ring` makes no sense",
        "at least 4 nodes",
    ),
    // Checks
    (CHECKS, "[linearisable]", 13, 9, "unknown check `linearisable`", "`linearizable`"),
    (CHECKS, "[available, available]", 13, 20, "`available` is written twice", "once"),
    (CHECKS, "[]", 13, 8, "check is empty", "linearizable"),
    (CHECKS, "linearizable", 13, 8, "check is a text, not a list", "[linearizable"),
    (
        "  - partition: { isolate: one }\n    for: 8s\n",
        "",
        11,
        35,
        "no phase has one",
        "partition: { isolate: one }",
    ),
    ("read: 5, write: 3, cas: 2", "read: 5", 13, 9, "without writes would always hold", "`write`"),
    ("read: 5, write: 3, cas: 2", "write: 5", 13, 9, "without reads would always hold", "`read`"),
    // YAML that does not parse
    ("cas: 2 }", "cas: 2", 3, 5, "not readable as YAML", "bracket"),
    ("keys: 10", "keys: 10: 11", 3, 9, "not readable as YAML", "YAML"),
];

/// Changes of the target.
const TARGETS: &[Case] = &[
    ("nodes: 3", "nodez: 3", 3, 1, "unknown field `nodez` in a target", "did you mean `nodes`?"),
    ("within: 30s", "withn: 30s", 14, 55, "unknown field `withn` in `ready`", "`within`"),
    ("about: a store for tests\n", "", 1, 1, "`about` is missing", "about:"),
    ("failover-allowance: 2s\n", "", 1, 1, "`failover-allowance` is missing", ": 3s`"),
    ("driver: http", "driver: htp", 1, 9, "unknown driver `htp`", "did you mean `http`?"),
    ("http: { read", "redis: {}\nhttp: { read", 15, 1, "of the driver `redis`", "driver: redis"),
    ("method: GET", "method: GETT", 15, 25, "no such method", "GET"),
    ("http: { read: { method: GET } }", "", 1, 9, "no such method", "GET"),
    ("nodes: 3", "nodes: 0", 3, 8, "a cluster of zero nodes", "at least `1`"),
    ("nodes: 3", "nodes: 101", 3, 8, "the number of nodes of 101 is too large", "up to 100"),
    ("[read, write, cas]", "[read, writ]", 4, 20, "unknown operation `writ`", "`write`"),
    ("allowance: 2s", "allowance: 2", 5, 21, "`2` has no unit", "`2s`"),
    // Settings
    ("mode: [quorum, single]", "mode: []", 8, 9, "setting `mode` is empty", "linearizable"),
    ("[quorum, single]", "[single, single]", 8, 18, "`single` is written twice", "once"),
    ("[quorum, single]", "[a b, single]", 8, 10, "`a b` cannot be the value", "a word"),
    ("read: [", "ip: [", 7, 3, "`ip` is a placeholder already", "another name"),
    ("{ mode: single }", "{ mod: single }", 10, 18, "unknown setting `mod`", "`mode`"),
    ("{ mode: single }", "{ mode: sngle }", 10, 24, "no value `sngle`", "`single`"),
    (", nodes: 1", "", 10, 5, "an entry of `when` that changes nothing", "nodes, operations"),
    ("setting: { mode: single }, ", "", 10, 5, "`setting` is missing", "mode: single"),
    (", nodes: 1", ", node: 1", 10, 34, "unknown field `node`", "did you mean `nodes`?"),
    (", nodes: 1", ", requires: { red: x }", 10, 46, "unknown setting `red`", "`read`"),
    ("nodes: 3", "nodes: 3\nprimary: no", 4, 10, "unknown value of `primary` `no`", "true, false"),
    // Placeholders
    ("{data}", "{date}", 13, 26, "unknown placeholder `{date}` in start", "`data`"),
    ("{data}", "{", 13, 26, "a brace in start that is no placeholder", "`{{`"),
    ("{node}={ip}", "{data}={ip}", 12, 21, "unknown placeholder `{data}` in each", "node, index"),
    ("{node}={ip}", "{members}", 12, 21, "unknown placeholder `{members}`", "node, index"),
    ("members: {", "mode: {", 12, 3, "`mode` is a setting already", "another name"),
    ("start:", "version: v {ip}\nstart:", 13, 12, "unknown placeholder `{ip}`", "self, mode, read"),
    ("start:", "prepare: p {data}\nstart:", 13, 12, "unknown placeholder `{data}`", "self"),
    ("start:", "files: { ../a: x }\nstart:", 13, 10, "not inside", "a relative path"),
    ("start:", "files: { a: '{x}' }\nstart:", 13, 14, "unknown placeholder `{x}`", "node"),
    ("start:", "environment: { A: '{x}' }\nstart:", 13, 20, "in environment `A`", "node"),
    ("start:", "needs: [{ program: a }]\nstart:", 13, 9, "`install` is missing", "apt-get"),
    (
        "ready: { http: \"http://{ip}:80/health\",",
        "ready: {",
        14,
        1,
        "`ready` does not say how to ask",
        "`http: URL`",
    ),
    ("contains: ok,", "command: ping,", 14, 41, "`http` and `command`", "one of them"),
    ("within: 30s }", "within: 30s", 15, 5, "not readable as YAML", "bracket"),
];

/// Targets that are good by themselves but do not fit the workload.
const FITS: &[Case] = &[
    ("[read, write, cas]", "[read, write]", 2, 34, "has no operation `cas`", "read, write"),
    ("nodes: 3", "nodes: 1", 10, 5, "`isolate` makes no sense with one node", "without partitions"),
    ("nodes: 3", "nodes: 3\nprimary: false", 10, 5, "has no primary to isolate", "isolate: one"),
    ("allowance: 2s", "allowance: 9s", 10, 5, "may take 9s to fail over", "longer than 9s"),
];

/// `--set` or `--time`, a part of the message and of what is accepted.
const ARGUMENTS: &[(&str, &str, &str)] = &[
    ("--set raed=serializable", "no setting `raed`", "did you mean `read`?"),
    ("--set read=serialisable", "`read` has no value `serialisable`", "`serializable`"),
    ("--set read", "`--set read` gives no value", "read=linearizable|serializable"),
    ("--time 30", "--time: `30` has no unit", "`30s`"),
    ("--time -30s", "`-30s` is negative", "`30s`"),
    ("--time 7s", "a fault of 8s is longer than the run", "at least 8s"),
];

/// What is wrong with the answer to a case; empty if nothing is.
fn check(result: Result<super::Plan, Mistakes>, file: &str, case: &Case) -> String {
    let (part, replacement, line, column, message, accepted) = case;
    let Err(mistakes) = result else {
        return format!("`{part}` -> `{replacement}` is accepted\n");
    };
    let fits = mistakes.iter().any(|mistake| {
        mistake.place.source.name.ends_with(file)
            && (mistake.place.line(), mistake.place.column()) == (*line, *column)
            && mistake.message.contains(message)
            && mistake.accepted.contains(accepted)
    });
    let rendered = mistakes.to_string();
    let header = format!("{file}:{line}:{column}]");
    // The folder of the test is part of every file's name and may be long.
    let wide = |line: &&str| !line.contains("─[") && line.chars().count() > 80;
    if fits && rendered.contains(&header) && !rendered.lines().any(|line| wide(&line)) {
        return String::new();
    }
    format!("`{part}` -> `{replacement}`: {line}:{column} {message} ({accepted})\n{rendered}")
}

/// Every case of a table, all failures at once.
fn check_all(cases: &[Case], file: &str, load: impl Fn(&Case) -> Result<super::Plan, Mistakes>) {
    let failures: String = cases.iter().map(|case| check(load(case), file, case)).collect();
    assert!(failures.is_empty(), "{failures}");
}

#[test]
fn workloads_that_are_refused() {
    check_all(WORKLOADS, "w.yaml", |case| {
        load_texts(&with(WORKLOAD, case.0, case.1), TARGET, &[], None)
    });
}

#[test]
fn targets_that_are_refused() {
    check_all(TARGETS, "t.yaml", |case| {
        load_texts(WORKLOAD, &with(TARGET, case.0, case.1), &[], None)
    });
}

#[test]
fn targets_that_do_not_fit_the_workload() {
    check_all(FITS, "w.yaml", |case| {
        let primary = case.1.contains("primary");
        let workload = with(WORKLOAD, "one", if primary { "primary" } else { "one" });
        load_texts(&workload, &with(TARGET, case.0, case.1), &[], None)
    });
}

#[test]
fn a_bridge_needs_three_nodes() {
    let workload = with(WORKLOAD, SHAPES, "{ bridge: n2 }");
    let target = with(TARGET, "nodes: 3", "nodes: 2");
    let case = ("", "", 10, 5, "`bridge` makes no sense with 2 nodes", "at least 3 nodes");
    check_all(&[case], "w.yaml", |_| load_texts(&workload, &target, &[], None));
}

#[test]
fn arguments_that_are_refused() {
    for (argument, message, accepted) in ARGUMENTS {
        let (option, value) = argument.split_once(' ').expect("an option and its value");
        let result = match option {
            "--set" => load_texts(WORKLOAD, TARGET, &[value], None),
            _ => load_texts(WORKLOAD, TARGET, &[], Some(value)),
        };
        let mistakes = result.expect_err(argument);
        assert_eq!(mistakes.len(), 1, "{argument}: {mistakes}");
        let mistake = mistakes.iter().next().expect("one mistake");
        assert_eq!(mistake.place.source.name, "command line");
        assert_eq!(&mistake.place.source.text[mistake.place.bytes.clone()], value);
        assert!(mistake.message.contains(message), "{}", mistake.message);
        assert!(mistake.accepted.contains(accepted), "{}", mistake.accepted);
    }
}

#[test]
fn a_setting_chosen_twice_is_refused() {
    let set = ["mode=quorum", "mode=quorum"];
    let mistakes = load_texts(WORKLOAD, TARGET, &set, None).expect_err("twice");
    assert!(mistakes.to_string().contains("the setting `mode` is chosen twice"), "{mistakes}");
}

#[test]
fn settings_that_do_not_go_together_are_refused() {
    let requires = "{ setting: { mode: single }, requires: { read: [serializable] } }\nlists:";
    let target = with(TARGET, "lists:", &format!("  - {requires}"));
    let workload = super::super::WORKLOADS[2].1;
    let mistakes = load_texts(workload, &target, &["mode=single"], None).expect_err("refused");
    let mistake = mistakes.iter().next().expect("one mistake");
    assert_eq!(mistakes.len(), 1, "{mistakes}");
    assert_eq!(mistake.message, "mode=single does not go with read=linearizable");
    assert_eq!(mistake.accepted, "--set read=serializable");
    assert_eq!(&mistake.place.source.text[mistake.place.bytes.clone()], "mode=single");
    let set = ["mode=single", "read=serializable"];
    load_texts(workload, &target, &set, None).expect("what is accepted is accepted");
}

#[test]
fn a_time_that_leaves_a_phase_too_short_is_refused() {
    let workload = with(WORKLOAD, "healthy: 3s", "healthy: 500ms");
    let mistakes = load_texts(&workload, TARGET, &[], Some("9s")).expect_err("too short");
    let mistake = mistakes.iter().next().expect("one mistake");
    assert!(mistake.message.contains("the shortest phase, 500ms"), "{mistakes}");
    assert_eq!(mistake.accepted, "at least 17s");
    load_texts(&workload, TARGET, &[], Some("17s")).expect("what is accepted is accepted");
}

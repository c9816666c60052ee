//! Whole files through [`load`](super::load): what is refused and where, and what loads.

mod attached;
mod good;
mod refused;
mod together;

use std::collections::BTreeMap;

use super::{Mistakes, Plan, Registry, Request, SectionMistake, load};

/// A workload that fits [`TARGET`]; every test changes a part of it.
const WORKLOAD: &str = "\
type: register
operations: { read: 5, write: 3, cas: 2 }
keys: 10
writes-per-key: 50
clients: 3
rate: 50/s
timeout: 1s
phases:
  - healthy: 3s
  - partition: { isolate: one }
    for: 8s
  - settle: 10s
check: [linearizable, convergent, available]
";

/// A target of three nodes with two settings.
const TARGET: &str = "\
driver: http
about: a store for tests
nodes: 3
operations: [read, write, cas]
failover-allowance: 2s
settings:
  read: [linearizable, serializable]
  mode: [quorum, single]
when:
  - { setting: { mode: single }, nodes: 1 }
lists:
  members: { each: \"{node}={ip}\", join: \",\" }
start: exec store --data {data} --peers {members}
ready: { http: \"http://{ip}:80/health\", contains: ok, within: 30s }
http: { read: { method: GET } }
";

/// The drivers `http`, which wants a method GET, and `redis`.
fn registry<'a>(targets: &'a [(&'a str, &'a str)]) -> Registry<'a> {
    Registry {
        targets,
        drivers: &["http", "redis", "zookeeper"],
        check_section: &check_section,
        find_container: &|_, name| match name {
            "store-1" => Ok((71, Some([172, 18, 0, 2].into()))),
            "store-2" => Ok((72, Some([172, 18, 0, 3].into()))),
            _ => Err(format!("there is no container `{name}`")),
        },
    }
}

fn check_section(
    driver: &str,
    section: &serde_json::Value,
    _settings: &BTreeMap<String, String>,
) -> Vec<SectionMistake> {
    let path: Vec<String> = ["read", "method"].map(str::to_string).into();
    if driver == "http" && section["read"]["method"] != "GET" {
        vec![SectionMistake { path, message: "no such method".into(), accepted: "GET".into() }]
    } else {
        Vec::new()
    }
}

/// Loads texts from files named `w.yaml` and `t.yaml` in a folder of their own.
fn load_texts(
    workload: &str,
    target: &str,
    set: &[&str],
    time: Option<&str>,
) -> Result<Plan, Mistakes> {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("written");
        path.to_str().expect("a path in UTF-8").to_string()
    };
    let request = Request {
        workload: write("w.yaml", workload),
        target: write("t.yaml", target),
        set: set.iter().map(|set| set.to_string()).collect(),
        seed: Some(7),
        time: time.map(str::to_string),
    };
    load(&request, &registry(&[]))
}

/// Replaces one part of a text, which has to be there.
fn with(text: &str, part: &str, replacement: &str) -> String {
    assert!(text.contains(part), "`{part}` is not in the text");
    text.replacen(part, replacement, 1)
}

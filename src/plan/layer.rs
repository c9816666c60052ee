//! The part of a target file that settings may change: at the top level and in each entry of
//! `when`.

use std::collections::BTreeMap;
use std::path::{Component, Path};
use std::time::Duration;

use splitbrain_checkers::history::Function;

use super::document::{Entry, Kind, Node};
use super::fields::{Fields, Reader, Schema};
use super::names::instead_of;
use super::recipe::texts;
use super::template::{Scope, Template};

/// Nodes have the addresses 10.77.0.1, 10.77.0.2, ...
const MOST_NODES: u64 = 100;
/// How long a cluster may take to be ready if the recipe does not say.
const DEFAULT_WITHIN: Duration = Duration::from_secs(30);

/// Fields that a setting may change, with an example of each.
pub const LAYER: [(&str, &str); 11] = [
    ("nodes", "3"),
    ("operations", "[read, write, cas]"),
    ("failover-allowance", "3s"),
    ("warm-up", "1s"),
    ("primary", "false"),
    ("environment", "{ NAME: value }"),
    ("sysctl", "{ net.ipv4.tcp_retries2: 4 }"),
    ("files", "{ server.conf: \"port 80\" }"),
    ("start", "exec server --data {data} --listen {ip}"),
    ("prepare", "command run once when every node has been started"),
    ("ready", "{ http: \"http://{ip}:2379/health\", within: 30s }"),
];

const READY: Schema = Schema {
    what: "`ready`",
    fields: &[
        ("http", "http://{ip}:2379/health"),
        ("command", "redis-cli -h {ip} ping"),
        ("contains", "PONG"),
        ("within", "30s"),
    ],
};

const BOOLEANS: [(&str, bool); 2] = [("true", true), ("false", false)];

/// What clients can be asked to do at a node of a target.
const FUNCTIONS: [&str; 4] = ["read", "write", "cas", "replica-read"];

/// What a setting can change.
#[derive(Debug, Default, Clone)]
pub struct Layer {
    pub nodes: Option<usize>,
    pub operations: Option<Vec<Function>>,
    pub failover_allowance: Option<Duration>,
    pub warm_up: Option<Duration>,
    /// Whether there is a node that leads; there is if the recipe does not say.
    pub primary: Option<bool>,
    pub environment: Option<BTreeMap<String, Template>>,
    pub sysctl: Option<BTreeMap<String, Template>>,
    pub files: Option<BTreeMap<String, Template>>,
    pub start: Option<Template>,
    pub prepare: Option<Template>,
    pub ready: Option<Probe>,
}

/// How readiness is asked for.
#[derive(Debug, Clone)]
pub struct Probe {
    pub http: bool,
    pub target: Template,
    pub contains: Option<Template>,
    pub within: Duration,
}

impl Layer {
    /// Whether anything of what starts a node depends on that placeholder.
    pub fn start_needs(&self, name: &str) -> bool {
        let maps = [&self.environment, &self.sysctl, &self.files];
        let of_maps = maps.into_iter().flatten().flat_map(BTreeMap::values);
        let probe = self.ready.iter().map(|probe| &probe.target);
        let alone = self.start.iter().chain(&self.prepare);
        of_maps.chain(probe).chain(alone).any(|template| template.uses(name))
    }

    /// This layer where it says something, else the one below.
    pub fn over(self, below: Layer) -> Layer {
        Layer {
            nodes: self.nodes.or(below.nodes),
            operations: self.operations.or(below.operations),
            failover_allowance: self.failover_allowance.or(below.failover_allowance),
            warm_up: self.warm_up.or(below.warm_up),
            primary: self.primary.or(below.primary),
            environment: self.environment.or(below.environment),
            sysctl: self.sysctl.or(below.sysctl),
            files: self.files.or(below.files),
            start: self.start.or(below.start),
            prepare: self.prepare.or(below.prepare),
            ready: self.ready.or(below.ready),
        }
    }
}

/// Reads the fields of a layer.
pub fn read(reader: &Reader, fields: &Fields, names: &[String]) -> Layer {
    let template = |name: &str, scope| {
        let entry = fields.get(name)?;
        Template::read(reader, &entry.value, name, scope, names)
    };
    let map = |name: &str, scope| {
        let entry = fields.get(name)?;
        let entries = reader.entries(&entry.value, name, &["NAME: VALUE"])?;
        let read = |entry: &Entry| {
            if matches!(&entry.value.kind, Kind::Text(text) if text.is_empty()) {
                return Some((entry.key.clone(), Template::default()));
            }
            let what = format!("{name} `{}`", entry.key);
            let template = Template::read(reader, &entry.value, &what, scope, names)?;
            Some((entry.key.clone(), template))
        };
        Some(entries.iter().filter_map(read).collect())
    };
    if let Some(entry) = fields.get("files") {
        file_names(reader, entry);
    }
    Layer {
        nodes: fields.get("nodes").and_then(|entry| nodes(reader, &entry.value)),
        operations: fields.get("operations").and_then(|entry| operations(reader, &entry.value)),
        failover_allowance: duration(reader, fields, "failover-allowance", "3s"),
        warm_up: duration(reader, fields, "warm-up", "1s"),
        primary: primary(reader, fields),
        environment: map("environment", Scope::Node),
        sysctl: map("sysctl", Scope::Cluster),
        files: map("files", Scope::Node),
        start: template("start", Scope::Node),
        prepare: template("prepare", Scope::Cluster),
        ready: fields.get("ready").and_then(|entry| ready(reader, entry, names)),
    }
}

/// Reads what the file of a cluster that runs already can say of a layer.
pub fn of_an_attached_cluster(reader: &Reader, fields: &Fields) -> Layer {
    Layer {
        operations: fields.get("operations").and_then(|entry| operations(reader, &entry.value)),
        failover_allowance: duration(reader, fields, "failover-allowance", "3s"),
        warm_up: duration(reader, fields, "warm-up", "1s"),
        primary: primary(reader, fields),
        ..Layer::default()
    }
}

fn duration(reader: &Reader, fields: &Fields, name: &str, example: &str) -> Option<Duration> {
    fields.get(name).and_then(|entry| reader.duration(&entry.value, name, example))
}

fn primary(reader: &Reader, fields: &Fields) -> Option<bool> {
    let entry = fields.get("primary")?;
    reader.word(&entry.value, "value of `primary`", &BOOLEANS)
}

fn nodes(reader: &Reader, node: &Node) -> Option<usize> {
    let nodes = reader.count(node, "the number of nodes", MOST_NODES, "3")?;
    if nodes == 0 {
        reader.refuse(&node.bytes, "a cluster of zero nodes", "at least `1`");
        return None;
    }
    Some(nodes as usize)
}

fn operations(reader: &Reader, node: &Node) -> Option<Vec<Function>> {
    let names = texts(reader, node, "operations", "[read, write, cas]");
    let mut complete = !names.is_empty();
    for (name, bytes) in names.iter().filter(|(name, _)| !FUNCTIONS.contains(&name.as_str())) {
        let message = format!("unknown operation `{name}`");
        reader.refuse(bytes, message, instead_of(name, FUNCTIONS));
        complete = false;
    }
    complete.then(|| names.iter().map(|(name, _)| Function::from_name(name)).collect())
}

/// Files lie in the node's data folder, nowhere else.
fn file_names(reader: &Reader, entry: &Entry) {
    let Kind::Map(files) = &entry.value.kind else { return };
    for file in files {
        let inside =
            Path::new(&file.key).components().all(|part| matches!(part, Component::Normal(_)));
        if !inside || file.key.is_empty() {
            reader.refuse(
                &file.key_bytes,
                format!("the file `{}` is not inside the node's data folder", file.key),
                "a relative path without `..`: `conf/server.conf`",
            );
        }
    }
}

fn ready(reader: &Reader, entry: &Entry, names: &[String]) -> Option<Probe> {
    let fields = reader.fields(&entry.value, &entry.key_bytes, &READY)?;
    let probe = match (fields.get("http"), fields.get("command")) {
        (Some(probe), None) | (None, Some(probe)) => probe,
        (Some(_), Some(second)) => {
            let message = "`http` and `command` in one ready check";
            reader.refuse(&second.key_bytes, message, "one of them");
            return None;
        }
        (None, None) => {
            let message = "`ready` does not say how to ask";
            reader.refuse(&entry.key_bytes, message, "`http: URL` or `command: COMMAND`");
            return None;
        }
    };
    let target = Template::read(reader, &probe.value, &probe.key, Scope::Node, names);
    let contains = fields
        .get("contains")
        .map(|entry| Template::read(reader, &entry.value, "contains", Scope::Node, names));
    let within = match fields.get("within") {
        Some(entry) => reader.duration(&entry.value, "within", "30s")?,
        None => DEFAULT_WITHIN,
    };
    let contains = match contains {
        Some(contains) => Some(contains?),
        None => None,
    };
    Some(Probe { http: probe.key == "http", target: target?, contains, within })
}

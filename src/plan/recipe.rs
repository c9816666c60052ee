//! The target file (`cluster.yaml`): from the tree of its YAML to a [`Recipe`].
//!
//! Every part is read and checked, also what the chosen settings do not select. The reference is
//! `targets/README.md`.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Component, Path};
use std::time::Duration;

use splitbrain_checkers::history::Function;

use super::document::{Entry, Kind, Node};
use super::fields::{Fields, Reader, Schema};
use super::model::Need;
use super::names::instead_of;
use super::template::{Scope, Template, is_reserved};
use super::{Registry, SectionMistake};

/// Nodes have the addresses 10.77.0.1, 10.77.0.2, ...
const MOST_NODES: u64 = 100;
/// How long a cluster may take to be ready if the recipe does not say.
const DEFAULT_WITHIN: Duration = Duration::from_secs(30);

/// Fields that a setting may change, with an example of each.
const LAYER: [(&str, &str); 9] = [
    ("nodes", "3"),
    ("operations", "[read, write, cas]"),
    ("failover-allowance", "3s"),
    ("environment", "{ NAME: value }"),
    ("sysctl", "{ net.ipv4.tcp_retries2: 4 }"),
    ("files", "{ server.conf: \"port 80\" }"),
    ("start", "exec server --data {data} --listen {ip}"),
    ("prepare", "command run once when every node has been started"),
    ("ready", "{ http: \"http://{ip}:2379/health\", within: 30s }"),
];

const OTHERS: [(&str, &str); 7] = [
    ("driver", "http"),
    ("about", "one line for the list of targets"),
    ("settings", "{ read: [linearizable, serializable] }"),
    ("when", "[{ setting: { mode: single }, nodes: 1 }]"),
    ("needs", "[{ program: etcd, install: apt-get install etcd-server }]"),
    ("lists", "{ members: { each: \"{node}=http://{ip}:2380\", join: \",\" } }"),
    ("version", "etcd --version"),
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
const LIST: Schema = Schema {
    what: "a list",
    fields: &[("each", "\"{node}=http://{ip}:2380\""), ("join", "\",\"")],
};
const NEED: Schema = Schema {
    what: "a needed program",
    fields: &[("program", "etcd"), ("install", "apt-get install etcd-server")],
};

/// What clients can be asked to do at a node of a target.
const FUNCTIONS: [&str; 4] = ["read", "write", "cas", "replica-read"];

/// A target file as far as it could be read. It is complete if its reader has no mistakes.
#[derive(Debug, Default)]
pub struct Recipe {
    pub driver: String,
    /// The driver's own section; null if there is none.
    pub section: serde_json::Value,
    pub base: Layer,
    /// What settings change, in the order of the file.
    pub when: Vec<When>,
    /// Name and values of each setting, the default first.
    pub settings: BTreeMap<String, Vec<String>>,
    pub lists: BTreeMap<String, List>,
    pub needs: Vec<Need>,
    pub version: Option<Template>,
}

/// What a setting can change.
#[derive(Debug, Default, Clone)]
pub struct Layer {
    pub nodes: Option<usize>,
    pub operations: Option<Vec<Function>>,
    pub failover_allowance: Option<Duration>,
    pub environment: Option<BTreeMap<String, Template>>,
    pub sysctl: Option<BTreeMap<String, Template>>,
    pub files: Option<BTreeMap<String, Template>>,
    pub start: Option<Template>,
    pub prepare: Option<Template>,
    pub ready: Option<Probe>,
}

/// An entry of `when`.
#[derive(Debug)]
pub struct When {
    /// The values of each setting with which the entry counts.
    pub settings: BTreeMap<String, Vec<String>>,
    pub layer: Layer,
}

/// A placeholder that is made of one piece per node.
#[derive(Debug)]
pub struct List {
    pub each: Template,
    pub join: String,
}

/// How readiness is asked for.
#[derive(Debug, Clone)]
pub struct Probe {
    pub http: bool,
    pub target: Template,
    pub contains: Option<Template>,
    pub within: Duration,
}

/// Names that templates may use.
struct Names {
    settings: Vec<String>,
    all: Vec<String>,
}

/// Reads a target; mistakes are with the reader.
pub fn read(reader: &Reader, root: &Node, registry: &Registry) -> Recipe {
    let mut recipe = Recipe::default();
    let head = root.bytes.start..root.bytes.start;
    let root = refuse_access(reader, root);
    let sections = registry.drivers.iter().map(|driver| (*driver, "{ ... }"));
    let known: Vec<(&str, &str)> = OTHERS.into_iter().chain(LAYER).chain(sections).collect();
    let schema = Schema { what: "a target", fields: &known };
    let Some(fields) = reader.fields(&root, &head, &schema) else {
        return recipe;
    };
    for required in ["nodes", "operations", "failover-allowance", "start", "ready"] {
        fields.require(required);
    }
    if let Some(entry) = fields.require("about") {
        reader.text(&entry.value, "about", "one line for the list of targets");
    }
    driver(reader, &root, &fields, registry, &mut recipe);
    if let Some(entry) = fields.get("settings") {
        recipe.settings = settings(reader, entry);
    }
    let names = lists(reader, &fields, &mut recipe);
    recipe.base = layer(reader, &fields, &names);
    if let Some(entry) = fields.get("when") {
        recipe.when = when(reader, entry, &recipe.settings, &names);
    }
    if let Some(entry) = fields.get("needs") {
        recipe.needs = needs(reader, entry);
    }
    recipe.version = fields.get("version").and_then(|entry| {
        Template::read(reader, &entry.value, "version", Scope::Cluster, &names.all)
    });
    recipe
}

/// Attached clusters are refused as what they are, not as an unknown field.
fn refuse_access(reader: &Reader, root: &Node) -> Node {
    let mut root = root.clone();
    if let Kind::Map(entries) = &mut root.kind {
        entries.retain(|entry| {
            let access = entry.key == "access";
            if access {
                reader.refuse(&entry.key_bytes, NO_ATTACHING, SANDBOX_ONLY);
            }
            !access
        });
    }
    root
}

const NO_ATTACHING: &str = "this version cannot attach to a cluster that runs already";
const SANDBOX_ONLY: &str =
    "a cluster in the sandbox: `nodes: 3` and `start:`, without `access:` and addresses";

/// The driver and its section, which the driver itself checks.
fn driver(reader: &Reader, root: &Node, fields: &Fields, registry: &Registry, recipe: &mut Recipe) {
    let Some(entry) = fields.require("driver") else { return };
    let known: Vec<(&str, &str)> = registry.drivers.iter().map(|name| (*name, *name)).collect();
    let Some(driver) = reader.word(&entry.value, "driver", &known) else { return };
    for other in registry.drivers.iter().filter(|name| **name != driver) {
        if let Some(section) = fields.get(other) {
            reader.refuse(
                &section.key_bytes,
                format!("a section of the driver `{other}` in a target of the driver `{driver}`"),
                format!("`{driver}:`, or `driver: {other}`"),
            );
        }
    }
    let section = fields.get(driver);
    recipe.driver = driver.to_string();
    recipe.section = section.map_or(serde_json::Value::Null, |entry| entry.value.to_json());
    for SectionMistake { path, message, accepted } in
        (registry.check_section)(driver, &recipe.section)
    {
        let place = match section {
            Some(_) => root.find(&[vec![driver.to_string()], path].concat()),
            None => entry.value.bytes.clone(),
        };
        reader.refuse(&place, message, accepted);
    }
}

fn settings(reader: &Reader, entry: &Entry) -> BTreeMap<String, Vec<String>> {
    let mut settings = BTreeMap::new();
    for setting in reader.entries(&entry.value, "settings", &["NAME: [VALUE, ...]"]).unwrap_or(&[])
    {
        if !may_name(reader, setting) {
            continue;
        }
        let what = format!("the values of the setting `{}`", setting.key);
        let values = texts(reader, &setting.value, &what, "[linearizable, serializable]");
        for (value, bytes) in &values {
            if value.contains(['{', '}', '=']) || value.contains(char::is_whitespace) {
                let message = format!("`{value}` cannot be the value of a setting");
                reader.refuse(bytes, message, "a word without blanks, braces and `=`");
            }
        }
        settings.insert(setting.key.clone(), values.into_iter().map(|(value, _)| value).collect());
    }
    settings
}

/// Whether a setting or a list can have that name; if not, that is a mistake.
fn may_name(reader: &Reader, entry: &Entry) -> bool {
    let name = &entry.key;
    let letters = name.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c));
    let problem = if is_reserved(name) {
        format!("`{name}` is a placeholder already")
    } else if name.is_empty() || !letters {
        format!("`{name}` cannot be a placeholder")
    } else {
        return true;
    };
    reader.refuse(&entry.key_bytes, problem, "another name of letters, digits, `-` and `_`");
    false
}

/// A list of texts, none of them twice, with their places.
fn texts(reader: &Reader, node: &Node, what: &str, example: &str) -> Vec<(String, Range<usize>)> {
    let mut texts: Vec<(String, Range<usize>)> = Vec::new();
    for item in reader.list(node, what, example).unwrap_or(&[]) {
        let Some(text) = reader.text(item, what, example) else { continue };
        if texts.iter().any(|(earlier, _)| *earlier == text) {
            reader.refuse(&item.bytes, format!("{what}: `{text}` is written twice"), "each once");
        } else {
            texts.push((text, item.bytes.clone()));
        }
    }
    texts
}

fn lists(reader: &Reader, fields: &Fields, recipe: &mut Recipe) -> Names {
    let settings: Vec<String> = recipe.settings.keys().cloned().collect();
    let mut names = Names { all: settings.clone(), settings };
    let Some(entry) = fields.get("lists") else { return names };
    for list in reader.entries(&entry.value, "lists", &["NAME: { each, join }"]).unwrap_or(&[]) {
        if !may_name(reader, list) {
            continue;
        }
        if names.settings.contains(&list.key) {
            let message = format!("`{}` is a setting already", list.key);
            reader.refuse(&list.key_bytes, message, "another name");
            continue;
        }
        names.all.push(list.key.clone());
        let Some(fields) = reader.fields(&list.value, &list.key_bytes, &LIST) else { continue };
        let each = fields.require("each").and_then(|entry| {
            Template::read(reader, &entry.value, "each", Scope::Piece, &names.settings)
        });
        let join = fields.require("join").and_then(|entry| match &entry.value.kind {
            Kind::Text(text) if text.is_empty() => Some(String::new()),
            _ => reader.text(&entry.value, "join", "\",\""),
        });
        if let (Some(each), Some(join)) = (each, join) {
            recipe.lists.insert(list.key.clone(), List { each, join });
        }
    }
    names
}

fn layer(reader: &Reader, fields: &Fields, names: &Names) -> Layer {
    let template = |name: &str, scope| {
        let entry = fields.get(name)?;
        Template::read(reader, &entry.value, name, scope, &names.all)
    };
    let map = |name: &str, scope| {
        let entry = fields.get(name)?;
        let entries = reader.entries(&entry.value, name, &["NAME: VALUE"])?;
        let read = |entry: &Entry| {
            let what = format!("{name} `{}`", entry.key);
            let template = Template::read(reader, &entry.value, &what, scope, &names.all)?;
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
        failover_allowance: fields
            .get("failover-allowance")
            .and_then(|entry| reader.duration(&entry.value, "failover-allowance", "3s")),
        environment: map("environment", Scope::Node),
        sysctl: map("sysctl", Scope::Cluster),
        files: map("files", Scope::Node),
        start: template("start", Scope::Node),
        prepare: template("prepare", Scope::Cluster),
        ready: fields.get("ready").and_then(|entry| ready(reader, entry, names)),
    }
}

fn nodes(reader: &Reader, node: &Node) -> Option<usize> {
    if let Kind::Map(_) = node.kind {
        reader.refuse(&node.bytes, NO_ATTACHING, SANDBOX_ONLY);
        return None;
    }
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

fn ready(reader: &Reader, entry: &Entry, names: &Names) -> Option<Probe> {
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
    let target = Template::read(reader, &probe.value, &probe.key, Scope::Node, &names.all);
    let contains = fields
        .get("contains")
        .map(|entry| Template::read(reader, &entry.value, "contains", Scope::Node, &names.all));
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

fn when(
    reader: &Reader,
    entry: &Entry,
    settings: &BTreeMap<String, Vec<String>>,
    names: &Names,
) -> Vec<When> {
    let setting = ("setting", "{ mode: single }");
    let known: Vec<(&str, &str)> = std::iter::once(setting).chain(LAYER).collect();
    let schema = Schema { what: "an entry of `when`", fields: &known };
    let example = "[{ setting: { mode: single }, nodes: 1 }]";
    let mut entries = Vec::new();
    for item in reader.list(&entry.value, "when", example).unwrap_or(&[]) {
        let Some(fields) = reader.fields(item, &item.bytes, &schema) else { continue };
        let condition =
            fields.require("setting").and_then(|entry| condition(reader, entry, settings));
        if fields.all().len() == 1 {
            let accepted = format!("one of: {}", LAYER.map(|(name, _)| name).join(", "));
            reader.refuse(&item.bytes, "an entry of `when` that changes nothing", accepted);
        }
        let layer = layer(reader, &fields, names);
        entries.extend(condition.map(|settings| When { settings, layer }));
    }
    entries
}

/// With which values of which settings an entry of `when` counts.
fn condition(
    reader: &Reader,
    entry: &Entry,
    settings: &BTreeMap<String, Vec<String>>,
) -> Option<BTreeMap<String, Vec<String>>> {
    let mut condition = BTreeMap::new();
    let entries = reader.entries(&entry.value, "setting", &["NAME: VALUE"])?;
    if entries.is_empty() {
        reader.refuse(&entry.value.bytes, "no setting", "`{ mode: single }`");
    }
    for entry in entries {
        let Some(known) = settings.get(&entry.key) else {
            let accepted = instead_of(&entry.key, settings.keys().map(String::as_str));
            reader.refuse(&entry.key_bytes, format!("unknown setting `{}`", entry.key), accepted);
            continue;
        };
        let what = format!("the value of `{}`", entry.key);
        let values = match &entry.value.kind {
            Kind::List(_) => texts(reader, &entry.value, &what, "[single, quorum]"),
            _ => reader
                .text(&entry.value, &what, "single")
                .map(|value| (value, entry.value.bytes.clone()))
                .into_iter()
                .collect(),
        };
        for (value, bytes) in &values {
            if !known.contains(value) {
                let message = format!("the setting `{}` has no value `{value}`", entry.key);
                reader.refuse(bytes, message, instead_of(value, known.iter().map(String::as_str)));
            }
        }
        condition.insert(entry.key.clone(), values.into_iter().map(|(value, _)| value).collect());
    }
    Some(condition)
}

fn needs(reader: &Reader, entry: &Entry) -> Vec<Need> {
    let example = "[{ program: etcd, install: apt-get install etcd-server }]";
    let read = |item: &Node| {
        let fields = reader.fields(item, &item.bytes, &NEED)?;
        let text = |name| reader.text(&fields.require(name)?.value, name, fields.example(name));
        let (program, install) = (text("program"), text("install"));
        Some(Need { program: program?, install: install? })
    };
    reader.list(&entry.value, "needs", example).unwrap_or(&[]).iter().filter_map(read).collect()
}

//! The target file (`cluster.yaml`): from the tree of its YAML to a [`Recipe`].
//!
//! Every part is read and checked, also what the chosen settings do not select. The reference is
//! `targets/README.md`.

use std::collections::BTreeMap;
use std::ops::Range;

use super::attached::{self, Attached};
use super::document::{Entry, Kind, Node};
use super::fields::{Fields, Reader, Schema};
use super::layer::{self, LAYER, Layer};
use super::model::Need;
use super::names::instead_of;
use super::template::{Scope, Template, is_reserved};
use super::{Registry, SectionMistake};

const OTHERS: [(&str, &str); 8] = [
    ("driver", "http"),
    ("about", "one line for the list of targets"),
    ("access", "sandbox"),
    ("settings", "{ read: [linearizable, serializable] }"),
    ("when", "[{ setting: { mode: single }, nodes: 1 }]"),
    ("needs", "[{ program: etcd, install: apt-get install etcd-server }]"),
    ("lists", "{ members: { each: \"{node}=http://{ip}:2380\", join: \",\" } }"),
    ("version", "etcd --version"),
];

const LIST: Schema = Schema {
    what: "a list",
    fields: &[("each", "\"{node}=http://{ip}:2380\""), ("join", "\",\"")],
};
const NEED: Schema = Schema {
    what: "a needed program",
    fields: &[("program", "etcd"), ("install", "apt-get install etcd-server")],
};

/// A target file as far as it could be read. It is complete if its reader has no mistakes.
#[derive(Debug, Default)]
pub struct Recipe {
    pub driver: String,
    /// Where `driver:` is written.
    pub driver_bytes: Range<usize>,
    /// The driver's own section.
    pub section: Option<Entry>,
    pub base: Layer,
    /// What settings change, in the order of the file.
    pub when: Vec<When>,
    /// Name and values of each setting, the default first.
    pub settings: BTreeMap<String, Vec<String>>,
    pub lists: BTreeMap<String, List>,
    pub needs: Vec<Need>,
    pub version: Option<Template>,
    /// The nodes of a cluster that runs already; of such a one nothing is started.
    pub attached: Option<Attached>,
    /// Settings of the target that count only when a cluster is started.
    pub decided_at_start: Vec<String>,
}

/// Settings with values, one of which each has to have.
pub type Condition = BTreeMap<String, Vec<String>>;

/// An entry of `when`.
#[derive(Debug)]
pub struct When {
    /// The values of each setting with which the entry counts.
    pub settings: Condition,
    /// With these settings, the values that others have to have.
    pub requires: Condition,
    pub layer: Layer,
}

/// A placeholder that is made of one piece per node.
#[derive(Debug)]
pub struct List {
    pub each: Template,
    pub join: String,
}

/// Names that templates may use.
struct Names {
    settings: Vec<String>,
    all: Vec<String>,
}

/// Reads a target; mistakes are with the reader.
pub fn read(reader: &Reader, root: &Node, registry: &Registry) -> Recipe {
    if attached::is_attached(root) {
        return attached::read(reader, root, registry);
    }
    let mut recipe = Recipe::default();
    let head = root.bytes.start..root.bytes.start;
    let sections = registry.drivers.iter().map(|driver| (*driver, "{ ... }"));
    let known: Vec<(&str, &str)> = OTHERS.into_iter().chain(LAYER).chain(sections).collect();
    let schema = Schema { what: "a target", fields: &known };
    let Some(fields) = reader.fields(root, &head, &schema) else {
        return recipe;
    };
    for required in ["nodes", "operations", "failover-allowance", "start", "ready"] {
        fields.require(required);
    }
    if let Some(entry) = fields.require("about") {
        reader.text(&entry.value, "about", "one line for the list of targets");
    }
    driver(reader, &fields, registry, &mut recipe);
    if let Some(entry) = fields.get("settings") {
        recipe.settings = settings(reader, entry);
    }
    let names = lists(reader, &fields, &mut recipe);
    recipe.base = layer::read(reader, &fields, &names.all);
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

/// The driver and its section, which the driver itself checks when settings are chosen.
fn driver(reader: &Reader, fields: &Fields, registry: &Registry, recipe: &mut Recipe) {
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
    recipe.driver = driver.to_string();
    recipe.driver_bytes = entry.value.bytes.clone();
    recipe.section = fields.get(driver).cloned();
}

impl Recipe {
    /// The driver's own section without places; null if there is none.
    pub fn section(&self) -> serde_json::Value {
        self.section.as_ref().map_or(serde_json::Value::Null, |entry| entry.value.to_json())
    }

    /// Leaves out what starts a cluster, and the settings that this depends on.
    pub fn leave_out_start(&mut self) {
        let when = std::mem::take(&mut self.when);
        let lists = std::mem::take(&mut self.lists);
        let decided = |name: &str| {
            self.base.start_needs(name)
                || lists.values().any(|list| list.each.uses(name))
                || when
                    .iter()
                    .any(|entry| entry.settings.contains_key(name) || entry.layer.start_needs(name))
        };
        let names: Vec<String> = self.settings.keys().cloned().collect();
        self.decided_at_start = names.into_iter().filter(|name| decided(name)).collect();
        self.settings.retain(|name, _| !self.decided_at_start.contains(name));
        self.base = Layer {
            operations: self.base.operations.take(),
            failover_allowance: self.base.failover_allowance,
            warm_up: self.base.warm_up,
            primary: self.base.primary,
            ..Layer::default()
        };
        self.needs.clear();
        self.version = None;
    }

    /// What the driver says about its own section; `reader` is that of the recipe.
    pub fn ask_driver(
        &self,
        reader: &Reader,
        registry: &Registry,
        settings: &BTreeMap<String, String>,
    ) {
        if self.driver.is_empty() {
            return;
        }
        let whole = self.section.iter().cloned().collect();
        let whole = Node { bytes: self.driver_bytes.clone(), kind: Kind::Map(whole) };
        for SectionMistake { mut path, message, accepted } in
            (registry.check_section)(&self.driver, &self.section(), settings)
        {
            path.insert(0, self.driver.clone());
            reader.refuse(&whole.find(&path), message, accepted);
        }
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
pub fn texts(
    reader: &Reader,
    node: &Node,
    what: &str,
    example: &str,
) -> Vec<(String, Range<usize>)> {
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

fn when(
    reader: &Reader,
    entry: &Entry,
    settings: &BTreeMap<String, Vec<String>>,
    names: &Names,
) -> Vec<When> {
    let conditions = [("setting", "{ mode: single }"), ("requires", "{ n: [5] }")];
    let known: Vec<(&str, &str)> = conditions.into_iter().chain(LAYER).collect();
    let schema = Schema { what: "an entry of `when`", fields: &known };
    let example = "[{ setting: { mode: single }, nodes: 1 }]";
    let mut entries = Vec::new();
    for item in reader.list(&entry.value, "when", example).unwrap_or(&[]) {
        let Some(fields) = reader.fields(item, &item.bytes, &schema) else { continue };
        let setting =
            fields.require("setting").and_then(|entry| condition(reader, entry, settings));
        let requires = fields.get("requires").and_then(|entry| condition(reader, entry, settings));
        if fields.all().len() == 1 {
            let names: Vec<&str> = schema.names().filter(|name| *name != "setting").collect();
            let accepted = format!("one of: {}", names.join(", "));
            reader.refuse(&item.bytes, "an entry of `when` that changes nothing", accepted);
        }
        let layer = layer::read(reader, &fields, &names.all);
        let requires = requires.unwrap_or_default();
        entries.extend(setting.map(|settings| When { settings, requires, layer }));
    }
    entries
}

/// Settings with one value or a list of values each.
fn condition(
    reader: &Reader,
    entry: &Entry,
    settings: &BTreeMap<String, Vec<String>>,
) -> Option<Condition> {
    let mut condition = BTreeMap::new();
    let entries = reader.entries(&entry.value, &entry.key, &["NAME: VALUE"])?;
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

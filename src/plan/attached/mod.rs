//! The file of a cluster that runs already (`access:`): from the tree of its YAML to a [`Recipe`]
//! that starts nothing. The reference is `docs/attach.md`.
//!
//! `driver:` names a driver, or a built-in target, whose requests, settings and operations then
//! count. Settings that a target's start depends on are left out: the cluster has been started.

mod nodes;
mod values;

use super::document::{Entry, Kind, Node};
use super::fields::{Fields, Reader, Schema};
use super::model::NodePlan;
use super::names::instead_of;
use super::recipe::{self, Recipe};
use super::site::Clients;
use super::source::Source;
use super::{Registry, document, layer};
use nodes::Nodes;

/// Fields beside the sections of the drivers.
const FIELDS: [(&str, &str); 11] = [
    ("driver", "redis"),
    ("access", "local"),
    ("nodes", "{ n1: 127.0.0.1:7001, n2: 127.0.0.1:7002 }"),
    ("about", "one line for a person"),
    ("clients", "outside"),
    ("ssh", "{ user: admin, key: ~/.ssh/id_ed25519 }"),
    ("docker", "{ socket: /var/run/docker.sock }"),
    ("operations", "[read, write, cas]"),
    ("failover-allowance", "3s"),
    ("warm-up", "1s"),
    ("primary", "false"),
];
const ACCESS: [(&str, Access); 4] = [
    ("local", Access::Local),
    ("namespace", Access::Namespace),
    ("docker", Access::Docker),
    ("ssh", Access::Ssh),
];
const CLIENTS: [(&str, Clients); 2] = [("outside", Clients::Outside), ("beside", Clients::Beside)];

/// How nodes are reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    Local,
    Namespace,
    Docker,
    Ssh,
}

/// The nodes of a cluster that runs already.
#[derive(Debug, Clone)]
pub struct Attached {
    pub nodes: Vec<NodePlan>,
    pub clients: Clients,
}

/// Whether a target file is about a cluster that runs already.
pub fn is_attached(root: &Node) -> bool {
    let Kind::Map(entries) = &root.kind else { return false };
    entries.iter().any(|entry| match &*entry.key {
        "access" => !matches!(&entry.value.kind, Kind::Text(text) if text == "sandbox"),
        "nodes" => matches!(entry.value.kind, Kind::Map(_)),
        _ => false,
    })
}

/// Reads the file; mistakes are with the reader.
pub fn read(reader: &Reader, root: &Node, registry: &Registry) -> Recipe {
    let sections = registry.drivers.iter().map(|driver| (*driver, "{ ... }"));
    let known: Vec<(&str, &str)> = FIELDS.into_iter().chain(sections).collect();
    let schema = Schema { what: "a target that runs already", fields: &known };
    let head = root.bytes.start..root.bytes.start;
    let Some(fields) = reader.fields(root, &head, &schema) else {
        return Recipe::default();
    };
    let mut recipe = driver(reader, &fields, registry).unwrap_or_default();
    let own = layer::of_an_attached_cluster(reader, &fields);
    recipe.base = own.over(recipe.base);
    for (needed, is_there) in [
        ("operations", recipe.base.operations.is_some()),
        ("failover-allowance", recipe.base.failover_allowance.is_some()),
    ] {
        if !is_there && fields.get(needed).is_none() {
            fields.require(needed);
        }
    }
    let access = fields
        .require("access")
        .and_then(|entry| reader.word(&entry.value, "value of `access`", &ACCESS));
    if let Some(access) = access {
        recipe.attached = attached(reader, &fields, access, registry);
    }
    recipe.base.nodes = recipe.attached.as_ref().map(|attached| attached.nodes.len());
    recipe
}

/// The recipe of the built-in target that `driver:` names, without what starts it; or one that
/// has the driver's section alone.
fn driver(reader: &Reader, fields: &Fields, registry: &Registry) -> Option<Recipe> {
    let entry = fields.require("driver")?;
    let name = reader.text(&entry.value, "driver", "redis")?;
    let built_in = registry.targets.iter().find(|(target, _)| *target == name);
    if let (Some((target, text)), None) = (built_in, own_section(fields, registry, &name)) {
        let source = Source::new(format!("built-in target {target}"), *text);
        let its_own = Reader::new(&source);
        let root = document::parse(&source).expect("a built-in target is YAML");
        let mut recipe = recipe::read(&its_own, &root, registry);
        recipe.driver_bytes = entry.value.bytes.clone();
        recipe.leave_out_start();
        return Some(recipe);
    }
    let targets = registry.targets.iter().map(|(name, _)| *name);
    let known: Vec<&str> = registry.drivers.iter().copied().chain(targets).collect();
    if !registry.drivers.contains(&&*name) {
        let message = format!("unknown driver or target `{name}`");
        reader.refuse(&entry.value.bytes, message, instead_of(&name, known));
        return None;
    }
    Some(Recipe {
        section: fields.get(&name).cloned(),
        driver: name,
        driver_bytes: entry.value.bytes.clone(),
        ..Recipe::default()
    })
}

fn own_section<'a>(fields: &Fields<'a>, registry: &Registry, name: &str) -> Option<&'a Entry> {
    if registry.drivers.contains(&name) { fields.get(name) } else { None }
}

fn attached(
    reader: &Reader,
    fields: &Fields,
    access: Access,
    registry: &Registry,
) -> Option<Attached> {
    let clients = match fields.get("clients") {
        Some(entry) => clients(reader, entry, access)?,
        None => Clients::Outside,
    };
    for (section, its_access) in [("ssh", Access::Ssh), ("docker", Access::Docker)] {
        if let Some(entry) = fields.get(section)
            && access != its_access
        {
            let message = format!("`{section}` without `access: {section}`");
            reader.refuse(&entry.key_bytes, message, format!("`access: {section}`"));
        }
    }
    let nodes = Nodes { reader, access, registry, fields };
    Some(Attached { nodes: nodes.read()?, clients })
}

fn clients(reader: &Reader, entry: &Entry, access: Access) -> Option<Clients> {
    let clients = reader.word(&entry.value, "value of `clients`", &CLIENTS)?;
    if clients == Clients::Beside && matches!(access, Access::Local | Access::Ssh) {
        reader.refuse(
            &entry.value.bytes,
            "clients can be beside a node only where it has a network namespace on this host",
            "`outside`, or `access: namespace` or `docker`",
        );
        return None;
    }
    Some(clients)
}

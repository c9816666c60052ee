//! The map of nodes: who they are and where.

use std::path::PathBuf;

use splitbrain_checkers::history::Name;

use super::super::Registry;
use super::super::document::{Entry, Kind, Node};
use super::super::fields::{Fields, Reader, Schema};
use super::super::model::NodePlan;
use super::super::site::Site;
use super::Access;
use super::values::{address_of, ip_of, port_of, process_of, ssh};

const DOCKER: Schema = Schema { what: "`docker`", fields: &[("socket", "/var/run/docker.sock")] };
/// Marks of connections tell so many nodes of one host apart.
const MOST_LOCAL_NODES: usize = 15;

/// Reads the map of nodes.
pub(super) struct Nodes<'a> {
    pub reader: &'a Reader,
    pub access: Access,
    pub registry: &'a Registry<'a>,
    pub fields: &'a Fields<'a>,
}

impl Nodes<'_> {
    pub fn read(&self) -> Option<Vec<NodePlan>> {
        let entry = self.fields.require("nodes")?;
        let entries = self.reader.entries(&entry.value, "nodes", &["NAME: ADDRESS:PORT"])?;
        if entries.is_empty() {
            self.reader.refuse(&entry.value.bytes, "no node", "`{ n1: 127.0.0.1:7001, ... }`");
        }
        if self.access == Access::Local && entries.len() > MOST_LOCAL_NODES {
            let message = format!("{} nodes on one host", entries.len());
            let accepted = format!("at most {MOST_LOCAL_NODES} with `access: local`");
            self.reader.refuse(&entry.key_bytes, message, accepted);
        }
        let mut nodes: Vec<NodePlan> = Vec::new();
        let mut complete = true;
        for entry in entries {
            match self.node(entry) {
                Some(node) if self.is_new(entry, &node, &nodes) => nodes.push(node),
                _ => complete = false,
            }
        }
        complete.then_some(nodes)
    }

    /// Whether no earlier node is the same; if one is, that is a mistake.
    fn is_new(&self, entry: &Entry, node: &NodePlan, earlier: &[NodePlan]) -> bool {
        let shared = |other: &&NodePlan| {
            other.ip == node.ip && (self.access != Access::Local || other.port == node.port)
        };
        let Some(other) = earlier.iter().find(shared) else { return true };
        let (message, accepted) = match self.access {
            Access::Local => ("address and port", "an address and port of its own for each node"),
            _ => (
                "address",
                "an address of its own for each node, or `access: local` for processes that \
                 share one",
            ),
        };
        let message = format!("{} and {} have the same {message}", other.name, node.name);
        self.reader.refuse(&entry.value.bytes, message, accepted);
        false
    }

    fn node(&self, entry: &Entry) -> Option<NodePlan> {
        let name = &entry.key;
        let letters = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if name.len() > 32
            || !name.starts_with(|c: char| c.is_ascii_lowercase())
            || !name.chars().all(letters)
        {
            self.reader.refuse(
                &entry.key_bytes,
                format!("`{name}` cannot be the name of a node"),
                "1 to 32 of a-z, 0-9 and -, beginning with a letter: `n1`",
            );
            return None;
        }
        let (address, fields) = match &entry.value.kind {
            Kind::Map(_) => (None, Some(&entry.value)),
            _ => (Some(&entry.value), None),
        };
        match self.access {
            Access::Docker => self.container(entry, address, fields),
            _ => self.process(entry, address, fields),
        }
    }

    /// A node with an address, and what else says where it is.
    fn process(
        &self,
        entry: &Entry,
        address: Option<&Node>,
        map: Option<&Node>,
    ) -> Option<NodePlan> {
        let known: &[(&str, &str)] = match self.access {
            Access::Ssh => &[("address", "10.0.0.1:2379"), ("ssh", "{ host: db1 }")],
            _ => &[("address", "127.0.0.1:7001"), ("process", "4711")],
        };
        let schema = Schema { what: "a node", fields: known };
        let fields = match map {
            Some(map) => Some(self.reader.fields(map, &entry.key_bytes, &schema)?),
            None => None,
        };
        let written = match (&fields, address) {
            (Some(fields), _) => &fields.require("address")?.value,
            (None, written) => written?,
        };
        let address = address_of(self.reader, written);
        let get = |name| fields.as_ref().and_then(|fields| fields.get(name));
        let site = match self.access {
            Access::Local => Some(Site::Local {
                process: match get("process") {
                    Some(entry) => Some(process_of(self.reader, &entry.value)?),
                    None => None,
                },
            }),
            Access::Ssh => {
                let host = address.as_ref().map(|(host, _)| host.clone());
                ssh(self.reader, self.fields.get("ssh"), get("ssh"), host).map(Site::Ssh)
            }
            _ => match get("process") {
                Some(entry) => {
                    process_of(self.reader, &entry.value).map(|process| Site::Namespace { process })
                }
                None => {
                    let message = "`process` is missing: whose network namespace is it?";
                    let accepted = "`{ address: 10.0.0.1:2379, process: 4711 }`";
                    self.reader.refuse(&entry.value.bytes, message, accepted);
                    None
                }
            },
        };
        let (_, address) = address?;
        let (ip, port) = (*address.ip(), Some(address.port()));
        Some(NodePlan { name: Name::from(&*entry.key), ip, port, site: site? })
    }

    /// A container, which is looked up.
    fn container(
        &self,
        entry: &Entry,
        written: Option<&Node>,
        map: Option<&Node>,
    ) -> Option<NodePlan> {
        let reader = self.reader;
        let example = "redis-1:6379";
        let schema = Schema {
            what: "a node",
            fields: &[("container", "redis-1"), ("port", "6379"), ("ip", "172.18.0.2")],
        };
        let (container, port, ip, bytes) = match (written, map) {
            (Some(written), _) => {
                let text = reader.text(written, "a node", example)?;
                let parts = text.rsplit_once(':').map(|(name, port)| (name, port.parse::<u16>()));
                let Some((name, Ok(port))) = parts else {
                    let message = format!("`{text}` is no container with a port");
                    reader.refuse(&written.bytes, message, format!("`{example}`"));
                    return None;
                };
                (name.to_string(), port, None, written.bytes.clone())
            }
            (None, map) => {
                let fields = reader.fields(map?, &entry.key_bytes, &schema)?;
                let named = &fields.require("container")?.value;
                let container = reader.text(named, "container", "redis-1")?;
                let port = port_of(reader, &fields.require("port")?.value)?;
                let ip = match fields.get("ip") {
                    Some(entry) => Some(ip_of(reader, &entry.value)?),
                    None => None,
                };
                (container, port, ip, named.bytes.clone())
            }
        };
        let socket = self.socket()?;
        let found = (self.registry.find_container)(socket.as_deref(), &container);
        let refuse = |message: String, accepted: &str| reader.refuse(&bytes, message, accepted);
        let (process, found_ip) = match found {
            Ok(found) => found,
            Err(reason) => {
                refuse(reason, "the name of a container that runs: `docker ps`");
                return None;
            }
        };
        let Some(ip) = ip.or(found_ip) else {
            let message = format!("the container `{container}` has no IPv4 address of its own");
            refuse(message, "`{ container: redis-1, port: 6379, ip: 172.18.0.2 }`");
            return None;
        };
        let site = Site::Docker { container, process };
        Some(NodePlan { name: Name::from(&*entry.key), ip, port: Some(port), site })
    }

    /// Where the engine listens; `Some(None)`: where it usually does.
    fn socket(&self) -> Option<Option<PathBuf>> {
        let Some(entry) = self.fields.get("docker") else { return Some(None) };
        let fields = self.reader.fields(&entry.value, &entry.key_bytes, &DOCKER)?;
        match fields.get("socket") {
            Some(entry) => {
                let text = self.reader.text(&entry.value, "socket", "/var/run/docker.sock")?;
                Some(Some(PathBuf::from(text)))
            }
            None => Some(None),
        }
    }
}

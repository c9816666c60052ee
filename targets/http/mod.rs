//! The declarative driver: a database with an HTTP API, described in the `http:` section of its
//! target YAML. The section's reference is the README in this folder.

mod call;
mod condition;
mod operation;
mod primary;
mod section;
mod template;
mod tree;
mod value;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use serde_json::Value as Json;
use splitbrain_checkers::history::{Function, Name, Value};

use self::call::http_client;
use self::operation::{OPERATIONS, Operation, field_name, is_sendable};
use self::primary::Primary;
pub use self::section::Mistake;
use self::section::Section;
use self::template::{Arguments, Scope, Slot, address_of};
use crate::driver::{Client, Cluster, Driver, Node, Reply, Request};

/// A database that is spoken to as its target YAML says.
pub struct HttpDriver {
    operations: Arc<BTreeMap<Function, Operation>>,
    primary: Option<Primary>,
    /// The database's usual port, for `{address}`.
    port: Option<u16>,
    /// One connection pool for the clients of a node on one runtime.
    pools: Mutex<HashMap<(tokio::runtime::Id, Name), reqwest::Client>>,
}

impl HttpDriver {
    /// Compiles the `http:` section for the chosen settings.
    ///
    /// # Errors
    /// Everything that does not fit, each with its place inside the section.
    pub fn new(
        config: &Json,
        settings: &BTreeMap<String, String>,
    ) -> Result<HttpDriver, Vec<Mistake>> {
        let mut mistakes = Vec::new();
        let Some(mut section) = Section::new(config, Vec::new(), &mut mistakes) else {
            return Err(mistakes);
        };
        let port = read_port(&mut section, &mut mistakes);
        let mut constants: BTreeMap<String, Json> = settings
            .iter()
            .map(|(name, value)| (name.clone(), Json::from(value.as_str())))
            .collect();
        constants.extend(read_variables(&mut section, settings, &mut mistakes));
        let mut operations = BTreeMap::new();
        for f in OPERATIONS {
            let name = field_name(&f);
            let Some(json) = section.take(name) else { continue };
            let inside = Section::new(json, section.path(name), &mut mistakes);
            let scope = Scope { slots: operation::slots(&f), constants: &constants };
            let operation =
                inside.and_then(|inside| Operation::read(&f, inside, &scope, &mut mistakes));
            operations.extend(operation.map(|operation| (f, operation)));
        }
        let primary = section.take("primary").and_then(|json| {
            let inside = Section::new(json, section.path("primary"), &mut mistakes)?;
            let scope = Scope { slots: primary::SLOTS, constants: &constants };
            Primary::read(inside, &scope, &mut mistakes)
        });
        let calls = operations.values().map(|operation| &operation.call);
        let mut calls = calls.chain(primary.iter().map(|primary| &primary.call));
        if config.get("port").is_none() && calls.any(|call| call.slots().contains(&Slot::Address)) {
            mistakes.push(no_port());
        }
        if operations.is_empty() && mistakes.is_empty() {
            mistakes.push(no_operations());
        }
        section.finish(&mut mistakes);
        if !mistakes.is_empty() {
            return Err(mistakes);
        }
        Ok(HttpDriver { operations: Arc::new(operations), primary, port, pools: Mutex::default() })
    }

    /// The node's connection pool on this runtime.
    fn pool(&self, node: &Node) -> Result<reqwest::Client, String> {
        let place = (tokio::runtime::Handle::current().id(), node.name.clone());
        let mut pools = self.pools.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pool) = pools.get(&place) {
            return Ok(pool.clone());
        }
        let pool = http_client()?;
        pools.insert(place, pool.clone());
        Ok(pool)
    }
}

#[async_trait]
impl Driver for HttpDriver {
    async fn connect(&self, _cluster: &Cluster, node: &Node) -> Result<Box<dyn Client>, String> {
        let pool = self.pool(node)?;
        Ok(Box::new(HttpClient {
            operations: self.operations.clone(),
            pool,
            address: address_of(node, self.port),
            node: node.clone(),
        }))
    }

    async fn primary(&self, cluster: &Cluster) -> Result<Option<Name>, String> {
        match &self.primary {
            Some(primary) => primary.find(cluster, self.port).await,
            None => Err("the target's http section has no `primary`".to_string()),
        }
    }

    fn operations(&self) -> Vec<Function> {
        self.operations.keys().cloned().collect()
    }
}

/// A logical client: connections are the pool's, and a request that is dropped closes its own.
struct HttpClient {
    operations: Arc<BTreeMap<Function, Operation>>,
    pool: reqwest::Client,
    node: Node,
    /// What `{address}` is, if the section says its `port`.
    address: String,
}

#[async_trait]
impl Client for HttpClient {
    async fn request(&mut self, request: &Request) -> Reply {
        let Some(operation) = self.operations.get(&request.f) else {
            return Reply::Fail(format!("the target's http section has no `{}`", request.f));
        };
        let nil = Value::Nil;
        let (expected, new) = request.value.as_pair().unwrap_or((&nil, &nil));
        let sent: &[&Value] = match request.f {
            Function::Write => &[&request.value],
            Function::Cas => &[expected, new],
            _ => &[],
        };
        if let Some(value) = sent.iter().find(|value| !is_sendable(value)) {
            return Reply::Fail(format!("the http driver cannot send {value}: nothing was sent"));
        }
        let arguments = Arguments {
            node: &self.node,
            address: &self.address,
            key: &request.key,
            value: &request.value,
            expected,
            new,
        };
        match operation.call.send(&self.pool, &arguments).await {
            Ok(answer) => operation.judge(&answer),
            Err(silence) => operation.judge_silence(silence),
        }
    }
}

fn no_operations() -> Mistake {
    Mistake {
        path: Vec::new(),
        message: "no operation is described".to_string(),
        accepted: OPERATIONS.map(|f| field_name(&f)).join(", "),
    }
}

/// `port: 2379`: where clients connect to a node that does not say otherwise.
fn read_port(section: &mut Section, mistakes: &mut Vec<Mistake>) -> Option<u16> {
    let json = section.take("port")?;
    let port = json.as_u64().and_then(|port| u16::try_from(port).ok()).filter(|port| *port > 0);
    if port.is_none() {
        mistakes.push(section.not_accepted("port", json, "a number from 1 to 65535"));
    }
    port
}

fn no_port() -> Mistake {
    Mistake {
        path: Vec::new(),
        message: "`port` is missing: `{address}` is the node's IP with its port".to_string(),
        accepted: "port: 2379 (the database's usual port)".to_string(),
    }
}

/// `variables: { NAME: { from: SETTING, map: { VALUE: JSON } } }`: what a setting means to this
/// database. The map has to have an entry for the chosen value.
fn read_variables(
    section: &mut Section,
    settings: &BTreeMap<String, String>,
    mistakes: &mut Vec<Mistake>,
) -> BTreeMap<String, Json> {
    let mut variables = BTreeMap::new();
    let Some(json) = section.take("variables") else { return variables };
    let Some(map) = json.as_object() else {
        let accepted = "a map of names to `{ from: SETTING, map: { VALUE: TEXT } }`";
        mistakes.push(section.not_accepted("variables", json, accepted));
        return variables;
    };
    for (name, json) in map {
        let mut path = section.path("variables");
        path.push(name.clone());
        let taken = settings.contains_key(name) || ALL_SLOTS.iter().any(|s| s.name() == name);
        if taken {
            mistakes.push(Mistake {
                path: path.clone(),
                message: format!("`{name}` is the name of a setting or of a placeholder"),
                accepted: "a name of its own".to_string(),
            });
        }
        if let Some(inside) = Section::new(json, path, mistakes)
            && let Some(value) = read_variable(inside, settings, mistakes)
        {
            variables.insert(name.clone(), value);
        }
    }
    variables
}

/// The names that no variable may take.
const ALL_SLOTS: [Slot; 8] = [
    Slot::Key,
    Slot::Value,
    Slot::Expected,
    Slot::New,
    Slot::Ip,
    Slot::Address,
    Slot::Node,
    Slot::Index,
];

fn read_variable(
    mut section: Section,
    settings: &BTreeMap<String, String>,
    mistakes: &mut Vec<Mistake>,
) -> Option<Json> {
    let names = settings.keys().cloned().collect::<Vec<_>>().join(", ");
    let from = section.require("from", "the name of a setting", mistakes);
    let map = section.require("map", "{ a value of the setting: what it means }", mistakes);
    let (from, map) = (from?, map?);
    let chosen = from.as_str().and_then(|name| settings.get(name));
    if chosen.is_none() {
        mistakes.push(section.not_accepted("from", from, &format!("a setting: {names}")));
    }
    let found = chosen.and_then(|chosen| map.get(chosen));
    if let (Some(chosen), None) = (chosen, found) {
        mistakes.push(Mistake {
            path: section.path("map"),
            message: format!("it does not say what `{chosen}` means"),
            accepted: format!("an entry `{chosen}: ...`"),
        });
    }
    if let Some(json) = found.filter(|json| json.is_object() || json.is_array()) {
        mistakes.push(section.not_accepted("map", json, "text, numbers, true and false"));
    }
    section.finish(mistakes);
    found.cloned()
}

//! Drivers and cluster recipes: one folder per database, one registry line each.
//!
//! A folder holds `cluster.yaml` (how a cluster comes up and what can be set), a README (what is
//! claimed, what we measured, what is indeterminate and why) and, where the declarative http
//! driver does not do, an adapter in Rust.

pub mod driver;
pub mod http;
pub mod redis;
pub mod reference;
mod text;
pub mod zookeeper;

use std::collections::BTreeMap;
use std::sync::Arc;

use driver::Driver;
use http::{HttpDriver, Mistake};
use redis::RedisDriver;
use zookeeper::ZooKeeperDriver;

/// A database that can be named on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target {
    pub name: &'static str,
    /// The text of its `cluster.yaml`.
    pub recipe: &'static str,
}

/// Every target that is built in, in the order of `splitbrain list targets`.
pub const TARGETS: &[Target] = &[
    Target { name: "reference", recipe: include_str!("reference/cluster.yaml") },
    Target { name: "etcd", recipe: include_str!("etcd/cluster.yaml") },
    Target { name: "redis", recipe: include_str!("redis/cluster.yaml") },
    Target { name: "zookeeper", recipe: include_str!("zookeeper/cluster.yaml") },
];

/// Makes a driver of its section and the settings, or says what does not fit.
type Make = fn(&serde_json::Value, &Settings) -> Result<Arc<dyn Driver>, Vec<Mistake>>;
type Settings = BTreeMap<String, String>;

/// Every driver that a `cluster.yaml` can name.
const DRIVERS: &[(&str, Make)] = &[
    ("http", |section, settings| Ok(Arc::new(HttpDriver::new(section, settings)?))),
    ("redis", |section, settings| Ok(Arc::new(RedisDriver::new(section, settings)?))),
    ("zookeeper", |section, settings| Ok(Arc::new(ZooKeeperDriver::new(section, settings)?))),
];

/// The names of all drivers.
pub fn drivers() -> Vec<&'static str> {
    DRIVERS.iter().map(|(name, _)| *name).collect()
}

/// The built-in target of that name.
pub fn target(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}

/// Why there is no driver.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DriverError {
    #[error("there is no driver `{name}`; accepted: {}", drivers().join(", "))]
    Unknown { name: String },
    /// What does not fit, each with its place inside the driver's section.
    #[error("the driver's section does not fit: {}", mistakes_text(.0))]
    Mistakes(Vec<Mistake>),
}

fn mistakes_text(mistakes: &[Mistake]) -> String {
    mistakes.iter().map(Mistake::to_string).collect::<Vec<_>>().join("; ")
}

/// The driver `name`, made for these settings.
///
/// `config` is the driver's own section of the target YAML (`http:` for `driver: http`), or null
/// for a driver that has none.
///
/// # Errors
/// A name that is not among [`drivers`], or everything that does not fit in `config`.
pub fn make_driver(
    name: &str,
    config: &serde_json::Value,
    settings: &BTreeMap<String, String>,
) -> Result<Arc<dyn Driver>, DriverError> {
    match DRIVERS.iter().find(|(known, _)| *known == name) {
        Some((_, make)) => make(config, settings).map_err(DriverError::Mistakes),
        None => Err(DriverError::Unknown { name: name.to_string() }),
    }
}

/// The mistake that a section is there for a driver which has none.
fn refuse_section(name: &str, config: &serde_json::Value) -> Vec<Mistake> {
    if config.is_null() {
        return Vec::new();
    }
    vec![Mistake {
        path: Vec::new(),
        message: format!("the driver `{name}` has no section of its own"),
        accepted: "nothing".to_string(),
    }]
}

/// The position of a setting's value among those that a driver knows.
fn choose(
    settings: &BTreeMap<String, String>,
    name: &str,
    accepted: &[&str],
) -> Result<usize, Mistake> {
    let value = settings.get(name).map(String::as_str);
    let position = accepted.iter().position(|known| Some(*known) == value);
    position.ok_or_else(|| Mistake {
        path: Vec::new(),
        message: match value {
            Some(value) => format!("the driver does not know `{value}` for the setting `{name}`"),
            None => format!("the driver needs the setting `{name}`"),
        },
        accepted: accepted.join(", "),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value as Json;

    #[test]
    fn every_driver_of_the_list_can_be_made_and_no_other() {
        let settings = BTreeMap::new();
        for name in drivers() {
            let made = make_driver(name, &Json::Null, &settings);
            assert!(!matches!(made, Err(DriverError::Unknown { .. })), "{name}");
        }
        let error = make_driver("mysql", &Json::Null, &settings).err().unwrap();
        assert!(error.to_string().contains("accepted: http, redis, zookeeper"), "{error}");
    }

    #[test]
    fn a_section_that_no_driver_reads_is_refused() {
        let config = serde_json::json!({"port": 6379});
        let error = make_driver("redis", &config, &BTreeMap::new()).err().unwrap();
        assert!(matches!(error, DriverError::Mistakes(_)));
    }

    /// Every recipe with its first settings gives a driver that can do what the recipe says.
    #[test]
    fn every_recipe_fits_its_driver() {
        for target in TARGETS {
            let recipe: Json = serde_yaml::from_str(target.recipe).unwrap();
            let mut settings = BTreeMap::new();
            for (name, values) in recipe["settings"].as_object().into_iter().flatten() {
                let first =
                    values[0].as_str().map_or_else(|| values[0].to_string(), str::to_string);
                settings.insert(name.clone(), first);
            }
            let name = recipe["driver"].as_str().unwrap();
            let driver = make_driver(name, &recipe[name], &settings).unwrap();
            for operation in recipe["operations"].as_array().unwrap() {
                let operation = operation.as_str().unwrap();
                let known = driver.operations().iter().any(|f| f.as_str() == operation);
                assert!(known, "{}: {operation}", target.name);
            }
        }
    }
}

//! A recipe with chosen settings becomes a [`Target`]: every placeholder filled in that is known
//! before the run.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::ops::Range;
use std::time::Duration;

use splitbrain_checkers::history::Name;

use super::attached::Attached;
use super::fields::Reader;
use super::files::Arguments;
use super::fit::Cluster;
use super::layer::{Layer, Probe};
use super::model::{NodePlan, Ready, ReadyProbe, Target};
use super::names::instead_of;
use super::recipe::{Condition, Recipe};
use super::site::{Clients, Server, Site};
use super::template::Template;

/// How long clients work unrecorded if the recipe does not say.
const DEFAULT_WARM_UP: Duration = Duration::from_secs(1);

/// Settings as the command line has them: `name=value` with the place of each.
pub type Chosen = [(String, Range<usize>)];

impl Recipe {
    /// Every setting with its chosen value, else its default. `reader` is that of the command
    /// line. Nothing is chosen from a recipe that could not be read.
    pub fn choose(&self, reader: &Reader, chosen: &Chosen) -> BTreeMap<String, String> {
        let mut values = BTreeMap::new();
        for (argument, bytes) in chosen {
            let Some((name, value)) = argument.split_once('=') else {
                let message = format!("`--set {argument}` gives no value");
                reader.refuse(bytes, message, self.settings_accepted());
                continue;
            };
            let (name, value) = (name.trim(), value.trim());
            if self.decided_at_start.iter().any(|decided| decided == name) {
                let message = format!("`{name}` is decided when a cluster starts; this one runs");
                reader.refuse(bytes, message, self.settings_accepted());
                continue;
            }
            let Some(known) = self.settings.get(name) else {
                reader.refuse(
                    bytes,
                    format!("the target has no setting `{name}`"),
                    match self.settings.is_empty() {
                        true => "no `--set`: the target has no settings".to_string(),
                        false => instead_of(name, self.settings.keys().map(String::as_str)),
                    },
                );
                continue;
            };
            if !known.iter().any(|known| known == value) {
                let message = format!("the setting `{name}` has no value `{value}`");
                reader.refuse(bytes, message, instead_of(value, known.iter().map(String::as_str)));
            } else if values.insert(name.to_string(), value.to_string()).is_some() {
                reader.refuse(bytes, format!("the setting `{name}` is chosen twice"), "once");
            }
        }
        for (name, known) in &self.settings {
            if let Some(default) = known.first() {
                values.entry(name.clone()).or_insert_with(|| default.clone());
            }
        }
        values
    }

    fn settings_accepted(&self) -> String {
        self.settings
            .iter()
            .map(|(name, values)| format!("{name}={}", values.join("|")))
            .collect::<Vec<_>>()
            .join(", ")
    }

    /// Refuses settings that the recipe says do not go together, at the `--set` that is to blame.
    pub fn refuse_combinations(
        &self,
        line: &Reader,
        arguments: &Arguments,
        settings: &BTreeMap<String, String>,
    ) {
        for entry in self.when.iter().filter(|entry| holds(&entry.settings, settings)) {
            for (name, accepted) in &entry.requires {
                let Some(value) = settings.get(name).filter(|value| !accepted.contains(value))
                else {
                    continue;
                };
                let cause: BTreeMap<String, String> = settings
                    .iter()
                    .filter(|(name, _)| entry.settings.contains_key(*name))
                    .map(|(name, value)| (name.clone(), value.clone()))
                    .collect();
                let is_cause = |(set, _): &&(String, Range<usize>)| {
                    set.split_once('=').is_some_and(|(name, _)| cause.contains_key(name.trim()))
                };
                let place = arguments.set.iter().find(is_cause).map(|(_, bytes)| bytes);
                line.refuse(
                    place.unwrap_or(&arguments.target),
                    format!("{} does not go with {name}={value}", assignments(&cause, "=")),
                    format!("--set {name}={}", accepted.join("|")),
                );
            }
        }
    }

    /// What counts with these settings: the base with every entry of `when` that applies, later
    /// ones over earlier ones.
    fn effective(&self, settings: &BTreeMap<String, String>) -> Layer {
        self.when
            .iter()
            .filter(|entry| holds(&entry.settings, settings))
            .fold(self.base.clone(), |below, entry| entry.layer.clone().over(below))
    }

    /// What the rules need to know.
    pub fn cluster(&self, name: &str, settings: &BTreeMap<String, String>) -> Cluster {
        let layer = self.effective(settings);
        Cluster {
            description: describe(name, settings),
            nodes: match &self.attached {
                Some(attached) => {
                    Some(attached.nodes.iter().map(|node| node.name.clone()).collect())
                }
                None => layer.nodes.map(|count| (1..=count).map(node_name).collect()),
            },
            operations: layer.operations,
            failover_allowance: layer.failover_allowance,
            no_primary: layer.primary == Some(false),
        }
    }

    /// The target with these settings; `None` if the recipe is not complete.
    pub fn resolve(&self, name: &str, settings: BTreeMap<String, String>) -> Option<Target> {
        let layer = self.effective(&settings);
        if let Some(attached) = &self.attached {
            return self.resolve_attached(name, settings, &layer, attached);
        }
        let count = layer.nodes?;
        let mut cluster_values = settings.clone();
        for (name, list) in &self.lists {
            let pieces: Vec<String> =
                (1..=count).map(|index| list.each.fill(&node_values(index, &settings))).collect();
            cluster_values.insert(name.clone(), pieces.join(&list.join));
        }
        let start = layer.start.as_ref()?;
        let probe = layer.ready.as_ref()?;
        let nodes = (1..=count)
            .map(|index| {
                let values = node_values(index, &cluster_values);
                let server = Server {
                    start: start.fill(&values),
                    environment: fill_all(&layer.environment, &values),
                    files: fill_all(&layer.files, &values),
                    ready: ready(probe, &values),
                };
                NodePlan {
                    name: node_name(index),
                    ip: address(index),
                    port: None,
                    site: Site::Sandbox(server),
                }
            })
            .collect();
        let fill = |template: &Option<Template>| {
            template.as_ref().map(|template| template.fill(&cluster_values))
        };
        Some(Target {
            name: name.to_string(),
            driver: self.driver.clone(),
            driver_config: self.section(),
            nodes,
            clients: Clients::Beside,
            operations: layer.operations?,
            version: fill(&self.version),
            prepare: fill(&layer.prepare),
            failover_allowance: layer.failover_allowance?,
            warm_up: layer.warm_up.unwrap_or(DEFAULT_WARM_UP),
            sysctl: fill_all(&layer.sysctl, &cluster_values),
            needs: self.needs.clone(),
            settings,
        })
    }
}

impl Recipe {
    /// The target of a cluster that runs already; `None` if the recipe is not complete.
    fn resolve_attached(
        &self,
        name: &str,
        settings: BTreeMap<String, String>,
        layer: &Layer,
        attached: &Attached,
    ) -> Option<Target> {
        Some(Target {
            name: name.to_string(),
            driver: self.driver.clone(),
            driver_config: self.section(),
            nodes: attached.nodes.clone(),
            clients: attached.clients,
            operations: layer.operations.clone()?,
            version: None,
            prepare: None,
            failover_allowance: layer.failover_allowance?,
            warm_up: layer.warm_up.unwrap_or(DEFAULT_WARM_UP),
            sysctl: BTreeMap::new(),
            needs: Vec::new(),
            settings,
        })
    }
}

/// Whether every setting of a condition has one of its values.
fn holds(condition: &Condition, settings: &BTreeMap<String, String>) -> bool {
    condition
        .iter()
        .all(|(name, values)| settings.get(name).is_some_and(|value| values.contains(value)))
}

/// `etcd (read: serializable)`.
pub fn describe(name: &str, settings: &BTreeMap<String, String>) -> String {
    match settings.is_empty() {
        true => name.to_string(),
        false => format!("{name} ({})", assignments(settings, ": ")),
    }
}

fn assignments(settings: &BTreeMap<String, String>, between: &str) -> String {
    let each = |(name, value): (&String, &String)| format!("{name}{between}{value}");
    settings.iter().map(each).collect::<Vec<_>>().join(", ")
}

fn node_name(index: usize) -> Name {
    format!("n{index}").into()
}

fn address(index: usize) -> Ipv4Addr {
    let last = u8::try_from(index).expect("a recipe has at most 100 nodes");
    Ipv4Addr::new(10, 77, 0, last)
}

/// The placeholders of a node on top of those of the cluster.
fn node_values(index: usize, cluster: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let mut values = cluster.clone();
    values.insert("node".to_string(), node_name(index).to_string());
    values.insert("index".to_string(), index.to_string());
    values.insert("ip".to_string(), address(index).to_string());
    values
}

fn fill_all(
    templates: &Option<BTreeMap<String, Template>>,
    values: &BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    let filled = |(name, template): (&String, &Template)| (name.clone(), template.fill(values));
    templates.iter().flatten().map(filled).collect()
}

fn ready(probe: &Probe, values: &BTreeMap<String, String>) -> Ready {
    let target = probe.target.fill(values);
    Ready {
        probe: if probe.http { ReadyProbe::Http(target) } else { ReadyProbe::Command(target) },
        contains: probe.contains.as_ref().map_or_else(String::new, |text| text.fill(values)),
        within: probe.within,
    }
}

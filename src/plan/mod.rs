//! A complete, validated, serialisable plan of a run.
//!
//! What the user wrote (workload YAML, target YAML, `--set`) is read into a tree that knows the
//! place of every value, checked as a whole, and becomes a [`Plan`]. Whatever does not fit is
//! refused here, all of it at once, before anything starts.
//!
//! - [`load`]: from a [`Request`] to a [`Plan`], or all [`Mistakes`]
//! - [`stored`]: `plan.yaml`, written and read again
//! - [`timeline`]: the plan as text for a person
//!
//! Behind it: `files` finds what a name or path means, `document` is a YAML file as a tree with
//! places, `workload` (with `phases`) and `recipe` (with `layer`) read the two files, `fit` has the rules that
//! hold between their parts, `target` fills in settings and placeholders.

mod attached;
mod document;
pub mod duration;
mod fields;
mod files;
mod fit;
mod layer;
mod mistakes;
mod model;
mod names;
mod phases;
mod recipe;
mod render;
mod site;
mod source;
pub mod stored;
mod target;
mod template;
#[cfg(test)]
mod tests;
pub mod timeline;
mod workload;

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use fields::Reader;
use files::{Arguments, Found};
use fit::{Cluster, Subject};
pub use mistakes::{Mistake, Mistakes};
pub use model::{
    Check, DataType, Need, NodePlan, Partition, Phase, Plan, Ready, ReadyProbe, Target, Workload,
};
pub use site::{Clients, Server, Site, SshHost};
pub use source::{Place, Source};

/// The workloads that come with the program: name and YAML text.
pub const WORKLOADS: [(&str, &str); 5] = [
    ("register", include_str!("../../workloads/register.yaml")),
    ("register-without-cas", include_str!("../../workloads/register-without-cas.yaml")),
    ("single", include_str!("../../workloads/single.yaml")),
    ("demo", include_str!("../../workloads/demo.yaml")),
    ("demo-without-cas", include_str!("../../workloads/demo-without-cas.yaml")),
];

/// The faults that a workload can ask for, with what each cuts.
pub const FAULTS: [(&str, &str); 8] = [
    ("partition: { isolate: one }", "one node, chosen by the seed, against all others"),
    ("partition: { isolate: primary }", "the node that leads at that moment against all others"),
    ("partition: { isolate: NODE }", "that node against all others"),
    ("partition: { halves: random }", "two halves, chosen by the seed"),
    ("partition: { groups: [[n1], [n2, n3]] }", "groups that cannot reach each other"),
    ("partition: { bridge: NODE }", "two halves that share one node, which reaches both"),
    ("partition: ring", "every node reaches only its two neighbours"),
    ("partition: { one-way: { from: [n1], to: [n2] } }", "packets in one direction are lost"),
];

/// The checks that a workload can ask for.
pub const CHECKS: [(&str, &str); 3] = [
    ("linearizable", "one order of all operations explains every answer, key by key"),
    (
        "convergent",
        "after the heal all nodes agree, nothing acknowledged is lost, nothing is made up",
    ),
    ("available", "which nodes answered which classes of operations while links were cut"),
];

/// No phase is shorter after `--time` has scaled it.
const SHORTEST_SCALED: Duration = Duration::from_secs(1);

/// What the user asked for on the command line.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// A built-in name or the path of a YAML file.
    pub workload: String,
    /// A built-in name or the path of a YAML file.
    pub target: String,
    /// `NAME=VALUE` of each `--set`.
    pub set: Vec<String>,
    /// Without one, a random seed is taken and becomes part of the plan.
    pub seed: Option<u64>,
    /// `--time 30s`: how long all phases but the settling take together. Every phase is
    /// stretched or shrunk by the same factor.
    pub time: Option<String>,
}

impl Request {
    /// The command that asks for the same, with this seed.
    pub fn command(&self, seed: u64) -> String {
        let mut words = vec!["splitbrain run".to_string(), quoted(&self.workload)];
        words.push(format!("--target {}", quoted(&self.target)));
        words.extend(self.set.iter().map(|setting| format!("--set {}", quoted(setting))));
        words.extend(self.time.iter().map(|time| format!("--time {}", quoted(time))));
        words.push(format!("--seed {seed}"));
        words.join(" ")
    }
}

/// A word as a shell reads it back.
pub(crate) fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_=./:,+@%".contains(c);
    match !word.is_empty() && word.chars().all(plain) {
        true => word.to_string(),
        false => format!("'{}'", word.replace('\'', "'\\''")),
    }
}

/// Targets and drivers that exist.
pub struct Registry<'a> {
    /// Name and `cluster.yaml` of every built-in target.
    pub targets: &'a [(&'a str, &'a str)],
    pub drivers: &'a [&'a str],
    /// What is wrong with a driver's own section.
    pub check_section: &'a CheckSection<'a>,
    pub find_container: &'a FindContainer<'a>,
}

/// Looks a container up: from the socket of its engine (`None`: where it usually is) and its name
/// to its first process and its IPv4 address, if it has one; or why there is no such container.
pub type FindContainer<'a> =
    dyn Fn(Option<&Path>, &str) -> Result<(u32, Option<Ipv4Addr>), String> + 'a;

/// Asks a driver about its own section: the driver's name, the section (null if the target has
/// none), and every setting with its chosen value.
pub type CheckSection<'a> =
    dyn Fn(&str, &serde_json::Value, &BTreeMap<String, String>) -> Vec<SectionMistake> + 'a;

/// What a driver says about its own section of a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SectionMistake {
    /// Keys from the section down to the value; items of a list by their number from 0. A path
    /// to something that is missing is reported where its nearest existing parent is.
    pub path: Vec<String>,
    pub message: String,
    pub accepted: String,
}

/// Reads and checks everything; the error has all mistakes of both files and the command line.
pub fn load(request: &Request, registry: &Registry) -> Result<Plan, Mistakes> {
    let arguments = Arguments::new(request);
    let line = Reader::new(&arguments.source);
    let mut mistakes = Vec::new();

    let mut draft = read(
        files::find(&line, &arguments.workload, &request.workload, "workload", &WORKLOADS),
        &mut mistakes,
        workload::read,
    );
    let recipe = read_recipe(&line, &arguments, &request.target, registry, &mut mistakes);

    let mut cluster = Cluster::default();
    let mut target = None;
    if let Some(Read { value: (name, recipe), reader }) = &recipe {
        let settings = recipe.choose(&line, &arguments.set);
        recipe.refuse_combinations(&line, &arguments, &settings);
        recipe.ask_driver(reader, registry, &settings);
        cluster = recipe.cluster(name, &settings);
        target = recipe.resolve(name, settings);
    }
    if let Some(Read { value: draft, reader }) = &mut draft {
        if let Some((time, bytes)) = &arguments.time {
            scale(&line, time, bytes, draft);
        }
        for problem in fit::problems(&draft.workload, draft.unclear, &cluster) {
            let place = draft.place(&problem.subject);
            reader.refuse(&place, problem.message, problem.accepted);
        }
    }

    let mut workload = None;
    if let Some(Read { value: draft, reader }) = draft {
        workload = Some(draft.workload);
        mistakes.extend(reader.into_mistakes());
    }
    mistakes.extend(recipe.into_iter().flat_map(|read| read.reader.into_mistakes()));
    mistakes.extend(line.into_mistakes());
    match (workload, target) {
        (Some(workload), Some(target)) if mistakes.is_empty() => {
            let seed = request.seed.unwrap_or_else(|| rand::random::<u32>().into());
            Ok(Plan { request: request.clone(), seed, workload, target })
        }
        _ => Err(Mistakes::new(mistakes)),
    }
}

/// Reads and checks a target alone, with its first settings.
pub fn load_target(target: &str, registry: &Registry) -> Result<Target, Mistakes> {
    let request = Request { target: target.to_string(), ..Request::default() };
    let arguments = Arguments::new(&request);
    let line = Reader::new(&arguments.source);
    let mut mistakes = Vec::new();
    let recipe = read_recipe(&line, &arguments, target, registry, &mut mistakes);
    let mut found = None;
    if let Some(Read { value: (name, recipe), reader }) = recipe {
        let settings = recipe.choose(&line, &[]);
        recipe.ask_driver(&reader, registry, &settings);
        found = recipe.resolve(&name, settings);
        mistakes.extend(reader.into_mistakes());
    }
    mistakes.extend(line.into_mistakes());
    match found {
        Some(target) if mistakes.is_empty() => Ok(target),
        _ => Err(Mistakes::new(mistakes)),
    }
}

/// The recipe of a target, with the target's name.
fn read_recipe(
    line: &Reader,
    arguments: &Arguments,
    target: &str,
    registry: &Registry,
    mistakes: &mut Vec<Mistake>,
) -> Option<Read<(String, recipe::Recipe)>> {
    let found = files::find(line, &arguments.target, target, "target", registry.targets);
    let read_one = |reader: &Reader, root: &document::Node, name: &str| {
        (name.to_string(), recipe::read(reader, root, registry))
    };
    read(found, mistakes, read_one)
}

/// What was read from a file, and the reader with its mistakes.
struct Read<T> {
    reader: Reader,
    value: T,
}

/// Parses a file that was found and reads its tree.
fn read<T>(
    found: Option<Found>,
    mistakes: &mut Vec<Mistake>,
    read: impl FnOnce(&Reader, &document::Node, &str) -> T,
) -> Option<Read<T>> {
    let found = found?;
    match document::parse(&found.source) {
        Ok(root) => {
            let reader = Reader::new(&found.source);
            let value = read(&reader, &root, &found.name);
            Some(Read { reader, value })
        }
        Err(mistake) => {
            mistakes.push(*mistake);
            None
        }
    }
}

/// Applies `--time`. It may not be shorter than a fault of the workload, nor make a phase
/// shorter than [`SHORTEST_SCALED`].
fn scale(line: &Reader, time: &str, bytes: &std::ops::Range<usize>, draft: &mut workload::Draft) {
    let total = match duration::parse(time) {
        Ok(total) => total,
        Err(error) => {
            line.refuse(bytes, format!("--time: {error}"), error.accepted());
            return;
        }
    };
    let phases = &mut draft.workload.phases;
    let written = workload::running_time(phases);
    if draft.unclear.phases || written.is_zero() {
        return;
    }
    let running = || phases.iter().filter(|phase| !phase.is_settle()).map(Phase::length);
    let faults = phases.iter().filter(|phase| !phase.partitions().is_empty()).map(Phase::length);
    let shortest = running().min().unwrap_or_default();
    // A phase of zero length is refused by the rules, whatever the factor.
    let factor = SHORTEST_SCALED.as_secs_f64() / shortest.as_secs_f64().max(1e-3);
    let least_seconds = (factor * written.as_secs_f64()).ceil();
    let longest_fault = faults.max().unwrap_or_default();
    let least = Duration::from_secs(least_seconds as u64).max(longest_fault);
    if total < longest_fault {
        line.refuse(
            bytes,
            format!("a fault of {} is longer than the run", duration::format(longest_fault)),
            format!("at least {}", duration::format(least)),
        );
    } else if total < least {
        line.refuse(
            bytes,
            format!("the shortest phase, {}, would be less than 1s", duration::format(shortest)),
            format!("at least {}", duration::format(least)),
        );
    } else {
        workload::stretch(phases, total);
    }
}

impl workload::Draft {
    /// Where a part was written: itself, else what it is in, else the beginning of the file.
    fn place(&self, subject: &Subject) -> std::ops::Range<usize> {
        let known = |subject: &Subject| self.places.get(subject).cloned();
        known(subject).or_else(|| known(&subject.parent()?)).unwrap_or(0..0)
    }
}

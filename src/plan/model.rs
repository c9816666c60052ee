//! The types of a plan. They are what `plan.yaml` holds, so a plan can be written and read again.

use std::collections::BTreeMap;
use std::fmt;
use std::net::Ipv4Addr;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use splitbrain_checkers::history::{Function, Name};

use super::site::{Clients, Site};
use super::{Request, duration};

/// All that is needed to run it, and to run it again: the content of `plan.yaml`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// As it was asked for; what counts is the rest.
    pub request: Request,
    /// Seeds every random choice of the run.
    pub seed: u64,
    pub workload: Workload,
    pub target: Target,
}

/// What clients do, for how long, under which faults, and what is checked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Workload {
    /// File name without its ending.
    pub name: String,
    pub data_type: DataType,
    /// Weight of each operation; at least one is positive.
    pub operations: BTreeMap<Function, u32>,
    /// How many keys are in use at a time.
    pub keys: usize,
    /// A key that has taken this many writes retires and a fresh one takes its place, so that
    /// the last write of some keys falls inside a partition.
    pub writes_per_key: Option<u32>,
    /// Logical clients beside each node.
    pub clients: usize,
    /// Operations per second of each client; `None`: as fast as it goes (closed loop).
    pub rate: Option<f64>,
    /// How long a client waits for an answer before it records the operation as indeterminate.
    #[serde(with = "duration")]
    pub timeout: Duration,
    pub phases: Vec<Phase>,
    pub checks: Vec<Check>,
}

/// Fixes the operations and the checkers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DataType {
    Register,
}

/// A stretch of the run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Phase {
    /// Clients run, no fault.
    Healthy {
        #[serde(with = "duration")]
        length: Duration,
    },
    /// Clients run, every fault of the list at once. Healed when it ends.
    Faults {
        partitions: Vec<Partition>,
        #[serde(with = "duration")]
        length: Duration,
    },
    /// No writes: every key is read at every node until all agree, or the limit passes.
    Settle {
        #[serde(with = "duration")]
        limit: Duration,
    },
}

impl Phase {
    /// How long it takes; a settle phase at most.
    pub fn length(&self) -> Duration {
        match self {
            Phase::Healthy { length } | Phase::Faults { length, .. } => *length,
            Phase::Settle { limit } => *limit,
        }
    }

    pub fn is_settle(&self) -> bool {
        matches!(self, Phase::Settle { .. })
    }

    /// The partitions of the phase; empty when it has none.
    pub fn partitions(&self) -> &[Partition] {
        match self {
            Phase::Faults { partitions, .. } => partitions,
            _ => &[],
        }
    }
}

/// A partition as the user asked for it; which links that is may depend on the seed and on who
/// is primary.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Partition {
    /// One node, chosen by the seed, against all others.
    IsolateOne,
    /// The node that leads at that moment against all others.
    IsolatePrimary,
    IsolateNode(Name),
    /// Two halves, chosen by the seed; the larger one has the odd node.
    HalvesRandom,
    /// Groups that cannot reach each other; every node is in exactly one.
    Groups(Vec<Vec<Name>>),
    /// Two halves that share one node, which reaches both.
    Bridge(Name),
    /// Every node reaches only its two neighbours in the order of the nodes.
    Ring,
    /// Packets from `from` to `to` are lost, the other direction works.
    OneWay {
        from: Vec<Name>,
        to: Vec<Name>,
    },
}

impl Partition {
    /// The nodes that it names, in the order in which they are written.
    pub fn names(&self) -> Vec<&Name> {
        match self {
            Partition::IsolateOne
            | Partition::IsolatePrimary
            | Partition::HalvesRandom
            | Partition::Ring => Vec::new(),
            Partition::IsolateNode(node) | Partition::Bridge(node) => vec![node],
            Partition::Groups(groups) => groups.iter().flatten().collect(),
            Partition::OneWay { from, to } => from.iter().chain(to).collect(),
        }
    }
}

/// As a sentence of the timeline: `isolate n1`.
impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |names: &[Name]| names.join(" ");
        match self {
            Partition::IsolateOne => f.write_str("isolate one node (chosen by the seed)"),
            Partition::IsolatePrimary => f.write_str("isolate the primary of that moment"),
            Partition::IsolateNode(node) => write!(f, "isolate {node}"),
            Partition::HalvesRandom => f.write_str("two halves (chosen by the seed)"),
            Partition::Groups(groups) => {
                let groups: Vec<String> = groups.iter().map(|group| list(group)).collect();
                write!(f, "groups {}", groups.join(" | "))
            }
            Partition::Bridge(node) => write!(f, "two halves that share the bridge {node}"),
            Partition::Ring => f.write_str("ring: every node reaches its two neighbours only"),
            Partition::OneWay { from, to } => {
                write!(f, "one way: from {} to {} lost", list(from), list(to))
            }
        }
    }
}

/// A check that the workload asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Check {
    Linearizable,
    Convergent,
    Available,
}

impl Check {
    /// Every check with its name.
    pub const ALL: [(&'static str, Check); 3] = [
        ("linearizable", Check::Linearizable),
        ("convergent", Check::Convergent),
        ("available", Check::Available),
    ];

    /// The name in a workload and in a finding.
    pub fn as_str(self) -> &'static str {
        Check::ALL.iter().find(|(_, check)| *check == self).expect("ALL has every check").0
    }
}

/// A cluster of the target: every placeholder filled in that is known before the run. `{self}` is
/// left in `version` and `prepare` too. Of a cluster that runs already the run starts and sets
/// nothing: `version`, `prepare`, `sysctl` and `needs` are empty then.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Target {
    pub name: String,
    pub driver: String,
    /// The driver's own section of the target YAML (`http:` for `driver: http`), else null.
    pub driver_config: serde_json::Value,
    pub nodes: Vec<NodePlan>,
    /// Where the clients of each node run.
    pub clients: Clients,
    /// Every setting with its chosen value.
    pub settings: BTreeMap<String, String>,
    /// What the target can do with these settings.
    pub operations: Vec<Function>,
    /// Shell command that prints the version, run once.
    pub version: Option<String>,
    /// Shell command that is run once, outside the nodes, when all of them are up and before
    /// the ready check (`redis-cli --cluster create ...`).
    pub prepare: Option<String>,
    /// How long after a cut the system may take to fail over before it counts as unavailable.
    #[serde(with = "duration")]
    pub failover_allowance: Duration,
    /// How long clients work, unrecorded and on keys of their own, before the timeline begins.
    #[serde(with = "duration")]
    pub warm_up: Duration,
    /// Per-node kernel settings, `net.ipv4.tcp_retries2` to `4`.
    pub sysctl: BTreeMap<String, String>,
    /// Programs that have to be on PATH, with the command that installs each.
    pub needs: Vec<Need>,
}

/// A program that a recipe starts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Need {
    /// A name on PATH or an absolute path.
    pub program: String,
    /// The command that installs it.
    pub install: String,
}

impl Target {
    /// Whether the cluster runs already, so that nothing of it is started or stopped.
    pub fn is_attached(&self) -> bool {
        self.nodes.iter().any(|node| !matches!(node.site, Site::Sandbox(_)))
    }

    /// Whether the nodes are processes of this host that share its addresses.
    pub fn is_local(&self) -> bool {
        self.nodes.iter().any(|node| matches!(node.site, Site::Local { .. }))
    }
}

/// One node with everything that belongs to it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodePlan {
    pub name: Name,
    pub ip: Ipv4Addr,
    /// Where clients connect; `None`: the database's usual port.
    pub port: Option<u16>,
    pub site: Site,
}

/// When a node counts as ready. A ready check asks for the cluster's state, not for a port.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ready {
    pub probe: ReadyProbe,
    /// Text that the answer has to contain; empty accepts any.
    pub contains: String,
    /// How long all of it may take.
    #[serde(with = "duration")]
    pub within: Duration,
}

/// How readiness is asked for, from outside the node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReadyProbe {
    /// GET of this URL, answered with status 200.
    Http(String),
    /// Shell command that exits with 0; what it prints is the answer.
    Command(String),
}

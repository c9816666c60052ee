//! What the probers recorded: which probe was sent when, and when it arrived, if it did.

use std::collections::BTreeMap;

use splitbrain_checkers::history::Time;
use splitbrain_checkers::partition::Link;

/// A version of the internet protocol. Each is probed and cut on its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Family {
    Ipv4,
    Ipv6,
}

impl Family {
    /// `IPv4` or `IPv6`.
    pub fn name(self) -> &'static str {
        match self {
            Family::Ipv4 => "IPv4",
            Family::Ipv6 => "IPv6",
        }
    }
}

/// What probes flow along: one directed link in one family.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stream {
    pub link: Link,
    pub family: Family,
}

/// `n1 -> n2 (IPv4)`.
impl std::fmt::Display for Stream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({})", self.link, self.family.name())
    }
}

/// One datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Probe {
    pub sent: Time,
    /// When the receiving node's kernel took it in, ahead of its filter. Only what the filter let
    /// through is recorded. `None`: it did not arrive.
    pub arrived: Option<Time>,
}

/// The probes of a stretch of time, of every stream, in the order in which they were sent.
pub type ProbeLog = BTreeMap<Stream, Vec<Probe>>;

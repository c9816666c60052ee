//! A private world for one run: own processes, own network, own mounts, gone when it ends.
//!
//! - [`enter`]: the program moves into the sandbox before it starts a thread;
//! - [`Network`]: a bridge, and one network namespace per node;
//! - [`Prober`]: what gets through between the nodes, link by link, while the run goes on;
//! - [`shell`]: a command inside a node of a run that is up.
//!
//! Linux only. Nothing is cleaned up by code of ours: when pid 1 of the sandbox is gone, the
//! kernel ends every process in it, and rules, devices and mounts vanish with their namespaces.

mod enter;
mod namespaces;
mod network;
mod node;
mod probe;
mod program;
mod prompt;
mod refusal;
mod shell;
mod topology;

pub use enter::{Inside, Side, enter, throwaway};
pub use network::{Network, NetworkError};
pub use node::NodeEntry;
pub(crate) use probe::probe_arrives;
pub use probe::{
    Family, LinkEvent, LinkState, Probe, ProbeError, ProbeLog, Prober, Station, Stream, TICK,
};
pub use program::system_program;
pub use prompt::ask_for_short_slices;
pub use refusal::{Facts, Refusal};
pub use shell::{Running, ShellError, shell};
pub use topology::{BRIDGE_IP, ipv6_of};

//! A bridge, and one network namespace per node: `eth0` with 10.77.0.i and fd77::i.
//!
//! Each node has exactly these two addresses (no link-local one), fixed hardware addresses and
//! fixed neighbour tables. So a rule for two source addresses cuts a node off completely, and a
//! heal takes effect at once instead of after the next neighbour solicitation.

use std::collections::BTreeMap;
use std::ffi::CString;
use std::fs::{self, File};
use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr};
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::thread;

use nix::sched::{CloneFlags, setns};
use splitbrain_checkers::history::Name;

use super::enter::Inside;
use super::node::NodeEntry;
use super::probe::{Family, Station};
use super::program::system_program;
use super::topology::{hosts_file, ipv6_of, links_batch, node_batch};

pub(super) const HOSTS: &str = "/run/splitbrain-hosts";

/// Why the nodes' network could not be made.
#[derive(Debug, thiserror::Error)]
pub enum NetworkError {
    #[error("node name {0:?}: expected 1 to 63 of a-z, 0-9 and -, beginning with a letter")]
    Name(Name),
    #[error("node {0}: address {1} is not one of 10.77.0.1 to 10.77.0.253")]
    Address(Name, Ipv4Addr),
    #[error("two nodes have the name {0} or the address {1}")]
    Twice(Name, Ipv4Addr),
    #[error(
        "sysctl {0}: only settings that begin with net. exist per node; \
         set others for the whole machine, before the run"
    )]
    NotPerNode(String),
    #[error("sysctl {name} = {value} on node {node}: {error}{hint}")]
    Sysctl { name: String, value: String, node: Name, error: io::Error, hint: &'static str },
    #[error(
        "the program `ip` cannot be run: {0}; it is in the package iproute2 \
         (apt-get install iproute2)"
    )]
    NoIp(io::Error),
    #[error("`ip -batch` failed: {0}")]
    Ip(String),
    #[error("/etc/hosts does not exist here, so nodes cannot be given one of their own; create it")]
    NoHosts,
    #[error("{0}: {1}")]
    Io(String, io::Error),
}

/// The nodes' network. Vanishes with the sandbox.
#[derive(Debug)]
pub struct Network {
    nodes: Vec<NetworkNode>,
    ipv6: bool,
}

#[derive(Debug)]
struct NetworkNode {
    name: Name,
    ip: Ipv4Addr,
    namespace: Arc<OwnedFd>,
}

impl Network {
    /// Makes bridge and nodes, and writes `sysctl` (`net.ipv4.tcp_retries2` to `4`) in each
    /// node's namespace. Blocks for some tens of milliseconds.
    ///
    /// # Errors
    /// A name or an address that does not fit, a setting that the kernel does not take, or what
    /// `ip` complained of.
    pub fn create(
        _inside: &Inside,
        nodes: &[(Name, Ipv4Addr)],
        sysctl: &BTreeMap<String, String>,
    ) -> Result<Network, NetworkError> {
        validate(nodes, sysctl)?;
        let ipv6 = ipv6_works();
        run_ip(&links_batch(nodes, ipv6))?;
        let opened: Result<Vec<NetworkNode>, NetworkError> =
            nodes.iter().map(|(name, ip)| open(name, *ip)).collect();
        let network = Network { nodes: opened?, ipv6 };
        if !Path::new("/etc/hosts").exists() {
            return Err(NetworkError::NoHosts);
        }
        fs::write(HOSTS, hosts_file(nodes, ipv6))
            .map_err(|error| NetworkError::Io(HOSTS.to_string(), error))?;
        for result in network.in_each_node(|name| set_up_node(name, nodes, ipv6, sysctl)) {
            result?;
        }
        Ok(network)
    }

    /// The nodes' names in their order.
    pub fn names(&self) -> Vec<Name> {
        self.nodes.iter().map(|node| node.name.clone()).collect()
    }

    /// The nodes' names and IPv4 addresses in their order.
    pub fn addresses(&self) -> Vec<(Name, Ipv4Addr)> {
        self.nodes.iter().map(|node| (node.name.clone(), node.ip)).collect()
    }

    /// Whether the nodes have IPv6 addresses. Where the kernel has no IPv6, or no `ip6tables`
    /// that could cut it, they have none and IPv6 is switched off in them.
    pub fn ipv6(&self) -> bool {
        self.ipv6
    }

    /// Where probes of the nodes are sent from and received.
    pub fn stations(&self) -> Vec<Station> {
        let station = |node: &NetworkNode| {
            let ipv6 = self.ipv6.then(|| (Family::Ipv6, IpAddr::V6(ipv6_of(node.ip))));
            let ipv4 = (Family::Ipv4, IpAddr::V4(node.ip));
            Station {
                node: node.name.clone(),
                namespace: Arc::clone(&node.namespace),
                addresses: [Some(ipv4), ipv6].into_iter().flatten().collect(),
            }
        };
        self.nodes.iter().map(station).collect()
    }

    /// Moves the calling thread, and only it, into a node's network namespace. Sockets that it
    /// opens and processes that it starts from then on are the node's.
    ///
    /// # Errors
    /// The system call's.
    ///
    /// # Panics
    /// If there is no such node.
    pub fn enter(&self, node: &str) -> io::Result<()> {
        Ok(setns(self.node(node).namespace.as_fd(), CloneFlags::CLONE_NEWNET)?)
    }

    /// What a child process needs to become a process of that node.
    ///
    /// # Panics
    /// If there is no such node.
    pub fn entry(&self, node: &str) -> NodeEntry {
        let node = self.node(node);
        NodeEntry {
            network: Arc::clone(&node.namespace),
            hosts: CString::new(HOSTS).expect("a constant without a zero byte"),
            host_name: Box::from(&*node.name),
        }
    }

    /// Runs `work` for every node at once, each in a thread in that node's network namespace.
    /// The results are in the order of the nodes.
    ///
    /// # Panics
    /// If `work` does, or if a namespace cannot be entered, which it can while the sandbox is up.
    pub fn in_each_node<T: Send>(&self, work: impl Fn(&Name) -> T + Sync) -> Vec<T> {
        thread::scope(|scope| {
            let start = |node: &NetworkNode| {
                let (name, work) = (node.name.clone(), &work);
                scope.spawn(move || {
                    self.enter(&name).expect("a node's namespace lives as long as the sandbox");
                    work(&name)
                })
            };
            let threads: Vec<_> = self.nodes.iter().map(start).collect();
            threads
                .into_iter()
                .map(|thread| {
                    thread.join().unwrap_or_else(|cause| std::panic::resume_unwind(cause))
                })
                .collect()
        })
    }

    fn node(&self, name: &str) -> &NetworkNode {
        self.nodes
            .iter()
            .find(|node| &*node.name == name)
            .unwrap_or_else(|| panic!("no node {name} in the sandbox's network"))
    }
}

fn validate(
    nodes: &[(Name, Ipv4Addr)],
    sysctl: &BTreeMap<String, String>,
) -> Result<(), NetworkError> {
    for (position, (name, ip)) in nodes.iter().enumerate() {
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let begins = name.starts_with(|c: char| c.is_ascii_lowercase());
        if !begins || name.len() > 63 || !name.chars().all(fits) {
            return Err(NetworkError::Name(name.clone()));
        }
        let [a, b, c, last] = ip.octets();
        if [a, b, c] != [10, 77, 0] || !(1..=253).contains(&last) {
            return Err(NetworkError::Address(name.clone(), *ip));
        }
        if nodes[..position].iter().any(|(other, other_ip)| other == name || other_ip == ip) {
            return Err(NetworkError::Twice(name.clone(), *ip));
        }
    }
    let fits = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    match sysctl.keys().find(|key| !key.starts_with("net.") || !key.chars().all(fits)) {
        Some(key) => Err(NetworkError::NotPerNode(key.clone())),
        None => Ok(()),
    }
}

/// Whether IPv6 exists and can be cut.
fn ipv6_works() -> bool {
    let cuts = || {
        let mut command = Command::new(system_program("ip6tables"));
        let command = command.args(["-w", "-S", "INPUT"]);
        command.stdout(Stdio::null()).stderr(Stdio::null()).status()
    };
    Path::new("/proc/sys/net/ipv6").exists() && cuts().is_ok_and(|status| status.success())
}

fn open(name: &Name, ip: Ipv4Addr) -> Result<NetworkNode, NetworkError> {
    let path = format!("/run/netns/{name}");
    let file = File::open(&path).map_err(|error| NetworkError::Io(path, error))?;
    Ok(NetworkNode { name: name.clone(), ip, namespace: Arc::new(file.into()) })
}

/// Runs in the node's namespace.
fn set_up_node(
    name: &Name,
    nodes: &[(Name, Ipv4Addr)],
    ipv6: bool,
    sysctl: &BTreeMap<String, String>,
) -> Result<(), NetworkError> {
    let has_ipv6 = Path::new("/proc/sys/net/ipv6").exists();
    if has_ipv6 {
        let value = if ipv6 { "0" } else { "1" };
        for scope in ["all", "default"] {
            write_sysctl(name, &format!("net.ipv6.conf.{scope}.disable_ipv6"), value)?;
        }
    }
    let own = nodes.iter().find(|(other, _)| other == name).expect("one of the nodes").1;
    run_ip(&node_batch(own, nodes, ipv6))?;
    sysctl.iter().try_for_each(|(key, value)| write_sysctl(name, key, value))
}

fn write_sysctl(node: &Name, name: &str, value: &str) -> Result<(), NetworkError> {
    let path = format!("/proc/sys/{}", name.replace('.', "/"));
    fs::write(path, value).map_err(|error| NetworkError::Sysctl {
        name: name.to_string(),
        value: value.to_string(),
        node: node.clone(),
        hint: match error.kind() {
            io::ErrorKind::NotFound => "; this kernel does not have it per network namespace",
            io::ErrorKind::InvalidInput => "; the kernel does not accept that value",
            _ => "",
        },
        error,
    })
}

/// Runs `ip -batch` in the calling thread's network namespace.
fn run_ip(batch: &str) -> Result<(), NetworkError> {
    let mut child = Command::new(system_program("ip"))
        .args(["-batch", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(NetworkError::NoIp)?;
    let fed = child.stdin.take().expect("piped").write_all(batch.as_bytes());
    let output =
        child.wait_with_output().map_err(|error| NetworkError::Io("ip".to_string(), error))?;
    if fed.is_ok() && output.status.success() {
        return Ok(());
    }
    let complaint = String::from_utf8_lossy(&output.stderr).trim().to_string();
    // `Command failed -:3` counts lines of the batch.
    let line = complaint.rsplit(':').next().and_then(|number| number.trim().parse::<usize>().ok());
    let line = line.and_then(|number| batch.lines().nth(number.checked_sub(1)?));
    Err(NetworkError::Ip(match line {
        Some(line) => format!("{complaint} (ip {line})"),
        None => complaint,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nodes() -> Vec<(Name, Ipv4Addr)> {
        (1..=3).map(|i| (Name::from(format!("n{i}")), Ipv4Addr::new(10, 77, 0, i))).collect()
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let none = BTreeMap::new();
        let refused = |name: &str, ip: &str| {
            let nodes =
                [("n9".into(), Ipv4Addr::new(10, 77, 0, 9)), (name.into(), ip.parse().unwrap())];
            validate(&nodes, &none).map_err(|error| error.to_string())
        };
        assert!(refused("n1", "10.77.0.1").is_ok());
        assert!(refused("n1; rm", "10.77.0.1").unwrap_err().contains("expected 1 to 63"));
        assert!(refused("", "10.77.0.1").is_err());
        assert!(refused("n1", "10.77.0.254").unwrap_err().contains("10.77.0.253"));
        assert!(refused("n1", "192.168.0.1").is_err());
        assert!(refused("n9", "10.77.0.1").unwrap_err().contains("two nodes"));
        assert!(refused("n1", "10.77.0.9").is_err());
        for key in ["vm.swappiness", "net./../kernel.panic"] {
            let sysctl = BTreeMap::from([(key.to_string(), "1".to_string())]);
            assert!(validate(&nodes(), &sysctl).unwrap_err().to_string().contains("per node"));
        }
    }
}

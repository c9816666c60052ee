//! Who listens where on this host: from the addresses of nodes to their processes and ports.

use std::collections::{BTreeMap, BTreeSet};

use splitbrain_checkers::history::Name;

use super::sockets::{Protocol, Socket};
use crate::plan::{NodePlan, Site};

/// Programs that listen for somebody who is elsewhere: to cut them off cuts nothing else off.
const STAND_INS: [&str; 6] =
    ["docker-proxy", "rootlessport", "conmon", "slirp4netns", "ssh", "kubectl"];

/// The processes of a node and where they take connections.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    pub name: Name,
    pub processes: Vec<u32>,
    pub ports: BTreeMap<Protocol, BTreeSet<u16>>,
}

/// Finds the processes of every node: those that hold its listening socket, or the one that is
/// named, and all that they started. `parents` maps every process of the host to its parent.
///
/// # Errors
/// If nobody listens at a node's address, or two nodes are one process.
pub fn find(
    nodes: &[NodePlan],
    sockets: &[Socket],
    parents: &BTreeMap<u32, u32>,
) -> Result<Vec<Server>, String> {
    let mut servers: Vec<Server> = Vec::new();
    for node in nodes {
        let roots = roots(node, sockets)?;
        let processes = descendants(&roots, parents);
        let shared = |other: &&Server| other.processes.iter().any(|id| processes.contains(id));
        if let Some(other) = servers.iter().find(shared) {
            return Err(format!(
                "{} and {} are the same process; a node is a process of its own",
                other.name, node.name
            ));
        }
        let mut ports: BTreeMap<Protocol, BTreeSet<u16>> = BTreeMap::new();
        let own = sockets.iter().filter(|socket| socket.takes_connections());
        for socket in own.filter(|socket| socket.is_of(&processes)) {
            ports.entry(socket.protocol).or_default().extend(socket.local.port);
        }
        servers.push(Server { name: node.name.clone(), processes, ports });
    }
    Ok(servers)
}

fn roots(node: &NodePlan, sockets: &[Socket]) -> Result<Vec<u32>, String> {
    let (name, ip, port) = (&node.name, node.ip, node.port.unwrap_or_default());
    if let Site::Local { process: Some(process) } = node.site {
        return Ok(vec![process]);
    }
    let listening = sockets
        .iter()
        .filter(|socket| socket.protocol == Protocol::Tcp && socket.listens_at(ip, port));
    let holders: BTreeSet<&(String, u32)> =
        listening.flat_map(|socket| &socket.processes).collect();
    if let Some((program, _)) = holders.iter().find(|(program, _)| STAND_INS.contains(&&**program))
    {
        return Err(format!(
            "{name}: at {ip}:{port} listens `{program}`, for a server that is elsewhere; reach \
             that by `access: docker`, `namespace` or `ssh`"
        ));
    }
    match holders.is_empty() {
        true => {
            Err(format!("{name}: nobody listens at {ip}:{port}; start it, or correct its address"))
        }
        false => Ok(holders.into_iter().map(|(_, id)| *id).collect()),
    }
}

/// These processes and all that descend from them.
fn descendants(roots: &[u32], parents: &BTreeMap<u32, u32>) -> Vec<u32> {
    let mut found: BTreeSet<u32> = roots.iter().copied().collect();
    loop {
        let children = parents.iter().filter(|(_, parent)| found.contains(parent));
        let new: Vec<u32> = children.map(|(id, _)| *id).filter(|id| !found.contains(id)).collect();
        if new.is_empty() {
            // The roots first: the group is made below the first one's.
            let rest = found.iter().filter(|id| !roots.contains(id));
            return roots.iter().chain(rest).copied().collect();
        }
        found.extend(new);
    }
}

/// Every process of this host and its parent.
pub fn parents() -> BTreeMap<u32, u32> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let parent = |entry: std::fs::DirEntry| {
        let id: u32 = entry.file_name().to_str()?.parse().ok()?;
        // A process may have ended meanwhile.
        let text = std::fs::read_to_string(entry.path().join("stat")).ok()?;
        // `ID (NAME) STATE PARENT ...`; the name may hold anything.
        let (_, rest) = text.rsplit_once(')')?;
        Some((id, rest.split_whitespace().nth(1)?.parse().ok()?))
    };
    entries.filter_map(parent).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attach::sockets::parse;

    fn node(name: &str, port: u16, process: Option<u32>) -> NodePlan {
        let site = Site::Local { process };
        NodePlan { name: name.into(), ip: [127, 0, 0, 1].into(), port: Some(port), site }
    }

    fn listening(port: u16, program: &str, process: u32) -> String {
        format!(
            "tcp LISTEN 0 9 127.0.0.1:{port} 0.0.0.0:* users:((\"{program}\",pid={process},fd=1))\n"
        )
    }

    #[test]
    fn a_server_is_whoever_listens_with_all_its_children_and_ports() {
        let said = listening(7001, "store", 5) + &listening(17001, "store", 6);
        let parents = BTreeMap::from([(5, 1), (6, 5), (7, 6), (8, 1)]);
        let found = find(&[node("n1", 7001, None)], &parse(&said).unwrap(), &parents).unwrap();
        let ports = BTreeMap::from([(Protocol::Tcp, BTreeSet::from([7001, 17001]))]);
        assert_eq!(found, [Server { name: "n1".into(), processes: vec![5, 6, 7], ports }]);
    }

    #[test]
    fn what_is_no_node_of_its_own_is_refused() {
        let said = listening(7001, "store", 5) + &listening(7002, "store", 5);
        let sockets = parse(&(said + &listening(7004, "docker-proxy", 9))).unwrap();
        let none = BTreeMap::new();
        let refused = |nodes: &[NodePlan]| find(nodes, &sockets, &none).unwrap_err();
        let same = refused(&[node("n1", 7001, None), node("n2", 7002, None)]);
        assert!(same.contains("n1 and n2 are the same process"), "{same}");
        assert!(refused(&[node("n1", 7003, None)]).contains("nobody listens at 127.0.0.1:7003"));
        assert!(refused(&[node("n1", 7004, None)]).contains("`docker-proxy`"));
        assert!(find(&[node("n1", 7003, Some(4))], &sockets, &none).is_ok());
    }

    #[test]
    fn this_process_has_a_parent() {
        assert_eq!(parents()[&std::process::id()], nix::unistd::getppid().as_raw() as u32);
    }
}

//! Links between processes of one host, which share its addresses.
//!
//! Every node's processes are put into a control group of their own. A socket keeps the group in
//! which it was made, so whoever *opens* a connection is known: packets from node A's group to a
//! port of node B are from A to B, and mark the connection in the connection tracker as opened by
//! A to B; packets that come from a port of B on a connection with that mark are from B to A. (An
//! accepted socket has the group of its listener, which is older than we are, so groups alone do
//! not tell; and on the loopback device the receiving socket is not known when INPUT is passed.)
//! Connections that are older than the groups are listed and told by their four numbers.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use async_trait::async_trait;
use splitbrain_checkers::partition::Link;

use super::filter::{Filter, chain, drop, way_to_chain};
use super::keeper::{Attempt, Group, Keeper, KeeperError, Rules};
use super::processes::{self, Server};
use super::sockets::{self, End, Protocol, Socket};
use crate::plan::NodePlan;
use crate::sandbox::Family;

/// The bits of a connection's mark that are ours; the others are left as they are.
const MASK: u32 = 0xff00_0000;
const SHIFT: u32 = 24;
/// So many ports fit into one rule.
const PORTS: usize = 15;
/// Times to look for processes that were started meanwhile.
const LOOKS: usize = 5;

/// A node and its group.
#[derive(Debug, Clone)]
struct Member {
    server: Server,
    group: Group,
    plan: NodePlan,
}

/// A connection from before the groups: opened by one node to another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Old {
    from: usize,
    to: usize,
    opener: End,
    acceptor: End,
}

/// Tells processes of one host apart.
pub struct LocalFilter {
    members: Vec<Member>,
    families: Vec<Family>,
    /// Those that were there when the groups were made.
    old: BTreeSet<Old>,
    /// Those of them that are still there.
    left: BTreeSet<Old>,
}

impl LocalFilter {
    /// Finds the nodes' processes and puts each node's into a group of its own.
    ///
    /// # Errors
    /// If a node is not found, or no group can be made.
    pub async fn new(nodes: &[NodePlan], keeper: &Keeper) -> Result<LocalFilter, KeeperError> {
        let mut servers = find(nodes, keeper).await?;
        let mut groups = Vec::new();
        // Until no process is found that was started while we looked.
        for _ in 0..LOOKS {
            groups.clear();
            for server in &servers {
                groups.push(keeper.group(&server.name, &server.processes).await?);
            }
            let again = find(nodes, keeper).await?;
            if again == servers {
                break;
            }
            servers = again;
        }
        let members = servers.into_iter().zip(groups).zip(nodes);
        let members =
            members.map(|((server, group), plan)| Member { server, group, plan: plan.clone() });
        let mut filter = LocalFilter {
            members: members.collect(),
            families: keeper.families().to_vec(),
            old: BTreeSet::new(),
            left: BTreeSet::new(),
        };
        filter.old = filter.connections(&look(keeper).await?);
        filter.left = filter.old.clone();
        Ok(filter)
    }

    /// What can be said without looking: groups by the nodes' names, and the ports of clients.
    pub fn sketch(nodes: &[NodePlan]) -> LocalFilter {
        let member = |plan: &NodePlan| {
            let path = format!("<the group of its process>/splitbrain-<namespace>-{}", plan.name);
            let ports = BTreeMap::from([(Protocol::Tcp, plan.port.into_iter().collect())]);
            let server = Server { name: plan.name.clone(), processes: Vec::new(), ports };
            Member { server, group: Group { folder: path.clone(), path }, plan: plan.clone() }
        };
        LocalFilter {
            members: nodes.iter().map(member).collect(),
            families: vec![Family::Ipv4],
            old: BTreeSet::new(),
            left: BTreeSet::new(),
        }
    }

    /// Every connection that one node has opened to another.
    fn connections(&self, sockets: &[Socket]) -> BTreeSet<Old> {
        let open = sockets.iter().filter(|socket| !socket.takes_connections());
        let old = |socket: &Socket| {
            let from = self.member_that(|server| socket.is_of(&server.processes))?;
            let to = self.member_that(|server| {
                let ports = server.ports.get(&socket.protocol);
                ports.zip(socket.peer.port).is_some_and(|(ports, port)| ports.contains(&port))
            })?;
            let accepted = self.members[from].server.ports.get(&socket.protocol);
            let own = socket.local.port?;
            if from == to || accepted.is_some_and(|ports| ports.contains(&own)) {
                return None;
            }
            Some(Old { from, to, opener: socket.local, acceptor: socket.peer })
        };
        open.filter(|socket| socket.protocol == Protocol::Tcp).filter_map(old).collect()
    }

    fn member_that(&self, fits: impl Fn(&Server) -> bool) -> Option<usize> {
        self.members.iter().position(|member| fits(&member.server))
    }

    fn link(&self, from: usize, to: usize) -> Link {
        let name = |member: usize| self.members[member].server.name.clone();
        Link { from: name(from), to: name(to) }
    }

    fn pairs(&self) -> impl Iterator<Item = (usize, usize)> {
        let count = self.members.len();
        (0..count)
            .flat_map(move |from| (0..count).map(move |to| (from, to)))
            .filter(|(from, to)| from != to)
    }

    /// The mark of a connection that `opener` opened to `acceptor`, and our bits.
    fn mark(&self, opener: usize, acceptor: usize) -> String {
        let number = (opener * self.members.len() + acceptor + 1) as u32;
        format!("{:#x}/{MASK:#x}", number << SHIFT)
    }

    /// Protocol and ports of a node, as many as fit into a rule.
    fn ports(&self, member: usize) -> Vec<(Protocol, String)> {
        let ports = self.members[member].server.ports.iter();
        ports
            .flat_map(|(protocol, ports)| {
                let ports: Vec<String> = ports.iter().map(u16::to_string).collect();
                let rules = ports.chunks(PORTS).map(|ports| (*protocol, ports.join(",")));
                rules.collect::<Vec<_>>()
            })
            .collect()
    }

    /// `-o lo -p tcp ... --dports PORTS`: what goes to a port of `to` from the group of `from`.
    fn opened(&self, from: usize, to: usize) -> Vec<String> {
        let group = quoted(&self.members[from].group.path);
        let rule = |(protocol, ports): (Protocol, String)| {
            let protocol = protocol.name();
            format!("-o lo -p {protocol} -m cgroup --path {group} -m multiport --dports {ports}")
        };
        self.ports(to).into_iter().map(rule).collect()
    }

    /// What comes from a port of `from` on a connection that `to` opened to it.
    fn answered(&self, from: usize, to: usize) -> Vec<String> {
        let mark = self.mark(to, from);
        let rule = |(protocol, ports): (Protocol, String)| {
            let protocol = protocol.name();
            format!("-o lo -p {protocol} -m connmark --mark {mark} -m multiport --sports {ports}")
        };
        self.ports(from).into_iter().map(rule).collect()
    }

    /// The rules that mark connections, of which there are some all the time.
    fn marks(&self) -> Vec<String> {
        let of_pair = |(from, to)| {
            let mark = self.mark(from, to);
            let rules = self.opened(from, to).into_iter();
            rules.map(move |rule| format!("{rule} -j CONNMARK --set-xmark {mark}"))
        };
        self.pairs().flat_map(of_pair).collect()
    }

    fn drops(&self, from: usize, to: usize, family: Family) -> Vec<String> {
        let old = self.left.iter().filter_map(|old| {
            let (source, goal) = match (old.from, old.to) {
                ends if ends == (from, to) => (old.opener, old.acceptor),
                ends if ends == (to, from) => (old.acceptor, old.opener),
                _ => return None,
            };
            four_numbers(source, goal, family)
        });
        let matches = self.opened(from, to).into_iter().chain(self.answered(from, to)).chain(old);
        let link = self.link(from, to);
        matches.map(|rule| format!("{rule} {}", drop(&link))).collect()
    }

    fn chain(&self, links: &BTreeSet<Link>, family: Family) -> String {
        let cut = self.pairs().filter(|(from, to)| links.contains(&self.link(*from, *to)));
        let drops = cut.flat_map(|(from, to)| self.drops(from, to, family));
        chain(&self.marks().into_iter().chain(drops).collect::<Vec<_>>())
    }
}

#[async_trait]
impl Filter for LocalFilter {
    fn way_in(&self) -> Vec<Rules> {
        vec![Rules::of(&self.families, |_| way_to_chain("OUTPUT"))]
    }

    fn rules(&self, links: &BTreeSet<Link>) -> Vec<Rules> {
        vec![Rules::of(&self.families, |family| self.chain(links, family))]
    }

    fn attempts(&self) -> Vec<Vec<Attempt>> {
        let attempt = |(from, to): (usize, usize)| {
            let goal = &self.members[to].plan;
            Attempt {
                link: self.link(from, to),
                ip: goal.ip,
                port: goal.port.unwrap_or_default(),
                group: Some(self.members[from].group.folder.clone()),
            }
        };
        vec![self.pairs().map(attempt).collect()]
    }

    async fn refresh(&mut self, keepers: &[Keeper]) -> Result<(), KeeperError> {
        let keeper = &keepers[0];
        let plans: Vec<NodePlan> = self.members.iter().map(|member| member.plan.clone()).collect();
        let servers = find(&plans, keeper).await?;
        let mut started = false;
        for (member, server) in self.members.iter_mut().zip(servers) {
            let known = &member.server.processes;
            if server.processes.iter().any(|process| !known.contains(process)) {
                member.group = keeper.group(&server.name, &server.processes).await?;
                started = true;
            }
            member.server = server;
        }
        let now = self.connections(&look(keeper).await?);
        if started {
            // What a process opened before it was put into the group has no mark.
            self.old.extend(now.iter().cloned());
        }
        self.left = self.old.intersection(&now).cloned().collect();
        Ok(())
    }
}

/// A match of one connection in one direction; `None` if it is of the other family.
fn four_numbers(source: End, goal: End, family: Family) -> Option<String> {
    let (source_ip, goal_ip) = (source.ip?, goal.ip?);
    let fits = match family {
        Family::Ipv4 => matches!(source_ip, IpAddr::V4(_)),
        Family::Ipv6 => matches!(source_ip, IpAddr::V6(_)),
    };
    let (source_port, goal_port) = (source.port?, goal.port?);
    fits.then(|| {
        format!(
            "-o lo -p tcp -s {source_ip} -d {goal_ip} --sport {source_port} --dport {goal_port}"
        )
    })
}

/// A word as `iptables-restore` reads it back.
fn quoted(word: &str) -> String {
    format!("\"{}\"", word.replace('\\', "\\\\").replace('"', "\\\""))
}

async fn look(keeper: &Keeper) -> Result<Vec<Socket>, KeeperError> {
    let said = keeper.ask(&sockets::COMMAND).await?;
    sockets::parse(&said).map_err(|line| {
        let complaint = format!("a line that cannot be read: {line}");
        keeper.refused(&sockets::COMMAND.join(" "), complaint)
    })
}

async fn find(nodes: &[NodePlan], keeper: &Keeper) -> Result<Vec<Server>, KeeperError> {
    let sockets = look(keeper).await?;
    processes::find(nodes, &sockets, &processes::parents())
        .map_err(|complaint| keeper.refused("looking for the nodes", complaint))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attach::sockets::parse;
    use crate::plan::Site;

    /// Two nodes, n1 with a second port; n1 had opened a connection to n2 before.
    fn filter() -> LocalFilter {
        let member = |number: u16, ports: &[u16]| {
            let name: splitbrain_checkers::history::Name = format!("n{number}").into();
            let ports = BTreeMap::from([(Protocol::Tcp, ports.iter().copied().collect())]);
            let processes = vec![number.into()];
            let path = format!("user.slice/a\\x2d/splitbrain-{name}");
            Member {
                server: Server { name: name.clone(), processes, ports },
                group: Group { folder: format!("/sys/fs/cgroup/{path}"), path },
                plan: NodePlan {
                    name,
                    ip: [127, 0, 0, 1].into(),
                    port: Some(7000 + number),
                    site: Site::Local { process: None },
                },
            }
        };
        let mut filter = LocalFilter {
            members: vec![member(1, &[7001, 17001]), member(2, &[7002])],
            families: vec![Family::Ipv4],
            old: BTreeSet::new(),
            left: BTreeSet::new(),
        };
        let sockets = "tcp ESTAB 0 0 127.0.0.1:40000 127.0.0.1:7002 users:((\"a\",pid=1,fd=1))\n\
                       tcp ESTAB 0 0 127.0.0.1:7002 127.0.0.1:40000 users:((\"a\",pid=2,fd=1))\n\
                       tcp ESTAB 0 0 127.0.0.1:40001 127.0.0.1:7002 users:((\"b\",pid=9,fd=1))\n";
        filter.left = filter.connections(&parse(sockets).unwrap());
        filter
    }

    #[test]
    fn a_link_is_cut_for_whoever_opened_the_connection() {
        let filter = filter();
        let links = BTreeSet::from([Link { from: "n1".into(), to: "n2".into() }]);
        let rules = filter.rules(&links);
        let drops: Vec<&str> =
            rules[0].ipv4.lines().filter(|line| line.ends_with("DROP")).collect();
        let end = "-m comment --comment \"n1 -> n2\" -j DROP";
        let group = "-m cgroup --path \"user.slice/a\\\\x2d/splitbrain-n1\"";
        let expected = [
            format!("-o lo -p tcp {group} -m multiport --dports 7002 {end}"),
            format!(
                "-o lo -p tcp -m connmark --mark 0x3000000/0xff000000 -m multiport \
                 --sports 7001,17001 {end}"
            ),
            format!("-o lo -p tcp -s 127.0.0.1 -d 127.0.0.1 --sport 40000 --dport 7002 {end}"),
        ];
        assert_eq!(drops, expected.map(|rule| format!("-A SPLITBRAIN {rule}")));
        assert_eq!(rules[0].ipv6, "", "no family that the machine does not have");
    }

    #[test]
    fn without_a_cut_connections_are_marked_and_nothing_is_dropped() {
        let text = filter().rules(&BTreeSet::new()).remove(0).ipv4;
        assert_eq!(text.matches("-j CONNMARK --set-xmark").count(), 2);
        assert!(text.contains("--dports 7001,17001 -j CONNMARK --set-xmark 0x3000000/0xff000000"));
        assert!(!text.contains("DROP"), "{text}");
    }

    #[test]
    fn what_others_open_is_nobodys_link() {
        assert_eq!(filter().left.len(), 1);
    }
}

//! Links between nodes that have addresses of their own: in network namespaces, containers or
//! hosts. The receiving node drops what comes from any address of the sender.

use std::collections::BTreeSet;
use std::net::{IpAddr, UdpSocket};

use async_trait::async_trait;
use futures::future::try_join_all;
use splitbrain_checkers::history::Name;
use splitbrain_checkers::partition::Link;

use super::filter::{Filter, chain, drop, way_to_chain};
use super::keeper::{Attempt, Keeper, KeeperError, Rules};
use crate::plan::NodePlan;
use crate::sandbox::Family;

const COMMAND: [&str; 6] = ["ip", "-o", "addr", "show", "scope", "global"];

/// Tells nodes apart by their addresses.
pub struct AddressFilter {
    nodes: Vec<Addressed>,
}

/// A node with every address that is its alone.
#[derive(Debug, Clone)]
struct Addressed {
    plan: NodePlan,
    addresses: BTreeSet<IpAddr>,
    families: Vec<Family>,
    /// From where we log in there and to which port: never cut.
    login: Option<(IpAddr, u16)>,
}

impl AddressFilter {
    /// Asks every node for its addresses; `keepers` are in the order of the nodes.
    ///
    /// # Errors
    /// If a node does not say, or if this host is one of the nodes: our clients would be cut off.
    pub async fn new(nodes: &[NodePlan], keepers: &[Keeper]) -> Result<AddressFilter, KeeperError> {
        let ask = async |(plan, keeper): (&NodePlan, &Keeper)| {
            let said = keeper.ask(&COMMAND).await?;
            let mut addresses: BTreeSet<IpAddr> = parse(&said).collect();
            addresses.insert(plan.ip.into());
            Ok::<Addressed, KeeperError>(Addressed {
                plan: plan.clone(),
                addresses,
                families: keeper.families().to_vec(),
                login: keeper.machine().login(),
            })
        };
        let mut nodes = try_join_all(nodes.iter().zip(keepers).map(ask)).await?;
        keep_own(&mut nodes);
        if let Some((node, ip)) = nodes.iter().find_map(|node| Some((node, is_here(node, &nodes)?)))
        {
            return Err(KeeperError::Refused {
                machine: node.plan.name.to_string(),
                verb: "looking for the nodes".to_string(),
                complaint: format!(
                    "this host reaches the nodes from {ip}, which is {}'s own address: cutting \
                     {} off would cut off the clients, too; run splitbrain on another host",
                    node.plan.name, node.plan.name
                ),
            });
        }
        Ok(AddressFilter { nodes })
    }

    /// What can be said without asking: the addresses of the target file.
    pub fn sketch(nodes: &[NodePlan]) -> AddressFilter {
        let addressed = |plan: &NodePlan| Addressed {
            plan: plan.clone(),
            addresses: BTreeSet::from([plan.ip.into()]),
            families: vec![Family::Ipv4],
            login: None,
        };
        AddressFilter { nodes: nodes.iter().map(addressed).collect() }
    }
}

/// Leaves out addresses that several nodes have (those of a container bridge, on each host the
/// same): they tell nobody apart. The one of the target file stays.
fn keep_own(nodes: &mut [Addressed]) {
    let all = nodes.to_vec();
    for (position, node) in nodes.iter_mut().enumerate() {
        let plan = IpAddr::V4(node.plan.ip);
        let elsewhere = |ip: &IpAddr| {
            let others = all.iter().enumerate().filter(|(other, _)| *other != position);
            others.into_iter().any(|(_, other)| other.addresses.contains(ip))
        };
        node.addresses.retain(|ip| *ip == plan || !elsewhere(ip));
    }
}

/// From which address of `node` this host reaches another node, if from one.
fn is_here(node: &Addressed, nodes: &[Addressed]) -> Option<IpAddr> {
    let others = nodes.iter().filter(|other| other.plan.name != node.plan.name);
    others
        .filter_map(|other| {
            let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
            // Sends nothing: it only asks the kernel for the way.
            socket.connect((other.plan.ip, 9)).ok()?;
            Some(socket.local_addr().ok()?.ip())
        })
        .find(|ip| node.addresses.contains(ip))
}

/// `2: eth0    inet 10.0.0.1/24 brd 10.0.0.255 scope global eth0\ ...`
fn parse(said: &str) -> impl Iterator<Item = IpAddr> {
    said.lines().filter_map(|line| {
        let mut words = line.split_whitespace().skip_while(|word| !word.starts_with("inet"));
        let (address, _) = words.nth(1)?.split_once('/')?;
        address.parse().ok()
    })
}

#[async_trait]
impl Filter for AddressFilter {
    fn way_in(&self) -> Vec<Rules> {
        let rules = |node: &Addressed| Rules::of(&node.families, |_| way_to_chain("INPUT"));
        self.nodes.iter().map(rules).collect()
    }

    fn rules(&self, links: &BTreeSet<Link>) -> Vec<Rules> {
        let rules = |node: &Addressed| {
            Rules::of(&node.families, |family| chain(&self.rules_at(node, links, family)))
        };
        self.nodes.iter().map(rules).collect()
    }

    fn attempts(&self) -> Vec<Vec<Attempt>> {
        let of = |from: &Addressed| {
            let others = self.nodes.iter().filter(|to| to.plan.name != from.plan.name);
            let attempt = |to: &Addressed| Attempt {
                link: link(&from.plan.name, &to.plan.name),
                ip: to.plan.ip,
                port: to.plan.port.unwrap_or_default(),
                group: None,
            };
            others.map(attempt).collect()
        };
        self.nodes.iter().map(of).collect()
    }

    async fn refresh(&mut self, _keepers: &[Keeper]) -> Result<(), KeeperError> {
        Ok(())
    }
}

impl AddressFilter {
    fn rules_at(&self, to: &Addressed, links: &BTreeSet<Link>, family: Family) -> Vec<String> {
        let is_of = |ip: &&IpAddr| ip.is_ipv4() == (family == Family::Ipv4);
        let login = to.login.iter().filter(|(ip, _)| is_of(&ip));
        let mut rules: Vec<String> =
            login.map(|(ip, port)| format!("-s {ip} -p tcp --dport {port} -j RETURN")).collect();
        for from in &self.nodes {
            let link = link(&from.plan.name, &to.plan.name);
            if links.contains(&link) {
                let sources = from.addresses.iter().filter(is_of);
                rules.extend(sources.map(|ip| format!("-s {ip} {}", drop(&link))));
            }
        }
        rules
    }
}

fn link(from: &Name, to: &Name) -> Link {
    Link { from: from.clone(), to: to.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Site;

    fn node(number: u8, more: &[&str]) -> Addressed {
        let own = format!("10.0.0.{number}");
        let addresses = more.iter().chain([&&*own]).map(|ip| ip.parse().unwrap()).collect();
        Addressed {
            plan: NodePlan {
                name: format!("n{number}").into(),
                ip: own.parse().unwrap(),
                port: Some(2379),
                site: Site::Namespace { process: 1 },
            },
            addresses,
            families: vec![Family::Ipv4, Family::Ipv6],
            login: None,
        }
    }

    #[test]
    fn the_receiver_drops_every_address_of_the_sender() {
        let mut nodes =
            vec![node(1, &["192.168.7.1", "fd00::1", "172.17.0.1"]), node(2, &["172.17.0.1"])];
        nodes[1].login = Some(("10.0.0.1".parse().unwrap(), 22));
        keep_own(&mut nodes);
        let filter = AddressFilter { nodes };
        let rules = filter.rules(&BTreeSet::from([link(&"n1".into(), &"n2".into())]));
        assert_eq!(rules[0].ipv4, chain(&[]), "nothing is cut at the sender");
        let drop = "-m comment --comment \"n1 -> n2\" -j DROP";
        let expected = [
            "-s 10.0.0.1 -p tcp --dport 22 -j RETURN".to_string(),
            format!("-s 10.0.0.1 {drop}"),
            format!("-s 192.168.7.1 {drop}"),
        ];
        assert_eq!(rules[1].ipv4, chain(&expected));
        assert_eq!(rules[1].ipv6, chain(&[format!("-s fd00::1 {drop}")]));
    }

    #[test]
    fn addresses_are_read_as_ip_prints_them() {
        let said = "2: eth0    inet 10.88.0.1/24 brd 10.88.0.255 scope global eth0\\       valid_lft\n\
                    2: eth0    inet6 fd00::7/64 scope global \\       valid_lft forever\n";
        let found: Vec<IpAddr> = parse(said).collect();
        assert_eq!(found, ["10.88.0.1", "fd00::7"].map(|ip| ip.parse::<IpAddr>().unwrap()));
    }
}

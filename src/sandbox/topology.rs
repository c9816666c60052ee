//! The text of the nodes' network: what `ip -batch` is told, and /etc/hosts. Pure.

use std::fmt::Write;
use std::net::{Ipv4Addr, Ipv6Addr};

use splitbrain_checkers::history::Name;

/// The sandbox's own address on the bridge, from which every node can be reached.
pub const BRIDGE_IP: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 254);

/// The IPv6 address of a node or the bridge: fd77::7 for 10.77.0.7.
pub fn ipv6_of(ip: Ipv4Addr) -> Ipv6Addr {
    let digits = ip.octets()[3].to_string();
    // The same digits for the eye, so 12 is 0x12.
    let last = u16::from_str_radix(&digits, 16).expect("decimal digits are hexadecimal ones");
    Ipv6Addr::new(0xfd77, 0, 0, 0, 0, 0, 0, last)
}

/// The hardware address that belongs to an address: locally administered, the last byte its
/// last octet.
fn hardware_address(ip: Ipv4Addr) -> String {
    format!("02:53:42:00:00:{:02x}", ip.octets()[3])
}

/// Bridge, namespaces and both ends of the veth pairs.
pub(super) fn links_batch(nodes: &[(Name, Ipv4Addr)], ipv6: bool) -> String {
    let mut batch = format!(
        "link set lo up\n\
         link add sb0 address {} type bridge forward_delay 0 mcast_snooping 0\n\
         addr add {BRIDGE_IP}/24 dev sb0\n",
        hardware_address(BRIDGE_IP)
    );
    if ipv6 {
        let _ = writeln!(batch, "addr add {}/64 dev sb0 nodad", ipv6_of(BRIDGE_IP));
    }
    batch += "link set sb0 up\n";
    for (name, ip) in nodes {
        let (last, address) = (ip.octets()[3], hardware_address(*ip));
        let _ = write!(
            batch,
            "netns add {name}\n\
             link add sb{last} type veth peer name eth0 address {address} netns {name}\n\
             link set sb{last} master sb0 up\n"
        );
    }
    batch + &neighbours("sb0", nodes.iter().map(|(_, ip)| *ip), ipv6)
}

/// What is done inside a node: addresses, and where all others are.
pub(super) fn node_batch(own: Ipv4Addr, nodes: &[(Name, Ipv4Addr)], ipv6: bool) -> String {
    let mut batch = String::from("link set lo up\nlink set eth0 addrgenmode none\n");
    let _ = writeln!(batch, "addr add {own}/24 dev eth0");
    if ipv6 {
        let _ = writeln!(batch, "addr add {}/64 dev eth0 nodad", ipv6_of(own));
    }
    batch += "link set eth0 up\n";
    let others = nodes.iter().map(|(_, ip)| *ip).filter(|ip| *ip != own);
    batch + &neighbours("eth0", others.chain([BRIDGE_IP]), ipv6)
}

fn neighbours(device: &str, ips: impl Iterator<Item = Ipv4Addr>, ipv6: bool) -> String {
    let mut batch = String::new();
    for ip in ips {
        let rest = format!("lladdr {} dev {device} nud permanent", hardware_address(ip));
        let _ = writeln!(batch, "neigh replace {ip} {rest}");
        if ipv6 {
            let _ = writeln!(batch, "neigh replace {} {rest}", ipv6_of(ip));
        }
    }
    batch
}

/// Every node's name is its IPv4 address, so that all programs agree what a name means;
/// `NAME-ipv6` is the other one.
pub(super) fn hosts_file(nodes: &[(Name, Ipv4Addr)], ipv6: bool) -> String {
    let mut text = String::from("127.0.0.1 localhost\n::1 localhost ip6-localhost\n");
    for (name, ip) in nodes {
        let _ = writeln!(text, "{ip} {name}");
        if ipv6 {
            let _ = writeln!(text, "{} {name}-ipv6", ipv6_of(*ip));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nodes() -> Vec<(Name, Ipv4Addr)> {
        (1..=3).map(|i| (Name::from(format!("n{i}")), Ipv4Addr::new(10, 77, 0, i))).collect()
    }

    #[test]
    fn an_ipv6_address_shows_the_same_digits() {
        assert_eq!(ipv6_of(Ipv4Addr::new(10, 77, 0, 3)).to_string(), "fd77::3");
        assert_eq!(ipv6_of(Ipv4Addr::new(10, 77, 0, 12)).to_string(), "fd77::12");
        assert_eq!(ipv6_of(BRIDGE_IP).to_string(), "fd77::254");
    }

    #[test]
    fn a_node_knows_where_all_others_are() {
        let batch = node_batch(Ipv4Addr::new(10, 77, 0, 2), &nodes(), true);
        assert!(batch.contains("addr add 10.77.0.2/24 dev eth0\n"), "{batch}");
        assert!(batch.contains("addr add fd77::2/64 dev eth0 nodad\n"), "{batch}");
        for other in ["10.77.0.1", "fd77::1", "10.77.0.3", "10.77.0.254", "fd77::254"] {
            assert!(batch.contains(&format!("neigh replace {other} lladdr 02:53:42")), "{batch}");
        }
        assert!(!batch.contains("neigh replace 10.77.0.2 "), "{batch}");
        assert!(!node_batch(Ipv4Addr::new(10, 77, 0, 2), &nodes(), false).contains("fd77"));
    }

    #[test]
    fn a_name_means_one_address() {
        let text = hosts_file(&nodes(), true);
        assert_eq!(text.lines().filter(|line| line.ends_with(" n2")).count(), 1);
        assert!(text.contains("10.77.0.2 n2\nfd77::2 n2-ipv6\n"), "{text}");
    }
}

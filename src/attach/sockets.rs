//! Sockets of this host and whose they are, as `ss -H -tuanp` prints them. Pure.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What `ss` is asked for: TCP and UDP, all states, numbers, processes.
pub const COMMAND: [&str; 3] = ["ss", "-H", "-tuanp"];

/// A line of `ss`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Socket {
    pub protocol: Protocol,
    /// `LISTEN`, `ESTAB`, `UNCONN`, ...
    pub state: String,
    pub local: End,
    pub peer: End,
    /// Name and id of every process that holds it; none without root's rights.
    pub processes: Vec<(String, u32)>,
}

/// Of what kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Protocol {
    Tcp,
    Udp,
}

impl Protocol {
    /// As the firewall names it.
    pub fn name(self) -> &'static str {
        match self {
            Protocol::Tcp => "tcp",
            Protocol::Udp => "udp",
        }
    }
}

/// An end of a socket. An IPv4 address in IPv6's clothes is the IPv4 address that is on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct End {
    /// `None`: any.
    pub ip: Option<IpAddr>,
    /// `None`: any.
    pub port: Option<u16>,
}

impl Socket {
    /// Whether somebody who connects to that address reaches this socket.
    pub fn listens_at(&self, ip: Ipv4Addr, port: u16) -> bool {
        let at_address = self.local.ip.is_none_or(|own| own == IpAddr::V4(ip));
        self.takes_connections() && at_address && self.local.port == Some(port)
    }

    /// Whether others open connections to it.
    pub fn takes_connections(&self) -> bool {
        match self.protocol {
            Protocol::Tcp => self.state == "LISTEN",
            Protocol::Udp => self.peer.port.is_none(),
        }
    }

    /// Whether any of these processes holds it.
    pub fn is_of(&self, processes: &[u32]) -> bool {
        self.processes.iter().any(|(_, id)| processes.contains(id))
    }
}

/// Every line; an error is one that cannot be read.
pub fn parse(said: &str) -> Result<Vec<Socket>, String> {
    said.lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| socket(line).ok_or_else(|| line.to_string()))
        .collect()
}

fn socket(line: &str) -> Option<Socket> {
    let mut words = line.split_whitespace();
    let protocol = match words.next()? {
        "tcp" => Protocol::Tcp,
        "udp" => Protocol::Udp,
        _ => return None,
    };
    let state = words.next()?.to_string();
    let (local, peer) = (words.nth(2)?, words.next()?);
    let rest: Vec<&str> = words.collect();
    Some(Socket {
        protocol,
        state,
        local: end(local)?,
        peer: end(peer)?,
        processes: processes(&rest.join(" ")),
    })
}

/// `127.0.0.1:7001`, `*:2181`, `[::ffff:127.0.0.1]:2181`, `0.0.0.0:*`, `127.0.0.53%lo:53`.
fn end(text: &str) -> Option<End> {
    let (address, port) = text.rsplit_once(':')?;
    let address = address.trim_start_matches('[').trim_end_matches(']');
    let address = address.split('%').next()?;
    let ip = match address {
        "*" => None,
        address => match address.parse().ok()? {
            IpAddr::V4(ip) => Some(IpAddr::V4(ip)),
            IpAddr::V6(ip) => Some(ip.to_ipv4_mapped().map_or(IpAddr::V6(ip), IpAddr::V4)),
        },
    };
    let any = [IpAddr::V4(Ipv4Addr::UNSPECIFIED), IpAddr::V6(Ipv6Addr::UNSPECIFIED)];
    let port = if port == "*" { None } else { Some(port.parse().ok()?) };
    Some(End { ip: ip.filter(|ip| !any.contains(ip)), port })
}

/// `users:(("etcd",pid=123,fd=7),("etcd",pid=124,fd=7))`
fn processes(text: &str) -> Vec<(String, u32)> {
    let one = |part: &str| {
        let (name, rest) = part.split_once('"')?;
        let digits = rest.split_once("pid=")?.1;
        let id = digits.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()?;
        Some((name.to_string(), id))
    };
    text.split("(\"").skip(1).filter_map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAID: &str = "\
tcp   LISTEN 0      511    127.0.0.1:7001  0.0.0.0:*    users:((\"redis-server\",pid=31,fd=6))
tcp   LISTEN 0      50             *:2181        *:*    users:((\"java\",pid=77,fd=52))
tcp   ESTAB  0      0      [::ffff:127.0.0.1]:2181 [::ffff:127.0.0.1]:40112 users:((\"java\",pid=77,fd=9))
udp   UNCONN 0      0      127.0.0.53%lo:53   0.0.0.0:*    users:((\"a b\",pid=1,fd=2),(\"c\",pid=2,fd=2))
tcp   TIME-WAIT 0   0      127.0.0.1:7001  127.0.0.1:50000
";

    #[test]
    fn lines_of_ss_are_read() {
        let sockets = parse(SAID).unwrap();
        assert_eq!(sockets.len(), 5);
        assert!(sockets[0].listens_at(Ipv4Addr::LOCALHOST, 7001));
        assert!(!sockets[0].listens_at(Ipv4Addr::new(127, 0, 0, 2), 7001));
        assert!(sockets[1].listens_at(Ipv4Addr::new(127, 0, 0, 2), 2181));
        assert!(sockets[1].is_of(&[5, 77]));
        let mapped = End { ip: Some(Ipv4Addr::LOCALHOST.into()), port: Some(40112) };
        assert_eq!(sockets[2].peer, mapped);
        assert!(!sockets[2].takes_connections());
        let holders = [("a b".to_string(), 1), ("c".to_string(), 2)];
        assert_eq!(sockets[3].processes, holders);
        assert!(sockets[3].takes_connections());
        assert!(
            sockets[4].processes.is_empty() && !sockets[4].listens_at(Ipv4Addr::LOCALHOST, 7001)
        );
    }

    #[test]
    fn a_line_that_cannot_be_read_is_named() {
        assert_eq!(parse("tcp LISTEN 0 1 here there\n").unwrap_err(), "tcp LISTEN 0 1 here there");
    }
}

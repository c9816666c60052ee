//! Values that say where a node is: addresses, ports, processes, ssh.

use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, ToSocketAddrs};
use std::path::PathBuf;

use super::super::document::{Entry, Node};
use super::super::fields::{Reader, Schema};
use super::super::site::SshHost;

const SSH: Schema = Schema {
    what: "`ssh`",
    fields: &[
        ("host", "db1.example.org"),
        ("user", "admin"),
        ("port", "22"),
        ("key", "~/.ssh/id_ed25519"),
        ("jump", "admin@bastion"),
        ("known-hosts", "known_hosts"),
        ("sudo", "true"),
    ],
};
const BOOLEANS: [(&str, bool); 2] = [("true", true), ("false", false)];
const MOST_PROCESSES: u64 = 4_194_304;

/// What counts for a node's host: its own section over that of the file; without a host, that of
/// its address.
pub(super) fn ssh(
    reader: &Reader,
    common: Option<&Entry>,
    own: Option<&Entry>,
    host: Option<String>,
) -> Option<SshHost> {
    let mut result = SshHost {
        host: host.unwrap_or_default(),
        user: None,
        port: None,
        key: None,
        jump: None,
        known_hosts: None,
        sudo: false,
    };
    let mut sudo = None;
    for entry in [common, own].into_iter().flatten() {
        let fields = reader.fields(&entry.value, &entry.key_bytes, &SSH)?;
        let text = |name: &str| match fields.get(name) {
            Some(entry) => reader.text(&entry.value, name, fields.example(name)).map(Some),
            None => Some(None),
        };
        let path = |name: &str| Some(text(name)?.map(|path| at_home(&path)));
        result.host = text("host")?.unwrap_or(result.host);
        result.user = text("user")?.or(result.user);
        result.jump = text("jump")?.or(result.jump);
        result.key = path("key")?.or(result.key);
        result.known_hosts = path("known-hosts")?.or(result.known_hosts);
        if let Some(entry) = fields.get("port") {
            result.port = Some(port_of(reader, &entry.value)?);
        }
        if let Some(entry) = fields.get("sudo") {
            sudo = Some(reader.word(&entry.value, "value of `sudo`", &BOOLEANS)?);
        }
    }
    result.sudo = sudo.unwrap_or(result.user.as_deref() != Some("root"));
    Some(result)
}

/// A path that may begin with `~/`.
fn at_home(path: &str) -> PathBuf {
    match (path.strip_prefix("~/"), std::env::var_os("HOME")) {
        (Some(rest), Some(home)) => PathBuf::from(home).join(rest),
        _ => PathBuf::from(path),
    }
}

/// `HOST:PORT` as it is written and as an address.
pub(super) fn address_of(reader: &Reader, node: &Node) -> Option<(String, SocketAddrV4)> {
    let example = "127.0.0.1:7001";
    let text = reader.text(node, "address", example)?;
    let refuse = |message: String| {
        reader.refuse(
            &node.bytes,
            message,
            format!("IPv4 address or host name, and port: `{example}`"),
        );
        None
    };
    let parts = text.rsplit_once(':').map(|(host, port)| (host, port.parse::<u16>()));
    let Some((host, Ok(port))) = parts else {
        return refuse(format!("`{text}` is no address with a port"));
    };
    let found = match (host, port).to_socket_addrs() {
        Ok(found) => found,
        Err(error) => return refuse(format!("`{host}` is unknown here: {error}")),
    };
    let v4 = found.into_iter().find_map(|address| match address {
        SocketAddr::V4(address) => Some(address),
        SocketAddr::V6(_) => None,
    });
    match v4 {
        Some(address) if !address.ip().is_unspecified() => Some((host.to_string(), address)),
        _ => refuse(format!("`{host}` has no IPv4 address to connect to")),
    }
}

pub(super) fn ip_of(reader: &Reader, node: &Node) -> Option<Ipv4Addr> {
    let text = reader.text(node, "ip", "172.18.0.2")?;
    let ip = text.parse().ok();
    if ip.is_none() {
        let message = format!("`{text}` is no IPv4 address");
        reader.refuse(&node.bytes, message, "`172.18.0.2`");
    }
    ip
}

pub(super) fn port_of(reader: &Reader, node: &Node) -> Option<u16> {
    let port = reader.count(node, "port", u16::MAX.into(), "6379")?;
    u16::try_from(port).ok()
}

/// A process that exists.
pub(super) fn process_of(reader: &Reader, node: &Node) -> Option<u32> {
    let process = reader.count(node, "process", MOST_PROCESSES, "4711")?;
    if !std::path::Path::new(&format!("/proc/{process}")).exists() {
        let message = format!("there is no process {process} on this host");
        reader.refuse(&node.bytes, message, "the id of a process that runs: `pgrep -a redis`");
        return None;
    }
    u32::try_from(process).ok()
}

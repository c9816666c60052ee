//! The login to a host, and what its failures mean.

use std::error::Error as _;
use std::io::ErrorKind;
use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::path::Path;
use std::time::Duration;

use openssh::{ControlPersist, Error, KnownHosts, Session, SessionBuilder};

use super::sockets;
use super::words::command_line;
use crate::plan::SshHost;
use crate::sandbox::system_program;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Three silent ones end the session.
const ALIVE_INTERVAL: Duration = Duration::from_secs(5);
/// What a killed splitbrain leaves of a session ends after so many seconds without use. A run uses
/// it every five.
const IDLE_SECONDS: NonZeroUsize = NonZeroUsize::new(20).unwrap();

/// Opens a session.
///
/// # Errors
/// What ssh said, and what to do about it.
pub(super) async fn log_in(host: &SshHost) -> Result<Session, String> {
    if !system_program("ssh").is_absolute() {
        return Err(
            "the program ssh is missing on this host: apt-get install openssh-client".to_string()
        );
    }
    let sockets = sockets::folder().map_err(|error| format!("no folder for sockets: {error}"))?;
    let session = builder(host, &sockets).connect(&host.host).await;
    session.map_err(|error| explain(host, &error))
}

fn builder(host: &SshHost, sockets: &Path) -> SessionBuilder {
    let mut builder = SessionBuilder::default();
    builder
        .known_hosts_check(KnownHosts::Strict)
        .connect_timeout(CONNECT_TIMEOUT)
        .server_alive_interval(ALIVE_INTERVAL)
        .control_persist(ControlPersist::IdleFor(IDLE_SECONDS))
        .control_directory(sockets);
    if let Some(user) = &host.user {
        builder.user(user.clone());
    }
    if let Some(port) = host.port {
        builder.port(port);
    }
    if let Some(key) = &host.key {
        builder.keyfile(key);
    }
    if let Some(jump) = &host.jump {
        builder.jump_hosts(jump.split(','));
    }
    if let Some(file) = &host.known_hosts {
        builder.user_known_hosts_file(file);
    }
    builder
}

/// From which address a host sees us and the port there; `said` ends with its `SSH_CONNECTION`,
/// `CLIENT PORT SERVER PORT`.
pub(super) fn seen_from(said: &str) -> Option<(IpAddr, u16)> {
    let words: Vec<&str> = said.lines().last()?.split_whitespace().collect();
    let [client, _, _, port] = *words else { return None };
    Some((client.parse().ok()?, port.parse().ok()?))
}

/// What ssh said of a login, in one line, with what to do about it.
fn explain(host: &SshHost, error: &Error) -> String {
    let said = cause(error);
    let by_hand = command_line(host, &["true"]).join(" ");
    let about_key = |beginning: &str| {
        said.split("; ").find(|line| line.starts_with(beginning)).map(ToString::to_string)
    };
    if let Some(line) = about_key("Host key for ") {
        let remove = remove_key(host, &line);
        return format!(
            "{line} Either somebody is in between, or the host is a new one: then remove its old \
             key, `{remove}`, and connect once by hand to compare and accept the new one: \
             `{by_hand}`"
        );
    }
    if said.contains("Host key verification failed") {
        let line = about_key("No ").unwrap_or_else(|| said.clone());
        return format!(
            "{line} Connect once by hand to compare and accept it: `{by_hand}`; or name a file \
             that has it: `known-hosts: FILE`"
        );
    }
    if said.contains("Permission denied") {
        return format!(
            "{said} A password cannot be asked for: name a private key by `key: FILE`, or give \
             it to the agent (ssh-add); this has to work by itself: `{by_hand}`"
        );
    }
    if let Some(jump) = host.jump.as_ref().filter(|_| said.contains("by UNKNOWN port")) {
        // What ssh said to that host is lost.
        return format!(
            "the way through {jump} is closed; `key` and `known-hosts` do not count there, only \
             the ssh configuration; this has to work by itself: `{by_hand}`"
        );
    }
    format!("{said}; this has to work by itself: `{by_hand}`")
}

/// The command that removes the key that ssh complains of in a line `Host key for HOST has ...`.
fn remove_key(host: &SshHost, line: &str) -> String {
    let name = line.trim_start_matches("Host key for ").split(' ').next().unwrap_or(&host.host);
    match &host.known_hosts {
        Some(file) => format!("ssh-keygen -R '{name}' -f {}", file.display()),
        None => format!("ssh-keygen -R '{name}'"),
    }
}

/// What ssh said, in one line.
pub(super) fn cause(error: &Error) -> String {
    let said = match error {
        Error::Connect(cause) if cause.kind() == ErrorKind::NotFound => {
            // Without a log it did not come to the point of connecting.
            return "ssh refuses its options or its configuration".to_string();
        }
        Error::Disconnected => return "the connection has ended".to_string(),
        _ => error.source().map_or_else(|| error.to_string(), ToString::to_string),
    };
    let lines = said.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.collect::<Vec<&str>>().join("; ")
}

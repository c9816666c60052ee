//! From a container's name to its process and its address, by the engine's API over its unix
//! socket. Docker and podman speak the same.

use std::collections::BTreeMap;
use std::env;
use std::error::Error;
use std::io::ErrorKind;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::signal::kill;
use nix::unistd::Pid;
use reqwest::{Client, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::net::UnixStream;

const DOCKER_SOCKET: &str = "/var/run/docker.sock";
const PODMAN_SOCKET: &str = "/run/podman/podman.sock";
/// How long an engine may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// A container that runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Container {
    /// Its first process, as this host sees it.
    pub process: u32,
    /// Its address in the first network, by name, in which it has one.
    pub ip: Option<Ipv4Addr>,
}

/// Where the engine's socket is: `DOCKER_HOST` if that is a unix socket, else the first that
/// exists of docker's, the user's podman's and the system's podman's.
pub fn default_socket() -> PathBuf {
    let of_environment = env::var("DOCKER_HOST").ok();
    if let Some(path) = of_environment.as_deref().and_then(|host| host.strip_prefix("unix://")) {
        return PathBuf::from(path);
    }
    let runtime = env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    let of_user = runtime.map(|folder| folder.join("podman/podman.sock"));
    [Some(PathBuf::from(DOCKER_SOCKET)), of_user, Some(PathBuf::from(PODMAN_SOCKET))]
        .into_iter()
        .flatten()
        .find(|socket| socket.exists())
        .unwrap_or_else(|| PathBuf::from(DOCKER_SOCKET))
}

/// Looks up a container by its name or id.
///
/// # Errors
/// Why there is none that could be used, and what to do about it.
pub async fn find(socket: &Path, name: &str) -> Result<Container, String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
    if !name.starts_with(|c: char| c.is_ascii_alphanumeric()) || !name.chars().all(fits) {
        return Err(format!(
            "`{name}` cannot be the name of a container: expected letters, digits, `_`, `.` and `-`"
        ));
    }
    let engine = Engine::open(socket).await?;
    let (status, answer) = engine.get(&format!("containers/{name}/json")).await?;
    match status {
        StatusCode::OK => engine.read::<Inspected>(&answer)?.into_container(name),
        StatusCode::NOT_FOUND => {
            Err(format!("there is no container `{name}`; {}", engine.running().await))
        }
        _ => Err(engine.complaint(status, &answer)),
    }
}

/// An engine that answers.
struct Engine<'a> {
    socket: &'a Path,
    client: Client,
}

impl Engine<'_> {
    async fn open(socket: &Path) -> Result<Engine<'_>, String> {
        // The client hides what the system said.
        UnixStream::connect(socket).await.map_err(|error| {
            let socket = socket.display();
            match error.kind() {
                ErrorKind::NotFound => format!(
                    "there is no container engine's socket {socket}: start docker or podman, or \
                     say where it is by `docker: {{ socket: PATH }}` or DOCKER_HOST=unix://PATH"
                ),
                ErrorKind::PermissionDenied => format!(
                    "the container engine's socket {socket} is not open to you: add yourself to \
                     the group docker, or run with sudo"
                ),
                ErrorKind::ConnectionRefused => {
                    format!("nobody listens at {socket}: start docker or podman")
                }
                _ => format!("the container engine's socket {socket}: {error}"),
            }
        })?;
        let client = Client::builder().unix_socket(socket).no_proxy().timeout(PATIENCE).build();
        let client = client.map_err(|error| format!("no http client: {error}"))?;
        Ok(Engine { socket, client })
    }

    async fn get(&self, path: &str) -> Result<(StatusCode, Vec<u8>), String> {
        let failed = |error: reqwest::Error| {
            let why = if error.is_timeout() {
                format!("no answer within {} s", PATIENCE.as_secs())
            } else {
                cause(&error)
            };
            format!("the container engine at {}: {why}", self.socket.display())
        };
        let answer = self.client.get(format!("http://localhost/{path}")).send().await;
        let answer = answer.map_err(failed)?;
        let status = answer.status();
        Ok((status, answer.bytes().await.map_err(failed)?.to_vec()))
    }

    fn read<T: DeserializeOwned>(&self, answer: &[u8]) -> Result<T, String> {
        serde_json::from_slice(answer).map_err(|error| {
            format!("what {} answers is not a container engine's: {error}", self.socket.display())
        })
    }

    fn complaint(&self, status: StatusCode, answer: &[u8]) -> String {
        let text = String::from_utf8_lossy(answer);
        format!("the container engine at {}: {status} {}", self.socket.display(), text.trim())
    }

    /// Half a sentence about the containers that run.
    async fn running(&self) -> String {
        let listed = match self.get("containers/json").await {
            Ok((StatusCode::OK, answer)) => self.read::<Vec<Listed>>(&answer),
            Ok((status, answer)) => Err(self.complaint(status, &answer)),
            Err(why) => Err(why),
        };
        let names = match &listed {
            Ok(listed) => listed.iter().filter_map(|container| container.names.first()),
            Err(why) => return format!("which ones there are cannot be said: {why}"),
        };
        let mut names: Vec<&str> = names.map(|name| name.trim_start_matches('/')).collect();
        names.sort_unstable();
        match &*names {
            [] => "none runs".to_string(),
            names => format!("these run: {}", names.join(", ")),
        }
    }
}

/// The innermost reason: the outer ones say only that a request failed.
fn cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

/// What of `GET /containers/{name}/json` is used.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Inspected {
    state: State,
    #[serde(default)]
    host_config: HostConfig,
    #[serde(default)]
    network_settings: NetworkSettings,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct State {
    running: bool,
    pid: u32,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct HostConfig {
    network_mode: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct NetworkSettings {
    networks: Option<BTreeMap<String, Attachment>>,
    #[serde(rename = "IPAddress")]
    ip_address: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Attachment {
    #[serde(rename = "IPAddress")]
    ip_address: String,
}

/// What of `GET /containers/json` is used.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Listed {
    names: Vec<String>,
}

impl Inspected {
    fn into_container(self, name: &str) -> Result<Container, String> {
        let process = self.state.pid;
        if !self.state.running || process == 0 {
            return Err(format!("container `{name}` is not running: start it"));
        }
        if self.host_config.network_mode == "host" {
            // To cut it off would be to cut this host off.
            return Err(format!(
                "container `{name}` has no network of its own but the host's (`--network host`): \
                 use `access: local` and `process: {process}`"
            ));
        }
        if i32::try_from(process).is_ok_and(|id| kill(Pid::from_raw(id), None) == Err(Errno::ESRCH))
        {
            return Err(format!(
                "container `{name}` has the process {process}, which is not of this host: its \
                 engine is on another one or in a virtual machine; run splitbrain there"
            ));
        }
        let NetworkSettings { networks, ip_address } = self.network_settings;
        let of_networks = networks.into_iter().flat_map(BTreeMap::into_values);
        let mut written = of_networks.map(|network| network.ip_address).chain([ip_address]);
        Ok(Container { process, ip: written.find_map(|ip| ip.parse().ok()) })
    }
}

#[cfg(test)]
mod tests;

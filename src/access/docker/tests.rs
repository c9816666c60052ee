//! The look-up of containers, against a fake engine: no machine can be assumed to have one.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use nix::unistd::geteuid;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixListener;

use super::*;

/// A fake of docker's engine: it knows the containers that it is given, by `GET
/// /containers/{name}/json`, and lists them all as running, by `GET /containers/json`.
struct FakeEngine {
    folder: TempDir,
}

impl FakeEngine {
    fn start(containers: Value) -> FakeEngine {
        let folder = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(folder.path().join("engine.sock")).unwrap();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(stream, containers.clone()));
            }
        });
        FakeEngine { folder }
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("engine.sock")
    }
}

/// Answers one request; a caller that only looks whether somebody listens asks nothing.
async fn answer(mut stream: UnixStream, containers: Value) {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        let Ok(byte) = stream.read_u8().await else { return };
        request.push(byte);
    }
    let request = String::from_utf8(request).unwrap();
    let path = request.strip_prefix("GET /containers/").unwrap().split(' ').next().unwrap();
    let (status, body) = match path.strip_suffix("/json") {
        None => {
            let known = containers.as_object().unwrap().keys();
            let list = known.map(|name| json!({"Names": [format!("/{name}")]}));
            ("200 OK", list.collect())
        }
        Some(name) => match containers.get(name) {
            Some(container) => ("200 OK", container.clone()),
            None => ("404 Not Found", json!({"message": format!("No such container: {name}")})),
        },
    };
    let body = body.to_string();
    let head = format!("HTTP/1.1 {status}\r\nContent-Type: application/json\r\n");
    let text = format!("{head}Connection: close\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    stream.write_all(text.as_bytes()).await.unwrap();
}

/// Running, with this test's process: a container's has to exist.
fn state() -> Value {
    json!({"Status": "running", "Running": true, "Pid": std::process::id()})
}

#[tokio::test]
async fn a_container_is_found_with_its_process_and_address() {
    let engine = FakeEngine::start(json!({
        "compose": {"State": state(), "HostConfig": {"NetworkMode": "store"}, "NetworkSettings": {
            "IPAddress": "",
            "Networks": {"none": {"IPAddress": ""}, "store": {"IPAddress": "172.18.0.3"}}
        }},
        "old": {"State": state(), "NetworkSettings": {
            "IPAddress": "172.17.0.2", "Networks": null
        }},
        "rootless": {"State": state(), "NetworkSettings": {"IPAddress": "", "Networks": {}}},
    }));
    let process = std::process::id();
    for (name, ip) in [
        ("compose", Some(Ipv4Addr::new(172, 18, 0, 3))),
        ("old", Some(Ipv4Addr::new(172, 17, 0, 2))),
        ("rootless", None),
    ] {
        assert_eq!(find(&engine.socket(), name).await, Ok(Container { process, ip }), "{name}");
    }
}

#[tokio::test]
async fn a_container_that_cannot_be_used_is_refused_with_the_reason() {
    let engine = FakeEngine::start(json!({
        "store-2": {"State": {"Running": false, "Pid": 0}},
        "store-1": {"State": state(), "HostConfig": {"NetworkMode": "host"}},
        "elsewhere": {"State": {"Running": true, "Pid": i32::MAX}},
        "odd": {"Sate": {}},
    }));
    for (name, expected) in [
        ("store-3", "no container `store-3`; these run: elsewhere, odd, store-1, store-2"),
        ("store-2", "not running"),
        ("store-1", "access: local"),
        ("elsewhere", "not of this host"),
        ("odd", "missing field `State`"),
        ("../info", "cannot be the name"),
        ("..", "cannot be the name"),
        ("", "cannot be the name"),
    ] {
        let error = find(&engine.socket(), name).await.unwrap_err();
        assert!(error.contains(expected), "{name}: {error}");
    }
}

#[tokio::test]
async fn without_containers_it_says_that_none_runs() {
    let engine = FakeEngine::start(json!({}));
    let error = find(&engine.socket(), "store-1").await.unwrap_err();
    assert_eq!(error, "there is no container `store-1`; none runs");
}

#[tokio::test]
async fn an_engine_that_cannot_be_asked_is_told_apart() {
    let engine = FakeEngine::start(json!({}));
    let socket = engine.folder.path().join("another.sock");
    let error = find(&socket, "store-1").await.unwrap_err();
    assert!(error.contains("there is no container engine's socket"), "{error}");
    // Left behind by an engine that has ended.
    drop(std::os::unix::net::UnixListener::bind(&socket).unwrap());
    let error = find(&socket, "store-1").await.unwrap_err();
    assert!(error.contains("nobody listens"), "{error}");
    // Root may use any socket.
    if !geteuid().is_root() {
        fs::set_permissions(engine.socket(), fs::Permissions::from_mode(0o000)).unwrap();
        let error = find(&engine.socket(), "store-1").await.unwrap_err();
        assert!(error.contains("group docker"), "{error}");
    }
}

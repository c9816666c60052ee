//! Starts a recipe's real servers on loopback: every node has an address of its own in 127/8,
//! its data in a temporary folder, and ends with the test.

// Every test file is a program of its own and uses only a part of this.
#![allow(dead_code)]

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value as Json;
use splitbrain_checkers::history::{Function, Value};
use splitbrain_targets::driver::{Client, Cluster, Driver, Node, Reply, Request};

/// A cluster that runs.
pub struct Running {
    pub cluster: Cluster,
    pub driver: Arc<dyn Driver>,
    servers: Vec<Child>,
    folder: tempfile::TempDir,
}

/// Starts `target` with its first settings, changed by `changes`, and waits until it is ready.
pub async fn start(target: &str, changes: &[(&str, &str)]) -> Running {
    let recipe = splitbrain_targets::target(target).expect("a built-in target").recipe;
    let recipe: Json = serde_yaml::from_str(recipe).expect("a recipe that is YAML");
    refuse_missing_programs(&recipe);
    let mut settings = first_settings(&recipe);
    for (name, value) in changes {
        assert!(settings.insert(name.to_string(), value.to_string()).is_some(), "{name}");
    }
    let name = recipe["driver"].as_str().expect("the driver's name");
    let driver = splitbrain_targets::make_driver(name, &recipe[name], &settings).expect("a driver");
    let count = recipe["nodes"].as_u64().expect("a number of nodes") as usize;
    let cluster = Cluster::new(nodes(count), settings);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut running = Running { cluster, driver, servers: Vec::new(), folder };
    for index in 0..count {
        running.start_node(&recipe, index);
    }
    if let Some(prepare) = recipe["prepare"].as_str() {
        let values = running.values(&recipe, None);
        assert!(shell(&fill(prepare, &values)).0, "prepare failed");
    }
    running.wait_until_ready(&recipe).await;
    running
}

/// Loopback addresses that no other test process and no other cluster of this one uses.
fn nodes(count: usize) -> Vec<Node> {
    static CLUSTERS: AtomicU8 = AtomicU8::new(0);
    let first = CLUSTERS.fetch_add(1, Ordering::Relaxed) * 10;
    let [_, _, high, low] = std::process::id().to_be_bytes();
    (1..=count)
        .map(|index| {
            let ip = Ipv4Addr::new(127, 1 + high % 250, low, first + index as u8);
            Node { name: format!("n{index}").into(), index, ip, port: None }
        })
        .collect()
}

fn refuse_missing_programs(recipe: &Json) {
    for need in recipe["needs"].as_array().into_iter().flatten() {
        let (program, install) = (need["program"].as_str(), need["install"].as_str());
        let (program, install) = (program.unwrap(), install.unwrap());
        let there = shell(&format!("command -v {program}")).0;
        assert!(there, "`{program}` is missing on this machine: {install}");
    }
}

fn first_settings(recipe: &Json) -> BTreeMap<String, String> {
    let settings = recipe["settings"].as_object().into_iter().flatten();
    settings.map(|(name, values)| (name.clone(), values[0].as_str().unwrap().into())).collect()
}

/// Runs a command; whether it succeeded, and what it printed.
fn shell(command: &str) -> (bool, String) {
    let output = Command::new("timeout")
        .args(["20", "sh", "-c", command])
        .stderr(Stdio::null())
        .output()
        .unwrap();
    (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
}

fn fill(template: &str, values: &BTreeMap<String, String>) -> String {
    let mut text = template.to_string();
    for (name, value) in values {
        text = text.replace(&format!("{{{name}}}"), value);
    }
    text
}

impl Running {
    /// Placeholders of a node; without one, those of the cluster.
    fn values(&self, recipe: &Json, index: Option<usize>) -> BTreeMap<String, String> {
        let of_node = |node: &Node| {
            let data = self.folder.path().join(&*node.name);
            BTreeMap::from([
                ("node".to_string(), node.name.to_string()),
                ("index".to_string(), node.index.to_string()),
                ("ip".to_string(), node.ip.to_string()),
                ("data".to_string(), data.display().to_string()),
            ])
        };
        let mut values = self.cluster.settings.clone();
        for (name, list) in recipe["lists"].as_object().into_iter().flatten() {
            let each = list["each"].as_str().unwrap();
            let pieces = self.cluster.nodes.iter().map(|node| fill(each, &of_node(node)));
            let pieces: Vec<_> = pieces.collect();
            values.insert(name.clone(), pieces.join(list["join"].as_str().unwrap()));
        }
        if let Some(index) = index {
            values.extend(of_node(&self.cluster.nodes[index]));
        }
        values
    }

    fn start_node(&mut self, recipe: &Json, index: usize) {
        let values = self.values(recipe, Some(index));
        let data = Path::new(&values["data"]).to_path_buf();
        std::fs::create_dir_all(&data).unwrap();
        for (name, content) in recipe["files"].as_object().into_iter().flatten() {
            let path = data.join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, fill(content.as_str().unwrap(), &values)).unwrap();
        }
        let log = std::fs::File::create(data.join("log")).unwrap();
        // The server dies with the thread that runs the test, however that ends.
        let server = Command::new("setpriv")
            .args([
                "--pdeathsig",
                "KILL",
                "sh",
                "-c",
                &fill(recipe["start"].as_str().unwrap(), &values),
            ])
            .current_dir(&data)
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .expect("setpriv of util-linux");
        self.servers.push(server);
    }

    async fn wait_until_ready(&self, recipe: &Json) {
        let ready = &recipe["ready"];
        let contains = ready["contains"].as_str().unwrap_or_default();
        for index in 0..self.servers.len() {
            let values = self.values(recipe, Some(index));
            let begin = Instant::now();
            loop {
                let answer = match (ready["http"].as_str(), ready["command"].as_str()) {
                    (Some(url), _) => get(&fill(url, &values)).await,
                    (_, Some(command)) => {
                        Some(shell(&fill(command, &values))).filter(|a| a.0).map(|a| a.1)
                    }
                    _ => panic!("no ready check"),
                };
                if answer.as_ref().is_some_and(|answer| answer.contains(contains)) {
                    break;
                }
                if begin.elapsed() > Duration::from_secs(30) {
                    let log = std::fs::read_to_string(Path::new(&values["data"]).join("log"));
                    panic!("n{} is not ready: {answer:?}\n{}", index + 1, log.unwrap_or_default());
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }

    /// A client beside the node, counted from 0.
    pub async fn client(&self, index: usize) -> Box<dyn Client> {
        self.driver.connect(&self.cluster, &self.cluster.nodes[index]).await.unwrap()
    }

    /// Ends a node's server and waits for its end.
    pub fn stop(&mut self, index: usize) {
        let server = &mut self.servers[index];
        server.kill().expect("the server runs");
        server.wait().expect("it is our child");
    }

    /// The position of the node that leads, as soon as one does.
    pub async fn primary(&self) -> usize {
        for _ in 0..100 {
            if let Ok(Some(name)) = self.driver.primary(&self.cluster).await {
                return self.cluster.nodes.iter().position(|node| node.name == name).unwrap();
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("nobody leads: {:?}", self.driver.primary(&self.cluster).await);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        for server in &mut self.servers {
            let _ = server.kill();
            let _ = server.wait();
        }
    }
}

async fn get(url: &str) -> Option<String> {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let response = client.get(url).timeout(Duration::from_secs(2)).send().await.ok()?;
    if response.status() == 200 { response.text().await.ok() } else { None }
}

pub fn read(key: &str) -> Request {
    Request { f: Function::Read, key: key.into(), value: Value::Nil }
}

pub fn replica_read(key: &str) -> Request {
    Request { f: Function::ReplicaRead, key: key.into(), value: Value::Nil }
}

pub fn write(key: &str, value: i64) -> Request {
    Request { f: Function::Write, key: key.into(), value: Value::Int(value) }
}

pub fn cas(key: &str, expected: i64, new: i64) -> Request {
    let value = Value::pair(Value::Int(expected), Value::Int(new));
    Request { f: Function::Cas, key: key.into(), value }
}

/// What the runner does: an operation that is not answered in time is dropped.
pub async fn within(limit: Duration, client: &mut dyn Client, request: &Request) -> Option<Reply> {
    tokio::time::timeout(limit, client.request(request)).await.ok()
}

/// Write, read, compare-and-set, and what is not there: the same for every register.
pub async fn check_register(running: &Running) {
    let mut one = running.client(0).await;
    let mut two = running.client(1).await;
    let three = &mut running.client(2).await;
    assert_eq!(one.request(&read("missing")).await, Reply::Ok(Value::Nil));
    assert_eq!(one.request(&cas("missing", 1, 2)).await, Reply::Mismatch);
    assert_eq!(one.request(&read("missing")).await, Reply::Ok(Value::Nil));
    for key in ["x", "y", "z", "k-10"] {
        assert_eq!(one.request(&write(key, 1)).await, Reply::Ok(Value::Nil), "{key}");
        assert_eq!(one.request(&read(key)).await, Reply::Ok(Value::Int(1)), "{key}");
        assert_eq!(two.request(&write(key, -2)).await, Reply::Ok(Value::Nil), "{key}");
        assert_eq!(three.request(&cas(key, -2, 3)).await, Reply::Ok(Value::Nil), "{key}");
        assert_eq!(one.request(&cas(key, -2, 4)).await, Reply::Mismatch, "{key}");
        assert_eq!(two.request(&write(key, 5)).await, Reply::Ok(Value::Nil), "{key}");
        assert_eq!(two.request(&read(key)).await, Reply::Ok(Value::Int(5)), "{key}");
    }
    for nil in [Value::Nil, Value::pair(Value::Nil, Value::Int(1))] {
        let f = if nil == Value::Nil { Function::Write } else { Function::Cas };
        let reply = one.request(&Request { f, key: "x".into(), value: nil }).await;
        assert!(matches!(reply, Reply::Fail(_)), "{reply:?}");
    }
}

/// Of several clients that replace the same value at once exactly one wins, twenty times over.
pub async fn check_concurrent_cas(running: &Running) {
    let count = running.cluster.nodes.len();
    let mut writer = running.client(0).await;
    for round in 0..20 {
        let key = format!("race-{round}");
        assert_eq!(writer.request(&write(&key, 0)).await, Reply::Ok(Value::Nil));
        let mut tasks = tokio::task::JoinSet::new();
        for contender in 0..6 {
            let mut client = running.client(contender % count).await;
            let request = cas(&key, 0, contender as i64 + 1);
            tasks.spawn(async move { (contender as i64 + 1, client.request(&request).await) });
        }
        let replies = tasks.join_all().await;
        let (winners, losers): (Vec<_>, Vec<_>) =
            replies.into_iter().partition(|(_, reply)| *reply == Reply::Ok(Value::Nil));
        assert_eq!(winners.len(), 1, "{key}: winners {winners:?}, losers {losers:?}");
        assert!(losers.iter().all(|(_, reply)| *reply == Reply::Mismatch), "{key}: {losers:?}");
        assert_eq!(writer.request(&read(&key)).await, Reply::Ok(Value::Int(winners[0].0)));
    }
}

/// Asks every node for its own copy until `done`, for at most ten seconds.
pub async fn settle(running: &Running, key: &str, done: impl Fn(&[Reply]) -> bool) -> Vec<Reply> {
    let begin = Instant::now();
    loop {
        let mut replies = Vec::new();
        for index in 0..running.cluster.nodes.len() {
            replies.push(running.client(index).await.request(&replica_read(key)).await);
        }
        if done(&replies) || begin.elapsed() > Duration::from_secs(10) {
            return replies;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

//! Every world comes up, does what it is for, and leaves nothing.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;
use std::{env, fs, thread};

use crate::hosts::Hosts;
use crate::namespace::{Namespace, Network, processes_in};
use crate::servers::{
    Cluster, etcd_in_namespaces, etcd_on_loopback, redis_on_loopback, zookeeper_on_hosts,
};
use crate::support::{ask, holds_within, need, post, splitbrain_in, succeed};

/// What could be left of a namespace.
struct Traces {
    identity: u64,
    folder: PathBuf,
}

impl Traces {
    fn of(namespace: &Namespace) -> Traces {
        assert!(namespace.folder().is_dir());
        Traces { identity: namespace.identity(), folder: namespace.folder().to_path_buf() }
    }

    fn of_all(network: &Network) -> Vec<Traces> {
        let nodes = network.nodes().iter().map(Traces::of);
        nodes.chain([Traces::of(network.controller())]).collect()
    }

    fn are_gone(&self) -> bool {
        processes_in(self.identity).is_empty() && !self.folder.exists()
    }
}

fn assert_gone(traces: &[Traces]) {
    assert!(traces.iter().all(Traces::are_gone), "something is left of a world");
    let devices = fs::read_dir("/sys/class/net").unwrap().flatten();
    let names: Vec<_> = devices.map(|device| device.file_name()).collect();
    let ours = |name: &str| name == "nodes" || name.starts_with("node-");
    assert!(!names.iter().any(|name| ours(&name.to_string_lossy())), "{names:?}");
}

/// The pid of each server is that of the server, not of what started it.
fn assert_servers_are(program: &str, cluster: &Cluster) {
    assert_eq!(cluster.servers.len(), cluster.addresses.len());
    for server in &cluster.servers {
        let name = fs::read_to_string(format!("/proc/{}/comm", server.process())).unwrap();
        assert_eq!(name.trim_end(), program, "{}", server.log());
    }
}

/// Writes `x` through the first member and reads it through the second.
fn check_etcd(cluster: &Cluster, one: &Namespace, two: &Namespace) {
    assert_servers_are("etcd", cluster);
    let key = r#""key":"eA==""#;
    let write = format!(r#"{{{key},"value":"MQ=="}}"#);
    let written = post(one, &cluster.addresses[0], "/v3/kv/put", &write).unwrap();
    assert!(written.contains("200 OK"), "{written}");
    let read = post(two, &cluster.addresses[1], "/v3/kv/range", &format!("{{{key}}}")).unwrap();
    assert!(read.contains(r#""value":"MQ==""#), "{read}");
}

#[test]
fn etcd_comes_up_on_loopback() {
    let namespace = Namespace::new();
    let traces = [Traces::of(&namespace)];
    let cluster = etcd_on_loopback(&namespace);
    check_etcd(&cluster, &namespace, &namespace);
    drop(cluster);
    assert_eq!(namespace.processes(), [0_u32; 0]);
    drop(namespace);
    assert_gone(&traces);
}

#[test]
fn etcd_comes_up_in_namespaces() {
    let network = Network::of(3);
    let traces = Traces::of_all(&network);
    let cluster = etcd_in_namespaces(&network);
    check_etcd(&cluster, network.node(0), network.controller());
    drop((cluster, network));
    assert_gone(&traces);
}

#[test]
fn redis_comes_up_on_loopback() {
    let namespace = Namespace::new();
    let traces = [Traces::of(&namespace)];
    let cluster = redis_on_loopback(&namespace);
    assert_servers_are("redis-server", &cluster);
    // A client of a cluster, `-c`, follows to whoever owns the key.
    let client = |port: &str, command: &[&str]| {
        let mut client = namespace.command("timeout");
        succeed(client.args(["10", "redis-cli", "-c", "-p", port]).args(command))
    };
    assert_eq!(client("7001", &["SET", "x", "1"]), "OK\n");
    assert_eq!(client("7002", &["GET", "x"]), "1\n");
    drop((cluster, namespace));
    assert_gone(&traces);
}

#[test]
fn zookeeper_comes_up_on_hosts() {
    let hosts = Hosts::new(3);
    let traces = Traces::of_all(hosts.network());
    let cluster = zookeeper_on_hosts(&hosts);
    assert_servers_are("java", &cluster);
    let controller = hosts.network().controller();
    let says = |address: &String| ask(controller, address, "srvr").unwrap();
    let answers: Vec<_> = cluster.addresses.iter().map(says).collect();
    let leaders = answers.iter().filter(|said| said.contains("Mode: leader"));
    assert_eq!(leaders.count(), 1, "{answers:?}");
    let [one, two, _] = &*cluster.addresses else { panic!("three servers") };
    succeed(&mut zookeeper_client(&hosts, one, &["create", "/x", "1"]));
    // The second server may lag behind.
    let is_read = || {
        let answer = zookeeper_client(&hosts, two, &["get", "/x"]).output().unwrap();
        String::from_utf8_lossy(&answer.stdout).lines().any(|line| line == "1")
    };
    assert!(holds_within(Duration::from_secs(10), is_read), "{answers:?}");
    drop((cluster, hosts));
    assert_gone(&traces);
}

/// A command to ZooKeeper's own client.
fn zookeeper_client(hosts: &Hosts, address: &str, command: &[&str]) -> Command {
    let jars = ["zookeeper", "commons-cli", "slf4j-nop"];
    let jars = jars.map(|jar| format!("/usr/share/java/{jar}.jar")).join(":");
    let mut client = hosts.network().controller().command("timeout");
    client
        .args(["20", "java", "-XX:-UsePerfData", "-cp", &jars])
        .args(["org.apache.zookeeper.ZooKeeperMain", "-waitforconnection"])
        .args(["-server", address])
        .args(command);
    client
}

#[test]
fn hosts_are_reached_by_ssh() {
    let hosts = Hosts::new(3);
    let traces = Traces::of_all(hosts.network());
    for index in 0..3 {
        let addresses = succeed(hosts.ssh(index).args(["ip", "-brief", "address"]));
        assert!(addresses.contains(&hosts.ip(index)), "{addresses}");
    }
    check_lost_connection(&hosts);
    drop(hosts);
    assert_gone(&traces);
}

/// A connection ends with the ssh server; what was started through it does not.
fn check_lost_connection(hosts: &Hosts) {
    let mut connection = hosts
        .ssh(0)
        .arg("setsid sleep 60 & echo up; wait")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut said = String::new();
    BufReader::new(connection.stdout.take().unwrap()).read_line(&mut said).unwrap();
    assert_eq!(said, "up\n");
    hosts.stop_sshd(0);
    let is_lost = || connection.try_wait().unwrap().is_some();
    assert!(holds_within(Duration::from_secs(5), is_lost));
    assert!(!hosts.network().node(0).processes().is_empty());
    assert_eq!(hosts.ssh(0).arg("true").output().unwrap().status.code(), Some(255));
    succeed(hosts.ssh(1).arg("true"));
    hosts.start_sshd(0);
    succeed(hosts.ssh(0).arg("true"));
}

#[test]
fn splitbrain_runs_in_a_namespace() {
    let namespace = Namespace::new();
    let version = succeed(splitbrain_in(&namespace).arg("--version"));
    assert!(version.starts_with("splitbrain "), "{version}");
}

#[test]
#[should_panic(expected = "`no-such-program` is missing on this machine: apt-get install some")]
fn a_missing_program_is_named_with_its_package() {
    need("no-such-program", "some");
}

/// This test runs itself once more, in a process that it kills.
#[test]
fn a_killed_test_leaves_nothing() {
    const ROLE: &str = "SPLITBRAIN_TEST_TO_BE_KILLED";
    if env::var_os(ROLE).is_some() {
        let hosts = Hosts::new(1);
        // Would outlive its parents, and ignores the signals that shells send.
        let stray = "trap '' HUP TERM INT; setsid sleep 60 > /dev/null 2>&1 &";
        succeed(hosts.ssh(0).arg(stray));
        for traces in Traces::of_all(hosts.network()) {
            // In a line of its own, whatever the harness has begun.
            println!("\ntraces {} {}", traces.identity, traces.folder.display());
        }
        println!("complete");
        thread::sleep(Duration::from_secs(60));
        return;
    }
    let name = "worlds::a_killed_test_leaves_nothing";
    let mut test = Command::new(env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .env(ROLE, "")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(test.stdout.take().unwrap()).lines().map(Result::unwrap);
    let lines: Vec<_> = lines.take_while(|line| line != "complete").collect();
    let traces = lines.iter().filter_map(|line| {
        let (identity, folder) = line.strip_prefix("traces ")?.split_once(' ')?;
        Some(Traces { identity: identity.parse().unwrap(), folder: folder.into() })
    });
    let traces: Vec<_> = traces.collect();
    assert_eq!(traces.len(), 2, "{lines:?}");
    assert!(traces.iter().all(|traces| !processes_in(traces.identity).is_empty()));
    test.kill().unwrap();
    test.wait().unwrap();
    holds_within(Duration::from_secs(10), || traces.iter().all(Traces::are_gone));
    assert_gone(&traces);
}

//! Clusters that run already get the verdicts that those of the sandbox get, and are afterwards
//! what they were before.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::thread;

use crate::groups::Groups;
use crate::hosts::Hosts;
use crate::namespace::{Namespace, Network};
use crate::scene::{Footprint, Run, Scene, WORKLOAD, foreign_rules};
use crate::servers::{
    Cluster, etcd_in_namespaces, etcd_on_loopback, redis_on_loopback, zookeeper_on_hosts,
};

/// `n1: ADDRESS` and so on, each made by `node` from its number and address.
fn nodes(cluster: &Cluster, node: impl Fn(usize, &str) -> String) -> String {
    let lines = cluster.addresses.iter().enumerate();
    lines.map(|(index, address)| format!("  n{}: {}\n", index + 1, node(index, address))).collect()
}

fn processes(cluster: &Cluster) -> Vec<u32> {
    cluster.servers.iter().map(|server| server.process()).collect()
}

/// Runs in the namespace with foreign rules there, and compares what was before and after.
fn run_on_loopback(namespace: &Namespace, cluster: &Cluster, target: &str, more: &[&str]) -> Run {
    foreign_rules(namespace);
    let before = Footprint::of(namespace, &processes(cluster));
    let scene = Scene::new(namespace, target, WORKLOAD);
    let run = scene.run_until_decided(more);
    assert_eq!(Footprint::of(namespace, &processes(cluster)), before, "{}", run.story());
    fs::read_dir(scene.results()).expect("results");
    // The story needs the folder, which goes with the scene.
    run.assert_cuts(2);
    let sentence = run.verdict["sentence"].as_str().unwrap();
    assert!(sentence.contains("clients that reach every node throughout"), "{sentence}");
    assert_ne!(run.finding("linearizable"), "missing", "{}", run.story());
    run
}

#[test]
fn etcd_on_loopback_is_cp() {
    let _groups = Groups::new();
    let namespace = Namespace::new();
    let cluster = etcd_on_loopback(&namespace);
    let target =
        format!("driver: etcd\naccess: local\nnodes:\n{}", nodes(&cluster, |_, a| a.to_string()));
    let run = run_on_loopback(&namespace, &cluster, &target, &["--expect", "CP"]);
    assert_eq!((run.kind(), run.exit), ("CP", 0), "{:#}", run.verdict);
}

/// Named by their processes, and on a host without any rule: not even an empty table is left.
#[test]
fn etcd_by_process_leaves_no_table_behind() {
    let _groups = Groups::new();
    let namespace = Namespace::new();
    let cluster = etcd_on_loopback(&namespace);
    let pids = processes(&cluster);
    let node =
        |index: usize, address: &str| format!("{{ address: {address}, process: {} }}", pids[index]);
    let target = format!("driver: etcd\naccess: local\nnodes:\n{}", nodes(&cluster, node));
    let before = Footprint::of(&namespace, &pids);
    let scene = Scene::new(&namespace, &target, WORKLOAD);
    let run = scene.run_until_decided(&["--set", "read=serializable"]);
    assert_eq!((run.kind(), run.exit), ("mixed", 1), "{}", run.story());
    run.assert_cuts(2);
    assert_eq!(Footprint::of(&namespace, &pids), before);
}

#[test]
fn redis_on_loopback_loses_acknowledged_writes() {
    let _groups = Groups::new();
    let namespace = Namespace::new();
    let cluster = redis_on_loopback(&namespace);
    let target =
        format!("driver: redis\naccess: local\nnodes:\n{}", nodes(&cluster, |_, a| a.to_string()));
    let run = run_on_loopback(&namespace, &cluster, &target, &[]);
    assert_eq!((run.kind(), run.exit), ("neither", 1), "{:#}", run.verdict);
}

#[test]
fn etcd_in_foreign_namespaces_is_cp_with_clients_beside_it() {
    let network = Network::of(3);
    let cluster = etcd_in_namespaces(&network);
    network.nodes().iter().for_each(foreign_rules);
    let pids = processes(&cluster);
    let node =
        |index: usize, address: &str| format!("{{ address: {address}, process: {} }}", pids[index]);
    let nodes = nodes(&cluster, node);
    let target = format!("driver: etcd\naccess: namespace\nclients: beside\nnodes:\n{nodes}");
    let footprints =
        || network.nodes().iter().map(|node| Footprint::of(node, &pids)).collect::<Vec<_>>();
    let before = footprints();
    let scene = Scene::new(network.controller(), &target, WORKLOAD);
    let run = scene.run_until_decided(&["--expect", "CP"]);
    assert_eq!((run.kind(), run.exit), ("CP", 0), "{}", run.story());
    run.assert_cuts(2);
    assert!(run.had_probers());
    assert_eq!(footprints(), before);
}

/// No engine can be assumed here: a fake answers the one call that is made, with processes of
/// real servers.
#[test]
fn etcd_in_containers_is_cp() {
    let network = Network::of(3);
    let cluster = etcd_in_namespaces(&network);
    let socket = network.controller().folder().join("engine.sock");
    let containers = processes(&cluster).into_iter().enumerate();
    let containers: Vec<(String, u32, String)> = containers
        .map(|(index, process)| (format!("etcd-{}", index + 1), process, network.ip(index)))
        .collect();
    fake_engine(&socket, containers);
    let socket = socket.display();
    let target = format!(
        "driver: etcd\naccess: docker\ndocker: {{ socket: {socket} }}\nnodes:\n{}",
        nodes(&cluster, |index, _| format!("etcd-{}:2379", index + 1))
    );
    let before = Footprint::of(network.node(0), &[]);
    let scene = Scene::new(network.controller(), &target, WORKLOAD);
    let run = scene.run_until_decided(&["--expect", "CP"]);
    assert_eq!((run.kind(), run.exit), ("CP", 0), "{}", run.story());
    run.assert_cuts(2);
    assert!(run.had_probers());
    assert_eq!(Footprint::of(network.node(0), &[]), before);
}

/// Answers `GET /containers/NAME/json` as an engine does, on a thread that ends with the test.
fn fake_engine(socket: &Path, containers: Vec<(String, u32, String)>) {
    let listener = UnixListener::bind(socket).unwrap();
    thread::spawn(move || {
        for connection in listener.incoming() {
            let mut connection = connection.unwrap();
            let lines = BufReader::new(&connection).lines().map_while(Result::ok);
            let head: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
            // A connection that is closed unused.
            let Some(request) = head.first() else { continue };
            let named = |(name, _, _): &&(String, u32, String)| {
                request.starts_with(&format!("GET /containers/{name}/json "))
            };
            let (_, process, ip) = containers.iter().find(named).expect("a container's name");
            let body = format!(
                "{{\"State\":{{\"Running\":true,\"Pid\":{process}}},\
                 \"NetworkSettings\":{{\"Networks\":{{\"net\":{{\"IPAddress\":\"{ip}\"}}}}}}}}"
            );
            let length = body.len();
            write!(
                connection,
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\
                 Connection: close\r\n\r\n{body}"
            )
            .unwrap();
        }
    });
}

#[test]
fn zookeeper_on_hosts_by_ssh_is_cp() {
    let hosts = Hosts::new(3);
    let cluster = zookeeper_on_hosts(&hosts);
    let network = hosts.network();
    network.nodes().iter().for_each(foreign_rules);
    let target = over_ssh(&hosts, "zookeeper", &nodes(&cluster, |_, address| address.to_string()));
    let footprints =
        || network.nodes().iter().map(|node| Footprint::of(node, &[])).collect::<Vec<_>>();
    let before = footprints();
    let scene = Scene::new(network.controller(), &target, WORKLOAD);
    let run = scene.run_until_decided(&["--set", "read=confirmed", "--expect", "CP"]);
    assert_eq!((run.kind(), run.exit), ("CP", 0), "{}", run.story());
    run.assert_cuts(2);
    assert_eq!(footprints(), before);
}

/// A target file of hosts.
pub fn over_ssh(hosts: &Hosts, driver: &str, nodes: &str) -> String {
    let (key, known) = (hosts.key(), hosts.known_hosts());
    format!(
        "driver: {driver}\naccess: ssh\nssh: {{ user: root, key: {}, known-hosts: {} }}\nnodes:\n{nodes}",
        key.display(),
        known.display()
    )
}

/// All hosts are cut at once, however many there are.
#[test]
fn five_hosts_are_cut_at_once() {
    const WORKLOAD: &str = "\
type: register
operations: { read: 5, write: 3 }
keys: 5
clients: 1
rate: 20/s
phases:
  - healthy: 1s
  - partition: { groups: [[n1, n2], [n3, n4, n5]] }
    for: 4s
  - healthy: 2s
check: [linearizable]
";
    let hosts = Hosts::new(5);
    let cluster = zookeeper_on_hosts(&hosts);
    let target = over_ssh(&hosts, "zookeeper", &nodes(&cluster, |_, address| address.to_string()));
    let scene = Scene::new(hosts.network().controller(), &target, WORKLOAD);
    let run = scene.run(&["--set", "read=confirmed"]);
    assert_eq!(run.finding("linearizable"), "valid", "{}", run.story());
    run.assert_cuts(1);
    let cut = run.partitions().remove(0);
    assert_eq!(cut["cut"].as_array().unwrap().len(), 12, "{cut:#}");
}

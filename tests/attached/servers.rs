//! Real servers in the namespaces of a test, and the clusters that they form.

use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use crate::hosts::Hosts;
use crate::namespace::{Namespace, Network};
use crate::support::{ask, holds_within, need, succeed};

/// How long a server may take until it answers as it should.
const PATIENCE: Duration = Duration::from_secs(60);

/// A cluster that runs and has a leader. It ends with this value or with its namespaces,
/// whichever is dropped first.
pub struct Cluster {
    pub servers: Vec<Server>,
    /// Where clients reach the servers, in the same order: `IP:PORT`.
    pub addresses: Vec<String>,
}

/// A server program in a process group of its own.
pub struct Server {
    name: String,
    child: Child,
    log: PathBuf,
}

impl Server {
    /// Starts what runs in `home`, which gets its log.
    pub fn start(name: &str, home: &Path, command: &mut Command) -> Server {
        let log = home.join("log");
        let file = File::create(&log).expect("the log of a server");
        let child = command
            .current_dir(home)
            .stdout(file.try_clone().expect("a second handle of the log"))
            .stderr(file)
            .process_group(0)
            .spawn()
            .expect("nsenter of util-linux");
        Server { name: name.to_string(), child, log }
    }

    /// The pid of the server itself.
    pub fn process(&self) -> u32 {
        self.child.id()
    }

    /// All that it wrote so far.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Waits until it answers as it should.
    pub fn wait_until(&mut self, mut ready: impl FnMut() -> bool) {
        let mut ended = None;
        let in_time = holds_within(PATIENCE, || {
            ended = self.child.try_wait().expect("it is our child");
            ended.is_some() || ready()
        });
        let name = &self.name;
        assert!(ended.is_none(), "{name} has ended: {}\n{}", ended.unwrap(), self.log());
        assert!(in_time, "{name} is not ready after {PATIENCE:?}\n{}", self.log());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = killpg(Pid::from_raw(self.child.id() as i32), Signal::SIGKILL);
        let _ = self.child.wait();
    }
}

/// A folder for a server, which vanishes with the namespace.
pub fn home(namespace: &Namespace, name: &str) -> PathBuf {
    let home = namespace.folder().join(name);
    fs::create_dir(&home).expect("a folder for a server");
    home
}

/// Three members of etcd that differ only in their ports.
pub fn etcd_on_loopback(namespace: &Namespace) -> Cluster {
    let place = |index| EtcdMember {
        namespace,
        client: format!("127.0.0.1:{}", 23_791 + index),
        peer: format!("127.0.0.1:{}", 23_801 + index),
    };
    etcd(&[0, 1, 2].map(place))
}

/// One member of etcd in each node's namespace.
pub fn etcd_in_namespaces(network: &Network) -> Cluster {
    let place = |(index, namespace)| EtcdMember {
        namespace,
        client: format!("{}:2379", network.ip(index)),
        peer: format!("{}:2380", network.ip(index)),
    };
    let members: Vec<_> = network.nodes().iter().enumerate().map(place).collect();
    etcd(&members)
}

/// Where a member of etcd runs, and its two addresses.
struct EtcdMember<'a> {
    namespace: &'a Namespace,
    client: String,
    peer: String,
}

fn etcd(members: &[EtcdMember]) -> Cluster {
    need("etcd", "etcd-server");
    let all: Vec<_> =
        members.iter().enumerate().map(|(i, m)| format!("n{}=http://{}", i + 1, m.peer)).collect();
    let all = all.join(",");
    let start = |(index, member): (usize, &EtcdMember)| {
        let name = format!("n{}", index + 1);
        let (client, peer) =
            (format!("http://{}", member.client), format!("http://{}", member.peer));
        let mut command = member.namespace.command("etcd");
        command
            .args(["--name", &name, "--data-dir", "data"])
            .args(["--listen-client-urls", &client, "--advertise-client-urls", &client])
            .args(["--listen-peer-urls", &peer, "--initial-advertise-peer-urls", &peer])
            .args(["--initial-cluster", &all, "--initial-cluster-state", "new"])
            .args(["--heartbeat-interval", "100", "--election-timeout", "1000"])
            .args(["--pre-vote=true", "--log-outputs", "stderr", "--logger", "zap"]);
        Server::start(&name, &home(member.namespace, &name), &mut command)
    };
    let mut servers: Vec<_> = members.iter().enumerate().map(start).collect();
    for (server, member) in servers.iter_mut().zip(members) {
        server.wait_until(|| {
            ask(member.namespace, &member.client, "GET /health HTTP/1.0\r\n\r\n")
                .is_some_and(|answer| answer.contains(r#""health":"true""#))
        });
    }
    Cluster { servers, addresses: members.iter().map(|member| member.client.clone()).collect() }
}

/// A Redis Cluster of three primaries with a replica each, which differ only in their ports.
pub fn redis_on_loopback(namespace: &Namespace) -> Cluster {
    need("redis-server", "redis-server");
    need("redis-cli", "redis-tools");
    let ports = 7001..=7006;
    let start = |port: u16| {
        let (name, port) = (format!("redis-{port}"), port.to_string());
        let mut command = namespace.command("redis-server");
        command
            .args(["--port", &port, "--bind", "127.0.0.1", "--protected-mode", "no"])
            .args(["--cluster-enabled", "yes", "--cluster-config-file", "nodes.conf"])
            .args(["--cluster-node-timeout", "2000", "--repl-diskless-sync-delay", "0"])
            .args(["--appendonly", "no", "--save", ""]);
        Server::start(&name, &home(namespace, &name), &mut command)
    };
    let mut servers: Vec<_> = ports.clone().map(start).collect();
    let addresses: Vec<_> = ports.map(|port| format!("127.0.0.1:{port}")).collect();
    let answers = |address: &str, question: &str, right: fn(&str) -> bool| {
        ask(namespace, address, question).is_some_and(|answer| right(&answer))
    };
    for (server, address) in servers.iter_mut().zip(&addresses) {
        server.wait_until(|| answers(address, "PING\r\nQUIT\r\n", |said| said.contains("+PONG")));
    }
    let mut create = namespace.command("timeout");
    create.args(["60", "redis-cli", "--cluster", "create"]).args(&addresses);
    succeed(create.args(["--cluster-replicas", "1", "--cluster-yes"]));
    for (server, address) in servers.iter_mut().zip(&addresses) {
        let question = "CLUSTER INFO\r\nINFO replication\r\nQUIT\r\n";
        server.wait_until(|| answers(address, question, is_replicated));
    }
    Cluster { servers, addresses }
}

/// What a Redis server says when it is either a replica with its first copy or a primary whose
/// replica has one: until then a failover has nobody to elect.
fn is_replicated(said: &str) -> bool {
    said.contains("cluster_state:ok")
        && (said.contains("state=online") || said.contains("master_link_status:up"))
}

/// One ZooKeeper server on each host.
pub fn zookeeper_on_hosts(hosts: &Hosts) -> Cluster {
    const JAR: &str = "/usr/share/java/zookeeper.jar";
    need("java", "default-jre-headless");
    need(JAR, "zookeeper");
    let network = hosts.network();
    let start = |(index, host): (usize, &Namespace)| {
        let home = home(host, "zookeeper");
        fs::create_dir(home.join("data")).expect("a folder for the data");
        fs::write(home.join("data/myid"), format!("{}\n", index + 1)).expect("a file");
        fs::write(home.join("zoo.cfg"), zookeeper_settings(network, index)).expect("a file");
        let mut command = host.command("java");
        // A file of performance data in /tmp would outlive a server that is killed.
        command
            .args(["-XX:-UsePerfData", "-Xmx128m", "-XX:+UseSerialGC"])
            .arg("-Dzookeeper.cnxTimeout=1000")
            .arg("-Dzookeeper.fastleader.maxNotificationInterval=1000")
            .args(["-cp", &format!("{JAR}:/usr/share/java/slf4j-simple.jar")])
            .args(["org.apache.zookeeper.server.quorum.QuorumPeerMain", "zoo.cfg"]);
        Server::start(&format!("zookeeper-{}", index + 1), &home, &mut command)
    };
    let mut servers: Vec<_> = network.nodes().iter().enumerate().map(start).collect();
    let address = |index| format!("{}:2181", network.ip(index));
    let addresses: Vec<_> = (0..servers.len()).map(address).collect();
    for (server, address) in servers.iter_mut().zip(&addresses) {
        // One without a quorum says that it is not serving requests instead of its mode.
        server.wait_until(|| {
            ask(network.controller(), address, "srvr").is_some_and(|said| said.contains("Mode:"))
        });
    }
    Cluster { servers, addresses }
}

fn zookeeper_settings(network: &Network, index: usize) -> String {
    let mut settings = format!(
        "tickTime=500\ninitLimit=10\nsyncLimit=4\ndataDir=data\n\
         clientPort=2181\nclientPortAddress={}\nmaxClientCnxns=0\n\
         4lw.commands.whitelist=srvr\nadmin.enableServer=false\n",
        network.ip(index)
    );
    for other in 0..network.nodes().len() {
        settings += &format!("server.{}={}:2888:3888\n", other + 1, network.ip(other));
    }
    settings
}

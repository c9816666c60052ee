//! Network namespaces that last as long as the test, and small networks made of them.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;

use nix::sched::{CloneFlags, setns};

use crate::support::{need, succeed};

/// Keeps a namespace and a folder until its input ends, then removes them and every process in
/// the namespace, however far it has strayed: the daemons that programs under test leave behind
/// have other parents and sessions. No loop of it lasts longer than a few seconds.
const KEEPER: &str = r#"
trap '' PIPE
# Few retransmissions, as in the sandbox: so connections that were cut are made anew at once.
echo 4 >/proc/sys/net/ipv4/tcp_retries2
echo 1 >/proc/sys/net/ipv4/tcp_syn_retries
ip link set lo up && folder=$(mktemp -d -t splitbrain-world.XXXXXX) || exit 1
# In memory, as the nodes' data are in the sandbox: a slow disk would count against a database.
mount -n -t tmpfs -o mode=700 none "$folder" || exit 1
echo "$folder"
read -r _
rounds=0 left=some
while [ $left != none ] && [ $rounds -lt 200 ]; do
    rounds=$((rounds + 1)) left=none
    for process in /proc/[0-9]*; do
        [ $process != /proc/$$ ] && [ $process/ns/net -ef /proc/$$/ns/net ] || continue
        left=some
        kill -KILL ${process#/proc/} 2>/dev/null
    done
    [ $left = none ] || sleep 0.01
done
umount -n -l "$folder"
rmdir "$folder"
"#;

/// A network namespace with a loopback device that is up, and a folder for what runs in it.
///
/// It ends when this value is dropped, and when the test ends in any other way: the kernel then
/// closes the keeper's input. Unlike a signal of a parent's death, that does not depend on the
/// thread that made the namespace.
pub struct Namespace {
    keeper: Child,
    folder: PathBuf,
}

impl Namespace {
    /// A namespace that is connected to nothing.
    pub fn new() -> Namespace {
        need("ip", "iproute2");
        need("nsenter", "util-linux");
        // `unshare` becomes the shell, so that the child itself is in the namespace. In a
        // process group of its own no ctrl-c ends it before its work is done.
        let mut keeper = Command::new("unshare")
            .args(["--net", "sh", "-c", KEEPER])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .process_group(0)
            .spawn()
            .expect("unshare of util-linux");
        let mut folder = String::new();
        let said = keeper.stdout.take().expect("a pipe");
        BufReader::new(said).read_line(&mut folder).expect("a line from the keeper");
        assert!(folder.ends_with('\n'), "no namespace: are these tests run by root?");
        Namespace { keeper, folder: PathBuf::from(folder.trim_end()) }
    }

    /// A process whose `/proc/PID/ns/net` is the namespace.
    pub fn process(&self) -> u32 {
        self.keeper.id()
    }

    /// A folder that vanishes with the namespace.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// A command that runs a program in the namespace. `nsenter` becomes that program, so the
    /// child's pid is the program's.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new("nsenter");
        command.arg(format!("--net={}", self.file())).arg(program).stdin(Stdio::null());
        command
    }

    /// Does something in the namespace, on a thread that ends with it.
    pub fn inside<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        let namespace = File::open(self.file()).expect("the keeper's namespace");
        let enter_and_work = || {
            setns(&namespace, CloneFlags::CLONE_NEWNET).expect("the right to enter it");
            work()
        };
        let done = thread::scope(|scope| scope.spawn(enter_and_work).join());
        done.unwrap_or_else(|panic| resume_unwind(panic))
    }

    /// What the kernel knows the namespace by.
    pub fn identity(&self) -> u64 {
        fs::metadata(self.file()).expect("the keeper's namespace").ino()
    }

    /// All processes in the namespace but its keeper.
    pub fn processes(&self) -> Vec<u32> {
        let mut all = processes_in(self.identity());
        all.retain(|process| *process != self.process());
        all
    }

    fn file(&self) -> String {
        format!("/proc/{}/ns/net", self.process())
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        // Closes its input first.
        let _ = self.keeper.wait();
    }
}

/// The processes in a network namespace. One that has ended, waited for or not, is in none.
pub fn processes_in(identity: u64) -> Vec<u32> {
    let entries = fs::read_dir("/proc").expect("/proc").flatten();
    let processes = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let is_in = |process: &u32| {
        fs::metadata(format!("/proc/{process}/ns/net")).is_ok_and(|file| file.ino() == identity)
    };
    processes.filter(is_in).collect()
}

/// A controller and nodes, each in a namespace of its own, on one bridge that is the
/// controller's. Node `i`, counted from 0, has the address `10.88.0.(i+1)` on its `eth0`.
pub struct Network {
    controller: Namespace,
    nodes: Vec<Namespace>,
}

impl Network {
    /// A network of so many nodes.
    pub fn of(count: usize) -> Network {
        let controller = Namespace::new();
        let nodes = (0..count).map(|_| Namespace::new()).collect();
        let network = Network { controller, nodes };
        run_lines(
            &network.controller,
            "ip link add nodes type bridge
            ip address add 10.88.0.254/24 dev nodes
            ip link set nodes up",
        );
        for index in 0..count {
            network.plug_in(index);
        }
        network
    }

    /// Where splitbrain runs: the address 10.88.0.254.
    pub fn controller(&self) -> &Namespace {
        &self.controller
    }

    /// The namespace of a node, counted from 0.
    pub fn node(&self, index: usize) -> &Namespace {
        &self.nodes[index]
    }

    /// All nodes, in order.
    pub fn nodes(&self) -> &[Namespace] {
        &self.nodes
    }

    /// The address of a node, counted from 0.
    pub fn ip(&self, index: usize) -> String {
        format!("10.88.0.{}", index + 1)
    }

    fn plug_in(&self, index: usize) {
        let (node, ip) = (&self.nodes[index], self.ip(index));
        // Made within the two namespaces: neither end is on the host even for a moment.
        let process = node.process();
        run_lines(
            &self.controller,
            &format!(
                "ip link add node-{index} type veth peer name eth0 netns {process}
                ip link set node-{index} master nodes up"
            ),
        );
        run_lines(node, &format!("ip address add {ip}/24 dev eth0\nip link set eth0 up"));
    }
}

fn run_lines(namespace: &Namespace, lines: &str) {
    succeed(namespace.command("timeout").args(["10", "sh", "-ec", lines]));
}

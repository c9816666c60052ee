//! Namespaces that pass for other machines: each has an ssh server where root logs in by key.

use std::cell::RefCell;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::namespace::Network;
use crate::servers::{Server, home};
use crate::support::{ask, need, succeed};

/// By its whole path, because it starts itself anew for each connection.
const SSHD: &str = "/usr/sbin/sshd";

/// A network whose nodes are hosts. They share this machine's files (but for `/run`) and pids;
/// keys and host keys are made for the test.
pub struct Hosts {
    network: Network,
    servers: RefCell<Vec<Option<Server>>>,
}

impl Hosts {
    /// Hosts that can be reached when this returns.
    pub fn new(count: usize) -> Hosts {
        need(SSHD, "openssh-server");
        need("ssh", "openssh-client");
        let hosts = Hosts { network: Network::of(count), servers: RefCell::default() };
        make_key(&hosts.key());
        let mut known_hosts = String::new();
        for index in 0..count {
            known_hosts += &hosts.prepare(index);
            hosts.servers.borrow_mut().push(None);
            hosts.launch_sshd(index);
        }
        fs::write(hosts.known_hosts(), known_hosts).expect("a file");
        (0..count).for_each(|index| hosts.wait_for_sshd(index));
        hosts
    }

    /// The hosts are its nodes.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// The address of a host, counted from 0.
    pub fn ip(&self, index: usize) -> String {
        self.network.ip(index)
    }

    /// The private key that opens every host.
    pub fn key(&self) -> PathBuf {
        self.network.controller().folder().join("key")
    }

    /// The file with the keys of all hosts.
    pub fn known_hosts(&self) -> PathBuf {
        self.network.controller().folder().join("known_hosts")
    }

    /// The controller's ssh to a host; the command is still to be added.
    pub fn ssh(&self, index: usize) -> Command {
        let mut command = self.network.controller().command("ssh");
        let known_hosts = format!("UserKnownHostsFile={}", self.known_hosts().display());
        command
            .args(["-F", "none", "-o", "BatchMode=yes", "-o", "ConnectTimeout=5"])
            .args(["-o", "IdentitiesOnly=yes", "-o", "StrictHostKeyChecking=yes"])
            .args(["-o", &known_hosts])
            .arg("-i")
            .arg(self.key())
            .arg(format!("root@{}", self.ip(index)));
        command
    }

    /// Starts a host's ssh server again.
    pub fn start_sshd(&self, index: usize) {
        self.launch_sshd(index);
        self.wait_for_sshd(index);
    }

    /// Ends a host's ssh server and every connection to it. What was started through them runs on.
    pub fn stop_sshd(&self, index: usize) {
        self.servers.borrow_mut()[index] = None;
        for process in self.network.node(index).processes() {
            let program = fs::read_link(format!("/proc/{process}/exe"));
            if program.is_ok_and(|program| program == Path::new(SSHD)) {
                // It may have ended with the one before.
                let _ = kill(Pid::from_raw(process as i32), Signal::SIGKILL);
            }
        }
    }

    /// Writes all that a host's ssh server reads; the line for the known hosts.
    fn prepare(&self, index: usize) -> String {
        let home = home(self.network.node(index), "sshd");
        // What sshd separates its privileges in.
        fs::create_dir_all(home.join("run/sshd")).expect("a folder");
        make_key(&home.join("host_key"));
        let ip = self.ip(index);
        let settings = format!(
            "ListenAddress {ip}:22\nHostKey {}\nAuthorizedKeysFile {}\nPidFile none\n\
             PermitRootLogin prohibit-password\nPasswordAuthentication no\n\
             KbdInteractiveAuthentication no\nUsePAM no\nStrictModes no\n",
            home.join("host_key").display(),
            self.key().with_extension("pub").display()
        );
        fs::write(home.join("settings"), settings).expect("a file");
        let host_key = fs::read_to_string(home.join("host_key.pub")).expect("a public key");
        format!("{ip} {host_key}")
    }

    fn launch_sshd(&self, index: usize) {
        let host = self.network.node(index);
        let home = host.folder().join("sshd");
        // Debian's sshd wants a folder in /run that is made when the service starts. Each host
        // has a /run of its own instead, in a mount namespace that ends with its processes, and a
        // home without whatever this machine's root has in its shell's start-up files. Without
        // `-n`, mount would leave a folder for its notes in this machine's /run.
        let script = format!(
            "mkdir -p home && mount -n --bind home ~root && mount -n --bind run /run && \
             exec {SSHD} -D -e -f settings"
        );
        let mut command = host.command("unshare");
        command.args(["--mount", "sh", "-c", &script]);
        let name = format!("sshd of host {}", self.ip(index));
        self.servers.borrow_mut()[index] = Some(Server::start(&name, &home, &mut command));
    }

    fn wait_for_sshd(&self, index: usize) {
        let address = format!("{}:22", self.ip(index));
        let controller = self.network.controller();
        let mut servers = self.servers.borrow_mut();
        let server = servers[index].as_mut().expect("a server that was launched");
        // It greets, and hangs up on a client that does not speak its language.
        server.wait_until(|| {
            ask(controller, &address, "hello\r\n").is_some_and(|said| said.starts_with("SSH-2.0"))
        });
    }
}

fn make_key(file: &Path) {
    let mut command = Command::new("timeout");
    command.args(["10", "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "test", "-f"]);
    succeed(command.arg(file));
}

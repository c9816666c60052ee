//! Machines by ssh, against a real sshd on this host, run by and for the user who runs the tests.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, User, geteuid};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::time::sleep;

use super::*;

const PROGRAM: &str = "/usr/sbin/sshd";
/// An sshd of root needs this folder, which Debian makes when its service starts.
const ROOTS_FOLDER: &str = "/run/sshd";
/// Who made that folder has to be the last to use it.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// An sshd with throwaway keys. It ends with this value.
struct Sshd {
    process: Child,
    folder: TempDir,
    port: u16,
    made_roots_folder: bool,
    _turn: MutexGuard<'static, ()>,
}

impl Sshd {
    async fn start() -> Sshd {
        assert!(Path::new(PROGRAM).exists(), "no {PROGRAM}: apt-get install openssh-server");
        let turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        let made_roots_folder = geteuid().is_root() && fs::create_dir(ROOTS_FOLDER).is_ok();
        let folder = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        for key in ["host-key", "other-key", "user-key"] {
            make_key(&folder.path().join(key));
        }
        let path = |name: &str| folder.path().join(name);
        fs::copy(path("user-key.pub"), path("authorized-keys")).unwrap();
        let config = format!(
            "Port {port}\nListenAddress 127.0.0.1\nHostKey {}\nAuthorizedKeysFile {}\n\
             StrictModes no\nUsePAM no\nPidFile none\nPasswordAuthentication no\n",
            path("host-key").display(),
            path("authorized-keys").display(),
        );
        fs::write(path("config"), config).unwrap();
        let process = Command::new(PROGRAM)
            .args(["-D", "-f"])
            .arg(path("config"))
            .arg("-E")
            .arg(path("log"))
            .spawn()
            .unwrap();
        let sshd = Sshd { process, folder, port, made_roots_folder, _turn: turn };
        sshd.know_key("host-key");
        sshd.wait_until_it_listens().await;
        sshd
    }

    async fn wait_until_it_listens(&self) {
        for _ in 0..200 {
            if TcpStream::connect(("127.0.0.1", self.port)).await.is_ok() {
                return;
            }
            sleep(Duration::from_millis(25)).await;
        }
        panic!("no sshd: {}", fs::read_to_string(self.path("log")).unwrap_or_default());
    }

    /// Makes this key the one that is expected of the host.
    fn know_key(&self, name: &str) {
        let key = fs::read_to_string(self.path(&format!("{name}.pub"))).unwrap();
        fs::write(self.path("known-hosts"), format!("[127.0.0.1]:{} {key}", self.port)).unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn host(&self) -> SshHost {
        SshHost {
            host: "127.0.0.1".to_string(),
            user: Some(User::from_uid(geteuid()).unwrap().unwrap().name),
            port: Some(self.port),
            key: Some(self.path("user-key")),
            jump: None,
            known_hosts: Some(self.path("known-hosts")),
            sudo: false,
        }
    }

    async fn open(&self) -> Result<SshMachine, AccessError> {
        SshMachine::open("n2", &self.host()).await
    }

    /// Kills the processes that serve connections: one each for root, two for other users.
    fn end_sessions(&self) {
        let mut found = children(Pid::from_raw(self.process.id() as i32));
        while let Some(process) = found.pop() {
            found.extend(children(process));
            // It may have ended by itself.
            let _ = kill(process, Signal::SIGKILL);
        }
    }

    fn connections(&self) -> usize {
        children(Pid::from_raw(self.process.id() as i32)).len()
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        self.end_sessions();
        let _ = self.process.kill();
        let _ = self.process.wait();
        if self.made_roots_folder {
            let _ = fs::remove_dir(ROOTS_FOLDER);
        }
    }
}

fn make_key(path: &Path) {
    let mut command = Command::new("ssh-keygen");
    command.args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(path).stdout(Stdio::null());
    assert!(command.status().unwrap().success());
}

fn children(parent: Pid) -> Vec<Pid> {
    let entries = fs::read_dir("/proc").unwrap().flatten();
    let processes = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    let is_child = |process: &i32| {
        let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
        let behind_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
        behind_name.split_whitespace().nth(1) == Some(&parent.to_string())
    };
    processes.filter(is_child).map(Pid::from_raw).collect()
}

#[tokio::test]
async fn it_is_known_from_where_and_to_where_we_log_in() {
    let sshd = Sshd::start().await;
    let machine = sshd.open().await.unwrap();
    assert_eq!(machine.name(), format!("n2 ({}@127.0.0.1 by ssh)", sshd.host().user.unwrap()));
    assert_eq!(machine.login(), Some(([127, 0, 0, 1].into(), sshd.port)));
    assert_eq!(login::seen_from("Welcome!\nfd00::1 40000 fd00::2 22\n").unwrap().1, 22);
    assert_eq!(login::seen_from("\n"), None);
}

#[tokio::test]
async fn every_word_arrives_as_it_is() {
    let sshd = Sshd::start().await;
    let machine = sshd.open().await.unwrap();
    let words = [
        "plain", "", " ", "two w.", "it's", "\"", "''", "\n", "a\nb\n", "$HOME", "`id`", "$(id)",
        "\\", "\\\\n", "*", "~", "!", "#", ";", "&", "|", "-n", "--", "ä€", "%s", "\t", "a=b",
        "{a,b}",
    ];
    let command: Vec<&str> = ["printf", "%s\\0"].into_iter().chain(words).collect();
    let printed = machine.run(&command, b"").await.unwrap().text().unwrap();
    assert_eq!(printed.split_terminator('\0').collect::<Vec<&str>>(), words);
}

#[tokio::test]
async fn input_outputs_and_status_come_through() {
    let sshd = Sshd::start().await;
    let machine = sshd.open().await.unwrap();
    let input: Vec<u8> = (0..1_000_000_u32).map(|number| (number % 251) as u8).collect();
    let script = "tee /dev/stderr; exit 7";
    let output = machine.run(&["sh", "-c", script], &input).await.unwrap();
    assert_eq!(output.status, 7);
    assert!(output.stdout == input && output.stderr == input);
    let output = machine.run(&["true"], &input).await.unwrap();
    assert_eq!(output, Output { status: 0, stdout: vec![], stderr: vec![] });
    // Codes that mean something to ssh.
    for code in [0, 1, 126, 127, 255] {
        let script = format!("exit {code}");
        assert_eq!(machine.run(&["sh", "-c", &script], b"").await.unwrap().status, code);
    }
    let complaint = machine.run(&["no-such-program"], b"").await.unwrap().text().unwrap_err();
    assert!(complaint.contains("127") && complaint.contains("no-such-program"), "{complaint}");
}

#[tokio::test]
async fn files_are_written_and_read() {
    let sshd = Sshd::start().await;
    let machine = sshd.open().await.unwrap();
    let path = sshd.path("it's a file");
    let path = path.to_str().unwrap();
    machine.write(path, b"one\0two\n").await.unwrap();
    assert_eq!(machine.read(path).await.unwrap(), b"one\0two\n");
    let error = machine.read("/no/such/file").await.unwrap_err().to_string();
    assert!(error.contains("n2 (") && error.contains("No such file"), "{error}");
}

#[tokio::test]
async fn programs_run_side_by_side_in_one_session() {
    let sshd = Sshd::start().await;
    let machine = sshd.open().await.unwrap();
    let runs = (0..8).map(|number: i32| {
        let machine = &machine;
        async move {
            let script = format!("sleep 0.2; echo {number}");
            machine.run(&["sh", "-c", &script], b"").await.unwrap().text().unwrap()
        }
    });
    let printed = futures::future::join_all(runs).await;
    assert_eq!(printed, (0..8).map(|number| format!("{number}\n")).collect::<Vec<String>>());
    assert_eq!(sshd.connections(), 1);
}

#[tokio::test]
async fn a_host_with_an_unknown_or_another_key_is_refused() {
    let sshd = Sshd::start().await;
    sshd.know_key("other-key");
    let error = sshd.open().await.unwrap_err().to_string();
    let remove = format!("`ssh-keygen -R '[127.0.0.1]:{}' -f /", sshd.port);
    assert!(error.contains("has changed") && error.contains(&remove), "{error}");
    fs::write(sshd.path("known-hosts"), "").unwrap();
    let error = sshd.open().await.unwrap_err().to_string();
    for part in ["host key is known", "known-hosts: FILE", "ssh -p", "127.0.0.1 true"] {
        assert!(error.contains(part), "{part}: {error}");
    }
    assert!(!error.contains('\n'), "{error}");
}

#[tokio::test]
async fn a_key_that_does_not_open_the_host_is_refused() {
    let sshd = Sshd::start().await;
    let host = SshHost { key: Some(sshd.path("other-key")), ..sshd.host() };
    let error = SshMachine::open("n2", &host).await.unwrap_err().to_string();
    assert!(error.contains("Permission denied") && error.contains("key: FILE"), "{error}");
}

/// The other name because ssh does not go to a host through itself; its key is not known.
#[tokio::test]
async fn a_host_on_the_way_that_does_not_let_us_through_is_named() {
    let sshd = Sshd::start().await;
    let jump = format!("localhost:{}", sshd.port);
    let host = SshHost { jump: Some(jump.clone()), ..sshd.host() };
    let error = SshMachine::open("n2", &host).await.unwrap_err().to_string();
    assert!(error.contains(&format!("the way through {jump} is closed")), "{error}");
}

#[tokio::test]
async fn a_lost_session_is_said_and_the_next_program_gets_a_new_one() {
    let sshd = Sshd::start().await;
    let machine = sshd.open().await.unwrap();
    let loss = async {
        sleep(Duration::from_millis(300)).await;
        sshd.end_sessions();
    };
    let (result, ()) = tokio::join!(machine.run(&["sleep", "15"], b""), loss);
    assert!(matches!(result, Err(AccessError::Unreached { .. })), "{result:?}");
    assert_eq!(machine.run(&["echo", "again"], b"").await.unwrap().text().unwrap(), "again\n");
}

#[tokio::test]
async fn a_host_without_an_sshd_is_unreached() {
    let mut sshd = Sshd::start().await;
    let machine = sshd.open().await.unwrap();
    sshd.end_sessions();
    sshd.process.kill().unwrap();
    sshd.process.wait().unwrap();
    for _ in 0..2 {
        let error = machine.run(&["true"], b"").await.unwrap_err();
        assert!(matches!(error, AccessError::Unreached { .. }), "{error}");
    }
    let error = sshd.open().await.unwrap_err().to_string();
    assert!(error.starts_with("n2 (") && error.contains("Connection refused"), "{error}");
}

#[test]
fn where_sudo_does_not_let_us_the_way_out_is_said() {
    let host = SshHost {
        host: "db2".to_string(),
        user: Some("admin".to_string()),
        port: None,
        key: None,
        jump: None,
        known_hosts: None,
        sudo: true,
    };
    let (name, session) = ("n2".to_string(), tokio::sync::Mutex::default());
    let machine = SshMachine { name, host, session, login: None };
    for (status, stderr) in [
        (1, "sudo: a password is required\n"),
        (127, "bash: line 1: sudo: command not found\n"),
        (127, "sh: 1: sudo: not found\n"),
    ] {
        let output = Output { status, stdout: Vec::new(), stderr: stderr.into() };
        let error = machine.refused_by_sudo(&output).expect(stderr).to_string();
        assert!(error.contains("let admin run sudo without a password on db2"), "{error}");
    }
    for (status, stderr) in [(127, "env: 'iptables': No such file or directory\n"), (0, "")] {
        let output = Output { status, stdout: Vec::new(), stderr: stderr.into() };
        assert_eq!(machine.refused_by_sudo(&output), None);
    }
}

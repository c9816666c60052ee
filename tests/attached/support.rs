//! Running programs and waiting for them, always for a limited time.

use std::env;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use crate::namespace::Namespace;

/// The binary under test, in a namespace.
pub fn splitbrain_in(namespace: &Namespace) -> Command {
    let mut command = namespace.command(env!("CARGO_BIN_EXE_splitbrain"));
    command.current_dir(env!("CARGO_MANIFEST_DIR"));
    command
}

/// Refuses to go on without a program (or a file, by its whole path) of a Debian package.
pub fn need(program: &str, package: &str) {
    let path = env::var_os("PATH").unwrap_or_default();
    // For a whole path `join` ignores the folder.
    let there = env::split_paths(&path).any(|folder| folder.join(program).exists());
    let there = there || Path::new("/usr/sbin").join(program).exists();
    assert!(there, "`{program}` is missing on this machine: apt-get install {package}");
}

/// Runs a command that has to succeed; what it printed. The caller limits its time.
pub fn succeed(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let complaint = String::from_utf8_lossy(&output.stderr);
    let answer = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{command:?}: {}\n{complaint}{answer}", output.status);
    answer
}

/// Whether a condition comes to hold within the limit.
pub fn holds_within(limit: Duration, mut condition: impl FnMut() -> bool) -> bool {
    let begin = Instant::now();
    loop {
        if condition() {
            return true;
        }
        if begin.elapsed() > limit {
            return false;
        }
        thread::sleep(Duration::from_millis(25));
    }
}

/// Sends a text to a server (`IP:PORT`) in a namespace and returns all that it answers until it
/// closes the connection; `None` if it does not. Plain enough for HTTP/1.0, Redis and ZooKeeper.
pub fn ask(namespace: &Namespace, address: &str, question: &str) -> Option<String> {
    const PATIENCE: Duration = Duration::from_secs(2);
    let address: SocketAddr = address.parse().expect("IP:PORT");
    namespace.inside(|| {
        let mut connection = TcpStream::connect_timeout(&address, PATIENCE).ok()?;
        connection.set_read_timeout(Some(PATIENCE)).ok()?;
        connection.set_write_timeout(Some(PATIENCE)).ok()?;
        connection.write_all(question.as_bytes()).ok()?;
        let mut answer = String::new();
        connection.read_to_string(&mut answer).ok()?;
        Some(answer)
    })
}

/// A request to etcd's JSON gateway.
pub fn post(namespace: &Namespace, address: &str, path: &str, body: &str) -> Option<String> {
    let length = body.len();
    let request = format!("POST {path} HTTP/1.0\r\nContent-Length: {length}\r\n\r\n{body}");
    ask(namespace, address, &request)
}

//! What is expected of the scenarios, seen from outside.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;

use crate::Runner;

type Check = fn(&Runner);

pub const ALL: [(&str, Check); 14] = [
    ("exit code passes through", exit_code),
    ("surroundings pass through", surroundings),
    ("orphans are reaped", orphans),
    ("an interrupt arrives once", signals),
    ("a throwaway answers", throwaway),
    ("the network comes up", network),
    ("cuts are proven", cuts),
    ("a cut that leaks is not confirmed", sabotage),
    ("foreign rules stay", foreign_rules),
    ("without user namespaces", without_user_namespaces),
    ("a shell inside a node", shell),
    ("the doctor tries everything", doctor),
    ("kill -9 leaves nothing", killed),
    ("measured", measured),
];

fn output(command: &mut Command) -> Output {
    command.output().expect("the scenario can be started")
}

fn stdout_of(command: &mut Command) -> String {
    let output = output(command);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {stderr}", output.status);
    String::from_utf8(output.stdout).expect("text")
}

fn exit_code(runner: &Runner) {
    for code in [0, 1, 7, 255] {
        let status = output(runner.scenario("exit").arg(code.to_string())).status;
        assert_eq!(status.code(), Some(code));
    }
    assert_eq!(output(&mut runner.scenario("abort")).status.code(), Some(128 + 9));
    assert_eq!(output(&mut runner.scenario("no such scenario")).status.code(), Some(101));
}

fn surroundings(runner: &Runner) {
    let mut command = runner.scenario("surroundings");
    command.env("SPLITBRAIN_TEST", "seen").stdin(Stdio::piped());
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"a line\n").unwrap();
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let folder = runner.folder.display();
    let expected =
        format!("stdin a line\nfolder {folder}\nvariable seen\nuid 0 pid 2\nprocesses 2\n");
    assert_eq!(text, expected);
    assert_eq!(output.stderr, b"stderr too\n");
}

fn orphans(runner: &Runner) {
    assert_eq!(stdout_of(&mut runner.scenario("orphans")), "zombies 0\n");
}

fn throwaway(runner: &Runner) {
    assert_eq!(stdout_of(&mut runner.scenario("throwaway")), "Ok((1, 42))\n");
}

/// Starts a scenario in a process group of its own and waits for its first line.
fn start(command: &mut Command) -> (Child, BufReader<std::process::ChildStdout>) {
    let mut child = command.process_group(0).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    lines.read_line(&mut String::new()).unwrap();
    (child, lines)
}

fn signals(runner: &Runner) {
    let pid = |child: &Child| Pid::from_raw(child.id() as i32);
    for to_the_group in [true, false].repeat(3) {
        let (mut child, mut lines) = start(&mut runner.scenario("signals"));
        let send = if to_the_group { killpg } else { kill };
        send(pid(&child), Signal::SIGINT).unwrap();
        let mut line = String::new();
        lines.read_line(&mut line).unwrap();
        assert_eq!(line, "interrupts 1\n", "to the whole process group: {to_the_group}");
        assert!(child.wait().unwrap().success());
    }
    // Without a handler an end is an end, and everything goes with it.
    let (mut child, _lines) = start(runner.scenario("linger").arg(&runner.folder));
    kill(pid(&child), Signal::SIGTERM).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(128 + Signal::SIGTERM as i32));
}

fn network(runner: &Runner) {
    print!("  {}", stdout_of(&mut runner.scenario("network")));
}

fn cuts(runner: &Runner) {
    stdout_of(&mut runner.scenario("cuts"));
}

fn sabotage(runner: &Runner) {
    stdout_of(&mut runner.scenario("sabotage"));
}

fn foreign_rules(runner: &Runner) {
    stdout_of(&mut runner.scenario("foreign-rules"));
}

fn without_user_namespaces(runner: &Runner) {
    let mut command = runner.scenario("without-user-namespaces");
    let is_root = runner.uid.is_none() && nix::unistd::geteuid().is_root();
    if is_root {
        command.arg("ordinary");
    }
    let text = stdout_of(&mut command);
    if is_root {
        assert!(
            text.contains("a user, mount, network, pid, IPC and UTS namespace was refused"),
            "{text}"
        );
        assert!(text.contains("sudo sysctl -w user.max_user_namespaces="), "{text}");
        assert!(text.contains("Or run it with sudo."), "{text}");
        assert!(text.contains("FAIL  user namespaces"), "{text}");
    }
}

fn doctor(runner: &Runner) {
    let before = host();
    let text = stdout_of(&mut runner.scenario("doctor"));
    print!("{}", text.replace('\n', "\n  "));
    let passed = |name: &str| text.lines().any(|line| line.starts_with(&format!("ok    {name} ")));
    for name in ["user namespaces", "private /proc", "ip", "probes", "iptables", "rehearsal"] {
        assert!(passed(name), "{name}");
    }
    assert_eq!(host(), before);
}

fn shell(runner: &Runner) {
    let dir = runner.folder.clone();
    let inside = |node: &str, command: &[&str]| {
        let mut shell = runner.scenario("shell");
        output(shell.arg(&dir).arg(node).args(command))
    };
    let complaint = |output: Output| {
        assert_eq!(output.status.code(), Some(254));
        String::from_utf8(output.stderr).unwrap()
    };
    let _ = fs::remove_file(dir.join("running.json"));
    assert!(complaint(inside("n1", &["true"])).contains("no run is up"));
    let (mut child, _lines) = start(runner.scenario("linger").arg(&dir));
    let seen =
        inside("n2", &["sh", "-c", "hostname; pwd; ip -o -4 addr show eth0; cat /etc/hosts"]);
    let text = String::from_utf8(seen.stdout).unwrap();
    assert!(text.starts_with(&format!("n2\n{}\n", dir.display())), "{text}");
    assert!(text.contains("10.77.0.2/24") && text.contains("10.77.0.3 n3"), "{text}");
    let processes = inside("n1", &["sh", "-c", "kill -0 2 && echo sees the controller"]);
    assert_eq!(processes.stdout, b"sees the controller\n");
    assert_eq!(inside("n1", &["sh", "-c", "exit 5"]).status.code(), Some(5));
    assert_eq!(inside("n1", &["/no/such/program"]).status.code(), Some(127));
    assert!(complaint(inside("n9", &["true"])).contains("this run has n1, n2, n3"));
    kill(Pid::from_raw(child.id() as i32), Signal::SIGKILL).unwrap();
    child.wait().unwrap();
    wait_until("the shell says that the run has ended", || {
        let output = inside("n1", &["true"]);
        String::from_utf8_lossy(&output.stderr).contains("has ended")
    });
}

/// At any instant: while the namespaces are made, the network, the nodes, and later.
fn killed(runner: &Runner) {
    let before = host();
    let instants = (0..30).chain((30..150).step_by(8)).chain([200, 400, 800]);
    for milliseconds in instants {
        let mark = format!("{}-{milliseconds}", std::process::id());
        let mut command = runner.scenario("linger");
        command.arg(&runner.folder).env("SPLITBRAIN_TEST", &mark);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        thread::sleep(Duration::from_millis(milliseconds));
        child.kill().unwrap();
        let status = child.wait().unwrap();
        assert_eq!(status.signal(), Some(9), "was still up after {milliseconds} ms");
        wait_until(&format!("all is gone after {milliseconds} ms"), || processes(&mark) == 0);
    }
    let mark = format!("{}-up", std::process::id());
    let mut command = runner.scenario("linger");
    let (mut child, _lines) = start(command.arg(&runner.folder).env("SPLITBRAIN_TEST", &mark));
    wait_until("supervisor, pid 1, controller and three processes in each node are seen", || {
        processes(&mark) == 3 + 3 * 3
    });
    child.kill().unwrap();
    child.wait().unwrap();
    wait_until("all is gone after it was up", || processes(&mark) == 0);
    assert_eq!(host(), before);
}

/// Processes that have inherited the mark.
fn processes(mark: &str) -> usize {
    let entry = format!("SPLITBRAIN_TEST={mark}");
    let marked = |path: &Path| {
        let environment = fs::read(path.join("environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|variable| variable == entry.as_bytes())
    };
    fs::read_dir("/proc").unwrap().flatten().filter(|process| marked(&process.path())).count()
}

/// Network devices, named namespaces and mounts of the machine itself.
fn host() -> BTreeSet<String> {
    let mut things = BTreeSet::new();
    for folder in ["/sys/class/net", "/run/netns", "/var/run/netns"] {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            things.insert(entry.path().display().to_string());
        }
    }
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap();
    things.extend(mounts.lines().map(str::to_string));
    things
}

fn wait_until(what: &str, done: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !done() {
        assert!(Instant::now() < deadline, "{what}: not within 10 s");
        thread::sleep(Duration::from_millis(5));
    }
}

/// Says how fast it is here; nothing is asserted of it.
fn measured(runner: &Runner) {
    for nodes in ["3", "6"] {
        for load in ["idle", "busy"] {
            print!("{}", stdout_of(runner.scenario("measure").args([nodes, load])));
        }
    }
}

//! `splitbrain doctor`: what this machine allows, and how to mend what it does not.
//!
//! Every check tries the thing itself in a throwaway sandbox, up to a proven cut between two
//! nodes; versions and settings are only read to explain. Nothing is left behind.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::process::Command;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use splitbrain_checkers::partition::Proof;

use crate::clock::Clock;
use crate::nemesis::{Cut, SandboxNemesis, cut_links};
use crate::plan;
use crate::sandbox::{
    Facts, Inside, Network, Prober, Refusal, probe_arrives, system_program, throwaway,
};

const IPTABLES: &str = "install it: sudo apt-get install iptables";
const IPROUTE2: &str = "install it: sudo apt-get install iproute2";
/// Loads what a user's sandbox may not load by itself.
const MODULES: &str = "load the kernel's parts: sudo modprobe -a nf_tables nft_compat xt_comment \
                       (legacy iptables: ip_tables iptable_filter ip6table_filter)";
const WIDTH: usize = 80;
const INDENT: usize = 24;

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// As it should be, or not needed.
    Ok,
    /// It works, with a restriction.
    Warn,
    /// Runs are not possible before this is mended.
    Fail,
}

/// One thing that was tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    pub name: String,
    pub status: Status,
    /// What was found.
    pub found: String,
    /// What to do about it; for `ok` there is nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mend: Option<String>,
}

impl Check {
    pub(crate) fn ok(name: &str, found: impl Into<String>) -> Check {
        Check { name: name.to_string(), status: Status::Ok, found: found.into(), mend: None }
    }

    pub(crate) fn not(
        status: Status,
        name: &str,
        found: impl Into<String>,
        mend: impl Into<String>,
    ) -> Check {
        Check { name: name.to_string(), status, found: found.into(), mend: Some(mend.into()) }
    }
}

/// Tries everything. Takes about half a second.
///
/// # Panics
/// If the process has more than one thread: call it before any is started.
pub fn examine() -> Vec<Check> {
    let outside = fs::read_link("/proc/self/ns/user").ok();
    let tried = throwaway(|inside| {
        let own_user_namespace = fs::read_link("/proc/self/ns/user").ok() != outside;
        (own_user_namespace, examine_inside(inside))
    });
    let mut checks = match tried {
        Ok((own_user_namespace, inside)) => {
            let mut checks = sandbox_checks(own_user_namespace);
            checks.extend(inside);
            checks
        }
        Err(refusal) => refused(&refusal),
    };
    checks.extend([cores(), memory()]);
    checks
}

/// Whether runs are possible: nothing failed.
pub fn healthy(checks: &[Check]) -> bool {
    checks.iter().all(|check| check.status != Status::Fail)
}

/// The checks as text, within 80 columns.
pub fn render(checks: &[Check]) -> String {
    let mut text = String::new();
    for check in checks {
        let status = match check.status {
            Status::Ok => "ok",
            Status::Warn => "warn",
            Status::Fail => "FAIL",
        };
        let mut start = format!("{status:<6}{:<w$}", check.name, w = INDENT - 6);
        let mend = check.mend.as_ref().map(|mend| format!("-> {mend}"));
        for line in [Some(check.found.clone()), mend].into_iter().flatten().flat_map(|t| wrap(&t)) {
            let _ = writeln!(text, "{start}{line}");
            start = " ".repeat(INDENT);
        }
    }
    text
}

/// Lines of at most what is left of the width; a longer word has a line of its own.
fn wrap(text: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let line = lines.last_mut().expect("never empty");
        if line.is_empty() {
            line.push_str(word);
        } else if line.chars().count() + 1 + word.chars().count() <= WIDTH - INDENT {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.to_string());
        }
    }
    lines
}

/// The sandbox could be made.
fn sandbox_checks(own_user_namespace: bool) -> Vec<Check> {
    let facts = Facts::read();
    let user = if own_user_namespace {
        Check::ok("user namespaces", "made one, with mount, network, pid, IPC and UTS namespaces")
    } else {
        let mend = match facts.mend().as_slice() {
            [] => "no need to; in a container, start it with --privileged".to_string(),
            commands => commands.join(" && "),
        };
        let found = "refused; as root it goes without, for an ordinary user it would not";
        Check::not(Status::Warn, "user namespaces", found, mend)
    };
    let apparmor = match facts.apparmor_restrict.as_deref() {
        Some("1") => "restricts user namespaces, but not this program's",
        Some(_) => "does not restrict user namespaces",
        None => "this kernel has no such restriction",
    };
    let proc = Check::ok("private /proc", "mounted a fresh one");
    vec![user, Check::ok("AppArmor", apparmor), proc]
}

/// The sandbox could not be made, so nothing inside could be tried.
fn refused(refusal: &Refusal) -> Vec<Check> {
    let name = if refusal.step.contains("/proc") { "private /proc" } else { "user namespaces" };
    let found = refusal.to_string().replace(&refusal.mend(), "");
    let mut checks = vec![Check::not(Status::Fail, name, found.trim(), refusal.mend())];
    for (program, package) in [("ip", IPROUTE2), ("iptables", IPTABLES), ("ip6tables", IPTABLES)] {
        let rest = "; whether it works inside could not be tried";
        checks.push(match version(program) {
            Ok(version) => Check::ok(program, format!("{version}{rest}")),
            Err(error) => Check::not(Status::Fail, program, error.to_string(), package),
        });
    }
    checks
}

/// What `PROGRAM -V` prints.
fn version(program: &str) -> io::Result<String> {
    let output = Command::new(system_program(program)).arg("-V").output()?;
    Ok(String::from_utf8_lossy(&output.stdout).lines().next().unwrap_or_default().to_string())
}

/// Runs a program; its complaint if it fails.
fn attempt(program: &str, arguments: &str) -> Result<(), String> {
    let mut command = Command::new(system_program(program));
    let output = command.args(arguments.split_whitespace()).output();
    let output = output.map_err(|error| format!("{program} cannot be run: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let complaint = String::from_utf8_lossy(&output.stderr).trim().replace('\n', "; ");
    Err(format!("`{program} {arguments}`: {complaint}"))
}

/// In the throwaway sandbox, whose network is empty but for `lo`.
fn examine_inside(inside: &Inside) -> Vec<Check> {
    let ip = match version("ip") {
        Ok(version) => match attempt("ip", "link set lo up") {
            Ok(()) => Check::ok("ip", version),
            Err(error) => Check::not(Status::Fail, "ip", error, IPROUTE2),
        },
        Err(error) => Check::not(Status::Fail, "ip", error.to_string(), IPROUTE2),
    };
    let mut checks = vec![ip, probe_check(), rule_check("iptables", Ipv4Addr::LOCALHOST.into())];
    checks.push(if fs::exists("/proc/sys/net/ipv6").unwrap_or(false) {
        ipv6_check()
    } else {
        Check::ok("IPv6", "this kernel has none, so nodes have IPv4 only")
    });
    checks.push(rehearsal(inside));
    let queue = "-A INPUT -p udp --dport 9 -j NFQUEUE --queue-num 7 --queue-bypass";
    checks.push(optional("NFQUEUE", attempt("iptables", queue)));
    checks.push(optional("sch_netem", attempt("tc", "qdisc add dev lo root netem delay 1ms")));
    checks
}

fn probe_check() -> Check {
    let (name, mend) = ("probes", "Linux with SO_TIMESTAMPNS and a working loopback is needed");
    match probe_arrives(Ipv4Addr::LOCALHOST.into()) {
        Ok(true) => Check::ok(name, "a UDP datagram arrives, with the kernel's time stamp"),
        Ok(false) => Check::not(Status::Fail, name, "a UDP datagram does not arrive", mend),
        Err(error) => Check::not(Status::Fail, name, error.to_string(), mend),
    }
}

/// Whether one DROP rule stops a datagram, and its removal lets the next one through.
fn rule_check(program: &str, ip: IpAddr) -> Check {
    let version = match version(program) {
        Ok(version) => version,
        Err(error) => return Check::not(Status::Fail, program, error.to_string(), IPTABLES),
    };
    let rule = format!("INPUT -s {ip} -m comment --comment splitbrain -j DROP");
    let tried = attempt(program, &format!("-A {rule}"))
        .and_then(|()| probe_arrives(ip).map_err(|error| error.to_string()))
        .and_then(|arrived| attempt(program, &format!("-D {rule}")).map(|()| arrived));
    match tried {
        Ok(false) => match probe_arrives(ip) {
            Ok(true) => Check::ok(program, format!("{version}: a DROP rule cuts and heals")),
            _ => Check::not(Status::Fail, program, "a removed DROP rule still drops", MODULES),
        },
        Ok(true) => Check::not(Status::Fail, program, "a DROP rule does not drop", MODULES),
        Err(error) => Check::not(Status::Fail, program, error, MODULES),
    }
}

/// Without a way to cut IPv6 the nodes go without it, so this is no failure.
fn ipv6_check() -> Check {
    let check = rule_check("ip6tables", Ipv6Addr::LOCALHOST.into());
    match check.status {
        Status::Ok => check,
        _ => Check {
            status: Status::Warn,
            found: format!("{}; so nodes have IPv4 only", check.found),
            ..check
        },
    }
}

/// The whole way: two nodes, a cut, the proof, the heal.
fn rehearsal(inside: &Inside) -> Check {
    let name = "rehearsal";
    match proven_cut(inside) {
        Ok(found) => Check::ok(name, found),
        Err(error) => Check::not(Status::Fail, name, error, "mend what failed above first"),
    }
}

fn proven_cut(inside: &Inside) -> Result<String, String> {
    let said = |error: &dyn std::error::Error| error.to_string();
    let nodes = [1, 2].map(|i| (format!("n{i}").into(), Ipv4Addr::new(10, 77, 0, i)));
    let network =
        Network::create(inside, &nodes, &BTreeMap::new()).map_err(|error| said(&error))?;
    let (network, clock) = (Arc::new(network), Clock::start());
    let prober = Prober::start(&network.stations(), clock, |_| {}).map_err(|error| said(&error))?;
    let prober = Arc::new(prober);
    prober.wait_until_up(Duration::from_secs(2)).map_err(|error| said(&error))?;
    let nemesis = SandboxNemesis::new(Arc::clone(&network), prober, clock);
    let cut = isolate_first(&network)?;
    let active = nemesis.cut_blocking(cut).map_err(|error| said(&error))?;
    thread::sleep(Duration::from_millis(100));
    let partition = nemesis.heal_blocking(active).map_err(|error| said(&error))?;
    match (partition.proof, partition.healed) {
        (Proof::Missing { reason }, _) => Err(format!("the cut could not be proven: {reason}")),
        (Proof::Confirmed, None) => Err("after the heal no probe came back".to_string()),
        (Proof::Confirmed, Some(_)) => {
            let packets: u64 = partition.dropped_packets.iter().map(|(_, count)| count).sum();
            let families = if network.ipv6() { "IPv4 and IPv6" } else { "IPv4" };
            Ok(format!("two nodes cut and healed, {families}, proven by {packets} lost probes"))
        }
    }
}

fn isolate_first(network: &Network) -> Result<Cut, String> {
    use rand::SeedableRng;
    let names = network.names();
    let isolate = plan::Partition::IsolateNode(names[0].clone());
    // Nothing is left to chance in this kind.
    let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(0);
    cut_links(&isolate, &names, None, &mut rng).map_err(|error| error.to_string())
}

/// Partitions do without; only faults that delay packets would need it.
fn optional(name: &str, tried: Result<(), String>) -> Check {
    match tried {
        Ok(()) => Check::ok(name, "works (partitions do not need it)"),
        Err(_) => Check::ok(name, "not available here (partitions do not need it)"),
    }
}

fn cores() -> Check {
    match thread::available_parallelism().map_or(1, usize::from) {
        1 => Check::not(
            Status::Warn,
            "cores",
            "1: nodes and clients wait for each other, so latencies say little",
            "use a machine with two or more",
        ),
        count => Check::ok("cores", count.to_string()),
    }
}

fn memory() -> Check {
    let text = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    memory_check(available_kibibytes(&text))
}

fn available_kibibytes(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find(|line| line.starts_with("MemAvailable:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

fn memory_check(kibibytes: Option<u64>) -> Check {
    let name = "memory";
    let Some(kibibytes) = kibibytes else {
        return Check::not(Status::Warn, name, "/proc/meminfo does not say", "look at `free`");
    };
    let found = format!("{:.1} GiB available", kibibytes as f64 / f64::from(1 << 20));
    if kibibytes < 1 << 20 {
        let mend = "end other programs; three etcd nodes take 0.1 GiB, three Java ones 0.3 GiB";
        return Check::not(Status::Warn, name, found, mend);
    }
    Check::ok(name, found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_aligned_and_fits_80_columns() {
        let mend = "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0 or do nothing \
                    at all and be content with what there is";
        let checks = [
            Check::ok("cores", "2"),
            Check::not(Status::Fail, "user namespaces", "refused by the kernel", mend),
        ];
        let text = render(&checks);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "ok    cores             2");
        assert_eq!(lines[1], "FAIL  user namespaces   refused by the kernel");
        assert_eq!(lines[2], format!("{:24}-> sudo sysctl -w", ""));
        assert!(
            lines.iter().all(|line| line.len() <= WIDTH || !line.trim().contains(' ')),
            "{text}"
        );
        assert!(text.ends_with("content with what there is\n"), "{text}");
    }

    #[test]
    fn one_failure_makes_it_unhealthy_and_a_warning_does_not() {
        let ok = Check::ok("a", "b");
        let warn = Check::not(Status::Warn, "a", "b", "c");
        let fail = Check::not(Status::Fail, "a", "b", "c");
        assert!(healthy(&[ok.clone(), warn]));
        assert!(!healthy(&[ok, fail]));
    }

    #[test]
    fn json_has_the_four_fields() {
        let check = Check::not(Status::Warn, "memory", "0.5 GiB", "end other programs");
        assert_eq!(
            serde_json::to_string(&check).unwrap(),
            r#"{"name":"memory","status":"warn","found":"0.5 GiB","mend":"end other programs"}"#
        );
    }

    #[test]
    fn memory_is_read_and_judged() {
        let text = "MemTotal:  24684084 kB\nMemFree: 5 kB\nMemAvailable:   786432 kB\n";
        assert_eq!(available_kibibytes(text), Some(786_432));
        let check = memory_check(Some(786_432));
        assert_eq!((check.status, &*check.found), (Status::Warn, "0.8 GiB available"));
        assert_eq!(memory_check(Some(8 << 20)).status, Status::Ok);
        assert_eq!(memory_check(None).status, Status::Warn);
    }
}

//! The plan as text for a person: what `splitbrain plan` prints, 80 columns wide.
//!
//! The rules of the firewall are shown exactly, and never broken.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

use super::duration::format as time;
use super::model::{NodePlan, Partition, Phase, Plan, ReadyProbe, Target, Workload};
use super::site::{Clients, Server, Site, SshHost};
use super::workload::running_time;

const WIDTH: usize = 80;
/// Column of values beside a label.
const INDENT: usize = 14;
/// Column of what happens in a phase.
const PHASE_INDENT: usize = 22;
/// Column of the rules: far enough to the left for them to fit.
const RULES_INDENT: usize = 8;

/// The whole text. `rules` gives the text of the rules that cut a partition; what it returns is
/// printed below the phase as it is.
pub fn timeline(plan: &Plan, rules: &dyn Fn(&Partition) -> String) -> String {
    let mut text = String::new();
    let (workload, target) = (&plan.workload, &plan.target);
    line(&mut text, "workload", &workload.name);
    line(&mut text, "target", &format!("{} (driver {})", target.name, target.driver));
    for (name, value) in &target.settings {
        line(&mut text, "", &format!("--set {name}={value}"));
    }
    line(&mut text, "seed", &plan.seed.to_string());
    text.push('\n');
    phases(&mut text, workload, rules);
    text.push('\n');
    clients(&mut text, workload, target);
    text.push('\n');
    cluster(&mut text, target);
    for node in &target.nodes {
        text.push('\n');
        node_lines(&mut text, node);
    }
    text
}

/// Start, length and content of every phase.
fn phases(text: &mut String, workload: &Workload, rules: &dyn Fn(&Partition) -> String) {
    let mut start = Duration::ZERO;
    put(text, &format!("{:>8}  {:>9}  phase", "start", "length"));
    for phase in &workload.phases {
        let length = match phase {
            Phase::Settle { limit } => format!("<= {}", time(*limit)),
            _ => time(phase.length()),
        };
        let what = match phase {
            Phase::Healthy { .. } => "healthy".to_string(),
            Phase::Settle { .. } => {
                "settle: no writes, every key is read at every node until all agree".to_string()
            }
            Phase::Faults { partitions, .. } => {
                let names: Vec<String> = partitions.iter().map(Partition::to_string).collect();
                format!("partition: {}", names.join("; at once: "))
            }
        };
        let head = format!("{:>8}  {length:>9}  ", time(start));
        wrapped(text, &head, PHASE_INDENT, &what);
        for partition in phase.partitions() {
            for rule in rules(partition).lines() {
                put(text, &format!("{:RULES_INDENT$}{rule}", ""));
            }
        }
        start += phase.length();
    }
    let running = running_time(&workload.phases);
    let total = match start > running {
        true => format!("{}, then at most {} of settling", time(running), time(start - running)),
        false => time(running),
    };
    put(text, &format!("{:>8}  {total}", "total"));
}

/// Clients, rates, operations, keys and checks.
fn clients(text: &mut String, workload: &Workload, target: &Target) {
    let nodes = target.nodes.len();
    let all = workload.clients * nodes;
    let number = workload.clients;
    let where_they_are = match target.clients {
        Clients::Beside => format!("{number} beside each of {nodes} nodes, {all} in all"),
        Clients::Outside => format!(
            "{number} for each of {nodes} nodes, {all} in all, outside: they reach every node \
             throughout"
        ),
    };
    line(text, "clients", &where_they_are);
    let rate = match workload.rate {
        Some(rate) => {
            let all = (rate * all as f64 * 1e3).round() / 1e3;
            format!("{rate}/s each, {all}/s in all (open loop)")
        }
        None => "as fast as it goes (closed loop)".to_string(),
    };
    line(text, "rate", &rate);
    let sum: u64 = workload.operations.values().map(|weight| u64::from(*weight)).sum();
    let shares: Vec<String> = workload
        .operations
        .iter()
        .map(|(function, &weight)| {
            format!("{function} {:.0} %", 100.0 * f64::from(weight) / sum.max(1) as f64)
        })
        .collect();
    line(text, "operations", &shares.join(", "));
    let retire = match workload.writes_per_key {
        Some(writes) => format!("; after {writes} writes a key retires for a fresh one"),
        None => String::new(),
    };
    line(text, "keys", &format!("{} in use{retire}", workload.keys));
    line(text, "timeout", &format!("{}, then indeterminate", time(workload.timeout)));
    let checks: Vec<&str> = workload.checks.iter().map(|check| check.as_str()).collect();
    line(text, "checks", &checks.join(", "));
}

/// What belongs to the cluster as a whole.
fn cluster(text: &mut String, target: &Target) {
    let able: Vec<&str> = target.operations.iter().map(|function| function.as_str()).collect();
    line(text, "cluster", &format!("{} nodes, operations {}", target.nodes.len(), able.join(", ")));
    line(text, "failover", &format!("may take {}", time(target.failover_allowance)));
    line(text, "warm-up", &format!("{} of unrecorded operations", time(target.warm_up)));
    for need in &target.needs {
        line(text, "needs", &format!("{}: {}", need.program, need.install));
    }
    for (label, command) in [("version", &target.version), ("prepare", &target.prepare)] {
        if let Some(command) = command {
            line(text, label, command);
        }
    }
    pairs(text, "sysctl", &target.sysctl);
}

fn node_lines(text: &mut String, node: &NodePlan) {
    let address = match node.port {
        Some(port) => format!("{}:{port}", node.ip),
        None => node.ip.to_string(),
    };
    line(text, &node.name, &address);
    let runs = match &node.site {
        Site::Sandbox(server) => return server_lines(text, server),
        Site::Local { process: None } => "whoever listens there on this host".to_string(),
        Site::Local { process: Some(process) } => format!("process {process} of this host"),
        Site::Namespace { process } => format!("in the network namespace of process {process}"),
        Site::Docker { container, process } => format!("container {container}, process {process}"),
        Site::Ssh(host) => format!("on {}", ssh_host(host)),
    };
    line(text, "  runs", &runs);
}

/// `admin@db1, port 2222, through bastion`.
fn ssh_host(host: &SshHost) -> String {
    let user = host.user.as_ref().map(|user| format!("{user}@")).unwrap_or_default();
    let port = host.port.map(|port| format!(", port {port}")).unwrap_or_default();
    let jump = host.jump.as_ref().map(|jump| format!(", through {jump}")).unwrap_or_default();
    format!("{user}{}{port}{jump}", host.host)
}

fn server_lines(text: &mut String, server: &Server) {
    line(text, "  start", &server.start);
    pairs(text, "  environment", &server.environment);
    for (path, content) in &server.files {
        let lines = content.lines().count();
        let plural = if lines == 1 { "" } else { "s" };
        line(text, "  file", &format!("{path}, {lines} line{plural}"));
    }
    let probe = match &server.ready.probe {
        ReadyProbe::Http(url) => format!("GET {url}"),
        ReadyProbe::Command(command) => command.clone(),
    };
    let contains = match server.ready.contains.is_empty() {
        true => String::new(),
        false => format!(", answer with `{}`", server.ready.contains),
    };
    line(text, "  ready", &format!("{probe}{contains}, within {}", time(server.ready.within)));
}

fn pairs(text: &mut String, label: &str, pairs: &BTreeMap<String, String>) {
    for (name, value) in pairs {
        line(text, label, &format!("{name}={value}"));
    }
}

/// A label with its value.
fn line(text: &mut String, label: &str, value: &str) {
    wrapped(text, &format!("{label:<width$} ", width = INDENT - 1), INDENT, value);
}

/// A head and words after it; lines that follow are indented. Blanks and line breaks in the
/// words count as one blank.
fn wrapped(text: &mut String, head: &str, indent: usize, words: &str) {
    let mut current = head.to_string();
    let mut column = head.chars().count();
    let mut first = true;
    for mut word in words.split_whitespace() {
        let length = word.chars().count();
        if !first && column + 1 + length > WIDTH {
            put(text, &current);
            current = " ".repeat(indent);
            column = indent;
        } else if !first {
            current.push(' ');
            column += 1;
        }
        first = false;
        // A word that is wider than a line is broken where the line ends.
        while column + word.chars().count() > WIDTH {
            let end = word.char_indices().nth(WIDTH - column).map_or(word.len(), |(at, _)| at);
            put(text, &format!("{current}{}", &word[..end]));
            word = &word[end..];
            current = " ".repeat(indent);
            column = indent;
        }
        current += word;
        column += word.chars().count();
    }
    put(text, &current);
}

/// One line without blanks at its end.
fn put(text: &mut String, line: &str) {
    writeln!(text, "{}", line.trim_end()).expect("writing to a string does not fail");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrap(words: &str) -> Vec<String> {
        let mut text = String::new();
        line(&mut text, "start", words);
        text.lines().map(str::to_string).collect()
    }

    #[test]
    fn long_values_are_wrapped_and_long_words_broken() {
        assert_eq!(wrap("a\n  b"), ["start         a b"]);
        assert_eq!(wrap(""), ["start"]);
        let lines = wrap(&format!("exec {} {}", "x".repeat(60), "y".repeat(100)));
        assert!(lines.iter().all(|line| line.chars().count() <= WIDTH), "{lines:#?}");
        assert_eq!(lines[0], format!("start         exec {}", "x".repeat(60)));
        assert_eq!(lines[1], format!("{}{}", " ".repeat(14), "y".repeat(66)));
        assert_eq!(lines[2], format!("{}{}", " ".repeat(14), "y".repeat(34)));
    }
}

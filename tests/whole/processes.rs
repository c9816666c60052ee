//! Which processes there are, as /proc tells it.

use std::collections::BTreeSet;
use std::fs;

/// Every process whose command line or environment contains `marker`, this test aside.
/// Environments are inherited, so a marker in one finds everything that was started from there.
pub fn marked(marker: &str) -> Vec<i32> {
    let me = std::process::id() as i32;
    let names = |pid: &i32, file: &str| contains(&read(*pid, file), marker.as_bytes());
    let marked = |pid: &i32| *pid != me && (names(pid, "cmdline") || names(pid, "environ"));
    all().into_iter().filter(marked).collect()
}

/// The processes that `pid` started and that have not ended.
pub fn children(pid: i32) -> Vec<i32> {
    all().into_iter().filter(|&child| parent(child) == Some(pid)).collect()
}

/// The parent of a process; `None` if the process has ended, whether or not anybody has asked
/// for its exit code yet.
fn parent(pid: i32) -> Option<i32> {
    let stat = String::from_utf8_lossy(&read(pid, "stat")).into_owned();
    // Behind the program's name, which may contain anything: state, parent.
    let mut words = stat.rsplit_once(')')?.1.split_whitespace();
    if words.next()? == "Z" { None } else { words.next()?.parse().ok() }
}

/// Number and command line of a process, for messages.
pub fn name(pid: i32) -> String {
    format!("{pid} {}", command_line(pid))
}

/// The command line of a process; empty if it has ended.
pub fn command_line(pid: i32) -> String {
    String::from_utf8_lossy(&read(pid, "cmdline")).replace('\0', " ").trim().to_string()
}

/// The namespaces of these processes that this test is not in itself.
pub fn namespaces(pids: &[i32]) -> BTreeSet<String> {
    let own = namespaces_of(std::process::id() as i32);
    pids.iter().flat_map(|&pid| namespaces_of(pid)).filter(|space| !own.contains(space)).collect()
}

/// Processes in one of these namespaces.
pub fn inside(namespaces: &BTreeSet<String>) -> Vec<String> {
    let is_inside =
        |pid: &i32| parent(*pid).is_some() && !namespaces_of(*pid).is_disjoint(namespaces);
    all().into_iter().filter(is_inside).map(name).collect()
}

fn namespaces_of(pid: i32) -> BTreeSet<String> {
    ["user", "mnt", "net", "pid", "ipc", "uts"]
        .iter()
        .filter_map(|kind| fs::read_link(format!("/proc/{pid}/ns/{kind}")).ok())
        .map(|link| link.to_string_lossy().into_owned())
        .collect()
}

fn all() -> Vec<i32> {
    let entries = fs::read_dir("/proc").expect("there is a /proc");
    entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

/// Empty if the process has ended or is not ours to look into.
fn read(pid: i32, file: &str) -> Vec<u8> {
    fs::read(format!("/proc/{pid}/{file}")).unwrap_or_default()
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

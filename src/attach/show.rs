//! What a run would do to the machines of a cluster that runs already, for `splitbrain plan`.
//! Nothing is looked up: what only the machines know stands there by name.

use std::collections::BTreeSet;

use splitbrain_checkers::partition::Link;

use super::addresses::AddressFilter;
use super::filter::Filter;
use super::keeper::PROGRAM;
use super::local::LocalFilter;
use crate::access;
use crate::plan::Target;

const WORDS: [&str; 6] = ["sh", "-c", "KEEPER", "keeper", "VERB", "..."];

/// The rules that cut `links`, for each machine.
pub fn example_rules(target: &Target, links: &BTreeSet<Link>) -> String {
    let (filter, local) = sketch(target);
    let mut text = String::new();
    for (rules, node) in filter.rules(links).iter().zip(&target.nodes) {
        let at = if local { "this host" } else { &node.name };
        text += &format!("{at} iptables-restore --noflush\n");
        for line in rules.ipv4.lines() {
            text += &format!("  {line}\n");
        }
    }
    text
}

/// How links will be told apart, as far as it can be said now.
fn sketch(target: &Target) -> (Box<dyn Filter>, bool) {
    match target.is_local() {
        true => (Box::new(LocalFilter::sketch(&target.nodes)), true),
        false => (Box::new(AddressFilter::sketch(&target.nodes)), false),
    }
}

/// What is run on every machine, as root, word for word.
pub fn commands(target: &Target) -> String {
    let (filter, local) = sketch(target);
    let found = match local {
        true => {
            "Found when the run begins: the control group of each node's processes, every port on\n\
             which they listen, and the connections between them that are there already, each of\n\
             which has a rule of its own. `ss -H -tuanp` says so.\n"
        }
        false => {
            "Found when the run begins: every other address of a node, which has rules of its own\n\
             (`ip -o addr show scope global` says so), and where ssh logs in, which is let through.\n"
        }
    };
    let mut text =
        found.to_string() + "The same is done by ip6tables-restore. The way to our chain:\n";
    let way_in = filter.way_in().into_iter().next().unwrap_or_default().ipv4;
    way_in.lines().for_each(|line| text += &format!("  {line}\n"));
    text += "\nAs root on every machine, for each step of the run (VERB: claim, group, apply, beat,\n\
             connect, counters, release; heal by `splitbrain heal`, look by `splitbrain doctor`):\n";
    let lines: BTreeSet<String> =
        target.nodes.iter().map(|node| access::command_line(&node.site, &WORDS)).collect();
    lines.iter().for_each(|line| text += &format!("  {line}\n"));
    text += "KEEPER is this program:\n";
    PROGRAM.lines().for_each(|line| text += &format!("  {line}\n"));
    text
}

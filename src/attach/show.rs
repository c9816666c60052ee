//! What a run would do to the machines of a cluster that runs already, for `splitbrain plan`.
//! Nothing is looked up: what only the machines know stands there by name.

use std::collections::BTreeSet;

use splitbrain_checkers::partition::Link;

use super::addresses::AddressFilter;
use super::filter::Filter;
use super::keeper::PROGRAM;
use super::local::LocalFilter;
use crate::access;
use crate::plan::{Site, Target};

const WORDS: [&str; 6] = ["sh", "-c", "KEEPER", "keeper", "VERB", "..."];

/// The rules that cut `links`, for each machine, and what they leave to be found.
pub fn example_rules(target: &Target, links: &BTreeSet<Link>) -> String {
    let local = target.nodes.iter().any(|node| matches!(node.site, Site::Local { .. }));
    let (filter, note): (Box<dyn Filter>, &str) = if local {
        (
            Box::new(LocalFilter::sketch(&target.nodes)),
            "with every port on which a node's processes listen, and one more rule for each \
             connection that is there already",
        )
    } else {
        (
            Box::new(AddressFilter::sketch(&target.nodes)),
            "with every other address that a node has, and the same by ip6tables",
        )
    };
    let mut text = format!("{note}:\n");
    for (rules, node) in filter.rules(links).iter().zip(&target.nodes) {
        let at = if local { "this host" } else { &node.name };
        text += &format!("{at} iptables-restore\n");
        for line in rules.ipv4.lines() {
            text += &format!("  {line}\n");
        }
    }
    text
}

/// What is run on every machine, as root, word for word.
pub fn commands(target: &Target) -> String {
    let mut text = String::from(
        "As root on every machine, for each step of the run (VERB: claim, group, apply, beat,\n\
         connect, counters, release; heal by `splitbrain heal`):\n",
    );
    let mut shown = BTreeSet::new();
    for node in &target.nodes {
        let line = access::command_line(&node.site, &WORDS);
        if shown.insert(line.clone()) {
            text += &format!("  {line}\n");
        }
    }
    text += "Beside it: `ss -H -tuanp` on this host, or `ip -o addr show scope global` on a node.\n\
             KEEPER is this program:\n";
    for line in PROGRAM.lines() {
        text += &format!("  {line}\n");
    }
    text
}

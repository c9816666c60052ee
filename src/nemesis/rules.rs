//! From links to the exact text for `iptables-restore`, and back from its counters. Pure.
//!
//! A link is cut where it ends: the receiving node drops what comes from the sender's address.
//! All rules are in a chain of our own, so foreign rules are neither read nor changed; one line
//! at the top of INPUT leads there.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::net::{IpAddr, Ipv4Addr};

use splitbrain_checkers::history::Name;
use splitbrain_checkers::partition::Link;

use crate::sandbox::{Family, ipv6_of};

/// The chain that holds our rules.
pub const CHAIN: &str = "SPLITBRAIN";

/// Removes our chain and the way to it, and nothing else. Fails if there is none.
pub const UNDO: &str = "*filter\n-D INPUT -j SPLITBRAIN\n-F SPLITBRAIN\n-X SPLITBRAIN\nCOMMIT\n";

/// What one node is given for one family: input of `iptables-restore --noflush`, applied
/// all at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleText {
    pub node: Name,
    pub family: Family,
    pub text: String,
}

/// The rules of every node that has something to drop, in the order of the nodes.
pub fn apply_texts(
    links: &BTreeSet<Link>,
    nodes: &[(Name, Ipv4Addr)],
    families: &[Family],
) -> Vec<RuleText> {
    texts(links, nodes, families, |node, family| {
        let mut text = format!("*filter\n:{CHAIN} - [0:0]\n-I INPUT 1 -j {CHAIN}\n");
        for (source, ip) in nodes.iter().filter(|(source, _)| is_cut(links, source, node)) {
            let _ = writeln!(
                text,
                "-A {CHAIN} -s {} -m comment --comment \"{source} -> {node}\" -j DROP",
                address(*ip, family)
            );
        }
        text + "COMMIT\n"
    })
}

/// What takes the rules of [`apply_texts`] away again: the last node's first.
pub fn undo_texts(
    links: &BTreeSet<Link>,
    nodes: &[(Name, Ipv4Addr)],
    families: &[Family],
) -> Vec<RuleText> {
    let mut texts = texts(links, nodes, families, |_, _| UNDO.to_string());
    texts.reverse();
    texts
}

fn texts(
    links: &BTreeSet<Link>,
    nodes: &[(Name, Ipv4Addr)],
    families: &[Family],
    text: impl Fn(&Name, Family) -> String,
) -> Vec<RuleText> {
    let receives = |node: &Name| links.iter().any(|link| link.to == *node);
    let of = |node: &Name| {
        let rule_text = |&family| RuleText { node: node.clone(), family, text: text(node, family) };
        families.iter().map(rule_text).collect::<Vec<_>>()
    };
    nodes.iter().filter(|(node, _)| receives(node)).flat_map(|(node, _)| of(node)).collect()
}

fn is_cut(links: &BTreeSet<Link>, from: &Name, to: &Name) -> bool {
    links.contains(&Link { from: from.clone(), to: to.clone() })
}

/// The address of a node in a family.
pub fn address(ip: Ipv4Addr, family: Family) -> IpAddr {
    match family {
        Family::Ipv4 => IpAddr::V4(ip),
        Family::Ipv6 => IpAddr::V6(ipv6_of(ip)),
    }
}

/// How many packets our rules dropped, by source, from what `iptables-save -c` printed. `None`
/// if our chain is not there.
///
/// # Errors
/// The line of our chain that cannot be read.
pub fn counters(saved: &str) -> Result<Option<BTreeMap<IpAddr, u64>>, String> {
    let declared = format!(":{CHAIN} ");
    if !saved.lines().any(|line| line.starts_with(&declared)) {
        return Ok(None);
    }
    let rule = format!("-A {CHAIN} ");
    let ours = saved.lines().filter(|line| line.contains(&rule));
    ours.map(|line| counter(line).ok_or_else(|| line.to_string()))
        .collect::<Result<_, _>>()
        .map(Some)
}

/// `[packets:bytes] -A SPLITBRAIN -s 10.77.0.2/32 ...`
fn counter(line: &str) -> Option<(IpAddr, u64)> {
    let (packets, _) = line.strip_prefix('[')?.split_once(':')?;
    let (_, source) = line.split_once(" -s ")?;
    let source = source.split_whitespace().next()?;
    let (ip, _) = source.split_once('/').unwrap_or((source, ""));
    Some((ip.parse().ok()?, packets.parse().ok()?))
}

/// Whether any trace of ours is left in what `iptables-save` printed.
pub fn is_gone(saved: &str) -> bool {
    !saved.contains(CHAIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOTH: [Family; 2] = [Family::Ipv4, Family::Ipv6];

    fn nodes() -> Vec<(Name, Ipv4Addr)> {
        (1..=3).map(|i| (Name::from(format!("n{i}")), Ipv4Addr::new(10, 77, 0, i))).collect()
    }

    fn links(list: &[(&str, &str)]) -> BTreeSet<Link> {
        list.iter().map(|(from, to)| Link { from: (*from).into(), to: (*to).into() }).collect()
    }

    #[test]
    fn the_receiver_drops_what_the_sender_sends() {
        let links = links(&[("n1", "n2"), ("n1", "n3"), ("n2", "n1"), ("n3", "n1")]);
        let texts = apply_texts(&links, &nodes(), &BOTH);
        let whom: Vec<(&str, Family)> =
            texts.iter().map(|text| (&*text.node, text.family)).collect();
        let expected = ["n1", "n2", "n3"].map(|node| BOTH.map(|family| (node, family)));
        assert_eq!(whom, expected.concat());
        assert_eq!(
            texts[0].text,
            "*filter\n\
             :SPLITBRAIN - [0:0]\n\
             -I INPUT 1 -j SPLITBRAIN\n\
             -A SPLITBRAIN -s 10.77.0.2 -m comment --comment \"n2 -> n1\" -j DROP\n\
             -A SPLITBRAIN -s 10.77.0.3 -m comment --comment \"n3 -> n1\" -j DROP\n\
             COMMIT\n"
        );
        assert_eq!(
            texts[3].text,
            "*filter\n\
             :SPLITBRAIN - [0:0]\n\
             -I INPUT 1 -j SPLITBRAIN\n\
             -A SPLITBRAIN -s fd77::1 -m comment --comment \"n1 -> n2\" -j DROP\n\
             COMMIT\n"
        );
    }

    #[test]
    fn one_way_touches_the_receiver_alone() {
        let links = links(&[("n1", "n2")]);
        let texts = apply_texts(&links, &nodes(), &[Family::Ipv4]);
        assert_eq!(texts.len(), 1);
        assert_eq!(&*texts[0].node, "n2");
        let undo = undo_texts(&links, &nodes(), &[Family::Ipv4]);
        assert_eq!(undo, [RuleText { node: "n2".into(), family: Family::Ipv4, text: UNDO.into() }]);
    }

    #[test]
    fn what_was_put_in_last_is_taken_out_first() {
        let links = links(&[("n1", "n2"), ("n2", "n1"), ("n1", "n3")]);
        let whom = |texts: Vec<RuleText>| -> Vec<(Name, Family)> {
            texts.into_iter().map(|text| (text.node, text.family)).collect()
        };
        let applied = whom(apply_texts(&links, &nodes(), &BOTH));
        let mut undone = whom(undo_texts(&links, &nodes(), &BOTH));
        undone.reverse();
        assert_eq!(applied, undone);
    }

    #[test]
    fn the_undo_names_nothing_but_our_chain() {
        for line in UNDO.lines().filter(|line| line.starts_with('-')) {
            assert!(line.contains(CHAIN), "{line}");
        }
    }

    #[test]
    fn counters_are_read_by_source() {
        // As iptables 1.8.9 (nf_tables) prints it; the second and third lines are foreign.
        let saved = "# Generated by iptables-save\n*filter\n:INPUT ACCEPT [9:540]\n\
            :SPLITBRAIN - [0:0]\n[12:720] -A INPUT -j SPLITBRAIN\n\
            [3:180] -A INPUT -s 10.77.0.2/32 -j DROP\n\
            [12:340] -A SPLITBRAIN -s 10.77.0.2/32 -m comment --comment \"n2 -> n1\" -j DROP\n\
            [0:0] -A SPLITBRAIN -s fd77::3/128 -m comment --comment \"n3 -> n1\" -j DROP\n\
            COMMIT\n";
        let counted = counters(saved).unwrap().unwrap();
        let expected = [("10.77.0.2".parse().unwrap(), 12), ("fd77::3".parse().unwrap(), 0)];
        assert_eq!(counted, BTreeMap::from(expected));
        assert!(!is_gone(saved));
    }

    #[test]
    fn no_chain_is_not_no_packets() {
        let saved = "*filter\n:INPUT ACCEPT [0:0]\nCOMMIT\n";
        assert_eq!(counters(saved), Ok(None));
        assert!(is_gone(saved));
        let broken = ":SPLITBRAIN - [0:0]\n[x] -A SPLITBRAIN -j DROP\n";
        assert_eq!(counters(broken), Err("[x] -A SPLITBRAIN -j DROP".to_string()));
    }
}

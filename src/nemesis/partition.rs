//! Which links a partition cuts, and which nodes can still reach each other after it. Pure.

use std::collections::BTreeSet;

use rand::Rng;
use rand::seq::SliceRandom;
use splitbrain_checkers::history::Name;
use splitbrain_checkers::partition::Link;

use crate::plan::Partition;

/// The links that are to be cut, and what to call that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cut {
    /// As the workload has it, resolved: `isolate n1 (primary)`.
    pub name: String,
    pub links: BTreeSet<Link>,
}

/// Why a partition cannot be made of these nodes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CutError {
    #[error("isolate primary: no node leads at this moment, so there is none to isolate")]
    NoPrimary,
    #[error("{partition}: there is no node {node:?}; this cluster has {}", .nodes.join(", "))]
    NoSuchNode { partition: &'static str, node: Name, nodes: Vec<Name> },
    #[error("groups: node {0} is in more than one group; every node is in exactly one")]
    InTwoGroups(Name),
    #[error("groups: node {0} is in no group; every node is in exactly one")]
    InNoGroup(Name),
    #[error("{partition}: {nodes} nodes are too few, it takes at least {least}")]
    TooFew { partition: &'static str, nodes: usize, least: usize },
    #[error("{0}: this cuts no link at all")]
    Nothing(&'static str),
}

/// Resolves a partition: which nodes it isolates may depend on `rng` and on who is primary.
///
/// # Errors
/// If it names unknown nodes, cuts nothing, or needs a primary where there is none.
pub fn cut_links(
    partition: &Partition,
    nodes: &[Name],
    primary: Option<&Name>,
    rng: &mut impl Rng,
) -> Result<Cut, CutError> {
    let kind = kind(partition);
    let (name, links) = match partition {
        Partition::IsolateOne => {
            at_least(2, kind, nodes)?;
            isolate(&nodes[rng.random_range(0..nodes.len())], "", nodes)
        }
        Partition::IsolatePrimary => {
            let primary = primary.ok_or(CutError::NoPrimary)?;
            isolate(known(primary, kind, nodes)?, " (primary)", nodes)
        }
        Partition::IsolateNode(node) => isolate(known(node, kind, nodes)?, "", nodes),
        Partition::HalvesRandom => {
            at_least(2, kind, nodes)?;
            halves(nodes, rng)
        }
        Partition::Groups(groups) => self::groups(groups, kind, nodes)?,
        Partition::Bridge(node) => bridge(known(node, kind, nodes)?, kind, nodes)?,
        Partition::Ring => ring(kind, nodes)?,
        Partition::OneWay { from, to } => one_way(from, to, kind, nodes)?,
    };
    if links.is_empty() {
        return Err(CutError::Nothing(kind));
    }
    Ok(Cut { name, links })
}

/// Several partitions at once: every link that any of them cuts.
pub fn union(cuts: &[Cut]) -> Cut {
    let names: Vec<&str> = cuts.iter().map(|cut| &*cut.name).collect();
    let links = cuts.iter().flat_map(|cut| cut.links.iter().cloned()).collect();
    Cut { name: names.join(" and "), links }
}

/// Groups of nodes that still reach each other in both directions, directly or through others:
/// the strongly connected components of the links that are left, largest first, then in the
/// order of the nodes.
pub fn components(nodes: &[Name], cut: &BTreeSet<Link>) -> Vec<Vec<Name>> {
    let count = nodes.len();
    let mut reaches = vec![vec![false; count]; count];
    for (from, row) in reaches.iter_mut().enumerate() {
        for (to, reached) in row.iter_mut().enumerate() {
            *reached = from == to || !cut.contains(&link(&nodes[from], &nodes[to]));
        }
    }
    // Warshall's transitive closure: a cluster has a handful of nodes.
    for via in 0..count {
        for from in 0..count {
            for to in 0..count {
                reaches[from][to] |= reaches[from][via] && reaches[via][to];
            }
        }
    }
    let mut components: Vec<Vec<Name>> = Vec::new();
    for (node, reached) in reaches.iter().enumerate() {
        let together = |other: &usize| reached[*other] && reaches[*other][node];
        let members: Vec<usize> = (0..count).filter(together).collect();
        if members[0] == node {
            components.push(members.into_iter().map(|member| nodes[member].clone()).collect());
        }
    }
    components.sort_by_key(|component| std::cmp::Reverse(component.len()));
    components
}

fn kind(partition: &Partition) -> &'static str {
    match partition {
        Partition::IsolateOne => "isolate one",
        Partition::IsolatePrimary => "isolate primary",
        Partition::IsolateNode(_) => "isolate",
        Partition::HalvesRandom => "halves",
        Partition::Groups(_) => "groups",
        Partition::Bridge(_) => "bridge",
        Partition::Ring => "ring",
        Partition::OneWay { .. } => "one-way",
    }
}

fn link(from: &Name, to: &Name) -> Link {
    Link { from: from.clone(), to: to.clone() }
}

fn known<'a>(
    node: &Name,
    partition: &'static str,
    nodes: &'a [Name],
) -> Result<&'a Name, CutError> {
    let found = nodes.iter().find(|name| *name == node);
    found.ok_or_else(|| CutError::NoSuchNode {
        partition,
        node: node.clone(),
        nodes: nodes.to_vec(),
    })
}

fn at_least(least: usize, partition: &'static str, nodes: &[Name]) -> Result<(), CutError> {
    if nodes.len() < least {
        return Err(CutError::TooFew { partition, nodes: nodes.len(), least });
    }
    Ok(())
}

/// Both directions of every link between different sides.
fn between(sides: &[&[Name]]) -> BTreeSet<Link> {
    let mut links = BTreeSet::new();
    for (position, side) in sides.iter().enumerate() {
        for other in sides[position + 1..].iter().flat_map(|side| side.iter()) {
            for node in *side {
                links.insert(link(node, other));
                links.insert(link(other, node));
            }
        }
    }
    links
}

fn listed(sides: &[&[Name]]) -> String {
    let side = |side: &&[Name]| side.join(" ");
    sides.iter().map(side).collect::<Vec<_>>().join(" | ")
}

fn isolate(node: &Name, note: &str, nodes: &[Name]) -> (String, BTreeSet<Link>) {
    let others: Vec<Name> = nodes.iter().filter(|other| *other != node).cloned().collect();
    let alone = std::slice::from_ref(node);
    (format!("isolate {node}{note}"), between(&[alone, &others]))
}

fn halves(nodes: &[Name], rng: &mut impl Rng) -> (String, BTreeSet<Link>) {
    let mut order: Vec<usize> = (0..nodes.len()).collect();
    order.shuffle(rng);
    let (larger, smaller) = order.split_at_mut(nodes.len().div_ceil(2));
    let side = |half: &mut [usize]| -> Vec<Name> {
        half.sort_unstable();
        half.iter().map(|&node| nodes[node].clone()).collect()
    };
    let (larger, smaller) = (side(larger), side(smaller));
    let sides = [&*larger, &*smaller];
    (format!("halves {}", listed(&sides)), between(&sides))
}

fn groups(
    groups: &[Vec<Name>],
    kind: &'static str,
    nodes: &[Name],
) -> Result<(String, BTreeSet<Link>), CutError> {
    let mut seen = BTreeSet::new();
    for node in groups.iter().flatten() {
        if !seen.insert(known(node, kind, nodes)?) {
            return Err(CutError::InTwoGroups(node.clone()));
        }
    }
    if let Some(node) = nodes.iter().find(|node| !seen.contains(node)) {
        return Err(CutError::InNoGroup(node.clone()));
    }
    let sides: Vec<&[Name]> = groups.iter().map(Vec::as_slice).collect();
    Ok((format!("groups {}", listed(&sides)), between(&sides)))
}

fn bridge(
    node: &Name,
    kind: &'static str,
    nodes: &[Name],
) -> Result<(String, BTreeSet<Link>), CutError> {
    at_least(3, kind, nodes)?;
    let others: Vec<Name> = nodes.iter().filter(|other| *other != node).cloned().collect();
    let (larger, smaller) = others.split_at(others.len().div_ceil(2));
    let sides = [larger, smaller];
    Ok((format!("bridge {node}: {}", listed(&sides)), between(&sides)))
}

fn ring(kind: &'static str, nodes: &[Name]) -> Result<(String, BTreeSet<Link>), CutError> {
    // In a ring of three everybody is everybody's neighbour.
    at_least(4, kind, nodes)?;
    let mut links = BTreeSet::new();
    for (i, from) in nodes.iter().enumerate() {
        for (j, to) in nodes.iter().enumerate() {
            let distance = i.abs_diff(j);
            if distance > 1 && distance < nodes.len() - 1 {
                links.insert(link(from, to));
            }
        }
    }
    Ok((format!("ring {}", nodes.join(" ")), links))
}

fn one_way(
    from: &[Name],
    to: &[Name],
    kind: &'static str,
    nodes: &[Name],
) -> Result<(String, BTreeSet<Link>), CutError> {
    let mut links = BTreeSet::new();
    for source in from {
        for destination in to {
            let source = known(source, kind, nodes)?;
            let destination = known(destination, kind, nodes)?;
            if source != destination {
                links.insert(link(source, destination));
            }
        }
    }
    Ok((format!("one-way {} -> {}", from.join(" "), to.join(" ")), links))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;

    fn nodes(count: usize) -> Vec<Name> {
        (1..=count).map(|i| Name::from(format!("n{i}"))).collect()
    }

    fn names(list: &str) -> Vec<Name> {
        list.split_whitespace().map(Name::from).collect()
    }

    fn cut(partition: &Partition, count: usize) -> Result<Cut, CutError> {
        let mut rng = ChaCha8Rng::seed_from_u64(7);
        cut_links(partition, &nodes(count), Some(&"n2".into()), &mut rng)
    }

    /// `1>2` for a link from n1 to n2.
    fn shown(cut: &Cut) -> String {
        let of = |link: &Link| format!("{}>{}", &link.from[1..], &link.to[1..]);
        cut.links.iter().map(of).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn isolating_a_node_cuts_both_directions_to_all_others() {
        let cut = cut(&Partition::IsolateNode("n1".into()), 3).unwrap();
        assert_eq!(cut.name, "isolate n1");
        assert_eq!(shown(&cut), "1>2 1>3 2>1 3>1");
    }

    #[test]
    fn the_primary_is_the_one_that_leads_now() {
        let cut = cut(&Partition::IsolatePrimary, 3).unwrap();
        assert_eq!(cut.name, "isolate n2 (primary)");
        assert_eq!(shown(&cut), "1>2 2>1 2>3 3>2");
        let mut rng = ChaCha8Rng::seed_from_u64(7);
        let none = cut_links(&Partition::IsolatePrimary, &nodes(3), None, &mut rng);
        assert_eq!(none, Err(CutError::NoPrimary));
    }

    #[test]
    fn the_seed_chooses_and_every_node_gets_its_turn() {
        let mut chosen: BTreeMap<String, usize> = BTreeMap::new();
        for seed in 0..100 {
            let resolve = || {
                let mut rng = ChaCha8Rng::seed_from_u64(seed);
                cut_links(&Partition::IsolateOne, &nodes(3), None, &mut rng).unwrap()
            };
            assert_eq!(resolve(), resolve());
            *chosen.entry(resolve().name).or_default() += 1;
        }
        assert_eq!(chosen.keys().collect::<Vec<_>>(), ["isolate n1", "isolate n2", "isolate n3"]);
    }

    #[test]
    fn the_larger_half_has_the_odd_node() {
        let mut seen = BTreeSet::new();
        for seed in 0..100 {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            let cut = cut_links(&Partition::HalvesRandom, &nodes(5), None, &mut rng).unwrap();
            assert_eq!(cut.links.len(), 2 * 3 * 2);
            let sizes: Vec<usize> =
                components(&nodes(5), &cut.links).iter().map(Vec::len).collect();
            assert_eq!(sizes, [3, 2]);
            seen.insert(cut.name);
        }
        assert_eq!(seen.len(), 10, "every choice of two out of five: {seen:?}");
        assert!(seen.contains("halves n1 n3 n5 | n2 n4"), "{seen:?}");
    }

    #[test]
    fn groups_cannot_reach_each_other() {
        let cut = cut(&Partition::Groups(vec![names("n1"), names("n2 n3"), names("n4")]), 4);
        let cut = cut.unwrap();
        assert_eq!(cut.name, "groups n1 | n2 n3 | n4");
        assert_eq!(shown(&cut), "1>2 1>3 1>4 2>1 2>4 3>1 3>4 4>1 4>2 4>3");
        assert_eq!(components(&nodes(4), &cut.links), [names("n2 n3"), names("n1"), names("n4")]);
    }

    #[test]
    fn groups_hold_every_node_once() {
        let groups =
            |lists: &[&str]| Partition::Groups(lists.iter().map(|list| names(list)).collect());
        assert_eq!(cut(&groups(&["n1", "n2"]), 3), Err(CutError::InNoGroup("n3".into())));
        assert_eq!(cut(&groups(&["n1 n2", "n2 n3"]), 3), Err(CutError::InTwoGroups("n2".into())));
        assert_eq!(cut(&groups(&["n1 n2 n3"]), 3), Err(CutError::Nothing("groups")));
        let unknown = cut(&groups(&["n1 n2 n3", "n9"]), 3).unwrap_err().to_string();
        assert_eq!(unknown, "groups: there is no node \"n9\"; this cluster has n1, n2, n3");
    }

    #[test]
    fn a_bridge_reaches_both_halves() {
        let cut = cut(&Partition::Bridge("n3".into()), 5).unwrap();
        assert_eq!(cut.name, "bridge n3: n1 n2 | n4 n5");
        assert_eq!(shown(&cut), "1>4 1>5 2>4 2>5 4>1 4>2 5>1 5>2");
        assert_eq!(components(&nodes(5), &cut.links), [names("n1 n2 n3 n4 n5")]);
    }

    #[test]
    fn in_a_ring_of_five_each_reaches_its_two_neighbours() {
        let ring = cut(&Partition::Ring, 5).unwrap();
        assert_eq!(ring.name, "ring n1 n2 n3 n4 n5");
        assert_eq!(shown(&ring), "1>3 1>4 2>4 2>5 3>1 3>5 4>1 4>2 5>2 5>3");
        let few = cut(&Partition::Ring, 3).unwrap_err();
        assert_eq!(few, CutError::TooFew { partition: "ring", nodes: 3, least: 4 });
    }

    #[test]
    fn one_way_leaves_the_other_direction() {
        let one_way = |from: &str, to: &str| Partition::OneWay { from: names(from), to: names(to) };
        let cut_one = cut(&one_way("n1", "n2 n3"), 3).unwrap();
        assert_eq!(cut_one.name, "one-way n1 -> n2 n3");
        assert_eq!(shown(&cut_one), "1>2 1>3");
        assert_eq!(components(&nodes(3), &cut_one.links), [names("n2 n3"), names("n1")]);
        assert_eq!(cut(&one_way("n1", "n1"), 3), Err(CutError::Nothing("one-way")));
    }

    #[test]
    fn reaching_each_other_may_go_through_others() {
        // 1 -> 2 -> 3 -> 1 is left: a cycle, so all three are one component.
        let cut: BTreeSet<Link> = [("n2", "n1"), ("n3", "n2"), ("n1", "n3")]
            .map(|(from, to)| link(&from.into(), &to.into()))
            .into();
        assert_eq!(components(&nodes(3), &cut), [names("n1 n2 n3")]);
        assert_eq!(components(&nodes(2), &BTreeSet::new()), [names("n1 n2")]);
    }

    #[test]
    fn several_at_once_are_the_union_of_their_links() {
        let first = cut(&Partition::IsolateNode("n1".into()), 3).unwrap();
        let second = cut(&Partition::OneWay { from: names("n2"), to: names("n1 n3") }, 3).unwrap();
        let both = union(&[first, second]);
        assert_eq!(both.name, "isolate n1 and one-way n2 -> n1 n3");
        assert_eq!(shown(&both), "1>2 1>3 2>1 2>3 3>1");
    }
}

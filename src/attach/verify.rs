//! Whether a cut between nodes that run already was real: a pure function of what was commanded,
//! the counters of the rules, and who could connect to whom.
//!
//! A cut is confirmed when
//! 1. the rules of every cut link dropped packets;
//! 2. before it every pair of nodes could connect, in both directions;
//! 3. while it lasted no cut pair could, in at least one whole round;
//! 4. and every other pair could.

use std::collections::BTreeMap;

use splitbrain_checkers::history::{Name, Time};
use splitbrain_checkers::partition::{Link, Partition};

use super::rounds::Round;
use crate::nemesis::{Cut, components, proof};

/// What was seen of one cut, from its command to its heal.
#[derive(Debug)]
pub struct Observation<'a> {
    pub nodes: &'a [Name],
    pub cut: &'a Cut,
    /// When the command to cut was given.
    pub commanded: Time,
    /// When the last rule was known to be in place.
    pub applied: Time,
    /// When the command to heal was given.
    pub heal_commanded: Time,
    /// Packets that the rules of each link dropped, read before the heal.
    pub dropped: &'a BTreeMap<Link, u64>,
    /// Every round from shortly before the cut until after the heal.
    pub rounds: &'a [Round],
}

/// Judges a cut.
pub fn judge(seen: &Observation) -> Partition {
    let during: Vec<&Round> = seen
        .rounds
        .iter()
        .filter(|round| round.began >= seen.applied && round.ended <= seen.heal_commanded)
        .collect();
    let mut doubts = Vec::new();
    for link in &seen.cut.links {
        doubts.extend(rule_doubt(seen, link));
    }
    match seen.rounds.iter().rev().find(|round| round.ended <= seen.commanded) {
        Some(before) => {
            let in_vain = before.reached.iter().filter(|(_, reached)| !**reached);
            doubts.extend(in_vain.map(|(link, _)| {
                format!("{} could not connect to {} before the cut either", link.from, link.to)
            }));
        }
        None => doubts.push("nobody tried to connect before the cut".to_string()),
    }
    if during.is_empty() {
        doubts.push("the cut was too short for every node to try to connect to every other".into());
    }
    for link in during.first().into_iter().flat_map(|round| round.reached.keys()) {
        doubts.extend(link_doubt(seen, link, &during));
    }
    let receives = |node: &&Name| seen.cut.links.iter().any(|link| link.to == **node);
    let of = |node: &Name| {
        let own = seen.dropped.iter().filter(|(link, _)| link.to == *node);
        (node.clone(), own.map(|(_, packets)| packets).sum())
    };
    Partition {
        name: seen.cut.name.clone(),
        cut: seen.cut.links.clone(),
        components: components(seen.nodes, &seen.cut.links),
        commanded: seen.commanded,
        began: seen.applied,
        heal_commanded: seen.heal_commanded,
        healed: healed(seen),
        dropped_packets: seen.nodes.iter().filter(receives).map(of).collect(),
        proof: proof(doubts),
    }
}

fn rule_doubt(seen: &Observation, link: &Link) -> Option<String> {
    let (from, to) = (&link.from, &link.to);
    match seen.dropped.get(link) {
        None => Some(format!("the rule that cuts {from} -> {to} is not there")),
        Some(0) => Some(format!("the rule that cuts {from} -> {to} dropped no packet")),
        Some(_) => None,
    }
}

/// A pair is cut if either direction is.
fn is_cut(cut: &Cut, link: &Link) -> bool {
    let back = Link { from: link.to.clone(), to: link.from.clone() };
    cut.links.contains(link) || cut.links.contains(&back)
}

fn link_doubt(seen: &Observation, link: &Link, during: &[&Round]) -> Option<String> {
    let reached = |round: &&Round| round.reached.get(link).copied().unwrap_or(false);
    let (from, to) = (&link.from, &link.to);
    if is_cut(seen.cut, link) {
        let leak = during.iter().find(|round| reached(round))?;
        return Some(format!("{from} could connect to {to} at {} in spite of the cut", leak.ended));
    }
    // Once in vain may be a busy machine.
    let in_vain = |pair: &&[&Round]| !pair.iter().any(reached);
    let lost = match during.len() {
        1 => during.windows(1).find(in_vain),
        _ => during.windows(2).find(in_vain),
    };
    lost.map(|rounds| {
        let at = rounds[0].began;
        format!("{from} could not connect to {to} from {at} on, though that was not to be cut")
    })
}

/// When all could connect again after the heal.
fn healed(seen: &Observation) -> Option<Time> {
    let after = seen.rounds.iter().filter(|round| round.began >= seen.heal_commanded);
    after.filter(|round| round.is_whole()).map(|round| round.ended).min()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use splitbrain_checkers::partition::Proof;

    use super::*;

    const MS: u64 = 1_000_000;

    fn link(from: &str, to: &str) -> Link {
        Link { from: from.into(), to: to.into() }
    }

    /// n1 is cut off from n2 and n3 between 1 s and 9 s.
    struct Scene {
        cut: Cut,
        dropped: BTreeMap<Link, u64>,
        rounds: Vec<Round>,
    }

    impl Scene {
        fn new() -> Scene {
            let names = ["n1", "n2", "n3"];
            let pairs = names.iter().flat_map(|from| names.map(|to| link(from, to)));
            let pairs: Vec<Link> = pairs.filter(|link| link.from != link.to).collect();
            let is_cut = |link: &Link| &*link.from == "n1" || &*link.to == "n1";
            let links: BTreeSet<Link> = pairs.iter().filter(|link| is_cut(link)).cloned().collect();
            let round = |began: u64| {
                let cut = (1_000..9_000).contains(&began);
                let reached = pairs.iter().map(|link| (link.clone(), !(cut && is_cut(link))));
                let ended = Time((began + if cut { 1_000 } else { 20 }) * MS);
                Round { began: Time(began * MS), ended, reached: reached.collect() }
            };
            Scene {
                dropped: links.iter().map(|link| (link.clone(), 4)).collect(),
                cut: Cut { name: "isolate n1".into(), links },
                rounds: [900, 1_100, 3_000, 5_000, 9_050].map(round).into(),
            }
        }

        fn judge(&self) -> Partition {
            judge(&Observation {
                nodes: &["n1", "n2", "n3"].map(Name::from),
                cut: &self.cut,
                commanded: Time(1_000 * MS),
                applied: Time(1_030 * MS),
                heal_commanded: Time(9_000 * MS),
                dropped: &self.dropped,
                rounds: &self.rounds,
            })
        }

        fn reason(&self) -> String {
            match self.judge().proof {
                Proof::Missing { reason } => reason,
                Proof::Confirmed => panic!("was confirmed"),
            }
        }

        fn set(&mut self, round: usize, from: &str, to: &str, reached: bool) {
            assert!(self.rounds[round].reached.insert(link(from, to), reached) == Some(!reached));
        }
    }

    #[test]
    fn a_real_cut_is_confirmed() {
        let partition = Scene::new().judge();
        assert_eq!(partition.proof, Proof::Confirmed);
        assert_eq!(partition.healed, Some(Time(9_070 * MS)));
        assert_eq!(partition.components, [vec!["n2".into(), "n3".into()], vec![Name::from("n1")]]);
        let dropped = [("n1", 8), ("n2", 4), ("n3", 4)].map(|(n, c)| (Name::from(n), c));
        assert_eq!(partition.dropped_packets, dropped);
    }

    #[test]
    fn a_connection_in_spite_of_the_cut_is_no_proof() {
        let mut scene = Scene::new();
        scene.set(2, "n2", "n1", true);
        assert_eq!(scene.reason(), "n2 could connect to n1 at 4.000 s in spite of the cut");
    }

    #[test]
    fn rules_that_dropped_nothing_are_no_proof() {
        let mut scene = Scene::new();
        scene.dropped.insert(link("n1", "n3"), 0);
        assert_eq!(scene.reason(), "the rule that cuts n1 -> n3 dropped no packet");
        scene.dropped.remove(&link("n1", "n3"));
        assert_eq!(scene.reason(), "the rule that cuts n1 -> n3 is not there");
    }

    #[test]
    fn what_was_never_connected_was_not_cut() {
        let mut scene = Scene::new();
        scene.set(0, "n3", "n1", false);
        assert_eq!(scene.reason(), "n3 could not connect to n1 before the cut either");
        scene.rounds.remove(0);
        assert_eq!(scene.reason(), "nobody tried to connect before the cut");
    }

    #[test]
    fn a_pair_that_was_to_stay_has_to_stay() {
        let mut scene = Scene::new();
        scene.set(2, "n2", "n3", false);
        assert_eq!(scene.judge().proof, Proof::Confirmed, "once may be a busy machine");
        scene.set(3, "n2", "n3", false);
        assert!(scene.reason().starts_with("n2 could not connect to n3 from 3.000 s on"));
    }

    #[test]
    fn a_cut_without_a_whole_round_is_no_proof() {
        let mut scene = Scene::new();
        scene.rounds.retain(|round| round.began < Time(1_000 * MS));
        assert!(scene.reason().starts_with("the cut was too short"), "{}", scene.reason());
        assert_eq!(scene.judge().healed, None);
    }

    #[test]
    fn of_a_one_way_cut_neither_direction_can_connect() {
        let mut scene = Scene::new();
        scene.cut.links.retain(|link| &*link.from == "n1");
        scene.dropped.retain(|link, _| &*link.from == "n1");
        assert_eq!(scene.judge().proof, Proof::Confirmed);
    }
}

//! Whether a cut between nodes that run already was real: a pure function of what was commanded,
//! the counters of the rules, and who could connect to whom.
//!
//! A cut is confirmed when
//! 1. the rules of every cut link dropped packets;
//! 2. before it every pair of nodes could connect, in both directions;
//! 3. while it lasted no cut pair could, in at least one whole round;
//! 4. and every other pair could;
//! 5. where there are probers, their probes say the same as in the sandbox.

use std::collections::BTreeMap;

use splitbrain_checkers::history::Time;
use splitbrain_checkers::partition::{Link, Partition};

use super::rounds::Round;
use crate::nemesis::Cut;
use crate::nemesis::verify::{self, Course};
use crate::sandbox::ProbeLog;

/// What was seen of one cut.
#[derive(Debug)]
pub struct Observation<'a> {
    pub course: Course<'a>,
    /// Packets that the rules of each link dropped, read before the heal.
    pub dropped: &'a BTreeMap<Link, u64>,
    /// Every round from shortly before the cut until after the heal.
    pub rounds: &'a [Round],
    /// Every probe of the same time, where probers can run.
    pub probes: Option<&'a ProbeLog>,
}

/// Judges a cut.
pub fn judge(seen: &Observation) -> Partition {
    let Course { cut, applied, heal_commanded, .. } = seen.course;
    let inside = |round: &&Round| round.began >= applied && round.ended <= heal_commanded;
    let during: Vec<&Round> = seen.rounds.iter().filter(inside).collect();
    let rules =
        cut.links.iter().filter_map(|link| verify::rule_doubt(link, seen.dropped.get(link)));
    let mut doubts: Vec<String> = rules.chain(doubts_of_before(seen)).collect();
    if during.is_empty() {
        doubts.push("the cut was too short for every node to try to connect to every other".into());
    }
    for link in during.first().into_iter().flat_map(|round| round.reached.keys()) {
        doubts.extend(link_doubt(cut, link, &during));
    }
    let probes = seen.probes.into_iter();
    doubts.extend(probes.flat_map(|probes| verify::probe_doubts(&seen.course, probes)));
    let dropped = seen.dropped.iter().map(|(link, packets)| (link, *packets));
    seen.course.partition(healed(seen), dropped, doubts)
}

/// Who could not connect before the cut either.
fn doubts_of_before(seen: &Observation) -> Vec<String> {
    let before = |round: &&Round| round.ended <= seen.course.commanded;
    let Some(before) = seen.rounds.iter().rev().find(before) else {
        return vec!["nobody tried to connect before the cut".to_string()];
    };
    let in_vain = before.reached.iter().filter(|(_, reached)| !**reached);
    let doubt = |(Link { from, to }, _): (&Link, &bool)| {
        format!("{from} could not connect to {to} before the cut either")
    };
    in_vain.map(doubt).collect()
}

/// A pair is cut if either direction is.
fn is_cut(cut: &Cut, link: &Link) -> bool {
    let back = Link { from: link.to.clone(), to: link.from.clone() };
    cut.links.contains(link) || cut.links.contains(&back)
}

fn link_doubt(cut: &Cut, link: &Link, during: &[&Round]) -> Option<String> {
    let reached = |round: &&Round| round.reached.get(link).copied().unwrap_or(false);
    let (from, to) = (&link.from, &link.to);
    if is_cut(cut, link) {
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

/// When all could connect again after the heal. Probes say it more exactly than rounds.
fn healed(seen: &Observation) -> Option<Time> {
    let Course { cut, heal_commanded, .. } = seen.course;
    let after = seen.rounds.iter().filter(|round| round.began >= heal_commanded);
    let whole = after.filter(|round| round.is_whole()).map(|round| round.ended).min()?;
    match seen.probes {
        Some(probes) => verify::healed(cut, heal_commanded, probes),
        None => Some(whole),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use splitbrain_checkers::history::Name;
    use splitbrain_checkers::partition::Proof;

    use super::*;
    use crate::sandbox::{Family, Probe, Stream};

    const MS: u64 = 1_000_000;

    fn link(from: &str, to: &str) -> Link {
        Link { from: from.into(), to: to.into() }
    }

    /// n1 is cut off from n2 and n3 between 1 s and 9 s.
    struct Scene {
        cut: Cut,
        dropped: BTreeMap<Link, u64>,
        rounds: Vec<Round>,
        probes: Option<ProbeLog>,
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
                probes: None,
            }
        }

        fn judge(&self) -> Partition {
            judge(&Observation {
                course: Course {
                    nodes: &["n1", "n2", "n3"].map(Name::from),
                    cut: &self.cut,
                    commanded: Time(1_000 * MS),
                    applied: Time(1_030 * MS),
                    heal_commanded: Time(9_000 * MS),
                },
                dropped: &self.dropped,
                rounds: &self.rounds,
                probes: self.probes.as_ref(),
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

    /// A probe every 100 ms on every link, lost between two instants (ms) on those that are cut.
    fn probes(scene: &Scene, lost: std::ops::Range<u64>) -> ProbeLog {
        let stream = |link: &Link| {
            let is_cut = scene.cut.links.contains(link);
            let probe = |at: u64| {
                let (sent, lost) = (Time(at * MS), is_cut && lost.contains(&at));
                Probe { sent, arrived: (!lost).then_some(sent) }
            };
            let key = Stream { link: link.clone(), family: Family::Ipv4 };
            (key, (500..9_500).step_by(100).map(probe).collect())
        };
        scene.rounds[0].reached.keys().map(stream).collect()
    }

    #[test]
    fn probers_have_to_say_the_same() {
        let mut scene = Scene::new();
        scene.probes = Some(probes(&scene, 1_010..9_010));
        assert_eq!(scene.judge().proof, Proof::Confirmed);
        assert_eq!(scene.judge().healed, Some(Time(9_100 * MS)), "sooner or later than a round");
        scene.probes = Some(probes(&scene, 1_010..8_900));
        assert!(scene.reason().starts_with("1 probes got through on n1 -> n2 (IPv4)"));
    }
}

//! Whether a cut was real: a pure function of what was commanded, the rules' counters and the
//! probes.
//!
//! A cut is confirmed when
//! 1. every rule dropped packets;
//! 2. every cut link carried probes before, and not one between the moment when all rules were
//!    in place and the command to heal, though some were sent;
//! 3. every other link went on carrying probes all the while.
//!
//! Each is asked in each family. Whatever is missing is said in the proof's place.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::time::Duration;

use splitbrain_checkers::history::{Name, Time};
use splitbrain_checkers::partition::{Link, Partition, Proof};

use super::partition::{Cut, components};
use crate::sandbox::{Probe, ProbeLog, Stream};

/// A link that stays is never silent for so long, from the first to the last of the probes in a
/// row that were sent and lost.
const SILENCE: Duration = Duration::from_millis(200);
/// Silence proves nothing unless this many probes were sent into it.
const PROBES_LEAST: usize = 3;
/// How far back to look for a probe on a link before it was cut.
pub const BEFORE: Duration = Duration::from_secs(1);
/// Reasons that are spelt out; the rest are counted.
const REASONS_SHOWN: usize = 3;

/// The course of one cut, from its command to its heal.
#[derive(Debug)]
pub struct Course<'a> {
    pub nodes: &'a [Name],
    pub cut: &'a Cut,
    /// When the command to cut was given.
    pub commanded: Time,
    /// When the last rule was known to be in place.
    pub applied: Time,
    /// When the command to heal was given.
    pub heal_commanded: Time,
}

/// What was seen of one cut.
#[derive(Debug)]
pub struct Observation<'a> {
    pub course: Course<'a>,
    /// Packets that each rule dropped, read before the heal. A rule that is not there is absent.
    pub dropped: &'a BTreeMap<Stream, u64>,
    /// Every probe since [`BEFORE`] the command to cut.
    pub probes: &'a ProbeLog,
}

/// Judges a cut.
pub fn judge(seen: &Observation) -> Partition {
    let Course { cut, heal_commanded, .. } = seen.course;
    let cut_streams = seen.probes.keys().filter(|stream| cut.links.contains(&stream.link));
    let doubts = cut_streams.filter_map(|stream| rule_doubt(stream, seen.dropped.get(stream)));
    let doubts = doubts.chain(probe_doubts(&seen.course, seen.probes)).collect();
    let dropped = seen.dropped.iter().map(|(stream, packets)| (&stream.link, *packets));
    seen.course.partition(healed(cut, heal_commanded, seen.probes), dropped, doubts)
}

impl Course<'_> {
    /// The partition that it was: confirmed unless there are doubts.
    pub fn partition<'a>(
        &self,
        healed: Option<Time>,
        dropped: impl Iterator<Item = (&'a Link, u64)>,
        doubts: Vec<String>,
    ) -> Partition {
        let receives = |node: &&Name| self.cut.links.iter().any(|link| link.to == **node);
        let receivers = self.nodes.iter().filter(receives).map(|node| (node.clone(), 0));
        let mut dropped_packets: Vec<(Name, u64)> = receivers.collect();
        for (link, packets) in dropped {
            let at = dropped_packets.iter_mut().find(|(node, _)| *node == link.to);
            at.into_iter().for_each(|(_, sum)| *sum += packets);
        }
        Partition {
            name: self.cut.name.clone(),
            cut: self.cut.links.clone(),
            components: components(self.nodes, &self.cut.links),
            commanded: self.commanded,
            // Not the last probe that got through: between two probes a request may slip through
            // before the rule is there, and would look as if data had crossed the cut.
            began: self.applied,
            heal_commanded: self.heal_commanded,
            healed,
            dropped_packets,
            proof: proof(doubts),
            pulse: None,
        }
    }
}

/// Whether the rule that cuts `what` dropped anything. `None` for a rule that is not there.
pub fn rule_doubt(what: impl Display, dropped: Option<&u64>) -> Option<String> {
    match dropped {
        None => Some(format!("the rule that cuts {what} is not there")),
        Some(0) => Some(format!("the rule that cuts {what} dropped no packet")),
        Some(_) => None,
    }
}

/// Why the probes do not show that the cut was real: those of cut links, and of all others.
pub fn probe_doubts(course: &Course, probes: &ProbeLog) -> Vec<String> {
    let mut doubts = Vec::new();
    for (stream, probes) in probes {
        if course.cut.links.contains(&stream.link) {
            doubts.extend(cut_stream_doubts(course, stream, probes));
        } else {
            doubts.extend(whole_stream_doubt(course, stream, probes));
        }
    }
    let unprobed = |link: &&Link| !probes.keys().any(|stream| stream.link == **link);
    let unprobed = course.cut.links.iter().filter(unprobed);
    doubts.extend(unprobed.map(|link| format!("{link} was not probed")));
    doubts
}

/// When every cut link carried a probe again after the command to heal, in each family; `None`
/// while one has not.
pub fn healed(cut: &Cut, heal_commanded: Time, probes: &ProbeLog) -> Option<Time> {
    let first = |probes: &Vec<Probe>| {
        probes.iter().filter_map(|probe| probe.arrived).filter(|&time| time >= heal_commanded).min()
    };
    let cut_streams = probes.iter().filter(|(stream, _)| cut.links.contains(&stream.link));
    let firsts: Option<Vec<Time>> = cut_streams.map(|(_, probes)| first(probes)).collect();
    firsts?.into_iter().max()
}

fn cut_stream_doubts(seen: &Course, stream: &Stream, probes: &[Probe]) -> Vec<String> {
    let mut doubts = Vec::new();
    let arrivals = || probes.iter().filter_map(|probe| probe.arrived);
    if !arrivals().any(|time| time <= seen.applied) {
        doubts.push(format!("{stream} carried no probe before the cut either"));
    }
    let inside = |time: Time| seen.applied < time && time < seen.heal_commanded;
    if let Some(leak) = arrivals().find(|&time| inside(time)) {
        let late = leak.since(seen.applied);
        let count = arrivals().filter(|&time| inside(time)).count();
        doubts.push(format!(
            "{count} probes got through on {stream}, the first at {leak}, {late:.0?} after the \
             rules were in place"
        ));
    }
    let sent = probes.iter().filter(|probe| inside(probe.sent)).count();
    if sent < PROBES_LEAST {
        doubts.push(format!(
            "only {sent} probes were sent on {stream} while it was cut; a cut has to last at \
             least {PROBES_LEAST} of them"
        ));
    }
    doubts
}

fn whole_stream_doubt(seen: &Course, stream: &Stream, probes: &[Probe]) -> Option<String> {
    let during = |probe: &&Probe| seen.commanded <= probe.sent && probe.sent < seen.heal_commanded;
    let during: Vec<Probe> = probes.iter().filter(during).copied().collect();
    if !during.iter().any(|probe| probe.arrived.is_some()) {
        return Some(format!("{stream} was not to be cut, yet carried no probe"));
    }
    let silences = during.split(|probe| probe.arrived.is_some()).filter_map(|lost| {
        let (first, last) = (lost.first()?.sent, lost.last()?.sent);
        (lost.len() >= PROBES_LEAST).then(|| (last.since(first), lost.len(), last))
    });
    let (longest, count, last) = silences.max()?;
    (longest >= SILENCE).then(|| {
        format!(
            "{stream} was not to be cut, yet lost {count} probes in a row within {longest:.0?}, \
             up to {last}"
        )
    })
}

/// Confirmed unless there are reasons to doubt.
fn proof(reasons: Vec<String>) -> Proof {
    if reasons.is_empty() {
        return Proof::Confirmed;
    }
    let mut reason = reasons[..reasons.len().min(REASONS_SHOWN)].join("; ");
    if reasons.len() > REASONS_SHOWN {
        reason += &format!("; and {} more like these", reasons.len() - REASONS_SHOWN);
    }
    Proof::Missing { reason }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::sandbox::Family;

    const MS: u64 = 1_000_000;
    const COMMANDED: Time = Time(500 * MS);
    const APPLIED: Time = Time(515 * MS);
    const HEAL: Time = Time(1_500 * MS);
    const END: u64 = 1_600;

    /// n1 is isolated from n2 and n3, between 0.5 and 1.5 s.
    struct Scene {
        nodes: Vec<Name>,
        cut: Cut,
        dropped: BTreeMap<Stream, u64>,
        probes: ProbeLog,
    }

    fn stream(from: &str, to: &str, family: Family) -> Stream {
        Stream { link: Link { from: from.into(), to: to.into() }, family }
    }

    /// A probe every 10 ms that takes 50 us, unless `lost` says so.
    fn probes(lost: impl Fn(u64) -> bool) -> Vec<Probe> {
        let probe = |ms: u64| {
            let sent = Time(ms * MS);
            Probe { sent, arrived: (!lost(ms)).then(|| sent + Duration::from_micros(50)) }
        };
        (0..END).step_by(10).map(probe).collect()
    }

    impl Scene {
        fn new() -> Scene {
            let names = ["n1", "n2", "n3"];
            let mut links = BTreeSet::new();
            let (mut dropped, mut log) = (BTreeMap::new(), ProbeLog::new());
            for (from, to) in names.iter().flat_map(|from| names.map(|to| (*from, to))) {
                if from == to {
                    continue;
                }
                let is_cut = from == "n1" || to == "n1";
                for family in [Family::Ipv4, Family::Ipv6] {
                    let stream = stream(from, to, family);
                    if is_cut {
                        links.insert(stream.link.clone());
                        dropped.insert(stream.clone(), 98);
                    }
                    let in_the_cut = move |ms| is_cut && (510..1_510).contains(&ms);
                    log.insert(stream, probes(in_the_cut));
                }
            }
            let cut = Cut { name: "isolate n1".into(), links };
            Scene { nodes: names.map(Name::from).into(), cut, dropped, probes: log }
        }

        fn judge(&self) -> Partition {
            let course = Course {
                nodes: &self.nodes,
                cut: &self.cut,
                commanded: COMMANDED,
                applied: APPLIED,
                heal_commanded: HEAL,
            };
            judge(&Observation { course, dropped: &self.dropped, probes: &self.probes })
        }

        fn reason(&self) -> String {
            match self.judge().proof {
                Proof::Missing { reason } => reason,
                Proof::Confirmed => panic!("was confirmed"),
            }
        }

        fn replace(&mut self, stream: Stream, lost: impl Fn(u64) -> bool) {
            assert!(self.probes.insert(stream, probes(lost)).is_some());
        }
    }

    #[test]
    fn a_real_cut_is_confirmed_with_its_instants() {
        let partition = Scene::new().judge();
        assert_eq!(partition.proof, Proof::Confirmed);
        assert_eq!(partition.began, APPLIED);
        assert_eq!(partition.healed, Some(Time(1_510 * MS) + Duration::from_micros(50)));
        assert_eq!(partition.components, [vec!["n2".into(), "n3".into()], vec![Name::from("n1")]]);
        let dropped: Vec<(Name, u64)> =
            [("n1", 4 * 98), ("n2", 2 * 98), ("n3", 2 * 98)].map(|(n, c)| (n.into(), c)).into();
        assert_eq!(partition.dropped_packets, dropped);
    }

    #[test]
    fn a_single_leaked_probe_is_no_proof() {
        let mut scene = Scene::new();
        scene.replace(stream("n2", "n1", Family::Ipv6), |ms| {
            (510..1_510).contains(&ms) && ms != 900
        });
        let reason = scene.reason();
        assert!(reason.contains("1 probes got through on n2 -> n1 (IPv6)"), "{reason}");
        assert!(reason.contains("at 0.900 s"), "{reason}");
    }

    #[test]
    fn a_rule_that_dropped_nothing_is_no_proof() {
        let mut scene = Scene::new();
        scene.dropped.insert(stream("n1", "n3", Family::Ipv4), 0);
        assert_eq!(scene.reason(), "the rule that cuts n1 -> n3 (IPv4) dropped no packet");
        scene.dropped.remove(&stream("n1", "n3", Family::Ipv4));
        assert_eq!(scene.reason(), "the rule that cuts n1 -> n3 (IPv4) is not there");
    }

    #[test]
    fn silence_where_there_was_silence_before_is_no_proof() {
        let mut scene = Scene::new();
        scene.replace(stream("n3", "n1", Family::Ipv4), |ms| ms < 1_510);
        assert_eq!(scene.reason(), "n3 -> n1 (IPv4) carried no probe before the cut either");
    }

    #[test]
    fn silence_into_which_nothing_was_sent_is_no_proof() {
        let mut scene = Scene::new();
        let held_up = stream("n1", "n2", Family::Ipv4);
        scene.probes.get_mut(&held_up).unwrap().retain(|probe| {
            !(APPLIED < probe.sent && probe.sent < HEAL) || probe.sent == Time(900 * MS)
        });
        assert!(scene.reason().starts_with("only 1 probes were sent on n1 -> n2 (IPv4)"));
    }

    #[test]
    fn a_link_that_should_have_stayed_has_to_stay() {
        let mut scene = Scene::new();
        scene.replace(stream("n2", "n3", Family::Ipv4), |ms| (700..950).contains(&ms));
        let reason = scene.reason();
        assert!(
            reason.contains("n2 -> n3 (IPv4) was not to be cut, yet lost 25 probes"),
            "{reason}"
        );
        scene.replace(stream("n2", "n3", Family::Ipv4), |ms| (500..1_500).contains(&ms));
        assert_eq!(scene.reason(), "n2 -> n3 (IPv4) was not to be cut, yet carried no probe");
        // A few lost datagrams are no cut.
        scene.replace(stream("n2", "n3", Family::Ipv4), |ms| (700..800).contains(&ms));
        assert_eq!(scene.judge().proof, Proof::Confirmed);
    }

    #[test]
    fn a_link_that_nobody_probed_is_no_proof() {
        let mut scene = Scene::new();
        scene.probes.retain(|stream, _| &*stream.link.to != "n1");
        let reason = scene.reason();
        assert_eq!(reason, "n2 -> n1 was not probed; n3 -> n1 was not probed");
    }

    #[test]
    fn many_reasons_are_counted() {
        let mut scene = Scene::new();
        scene.dropped.clear();
        assert!(scene.reason().ends_with("; and 5 more like these"), "{}", scene.reason());
    }

    #[test]
    fn a_link_that_stays_down_is_not_healed() {
        let mut scene = Scene::new();
        scene.replace(stream("n1", "n2", Family::Ipv6), |ms| ms >= 510);
        let partition = scene.judge();
        assert_eq!(partition.healed, None);
        assert_eq!(partition.proof, Proof::Confirmed, "the cut itself was real");
    }
}

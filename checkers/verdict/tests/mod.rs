//! Every verdict, from histories made for it.

mod inconclusive;

use std::time::Duration;

use super::*;
use crate::availability::{self, Class, Settings};
use crate::convergence;
use crate::finding::Witness;
use crate::history::{Function, Value};
use crate::synthetic::{Ends, Synthetic, names, partition};

const NODES: [&str; 3] = ["n1", "n2", "n3"];

fn finding(validity: Validity) -> Finding {
    let keys = if validity.is_invalid() { names(&["k1", "k2"]) } else { Vec::new() };
    let violations = keys.len();
    let (check, summary) = ("linearizable".into(), "as the test has it".into());
    Finding { check, validity, summary, operations: 1234, violations, keys }
}

fn valid() -> Finding {
    finding(Validity::Valid)
}

fn refuted() -> Finding {
    let sentence = "w(1) was acknowledged, then n1 returned nil".into();
    let (operations, arrows, instead) = (Vec::new(), Vec::new(), None);
    let witness = Witness { sentence, operations, arrows, instead };
    finding(Validity::Invalid { witness: Box::new(witness) })
}

/// A run in the making: load on every node, one or more cuts of 8 s, probes across them.
struct Run {
    history: Synthetic,
    partitions: Vec<Partition>,
    linearizable: Option<Finding>,
    nodes: Vec<&'static str>,
    convergent: bool,
}

impl Run {
    /// No load yet; this finding on linearizability.
    fn new(linearizable: Finding) -> Self {
        Run {
            history: Synthetic::new(),
            partitions: Vec::new(),
            linearizable: Some(linearizable),
            nodes: NODES.to_vec(),
            convergent: false,
        }
    }

    /// The usual cut of n1 from the others, every operation of which ends as told.
    fn cut(linearizable: Finding, ends: impl Fn(&str, Class) -> Ends) -> Self {
        let mut run = Run::new(linearizable);
        run.load(4000, [10, 2], &ends);
        run.probe(5000, &ends);
        run.partitions.push(partition(&[&["n2", "n3"], &["n1"]], 4000, 12000));
        run
    }

    /// Load during a cut that begins at `began` ms.
    fn load(&mut self, began: u64, pace: [u64; 2], ends: &impl Fn(&str, Class) -> Ends) {
        for node in NODES {
            let span = (began, began + 8000);
            self.history.load(node, Function::Read, span, pace, ends(node, Class::Read));
            self.history.load(node, Function::Write, span, pace, ends(node, Class::Write));
        }
    }

    /// A write on either side of the cut of n1, and a read of it on the other.
    fn probe(&mut self, at: u64, ends: &impl Fn(&str, Class) -> Ends) {
        for (key, writer, reader) in [("p", "n2", "n1"), ("q", "n1", "n2")] {
            let (write, read) = ((at, at + 10), (at + 100, at + 110));
            self.history.write(writer, key, 1_000_000, write, ends(writer, Class::Write));
            self.history.read(reader, key, Value::Nil, read, ends(reader, Class::Read));
        }
    }

    fn verdict(self) -> Verdict {
        let history = self.history.finish();
        let nodes = names(&self.nodes);
        let settings = Settings {
            latency_bound: Some(Duration::from_secs(1)),
            failover_allowance: Duration::from_secs(1),
        };
        let (availability, _) = availability::check(&history, &self.partitions, &nodes, &settings);
        let settled = convergence::check(&history, &nodes, &convergence::Settings::default());
        verdict(&Inputs {
            history: &history,
            partitions: &self.partitions,
            availability: &availability,
            linearizable: self.linearizable.as_ref(),
            convergence: self.convergent.then_some((&settled.0, &settled.1)),
        })
    }
}

fn all_ok(_: &str, _: Class) -> Ends {
    Ends::Ok
}

/// The majority serves, the minority does not: Raft with read index, quorums.
fn majority_only(node: &str, _: Class) -> Ends {
    if node == "n1" { Ends::Fail } else { Ends::Ok }
}

/// Reads everywhere, writes on the side of n2 and n3: Raft with local reads.
fn local_reads(node: &str, class: Class) -> Ends {
    if node == "n1" && class == Class::Write { Ends::Info } else { Ends::Ok }
}

/// Reads at n1, the primary; no writes anywhere: the primary waits for every replica.
fn primary_waits(node: &str, class: Class) -> Ends {
    match (node, class) {
        ("n1", Class::Read) => Ends::Ok,
        _ => Ends::Info,
    }
}

#[test]
fn majority_serves_and_it_is_linearizable_cp() {
    let verdict = Run::cut(valid(), majority_only).verdict();
    assert_eq!((verdict.kind, verdict.rank), (Kind::CP, Rank::Valid));
    assert_eq!(
        verdict.sentence,
        "behaved CP: it was linearizable throughout (1,234 operations), and in the partition one \
         side stayed available"
    );
    assert_eq!(
        verdict.details,
        ["with n1 cut off from n2 and n3, n2 and n3 stayed available and n1 was unavailable for \
          reads and writes (0 of 1202 answered)"]
    );
    let partition = &verdict.partitions[0];
    assert_eq!(partition.exercise, Exercise::Exercised { served: Served::OneSide });
    assert_eq!((partition.probes_attempted, partition.probes_acknowledged), (2, 1));
    assert_eq!(partition.writes_on_both_sides, None);
    assert!(verdict.evidence.iter().any(|e| e.text.contains("n1 answered 0 of 601 reads")));
}

#[test]
fn no_side_serves_and_it_is_linearizable_halts() {
    let verdict = Run::cut(valid(), primary_waits).verdict();
    assert_eq!((verdict.kind, verdict.rank), (Kind::CHalts, Rank::Valid));
    assert_eq!(
        verdict.sentence,
        "behaved C, halts: it was linearizable throughout (1,234 operations), but no side of a \
         cut stayed available"
    );
    assert!(
        verdict.details[0].starts_with(
            "with n1 cut off from n2 and n3, n2 and n3 were unavailable for reads and writes, n1 \
             was unavailable for writes"
        ),
        "{:?}",
        verdict.details
    );
    assert_eq!(verdict.partitions[0].writes_acknowledged, 0);
}

#[test]
fn one_halt_outranks_many_cuts_that_one_side_survives() {
    let mut run = Run::cut(valid(), majority_only);
    run.load(20000, [10, 2], &|_, _| Ends::Info);
    run.probe(21000, &|_, _| Ends::Info);
    run.partitions.push(partition(&[&["n2", "n3"], &["n1"]], 20000, 28000));
    assert_eq!(run.verdict().kind, Kind::CHalts);
}

#[test]
fn every_node_serves_and_it_is_refuted_ap() {
    let verdict = Run::cut(refuted(), all_ok).verdict();
    assert_eq!((verdict.kind, verdict.rank), (Kind::AP, Rank::Invalid));
    assert_eq!(
        verdict.sentence,
        "behaved AP: every node went on answering reads and writes on all sides of the cut, and \
         linearizability was refuted on 2 keys"
    );
    assert!(verdict.partitions[0].writes_on_both_sides.is_some());
}

#[test]
fn ap_says_whether_it_converged_and_what_was_lost() {
    let mut run = Run::cut(refuted(), all_ok);
    run.convergent = true;
    run.history.write("n2", "k", 5, (13000, 13010), Ends::Ok);
    run.history.write("n2", "k", 6, (13100, 13110), Ends::Ok);
    run.history.nemesis("heal", 14000);
    run.history.nemesis("settle", 14000);
    let key = |key: &str, value: i64| -> (String, Value) { (key.into(), value.into()) };
    for (key, value) in [key("k", 5), key("p", 1_000_000), key("q", 1_000_000)] {
        let values = NODES.map(|node| (node, value.clone()));
        run.history.polls(&key, &values, 14100, 3);
    }
    let verdict = run.verdict();
    // The load's keys were not polled, so agreement is not known; the loss is certain.
    assert!(
        verdict.sentence.ends_with(
            "linearizability was refuted on 2 keys and 1 of 4 acknowledged writes was lost"
        ),
        "{}",
        verdict.sentence
    );
    assert_eq!(
        verdict.details,
        ["whether the nodes agreed after the heal is not known, and 1 of 4 acknowledged writes \
          was lost"]
    );
    assert!(verdict.evidence.iter().any(|e| e.text.starts_with("not convergent: w(6)")));
}

#[test]
fn stale_reads_everywhere_and_writes_on_one_side_mixed() {
    let verdict = Run::cut(refuted(), local_reads).verdict();
    assert_eq!((verdict.kind, verdict.rank), (Kind::Mixed, Rank::Invalid));
    assert_eq!(
        verdict.sentence,
        "behaved neither CP nor AP but mixed: reads stayed available at every node, writes on \
         one side only, and linearizability was refuted on 2 keys"
    );
    assert!(
        verdict.details[0].starts_with(
            "with n1 cut off from n2 and n3, n2 and n3 stayed available and n1 was unavailable \
             for writes"
        ),
        "{:?}",
        verdict.details
    );
    // The primary alone on its side, replicas that refuse writes: also mixed.
    let primary_alone = |node: &str, class: Class| match (node, class) {
        ("n1", _) | (_, Class::Read) => Ends::Ok,
        _ => Ends::Fail,
    };
    assert_eq!(Run::cut(refuted(), primary_alone).verdict().kind, Kind::Mixed);
}

#[test]
fn a_refused_minority_and_a_refutation_neither() {
    let verdict = Run::cut(refuted(), majority_only).verdict();
    assert_eq!((verdict.kind, verdict.rank), (Kind::Neither, Rank::Invalid));
    assert_eq!(
        verdict.sentence,
        "behaved neither CP nor AP: linearizability was refuted on 2 keys, and yet not every \
         node stayed available"
    );
    assert_eq!(
        verdict.details,
        ["with n1 cut off from n2 and n3, n1 was unavailable for reads and writes (0 of 1202 \
          answered)"]
    );
}

#[test]
fn split_brain_is_neither_even_if_it_looks_mixed() {
    let mut run = Run::cut(refuted(), local_reads);
    run.history.write("n1", "k", 1, (4100, 4110), Ends::Ok);
    run.history.write("n3", "k", 2, (8000, 8010), Ends::Ok);
    let verdict = run.verdict();
    assert_eq!(verdict.kind, Kind::Neither);
    assert!(verdict.sentence.contains(" and both sides of a cut acknowledged writes, and yet"));
    let both = verdict.evidence.iter().find(|e| e.text.contains("of one key were acknowledged"));
    assert_eq!(both.expect("evidence").operations.len(), 2);
}

/// A failover that lets both sides write looks like AP as long as only the primary is cut off:
/// both sides answer everything. It takes the cut of a replica to see that it is not.
#[test]
fn failover_with_split_brain_is_neither_once_a_replica_was_cut_off() {
    let mut run = Run::cut(refuted(), all_ok);
    run.load(20000, [10, 2], &local_reads);
    run.probe(21000, &local_reads);
    run.partitions.push(partition(&[&["n2", "n3"], &["n1"]], 20000, 28000));
    let verdict = run.verdict();
    assert_eq!(verdict.kind, Kind::Neither);
    let served = |served| Exercise::Exercised { served };
    let exercise: Vec<_> = verdict.partitions.into_iter().map(|p| p.exercise).collect();
    assert_eq!(exercise, [served(Served::Everyone), served(Served::OneSide)]);
}

#[test]
fn reads_everywhere_but_no_writes_at_all_is_neither() {
    let no_writes = |_: &str, class: Class| match class {
        Class::Read => Ends::Ok,
        Class::Write => Ends::Info,
    };
    assert_eq!(Run::cut(refuted(), no_writes).verdict().kind, Kind::Neither);
}

#[test]
fn one_node_is_a_single_copy_unless_it_is_refuted() {
    let single = |linearizable: Finding| {
        let mut run = Run::new(linearizable);
        run.nodes = vec!["n1"];
        run.verdict()
    };
    let verdict = single(valid());
    assert_eq!((verdict.kind, verdict.rank), (Kind::SingleCopy, Rank::Valid));
    assert!(verdict.sentence.starts_with("behaved as a single copy: "), "{}", verdict.sentence);
    let verdict = single(refuted());
    assert_eq!((verdict.kind, verdict.rank), (Kind::Neither, Rank::Invalid));
    let unknown = single(finding(Validity::Unknown { reason: "out of time".into() }));
    assert_eq!((unknown.kind, unknown.rank), (Kind::Inconclusive, Rank::Unknown));
}

#[test]
fn values_from_before_the_cut_or_written_twice_prove_no_crossing() {
    let mut run = Run::cut(valid(), majority_only);
    run.history.write("n2", "k", 77, (3000, 6000), Ends::Ok);
    run.history.read("n1", "k", Value::Int(77), (6100, 6110), Ends::Ok);
    run.history.write("n2", "j", 5, (6000, 6010), Ends::Ok);
    run.history.write("n1", "j", 5, (6000, 6010), Ends::Info);
    run.history.read("n1", "j", Value::Int(5), (6100, 6110), Ends::Ok);
    assert_eq!(run.verdict().kind, Kind::CP);
}

#[test]
fn unknown_convergence_ranks_unknown() {
    let mut run = Run::cut(valid(), majority_only);
    run.convergent = true;
    let verdict = run.verdict();
    assert_eq!((verdict.kind, verdict.rank), (Kind::CP, Rank::Unknown));
    assert_eq!(verdict.rank.exit_code(), 2);
}

#[test]
fn a_verdict_survives_serialisation() {
    for verdict in [
        Run::cut(refuted(), all_ok).verdict(),
        Run::cut(valid(), majority_only).verdict(),
        Run::new(valid()).verdict(),
    ] {
        let text = serde_json::to_string(&verdict).expect("serialises");
        let back: Verdict = serde_json::from_str(&text).expect("reads back");
        assert_eq!(back, verdict);
    }
}

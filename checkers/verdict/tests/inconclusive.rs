//! Every way to be inconclusive, and what just escapes it.

use super::*;
use crate::partition::{Proof, Pulse};
use crate::synthetic::partition_of_links;

type Components = &'static [&'static [&'static str]];

fn inconclusive(run: Run, because: &str) -> Verdict {
    let verdict = run.verdict();
    assert_eq!(verdict.kind, Kind::Inconclusive, "{}", verdict.sentence);
    assert!(verdict.sentence.contains(because), "{}", verdict.sentence);
    assert_ne!(verdict.rank, Rank::Valid);
    verdict
}

#[test]
fn without_a_partition_nothing_is_decided_but_violations_stand() {
    let mut quiet = Run::new(valid());
    quiet.load(4000, [10, 2], &all_ok);
    assert_eq!(inconclusive(quiet, "there was no partition").rank, Rank::Unknown);
    let verdict =
        inconclusive(Run::new(refuted()), "; even so linearizability was refuted on 2 keys");
    assert_eq!((verdict.rank, verdict.rank.exit_code()), (Rank::Invalid, 1));
}

#[test]
fn an_unproven_partition_spoils_the_run() {
    let mut run = Run::cut(valid(), majority_only);
    let reason = "probes from n1 to n2 went on".to_owned();
    let unproven = partition(&[&["n2", "n3"], &["n1"]], 20000, 28000);
    run.partitions.push(Partition { proof: Proof::Missing { reason }, ..unproven });
    inconclusive(run, "is not proven: probes from n1 to n2 went on");
}

#[test]
fn unknown_or_unchecked_linearizability_decides_nothing() {
    let reason = "memory limit".to_owned();
    let run = Run::cut(finding(Validity::Unknown { reason }), majority_only);
    inconclusive(run, "is not known (memory limit)");
    let mut run = Run::cut(valid(), majority_only);
    run.linearizable = None;
    inconclusive(run, "linearizability was not checked");
}

#[test]
fn linearizable_and_available_everywhere_blames_the_harness() {
    inconclusive(Run::cut(valid(), all_ok), "the checker is at fault");
}

#[test]
fn a_cluster_that_was_not_well_before_the_cut_proves_nothing_by_refusing() {
    let run = |refused_before_the_cut: bool| {
        let mut run = Run::new(valid());
        let before = |node: &str, _: Class| match node {
            "n3" if refused_before_the_cut => Ends::Fail,
            _ => Ends::Ok,
        };
        run.load(4000, [10, 2], &before);
        run.load(14000, [10, 2], &majority_only);
        run.probe(15000, &majority_only);
        run.partitions.push(partition(&[&["n2", "n3"], &["n1"]], 14000, 22000));
        run
    };
    assert_eq!(run(false).verdict().kind, Kind::CP);
    inconclusive(run(true), "before the first cut, n3 answered only 0 of");
}

#[test]
fn where_no_side_was_served_the_machine_must_have_had_time() {
    let run = |kept: u64, ends: fn(&str, Class) -> Ends| {
        let mut run = Run::cut(valid(), ends);
        run.partitions[0].pulse = Some(Pulse { wanted: 800, kept });
        run
    };
    assert_eq!(run(720, primary_waits).verdict().kind, Kind::CHalts);
    inconclusive(run(719, primary_waits), "woke the harness in time only 719 of 800 times");
    // A side that was served shows that it had.
    assert_eq!(run(719, majority_only).verdict().kind, Kind::CP);
}

#[test]
fn too_few_operations_leave_a_partition_out() {
    let thin = |linearizable: Finding| {
        let mut run = Run::new(linearizable);
        run.load(4000, [100, 2], &majority_only);
        run.probe(5000, &majority_only);
        run.partitions.push(partition(&[&["n2", "n3"], &["n1"]], 4000, 12000));
        run
    };
    inconclusive(thin(valid()), "too few to tell");
    inconclusive(thin(refuted()), "; even so linearizability");
    // Another partition that had enough still decides.
    let mut run = thin(valid());
    run.load(20000, [10, 2], &majority_only);
    run.probe(21000, &majority_only);
    run.partitions.push(partition(&[&["n2", "n3"], &["n1"]], 20000, 28000));
    let verdict = run.verdict();
    assert_eq!(verdict.kind, Kind::CP);
    assert!(matches!(verdict.partitions[0].exercise, Exercise::NotExercised { .. }));
    assert!(verdict.evidence.iter().any(|e| e.text.contains("left out: n1 answered")));
}

#[test]
fn a_workload_without_writes_or_without_probes_decides_nothing() {
    let cut = || partition(&[&["n2", "n3"], &["n1"]], 4000, 12000);
    let mut run = Run::new(valid());
    for node in NODES {
        run.history.load(node, Function::Read, (4000, 12000), [10, 2], Ends::Ok);
    }
    run.partitions.push(cut());
    inconclusive(run, "the workload has no writes");

    let mut run = Run::new(valid());
    run.load(4000, [10, 2], &majority_only);
    run.partitions.push(cut());
    inconclusive(run, "no key was read on one side after a write of it was acknowledged");

    let mut run = Run::new(valid());
    run.load(4000, [10, 2], &|_, _| Ends::Info);
    run.partitions.push(cut());
    inconclusive(run, "no key was read on one side after a write of it was tried");
}

#[test]
fn a_probe_that_only_tried_does_not_do_where_writes_were_acknowledged() {
    let mut run = Run::new(valid());
    run.load(4000, [10, 2], &majority_only);
    run.history.write("n2", "p", 1_000_000, (5000, 5200), Ends::Ok);
    run.history.read("n1", "p", Value::Nil, (5100, 5110), Ends::Fail);
    run.partitions.push(partition(&[&["n2", "n3"], &["n1"]], 4000, 12000));
    let verdict = inconclusive(run, "after a write of it was acknowledged on another");
    assert_eq!(verdict.partitions[0].probes_attempted, 1);
}

#[test]
fn partial_cells_that_decide_leave_it_open() {
    // The minority answers half of its writes: neither served nor halted.
    let half = |linearizable: Finding, others: fn(&str, Class) -> Ends| {
        let mut run = Run::new(linearizable);
        for node in NODES {
            for (f, class) in [(Function::Read, Class::Read), (Function::Write, Class::Write)] {
                let (first, second) = match (node, class) {
                    ("n1", Class::Write) => (Ends::Ok, Ends::Fail),
                    _ => (others(node, class), others(node, class)),
                };
                run.history.load(node, f.clone(), (4000, 12000), [20, 2], first);
                run.history.load(node, f, (4010, 12000), [20, 2], second);
            }
        }
        run.probe(5000, &others);
        run.partitions.push(partition(&[&["n2", "n3"], &["n1"]], 4000, 12000));
        run
    };
    inconclusive(half(valid(), all_ok), "answered 301 of 601 writes: neither available nor");
    // A cell that is unavailable beside it decides all the same.
    assert_eq!(half(valid(), majority_only).verdict().kind, Kind::CP);
    // Half of the writes is surely not AP, and writes on two sides are surely not mixed.
    let verdict = half(refuted(), all_ok).verdict();
    assert_eq!(verdict.kind, Kind::Neither);
    assert!(verdict.details[0].contains("n1 answered only 301 of 601 writes"));
}

#[test]
fn a_borderline_cell_may_hide_ap() {
    // 8 of 609 writes fail: 98.7 % are answered, and 99 % is within the interval.
    let mut run = Run::cut(refuted(), all_ok);
    for failing in 0..8 {
        let at = 6000 + failing * 20;
        run.history.write("n1", "k", failing as i64, (at, at + 5), Ends::Fail);
    }
    inconclusive(run, "answered 601 of 609 writes: neither available nor unavailable");
}

#[test]
fn data_that_crossed_discards_the_partition() {
    let crossing = |read: (u64, u64), seen_by_cas: bool| {
        let mut run = Run::cut(valid(), majority_only);
        run.history.write("n2", "k", 77, (6000, 6010), Ends::Info);
        match seen_by_cas {
            false => run.history.read("n1", "k", Value::Int(77), read, Ends::Ok),
            true => run.history.cas("n1", "k", (77, 78), read, Ends::Ok),
        }
        run
    };
    let verdict = inconclusive(crossing((6100, 6110), false), "data crossed the cut: w(77) at n2");
    assert!(matches!(verdict.partitions[0].exercise, Exercise::Crossed { .. }));
    inconclusive(crossing((6100, 6110), true), "was seen by cas(77 -> 78) at n1");
    // An answer that came after the heal may have crossed by right.
    assert_eq!(crossing((11900, 12100), false).verdict().kind, Kind::CP);
}

#[test]
fn partial_partitions_are_no_partitions_of_cap() {
    let kinds: [(&[(&str, &str)], Components); 3] = [
        // A bridge: n1 and n2 reach n3.
        (&[("n1", "n2"), ("n2", "n1")], &[&["n1", "n2", "n3"]]),
        // One way: n1 hears the others, they do not hear n1.
        (&[("n1", "n2"), ("n1", "n3")], &[&["n2", "n3"], &["n1"]]),
        // Each is alone, but what n1 says reaches n3 through n2.
        (&[("n2", "n1"), ("n3", "n2"), ("n1", "n3"), ("n3", "n1")], &[&["n1"], &["n2"], &["n3"]]),
    ];
    for (cut, components) in kinds {
        let mut run = Run::cut(refuted(), majority_only);
        run.partitions = vec![partition_of_links(cut, components, 4000, 12000)];
        run.history.write("n1", "k", 77, (6000, 6010), Ends::Ok);
        run.history.read("n3", "k", Value::Int(77), (6100, 6110), Ends::Ok);
        let verdict = inconclusive(run, "no two sides were fully cut off from each other");
        assert_eq!(verdict.rank, Rank::Invalid);
    }
}

#[test]
fn a_linearizable_run_that_lost_writes_is_not_called_cp() {
    let mut run = Run::cut(valid(), majority_only);
    run.convergent = true;
    run.history.write("n2", "k", 6, (13100, 13110), Ends::Ok);
    run.history.nemesis("heal", 14000);
    run.history.nemesis("settle", 14000);
    run.history.polls("k", &NODES.map(|node| (node, Value::Nil)), 14100, 3);
    let verdict = inconclusive(run, "1 acknowledged writes were gone");
    assert_eq!(verdict.rank, Rank::Invalid);
}

#[test]
fn a_node_on_no_side_leaves_the_partition_out() {
    let mut run = Run::cut(valid(), majority_only);
    run.partitions[0].components = vec![names(&["n2"]), names(&["n1"])];
    inconclusive(run, "it is not known on which side n3 was");
}

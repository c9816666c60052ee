//! Every anomaly, every way to be unknown, and E2 against an oracle on random histories.

mod types;

use std::time::Duration;

use rand::Rng;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::*;
use crate::finding::{Relation, Validity};
use crate::history::{Operation, Outcome, Value};
use crate::synthetic::{Ends, Synthetic, names};

fn int(value: i64) -> Value {
    Value::Int(value)
}

/// A heal at 1 s and a settle phase from 1.1 s on, after what `before` does.
fn settled(before: impl FnOnce(&mut Synthetic)) -> Synthetic {
    let mut history = Synthetic::new();
    before(&mut history);
    history.nemesis("heal", 1000);
    history.nemesis("settle", 1100);
    history
}

fn run(history: Synthetic) -> (Convergence, Finding) {
    check(&history.finish(), &names(&["n1", "n2", "n3"]), &Settings::default())
}

fn everywhere(value: Value) -> [(&'static str, Value); 3] {
    [("n1", value.clone()), ("n2", value.clone()), ("n3", value)]
}

fn reason(finding: &Finding) -> &str {
    match &finding.validity {
        Validity::Unknown { reason } => reason,
        other => panic!("expected unknown, got {other:?}"),
    }
}

#[test]
fn agreement_on_the_last_write_is_valid() {
    let mut history = settled(|h| {
        h.write("n1", "k1", 1, (10, 20), Ends::Ok);
        h.write("n2", "k1", 2, (30, 40), Ends::Ok);
    });
    history.polls("k1", &[("n1", int(2)), ("n2", int(2)), ("n3", int(1))], 1200, 2);
    history.polls("k1", &everywhere(int(2)), 1400, 3);
    let (convergence, finding) = run(history);
    assert_eq!(finding.validity, Validity::Valid, "{}", finding.summary);
    // n3's first read of 2 completed at 1407 ms, the heal was at 1000 ms.
    assert_eq!(convergence.time(), Some(Duration::from_millis(407)));
    assert_eq!((convergence.acknowledged, finding.violations, finding.operations), (2, 0, 17));
}

#[test]
fn agreement_has_to_last() {
    let mut history = settled(|h| h.write("n1", "k1", 1, (10, 20), Ends::Ok));
    history.polls("k1", &[("n1", int(1)), ("n2", int(1)), ("n3", Value::Nil)], 1200, 1);
    history.polls("k1", &everywhere(int(1)), 1300, 2);
    let (_, finding) = run(history);
    assert!(reason(&finding).contains("at n3 in the last 2 polls only; 3"), "{finding:?}");
}

#[test]
fn nodes_that_differ_to_the_end_refute_agreement() {
    let mut history = settled(|h| {
        h.write("n1", "k1", 1, (10, 20), Ends::Ok);
        h.write("n2", "k1", 2, (15, 25), Ends::Ok);
    });
    history.polls("k1", &[("n1", int(1)), ("n2", int(2)), ("n3", int(2))], 1200, 4);
    let (convergence, finding) = run(history);
    assert_eq!(convergence.agreement, Agreement::Refuted { keys: names(&["k1"]) });
    assert!(convergence.lost.is_empty() && convergence.phantoms.is_empty());
    let witness = finding.validity.witness().expect("a witness");
    assert_eq!(witness.operations.len(), 2);
    assert_eq!(
        witness.sentence,
        "the last read of key k1 at n1 returned 1 (only that since 1.205 s), the last one at n2 \
         returned 2 (only that since 1.206 s): 0.506 s after the heal they still did not agree"
    );
    assert_eq!((finding.violations, finding.keys), (1, names(&["k1"])));
}

#[test]
fn reads_that_differ_without_a_common_instant_prove_nothing() {
    let mut history = settled(|h| {
        h.write("n1", "k1", 1, (10, 20), Ends::Ok);
        h.write("n2", "k1", 2, (15, 25), Ends::Info);
    });
    history.polls("k1", &everywhere(int(1)), 1200, 3);
    // n1 is read before, n2 and n3 after the change that all of them may have made at 1506 ms.
    history.polls("k1", &[("n1", int(1)), ("n2", int(2)), ("n3", int(2))], 1500, 1);
    let (_, finding) = run(history);
    assert!(reason(&finding).contains("still changing at the end"), "{finding:?}");
}

#[test]
fn a_history_cut_short_refutes_no_agreement() {
    let mut history = settled(|h| h.write("n1", "k1", 1, (10, 20), Ends::Ok));
    history.polls("k1", &[("n1", int(1)), ("n2", Value::Nil), ("n3", int(1))], 1200, 4);
    let history = history.finish();
    let nodes = names(&["n1", "n2", "n3"]);
    let with_limit = |limit: u64| {
        let settings = Settings { limit: Some(Duration::from_millis(limit)), ..Default::default() };
        check(&history, &nodes, &settings).1
    };
    assert!(reason(&with_limit(5000)).contains("its limit is 5.000 s"));
    assert!(with_limit(400).validity.is_invalid());
}

#[test]
fn a_silent_node_leaves_it_unknown() {
    let mut history = settled(|h| h.write("n1", "k1", 1, (10, 20), Ends::Ok));
    history.polls("k1", &[("n1", int(1)), ("n2", int(1))], 1200, 3);
    history.replica_read("n3", "k1", Value::Nil, (1300, 1310), Ends::Fail);
    history.replica_read("n3", "k1", Value::Nil, (1400, 1410), Ends::Info);
    let (convergence, finding) = run(history);
    assert_eq!(reason(&finding), "none of 2 reads at n3 was answered after the heal");
    assert_eq!(convergence.keys[0].cells[2].last, None);
}

#[test]
fn a_node_that_falls_silent_leaves_it_unknown_but_an_unfinished_read_does_not() {
    let after = |ends: Ends| {
        let mut history = settled(|h| h.write("n1", "k1", 1, (10, 20), Ends::Ok));
        history.polls("k1", &everywhere(int(1)), 1200, 3);
        history.replica_read("n3", "k1", Value::Nil, (1600, 1610), ends);
        run(history).1
    };
    assert!(reason(&after(Ends::Fail)).contains("last 1 reads of key k1 at n3"));
    assert_eq!(after(Ends::Never).validity, Validity::Valid);
}

#[test]
fn what_was_not_read_or_not_healed_is_unknown() {
    let write = |h: &mut Synthetic| h.write("n1", "k1", 1, (10, 20), Ends::Ok);
    let (convergence, finding) = run(settled(write));
    assert!(reason(&finding).contains("no read of key k1 at n1"), "{finding:?}");
    assert_eq!(convergence.keys.len(), 1);

    let mut unhealed = Synthetic::new();
    write(&mut unhealed);
    unhealed.polls("k1", &everywhere(int(1)), 1200, 3);
    assert!(reason(&run(unhealed).1).contains("neither a heal nor a settle phase"));

    assert!(reason(&run(settled(|_| ())).1).contains("no key was written"));

    let mut early = settled(write);
    early.polls("k1", &everywhere(int(1)), 100, 3);
    assert!(reason(&run(early).1).contains("no read of key k1"), "reads before the heal count");
}

#[test]
fn writes_that_go_on_leave_it_unknown() {
    let mut history = settled(|h| h.write("n1", "k1", 1, (10, 20), Ends::Ok));
    history.write("n1", "k1", 2, (1150, 1160), Ends::Ok);
    history.polls("k1", &everywhere(int(2)), 1200, 3);
    assert!(reason(&run(history).1).contains("when writes should have stopped"));

    let mut late = settled(|h| h.write("n1", "k1", 1, (900, 5000), Ends::Ok));
    late.polls("k1", &everywhere(Value::Nil), 1200, 3);
    assert!(reason(&run(late).1).contains("acknowledged when the last read"));
}

#[test]
fn an_older_final_value_means_loss() {
    let mut history = settled(|h| {
        h.write("n2", "k5", 12, (10, 20), Ends::Ok);
        h.write("n1", "k5", 30, (30, 40), Ends::Ok);
        h.write("n1", "k5", 31, (50, 60), Ends::Ok);
    });
    history.polls("k5", &everywhere(int(12)), 1200, 3);
    let (convergence, finding) = run(history);
    assert_eq!(convergence.time(), Some(Duration::from_millis(207)));
    let lost: Vec<&Value> = convergence.lost.iter().map(|lost| &lost.value).collect();
    assert_eq!(lost, [&int(30), &int(31)]);
    let witness = finding.validity.witness().expect("a witness");
    assert_eq!(
        witness.sentence,
        "w(31) of key k5 was acknowledged at n1 at 0.060 s; after the heal every node returns \
         12, which had been written before that"
    );
    assert_eq!(witness.operations.len(), 5);
    let arrows = |relation| witness.arrows.iter().filter(|a| a.relation == relation).count();
    assert_eq!((arrows(Relation::RealTime), arrows(Relation::ReadsFrom)), (4, 3));
}

#[test]
fn nil_after_an_acknowledged_write_means_loss() {
    let mut history = settled(|h| h.cas("n1", "k1", (0, 1), (10, 20), Ends::Ok));
    history.polls("k1", &everywhere(Value::Nil), 1200, 3);
    let (convergence, finding) = run(history);
    assert_eq!(convergence.lost.len(), 1);
    let sentence = &finding.validity.witness().expect("a witness").sentence;
    assert!(sentence.ends_with("every node returns nil, as if the key had never been written"));
}

#[test]
fn what_may_have_come_later_explains_an_absence() {
    let lost = |writes: fn(&mut Synthetic), value: i64| {
        let mut history = settled(writes);
        history.polls("k1", &everywhere(int(value)), 1200, 3);
        run(history).0.lost.len()
    };
    let concurrent = |h: &mut Synthetic| {
        h.write("n1", "k1", 1, (10, 20), Ends::Ok);
        h.write("n2", "k1", 2, (15, 30), Ends::Ok);
    };
    assert_eq!(lost(concurrent, 1), 0);
    let indeterminate = |h: &mut Synthetic| {
        h.write("n1", "k1", 1, (10, 20), Ends::Info);
        h.write("n2", "k1", 2, (25, 30), Ends::Ok);
    };
    assert_eq!(lost(indeterminate, 1), 0);
    // A compare-and-set has replaced 2: it is after it, whatever the clock says.
    let replaced = |h: &mut Synthetic| {
        h.cas("n1", "k1", (2, 3), (10, 20), Ends::Ok);
        h.cas("n1", "k1", (3, 4), (10, 20), Ends::Ok);
        h.write("n2", "k1", 2, (25, 30), Ends::Ok);
    };
    assert_eq!(lost(replaced, 4), 0);
    let not_replaced = |h: &mut Synthetic| {
        h.cas("n1", "k1", (5, 4), (10, 20), Ends::Ok);
        h.write("n2", "k1", 2, (25, 30), Ends::Ok);
    };
    assert_eq!(lost(not_replaced, 4), 1);
}

#[test]
fn where_nodes_disagree_any_final_value_explains() {
    let lost = |last: i64| {
        let mut history = settled(|h| {
            h.write("n1", "k1", 1, (10, 20), Ends::Ok);
            h.write("n1", "k1", 2, (30, 40), Ends::Ok);
            h.write("n1", "k1", 3, (50, 60), Ends::Ok);
        });
        history.polls("k1", &[("n1", int(1)), ("n2", int(1)), ("n3", int(last))], 1200, 3);
        let (convergence, finding) = run(history);
        let sentence = finding.validity.witness().expect("a witness").sentence.clone();
        (convergence.lost.len(), sentence)
    };
    assert_eq!(lost(3).0, 0);
    let (count, sentence) = lost(2);
    assert_eq!(count, 1);
    assert!(
        sentence.contains("n1 and n2 return 1, n3 returns 2, all written before that"),
        "{sentence}"
    );
}

#[test]
fn phantoms_are_values_of_nobody_and_of_failed_writes() {
    let with = |ends: Option<Ends>| {
        let mut history = settled(|h| {
            h.write("n1", "k1", 1, (10, 20), Ends::Ok);
            if let Some(ends) = ends {
                h.write("n2", "k1", 9, (30, 40), ends);
            }
        });
        history.polls("k1", &everywhere(int(9)), 1200, 3);
        run(history)
    };
    let (convergence, finding) = with(None);
    assert_eq!((convergence.phantoms.len(), convergence.lost.len()), (3, 0));
    let sentence = &finding.validity.witness().expect("a witness").sentence;
    assert!(sentence.contains("n1 returns 9 for key k1, which no operation ever"), "{sentence}");

    let (convergence, finding) = with(Some(Ends::Fail));
    assert!(convergence.phantoms.iter().all(|phantom| phantom.failed_write.is_some()));
    let witness = finding.validity.witness().expect("a witness");
    assert!(witness.sentence.contains("reported as failed is there"), "{}", witness.sentence);
    assert_eq!(witness.operations.len(), 2);

    assert!(with(Some(Ends::Info)).0.phantoms.is_empty());
}

#[test]
fn a_node_that_is_not_asked_about_is_left_out() {
    let mut history = settled(|h| h.write("n1", "k1", 1, (10, 20), Ends::Ok));
    history.polls("k1", &[("n1", int(1)), ("n2", int(1)), ("witness", Value::Nil)], 1200, 3);
    let (convergence, finding) =
        check(&history.finish(), &names(&["n1", "n2"]), &Settings::default());
    assert!(finding.validity.is_valid());
    assert_eq!(convergence.keys[0].cells.len(), 2);
}

#[test]
fn the_result_survives_serialisation() {
    let mut history = settled(|h| {
        h.write("n1", "k1", 1, (10, 20), Ends::Ok);
        h.write("n1", "k2", 1, (10, 20), Ends::Ok);
    });
    history.polls("k1", &[("n1", Value::Nil), ("n2", int(7))], 1200, 3);
    history.polls("k2", &[("n1", Value::Nil), ("n2", int(1)), ("n3", int(1))], 1250, 3);
    let both = run(history);
    let text = serde_json::to_string(&both).expect("serialises");
    let back: (Convergence, Finding) = serde_json::from_str(&text).expect("reads back");
    assert_eq!(back, both);
    assert_eq!(both.0.keys[0].cells[0].last.as_ref().map(|last| &last.value), Some(&Value::Nil));
}

/// By definition: w is lost unless some sequence of distinct operations that contains w, keeps
/// real-time order except where a cas followed the value that it replaced, ends in a final value.
fn lost_by_enumeration(operations: &[Operation], finals: &[Value], w: usize) -> bool {
    let target = |operation: &Operation| match operation.input.as_pair() {
        Some((_, new)) => new.clone(),
        None => operation.input.clone(),
    };
    let replaced = |later: usize, earlier: usize| {
        operations[later].input.as_pair().map(|pair| pair.0) == Some(&target(&operations[earlier]))
    };
    let count = operations.len();
    let mut follows = vec![vec![false; count]; count];
    for (later, row) in follows.iter_mut().enumerate() {
        for (earlier, cell) in row.iter_mut().enumerate() {
            *cell = replaced(later, earlier);
        }
    }
    for middle in 0..count {
        for later in 0..count {
            for earlier in 0..count {
                let through = follows[later][middle] && follows[middle][earlier];
                follows[later][earlier] |= through;
            }
        }
    }
    let before = |a: usize, b: usize| {
        let (a_op, b_op) = (&operations[a], &operations[b]);
        let over = a_op.outcome == Outcome::Ok && a_op.complete < Some(b_op.invoke);
        over && !follows[a][b]
    };
    let mut open: Vec<Vec<usize>> = (0..count).map(|first| vec![first]).collect();
    while let Some(sequence) = open.pop() {
        let last = sequence[sequence.len() - 1];
        if sequence.contains(&w) && finals.contains(&target(&operations[last])) {
            return false;
        }
        for next in (0..count).filter(|next| !sequence.contains(next)) {
            if !sequence.iter().any(|&earlier| before(next, earlier)) {
                open.push(sequence.iter().copied().chain([next]).collect());
            }
        }
    }
    true
}

#[test]
fn losses_match_enumeration_on_random_histories() {
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let (mut lost, mut kept) = (0, 0);
    for _ in 0..20_000 {
        let count = random.random_range(1..=5);
        let mut history = settled(|h| {
            for value in 1..=count {
                let start = random.random_range(1..20);
                let span = (start, start + random.random_range(1..8));
                let ends = if random.random_bool(0.75) { Ends::Ok } else { Ends::Info };
                match random.random_bool(0.3) {
                    true => h.cas("n1", "k", (random.random_range(1..=5), value), span, ends),
                    false => h.write("n1", "k", value, span, ends),
                }
            }
        });
        let mut one = || match random.random_range(0..=count) {
            0 => Value::Nil,
            value => int(value),
        };
        let finals = [one(), one()];
        history.polls("k", &[("n1", finals[0].clone()), ("n2", finals[1].clone())], 1200, 3);
        let history = history.finish();
        let (convergence, _) = check(&history, &names(&["n1", "n2"]), &Settings::default());
        let writes: Vec<Operation> =
            history.operations.iter().filter(|o| o.f != Function::ReplicaRead).cloned().collect();
        for (w, write) in writes.iter().enumerate().filter(|(_, w)| w.outcome == Outcome::Ok) {
            let expected = lost_by_enumeration(&writes, &finals, w);
            let found = convergence.lost.iter().any(|lost| lost.write == write.index);
            assert_eq!(found, expected, "{write} of {writes:#?}\nfinals {finals:?}");
            if found { lost += 1 } else { kept += 1 }
        }
    }
    assert!(lost > 1000 && kept > 1000, "{lost} lost, {kept} kept");
}

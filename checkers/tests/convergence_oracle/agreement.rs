//! E1: agreement, against the values held at every instant.

use super::*;

/// The values of one node's reads from the last one completed by the instant on, if nothing but
/// one value was seen from then to the end, and something was seen at or after the instant.
fn held_to_the_end(reads: &[&Operation], instant: u64) -> Option<Value> {
    let last = reads.iter().rposition(|read| read.outcome == Outcome::Ok)?;
    let first = (0..=last)
        .rev()
        .find(|&i| reads[i].outcome == Outcome::Ok && reads[i].complete.unwrap().0 <= instant)?;
    let same = reads[first..=last]
        .iter()
        .all(|read| read.outcome == Outcome::Ok && read.output == reads[last].output);
    (same && reads[last].invoke.0 >= instant).then(|| reads[last].output.clone())
}

#[test]
fn e1_agreement() {
    let mut random = ChaCha8Rng::seed_from_u64(SEED);
    let (mut agreed, mut differ, mut unknown) = (0, 0, 0);
    for case in 0..CASES {
        let mut reads = Vec::new();
        for node in &nodes() {
            let polls = random.random_range(2..=5);
            let last = if random.random_bool(0.6) { 1 } else { random.random_range(1..=2) };
            let steady = random.random_bool(0.7);
            for poll in 0..polls {
                let other = !steady && random.random_bool(0.3);
                let value = if other { 3 - last } else { last };
                let fails = random.random_range(0..30) == 0;
                let outcome = if fails { Outcome::Fail } else { Outcome::Ok };
                let start = HEAL + 1 + 10 * poll + random.random_range(0..8);
                reads.push(replica_read(node, start, int(value), outcome));
            }
        }
        let writes = [1, 2].map(|value| operation("write", int(value), (1, Some(5)), Outcome::Ok));
        let history = history(&writes, reads);
        let (convergence, _) = run(&history, DataType::Register, false);
        let of = |node: &Name| -> Vec<&Operation> {
            let reads = history.operations.iter().filter(|o| o.f == Function::ReplicaRead);
            reads.filter(|o| o.node.as_ref() == Some(node)).collect()
        };
        let [one, other] = nodes().map(|node| of(&node));
        let last_three = |reads: &[&Operation]| -> Option<Value> {
            let last = reads.len().checked_sub(3)?;
            let same = |o: &&Operation| o.outcome == Outcome::Ok && o.output == reads[last].output;
            reads[last..].iter().all(same).then(|| reads[last].output.clone())
        };
        let agree = last_three(&one).is_some() && last_three(&one) == last_three(&other);
        let apart = (HEAL..HEAL + 100).any(|instant| {
            match (held_to_the_end(&one, instant), held_to_the_end(&other, instant)) {
                (Some(one), Some(other)) => one != other,
                _ => false,
            }
        });
        let context =
            || format!("case {case}: {:?}\n{:#?}", convergence.agreement, history.operations);
        match &convergence.agreement {
            Agreement::Agreed { after } => {
                assert!(agree && !apart, "{}", context());
                // From the first read of the last run at each node on.
                let begin = |reads: &[&Operation]| -> u64 {
                    let last = &reads[reads.len() - 1].output;
                    let same = |o: &&&Operation| o.outcome == Outcome::Ok && o.output == *last;
                    let run = reads.iter().rev().take_while(same).count();
                    reads[reads.len() - run].complete.unwrap().0
                };
                let since = begin(&one).max(begin(&other)) - HEAL;
                assert_eq!(after.as_nanos() as u64, since, "{}", context());
                agreed += 1;
            }
            Agreement::Refuted { .. } => {
                assert!(apart && !agree, "{}", context());
                differ += 1;
            }
            Agreement::Unknown { .. } => {
                assert!(!agree && !apart, "{}", context());
                unknown += 1;
            }
        }
    }
    println!("E1: {agreed} agreed, {differ} differ, {unknown} unknown");
    assert!(agreed.min(differ).min(unknown) * 10 >= CASES, "{agreed} {differ} {unknown}");
}

//! Transactions of which another one saw a part and missed a part. Such a pair is always on a
//! cycle with one anti-dependency, so only tangles are searched.

use rustc_hash::FxHashMap;

use super::anomaly::Anomaly;
use super::cycle::Tangle;
use super::parse::{NONE, Parsed, Step};
use super::tally::{Proof, Tally};
use super::versions::Versions;
use crate::history::Outcome;

/// How many pairs of a read and a write are looked at in one tangle.
const WORK: usize = 20_000_000;

/// Finds them among the transactions of a tangle.
pub(super) fn find(parsed: &Parsed<'_>, versions: &Versions, tangle: &Tangle, tally: &mut Tally) {
    let mut work = 0;
    for reader in &tangle.nodes[..tangle.transactions as usize] {
        if parsed.outcome(*reader) != Outcome::Ok {
            continue;
        }
        let reads = foreign_reads(parsed.steps_of(*reader));
        let mut of_key: FxHashMap<u32, Vec<(usize, u32)>> = FxHashMap::default();
        for (position, step) in &reads {
            of_key.entry(step.key).or_default().push((*position, step.value));
        }
        for (position, step) in &reads {
            let Some(seen) = parsed.writes.get(step.value as usize) else { continue };
            if seen.transaction == *reader || !versions.is_committed[seen.transaction as usize] {
                continue;
            }
            for other in parsed.steps_of(seen.transaction).iter().filter(|other| other.is_write) {
                work += 1;
                if work > WORK {
                    tally.is_cut = true;
                    return;
                }
                if !parsed.writes[other.value as usize].is_final {
                    continue;
                }
                let Some(missed) = of_key.get(&other.key) else { continue };
                for (at, version) in missed {
                    work += 1;
                    if *version == NONE || !versions.is_older(*version, other.value) {
                        continue;
                    }
                    let anomaly = match at > position {
                        true => Anomaly::ObservedTransactionVanishes,
                        // The same key read again and differently: found as internal.
                        false if other.key == step.key => continue,
                        false => Anomaly::FracturedRead,
                    };
                    let (seen, missed) = (step.value, other.value);
                    tally.add(anomaly, Proof::Fractured { reader: *reader, seen, missed });
                }
            }
        }
    }
}

/// The reads of keys that the transaction has not written before, with their positions.
fn foreign_reads(steps: &[Step]) -> Vec<(usize, Step)> {
    let mut written = rustc_hash::FxHashSet::default();
    let mut reads = Vec::new();
    for (position, step) in steps.iter().enumerate() {
        if step.is_write {
            written.insert(step.key);
        } else if !written.contains(&step.key) {
            reads.push((position, *step));
        }
    }
    reads
}

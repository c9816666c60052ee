//! What a transaction ought to have seen, since it saw another that did it or that knew of it.
//!
//! Whoever reads a version of a key and misses the write of a transaction that it saw, directly
//! (a fractured read) or through others (a causality violation), is on a cycle with one
//! anti-dependency, so only tangles are searched. The missed write may be any number of versions
//! later than what was read, so this is more than a cycle of a certain form.

use rustc_hash::{FxHashMap, FxHashSet};

use super::anomaly::Anomaly;
use super::cycle::{Link, READS, Tangle};
use super::model::Model;
use super::parse::{NONE, Parsed, Step};
use super::tally::{Proof, Tally};
use super::versions::Versions;
use crate::history::Outcome;

/// How many pairs of a read and a write are looked at in one tangle.
const WORK: usize = 20_000_000;

/// Finds them among the transactions of a tangle.
pub(super) fn find(parsed: &Parsed<'_>, versions: &Versions, tangle: &Tangle, tally: &mut Tally) {
    let members = &tangle.nodes[..tangle.transactions as usize];
    let reads = members.iter().map(|member| match parsed.outcome(*member) {
        Outcome::Ok => foreign_reads(parsed.steps_of(*member)),
        _ => Vec::new(),
    });
    let mut search = Search { parsed, versions, members, reads: reads.collect(), work: 0 };
    for reader in 0..members.len() {
        search.direct(reader, tally);
    }
    // Whatever was found directly refutes causal consistency already.
    if !tally.contradicts(Model::Causal) {
        let mut from = vec![(NONE, NONE); members.len()];
        for reader in 0..members.len() as u32 {
            search.indirect(reader, &mut from, tally);
        }
    }
    tally.is_cut |= search.work > WORK;
}

struct Search<'a, 'h> {
    parsed: &'a Parsed<'h>,
    versions: &'a Versions,
    members: &'a [u32],
    /// By member: the reads of keys that it had not written before, with their positions.
    reads: Vec<Vec<(usize, Step)>>,
    work: usize,
}

impl Search<'_, '_> {
    /// By key: what the member read of it, and where.
    fn by_key(&self, member: usize) -> FxHashMap<u32, Vec<(usize, u32)>> {
        let mut by_key: FxHashMap<u32, Vec<(usize, u32)>> = FxHashMap::default();
        for (position, step) in &self.reads[member] {
            by_key.entry(step.key).or_default().push((*position, step.value));
        }
        by_key
    }

    /// The final writes of a transaction to keys of which the reader read an older version, and
    /// where it did.
    fn missed(
        &mut self,
        writer: u32,
        by_key: &FxHashMap<u32, Vec<(usize, u32)>>,
    ) -> Vec<(u32, usize)> {
        let mut missed = Vec::new();
        for step in self.parsed.steps_of(writer) {
            self.work += 1;
            if self.work > WORK {
                break;
            }
            if !step.is_write || !self.parsed.writes[step.value as usize].is_final {
                continue;
            }
            for (position, version) in by_key.get(&step.key).into_iter().flatten() {
                self.work += 1;
                if *version != NONE && self.versions.is_older(*version, step.value) {
                    missed.push((step.value, *position));
                }
            }
        }
        missed
    }

    fn writer(&self, version: u32) -> Option<u32> {
        let writer = self.parsed.writes.get(version as usize)?.transaction;
        self.versions.is_committed[writer as usize].then_some(writer)
    }

    /// Transactions of which the reader saw a part and missed a part.
    fn direct(&mut self, member: usize, tally: &mut Tally) {
        let reader = self.members[member];
        let by_key = self.by_key(member);
        for (seen_at, step) in self.reads[member].clone() {
            let Some(writer) = self.writer(step.value).filter(|writer| *writer != reader) else {
                continue;
            };
            for (missed, missed_at) in self.missed(writer, &by_key) {
                let anomaly = match missed_at > seen_at {
                    true => Anomaly::ObservedTransactionVanishes,
                    // The same key read again and differently: found as internal.
                    false if self.parsed.writes[missed as usize].key == step.key => continue,
                    false => Anomaly::FracturedRead,
                };
                tally.add(anomaly, Proof::Fractured { reader, seen: step.value, missed });
            }
        }
    }

    /// A transaction that the reader knew of through others and whose write it missed. `from` has
    /// by member the last search that reached it and the next member on the way to the reader.
    fn indirect(&mut self, reader: u32, from: &mut [(u32, u32)], tally: &mut Tally) {
        let by_key = self.by_key(reader as usize);
        from[reader as usize] = (reader, NONE);
        let mut frontier = vec![reader];
        while let Some(member) = frontier.pop() {
            if self.work > WORK {
                return;
            }
            for position in 0..self.reads[member as usize].len() {
                let version = self.reads[member as usize][position].1.value;
                self.work += 1;
                let Some(writer) = self.writer(version) else { continue };
                let Ok(next) = self.members.binary_search(&writer) else { continue };
                if from[next].0 == reader {
                    continue;
                }
                from[next] = (reader, member);
                frontier.push(next as u32);
                if let Some((missed, _)) = self.missed(writer, &by_key).first() {
                    let links = self.way(next as u32, from);
                    let reader = self.members[reader as usize];
                    let proof = Proof::Missed { reader, missed: *missed, links };
                    tally.add(Anomaly::CausalityViolation, proof);
                    return;
                }
            }
        }
    }

    /// How the reader knew of a member.
    fn way(&self, mut member: u32, from: &[(u32, u32)]) -> Vec<Link> {
        let mut links = Vec::new();
        while let (_, next) = from[member as usize]
            && next != NONE
        {
            let [one, other] = [member, next].map(|member| self.members[member as usize]);
            links.push(Link { from: one, to: other, kind: READS });
            member = next;
        }
        links
    }
}

/// The reads of keys that the transaction has not written before, with their positions.
fn foreign_reads(steps: &[Step]) -> Vec<(usize, Step)> {
    let mut written = FxHashSet::default();
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

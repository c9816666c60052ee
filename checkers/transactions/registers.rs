//! Registers: a read shows one version and nothing of those before it. What is known of their
//! order: the initial one is the first, and a transaction that read one version of a key and
//! then wrote the key put its own after it.

use super::anomaly::Anomaly;
use super::parse::{INITIAL, NONE, Parsed, Write};
use super::tally::{Proof, Tally};
use super::versions::{NOWHERE, Next, Place, Versions};
use crate::history::{Outcome, Value};

/// Finds the versions of all keys, and turns every read into the version that it read.
pub(super) fn resolve(parsed: &mut Parsed<'_>, tally: &mut Tally, initial: &Value) -> Versions {
    let mut versions = Versions::new(parsed);
    for key in 0..parsed.keys.len() as u32 {
        let is_written = parsed.ids.contains_key(&(key, initial));
        let is_ambiguous = &mut parsed.is_ambiguous[key as usize];
        versions.ambiguous += usize::from(is_written && !*is_ambiguous);
        *is_ambiguous |= is_written;
    }
    for reader in parsed.acknowledged().collect::<Vec<u32>>() {
        for position in parsed.range(reader) {
            if !parsed.steps[position].is_write {
                read(parsed, &mut versions, tally, initial, reader, position);
            }
        }
    }
    let before = replaced(parsed, &versions, tally);
    follow(parsed, &mut versions, &before);
    place(parsed, &mut versions, &before);
    count_unordered(parsed, &mut versions);
    versions
}

fn read(
    parsed: &mut Parsed<'_>,
    versions: &mut Versions,
    tally: &mut Tally,
    initial: &Value,
    reader: u32,
    position: usize,
) {
    let step = parsed.steps[position];
    let value = parsed.reads[step.value as usize];
    let found = parsed.ids.get(&(step.key, value)).copied();
    parsed.steps[position].value = match found {
        _ if parsed.is_ambiguous[step.key as usize] && (found.is_some() || value == initial) => {
            NONE
        }
        None if value == initial => INITIAL,
        None => {
            let proof = Proof::Garbage { reader, step: position as u32, element: 0 };
            tally.add(Anomaly::GarbageRead, proof);
            NONE
        }
        Some(write) => {
            let Write { transaction, is_final, .. } = parsed.writes[write as usize];
            versions.see(parsed, transaction, reader);
            if parsed.outcome(transaction) == Outcome::Fail {
                tally.add(Anomaly::AbortedRead, Proof::Read { reader, write });
            } else if !is_final && transaction != reader {
                tally.add(Anomaly::IntermediateRead, Proof::Read { reader, write });
            }
            write
        }
    };
}

/// By write: the version that its transaction had read and replaced by it, [`NONE`] if it wrote
/// without looking or if the write is no version (not committed, or not final).
fn replaced(parsed: &Parsed<'_>, versions: &Versions, tally: &mut Tally) -> Vec<u32> {
    let mut before = vec![NONE; parsed.writes.len()];
    // By key: the transaction that last touched it, what it had read, and whether it wrote.
    let mut touched = vec![(NONE, NONE, false); parsed.keys.len()];
    for transaction in parsed.acknowledged() {
        for step in parsed.steps_of(transaction) {
            let state = &mut touched[step.key as usize];
            if state.0 != transaction {
                *state = (transaction, NONE, false);
            }
            let (_, version, has_written) = state;
            if !step.is_write {
                if !*has_written {
                    *version = step.value;
                }
                continue;
            }
            let is_first = !std::mem::replace(has_written, true);
            if let Some(read) = parsed.writes.get(*version as usize) {
                if parsed.outcome(read.transaction) == Outcome::Fail && is_first {
                    let proof = Proof::DirtyUpdate {
                        reader: transaction,
                        aborted: *version,
                        kept: step.value,
                    };
                    tally.add(Anomaly::DirtyUpdate, proof);
                }
                let is_version = read.is_final
                    && read.transaction != transaction
                    && versions.is_committed[read.transaction as usize];
                if !is_version {
                    *version = NONE;
                }
            }
            if parsed.writes[step.value as usize].is_final {
                before[step.value as usize] = *version;
            }
        }
    }
    before
}

/// Whether a write left a version of its key.
fn is_version(parsed: &Parsed<'_>, versions: &Versions, write: u32) -> bool {
    let write = &parsed.writes[write as usize];
    write.is_final
        && versions.is_committed[write.transaction as usize]
        && !parsed.is_ambiguous[write.key as usize]
}

/// Every version that replaced a known one follows that; all others follow the initial one.
fn follow(parsed: &Parsed<'_>, versions: &mut Versions, before: &[u32]) {
    let count = parsed.writes.len() as u32;
    let mut pairs: Vec<(u32, u32)> = (0..count)
        .filter(|write| is_version(parsed, versions, *write))
        .map(|write| match before[write as usize] {
            NONE | INITIAL => (count + parsed.writes[write as usize].key, write),
            version => (version, write),
        })
        .collect();
    pairs.sort_unstable();
    for siblings in pairs.chunk_by(|one, other| one.0 == other.0) {
        let next = versions.followers(siblings.iter().map(|(_, write)| *write));
        match siblings[0].0 {
            version if version < count => versions.next[version as usize] = next,
            key => versions.next_of_initial[(key - count) as usize] = next,
        }
    }
}

/// Puts versions into chains: each that nothing is known to precede begins one, and so does each
/// of several that follow the same one.
fn place(parsed: &Parsed<'_>, versions: &mut Versions, before: &[u32]) {
    for write in 0..parsed.writes.len() as u32 {
        let begins = match before[write as usize] {
            NONE | INITIAL => true,
            version => matches!(versions.next[version as usize], Next::Several { .. }),
        };
        if !begins || !is_version(parsed, versions, write) {
            continue;
        }
        let (mut current, mut depth) = (write, 0);
        while versions.places[current as usize] == NOWHERE {
            versions.places[current as usize] = Place { chain: write, depth };
            depth += 1;
            match versions.next[current as usize] {
                Next::Write(next) => current = next,
                _ => break,
            }
        }
    }
}

/// Counts the keys whose versions are not all in one chain.
fn count_unordered(parsed: &Parsed<'_>, versions: &mut Versions) {
    let mut chain = vec![NONE; parsed.keys.len()];
    let mut is_split = vec![false; parsed.keys.len()];
    for number in 0..parsed.writes.len() as u32 {
        if !is_version(parsed, versions, number) {
            continue;
        }
        let key = parsed.writes[number as usize].key as usize;
        let place = versions.places[number as usize];
        // What is in no chain is in a circle.
        is_split[key] |= place == NOWHERE || (chain[key] != NONE && chain[key] != place.chain);
        chain[key] = place.chain;
    }
    let mut is_read = vec![false; parsed.keys.len()];
    for reader in parsed.acknowledged() {
        for step in parsed.steps_of(reader).iter().filter(|step| !step.is_write) {
            let foreign =
                parsed.writes.get(step.value as usize).is_some_and(|w| w.transaction != reader);
            is_read[step.key as usize] |= foreign;
        }
    }
    for (is_split, is_read) in is_split.into_iter().zip(is_read) {
        versions.undecided += usize::from(is_split && is_read);
        versions.unordered += usize::from(is_split);
    }
}

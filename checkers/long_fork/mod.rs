//! Long fork: two reads that saw two writes in opposite orders.
//!
//! # What is decided
//!
//! Every key is written at most once, so a read of a key either saw its write (a value) or did
//! not (nil). Two acknowledged transactions that only read fork if one saw the write of x and not
//! that of y, and the other that of y and not that of x. No order of the two writes explains both,
//! so snapshot isolation and everything stronger forbids it, while parallel snapshot isolation
//! allows it (Sovran, Power, Aguilera and Li, "Transactional storage for geo-replicated systems",
//! SOSP 2011). Real time plays no part. A transaction that also writes is passed over: it sees
//! its own write.
//!
//! # Algorithm
//!
//! What a transaction saw is a set of (key, seen or not), no matter in which order it read, so of
//! all reads that saw the same, one is enough. For each of these, and each of its pairs (x seen, y
//! not seen), a table keeps the first read with that pair; there is a fork iff for some pair both
//! (x, y) and (y, x) are in the table. That is the definition, word for word, and so needs no
//! more proof, nor that all reads of a key read the same group of keys.
//!
//! # Cost
//!
//! O(n) in the number of keys read, to number and compare what was seen, plus g^2 for each
//! *different* read of a group of g keys. Without a fork in a group what was seen forms a chain
//! (two sets of seen keys, neither in the other, are a fork), so there are at most g + 1 different
//! reads of it, and g^3 steps. Once a fork is found in a group, its further reads are compared with
//! no others.
//!
//! ```
//! # use splitbrain_checkers::{long_fork::LONG_FORK, notation};
//! let agreed = notation::history(
//!     "0 write [[w x 1]]                           0..10
//!      1 read  -> [[r x 1] [r y nil]]             20..30
//!      2 read  -> [[r y 1] [r x 1]]               20..30",
//! );
//! assert!(LONG_FORK.run(&agreed, &Default::default()).validity.is_valid());
//!
//! let fork = notation::history(
//!     "1 read  -> [[r x 1] [r y nil]]             20..30
//!      2 read  -> [[r y 1] [r x nil]]             20..30",
//! );
//! assert!(LONG_FORK.run(&fork, &Default::default()).validity.is_invalid());
//! ```

mod reads;

use rustc_hash::{FxHashMap, FxHashSet};
use serde::Serialize;

use crate::checker::{Checker, Options, Scope};
use crate::evidence::{doer, witness};
use crate::finding::{Finding, Validity, Witness};
use crate::history::{History, Operation};
use crate::words::count;
use reads::{Reads, Seen};

/// All reads agree on one order of the writes.
pub const LONG_FORK: Checker = Checker {
    name: "long-fork",
    check: "long-fork",
    about: "no two reads see two writes in opposite orders; O(n) if keys are read in small groups",
    functions: &["read", "write", "txn"],
    scope: Scope::Whole(check),
};

/// What was found, in numbers.
#[derive(Debug, Default, Clone, PartialEq, Serialize)]
pub struct Details {
    /// Acknowledged transactions that read two keys or more and wrote none.
    pub reads: usize,
    /// Of these, how many saw all of their keys written, none, or some: only the last can fork.
    pub complete: usize,
    pub empty: usize,
    pub partial: usize,
    /// Groups of keys that were read together.
    pub groups: usize,
    pub forks: Vec<Fork>,
}

/// Two keys whose writes two reads saw in opposite orders.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fork {
    /// The key that the first read saw written, and the one that the second saw written.
    pub keys: [String; 2],
    /// Indices of the two reads.
    pub operations: [u64; 2],
}

/// Looks at every read of a history.
///
/// # Errors
/// A sentence, if the history is not one of keys that are written once.
pub fn inspect(history: &History) -> Result<Details, String> {
    Ok(survey(history)?.0)
}

/// A fork, by positions of operations.
type Positions = [usize; 2];

fn survey(history: &History) -> Result<(Details, Vec<Positions>), String> {
    let reads = Reads::of(history)?;
    let mut details = Details { reads: reads.reads.len(), ..Details::default() };
    let mut groups: FxHashMap<Vec<u32>, bool> = FxHashMap::default();
    let mut known: FxHashSet<&[Seen]> = FxHashSet::default();
    let mut first: FxHashMap<(u32, u32), usize> = FxHashMap::default();
    let mut forks = Vec::new();
    for (position, seen) in &reads.reads {
        let written = seen.iter().filter(|seen| seen.is_written).count();
        match written {
            0 => details.empty += 1,
            _ if written == seen.len() => details.complete += 1,
            _ => details.partial += 1,
        }
        if !known.insert(seen) {
            continue;
        }
        let has_fork = groups.entry(seen.iter().map(|seen| seen.key).collect()).or_default();
        if *has_fork {
            continue;
        }
        for (x, y) in pairs(seen) {
            first.entry((x, y)).or_insert(*position);
            if let Some(other) = first.get(&(y, x)).filter(|_| !*has_fork) {
                *has_fork = true;
                let operations = [*other, *position].map(|at| history.operations[at].index);
                let keys = [y, x].map(|key| reads.keys[key as usize].to_string());
                details.forks.push(Fork { keys, operations });
                forks.push([*other, *position]);
            }
        }
    }
    details.groups = groups.len();
    Ok((details, forks))
}

/// Each pair of a key that was seen written and one that was not.
fn pairs(seen: &[Seen]) -> impl Iterator<Item = (u32, u32)> {
    seen.iter()
        .filter(|x| x.is_written)
        .flat_map(|x| seen.iter().filter(|y| !y.is_written).map(move |y| (x.key, y.key)))
}

fn check(history: &History, options: &Options<'_>) -> Finding {
    let operations = history.operations.len();
    let (validity, details) = match survey(history) {
        Err(reason) => (Validity::Unknown { reason }, Details::default()),
        Ok((details, forks)) => {
            let validity = match (details.forks.first(), forks.first()) {
                (Some(fork), Some(reads)) => Validity::Invalid {
                    witness: Box::new(explain(
                        fork,
                        reads.map(|at| &history.operations[at]),
                        options,
                    )),
                },
                _ if details.reads < 2 => Validity::Unknown {
                    reason: "not exercised: fewer than two reads of two keys or more were \
                             acknowledged"
                        .to_owned(),
                },
                _ => Validity::Valid,
            };
            (validity, details)
        }
    };
    let checked = format!(
        "{} of {} of keys, {} of them in between",
        count(details.reads, "read"),
        count(details.groups, "group"),
        details.partial
    );
    let summary = match &validity {
        Validity::Unknown { reason } => format!("{}: {reason}", count(operations, "operation")),
        Validity::Valid => format!("{checked}: no long fork"),
        Validity::Invalid { .. } => {
            format!("{checked}: a long fork in {}", count(details.forks.len(), "group"))
        }
    };
    Finding {
        check: LONG_FORK.check.to_owned(),
        violations: details.forks.len(),
        keys: Vec::new(),
        validity,
        summary,
        operations,
    }
}

/// The two reads. Either alone is harmless; the writes can be forgotten, as nothing is said of
/// when they were.
fn explain(fork: &Fork, reads: [&Operation; 2], options: &Options<'_>) -> Witness {
    let [x, y] = &fork.keys;
    let said = |read: &Operation, seen: &str, not: &str| {
        let end = options.clock.instant(read.complete.unwrap_or(read.invoke));
        format!(
            "the {} that returned at {end} saw the write of {seen} and not that of {not}",
            doer(read)
        )
    };
    let sentence = format!("{}, but {}", said(reads[0], x, y), said(reads[1], y, x));
    witness(sentence, &reads, &[])
}

#[cfg(test)]
mod tests;

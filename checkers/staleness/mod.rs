//! How stale: for registers that are not linearizable, by how much they are not.
//!
//! "Not linearizable" is one bit. A store that answers from the nearest copy wants to know more:
//! how old was what it returned, how many versions behind, and how soon after a write is
//! acknowledged do reads return it? Four measures, each per key and joined over keys. All but
//! the last step of the third are exact and take O(n log n) time and O(n) memory.
//!
//! Operations, outcomes and values are those of [`crate::register`]: closed intervals, `info`
//! may take effect at any time or never, every value that is found has one writer, and the
//! initial value was there before every instant. A *read* is an acknowledged operation that
//! found a value: a read, or a cas, which found what it replaced.
//!
//! # 1. Age and versions behind
//!
//! What is certain of a write that took effect (`reigns.rs`):
//!
//! - it is *done by* the earliest of: its acknowledgement; the completion of a read that found
//!   its value; and the same of every write that a chain of cas made from its value;
//! - it is *not before* the latest of: its invocation, and those of the writes whose value a
//!   chain of cas turned into its own.
//!
//! A write u is *surely later* than w if w is done by an instant before which u is not, or if a
//! chain of cas made u's value from w's. A read r of w's value is *stale* if some write u is
//! surely later than w and was done before r began. Its *age* is the time from the first such
//! instant to the invocation of r: the largest that can be proven. It is *behind* by the number
//! of all such u.
//!
//! That number is the least that any order allows: no placement of all effects (each inside its
//! interval, a value there before it is found, cas after what they replaced) has fewer writes
//! between w and r, and one has no more. For put r at its start, w at the instant by which it is
//! done, and every other u that can go before w (u is not made from w and is not surely after it)
//! at its "not before" instant; all others that can go behind r at their "done by" instant. Both
//! instants grow along a chain, so what replaced a value stays behind it, and the only writes left
//! between w and r are those counted. (Other reads may find something else in that placement; what
//! they found cannot say which of two concurrent writes was first, since it may be them that are
//! stale. So two reads that saw two concurrent writes in opposite orders refute linearizability
//! without either being called stale.)
//!
//! The first instant is the minimum of "done by" over all writes whose "not before" exceeds a
//! bound: suffix minima after sorting. The number is a count of points in a quadrant, taken
//! offline with a Fenwick tree (P. M. Fenwick, "A new data structure for cumulative frequency
//! tables", Software: Practice and Experience 24(3), 1994), plus a piece of one chain, found by
//! bisection.
//!
//! # 2. The least delta
//!
//! Golab, Li and Shah ("Analyzing consistency properties for fun and profit", PODC 2011): a
//! history is delta-atomic if it is linearizable once every read is taken to have begun delta
//! earlier; a read may then return what was overwritten up to delta before. A cas is not moved
//! (unless it leaves what it finds): it writes, and nothing is written before it is asked for. See [`delta`] for the least delta,
//! in nanoseconds and exact. Zero means linearizable; none means that no delta helps: a value
//! that nobody wrote or that was found before it was written, two cas that replaced one value, a
//! cas that was stale.
//!
//! # 3. The least k
//!
//! Aiyer, Alvisi and Bazzi ("On the availability of non-strict quorum systems", DISC 2005): a
//! history is k-atomic if some order of it respects real time and every read (and cas) finds one
//! of the last k values written before it. One is linearizable. See [`least_k`].
//!
//! # 4. Freshness after t
//!
//! Bailis et al. ("Probabilistically bounded staleness for practical partial quorums", VLDB
//! 2012): of the reads that began more than t after some write was done, the share that returned
//! no value older than the newest of those writes. A read fails exactly if its age exceeds t. With
//! Wilson's interval ([`Answered`]).
//!
//! # Example
//!
//! ```
//! # use std::time::Duration;
//! # use splitbrain_checkers::{notation, staleness::{self, LeastK, Settings}};
//! let history = notation::history(
//!     "0 write@x 1          0..10
//!      0 write@x 2         20..30
//!      1 read@x -> 1       75..80
//!      1 read@x -> 2       90..95 ",
//! );
//! let (staleness, finding) = staleness::check(&history, &Settings::default());
//! let read = staleness.oldest.unwrap();
//! assert_eq!((read.age, read.behind), (Duration::from_nanos(45), 1));
//! assert_eq!(staleness.least_delta, Some(Duration::from_nanos(45)));
//! assert_eq!(staleness.least_k, LeastK::Exactly { k: 2 });
//! assert!(finding.validity.is_invalid());
//!
//! let bound = Duration::from_nanos(45);
//! let (_, finding) = staleness::check(&history, &Settings { bound, ..Settings::default() });
//! assert!(finding.validity.is_valid());
//! ```

mod ages;
mod chunk;
pub mod delta;
mod finding;
mod fresh;
mod join;
pub mod least_k;
mod reigns;
pub mod search;
#[cfg(test)]
mod tests;
pub mod two;

use std::borrow::Borrow;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::availability::Answered;
use crate::clock::Clock;
use crate::history::{Name, Operation, Time, Value};
use crate::limits::Limits;
use crate::register::step;
pub use finding::{STALENESS, check};
pub use fresh::AFTER;
pub use join::measure;
pub use least_k::LeastK;
use reigns::Reigns;

/// What is measured, and what is still accepted.
#[derive(Debug, Clone)]
pub struct Settings<'l> {
    /// What each register held before the first operation.
    pub initial: Value,
    /// The largest least delta that the finding `staleness` accepts. Zero accepts what is
    /// linearizable only.
    pub bound: Duration,
    /// How far the least k is looked for. At least 1.
    pub k_max: usize,
    /// What the times are; only for the sentences.
    pub clock: Clock,
    /// The budget of each key. Only the least k beyond 1 searches.
    pub limits: Limits<'l>,
}

/// Nil, no staleness accepted, k up to 4, a million steps per key.
impl Default for Settings<'_> {
    fn default() -> Self {
        Self {
            initial: Value::Nil,
            bound: Duration::ZERO,
            k_max: 4,
            clock: Clock::Nanoseconds,
            limits: Limits { steps: 1_000_000, memory_bytes: 256 << 20, is_over: None },
        }
    }
}

/// A read that returned what had surely been overwritten when it began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StaleRead {
    /// Index of the read or cas.
    pub read: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<Name>,
    /// How long before its invocation its value had been overwritten, at least.
    pub age: Duration,
    /// How many writes surely came between, at least.
    pub behind: usize,
    /// Index of the first write that had surely overwritten the value.
    pub overwritten_by: u64,
    /// When that was done: acknowledged, or seen by a read.
    pub overwritten: Time,
}

/// A row of the table of freshness.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fresh {
    /// This long after writes were done.
    pub after: Duration,
    /// Of the reads that began later than that after some write was done, those that returned
    /// nothing older.
    pub fresh: Answered,
}

/// How stale the reads of one key, or of several, were.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Staleness {
    /// Acknowledged reads and cas.
    pub reads: usize,
    /// Those of them that no age can be given: nobody wrote the value, or only later.
    pub impossible: usize,
    /// Those that were surely stale.
    pub stale: usize,
    /// The stale read of the largest age.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oldest: Option<StaleRead>,
    /// The stale read that was most versions behind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub most_behind: Option<StaleRead>,
    /// The least delta that makes the history delta-atomic; `None` if no delta does.
    pub least_delta: Option<Duration>,
    pub least_k: LeastK,
    /// By time after the write.
    pub fresh: Vec<Fresh>,
}

/// Measures the operations of one register.
///
/// # Errors
/// Why nothing can be measured: an operation that a register does not have, or a value that was
/// found and was written more than once.
pub fn measure_key<O: Borrow<Operation>>(
    operations: &[O],
    settings: &Settings<'_>,
) -> Result<Staleness, String> {
    let compacted = step::compact(operations, &settings.initial)?;
    let reigns = Reigns::new(&compacted)?;
    let ages = ages::ages(&reigns);
    let stale: Vec<&ages::Age> = ages.iter().filter(|age| age.age > 0).collect();
    let show = |age: &&ages::Age| shown(operations, &compacted, &reigns, age);
    let least_delta = delta::least(&reigns);
    let lower = stale.iter().map(|age| age.behind + 1).max().unwrap_or(1);
    Ok(Staleness {
        reads: reigns.reads.len() + reigns.impossible,
        impossible: reigns.impossible,
        stale: stale.len(),
        oldest: stale.iter().max_by_key(|age| age.age).map(show),
        most_behind: stale.iter().max_by_key(|age| age.behind).map(show),
        least_delta: least_delta.map(Duration::from_nanos),
        least_k: least_k::least_k(&reigns, lower, settings),
        fresh: fresh::table(&reigns, &ages),
    })
}

/// Every stale read of one register, in the order of the operations given.
///
/// # Errors
/// As [`measure_key`].
pub fn stale_reads<O: Borrow<Operation>>(
    operations: &[O],
    initial: &Value,
) -> Result<Vec<StaleRead>, String> {
    let compacted = step::compact(operations, initial)?;
    let reigns = Reigns::new(&compacted)?;
    let stale = ages::ages(&reigns).into_iter().filter(|age| age.age > 0);
    Ok(stale.map(|age| shown(operations, &compacted, &reigns, &age)).collect())
}

/// A stale read in the words of the history.
fn shown<O: Borrow<Operation>>(
    operations: &[O],
    compacted: &step::Steps<'_>,
    reigns: &Reigns<'_>,
    age: &ages::Age,
) -> StaleRead {
    let operation = |step: u32| -> &Operation {
        operations[compacted.steps[step as usize].source as usize].borrow()
    };
    let read = operation(reigns.reads[age.read as usize].step);
    let overwriter = reigns.all[age.overwritten_by as usize];
    StaleRead {
        read: read.index,
        key: read.key.clone(),
        age: Duration::from_nanos(age.age),
        behind: age.behind,
        overwritten_by: overwriter.writer.map_or(read.index, |writer| operation(writer).index),
        // Steps count instants from one.
        overwritten: Time(overwriter.done_by - 1),
    }
}

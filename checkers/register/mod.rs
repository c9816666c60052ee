//! Linearizability of one register with read, write and compare-and-set, some of whose
//! operations may have been left without an answer. O(n log n) time, O(n) memory.
//!
//! Gibbons and Korach ("Testing shared memories", SIAM Journal on Computing 26(4), 1997) decide
//! reads and writes of unique values in O(n log n) once it is known which read read which write;
//! Golab, Li and Shah ("Analyzing consistency properties for fun and profit", PODC 2011) give the
//! same as a condition on zones. Both know complete operations and no compare-and-set. Here cas
//! ties zones into chains, and operations without an answer are decided before (Gibbons and
//! Korach's read-modify-write variant orders cas alone, without free writes between them).
//! Where values are written more than once, those that real time tells apart count as different
//! (`apart.rs` says when); what cannot be told apart is left to a [search](repeated). While a
//! history grows, [`incremental`] says the same after every event.
//!
//! # What is decided
//!
//! Each operation has a closed interval \[start, finish\] and takes effect at one instant in it;
//! several may do so at the same instant, in any order. So one operation precedes another only
//! if it finished strictly before the other started: operations that touch at one reading of
//! the clock count as concurrent. A clock too coarse can hide a violation and cannot invent one.
//! `fail` did not take effect; `info` may have, at any time from its start on, or never, so its
//! finish is infinity. The initial value (nil unless set) was there before every instant, as if
//! written at minus infinity. cas(a to a) leaves the register as it is: a read of `a` if
//! acknowledged, and nothing at all if not.
//!
//! The register is linearizable iff some set of operations with all of `ok` and any of `info`
//! has a total order that respects the instants and in which every read and cas finds what the
//! last write or cas before it left. Assume that every value that was found has at most one
//! possible writer (the initial value is one).
//!
//! # The steps, and why they are right
//!
//! **1. Which `info` took effect.** What an `ok` read or cas found was there, and only its one
//! writer can have put it there: that took effect. If that writer is a cas, what it expected was
//! there too, and so on (`clusters.rs`; each value is handled once, so this is linear). Any other
//! `info` can be left out: nothing in a valid order found its value, so removing it from the
//! order changes what others find only if it stood between a write and its readers, and removing
//! it makes room there, never less. From here on every operation took effect.
//!
//! **2. Clusters.** The cluster of a write is its operation and all that found its value. In any
//! order the cluster is a contiguous block that begins with the write, since a foreign write
//! inside it would be found instead. So: a value found but never written is a violation; so is
//! an operation that finishes before the writer of what it found starts; so are two cas that
//! replace the same value, since each ends the block. Writes of values that nobody found may
//! share a value: each is a cluster of its own.
//!
//! **3. Chains.** cas(a to b) is the last of a's block and the first of b's: the blocks are
//! adjacent and share it. So clusters form chains C0, C1, ... Cm, each a contiguous block of the
//! order; if they form a circle instead, none of its cas can be the first, a violation. Let `S_k`
//! be the latest start and `F_k` the earliest finish in C_k (the cas between two clusters counts
//! in both). Choose an instant `t_k` for the write of C_k. The others of C_k must find an instant
//! in \[t_k, t_(k+1)\], so `t_k <= F_k` and `S_k <= t_(k+1)`, and the writer itself starts before
//! `t_k`. These suffice: an operation with start <= t_(k+1), finish >= t_k and start <= finish
//! meets \[t_k, t_(k+1)\], and those of C_k can be put in the order of their instants. Feasible
//! increasing t exist iff `S_j <= F_k` for all j < k and each writer starts no later than `F_k`
//! (step 2): `t_k` = the largest `S_j` with j < k or start of the writer is the least choice, and
//! fits exactly then.
//!
//! **4. Zones.** Let `begin` be the least `F_k` and `end` the greatest `S_k` of a feasible chain.
//! `t_0 <= t_k <= F_k` for all k, so the block begins no later than `begin`; likewise it ends no
//! earlier than `end`.
//! *Forward zone, begin < end*: the block covers \[begin, end\] in any order, and that is enough:
//! raise each least `t_k` of step 3 to at least `begin`; this is allowed, as `begin <= F_k`; then
//! `t_0 = begin`, since what bounds t_0 from below is the start of C_0's writer, which is <= every
//! F_k; and all `t_k`, and the instants of the operations after the last, fit below `end`.
//! *Backward zone, end <= begin*: any instant x with end <= x <= begin holds the entire block:
//! every start is <= end <= x and every finish >= begin >= x.
//!
//! **5. Order of chains.** Let X, Y be chains. If X's block is before Y's, then the latest start
//! in X is no later than the earliest finish in Y: `end_X <= begin_Y`. So `end_X > begin_Y` and
//! `end_Y > begin_X` together are a violation; for two forward zones that says that they overlap
//! in more than a point, for a backward zone that it lies strictly inside a forward one, and for
//! two backward zones it is impossible. If there is no such pair, an order exists: forward zones
//! are disjoint but for end points, so they go in the order of time; each backward zone contains
//! an instant that is inside no forward zone (else, being an interval, it would lie strictly
//! inside a single one, as neighbours leave at least their common end point free), and goes
//! there.
//!
//! **6. The initial value** is a cluster whose writer starts and finishes at minus infinity; its
//! chain begins there, so nothing can go before it.
//!
//! # Cost and examples
//!
//! Sorting the forward zones costs O(n log n); all else is linear. `checkers/tests` compares
//! this with a search of every order on random histories, and each witness with its definition.
//!
//! ```
//! # use splitbrain_checkers::{notation, register};
//! // The write of 2 was never answered; it took effect between the two reads.
//! let valid = notation::history(
//!     "0 write 1        0..10
//!      1 write 2       20..
//!      2 read -> 1     30..40
//!      2 read -> 2     50..60
//!      3 cas [2 3]     55..70",
//! );
//! assert!(register::check_history(&valid).validity.is_valid());
//! // 1 comes back after 2 was found.
//! let invalid = notation::history(
//!     "0 write 1        0..10
//!      1 write 2       20..
//!      2 read -> 2     30..40
//!      2 read -> 1     50..60",
//! );
//! let finding = register::check_history(&invalid);
//! let witness = finding.validity.witness().unwrap();
//! assert_eq!(witness.operations.len(), 3, "{}", witness.sentence);
//! ```

pub(crate) mod apart;
mod came_back;
pub(crate) mod chains;
pub(crate) mod clusters;
mod explain;
pub mod incremental;
mod instead;
pub mod repeated;
pub(crate) mod step;
pub(crate) mod violation;
mod witness;

use std::borrow::Borrow;

use crate::checker::{Checker, Options, Scope};
use crate::finding::{Finding, Validity};
use crate::history::{History, Operation};
use crate::keys::{self, KeyResult};
use chains::Analysis;
use clusters::Writer;
use step::Steps;

/// Reads and writes; a compare-and-set in the history is a mistake.
pub const REGISTER: Checker = Checker {
    name: "register",
    functions: &["read", "write"],
    about: "a linearizable register; O(n log n) if written values are unique",
    ..CAS_REGISTER
};

/// Reads, writes and compare-and-set.
pub const CAS_REGISTER: Checker = Checker {
    name: "cas-register",
    check: "linearizable",
    about: "a linearizable register with compare-and-set; O(n log n) if written values are unique",
    functions: &["read", "write", "cas"],
    scope: Scope::Key(|operations, options| check_key(operations, options)),
};

/// Whether the operations of one register (see [`keys::split_by_key`]) are linearizable. Operations may
/// come in any order. Operations that a register does not have make it unknown.
pub fn check<O: Borrow<Operation>>(operations: &[O]) -> Validity {
    check_key(operations, &Options::default()).validity
}

/// As [`check`], with options, and with the number of violations.
pub fn check_key<O: Borrow<Operation>>(operations: &[O], options: &Options<'_>) -> KeyResult {
    let mut result = KeyResult::of(operations.len());
    let mut compacted = match step::compact(operations, &options.initial) {
        Ok(compacted) => compacted,
        Err(reason) => {
            result.validity = Validity::Unknown { reason };
            return result;
        }
    };
    let steps = &compacted.steps;
    result.observations = steps.iter().filter(|step| step.sure && step.observes.is_some()).count();
    let analysis = Analysis::new(steps, compacted.values.len());
    result.violations = analysis.tally.violations;
    if let Some(witness) = witness::witness(operations, &compacted, &analysis, options.clock) {
        result.validity = Validity::Invalid { witness: Box::new(witness) };
        return result;
    }
    // That a value differed says nothing if it cannot have been there.
    let writers = &analysis.parts.writers;
    compacted.refusals.retain(|refusal| writers[refusal.expected as usize] != Writer::Nobody);
    let is_observed = options.observe_failed_cas && !compacted.refusals.is_empty();
    if is_observed || analysis.repeated().is_some() && !is_told_apart(&compacted) {
        result.validity = repeated::check_steps(operations, &compacted, options);
        result.violations = usize::from(result.validity.is_invalid());
    }
    result
}

/// Whether real time tells repeated values apart and nothing is wrong then. If something is, the
/// search has to say what: which writes were out of the question is part of the proof.
fn is_told_apart(compacted: &Steps<'_>) -> bool {
    let (steps, values) = apart::tell_apart(&compacted.steps, compacted.values.len());
    let analysis = Analysis::new(&steps, values);
    analysis.repeated().is_none() && analysis.tally.violations == 0
}

/// Checks every key of a history, one after the other.
pub fn check_history(history: &History) -> Finding {
    let options = Options::default();
    keys::check_each(CAS_REGISTER.check, history, |operations| check_key(operations, &options))
}

#[cfg(test)]
mod tests;

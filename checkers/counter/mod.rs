//! A counter: every read is a sum that could have been there.
//!
//! # What is decided
//!
//! `add` of an integer (negative ones too); `inc` and `dec` (`increment`, `decrement`) of one or of
//! the integer that they carry; `read`. An acknowledged add took effect once within its interval,
//! one without an answer at most once at any time from its start on, a failed one never. The
//! counter begins at `options.initial`, or zero; a read that returns nil returned that.
//!
//! 1. **Each read by itself** (`sums.rs`). At the instant t of its effect, all adds that finished
//!    strictly before t count, and any of those that are open at t may. So for some t in the
//!    read's interval its value is the sum of the former plus that of some subset of the latter.
//!    This is decided exactly as long as the tables of subset sums fit the limits on memory, steps
//!    and time and a limit of their own, [`TABLE_BITS_MOST`]; else a value within the bounds is unknown.
//! 2. **Reads among each other**, if no delta is negative or none is positive (`order.rs`). If a
//!    read r1 of v1 finished before a read r2 of v2 started, all acknowledged adds that started
//!    after r1 and finished before r2 are between them: v2 >= v1 + their sum. (So reads never go
//!    back.) The initial value counts as a read before everything.
//!
//! **What that leaves open.** Subset sums are NP-complete, and so is the whole question with deltas
//! of all kinds. If all deltas that did not fail are equal, conditions 1 and 2 are all there is:
//! the check is complete, and a valid history is linearizable (the proof is in `order.rs`). With
//! different deltas of one sign, and with both signs, every refutation stands, and valid means:
//! not refuted by 1 and 2. [`Details::is_complete`] says which.
//!
//! # Cost
//!
//! 1: a sweep over the ends of adds; each read is looked at once per end within its interval until
//! a sum fits, in time linear in the number of different deltas that are open if their sums have
//! no gaps. 2: O(n log n).
//!
//! ```
//! # use splitbrain_checkers::{counter::COUNTER, notation};
//! let explained = notation::history(
//!     "0 add 3       0..10
//!      1 dec        20..
//!      2 read -> 2  30..40
//!      2 read -> 2  50..60",
//! );
//! assert!(COUNTER.run(&explained, &Default::default()).validity.is_valid());
//!
//! let lost = notation::history("0 add 3 0..10 \n 1 add 2 0..10 \n 2 read -> 4 30..40");
//! let finding = COUNTER.run(&lost, &Default::default());
//! assert!(finding.validity.witness().unwrap().sentence.contains("at least 5"));
//! ```

mod adds;
mod explain;
mod order;
mod sums;
#[cfg(test)]
mod tests;

use serde::Serialize;

use crate::checker::{Checker, Options, Scope};
use crate::evidence::Tally;
use crate::finding::Validity;
use crate::history::Operation;
use crate::keys::KeyResult;
use adds::Adds;
use sums::Sum;

/// Every read is a sum that could have been there.
pub const COUNTER: Checker = Checker {
    name: "counter",
    check: "counter",
    about: "reads are sums of adds, none goes back; O(n log n), linearizable if all deltas are equal",
    functions: &["add", "inc", "increment", "dec", "decrement", "read"],
    scope: Scope::Key(check_key),
};

/// How many bits a table of subset sums may have, so that one read cannot take all the time.
pub const TABLE_BITS_MOST: u128 = 1 << 24;

/// What was found.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize)]
pub struct Details {
    pub adds: usize,
    /// Adds that were not acknowledged and did not fail.
    pub indeterminate: usize,
    /// Acknowledged reads, in the order of their beginnings.
    pub reads: Vec<Bounds>,
    /// Whether a valid answer means that the history is linearizable.
    pub is_complete: bool,
    /// Reads that are less than an earlier read and the adds between require.
    pub backwards: usize,
}

/// What a read could have returned by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Bounds {
    /// Index of the operation.
    pub operation: u64,
    /// The least and the greatest sum at any instant of the read.
    pub least: i128,
    pub value: i128,
    pub greatest: i128,
    pub sum: Sum,
}

#[derive(Debug, Clone, Copy)]
enum Violation {
    /// The position of a read that is no sum.
    NoSum { read: usize },
    /// The read `later` is too little (too much, if deltas are negative) after `earlier`; `None`
    /// is the beginning.
    Back { earlier: Option<usize>, later: usize },
}

/// Looks at every read of one counter.
///
/// # Errors
/// A sentence that names the first operation that a counter does not have.
pub fn inspect(operations: &[&Operation], options: &Options<'_>) -> Result<Details, String> {
    Ok(survey(&Adds::of(operations, &options.initial)?, options).0)
}

fn survey(adds: &Adds, options: &Options<'_>) -> (Details, Tally<Violation>) {
    let mut tally = Tally::default();
    let bounds = sums::check_each(adds, &options.limits);
    let mut details = Details {
        adds: adds.adds.len(),
        indeterminate: adds.adds.iter().filter(|add| !add.is_sure()).count(),
        is_complete: adds.adds.windows(2).all(|pair| pair[0].delta == pair[1].delta),
        ..Details::default()
    };
    let earlier = order::too_little(adds);
    for (read, &bounds) in bounds.iter().enumerate() {
        let Bounds { least, value, greatest, .. } = bounds;
        let outside = if value < least { least - value } else { (value - greatest).max(0) };
        let margin = u64::try_from(outside).unwrap_or(u64::MAX);
        if bounds.sum == Sum::Impossible {
            tally.add(1 + u8::from(outside > 0), margin, Violation::NoSum { read });
        } else if let Some(earlier) = earlier[read] {
            details.backwards += 1;
            tally.add(0, 0, Violation::Back { earlier, later: read });
        }
    }
    details.reads = bounds;
    (details, tally)
}

fn check_key(operations: &[&Operation], options: &Options<'_>) -> KeyResult {
    let mut result = KeyResult::of(operations.len());
    let adds = match Adds::of(operations, &options.initial) {
        Ok(adds) => adds,
        Err(reason) => {
            result.validity = Validity::Unknown { reason };
            return result;
        }
    };
    let (details, tally) = survey(&adds, options);
    result.violations = tally.violations;
    result.observations = details.reads.len();
    let undecided = details.reads.iter().find(|read| read.sum == Sum::Undecided);
    if let Some(violation) = tally.worst() {
        let witness = Box::new(explain::explain(violation, &adds, operations, options));
        result.validity = Validity::Invalid { witness };
    } else if let Some(read) = undecided {
        result.validity = Validity::Unknown {
            reason: format!(
                "operation {} returned {}, which is between the least sum {} and the greatest {}; \
                 whether it is one of the sums takes a table beyond the limits",
                read.operation, read.value, read.least, read.greatest
            ),
        };
    }
    result
}

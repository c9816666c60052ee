//! The general search for a linearization: any history of a register, values repeated or not.
//!
//! It is used where values are written more than once and it cannot be told which write a read
//! found, so that [the register check](crate::register) does not decide. NP-complete in general
//! (Gibbons and Korach, "Testing shared memories", SIAM Journal on Computing 26(4), 1997), so it
//! obeys the [limits](crate::limits) and says how far it got when one is reached.
//!
//! Wing and Gong ("Testing and verifying concurrent objects", JPDC 1993) search depth first;
//! Lowe ("Testing for linearizability", CCPE 2017) remembers where the search has been and lets
//! every operation wait until one has to be placed. Here the search goes breadth first: it walks
//! through invocations and completions in order of time and keeps the *frontier*, all that may be
//! true at that moment. So it needs memory for the operations in flight and not for the history,
//! its time grows linearly with the length, where nothing is in flight nothing is left of the
//! past but the state, and the first completion that nothing explains is known at once. Lee and
//! Mathur (PLDI 2026) give the bound O(k 2^k n) for k processes and complete operations. What
//! keeps the frontier small here:
//!
//! # Configurations
//!
//! A configuration is a state, a set `done` of open operations that have taken effect, and a set
//! `spare` of open acknowledged writes that *may* have. It stands for every pair of that state
//! and a set of effective operations between `done` and `done` with `spare`. Where it is in a
//! frontier, each of these pairs can be reached:
//! - **A write hides others.** When a write takes effect, every other open write may have taken
//!   effect just before, found by nobody: all that are not done become spare. Likewise a write of
//!   the value that is there already becomes spare: nobody can tell whether it took effect.
//! - **A spare write may still be used**, since some of the pairs have it not effective. When it
//!   completes, the pairs that have it effective go on, and in the others it has to be placed.
//!
//! # Effects
//!
//! Only a completion needs a decision: an operation that completes and is not done (and where it
//! is spare, may not be) has to take effect now, after as few others as possible (Lowe's just-in-time linearization).
//! Let an order of the operations be given. The search follows it with these rules, each of which
//! leaves it with at least the possibilities of that order:
//! - *A look* (a read, or a refused cas that counts) that finds what it needs takes effect at
//!   once: it changes nothing, so the earlier the better.
//! - *A write takes effect early only if it completes or an open operation needs its value.*
//!   Otherwise the next operation in the order that cares about the state is a write, so this one
//!   is spare from then on anyway, or is not open yet, so this one can wait.
//! - *A cas takes effect early only if it completes, or its value is needed, or a write can
//!   follow.* Otherwise, again, it can wait.
//! - *A lost operation* (without an answer) has no deadline and need not take effect at all, so it
//!   does only when its value is needed.
//! - *Of operations that do the same, the one that ends first goes first.* In an order that has it
//!   the other way round the two can change places; the later one can do whatever the earlier one
//!   could.
//! - *A configuration with the same state that has at least the same looks done, the same
//!   acknowledged cas, each write equal or spare, and no more lost operations used is better*:
//!   whatever follows the worse one can follow the better one, with what is done already left out
//!   and what is spare used or not. The worse one is forgotten.
//!
//! So with few values a frontier is small however many clients there are: a write makes all other
//! writes equal. What remains exponential is the number of cas and lost operations in flight. A
//! first walk keeps only the most promising configurations of each frontier; if one of them gets to
//! the end, that is an order. Only if none does are more of them followed, and in the end all.
//!
//! # Examples
//!
//! ```
//! # use splitbrain_checkers::{notation, register};
//! // 1 is written twice, and either write may have been the last.
//! let valid = notation::history(
//!     "0 write 1        0..10
//!      1 write 2        0..30
//!      2 write 1       20..40
//!      3 read -> 2     50..60
//!      3 read -> 2     70..80",
//! );
//! assert!(register::check_history(&valid).validity.is_valid());
//! // The second read finds 1 again, though nothing writes it after the first.
//! let invalid = notation::history(
//!     "0 write 1        0..10
//!      1 write 2        0..30
//!      2 write 1       20..40
//!      3 read -> 2     50..60
//!      3 read -> 1     70..80",
//! );
//! assert!(register::check_history(&invalid).validity.is_invalid());
//! ```

mod antichain;
mod budget;
mod configuration;
mod moments;
mod open;
mod refute;
mod slots;
mod walk;

use std::borrow::Borrow;

use crate::checker::Options;
use crate::finding::Validity;
use crate::history::Operation;
use crate::register::step::{self, Steps};
use crate::words::{count, thousands, who};
use budget::Budget;
use moments::Moments;
use walk::{Ending, walk};

/// Whether the operations of one register are linearizable, decided by search alone.
pub fn check<O: Borrow<Operation>>(operations: &[O], options: &Options<'_>) -> Validity {
    match step::compact(operations, &options.initial) {
        Ok(compacted) => check_steps(operations, &compacted, options),
        Err(reason) => Validity::Unknown { reason },
    }
}

/// As [`check`], for operations that are compacted already.
pub(crate) fn check_steps<O: Borrow<Operation>>(
    operations: &[O],
    compacted: &Steps<'_>,
    options: &Options<'_>,
) -> Validity {
    let candidates = moments::candidates(compacted, options.observe_failed_cas);
    let moments = Moments::new(&candidates, &[]);
    match walk(&moments, &mut Budget::new(&options.limits)) {
        Ending::Linearized => Validity::Valid,
        Ending::Stuck { furthest } => {
            let witness = refute::witness(operations, compacted, &moments, furthest, options);
            Validity::Invalid { witness: Box::new(witness) }
        }
        Ending::Spent { furthest, spent, configurations } => {
            let at = moments.operation(furthest).map_or_else(String::new, |last| {
                let operation = operations[last.source as usize].borrow();
                let instant = options.clock.instant(moments::time(last.finish));
                format!(" up to {} ({instant})", who(operation))
            });
            Validity::Unknown {
                reason: format!(
                    "values are written more than once, and {spent} in the general search; it \
                     found an order{at}, {} of {}, with {} at hand",
                    thousands(moments.completions_before(furthest)),
                    count(moments.completions(), "completion"),
                    count(configurations, "configuration"),
                ),
            }
        }
    }
}

#[cfg(test)]
mod tests;

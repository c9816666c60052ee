//! A lock: never two holders at once, by an O(n log n) check that is exact.
//!
//! # What is decided
//!
//! `acquire` and `release` of a lock that is free at first and knows its holder: only the process
//! that holds it can release it, and a process that holds it cannot acquire it again. If
//! acknowledged acquires return integers, these are fencing tokens, and each holder's is greater
//! than those of all holders before it. A lock that anybody may release is [`MUTEX`]
//! (`mutex.rs`).
//!
//! # The algorithm, and why it is right
//!
//! A failed operation did not take effect and is dropped. A process does one operation after the
//! other and does no more after one that was not answered (its client goes on as another process;
//! a history where it is otherwise is refused). So what a process did can be cut into *tenures*
//! (`tenures.rs`): an acknowledged acquire, and the release that ended it, if any. An acknowledged
//! release without such an acquire, and an acknowledged acquire by a process that had it and did
//! not release it, are violations. An acquire without an answer may have had no effect, which is
//! never worse, so it is dropped. Let `lo` be the latest instant at which a tenure can begin, the
//! finish of its acquire; and `hi` the earliest at which it can end, the start of its release. A
//! release without an answer may have had no effect, but that would only prolong the tenure, so it
//! can be taken as effective. Without any release `hi` is never. Always `lo <= hi`.
//!
//! **Theorem.** The rest is possible iff no two tenures have `hi1 > lo2` and `hi2 > lo1`.
//! *Necessary*: if tenure 1 comes before tenure 2, it ended (at `hi1` or later) before 2 began (at
//! `lo2` or earlier), so `hi1 <= lo2`. *Sufficient*: let each tenure begin at `lo` and end at `hi`;
//! two of these intervals share at most an end point, so they can go in the order of time. So
//! sorting the tenures by (`lo`, `hi`) and comparing each `lo` with the greatest `hi` before it
//! decides mutual exclusion exactly.
//!
//! **Fencing tokens.** If acquires return integers, a later holder's is greater. Tenure 1 has to
//! come before tenure 2 iff 2 cannot come first, iff `hi2 > lo1`. So a pair with
//! `token1 >= token2` and `hi2 > lo1` is a violation, and equal tokens always are; without such
//! a pair the order of tokens is an order of tenures: the instants of a sequence of operations
//! exist iff no later one ends before an earlier one starts, which is what the pairs say. (Tokens
//! only of some acquires constrain only those.) Sorted by token, with the greatest `hi` of all
//! lesser tokens: O(n log n).
//!
//! ```
//! # use splitbrain_checkers::{lock::LOCK, notation};
//! let handed_over = notation::history(
//!     "0 acquire  0..10
//!      1 acquire  5..40
//!      0 release 20..30",
//! );
//! assert!(LOCK.run(&handed_over, &Default::default()).validity.is_valid());
//!
//! let both = notation::history(
//!     "0 acquire  0..10
//!      1 acquire 15..18
//!      0 release 20..30",
//! );
//! let finding = LOCK.run(&both, &Default::default());
//! assert!(finding.validity.witness().unwrap().sentence.contains("both held the lock"));
//! ```

mod explain;
pub mod mutex;
mod tenures;
#[cfg(test)]
mod tests;

use serde::Serialize;

use crate::checker::{Checker, Options, Scope};
use crate::evidence::Tally;
use crate::finding::Validity;
use crate::history::Operation;
use crate::keys::KeyResult;
pub use mutex::MUTEX;
use tenures::{Tenure, Tenures};

/// A lock with holders, and fencing tokens where they are returned.
pub const LOCK: Checker = Checker {
    name: "lock",
    check: "mutual-exclusion",
    about: "never two holders at once, released by its holder, fencing tokens grow; O(n log n)",
    functions: &["acquire", "release"],
    scope: Scope::Key(check_key),
};

/// What was found, in numbers.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize)]
pub struct Details {
    /// Tenures that surely were.
    pub tenures: usize,
    /// How many of these have a fencing token.
    pub tokens: usize,
    /// Tenures that surely held the lock while another did.
    pub overlaps: usize,
    /// Acknowledged releases by a process that did not hold the lock.
    pub released_unheld: usize,
    /// Acknowledged acquires by a process that held it already.
    pub acquired_twice: usize,
    /// Tokens that did not grow.
    pub stale_tokens: usize,
}

/// One contradiction.
#[derive(Debug, Clone, Copy)]
enum Violation<'a> {
    /// Two tenures at once.
    Overlap(Tenure<'a>, Tenure<'a>),
    /// What the process had done before, if anything.
    ReleasedUnheld {
        before: Option<&'a Operation>,
        release: &'a Operation,
    },
    AcquiredTwice {
        first: &'a Operation,
        second: &'a Operation,
    },
    /// The first has to come before the second and has no lesser token.
    StaleToken(Tenure<'a>, Tenure<'a>),
    /// Two tenures with one token.
    SameToken(Tenure<'a>, Tenure<'a>),
}

/// Looks at every tenure of one lock.
///
/// # Errors
/// A sentence that names the first operation that a lock does not have.
pub fn inspect(operations: &[&Operation]) -> Result<Details, String> {
    Ok(survey(operations)?.0)
}

fn survey<'a>(operations: &[&'a Operation]) -> Result<(Details, Tally<Violation<'a>>), String> {
    let Tenures { mut tenures, broken } = Tenures::of(operations)?;
    let mut details = Details {
        tenures: tenures.len(),
        tokens: tenures.iter().filter(|tenure| tenure.token.is_some()).count(),
        ..Details::default()
    };
    let mut tally = Tally::default();
    for violation in broken {
        match violation {
            Violation::ReleasedUnheld { .. } => details.released_unheld += 1,
            _ => details.acquired_twice += 1,
        }
        tally.add(4, 0, violation);
    }
    tenures.sort_by_key(|tenure| (tenure.lo, tenure.hi));
    details.overlaps = overlaps(&tenures, &mut tally);
    details.stale_tokens = stale_tokens(tenures, &mut tally);
    Ok((details, tally))
}

/// Counts tenures that surely overlap one before them.
fn overlaps<'a>(tenures: &[Tenure<'a>], tally: &mut Tally<Violation<'a>>) -> usize {
    let mut overlaps = 0;
    let mut longest: Option<&Tenure<'a>> = None;
    for tenure in tenures {
        if let Some(before) = longest.filter(|before| before.hi > tenure.lo) {
            overlaps += 1;
            let margin = before.hi.min(tenure.hi) - tenure.lo;
            tally.add(2, margin, Violation::Overlap(*before, *tenure));
        }
        if longest.is_none_or(|before| tenure.hi > before.hi) {
            longest = Some(tenure);
        }
    }
    overlaps
}

/// Counts tokens that are no greater than one that was surely given out before.
fn stale_tokens<'a>(tenures: Vec<Tenure<'a>>, tally: &mut Tally<Violation<'a>>) -> usize {
    let mut tokens: Vec<(i64, Tenure<'a>)> =
        tenures.into_iter().filter_map(|tenure| Some((tenure.token?, tenure))).collect();
    tokens.sort_by_key(|(token, tenure)| (*token, tenure.lo));
    let mut stale = 0;
    // Of all with a lesser token, the one that ended last.
    let mut last: Option<Tenure<'a>> = None;
    for (position, (token, tenure)) in tokens.iter().enumerate() {
        let before = position.checked_sub(1).map(|before| &tokens[before]);
        if let Some((_, twin)) = before.filter(|(before, _)| before == token) {
            stale += 1;
            tally.add(3, 0, Violation::SameToken(*twin, *tenure));
        } else if let Some(lesser) = last.filter(|lesser| lesser.hi > tenure.lo)
            // Two that overlap have been counted already, and have no order.
            && tenure.hi <= lesser.lo
        {
            stale += 1;
            tally.add(1, lesser.lo - tenure.hi, Violation::StaleToken(*tenure, lesser));
        }
        if last.is_none_or(|last| tenure.hi > last.hi) {
            last = Some(*tenure);
        }
    }
    stale
}

fn check_key(operations: &[&Operation], options: &Options<'_>) -> KeyResult {
    let mut result = KeyResult::of(operations.len());
    match survey(operations) {
        Err(reason) => result.validity = Validity::Unknown { reason },
        Ok((details, tally)) => {
            result.violations = tally.violations;
            // One holder has nobody to exclude.
            result.observations = details.tenures.saturating_sub(1);
            if let Some(violation) = tally.worst() {
                let witness = Box::new(explain::explain(violation, options.clock));
                result.validity = Validity::Invalid { witness };
            }
        }
    }
    result
}

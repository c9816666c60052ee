//! Causal memory and PRAM: each session has an order of its own that explains what it read.
//!
//! *PRAM* (Lipton and Sandberg, "PRAM: a scalable shared memory", Princeton 1988): for each
//! session there is a total order of its transactions and the writes of all, in which each
//! session's are in its order, and in which each read of this session finds the last write before
//! it. *Causal memory* (CM; Ahamad, Neiger, Burns, Kohli and Hutto, "Causal memory: definitions,
//! implementation, and programming", Distributed Computing 9(1), 1995): the same, and each such
//! order contains the causal order. A compare-and-set of another session is a write here, and in
//! causal memory what it read counts as a cause.
//!
//! # Why one rule is enough
//!
//! Let "before" be the least transitive relation that contains session order and reads-from (all
//! of it for causal memory, that of the session's own reads for PRAM), and in which a writer of x
//! that is before one of the session's readers of x is before what that reader found. If it has
//! no cycle, and no reader of an initial value has a writer of that key before it, an order
//! exists: for each of the session's transactions o1, o2, ... in turn, put all that is before it
//! and has not been put yet, in an order that agrees with "before", and then the transaction
//! itself. What has been put by then is exactly what is before some o up to it, and before this o
//! if o is not the first (the o's are in order). So every writer of x that was put before a
//! reader of x is before what it found or is that itself, which is thus the last. This is the
//! bad pattern CyclicHB with WriteHBInitRead of Bouajjani and others (POPL 2017), for
//! transactions and for PRAM alike; only the last transaction of a session needs a look, since
//! "before" grows along the session.
//!
//! # Cost
//!
//! First all sessions' reads at once, as if there were one view for everyone: if that has no
//! cycle, no single view has one. It costs O(n k) a round, and rounds are few. Only if it has one
//! is each session looked at alone, O(n k) a round each, k times as much.
//!
//! ```
//! # use splitbrain_checkers::{notation, registry};
//! # let check = |lines| registry::find("causal-memory").unwrap().run(&notation::history(lines), &Default::default());
//! // Two processes may have different orders of concurrent writes,
//! assert!(check(
//!     "0 write 1      0..1
//!      1 write 2      0..1
//!      2 read -> 1    2..3
//!      2 read -> 2    4..5
//!      3 read -> 2    2..3
//!      3 read -> 1    4..5",
//! ).validity.is_valid());
//! // and each has one only.
//! let changed = check(
//!     "0 write 1      0..1
//!      1 write 2      0..1
//!      1 read -> 1    2..3
//!      1 read -> 2    4..5",
//! );
//! assert!(changed.validity.is_invalid());
//! ```

use super::answer::{Answer, Refuted, inexplicable};
use super::explain;
use super::frame::Frame;
use super::graph::Whose;
use super::saturate::{Rules, Saturated, Tables};
use crate::limits::Limits;

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cause {
    /// Causal memory: whatever anyone read.
    Anyone,
    /// PRAM: what the session read itself.
    Itself,
}

/// Whether every session has a view.
pub(crate) fn check(frame: &Frame, cause: Cause, limits: &Limits<'_>) -> Answer {
    match inexplicable(frame) {
        Answer::Consistent => {}
        refuted => return refuted,
    }
    let tables = Tables::new(frame);
    if let Saturated::Consistent { .. } = tables.saturate(view_of(Whose::All, cause), limits) {
        return Answer::Consistent;
    }
    let mut found: Option<Refuted> = None;
    for session in 0..tables.frame.sessions() as u32 {
        let reads_something =
            tables.frame.session(session).any(|t| !tables.frame.reads(t).is_empty());
        if !reads_something {
            continue;
        }
        match tables.saturate(view_of(Whose::Only(session), cause), limits) {
            Saturated::Consistent { .. } => {}
            Saturated::Contradiction(contradiction) => match &mut found {
                Some(refuted) => refuted.count += 1,
                None => {
                    let evidence = explain::evidence(&contradiction);
                    found = Some(Refuted { evidence, count: 1, session: Some(session) });
                }
            },
            Saturated::Spent(spent) => {
                return found.map_or(Answer::Spent(spent), Answer::Refuted);
            }
        }
    }
    found.map_or(Answer::Consistent, Answer::Refuted)
}

/// The first session that has no view, and why; for a frame in which nothing is inexplicable.
pub(crate) fn first_refuted<'f>(
    tables: &Tables<'f>,
    cause: Cause,
    limits: &Limits<'_>,
) -> (Saturated<'f>, Option<u32>) {
    for session in 0..tables.frame.sessions() as u32 {
        let saturated = tables.saturate(view_of(Whose::Only(session), cause), limits);
        if !matches!(saturated, Saturated::Consistent { .. }) {
            return (saturated, Some(session));
        }
    }
    (tables.saturate(view_of(Whose::All, cause), limits), None)
}

fn view_of(readers: Whose, cause: Cause) -> Rules {
    let reads_from = match cause {
        Cause::Anyone => Whose::All,
        Cause::Itself => readers,
    };
    Rules { reads_from, readers, read_before: false, repeat: true }
}

//! Sequential consistency: one order for everyone, not bound to real time.
//!
//! A history satisfies it iff some total order of its transactions contains every session's order,
//! and every read finds the last write of its key before it (Lamport, "How to make a
//! multiprocessor computer that correctly executes multiprocess programs", IEEE Transactions on
//! Computers C-28(9), 1979). It is not local: each key alone may be in order while all together
//! are not, so keys are never split. Deciding it is NP-complete even if every value is written
//! once (Gibbons and Korach, "Testing shared memories", SIAM Journal on Computing 26(4), 1997),
//! so there are three steps, from cheap to dear:
//!
//! 1. What is linearizable is sequential, so the [register check](crate::register) is asked first.
//! 2. [Saturation](super::saturate) with both rules; each is sound, since in any order that
//!    explains the reads, a write of the same key is not between a write and its reader. A cycle
//!    refutes.
//! 3. A [search of frontiers](super::search) for an order that extends what was derived. If it
//!    says "none" the history is refuted, and if it runs out of its limits the answer is unknown.
//!    Where the order of every key's writes was derived in full, it finds an order without ever
//!    going back.
//!
//! ```
//! # use splitbrain_checkers::{notation, registry};
//! # let check = |lines| registry::find("sequential").unwrap().run(&notation::history(lines), &Default::default());
//! // Process 1 lags behind,
//! assert!(check(
//!     "0 write@x 1      0..1
//!      0 write@y 2      2..3
//!      1 read@y -> nil  4..5
//!      1 read@x -> nil  6..7",
//! ).validity.is_valid());
//! // which two cannot do to each other.
//! assert!(check(
//!     "0 write@x 1      0..1
//!      0 read@y -> nil  2..3
//!      1 write@y 2      0..1
//!      1 read@x -> nil  2..3",
//! ).validity.is_invalid());
//! ```

use super::answer::{Answer, Refuted, inexplicable};
use super::frame::Frame;
use super::graph::Whose;
use super::saturate::{Rules, Saturated, Tables};
use super::search::{self, Found};
use crate::limits::Limits;

/// Both rules, for all reads.
pub(crate) const RULES: Rules =
    Rules { reads_from: Whose::All, readers: Whose::All, read_before: true, repeat: true };

/// Whether a frame is sequentially consistent.
pub(crate) fn check(frame: &Frame, limits: &Limits<'_>) -> Answer {
    match inexplicable(frame) {
        Answer::Consistent => {}
        refuted => return refuted,
    }
    let tables = Tables::new(frame);
    let (graph, order) = match tables.saturate(RULES, limits) {
        Saturated::Consistent { graph, order } => (graph, order),
        contradiction_or_spent => return contradiction_or_spent.into(),
    };
    match search::search(&graph, &order, limits) {
        Found::Order => Answer::Consistent,
        Found::Nothing => {
            let evidence = tables.frame.all().collect();
            Answer::Refuted(Refuted { evidence, count: 1, session: None })
        }
        Found::Spent(spent) => Answer::Spent(spent),
    }
}

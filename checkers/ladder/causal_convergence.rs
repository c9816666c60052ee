//! Causal convergence (CCv): causal consistency with one order of all writes for everyone.
//!
//! A history satisfies it iff some total order of its transactions contains the causal order and
//! every read finds, of the writes to its key in its causal past, the last in that order
//! (Bouajjani, Enea, Guerraoui and Hamza, "On verifying causal consistency", POPL 2017; for
//! transactions this is the causal consistency of Biswas and Enea, "On the complexity of checking
//! transactional consistency", OOPSLA 2019).
//!
//! So whatever of x is in a reader's past was before what it found: add these edges to the causal
//! order, and the history satisfies the model iff the result has no cycle (their bad pattern
//! CyclicCF; CyclicCO and WriteCORead are cycles too). For each reader and each session only the
//! latest such writer matters, and vector clocks give it: O(n k) for n reads and k sessions that
//! write, as Møldrup and Pavlogiannis ("AWDIT: an optimal weak database isolation tester", PLDI
//! 2025) have it. Here clocks are computed in blocks of columns, so that memory stays
//! linear however many sessions there are.
//!
//! ```
//! # use splitbrain_checkers::{notation, registry};
//! # let check = |lines| registry::find("causal-convergence").unwrap().run(&notation::history(lines), &Default::default());
//! // Two processes may learn of concurrent writes one after the other, in the same order,
//! assert!(check(
//!     "0 write 1      0..1
//!      1 write 2      0..1
//!      2 read -> 1    2..3
//!      2 read -> 2    4..5
//!      3 read -> 2    2..3",
//! ).validity.is_valid());
//! // and not one in this order and the other in that.
//! assert!(check(
//!     "0 write 1      0..1
//!      1 write 2      0..1
//!      2 read -> 1    2..3
//!      2 read -> 2    4..5
//!      3 read -> 2    2..3
//!      3 read -> 1    4..5",
//! ).validity.is_invalid());
//! ```

use super::answer::{Answer, inexplicable};
use super::frame::Frame;
use super::graph::Whose;
use super::saturate::{Rules, Tables};
use crate::limits::Limits;

/// All reads, once: what a reader can see is the causal order and no more.
pub(crate) const RULES: Rules =
    Rules { reads_from: Whose::All, readers: Whose::All, read_before: false, repeat: false };

/// Whether a frame is causally convergent.
pub(crate) fn check(frame: &Frame, limits: &Limits<'_>) -> Answer {
    match inexplicable(frame) {
        Answer::Consistent => Tables::new(frame).saturate(RULES, limits).into(),
        refuted => refuted,
    }
}

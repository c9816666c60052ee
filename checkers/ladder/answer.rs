//! What a model's check says of a frame.

use super::explain;
use super::frame::{Frame, Origin};
use super::saturate::{Contradiction, Saturated};
use crate::limits::Spent;

#[derive(Debug)]
pub(crate) enum Answer {
    /// Some order, or orders, explain all that was read.
    Consistent,
    Refuted(Refuted),
    /// No answer within the limits.
    Spent(Spent),
}

#[derive(Debug)]
pub(crate) struct Refuted {
    /// Transactions, ascending, that are refuted with all others forgotten.
    pub evidence: Vec<u32>,
    /// How many contradictions there are, each proven on its own.
    pub count: usize,
    /// Whose reads it is that cannot be explained, if it is one session's.
    pub session: Option<u32>,
}

impl Answer {
    pub fn is_refuted(&self) -> bool {
        matches!(self, Answer::Refuted(_))
    }
}

impl From<&Contradiction<'_>> for Answer {
    fn from(contradiction: &Contradiction<'_>) -> Self {
        Answer::Refuted(Refuted {
            evidence: explain::evidence(contradiction),
            count: contradiction.count(),
            session: None,
        })
    }
}

impl From<Saturated<'_>> for Answer {
    fn from(saturated: Saturated<'_>) -> Self {
        match saturated {
            Saturated::Consistent { .. } => Answer::Consistent,
            Saturated::Contradiction(contradiction) => Answer::from(&contradiction),
            Saturated::Spent(spent) => Answer::Spent(spent),
        }
    }
}

/// What no order at all can explain, whatever the model: a value that nobody wrote, a value that
/// its writer overwrote in the same transaction, and a transaction that does not see its own
/// writes.
pub(crate) fn inexplicable(frame: &Frame) -> Answer {
    let mut found: Option<Refuted> = None;
    let mut add = |evidence: &[u32]| {
        let first = || Refuted { evidence: evidence.to_vec(), count: 0, session: None };
        found.get_or_insert_with(first).count += 1;
    };
    for transaction in frame.all() {
        for version in frame.reads(transaction).iter().map(|version| frame.version(*version)) {
            match version.origin {
                Origin::Nobody => add(&[transaction]),
                Origin::Intermediate => {
                    let mut both = [transaction, version.writer];
                    both.sort_unstable();
                    add(&both);
                }
                Origin::Initial | Origin::Written => {}
            }
        }
    }
    for transaction in &frame.contradictory {
        add(&[*transaction]);
    }
    found.map_or(Answer::Consistent, Answer::Refuted)
}

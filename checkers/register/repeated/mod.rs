//! The general search for a linearization: any history of a register, in time that may explode.
//!
//! Wing and Gong ("Testing and verifying concurrent objects", JPDC 1993) with Lowe's memoisation
//! and just-in-time linearization ("Testing for linearizability", CCPE 2017), depth first. It is
//! used where values are written more than once, which [the register check](crate::register)
//! does not decide. NP-complete in general, so it obeys a budget of steps, and says how far it
//! got when that is spent.
//!
//! It differs from the papers in its window: a configuration knows only the operations in flight
//! and those without an answer, so its size is the concurrency's, not the history's; and in what
//! it does not try (`walk.rs` says why each is safe).
//!
//! Not done yet: a memory budget of its own (a step costs at most about 100 bytes), and cutting
//! the history where no operation is in flight.

mod moments;
mod refute;
mod walk;

use std::borrow::Borrow;

use crate::finding::Validity;
use crate::history::Operation;
use crate::register::Settings;
use crate::register::step::{self, Steps};
use crate::words::who;
use moments::{Moments, MostOpen};
use walk::{Ending, walk};

/// Whether the operations of one register are linearizable, decided by search alone.
pub fn check<O: Borrow<Operation>>(operations: &[O], settings: &Settings) -> Validity {
    match step::compact(operations, &settings.initial) {
        Ok(compacted) => check_steps(operations, &compacted, settings),
        Err(reason) => Validity::Unknown { reason },
    }
}

/// As [`check`], for operations that are compacted already.
pub(crate) fn check_steps<O: Borrow<Operation>>(
    operations: &[O],
    compacted: &Steps<'_>,
    settings: &Settings,
) -> Validity {
    let candidates = moments::candidates(compacted, settings.refused_cas_observes);
    let moments = match Moments::new(&candidates, &[]) {
        Ok(moments) => moments,
        Err(MostOpen { open, at }) => {
            return Validity::Unknown {
                reason: format!(
                    "{open} operations were open at once at {}, unanswered ones included; the \
                     general search takes {} at most",
                    settings.clock.instant(moments::time(at)),
                    moments::SLOTS
                ),
            };
        }
    };
    let mut budget = settings.search_steps;
    match walk(&moments, &mut budget) {
        Ending::Linearized => Validity::Valid,
        Ending::Stuck { furthest } => {
            let witness = refute::witness(operations, compacted, &moments, furthest, settings);
            Validity::Invalid { witness: Box::new(witness) }
        }
        Ending::Spent { furthest } => {
            let last = moments.operation(furthest);
            let operation: &Operation = operations[last.source as usize].borrow();
            Validity::Unknown {
                reason: format!(
                    "values are written more than once, and the general search spent its {} \
                     steps; it found an order up to {} ({}), {} of {} completions",
                    settings.search_steps,
                    who(operation),
                    settings.clock.instant(moments::time(last.finish)),
                    moments.completions_before(furthest),
                    moments.completions(),
                ),
            }
        }
    }
}

#[cfg(test)]
mod tests;

//! Linearizability of a FIFO queue of unique values, some of whose operations may have been left
//! without an answer; and, where order is not promised, what was lost, doubled or invented
//! ([`total`]). O(n log n) time, O(n) memory.
//!
//! Henzinger, Sezgin and Vafeiadis ("Aspect-oriented linearizability proofs", CONCUR 2013,
//! section 3) name the four things that can be wrong with a queue: a value comes from nowhere, a
//! value comes twice, values come in the wrong order, a dequeue finds nothing though something
//! was there. Abdulla, Grahn, Jonsson, Krishna and Mishra ("Efficient linearizability
//! monitoring", PLDI 2025) and Lee and Mathur ("Efficient decrease-and-conquer linearizability
//! monitoring", OOPSLA 2025) decide this in O(n log n) for operations that were all answered.
//! Here operations may lack an answer, also dequeues, of which nobody knows what they took; the
//! proof below covers them and is ours.
//!
//! # What is decided
//!
//! Each operation has a closed interval \[start, finish\] and takes effect at one instant in it;
//! several may do so at the same instant, in any order. So one operation precedes another only
//! if it finished strictly before the other started. `fail` did not take effect; `info` may
//! have, at any time from its start on, or never. An `ok` dequeue that returned nil found the
//! queue empty; one that was refused as `fail` says nothing, whatever its error. An `info`
//! dequeue may have taken any one value. The queue is empty at first and has no capacity.
//!
//! The queue is linearizable iff some set of operations with all of `ok` and any of `info` has a
//! total order that respects the instants and in which every dequeue takes the value that has
//! been inside longest, or nil if nothing is inside. Assume that no value was enqueued twice;
//! else the answer is unknown.
//!
//! ```
//! # use splitbrain_checkers::{notation, queue};
//! # use splitbrain_checkers::history::Operation;
//! let concurrent = notation::history(
//!     "0 enqueue 1      0..30
//!      1 enqueue 2     20..40
//!      2 dequeue -> 2  50..60
//!      2 dequeue -> 1  70..80 ",
//! );
//! let check = |history: &splitbrain_checkers::history::History| {
//!     let operations: Vec<&Operation> = history.operations.iter().collect();
//!     queue::check_key(&operations, &Default::default()).validity
//! };
//! assert!(check(&concurrent).is_valid());
//! let overtaken = notation::history(
//!     "0 enqueue 1      0..10
//!      1 enqueue 2     20..40
//!      2 dequeue -> 2  50..60
//!      2 dequeue -> 1  70..80 ",
//! );
//! assert!(check(&overtaken).is_invalid());
//! ```
//!
//! # The steps, and why they are right
//!
//! **1. What came in.** A value that was returned was enqueued; an `info` enqueue of a value that
//! was never returned by an `ok` dequeue can be left out, with the `info` dequeue that took it if
//! one did: leaving out a value with both its operations keeps an order legal. A value returned
//! but not enqueued is a violation; so is one that was returned twice, and one whose dequeue
//! finished before its enqueue started. What remains are values v with an enqueue in
//! \[es, ef\] and a dequeue in \[ds, df\], infinite for values that nobody returned: those are
//! still inside in the end, or went with an `info` dequeue (step 5). As the enqueue comes before
//! the dequeue, ef may be lowered to df and ds raised to es.
//!
//! **2. Order.** Write a > b ("a before b") if ef(a) < es(b) or df(a) < ds(b). In a legal order
//! a is then enqueued and dequeued before b; so a > b and b > a is a violation. It can only be
//! that ef(a) < es(b) and df(b) < ds(a): `order.rs` looks for such pairs. If there is none, `>`
//! has no circle at all. Let a circle be as short as possible. Either kind of precedence is
//! transitive, so the two alternate, and a circle longer than two begins with
//! ef(a) < es(b), df(b) < ds(c), ef(c) < es(d). Then ef(a) < es(d), or else
//! ef(c) < es(d) <= ef(a) < es(b). In the first case b and c can be cut out of the circle (or
//! it was a > b > c > d > a, and a > d > a is a pair); in the second, c > b > c is a pair.
//!
//! **3. Enough without nil.** Take any total order of the values that contains `>`, and give
//! each value in turn the instants e = the latest es, d = the latest ds up to itself. These
//! increase, so values leave in the order in which they come, and e <= d as es <= ds. They are in
//! their intervals: if es(b) > ef(a) or ds(b) > df(a) for a value b before a, then a > b, against
//! the order.
//!
//! **4. Nil.** A value is inside for certain in its core, the open interval (ef, ds). A dequeue
//! that found nothing needs an instant t in no core. That is enough, for all of them together:
//! let T be such instants, one for each. Of a value v say that it is *after* t in T if
//! t < ds(v). If v is after t and v > w, so is w: as v's core does not hold t, ef(v) >= t, so
//! either ds(w) >= es(w) > ef(v) >= t, or ds(w) > df(v) >= ds(v) > t. So values can be ordered
//! first by the number of t that they are after, then by `>`. Give instants as in step 3, but no
//! less than the latest t that the value is after. They are still in the intervals, since
//! t <= ef(v) <= df(v); and values that are not after t have es <= ds <= t and so are gone by
//! t, when all others are still to come: the queue can be empty at t.
//!
//! **5. Dequeues without an answer.** Let m values stay (nobody returned them), in the order of
//! ef, and let the `info` dequeues be in the order of their starts s. Give the i-th dequeue to
//! the i-th value, which then has its dequeue in \[s, infinity\]. If any assignment is
//! linearizable, so is this one. Order: a value v that stays must be gone before some values
//! w are dequeued, those with es(w) > ef(v); so it has a deadline, the least df(w), the earlier
//! the earlier its ef. Values of which the i-th is one have deadlines no later than its own; they
//! need i dequeues that start no later than that; so the i-th does. Nil: that the pairing in
//! order covers no instant that any assignment leaves free is shown in `cover.rs`, and instants
//! are free or not each by itself (step 4).
//!
//! Sorting is O(n log n); each test is a binary search. `checkers/tests/queue_oracle.rs` compares
//! this with a search of every order on random histories, and each witness with its definition.
//!
//! # Witnesses
//!
//! To forget an operation means: its value may have come and gone at any time, or never; a
//! dequeue that found nothing is left out. `info` dequeues are never forgotten, as they can only
//! excuse; nor is it that no operation returned a value. What is impossible with operations
//! forgotten is impossible with them, and a witness is smallest: with any one of its operations
//! forgotten too, the rest is possible.

pub(crate) mod assign;
pub(crate) mod cover;
pub(crate) mod items;
pub(crate) mod judge;
mod order;
pub(crate) mod telling;
pub mod total;

use crate::checker::{Checker, Options, Scope};
use crate::finding::{Validity, Witness};
use crate::history::{Operation, Value};
use crate::keys::KeyResult;
use crate::model;
use crate::search;
use items::{Items, Vocabulary};
use telling::Teller;

/// First in, first out.
pub const FIFO_QUEUE: Checker = Checker {
    name: "fifo-queue",
    check: "linearizable",
    about: "a linearizable first-in-first-out queue of unique values; O(n log n)",
    functions: &["enqueue", "dequeue"],
    scope: Scope::Key(|operations, options| {
        let answer = check_key(operations, options);
        search::where_undecided::<model::FifoQueue>(answer, operations, options)
    }),
};

const WORDS: Vocabulary = Vocabulary {
    object: "queue",
    add: &["enqueue"],
    remove: &["dequeue"],
    added: "enqueued",
    removed: "dequeued",
    ordered: false,
};

/// Whether the operations of one queue are linearizable. Operations may come in any order.
pub fn check_key(operations: &[&Operation], options: &Options<'_>) -> KeyResult {
    if options.initial != Value::Nil {
        let reason = "this check begins with nothing inside";
        return unknown(operations, 0, reason.to_owned());
    }
    let teller = Teller { operations, words: &WORDS, clock: options.clock };
    match Items::collect(operations, &WORDS) {
        Ok(mut items) => {
            items.pair_in_order();
            let order = order::check(&items.items);
            let blocked = cover::blocked(&items);
            let violations = order.violations + blocked.len();
            conclude(&teller, &items, violations, || {
                if let Some(worst) = order.worst {
                    let ahead = order::evidence(&items, worst);
                    return Some(teller.overtaken(&items, &ahead, worst.behind));
                }
                let empty = *blocked.first()?;
                Some(teller.not_empty(&items, &cover::evidence(&items, empty), empty))
            })
        }
        Err(reason) => unknown(operations, 0, reason),
    }
}

/// The result of a check that found so many violations beside the faults that are in the items;
/// `witness` proves one of the former.
pub(crate) fn conclude(
    teller: &Teller<'_>,
    items: &Items,
    violations: usize,
    witness: impl FnOnce() -> Option<Witness>,
) -> KeyResult {
    let operations = teller.operations;
    let (violations, validity) = if let Some(fault) = items.worst_fault() {
        let others = if items.repeated.is_some() { 0 } else { violations };
        (items.faults.len() + others, invalid(teller.fault(fault)))
    } else if let Some(repeated) = items.repeated {
        let reason = format!(
            "{} put a value in that another operation had put in too; only values put in once \
             can be told apart",
            teller.who(repeated)
        );
        return unknown(operations, items.observations, reason);
    } else {
        let validity = witness().map_or(Validity::Valid, invalid);
        assert_eq!(validity.is_valid(), violations == 0, "every violation has a witness");
        (violations, validity)
    };
    KeyResult {
        validity,
        violations,
        operations: operations.len(),
        observations: items.observations,
    }
}

pub(crate) fn invalid(witness: Witness) -> Validity {
    Validity::Invalid { witness: Box::new(witness) }
}

/// No answer, for that reason.
pub(crate) fn unknown(operations: &[&Operation], observations: usize, reason: String) -> KeyResult {
    KeyResult {
        validity: Validity::Unknown { reason },
        violations: 0,
        operations: operations.len(),
        observations,
    }
}

#[cfg(test)]
mod tests;

//! The ladder of consistency models for registers: linearizable at the top, eventual at the foot.
//!
//! Linearizability is one answer; a store that fails it may still keep weaker promises, and which
//! it keeps says what a client can rely on. [`ladder`](ladder()) asks all models of one history at
//! once, and each can be asked for by name.
//!
//! # What is looked at
//!
//! A history of reads, writes, compare-and-set and transactions (`txn`, of micro-operations
//! `[r key value]` and `[w key value]`) on any number of keys. Everything is a transaction here: a
//! plain operation one of one step, a compare-and-set one that reads what it expects and writes
//! the new value (a cas from a value to itself only reads). A transaction is atomic. Its reads are
//! those of keys that it has not written itself before; it leaves the last value that it wrote of
//! each key. Reads of a node's own copy (`replica-read`) are passed over.
//!
//! *Sessions are processes.* A process whose operation was left without an answer is retired and
//! its client goes on as a new process, so a session is shorter than a client: what a client does
//! after such an operation is a session of its own. (Should the history give it the same number,
//! a session ends there all the same.) *Session order* is the order within sessions.
//!
//! `fail` did not take effect. An operation without an answer took effect surely if its value was
//! read by one that did (an unanswered cas then surely read what it expected), and is left out
//! otherwise: nobody saw it, so leaving it out of an order that explains the rest leaves an order
//! that does. Reads that failed or were not answered say nothing.
//!
//! *Reads-from*: a read finds what the one writer of that value left; the initial value was there
//! before everything. This needs values that are written once per key. A read of a value with more
//! than one possible writer is left out: a violation without it is one all the same, and if there
//! is none the answer is unknown (sequential consistency may still be known from linearizability,
//! whose check can tell repeated values apart).
//!
//! # The models
//!
//! *Causal order* is the transitive closure of session order and reads-from. Each model is defined
//! in a module of its own; in one line each:
//!
//! | model | a history satisfies it iff |
//! | --- | --- |
//! | linearizable | each key has an order that agrees with real time and explains all reads ([`crate::register`]) |
//! | [sequential] | one order of everything contains session order and explains all reads |
//! | [causal memory](views) | each session has an order of everything that contains the causal order and explains its own reads |
//! | [PRAM](views) | each session has an order of everything that contains session order and explains its own reads |
//! | [causal convergence](causal_convergence) | one order contains the causal order, and each read finds the last write in it among its causes |
//! | [causal] | the causes of each transaction have an order that contains the causal order and explains its reads |
//! | [session guarantees](guarantees) | each session finds each key's versions in some order, not older than what it wrote, read, or had to know of |
//! | [eventual] | long after the last write all sessions' last reads agree |
//!
//! # Which implies which
//!
//! ```text
//!                     linearizable
//!                      |        |
//!                 sequential  eventual
//!                  |      |
//!      causal memory      causal convergence
//!       |    |     |        |       |
//!     PRAM   |   causal ----+       |
//!       |    |      |               |
//!       |    |    read your writes  |
//!       |    |                      |
//!       |    +--- writes follow reads
//!       |                           |
//!       +--- monotonic writes ------+
//!       +--- monotonic reads -------+
//!       +--- read your writes
//! ```
//!
//! - Linearizable implies sequential: an order of all keys that agrees with real time can be merged
//!   from theirs (Herlihy and Wing 1990), and session order is part of real time.
//! - One order for all is an order for each (sequential implies causal memory), and contains the
//!   causal order (causal convergence).
//! - An order that contains the causal order contains session order (causal memory implies PRAM),
//!   and explains each transaction (causal). Causal convergence implies causal.
//! - A session's order of everything puts each key's versions in an order. It has a session's own
//!   earlier writes and reads, and what the writers of what it read had written, before its reads,
//!   so PRAM implies three of the guarantees; causal memory also has what they had read before
//!   them, and implies the fourth, writes follow reads. So does the one order of causal
//!   convergence, for all four.
//! - Causal implies read your writes: to contradict itself a session has to read an older write of
//!   its own after a newer one, which is no past in causal order.
//!
//! No other implication holds: `checkers/tests` has histories for each other pair, and tests the
//! claimed ones on random histories, against the definitions. In particular causal consistency
//! (CC) alone implies neither PRAM nor monotonic reads, since it lets a session change its mind on
//! the order of concurrent writes; it is causal memory that stands above PRAM, and so that is the
//! step "causal" of the ladder, with the two others beside it. Brzezinski, Sobaniec and Wawrzyniak
//! show that PRAM is monotonic reads, monotonic writes and read your writes together ("Session
//! guarantees to achieve PRAM consistency of replicated shared objects", PPAM 2003), and that
//! causal consistency takes all four ("From session causality to causal consistency", PDP 2004).
//! Their guarantees are about the servers' orders of all operations; those here are about what
//! reads show of single keys, and so only one direction holds.
//!
//! # Example
//!
//! ```
//! # use splitbrain_checkers::ladder::{ladder, Model, Standing};
//! # use splitbrain_checkers::notation;
//! // Process 2 sees the answer and not the question.
//! let history = notation::history(
//!     "0 write@question 1      0..10
//!      1 read@question -> 1   20..30
//!      1 write@answer 2       40..50
//!      2 read@answer -> 2     60..70
//!      2 read@question -> nil 80..90",
//! );
//! let ladder = ladder(&history, &Default::default());
//! let standing = |model| ladder.step(model).standing;
//! assert_eq!(standing(Model::CausalMemory), Standing::Refuted);
//! assert_eq!(standing(Model::WritesFollowReads), Standing::Refuted);
//! assert_eq!(standing(Model::Pram), Standing::NotRefuted);
//! assert_eq!(standing(Model::ReadYourWrites), Standing::NotExercised);
//! ```

mod answer;
mod asked;
pub mod causal;
pub mod causal_convergence;
mod clocks;
mod compact;
mod components;
mod effects;
pub mod eventual;
mod explain;
mod finding;
mod frame;
mod graph;
pub mod guarantees;
mod model;
pub mod saturate;
pub mod search;
pub mod sequential;
mod steps;
pub mod views;
mod witness;

use crate::checker::{Checker, Options, Scope};
use crate::finding::Finding;
use crate::history::History;
use asked::Asked;
pub use finding::LADDER;
pub use model::Model;
pub use steps::{Ladder, Standing, Step, ladder};

/// What a register of the ladder can do.
const FUNCTIONS: &[&str] = &["read", "write", "cas", "txn"];

fn check(model: Model, history: &History, options: &Options<'_>) -> Finding {
    Asked::new(history, options).ask(model).finding
}

/// The checker of a model, which looks at all keys together.
const fn checker(
    model: Model,
    about: &'static str,
    check: fn(&History, &Options<'_>) -> Finding,
) -> Checker {
    let name = model.name();
    Checker { name, check: name, about, functions: FUNCTIONS, scope: Scope::Whole(check) }
}

pub const SEQUENTIAL: Checker = checker(
    Model::Sequential,
    "one order for all that keeps each process's own; a search with a budget, \
            O(n log n) if linearizable",
    |history, options| Asked::new(history, options).ask_sequential().finding,
);

pub const CAUSAL_MEMORY: Checker = checker(
    Model::CausalMemory,
    "each process has an order that keeps causes before effects (CM); \
            O(n k) for k processes, k times that if refuted",
    |history, options| check(Model::CausalMemory, history, options),
);

pub const CAUSAL_CONVERGENCE: Checker = checker(
    Model::CausalConvergence,
    "causes before effects and one order of all writes (CCv); O(n k) for k processes",
    |history, options| check(Model::CausalConvergence, history, options),
);

pub const CAUSAL: Checker = checker(
    Model::Causal,
    "what is read follows from its causes (CC); O(n k) for k processes",
    |history, options| check(Model::Causal, history, options),
);

pub const PRAM: Checker = checker(
    Model::Pram,
    "each process sees each other's writes in their order; \
            O(n k) for k processes, k times that if refuted",
    |history, options| check(Model::Pram, history, options),
);

pub const WRITES_FOLLOW_READS: Checker = checker(
    Model::WritesFollowReads,
    "who sees a write sees what its writer had read; O(n k) for k processes",
    |history, options| check(Model::WritesFollowReads, history, options),
);

pub const MONOTONIC_WRITES: Checker = checker(
    Model::MonotonicWrites,
    "who sees a write sees what its writer had written before; O(n k) for k processes",
    |history, options| check(Model::MonotonicWrites, history, options),
);

pub const MONOTONIC_READS: Checker = checker(
    Model::MonotonicReads,
    "no process goes back to an older value; O(n)",
    |history, options| check(Model::MonotonicReads, history, options),
);

pub const READ_YOUR_WRITES: Checker = checker(
    Model::ReadYourWrites,
    "each process finds what it wrote, or what is newer; O(n)",
    |history, options| check(Model::ReadYourWrites, history, options),
);

pub const EVENTUAL: Checker = checker(
    Model::Eventual,
    "once writes have ceased, all processes come to read the same; O(n)",
    |history, options| check(Model::Eventual, history, options),
);

#[cfg(test)]
mod tests;

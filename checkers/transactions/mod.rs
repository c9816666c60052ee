//! Isolation of transactions, from read uncommitted to strict serializable: which models a history
//! refutes, which it does not, and why. O(n) for a history of n micro-operations (elements of
//! lists that were read included) with nothing wrong.
//!
//! The method is that of Kingsbury and Alvaro ("Elle: inferring isolation anomalies from
//! experimental observations", VLDB 14(3), 2020): infer from what was read in which order each
//! key was written, draw a graph of who has to come before whom, and look for cycles, the kind of
//! which says what went wrong (Adya, "Weak consistency: a generalized theory and optimistic
//! implementations for distributed transactions", MIT, 1999). Where a model is defined by what
//! transactions see of each other, it is the definition of Cerone, Bernardi and Gotsman ("A
//! framework for transactional consistency models with atomic visibility", CONCUR 2015), and for
//! snapshot isolation the characterisation by cycles of Cerone and Gotsman ("Analysing snapshot
//! isolation", JACM 65(2), 2018).
//!
//! # What is given
//!
//! A transaction is an operation `txn` with a list of micro-operations `[f key value]`:
//! `append` or `w`, and `r`. Every value is written at most once to a key (else the answer is
//! unknown, unless something else refutes the model). `ok` committed, with what its reads
//! returned. `fail` did not. `info` may have, at any time after its invocation: it counts as
//! committed if an acknowledged transaction read something that it wrote, and otherwise is left
//! out, since what nobody saw explains nothing. No other transaction is known to begin after it.
//! For models up from read committed that is no assumption: what did not commit is not read.
//!
//! # Order of versions
//!
//! **Lists** (`list-append`). A read shows all appends before it in their order, so each list
//! that was read has to be a beginning of the longest one, which is the order. Committed appends
//! that no list shows come after all that were seen, in any order.
//!
//! **Registers** (`rw-register`). The initial value is the first version; a transaction that read
//! a key and then wrote it put its version after the one that it read. Nothing else is assumed:
//! a write without a read before it may stand anywhere. If that could matter, then the models that
//! depend on it are said to be kept only if a serial order is found ([below](#blind-writes)).
//!
//! # Edges
//!
//! | edge | T1 to T2 | |
//! | --- | --- | --- |
//! | ww | T2 wrote the next version after one of T1 | `overwrites` |
//! | wr | T2 read a version that T1 wrote | `reads-from` |
//! | rw | T2 wrote the next version after one that T1 read | `read-before` |
//! | process | T2 is a later transaction of the same process | `process-order` |
//! | real time | T1 ended before T2 began | `real-time` |
//!
//! # What refutes what
//!
//! Every model also refutes all that imply it: read uncommitted < read committed < monotonic
//! atomic view < read atomic < causal < parallel snapshot isolation < snapshot isolation <
//! serializable < strong session serializable < strict serializable; monotonic atomic view <
//! repeatable read < serializable; and snapshot isolation < strong session snapshot isolation <
//! strong snapshot isolation < strict serializable, of which the first is also implied by strong
//! session serializable.
//!
//! | anomaly | weakest models refuted | because |
//! | --- | --- | --- |
//! | garbage read, duplicate elements | read uncommitted | no order of writes gives such a value |
//! | G0: a cycle of ww | read uncommitted | Adya's PL-1 is its absence; of acknowledged transactions only |
//! | G1a aborted, G1b intermediate read | read committed | Adya's PL-2 is the absence of G1 |
//! | G1c: a cycle of ww and wr | read committed | the same |
//! | dirty update | read committed | what did not commit became a part of what did |
//! | incompatible order | read committed | committed versions have one order, so one read was of another kind |
//! | cyclic versions | read committed | each edge is also a wr, so it is G1c |
//! | observed transaction vanishes | monotonic atomic view | Bailis et al., "Highly available transactions", VLDB 7(3), 2013 |
//! | fractured read | read atomic, repeatable read | EXT: who sees a part of a transaction sees all |
//! | internal | read atomic, repeatable read | INT: who wrote or read a key reads that |
//! | causality violation: misses a write that it knew of through wr | causal, repeatable read | TRANSVIS: sees what is seen by what it sees |
//! | lost update | parallel snapshot isolation, repeatable read | NOCONFLICT: in whatever order, one ww and one rw |
//! | G-single: one rw, else ww and wr | parallel snapshot isolation, repeatable read | ww is seen as well, by NOCONFLICT |
//! | long fork, G-nonadjacent: no two rw in a row | snapshot isolation, repeatable read | its cycles have two rw in a row |
//! | G2-item: any cycle | repeatable read | Adya's PL-2.99; of keys, the same as PL-3 |
//! | G0, G1c, G-single, G-nonadjacent -process | strong session snapshot isolation | process order is seen |
//! | G2-item-process | strong session serializable | |
//! | key not linearizable | strict serializable | an order of all transactions is one of each key |
//! | ..., -realtime | strong snapshot isolation, strict serializable | real time and process order are seen |
//!
//! Predicates are not observed, so repeatable read and serializable come out the same; they are
//! named apart since a write skew leaves snapshot isolation standing and not repeatable read.
//! Read atomic, causal and parallel snapshot isolation are without sessions, as in the papers:
//! what a process saw before does not count.
//!
//! # Why nothing is missed
//!
//! Let all versions of a key be in a known order, and let there be no direct anomaly and no
//! cycle. Any topological order of the graph is a serial execution: a read of version v comes
//! after the writer of v (wr), which comes after those of the versions before it (ww), and before
//! the writer of the next version (rw), and so of all later ones (ww). That is serializable; with
//! process order and real time in the graph it is strict serializable. Appends that nobody saw
//! come after everything that was read and may come in any order; their order can matter only to
//! models that forbid two transactions to overwrite the same version, so if there are two of one
//! key then parallel snapshot isolation and snapshot isolation are unknown, unless refuted or
//! implied by serializable. The same holds for registers whose only version that another
//! transaction read is the initial one. `checkers/tests` compares every model's answer with
//! its definition, by trying everything, on 120,000 random histories.
//!
//! # Blind writes
//!
//! If the order of a register's versions is unknown, no cycle proves nothing, and to decide is
//! NP-complete. Two things are tried. A serial order is looked for by running the transactions
//! one after the other (`replay.rs`); if it is found, the model was kept. Else each key by itself
//! has to be linearizable, or strict serializable is refuted (`keywise.rs`). What is open then is
//! unknown: seldom with a few thousand transactions, often with a hundred thousand.
//!
//! # Beyond the paper
//!
//! Blind writes are decided where that is possible; appends that nobody saw have edges; what is
//! said of a model is *not refuted* only after a complete check, else *unknown*; models without
//! real time are judged in the same pass; real time and groups of unordered writes take O(n) edges
//! (see `graph.rs`); lists are compared with the longest one and not copied; a witness is reduced
//! to the smallest set of transactions that proves it.
//!
//! ```
//! # use splitbrain_checkers::checker::Options;
//! # use splitbrain_checkers::notation;
//! # use splitbrain_checkers::transactions::{self, LIST_APPEND, Model, Workload};
//! // Each of two transactions misses what the other appends: write skew.
//! let skew = notation::history(
//!     "0 txn [[r x nil] [append y 1]] -> [[r x []] [append y 1]] 0..9
//!      1 txn [[r y nil] [append x 1]] -> [[r y []] [append x 1]] 0..9",
//! );
//! assert!(LIST_APPEND.run(&skew, &Options::default()).validity.is_invalid());
//! let isolation = Some(Model::SnapshotIsolation);
//! let snapshots = Options { isolation, ..Options::default() };
//! assert!(LIST_APPEND.run(&skew, &snapshots).validity.is_valid());
//! let all = transactions::analyse(&skew, Workload::ListAppend, &snapshots).unwrap();
//! assert_eq!(all.anomalies[0].anomaly.name(), "G2-item");
//! assert_eq!(all.strongest, [Model::StrongSnapshotIsolation]);
//! ```

mod analysis;
mod anomaly;
mod components;
mod cycle;
mod display;
mod graph;
mod internal;
mod keywise;
mod lists;
mod missed;
mod model;
mod parse;
mod project;
mod reason;
mod registers;
mod replay;
mod search;
mod story;
mod tally;
mod verdict;
mod versions;
mod witness;

pub use anomaly::{Anomaly, Order};
pub(crate) use display::Shown;
pub use model::Model;
pub use verdict::{AnomalyCount, ModelVerdict, Standing, Transactions, Workload, analyse};

use crate::checker::{Checker, Scope};

/// Transactions of reads and appends to lists.
pub const LIST_APPEND: Checker = Checker {
    name: "list-append",
    check: "serializable",
    about: "transactions on lists, serializable unless another isolation is asked for; O(n)",
    functions: &["txn"],
    scope: Scope::Whole(|history, options| {
        verdict::finding(history, Workload::ListAppend, options)
    }),
};

/// Transactions of reads and writes of registers.
pub const RW_REGISTER: Checker = Checker {
    name: "rw-register",
    about: "transactions on registers, serializable unless another isolation is asked for; O(n)",
    scope: Scope::Whole(|history, options| {
        verdict::finding(history, Workload::RwRegister, options)
    }),
    ..LIST_APPEND
};

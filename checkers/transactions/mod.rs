//! Transactions.

mod analysis;
mod anomaly;
mod components;
mod cycle;
mod display;
mod fractured;
mod graph;
mod internal;
mod lists;
mod model;
mod parse;
mod project;
mod reason;
mod registers;
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
    check: "isolation",
    about: "transactions that append to lists: serializable unless another isolation is asked for; O(n)",
    functions: &["txn"],
    scope: Scope::Whole(|history, options| {
        verdict::finding(LIST_APPEND.check, history, Workload::ListAppend, options)
    }),
};

/// Transactions of reads and writes of registers.
pub const RW_REGISTER: Checker = Checker {
    name: "rw-register",
    about: "transactions that write registers: serializable unless another isolation is asked for; O(n)",
    scope: Scope::Whole(|history, options| {
        verdict::finding(RW_REGISTER.check, history, Workload::RwRegister, options)
    }),
    ..LIST_APPEND
};

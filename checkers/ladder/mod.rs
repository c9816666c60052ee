//! The ladder of consistency models for registers: linearizable at the top, eventual at the foot.

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
mod frame;
mod graph;
pub mod guarantees;
mod model;
mod saturate;
mod search;
pub mod sequential;
mod steps;
pub mod views;
mod witness;

use crate::checker::{Checker, Options, Scope};
use crate::finding::Finding;
use crate::history::History;
use asked::Asked;
pub use model::Model;
pub use steps::{Ladder, Standing, Step, ladder};

/// What a register of the ladder can do.
const FUNCTIONS: &[&str] = &["read", "write", "cas", "txn"];

fn check(model: Model, history: &History, options: &Options<'_>) -> Finding {
    Asked::new(history, options).ask(model).finding
}

pub const SEQUENTIAL: Checker = Checker {
    name: "sequential",
    check: "sequential",
    about: "one order for all that keeps each process's own; a search with a budget, \
            O(n log n) if linearizable",
    functions: FUNCTIONS,
    scope: Scope::Whole(|history, options| Asked::new(history, options).ask_sequential().finding),
};

pub const CAUSAL_MEMORY: Checker = Checker {
    name: "causal-memory",
    check: "causal-memory",
    about: "each process has an order that keeps causes before effects (CM); \
            O(n k) for k processes, k times that if refuted",
    functions: FUNCTIONS,
    scope: Scope::Whole(|history, options| check(Model::CausalMemory, history, options)),
};

pub const CAUSAL_CONVERGENCE: Checker = Checker {
    name: "causal-convergence",
    check: "causal-convergence",
    about: "causes before effects and one order of all writes (CCv); O(n k) for k processes",
    functions: FUNCTIONS,
    scope: Scope::Whole(|history, options| check(Model::CausalConvergence, history, options)),
};

pub const CAUSAL: Checker = Checker {
    name: "causal",
    check: "causal",
    about: "what is read follows from its causes (CC); O(n k) for k processes",
    functions: FUNCTIONS,
    scope: Scope::Whole(|history, options| check(Model::Causal, history, options)),
};

pub const PRAM: Checker = Checker {
    name: "pram",
    check: "pram",
    about: "each process sees each other's writes in their order; \
            O(n k) for k processes, k times that if refuted",
    functions: FUNCTIONS,
    scope: Scope::Whole(|history, options| check(Model::Pram, history, options)),
};

pub const WRITES_FOLLOW_READS: Checker = Checker {
    name: "writes-follow-reads",
    check: "writes-follow-reads",
    about: "who sees a write sees what its writer had read; O(n k) for k processes",
    functions: FUNCTIONS,
    scope: Scope::Whole(|history, options| check(Model::WritesFollowReads, history, options)),
};

pub const MONOTONIC_WRITES: Checker = Checker {
    name: "monotonic-writes",
    check: "monotonic-writes",
    about: "who sees a write sees what its writer had written before; O(n k) for k processes",
    functions: FUNCTIONS,
    scope: Scope::Whole(|history, options| check(Model::MonotonicWrites, history, options)),
};

pub const MONOTONIC_READS: Checker = Checker {
    name: "monotonic-reads",
    check: "monotonic-reads",
    about: "no process goes back to an older value; O(n)",
    functions: FUNCTIONS,
    scope: Scope::Whole(|history, options| check(Model::MonotonicReads, history, options)),
};

pub const READ_YOUR_WRITES: Checker = Checker {
    name: "read-your-writes",
    check: "read-your-writes",
    about: "each process finds what it wrote, or what is newer; O(n)",
    functions: FUNCTIONS,
    scope: Scope::Whole(|history, options| check(Model::ReadYourWrites, history, options)),
};

pub const EVENTUAL: Checker = Checker {
    name: "eventual",
    check: "eventual",
    about: "once writes have ceased, all processes come to read the same; O(n)",
    functions: FUNCTIONS,
    scope: Scope::Whole(|history, options| check(Model::Eventual, history, options)),
};

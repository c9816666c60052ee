//! Pure checkers for recorded histories of distributed systems.
//!
//! History in, finding out: no file, clock, socket, thread or async runtime anywhere in
//! this crate. What is written here can be tested with nothing but data.
//!
//! What checkers say *valid* of passed a complete check of what was recorded. *Unknown* has a reason:
//! not exercised, a limit reached, values that cannot be told apart; it never passes. *Invalid* has
//! a witness, the smallest set of operations that proves it.
//!
//! # The ground floor
//!
//! - [`history`]: events, operations, and how the one becomes the other
//! - [`mod@format`]: reading recorded histories from bytes; [`notation`]: writing small ones by hand
//! - [`checker`], [`registry`]: what can be asked for by name; [`limits`]: what it may cost
//! - [`finding`]: the answer and its witness; [`keys`]: many objects, one per key
//!
//! # Is it linearizable?
//!
//! - [`register`]: a register with compare-and-set, O(n log n); repeated values by search
//! - [`queue`], [`stack`], [`priority_queue`], [`set`], [`lock`]: O(n log n), see each
//! - [`search`], [`model`]: any other object, by search; [`shrink`]: a smallest refuted history
//!
//! # What else was promised?
//!
//! - [`ladder`]: sequential, causal, PRAM, session guarantees, eventual: registers of many keys
//! - [`transactions`]: isolation, from read uncommitted to strict serializable
//! - [`counter`], [`unique_ids`], [`bank`], [`long_fork`], [`monotonic`]: checked directly
//!
//! # How bad is it, and who stayed available?
//!
//! - [`staleness`]: how old and how many versions behind reads were
//! - [`convergence`]: agreement, loss, phantoms, resurrection after the heal
//! - [`partition`], [`availability`]: what was cut, and who answered meanwhile
//! - [`verdict`]: CP, AP and the others, from all findings

pub mod availability;
pub mod bank;
pub mod checker;
pub mod clock;
pub mod convergence;
pub mod counter;
mod evidence;
pub mod finding;
pub mod format;
pub mod history;
pub mod keys;
pub mod ladder;
pub mod limits;
pub mod lock;
pub mod long_fork;
mod minimise;
pub mod model;
pub mod monotonic;
pub mod notation;
mod numbering;
pub mod partition;
pub mod priority_queue;
pub mod queue;
pub mod register;
pub mod registry;
pub mod search;
pub mod set;
pub mod shrink;
pub mod stack;
pub mod staleness;
#[cfg(test)]
mod synthetic;
pub mod transactions;
mod two_states;
pub mod unique_ids;
pub mod verdict;
mod words;

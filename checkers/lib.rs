//! Pure checkers for recorded histories of distributed systems.
//!
//! History in, finding out: no file, clock, socket, thread or async runtime anywhere in
//! this crate. What is written here can be tested with nothing but data.
//!
//! - [`history`]: events, operations, and how the one becomes the other
//! - [`checker`], [`registry`]: what can be asked for by name
//! - [`finding`]: valid, invalid with a witness, or unknown with a reason
//! - [`partition`]: what was cut, when, and the proof of it
//! - [`mod@format`]: reading recorded histories from bytes
//! - [`notation`]: small histories written by hand
//! - [`register`]: linearizability of one register, polynomial
//! - [`queue`]: linearizability of a queue, and what it lost, doubled or invented
//! - [`stack`], [`priority_queue`]: linearizability of these, polynomial
//! - [`set`], [`counter`], [`lock`]: sets, counters and locks, exact where that is polynomial
//! - [`unique_ids`], [`bank`], [`long_fork`], [`monotonic`]: promises that are checked directly
//! - [`search`], [`model`]: linearizability of any object, by search
//! - [`shrink`]: a smallest history that is still refuted
//! - [`ladder`]: sequential, causal, PRAM, session guarantees, eventual: registers of many keys
//! - [`convergence`]: agreement, loss and phantoms after the heal
//! - [`convergence`]: agreement, loss, phantoms and more after the heal, of registers, sets, counters
//!   and siblings
//! - [`staleness`]: how old and how many versions behind reads were
//! - [`availability`]: who answered, per node, class and period
//! - [`transactions`]: isolation of transactions, from read uncommitted to strict serializable
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

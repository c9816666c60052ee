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
//! - [`ladder`]: sequential, causal, PRAM, session guarantees, eventual: registers of many keys
//! - [`convergence`]: agreement, loss and phantoms after the heal
//! - [`availability`]: who answered, per node, class and period
//! - [`verdict`]: CP, AP and the others, from all findings

pub mod availability;
pub mod checker;
pub mod clock;
pub mod convergence;
pub mod finding;
pub mod format;
pub mod history;
pub mod keys;
pub mod ladder;
pub mod limits;
mod minimise;
pub mod notation;
pub mod partition;
pub mod register;
pub mod registry;
#[cfg(test)]
mod synthetic;
pub mod verdict;
mod words;

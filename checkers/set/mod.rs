//! Sets: three promises, from the weakest to the strongest.
//!
//! - [`SET`] (`final_read.rs`): every acknowledged add is in the final read, and nothing is in any
//!   read that was not added.
//! - [`SET_FULL`] (`full.rs`): what became of each element: lost, stale, resurrected, never read,
//!   and for how long.
//! - [`LINEARIZABLE_SET`] (`linearizable.rs`, `element.rs`): the set behaves as one copy.
//!
//! An element is added by `add`, removed by `remove`, and asked for by `contains` (its output is
//! a boolean) or `read`, which returns all elements as a list, in any order; nil is the empty set.
//! What an `add` or `remove` returns is not looked at. `options.initial` is a list of elements that
//! are there from the beginning.
//!
//! ```
//! # use splitbrain_checkers::{notation, set::{LINEARIZABLE_SET, SET, SET_FULL}};
//! let check = |lines| {
//!     let history = notation::history(lines);
//!     [SET, SET_FULL, LINEARIZABLE_SET]
//!         .map(|checker| checker.run(&history, &Default::default()).validity.is_valid())
//! };
//! let kept = "0 add 1 0..10 \n 1 add 2 5.. \n 2 read -> [2 1] 20..30";
//! assert_eq!(check(kept), [true, true, true]);
//!
//! let late = "0 add 1 0..10 \n 2 read -> [] 20..30 \n 2 read -> #{1} 40..50";
//! assert_eq!(check(late), [true, true, false]);
//!
//! let lost = "0 add 1 0..10 \n 2 read -> #{1} 20..30 \n 2 read -> #{} 40..50";
//! assert_eq!(check(lost), [false, false, false]);
//! ```

mod element;
pub mod final_read;
pub mod full;
pub mod linearizable;
mod parse;
#[cfg(test)]
mod tests;

pub use final_read::SET;
pub use full::SET_FULL;
pub use linearizable::LINEARIZABLE_SET;

//! What several tests and the benchmark need: an oracle and generators of histories.
#![allow(dead_code)] // Each test binary uses its own part.

pub mod brute_force;
pub mod events;
pub mod generate;

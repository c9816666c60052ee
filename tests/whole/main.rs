//! The whole program, as a user runs it: real clusters in real sandboxes.
//!
//! One binary, so that `--test-threads=1` keeps clusters from sharing the cores.

mod browser;
mod bugs;
mod demo;
mod faults;
mod interrupt;
mod kill;
mod plan;
mod processes;
mod real;
mod scene;
mod support;
mod user;

//! The controller: everything that touches files, clocks, processes and sockets.
//!
//! The flow is one line long and nothing flows back:
//! `plan` -> `sandbox` and `cluster` -> `run` (clients and `nemesis` on one timeline) ->
//! `conclude` (checkers) -> `store` and `report`.

pub mod access;
pub mod attach;
mod bytes;
pub mod check;
pub mod cli;
pub mod clock;
mod cluster;
pub mod commands;
mod conclude;
pub mod doctor;
mod driving;
pub mod exit;
pub mod fault;
pub mod generator;
mod link_log;
mod logging;
pub mod nemesis;
pub mod plan;
mod progress;
mod pulse;
pub mod report;
pub mod run;
pub mod sandbox;
mod session;
pub mod store;

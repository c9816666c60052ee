//! The controller: everything that touches files, clocks, processes and sockets.
//!
//! The flow is one line long and nothing flows back:
//! `plan` -> `sandbox` and `cluster` -> `run` (clients and `nemesis` on one timeline) ->
//! checkers -> `store` and `report`.

pub mod clock;
pub mod doctor;
pub mod nemesis;
pub mod plan;
pub mod sandbox;

//! Drivers and cluster recipes: one folder per database, one registry line each.
//!
//! A folder holds `cluster.yaml` (how a cluster comes up and what can be set), a README (what is
//! claimed, what we measured, what is indeterminate and why) and, where the declarative http
//! driver does not do, an adapter in Rust.

pub mod driver;
pub mod http;

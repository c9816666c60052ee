//! Clusters that run already, with real servers: what such tests stand on, and checks of that.
//!
//! A *world* is a cluster in network namespaces of its own. It vanishes with the test, also with
//! one that is killed, and leaves nothing on this machine. Needs root.

mod groups;
mod hosts;
mod leaves;
mod namespace;
mod scene;
mod servers;
mod support;
mod verdicts;
mod worlds;

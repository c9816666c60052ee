//! How fast a long history of a FIFO queue is checked, and in how much memory.
//!
//! ```text
//! cargo bench -p splitbrain-checkers --bench queue [-- OPERATIONS]
//! ```

#[path = "../tests/containers/mod.rs"]
mod containers;
mod sizes;
mod usage;

fn main() {
    sizes::run_sizes(containers::Kind::Queue, splitbrain_checkers::queue::check_key);
}

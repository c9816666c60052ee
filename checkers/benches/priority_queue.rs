//! How fast a long history of a priority queue is checked, and in how much memory.
//!
//! ```text
//! cargo bench -p splitbrain-checkers --bench priority_queue [-- OPERATIONS]
//! ```

#[path = "../tests/containers/mod.rs"]
mod containers;
mod sizes;
mod usage;

fn main() {
    sizes::run_sizes(containers::Kind::Priority, splitbrain_checkers::priority_queue::check_key);
}

//! How fast a long history of a stack is checked, and in how much memory.
//!
//! ```text
//! cargo bench -p splitbrain-checkers --bench stack [-- OPERATIONS]
//! ```

#[path = "../tests/containers/mod.rs"]
mod containers;
mod sizes;
mod usage;

fn main() {
    sizes::run_sizes(containers::Kind::Stack, splitbrain_checkers::stack::check_key);
}

//! A first-in, first-out queue.

use crate::model::container::{Container, Discipline, Got};
use crate::model::values::Values;

/// A queue. `enqueue` appends its input, `dequeue` removes and returns the oldest value, or
/// returns nil from an empty queue. It begins with the list
/// [`Options::initial`](crate::checker::Options::initial), oldest first.
pub type FifoQueue = Container<FirstOut>;

/// First in, first out.
#[derive(Debug, Clone, Default)]
pub struct FirstOut;

impl Discipline for FirstOut {
    const OBJECT: &'static str = "a first-in, first-out queue";
    const FUNCTIONS: &'static [&'static str] = &["enqueue", "dequeue"];
    const PUTS: &'static [&'static str] = &["enqueue"];

    fn put(&self, inside: &[u32], value: u32) -> Box<[u32]> {
        [&[value], inside].concat().into()
    }

    /// What stands before a value has to leave before it does.
    fn is_hopeless(&self, inside: &[u32], got: &Got) -> bool {
        inside
            .split_first()
            .is_some_and(|(value, before)| before.iter().any(|other| got.outstays(*other, *value)))
    }

    fn describe(&self, inside: &[u32], values: &Values) -> String {
        let oldest_first: Vec<u32> = inside.iter().rev().copied().collect();
        values.show(&oldest_first)
    }
}

//! A priority queue.

use crate::model::container::{Container, Discipline};
use crate::model::values::Values;

/// A priority queue. `insert` (or `enqueue`) adds its input; `delete-min` (or `dequeue`) removes
/// and returns the least value, or returns nil from an empty queue. Numbers are ordered as
/// numbers, texts as texts, and every number is less than every text. The same value may be in it
/// more than once. It begins with the list [`Options::initial`](crate::checker::Options::initial).
pub type PriorityQueue = Container<LeastOut>;

/// The least goes first.
#[derive(Debug, Clone, Default)]
pub struct LeastOut {
    /// The place of each value among all, the least first.
    ranks: Vec<u32>,
}

impl Discipline for LeastOut {
    const OBJECT: &'static str = "a priority queue";
    const FUNCTIONS: &'static [&'static str] =
        &["add", "insert", "poll", "remove", "delete-min", "enqueue", "dequeue"];
    const PUTS: &'static [&'static str] = &["add", "insert", "enqueue"];
    const FORGETS_ORDER: bool = true;

    fn settle(&mut self, values: &Values) {
        let mut order: Vec<u32> = (0..values.len() as u32).collect();
        order.sort_by_key(|value| values.value(*value));
        self.ranks = vec![0; order.len()];
        for (rank, value) in order.into_iter().enumerate() {
            self.ranks[value as usize] = rank as u32;
        }
    }

    fn put(&self, inside: &[u32], value: u32) -> Box<[u32]> {
        let rank = |value: u32| self.ranks[value as usize];
        let place = inside.partition_point(|other| rank(*other) > rank(value));
        let (greater, less) = inside.split_at(place);
        [greater, &[value], less].concat().into()
    }

    fn describe(&self, inside: &[u32], values: &Values) -> String {
        let least_first: Vec<u32> = inside.iter().rev().copied().collect();
        values.show(&least_first)
    }
}

//! A priority queue.

use crate::checker::Options;
use crate::history::Operation;
use crate::model::fifo_queue::{Action, Got, container_action, first_values};
use crate::model::{After, Model, Parsed, values::Values};

/// A priority queue. `insert` (or `enqueue`) adds its input; `delete-min` (or `dequeue`) removes
/// and returns the least value, or returns nil from an empty queue. Numbers are ordered as
/// numbers, texts as texts, and every number is less than every text. The same value may be in it
/// more than once. It begins with the list [`Options::initial`].
#[derive(Debug, Clone)]
pub struct PriorityQueue {
    values: Values,
    first: Box<[u32]>,
    /// The place of each value among all, the least first.
    ranks: Vec<u32>,
    got: Got,
}

impl Model for PriorityQueue {
    const OBJECT: &'static str = "a priority queue";
    const FUNCTIONS: &'static [&'static str] =
        &["add", "insert", "poll", "remove", "delete-min", "enqueue", "dequeue"];
    /// The values, the least last.
    type State = Box<[u32]>;
    type Action = Action;

    fn new(options: &Options<'_>) -> Result<Self, String> {
        let mut values = Values::default();
        let first = first_values::<Self>(options, &mut values)?;
        Ok(Self { values, first, ranks: Vec::new(), got: Got::default() })
    }

    fn action(&mut self, operation: &Operation) -> Result<Option<Action>, String> {
        let (puts, takes) =
            (["add", "insert", "enqueue"], ["poll", "remove", "delete-min", "dequeue"]);
        container_action::<Self>(operation, &mut self.values, &puts, &takes)
    }

    fn settle(&mut self, actions: &[Parsed<Action>]) {
        self.got = Got::new(actions, self.values.len(), &self.first);
        let mut order: Vec<u32> = (0..self.values.len() as u32).collect();
        order.sort_by_key(|value| self.values.value(*value));
        self.ranks = vec![0; order.len()];
        for (rank, value) in order.into_iter().enumerate() {
            self.ranks[value as usize] = rank as u32;
        }
    }

    fn initial(&self) -> Box<[u32]> {
        let mut first = self.first.to_vec();
        first.sort_by_key(|value| std::cmp::Reverse(self.ranks[*value as usize]));
        first.into()
    }

    fn apply(&self, queue: &Box<[u32]>, action: &Action) -> After<Box<[u32]>> {
        let rank = |value: u32| self.ranks[value as usize];
        match (*action, queue.split_last()) {
            (Action::Put(value), _) => {
                let place = queue.partition_point(|other| rank(*other) > rank(value));
                let (greater, less) = queue.split_at(place);
                After::Next([greater, &[value], less].concat().into())
            }
            (Action::Take(value), Some((least, rest))) if value == *least => {
                After::Next(rest.into())
            }
            (Action::TakeUnseen, Some((_, rest))) => After::Next(rest.into()),
            (Action::Empty | Action::TakeUnseen, None) => After::Same,
            _ => After::Refused,
        }
    }

    fn is_pure(&self, action: &Action) -> bool {
        *action == Action::Empty
    }

    fn observes(&self, action: &Action) -> bool {
        matches!(action, Action::Take(_) | Action::Empty)
    }

    /// Two additions may be swapped: the queue keeps no memory of their order.
    fn commute(&self, one: &Action, other: &Action) -> bool {
        matches!((one, other), (Action::Put(_), Action::Put(_)))
    }

    fn matters(&self, unanswered: &Action) -> bool {
        self.got.matters(unanswered)
    }

    fn heap_bytes(queue: &Box<[u32]>) -> usize {
        size_of_val(&**queue)
    }

    fn describe(&self, queue: &Box<[u32]>) -> String {
        let least_first: Vec<u32> = queue.iter().rev().copied().collect();
        self.values.show(&least_first)
    }
}

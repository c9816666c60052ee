//! What the tests and benchmarks of queues, stacks and priority queues share: an oracle and
//! generators of histories.
#![allow(dead_code)] // Each test binary uses its own part.

pub mod compare;
pub mod generate;
pub mod oracle;

use splitbrain_checkers::checker::Options;
use splitbrain_checkers::history::Operation;
use splitbrain_checkers::keys::KeyResult;

/// Which object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Queue,
    Stack,
    Priority,
}

impl Kind {
    pub fn add(self) -> &'static str {
        match self {
            Kind::Queue => "enqueue",
            Kind::Stack => "push",
            Kind::Priority => "add",
        }
    }

    pub fn remove(self) -> &'static str {
        match self {
            Kind::Queue => "dequeue",
            Kind::Stack => "pop",
            Kind::Priority => "poll",
        }
    }

    /// Where in the contents, oldest first, the value is that comes out next.
    pub fn next(self, contents: &[i64]) -> Option<usize> {
        match self {
            Kind::Queue => (!contents.is_empty()).then_some(0),
            Kind::Stack => contents.len().checked_sub(1),
            Kind::Priority => (0..contents.len()).min_by_key(|i| contents[*i]),
        }
    }
}

/// The check under test.
pub type Check = fn(&[&Operation], &Options<'_>) -> KeyResult;

pub fn run(check: Check, operations: &[Operation]) -> KeyResult {
    check(&operations.iter().collect::<Vec<_>>(), &Options::default())
}

//! What a check may use before it has to give up and say how far it got.
//!
//! Checkers are pure and have no clock, so time is the caller's: a function that says when it is
//! over. Memory is what the check itself holds, counted by its own data structures.

use std::fmt;

/// The budget of one check. Spent means unknown, never valid.
#[derive(Clone, Copy)]
pub struct Limits<'l> {
    /// Bytes that the tables of a search may take.
    pub memory_bytes: usize,
    /// Steps (configurations tried) that a search may take. Unlike time it is the same on every
    /// machine.
    pub steps: u64,
    /// Says whether the time is over; asked every few thousand steps.
    pub is_over: Option<&'l (dyn Fn() -> bool + Sync)>,
}

impl Limits<'_> {
    /// How many steps lie between two looks at the clock.
    pub const STEPS_BETWEEN_LOOKS: u64 = 4096;

    /// Whether the caller's time is over.
    pub fn is_over(&self) -> bool {
        self.is_over.is_some_and(|is_over| is_over())
    }
}

/// 4 GiB, no end of steps and no end of time.
impl Default for Limits<'_> {
    fn default() -> Self {
        Self { memory_bytes: 4 << 30, steps: u64::MAX, is_over: None }
    }
}

impl fmt::Debug for Limits<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Limits")
            .field("memory_bytes", &self.memory_bytes)
            .field("steps", &self.steps)
            .field("has_time_limit", &self.is_over.is_some())
            .finish()
    }
}

/// Which limit was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spent {
    Memory,
    Steps,
    Time,
}

/// As the reason of an unknown has it: `the memory limit was reached`.
impl fmt::Display for Spent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self {
            Spent::Memory => "memory",
            Spent::Steps => "step",
            Spent::Time => "time",
        };
        write!(f, "the {what} limit was reached")
    }
}

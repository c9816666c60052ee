//! What a search has used of its limits.

use crate::limits::{Limits, Spent};

/// Counts steps, and looks at memory and the clock now and then.
#[derive(Debug, Clone)]
pub(super) struct Budget<'l> {
    limits: Limits<'l>,
    /// Steps taken so far.
    pub used: u64,
    /// The most bytes seen at a look.
    pub most_bytes: usize,
}

/// Memory is counted once in so many steps: counting is cheap, but not free.
const STEPS_BETWEEN_COUNTS: u64 = 256;

impl<'l> Budget<'l> {
    pub(super) fn new(limits: Limits<'l>) -> Self {
        Self { limits, used: 0, most_bytes: 0 }
    }

    /// Whether memory has to be [counted](Budget::count) before the next step.
    pub(super) fn is_to_count(&self) -> bool {
        self.used.is_multiple_of(STEPS_BETWEEN_COUNTS)
    }

    /// Takes note of the memory in use.
    pub(super) fn count(&mut self, bytes: usize) -> Result<(), Spent> {
        self.most_bytes = self.most_bytes.max(bytes);
        if bytes > self.limits.memory_bytes { Err(Spent::Memory) } else { Ok(()) }
    }

    /// Takes one step.
    pub(super) fn step(&mut self) -> Result<(), Spent> {
        if self.used == self.limits.steps {
            return Err(Spent::Steps);
        }
        if self.used.is_multiple_of(Limits::STEPS_BETWEEN_LOOKS) && self.limits.is_over() {
            return Err(Spent::Time);
        }
        self.used += 1;
        Ok(())
    }
}

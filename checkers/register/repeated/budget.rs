//! What a search may still use.

use crate::limits::{Limits, Spent};

/// Steps that are left, and the limits that every step is held against.
#[derive(Debug)]
pub(super) struct Budget<'l> {
    limits: &'l Limits<'l>,
    pub left: u64,
}

impl<'l> Budget<'l> {
    pub fn new(limits: &'l Limits<'l>) -> Self {
        Self { limits, left: limits.steps }
    }

    /// As `new`, with at most that many steps.
    pub fn at_most(limits: &'l Limits<'l>, steps: u64) -> Self {
        Self { limits, left: limits.steps.min(steps) }
    }

    /// Takes a step, while the search holds that many bytes.
    pub fn step(&mut self, held: usize) -> Result<(), Spent> {
        if held > self.limits.memory_bytes {
            return Err(Spent::Memory);
        }
        self.left = self.left.checked_sub(1).ok_or(Spent::Steps)?;
        if self.left.is_multiple_of(Limits::STEPS_BETWEEN_LOOKS) && self.limits.is_over() {
            return Err(Spent::Time);
        }
        Ok(())
    }
}

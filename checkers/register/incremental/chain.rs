//! One chain: the reigns that cas tie together, as far as they still matter.

use std::collections::VecDeque;

use super::reigns::ReignId;

/// A chain that may still grow.
#[derive(Debug)]
pub(super) struct Chain {
    /// When the first of its operations ended.
    pub begin: Option<u64>,
    /// When the last of its operations began.
    pub end: u64,
    /// The reigns from the position `first` on.
    reigns: VecDeque<ReignId>,
    first: u64,
    /// Positions of reigns of which an operation ended earlier than any of a later reign, and when;
    /// both grow.
    ended: VecDeque<(u64, u64)>,
}

impl Chain {
    pub fn new(end: u64, reign: ReignId) -> Self {
        Self { begin: None, end, reigns: [reign].into(), first: 0, ended: VecDeque::new() }
    }

    /// Ties a reign to the last one, and says at which position.
    pub fn push(&mut self, reign: ReignId) -> u64 {
        self.reigns.push_back(reign);
        self.last()
    }

    /// The position of the last reign.
    pub fn last(&self) -> u64 {
        self.first + self.reigns.len() as u64 - 1
    }

    pub fn get(&self, position: u64) -> Option<ReignId> {
        self.reigns.get(position.checked_sub(self.first)? as usize).copied()
    }

    /// The first operation of the reign at that position ends.
    pub fn ends(&mut self, position: u64, now: u64) {
        if self.ended.back().is_none_or(|(last, _)| *last < position) {
            self.ended.push_back((position, now));
        }
    }

    /// When the first operation of the reigns after that position ended.
    pub fn ended_after(&self, position: u64) -> Option<u64> {
        let next = self.ended.partition_point(|(other, _)| *other <= position);
        self.ended.get(next).map(|(_, end)| *end)
    }

    /// Removes the reigns that nothing that began at `low` or later can belong to.
    pub fn forget_before(&mut self, low: u64) -> impl Iterator<Item = ReignId> {
        while self.ended.get(1).is_some_and(|(_, end)| *end < low) {
            self.ended.pop_front();
        }
        let first = match self.ended.front() {
            Some((position, end)) if *end < low => *position,
            _ => self.first,
        };
        let over = first.saturating_sub(self.first) as usize;
        self.first += over as u64;
        self.reigns.drain(..over)
    }

    pub fn into_reigns(self) -> VecDeque<ReignId> {
        self.reigns
    }
}

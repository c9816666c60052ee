//! Whether reads and writes of unique values are 2-atomic: limited backtracking.
//!
//! Golab, Hurwitz and Li ("On the k-atomicity-verification problem", ICDCS 2013, algorithm LBT).
//! The order is made from its end. Suppose that x is the last of the remaining
//! writes. Some operation of x's cluster (its write or a read of it) finishes first, at `begin_x`,
//! and it stands at x or behind. So whatever starts after `begin_x` stands behind x: it cannot be
//! a write, and it reads x or the write just before x. If two such reads read two other values
//! than x, there is no order; if they read one other, y, that is the write before x, and the
//! question is the same for y with x's cluster taken out; and if there is none, x's cluster can
//! stand at the very end.
//!
//! In the last case what is left is the history without some whole clusters. If the history is
//! 2-atomic then so is that, by leaving the others out of the order; and if that is 2-atomic then
//! so is the history: append the writes found, in their order; each read of such a value x
//! goes right behind x if it started by `begin` of the write after x, and behind that write
//! otherwise, where only reads of these two follow before the next one (see above), in the order
//! of their starts. So once a first choice of x has led here, it never has to be taken
//! back. The choices are the clusters with no write after their `begin`: all of these writes are
//! in flight when the last of the remaining writes starts, so there are at most as many as writes
//! were ever in flight together.
//!
//! A choice can take long to fail. All choices are tried with a limit that doubles, so that a
//! step costs no more than about four times the number of choices times the cost of the best.
//! O(n log n + c n) with c choices at most.

use super::chunk::{Chunk, Linked};
use super::reigns::NONE;
use super::search::Budget;
use crate::limits::Spent;

/// Whether a chunk without cas is 2-atomic.
pub(super) fn is_two_atomic(chunk: &Chunk, budget: &mut Budget<'_>) -> Result<bool, Spent> {
    let mut remaining = Remaining::new(chunk);
    while let Some(last_write) = remaining.writes.first() {
        let last_start = chunk.operations[last_write as usize].start;
        let mut choices: Vec<u32> = remaining
            .by_begin
            .iter()
            .take_while(|&cluster| remaining.begins[cluster as usize] >= last_start)
            .collect();
        let mut limit = 16;
        while !remaining.take_one(&mut choices, limit, budget)? {
            if choices.is_empty() {
                return Ok(false);
            }
            limit *= 2;
        }
    }
    Ok(true)
}

/// How a choice of the last write went.
enum Tried {
    Fits,
    Fails,
    TooLong,
}

/// The operations that have no place in the order yet.
struct Remaining<'c> {
    chunk: &'c Chunk,
    begins: Vec<u64>,
    /// By cluster.
    members: Vec<Vec<u32>>,
    /// Operations, and writes among them, from the latest start on; clusters from the latest
    /// begin on.
    operations: Linked,
    writes: Linked,
    by_begin: Linked,
}

impl<'c> Remaining<'c> {
    fn new(chunk: &'c Chunk) -> Self {
        let begins = chunk.begins();
        let mut members = vec![Vec::new(); chunk.reigns];
        for (id, operation) in chunk.operations.iter().enumerate() {
            members[cluster(chunk, id as u32) as usize].push(id as u32);
            debug_assert!(operation.found == NONE || operation.began == NONE);
        }
        let mut by_start: Vec<u32> = (0..chunk.operations.len() as u32).collect();
        by_start.sort_unstable_by_key(|&id| std::cmp::Reverse(chunk.operations[id as usize].start));
        let writes: Vec<u32> = by_start
            .iter()
            .copied()
            .filter(|&id| chunk.operations[id as usize].began != NONE)
            .collect();
        let mut by_begin: Vec<u32> = (0..chunk.reigns as u32).collect();
        by_begin.sort_unstable_by_key(|&id| std::cmp::Reverse(begins[id as usize]));
        let count = chunk.operations.len();
        Self {
            chunk,
            members,
            operations: Linked::new(&by_start, count),
            writes: Linked::new(&writes, count),
            by_begin: Linked::new(&by_begin, chunk.reigns),
            begins,
        }
    }

    /// Tries each choice up to the limit, and keeps the first that fits. Those that fail are
    /// struck off.
    fn take_one(
        &mut self,
        choices: &mut Vec<u32>,
        limit: usize,
        budget: &mut Budget<'_>,
    ) -> Result<bool, Spent> {
        let mut undecided = Vec::new();
        for &choice in choices.iter() {
            let mut taken = Vec::new();
            match self.try_last(choice, limit, &mut taken, budget)? {
                Tried::Fits => return Ok(true),
                Tried::Fails => {}
                Tried::TooLong => undecided.push(choice),
            }
            for &cluster in taken.iter().rev() {
                self.restore(cluster);
            }
        }
        *choices = undecided;
        Ok(false)
    }

    /// Takes out `last` and every write that this forces to come before it.
    fn try_last(
        &mut self,
        last: u32,
        limit: usize,
        taken: &mut Vec<u32>,
        budget: &mut Budget<'_>,
    ) -> Result<Tried, Spent> {
        let mut last = last;
        let mut looked = 0;
        loop {
            budget.spend(1)?;
            let mut before = NONE;
            for id in self.operations.iter() {
                let operation = &self.chunk.operations[id as usize];
                if operation.start <= self.begins[last as usize] {
                    break;
                }
                looked += 1;
                match cluster(self.chunk, id) {
                    same if same == last => {}
                    _ if operation.began != NONE => return Ok(Tried::Fails),
                    other if before == NONE => before = other,
                    other if before == other => {}
                    _ => return Ok(Tried::Fails),
                }
            }
            self.remove(last);
            taken.push(last);
            if before == NONE {
                return Ok(Tried::Fits);
            }
            if looked > limit {
                return Ok(Tried::TooLong);
            }
            last = before;
        }
    }

    fn remove(&mut self, cluster: u32) {
        for &id in &self.members[cluster as usize] {
            self.operations.remove(id);
            if self.chunk.operations[id as usize].began != NONE {
                self.writes.remove(id);
            }
        }
        self.by_begin.remove(cluster);
    }

    /// Undoes [`Remaining::remove`]; what was removed last comes first.
    fn restore(&mut self, cluster: u32) {
        self.by_begin.restore(cluster);
        for &id in self.members[cluster as usize].iter().rev() {
            self.operations.restore(id);
            if self.chunk.operations[id as usize].began != NONE {
                self.writes.restore(id);
            }
        }
    }
}

/// The cluster of an operation that is no cas.
fn cluster(chunk: &Chunk, id: u32) -> u32 {
    let operation = &chunk.operations[id as usize];
    if operation.began == NONE { operation.found } else { operation.began }
}

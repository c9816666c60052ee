//! Whether operations are k-atomic: a search from the beginning, with a budget.
//!
//! A configuration is the set of operations that have a place in the order, with the last k
//! writes. An operation can be next if none of the others finished before it started. A read that
//! can be next and finds one of the last k writes is placed at once: if some order goes on from
//! here, then so does the one in which the read stands here instead, for it changes nothing for
//! others. So only the next write is a choice. It must not push a value out of the last k that
//! someone has still to find. Which reads are placed follows from the writes that are and from
//! their last k, so those make up what has to be remembered of a configuration that led nowhere.
//! (Wing and Gong's search, "Testing and verifying concurrent objects", JPDC 17, 1993, with the
//! memory of Lowe, "Testing for linearizability", Concurrency and Computation 29(4), 2017.)

use rustc_hash::FxHashSet;

use super::chunk::{Chunk, Linked};
use super::reigns::NONE;
use crate::limits::{Limits, Spent};

/// What is left of the budget of one key.
pub(super) struct Budget<'l> {
    limits: Limits<'l>,
    steps: u64,
}

impl<'l> Budget<'l> {
    pub fn new(limits: Limits<'l>) -> Self {
        Self { limits, steps: 0 }
    }

    /// Takes that many steps.
    pub fn spend(&mut self, steps: u64) -> Result<(), Spent> {
        let between = Limits::STEPS_BETWEEN_LOOKS;
        let look = (self.steps + steps) / between > self.steps / between;
        self.steps += steps;
        if self.steps > self.limits.steps {
            return Err(Spent::Steps);
        }
        if look && self.limits.is_over() { Err(Spent::Time) } else { Ok(()) }
    }
}

/// Whether the chunk is k-atomic.
pub(super) fn is_k_atomic(chunk: &Chunk, k: usize, budget: &mut Budget<'_>) -> Result<bool, Spent> {
    let mut search = Search::new(chunk, k);
    let mut failed: FxHashSet<Box<[u32]>> = FxHashSet::default();
    // Bytes of the branches, and of their keys when they are given up. The first is not counted.
    let mut held: usize = 0;
    search.place_reads();
    let mut branches = vec![search.branch()];
    while let Some(branch) = branches.last_mut() {
        if search.is_complete() {
            return Ok(true);
        }
        search.undo(branch.placed);
        let Some(write) = branch.choices.pop() else {
            held = held.saturating_sub(branch.choices.capacity() * size_of::<u32>());
            failed.insert(std::mem::take(&mut branch.key));
            branches.pop();
            continue;
        };
        budget.spend(1)?;
        search.place(write);
        search.place_reads();
        let next = search.branch();
        if search.is_complete() || !failed.contains(&next.key) {
            held += next.bytes();
            if held > budget.limits.memory_bytes {
                return Err(Spent::Memory);
            }
            branches.push(next);
        }
    }
    Ok(false)
}

/// A configuration from which the search goes on in several ways.
struct Branch {
    /// How many operations are placed.
    placed: usize,
    /// Which writes can be next, the best last.
    choices: Vec<u32>,
    /// The configuration, to be remembered.
    key: Box<[u32]>,
}

impl Branch {
    fn bytes(&self) -> usize {
        size_of::<Self>() + size_of_val(&*self.key) + self.choices.capacity() * size_of::<u32>()
    }
}

struct Search<'c> {
    chunk: &'c Chunk,
    k: usize,
    begins: Vec<u64>,
    /// What has no place yet, by start and by finish.
    by_start: Linked,
    by_finish: Linked,
    /// By operation that writes: its number in the order of starts.
    rank: Vec<u32>,
    /// By reign: how many have still to find it, and where its write is among the placed ones.
    unfound: Vec<u32>,
    place: Vec<u32>,
    /// Reigns in the order in which their writes were placed, with the largest rank so far.
    writes: Vec<(u32, u32)>,
    /// What was placed, in that order.
    placed: Vec<u32>,
}

impl<'c> Search<'c> {
    fn new(chunk: &'c Chunk, k: usize) -> Self {
        let count = chunk.operations.len();
        let operation = |id: &u32| &chunk.operations[*id as usize];
        let mut by_start: Vec<u32> = (0..count as u32).collect();
        by_start.sort_unstable_by_key(|id| operation(id).start);
        let mut by_finish: Vec<u32> = (0..count as u32).collect();
        by_finish.sort_unstable_by_key(|id| operation(id).finish);
        let mut rank = vec![NONE; count];
        let writes = by_start.iter().filter(|id| operation(id).began != NONE);
        for (number, &id) in writes.enumerate() {
            rank[id as usize] = number as u32;
        }
        let mut unfound = vec![0; chunk.reigns];
        for operation in chunk.operations.iter().filter(|operation| operation.found != NONE) {
            unfound[operation.found as usize] += 1;
        }
        Self {
            chunk,
            k,
            begins: chunk.begins(),
            by_start: Linked::new(&by_start, count),
            by_finish: Linked::new(&by_finish, count),
            rank,
            unfound,
            place: vec![NONE; chunk.reigns],
            writes: Vec::new(),
            placed: Vec::with_capacity(count),
        }
    }

    fn is_complete(&self) -> bool {
        self.placed.len() == self.chunk.operations.len()
    }

    /// Whether the value is one of the last k.
    fn is_recent(&self, reign: u32) -> bool {
        let place = self.place[reign as usize];
        place != NONE && self.writes.len() - place as usize <= self.k
    }

    /// What can be next as far as real time goes.
    fn ready(&self) -> impl Iterator<Item = u32> + '_ {
        let first_finish = self.by_finish.first().map_or(0, |id| self.finish(id));
        self.by_start
            .iter()
            .take_while(move |&id| self.chunk.operations[id as usize].start <= first_finish)
    }

    fn finish(&self, id: u32) -> u64 {
        self.chunk.operations[id as usize].finish
    }

    /// Places every read that can be.
    fn place_reads(&mut self) {
        loop {
            let reads: Vec<u32> = self
                .ready()
                .filter(|&id| {
                    let operation = &self.chunk.operations[id as usize];
                    operation.began == NONE && self.is_recent(operation.found)
                })
                .collect();
            if reads.is_empty() {
                return;
            }
            for read in reads {
                self.place(read);
            }
        }
    }

    fn place(&mut self, id: u32) {
        let operation = &self.chunk.operations[id as usize];
        self.by_start.remove(id);
        self.by_finish.remove(id);
        self.placed.push(id);
        if operation.found != NONE {
            self.unfound[operation.found as usize] -= 1;
        }
        if operation.began != NONE {
            self.place[operation.began as usize] = self.writes.len() as u32;
            let largest = self.writes.last().map_or(0, |&(_, largest)| largest);
            self.writes.push((operation.began, largest.max(self.rank[id as usize])));
        }
    }

    /// Takes back everything beyond the first `placed` operations.
    fn undo(&mut self, placed: usize) {
        for id in self.placed.split_off(placed).into_iter().rev() {
            let operation = &self.chunk.operations[id as usize];
            self.by_finish.restore(id);
            self.by_start.restore(id);
            if operation.found != NONE {
                self.unfound[operation.found as usize] += 1;
            }
            if operation.began != NONE {
                self.place[operation.began as usize] = NONE;
                self.writes.pop();
            }
        }
    }

    fn branch(&self) -> Branch {
        let mut choices: Vec<u32> = self.ready().filter(|&id| self.may_write(id)).collect();
        // Whoever's value is found first by the clock has to come soonest.
        choices.sort_by_key(|&id| {
            let begin = self.begins[self.chunk.operations[id as usize].began as usize];
            std::cmp::Reverse((begin, self.finish(id)))
        });
        Branch { placed: self.placed.len(), choices, key: self.key() }
    }

    fn may_write(&self, id: u32) -> bool {
        let operation = &self.chunk.operations[id as usize];
        if operation.began == NONE {
            return false;
        }
        if operation.found != NONE && !self.is_recent(operation.found) {
            return false;
        }
        match self.writes.len().checked_sub(self.k) {
            Some(oldest) => {
                let (reign, _) = self.writes[oldest];
                self.unfound[reign as usize] == u32::from(operation.found == reign)
            }
            None => true,
        }
    }

    /// The last k writes, and the set of the placed ones: all up to the largest rank except
    /// those that are listed.
    fn key(&self) -> Box<[u32]> {
        let recent = self.writes.iter().rev().map(|&(reign, _)| reign);
        let recent = recent.chain(std::iter::repeat(NONE)).take(self.k);
        let largest = self.writes.last().map(|&(_, largest)| largest);
        let missing = self.by_start.iter().map(|id| self.rank[id as usize]);
        let missing = missing
            .filter(|&rank| rank != NONE)
            .take_while(|&rank| largest.is_some_and(|largest| rank < largest));
        largest.into_iter().chain(recent).chain(missing).collect()
    }
}

//! A serial order, looked for where the versions do not give one.
//!
//! Where registers are written without a read before, the order of their versions is unknown and
//! no cycle proves nothing. To decide it is NP-complete (Papadimitriou, "The serializability of
//! concurrent database updates", JACM 26(4), 1979). But an order that explains everything is
//! easily recognised, and for what a store really did it is easily found: run one transaction
//! after the other, whichever may come next and was answered first. A transaction may come next
//! if all that the graph puts before it has run, and if no other is still to read a version that
//! it would replace. So every read finds what it returned when it is run: its writer has run
//! (wr), and nothing has replaced that version since.
//!
//! With real time there is a second hint. A version's reign lasts at least from the first end of
//! a transaction that wrote or read it to the last beginning of one. If the first end for one
//! version is before the last beginning for another, then the one reigned before the other
//! (Gibbons and Korach, as in the [register](crate::register) check), and has to be written first.
//!
//! If all have run, that is a serial order, with process order and real time if the graph had
//! them. If none may come next, nothing is said: another choice may have led further.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::cycle::{Kinds, REAL_TIME};
use super::graph::Graph;
use super::parse::{INITIAL, NONE, Parsed, Write};
use super::versions::Versions;
use crate::history::Time;
use crate::limits::Limits;

/// How often each transaction may be looked at, on average.
const LOOKS: u64 = 100;

/// Whether running transactions one by one explains all reads and respects all edges of these
/// kinds. Nothing else may be wrong with the history.
pub(super) fn replay(
    parsed: &Parsed<'_>,
    versions: &Versions,
    graph: &Graph,
    kinds: Kinds,
    limits: &Limits<'_>,
) -> bool {
    let mut replay = Replay::new(parsed, versions, graph, kinds);
    let first: Vec<u32> = (0..).zip(&replay.before).filter(|e| *e.1 == 0).map(|e| e.0).collect();
    first.into_iter().for_each(|node| replay.release(node));
    replay.go_on();
    let committed = versions.is_committed.iter().filter(|is_committed| **is_committed).count();
    let mut looks = (LOOKS * (committed as u64 + 1)).min(limits.steps);
    let mut has_run = 0;
    while let Some(Reverse((_, transaction))) = replay.ready.pop() {
        looks = looks.saturating_sub(1);
        let is_time_to_look = looks.is_multiple_of(Limits::STEPS_BETWEEN_LOOKS);
        if looks == 0 || (is_time_to_look && limits.is_over()) {
            return false;
        }
        match replay.obstacle(transaction) {
            Some(key) => replay.waiting[key as usize].push(transaction),
            None => {
                replay.run(transaction);
                has_run += 1;
            }
        }
    }
    has_run == committed
}

struct Replay<'a, 'h> {
    parsed: &'a Parsed<'h>,
    versions: &'a Versions,
    graph: &'a Graph,
    kinds: Kinds,
    /// By node of the graph: how many edges lead to it from what has not run.
    before: Vec<u32>,
    /// By key: its present version.
    present: Vec<u32>,
    /// By write, if real time counts: the last beginning of a transaction that wrote or read it.
    last_start: Vec<Time>,
    /// By key: its versions by the first end of a transaction that wrote or read them.
    by_end: Vec<Vec<(Time, u32)>>,
    /// By key: how many of those at the front were written.
    written: Vec<usize>,
    has_run: Vec<bool>,
    /// Keys and versions that were read, by transaction, sorted, and where those of each begin.
    reads: Vec<(u32, u32)>,
    starts: Vec<u32>,
    /// By write: how many transactions are still to read it.
    readers: Vec<u32>,
    /// By key: the same for its initial version.
    readers_of_initial: Vec<u32>,
    /// What may come next as far as the graph goes, what was answered first on top.
    ready: BinaryHeap<Reverse<(Time, u32)>>,
    /// By key: who waits for the readers of its present version.
    waiting: Vec<Vec<u32>>,
    /// Nodes that were released, while their own edges are gone through.
    released: Vec<u32>,
}

impl<'a, 'h> Replay<'a, 'h> {
    fn new(parsed: &'a Parsed<'h>, versions: &'a Versions, graph: &'a Graph, kinds: Kinds) -> Self {
        let keys = parsed.keys.len();
        let mut replay = Replay {
            parsed,
            versions,
            graph,
            kinds,
            before: vec![0; graph.nodes() as usize],
            present: vec![INITIAL; keys],
            last_start: Vec::new(),
            by_end: vec![Vec::new(); keys],
            written: vec![0; keys],
            has_run: vec![false; parsed.transactions.len()],
            reads: Vec::new(),
            starts: Vec::with_capacity(parsed.transactions.len() + 1),
            readers: vec![0; parsed.writes.len()],
            readers_of_initial: vec![0; keys],
            ready: BinaryHeap::new(),
            waiting: vec![Vec::new(); keys],
            released: Vec::new(),
        };
        for node in 0..graph.nodes() {
            for (_, target) in (0..).map_while(|p| graph.edge(node, p)).filter(|e| e.0 & kinds != 0)
            {
                replay.before[target as usize] += 1;
            }
        }
        replay.collect_reads();
        if kinds & REAL_TIME != 0 {
            replay.collect_reigns();
        }
        replay
    }

    /// What each transaction read before it wrote the key; all its reads of one key agree.
    fn collect_reads(&mut self) {
        let mut touched_by = vec![NONE; self.parsed.keys.len()];
        for transaction in 0..self.parsed.transactions.len() as u32 {
            let start = self.reads.len();
            self.starts.push(start as u32);
            for step in self.parsed.steps_of(transaction) {
                let touched_by = &mut touched_by[step.key as usize];
                let is_first = std::mem::replace(touched_by, transaction) != transaction;
                if is_first && !step.is_write && step.value != NONE {
                    self.reads.push((step.key, step.value));
                    *self.readers_of(step.key, step.value) += 1;
                }
            }
            self.reads[start..].sort_unstable();
        }
        self.starts.push(self.reads.len() as u32);
    }

    fn collect_reigns(&mut self) {
        let Parsed { transactions, writes, .. } = self.parsed;
        let of = |write: &Write<'_>| &transactions[write.transaction as usize];
        let mut first_end: Vec<Time> = writes.iter().map(|write| of(write).complete).collect();
        self.last_start = writes.iter().map(|write| of(write).invoke).collect();
        for (number, transaction) in (0..).zip(transactions) {
            for (_, version) in &self.reads[self.reads_of(number)] {
                if let Some(end) = first_end.get_mut(*version as usize) {
                    *end = transaction.complete.min(*end);
                    let start = &mut self.last_start[*version as usize];
                    *start = transaction.invoke.max(*start);
                }
            }
        }
        for (number, (write, end)) in (0..).zip(writes.iter().zip(first_end)) {
            if write.is_final && self.versions.is_committed[write.transaction as usize] {
                self.by_end[write.key as usize].push((end, number));
            }
        }
        self.by_end.iter_mut().for_each(|versions| versions.sort_unstable());
    }

    /// Whether another version of the key has to be written before this one.
    fn comes_later(&mut self, key: u32, write: u32) -> bool {
        let versions = &self.by_end[key as usize];
        let written = &mut self.written[key as usize];
        let has_run = |write: u32| self.has_run[self.parsed.writer(write) as usize];
        while versions.get(*written).is_some_and(|(_, write)| has_run(*write)) {
            *written += 1;
        }
        let mut left = versions[*written..].iter();
        let next = left.find(|(_, other)| *other != write && !has_run(*other));
        next.is_some_and(|(end, _)| *end < self.last_start[write as usize])
    }

    fn reads_of(&self, transaction: u32) -> std::ops::Range<usize> {
        let [start, end] = [transaction, transaction + 1].map(|t| self.starts[t as usize] as usize);
        start..end
    }

    fn readers_of(&mut self, key: u32, version: u32) -> &mut u32 {
        match version {
            INITIAL => &mut self.readers_of_initial[key as usize],
            write => &mut self.readers[write as usize],
        }
    }

    /// A key that the transaction would write although another is still to read its present
    /// version, or to write an earlier one.
    fn obstacle(&mut self, transaction: u32) -> Option<u32> {
        let reads = self.reads_of(transaction);
        let steps = self.parsed.steps_of(transaction);
        let writes = steps.iter().filter(|step| step.is_write);
        writes.map(|step| (step.key, step.value)).find_map(|(key, write)| {
            let present = self.present[key as usize];
            let is_own = self.reads[reads.clone()].binary_search(&(key, present)).is_ok();
            let is_final = self.parsed.writes[write as usize].is_final;
            let is_obstacle = *self.readers_of(key, present) > u32::from(is_own)
                || (is_final && self.comes_later(key, write));
            is_obstacle.then_some(key)
        })
    }

    fn run(&mut self, transaction: u32) {
        self.has_run[transaction as usize] = true;
        for position in self.reads_of(transaction) {
            let (key, version) = self.reads[position];
            *self.readers_of(key, version) -= 1;
            self.wake(key);
        }
        for step in self.parsed.steps_of(transaction).iter().filter(|step| step.is_write) {
            self.present[step.key as usize] = step.value;
            self.wake(step.key);
        }
        self.released.push(transaction);
        self.go_on();
    }

    /// Looks again at who waits for the readers of a key, if there is at most one left, which may
    /// be the one that waits.
    fn wake(&mut self, key: u32) {
        if *self.readers_of(key, self.present[key as usize]) > 1 {
            return;
        }
        for transaction in std::mem::take(&mut self.waiting[key as usize]) {
            self.ready.push(Reverse((self.answered(transaction), transaction)));
        }
    }

    /// When it was answered, or else who saw it.
    fn answered(&self, transaction: u32) -> Time {
        let seen_by = self.versions.seen_by[transaction as usize];
        let one = if seen_by == NONE { transaction } else { seen_by };
        self.parsed.transactions[one as usize].complete
    }

    /// All that leads to a node has run. Groups and moments run by themselves.
    fn release(&mut self, node: u32) {
        if node >= self.parsed.transactions.len() as u32 {
            self.released.push(node);
        } else if self.versions.is_committed[node as usize] {
            self.ready.push(Reverse((self.answered(node), node)));
        }
    }

    /// Takes the edges of what was released away.
    fn go_on(&mut self) {
        while let Some(node) = self.released.pop() {
            for position in 0.. {
                let Some((kind, target)) = self.graph.edge(node, position) else { break };
                if kind & self.kinds == 0 {
                    continue;
                }
                let before = &mut self.before[target as usize];
                *before -= 1;
                if *before == 0 {
                    self.release(target);
                }
            }
        }
    }
}

//! Which transaction comes before which, and why. O(n) edges for n micro-operations, although
//! the relations themselves can have O(n^2) pairs:
//!
//! **Real time.** Transactions are numbered in the order of their invocations, so those that
//! began after another ended are all from some number on. One *moment* per transaction stands
//! for "everything from here on": moment i leads to transaction i and to moment i + 1, and each
//! transaction leads to the first moment after its end. None of this is stored but one number
//! per transaction.
//!
//! **Several writes after one version**, in an unknown order. All readers of the version come
//! before each of them, but for a reader that is itself the writer of one. So each member of such
//! a group has two nodes, *from here on* and *up to here*; who is no member leads to the former
//! of the first member, and a member to the former of the next and the latter of the one before.

use super::cycle::{ANTI, Kinds, LINK, OVERWRITES, PROCESS, READS, REAL_TIME};
use super::parse::{INITIAL, NONE, Parsed};
use super::versions::{Next, Versions};
use crate::history::{Outcome, Time};
use rustc_hash::FxHashMap;

/// The kinds of stored edges, by the number that is stored.
const KINDS: [Kinds; 4] = [OVERWRITES, READS, ANTI, PROCESS];

#[derive(Debug)]
pub(super) struct Graph {
    /// Transactions are the nodes up to here, then come two for each member of a group, and then
    /// the moments.
    pub transactions: u32,
    pub groups_end: u32,
    /// Where the edges of each transaction begin.
    starts: Vec<u32>,
    /// The kind in the upper two bits, the target below.
    edges: Vec<u32>,
    /// By member: its transaction.
    members: Vec<u32>,
    /// By member: whether it is the last of its group.
    is_last: Vec<bool>,
    /// By transaction: the first moment after its end.
    moments: Vec<u32>,
    is_committed: Vec<bool>,
}

impl Graph {
    pub fn new(parsed: &Parsed<'_>, versions: &Versions) -> Graph {
        let transactions = parsed.transactions.len() as u32;
        let pairs = dependencies(parsed, versions);
        let (starts, edges) = compress(transactions as usize, &pairs);
        Graph {
            transactions,
            groups_end: transactions + 2 * versions.members.len() as u32,
            starts,
            edges,
            members: versions.members.iter().map(|write| parsed.writer(*write)).collect(),
            is_last: versions.is_last.clone(),
            moments: moments(parsed, versions),
            is_committed: versions.is_committed.clone(),
        }
    }

    /// How many nodes there are, moments included.
    pub fn nodes(&self) -> u32 {
        self.groups_end + self.transactions
    }

    /// The edge of a node at a position: its kind, [`LINK`] inside a group or between moments,
    /// and its target. `None` behind the last.
    pub fn edge(&self, node: u32, position: u32) -> Option<(Kinds, u32)> {
        if node < self.transactions {
            let edges = self.starts[node as usize]..self.starts[node as usize + 1];
            if position < edges.len() as u32 {
                return Some(unpack(self.edges[(edges.start + position) as usize]));
            }
            let moment = self.moments[node as usize];
            let has_moment = position == edges.len() as u32 && moment < self.transactions;
            return has_moment.then(|| (REAL_TIME, self.groups_end + moment));
        }
        if node < self.groups_end {
            let member = (node - self.transactions) / 2;
            let is_onwards = (node - self.transactions).is_multiple_of(2);
            return match position {
                0 => Some((LINK, self.members[member as usize])),
                1 if is_onwards => (!self.is_last[member as usize]).then_some((LINK, node + 2)),
                1 => {
                    let is_first = member == 0 || self.is_last[member as usize - 1];
                    (!is_first).then(|| (LINK, node - 2))
                }
                _ => None,
            };
        }
        let moment = node - self.groups_end;
        match (position, moment + 1 < self.transactions) {
            (0, true) => Some((LINK, node + 1)),
            (0, false) | (1, true) => self.is_committed[moment as usize].then_some((LINK, moment)),
            _ => None,
        }
    }

    /// The first transaction that may have begun after this one ended.
    pub fn moment(&self, transaction: u32) -> u32 {
        self.moments[transaction as usize]
    }
}

fn unpack(edge: u32) -> (Kinds, u32) {
    (KINDS[(edge >> 30) as usize], edge & (u32::MAX >> 2))
}

/// All stored edges: from, and as stored.
fn dependencies(parsed: &Parsed<'_>, versions: &Versions) -> Vec<(u32, u32)> {
    let mut edges: Vec<(u32, u32)> = Vec::with_capacity(2 * parsed.steps.len());
    for (number, transaction) in (0..).zip(&parsed.transactions) {
        if !versions.is_committed[number as usize] {
            continue;
        }
        for step in parsed.steps_of(number) {
            let written = parsed.writes.get(step.value as usize);
            let next = match step.value {
                INITIAL => versions.next_of_initial[step.key as usize],
                version if written.is_some() => versions.next[version as usize],
                _ => continue,
            };
            if step.is_write {
                before(parsed, versions, number, next, 0, &mut edges);
                continue;
            }
            debug_assert_eq!(transaction.outcome, Outcome::Ok);
            if let Some(write) = written
                && write.transaction != number
                && versions.is_committed[write.transaction as usize]
            {
                edges.push((write.transaction, number | 1 << 30));
            }
            before(parsed, versions, number, next, 2, &mut edges);
        }
    }
    process_order(parsed, versions, &mut edges);
    edges
}

/// Puts a transaction before the writes that come next.
fn before(
    parsed: &Parsed<'_>,
    versions: &Versions,
    transaction: u32,
    next: Next,
    kind: u32,
    edges: &mut Vec<(u32, u32)>,
) {
    let mut push = |target: u32| {
        if target != transaction {
            edges.push((transaction, target | kind << 30));
        }
    };
    let node = |member: u32| parsed.transactions.len() as u32 + 2 * member;
    match next {
        Next::Nothing => {}
        Next::Write(write) => push(parsed.writer(write)),
        Next::Several { first, last } => {
            let members = &versions.members[first as usize..=last as usize];
            match members.binary_search_by_key(&transaction, |write| parsed.writer(*write)) {
                Err(_) => push(node(first)),
                Ok(position) => {
                    let member = first + position as u32;
                    if member < last {
                        push(node(member + 1));
                    }
                    if member > first {
                        push(node(member - 1) + 1);
                    }
                }
            }
        }
    }
}

/// Each transaction comes after the last one that its process saw the end of. What was never
/// answered may have happened after all else that its process did, so nothing comes after it.
fn process_order(parsed: &Parsed<'_>, versions: &Versions, edges: &mut Vec<(u32, u32)>) {
    let mut last: FxHashMap<u64, (u32, Time)> = FxHashMap::default();
    for (number, transaction) in (0..).zip(&parsed.transactions) {
        if !versions.is_committed[number as usize] {
            continue;
        }
        if let Some((before, complete)) = last.get(&transaction.process)
            && *complete <= transaction.invoke
        {
            edges.push((*before, number | 3 << 30));
        }
        if transaction.outcome == Outcome::Ok {
            last.insert(transaction.process, (number, transaction.complete));
        }
    }
}

/// By transaction, how many began no later than it ended: so the first that began after.
fn moments(parsed: &Parsed<'_>, versions: &Versions) -> Vec<u32> {
    let all = &parsed.transactions;
    let mut moments = Vec::with_capacity(all.len());
    for (number, transaction) in all.iter().enumerate() {
        if !versions.is_committed[number] || transaction.complete == Time::MAX {
            moments.push(NONE);
            continue;
        }
        // Few begin while one is in flight: look near it, in steps that double.
        let (mut low, mut stride) = (number, 1);
        while low + stride < all.len() && all[low + stride].invoke <= transaction.complete {
            low += stride;
            stride *= 2;
        }
        let high = (low + stride).min(all.len());
        let within = all[low..high].partition_point(|o| o.invoke <= transaction.complete);
        // Also not itself, whatever the history says.
        moments.push((low + within).max(number + 1) as u32);
    }
    moments
}

/// Sorts edges by where they start: the start of each node's edges, and the edges.
pub(super) fn compress<E: Copy + Default>(nodes: usize, pairs: &[(u32, E)]) -> (Vec<u32>, Vec<E>) {
    let mut starts = vec![0_u32; nodes + 1];
    for (from, _) in pairs {
        starts[*from as usize] += 1;
    }
    let mut total = 0;
    for start in &mut starts {
        total += *start;
        *start = total;
    }
    let mut edges = vec![E::default(); pairs.len()];
    for (from, edge) in pairs.iter().rev() {
        let start = &mut starts[*from as usize];
        *start -= 1;
        edges[*start as usize] = *edge;
    }
    (starts, edges)
}

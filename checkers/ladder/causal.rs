//! Causal consistency (CC): what a transaction reads can be explained by its own causal past.
//!
//! A history satisfies it iff the causal order, session order and reads-from, has no cycle, and
//! for each transaction there is an order of its causal past that contains the causal order and in
//! which each of its reads finds the last write before it (Bouajjani and others, POPL 2017, CC;
//! for transactions of more than one read the same sentence is taken literally). Two transactions
//! of one session may well disagree on the order of concurrent writes: this model is weaker than
//! PRAM's views in that.
//!
//! For a transaction of one read of x that found w the only obstacles are a writer of x between w
//! and the reader in the causal order (bad pattern WriteCORead), or any before it if it found the
//! initial value (WriteCOInitRead). With more reads: each found writer w of x comes after all
//! other writers of x in the past, so put an edge from each found writer that is before (or is)
//! such a writer to w; the past can be ordered iff that has no cycle. That "iff" is the argument
//! of [causal memory](super::views) with the transaction as the only one of its session whose
//! reads count: one round of the rule suffices, as all readers are that one transaction.
//!
//! What is causally convergent satisfies this too, and that check is cheaper, so it goes first.
//!
//! ```
//! # use splitbrain_checkers::{notation, registry};
//! # let check = |lines| registry::find("causal").unwrap().run(&notation::history(lines), &Default::default());
//! // A process may change its mind on concurrent writes,
//! assert!(check(
//!     "0 write 1      0..1
//!      1 write 2      0..1
//!      1 read -> 1    2..3
//!      1 read -> 2    4..5",
//! ).validity.is_valid());
//! // and not go back behind a cause of what it read.
//! assert!(check(
//!     "0 write 1      0..1
//!      1 read -> 1    2..3
//!      1 write 2      4..5
//!      2 read -> 2    6..7
//!      2 read -> 1    8..9",
//! ).validity.is_invalid());
//! ```

use super::answer::{Answer, Refuted, inexplicable};
use super::causal_convergence;
use super::clocks::Clocks;
use super::explain::path_between;
use super::frame::{Frame, Origin};
use super::graph::{Graph, Whose};
use super::saturate::{Saturated, Tables};
use crate::limits::{Limits, Spent};

/// Whether a frame is causally consistent.
pub(crate) fn check(frame: &Frame, limits: &Limits<'_>) -> Answer {
    match inexplicable(frame) {
        Answer::Consistent => {}
        refuted => return refuted,
    }
    let tables = Tables::new(frame);
    match tables.saturate(causal_convergence::RULES, limits) {
        Saturated::Contradiction(found) if !found.rounds.is_empty() => check_each(&tables, limits),
        consistent_or_circular => consistent_or_circular.into(),
    }
}

/// Looks at each transaction with the clocks of all sessions; the causal order has no cycle.
fn check_each(tables: &Tables<'_>, limits: &Limits<'_>) -> Answer {
    let graph = Graph::new(tables.frame, Whose::All);
    let order = graph.components().order;
    let cells = tables.frame.len() * tables.columns.count as usize;
    if cells * size_of::<u32>() > limits.memory_bytes {
        return Answer::Spent(Spent::Memory);
    }
    let mut clocks = Clocks::default();
    clocks.fill(&graph, &order, &tables.columns, 0..tables.columns.count);
    let past = Past { tables, clocks: &clocks };
    let mut found: Option<Refuted> = None;
    for transaction in tables.frame.all() {
        let Some(causes) = past.contradiction(transaction) else { continue };
        let refuted = found.get_or_insert_with(|| {
            let mut evidence: Vec<u32> = causes
                .iter()
                .flat_map(|(from, to)| path_between(&graph, *from, *to))
                .chain([transaction])
                .collect();
            evidence.sort_unstable();
            evidence.dedup();
            let session = Some(tables.frame.session_of(transaction));
            Refuted { evidence, count: 0, session }
        });
        refuted.count += 1;
    }
    found.map_or(Answer::Consistent, Answer::Refuted)
}

/// Causal pasts.
struct Past<'t, 'f> {
    tables: &'t Tables<'f>,
    clocks: &'t Clocks,
}

/// A found writer has to come before another, because of a writer of what the other wrote.
#[derive(Clone, Copy)]
struct Before {
    from: usize,
    to: usize,
    because_of: u32,
}

impl Past<'_, '_> {
    /// Pairs, the first a cause of the second, that together leave no order of the past of this
    /// transaction.
    fn contradiction(&self, reader: u32) -> Option<Vec<(u32, u32)>> {
        let frame = self.tables.frame;
        let mut found: Vec<u32> = Vec::new();
        for version in frame.reads(reader).iter().map(|version| frame.version(*version)) {
            if version.origin == Origin::Initial {
                let is_own = |writer: &u32| frame.session_of(*writer) == frame.session_of(reader);
                if let Some(writer) = self.writers(reader, version.key).max_by_key(is_own) {
                    return Some(vec![(writer, reader)]);
                }
            } else if !found.contains(&version.writer) {
                found.push(version.writer);
            }
        }
        let mut edges = Vec::new();
        for version in frame.reads(reader).iter().map(|version| frame.version(*version)) {
            let Some(to) = found.iter().position(|writer| *writer == version.writer) else {
                continue;
            };
            for other in self.writers(reader, version.key).filter(|w| *w != version.writer) {
                for (from, writer) in found.iter().enumerate() {
                    if *writer == other || self.is_before(*writer, other) {
                        edges.push(Before { from, to, because_of: other });
                    }
                }
            }
        }
        for (to, writer) in found.iter().enumerate() {
            for (from, other) in found.iter().enumerate() {
                if from != to && self.is_before(*other, *writer) {
                    edges.push(Before { from, to, because_of: *other });
                }
            }
        }
        let cycle = cycle(found.len(), &edges)?;
        let mut causes = Vec::new();
        for edge in cycle {
            let (from, to) = (found[edge.from], found[edge.to]);
            if edge.because_of == from && self.is_before(from, to) {
                causes.push((from, to));
                continue;
            }
            if from != edge.because_of {
                causes.push((from, edge.because_of));
            }
            causes.extend([(edge.because_of, reader), (to, reader)]);
        }
        Some(causes)
    }

    /// Of each session, its latest writer of a key in the past of a transaction.
    fn writers(&self, reader: u32, key: u32) -> impl Iterator<Item = u32> + '_ {
        self.tables.lanes.of(key).iter().filter_map(move |lane| {
            let bound = self.clocks.bound(reader, self.tables.columns.of(lane.session));
            self.tables.lanes.last_below(*lane, bound)
        })
    }

    /// Whether one writer is in the past of another.
    fn is_before(&self, writer: u32, other: u32) -> bool {
        let column = self.tables.columns.of(self.tables.frame.session_of(writer));
        self.clocks.bound(other, column) > writer
    }
}

/// The edges of some cycle.
fn cycle(nodes: usize, edges: &[Before]) -> Option<Vec<Before>> {
    (0..nodes).find_map(|start| {
        let mut reached: Vec<Option<Before>> = vec![None; nodes];
        let mut to_visit = vec![start];
        while let Some(node) = to_visit.pop() {
            for edge in edges.iter().filter(|edge| edge.from == node) {
                if reached[edge.to].is_none() {
                    reached[edge.to] = Some(*edge);
                    to_visit.push(edge.to);
                }
            }
        }
        let mut edges = vec![reached[start]?];
        while let Some(edge) = edges.last().filter(|edge| edge.from != start) {
            edges.push(reached[edge.from]?);
        }
        Some(edges)
    })
}

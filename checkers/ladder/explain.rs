//! From a contradiction in a long history to a few transactions that are contradictory alone.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};

use rustc_hash::{FxHashMap, FxHashSet};

use super::frame::NONE;
use super::graph::{Graph, Reason, Step};
use super::saturate::Contradiction;

/// From how many places cycles are looked for; the shortest is taken.
const PLACES: usize = 8;

/// How many added edges are explained. A proof that needs more is left as long as it is.
const EXPLANATIONS: usize = 2_000;

/// One step of a path.
#[derive(Debug, Clone, Copy)]
struct Link {
    from: u32,
    to: u32,
    step: Step,
}

/// A reason of a contradiction that is worth a clause of its sentence.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Clause {
    /// The reader read what `found` had written ([`NONE`]: the initial value), though `writer`
    /// had come before it.
    Overwritten { writer: u32, reader: u32, found: u32 },
    /// The reader read what `overwriter` overwrote.
    ReadBefore { reader: u32, overwriter: u32 },
}

/// Transactions (ascending) that are contradictory with all others forgotten.
pub(crate) fn evidence(contradiction: &Contradiction<'_>) -> Vec<u32> {
    let explainer = Explainer::new(contradiction);
    let shortest = explainer.shortest();
    shortest.map(|story| explainer.transactions(story)).unwrap_or_default()
}

/// The reasons of the shortest contradiction, and whether it is a cycle.
pub(crate) fn clauses(contradiction: &Contradiction<'_>) -> (Vec<Clause>, bool) {
    if let Some(&(writer, reader)) = contradiction.initial.first() {
        return (vec![Clause::Overwritten { writer, reader, found: NONE }], false);
    }
    let story = Explainer::new(contradiction).shortest().unwrap_or_default();
    let clauses = story.iter().filter_map(|link| {
        let Step::Added(number) = link.step else { return None };
        Some(match contradiction.graph.edges[number as usize].reason {
            Reason::Overwritten { reader } => {
                Clause::Overwritten { writer: link.from, reader, found: link.to }
            }
            Reason::ReadBefore { .. } => {
                Clause::ReadBefore { reader: link.from, overwriter: link.to }
            }
        })
    });
    (clauses.collect(), true)
}

/// The transactions of a shortest path of session order and reads-from, without those that only
/// stand between two of the same session.
pub(crate) fn path_between(graph: &Graph<'_>, from: u32, to: u32) -> Vec<u32> {
    let mut ends = BTreeSet::from([from, to]);
    for link in search(graph, from, to, 0, |_| true).unwrap_or_default() {
        if link.step != Step::Session {
            ends.extend([link.from, link.to]);
        }
    }
    ends.into_iter().collect()
}

fn cost_of(links: &[Link]) -> u64 {
    links.iter().map(|link| cost(link.step)).sum()
}

/// An added edge has to be explained, a read is an operation more, a session is one anyway.
fn cost(step: Step) -> u64 {
    match step {
        Step::Session => 1,
        Step::Reads => 1 << 20,
        Step::Added(_) => 1 << 40,
    }
}

/// The cheapest path (Dijkstra 1959), searched backwards, over the edges below `limit`.
fn search(
    graph: &Graph<'_>,
    from: u32,
    to: u32,
    limit: usize,
    is_allowed: impl Fn(u32) -> bool,
) -> Option<Vec<Link>> {
    let mut best: FxHashMap<u32, (u64, Link)> = FxHashMap::default();
    let mut queue = BinaryHeap::from([(Reverse(0), to)]);
    while let Some((Reverse(spent), current)) = queue.pop() {
        if spent > 0 {
            if best[&current].0 < spent {
                continue;
            }
            if current == from {
                break;
            }
        }
        for (before, step) in graph.predecessors(current) {
            let counts = !matches!(step, Step::Added(number) if number as usize >= limit);
            if !counts || !is_allowed(before) {
                continue;
            }
            let total = spent + cost(step);
            let link = Link { from: before, to: current, step };
            let known = best.entry(before).or_insert((u64::MAX, link));
            if total < known.0 {
                *known = (total, link);
                queue.push((Reverse(total), before));
            }
        }
    }
    let mut path = vec![best.get(&from)?.1];
    while let Some(last) = path.last().filter(|last| last.to != to) {
        path.push(best.get(&last.to)?.1);
    }
    Some(path)
}

struct Explainer<'c, 'f> {
    contradiction: &'c Contradiction<'f>,
    /// Where each transaction is in the order.
    positions: Vec<u32>,
}

impl<'c, 'f> Explainer<'c, 'f> {
    fn new(contradiction: &'c Contradiction<'f>) -> Self {
        let mut positions = vec![0; contradiction.order.len()];
        for (position, transaction) in contradiction.order.iter().enumerate() {
            positions[*transaction as usize] = position as u32;
        }
        Explainer { contradiction, positions }
    }

    /// The cheapest of some contradictions.
    fn shortest(&self) -> Option<Vec<Link>> {
        let settled = self.contradiction.rounds.last().copied().unwrap_or(0);
        let frame = self.contradiction.graph.frame;
        let mut initial = self.contradiction.initial.clone();
        initial.sort_by_key(|(writer, reader)| {
            let same_session = frame.session_of(*writer) == frame.session_of(*reader);
            (!same_session, reader.abs_diff(*writer))
        });
        let initial = initial.iter().take(PLACES);
        let paths = initial.filter_map(|(writer, reader)| self.path(*writer, *reader, settled));
        let mut components: Vec<&Vec<u32>> = self.contradiction.cyclic.iter().collect();
        components.sort_by_key(|component| component.len());
        let cycles = components.into_iter().take(PLACES).filter_map(|found| self.cycle(found));
        paths.chain(cycles).min_by_key(|story| cost_of(story))
    }

    /// A path over edges below `limit`, all of which agree with the order.
    fn path(&self, from: u32, to: u32, limit: usize) -> Option<Vec<Link>> {
        let earliest = self.positions[from as usize];
        let is_between = |transaction: u32| self.positions[transaction as usize] >= earliest;
        search(&self.contradiction.graph, from, to, limit, is_between)
    }

    fn same_session(&self, link: &Link) -> bool {
        let frame = self.contradiction.graph.frame;
        frame.session_of(link.from) == frame.session_of(link.to)
    }

    /// The cheapest of some cycles of a component.
    fn cycle(&self, component: &[u32]) -> Option<Vec<Link>> {
        let graph = &self.contradiction.graph;
        let members: FxHashSet<u32> = component.iter().copied().collect();
        let newest = self.contradiction.rounds.last().copied().unwrap_or(0);
        let links = component.iter().flat_map(|member| {
            graph.predecessors(*member).map(|(from, step)| Link { from, to: *member, step })
        });
        let inside = links.filter(|link| members.contains(&link.from));
        let is_new = |link: &Link| match link.step {
            Step::Added(number) => number as usize >= newest,
            Step::Reads => self.contradiction.rounds.is_empty(),
            Step::Session => false,
        };
        // Within one session the way back is short.
        let mut closing: Vec<Link> = inside.filter(is_new).collect();
        closing.sort_by_key(|link| match self.same_session(link) {
            true => link.from.abs_diff(link.to),
            false => u32::MAX,
        });
        let closing = closing.into_iter().take(PLACES);
        let cycles = closing.filter_map(|link| {
            let mut cycle = match link.from == link.to {
                true => Vec::new(),
                false => search(graph, link.to, link.from, usize::MAX, |t| members.contains(&t))?,
            };
            cycle.push(link);
            Some(cycle)
        });
        cycles.min_by_key(|cycle| cost_of(cycle))
    }

    /// All that a story needs: the ends of its links, and of the paths that added edges stand
    /// for.
    fn transactions(&self, story: Vec<Link>) -> Vec<u32> {
        let mut needed = BTreeSet::new();
        if let (Some(first), Some(last)) = (story.first(), story.last()) {
            needed.extend([first.from, last.to]);
        }
        let mut to_explain = story;
        let mut explained = FxHashSet::default();
        while let Some(link) = to_explain.pop() {
            if link.step == Step::Session {
                continue;
            }
            needed.extend([link.from, link.to]);
            let Step::Added(number) = link.step else { continue };
            if !explained.insert(number) || explained.len() > EXPLANATIONS {
                continue;
            }
            let rounds = &self.contradiction.rounds;
            let round = rounds.partition_point(|start| *start <= number as usize) - 1;
            let (from, to) = match self.contradiction.graph.edges[number as usize].reason {
                Reason::Overwritten { reader } => (link.from, reader),
                Reason::ReadBefore { writer: NONE } => continue,
                Reason::ReadBefore { writer } => (writer, link.to),
            };
            needed.extend([from, to]);
            to_explain.extend(self.path(from, to, rounds[round]).unwrap_or_default());
        }
        needed.into_iter().collect()
    }
}

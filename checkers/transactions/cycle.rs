//! One tangle of transactions (a strongly connected component of the graph) by itself, and the
//! shortest cycles of a given form in it.

use super::components::components;
use super::graph::{Graph, compress};
use super::parse::NONE;
use crate::finding::Relation;

/// A set of kinds of edges.
pub(super) type Kinds = u8;

/// ww: the target overwrote what the source wrote.
pub(super) const OVERWRITES: Kinds = 1;
/// wr: the target read what the source wrote.
pub(super) const READS: Kinds = 2;
/// rw: the target overwrote what the source read, an anti-dependency.
pub(super) const ANTI: Kinds = 4;
/// The same process did the one before the other.
pub(super) const PROCESS: Kinds = 8;
/// The source ended before the target began.
pub(super) const REAL_TIME: Kinds = 16;
/// Inside a group of several writes, or between moments: belongs to the edge before it.
pub(super) const LINK: Kinds = 32;

/// An edge of a cycle, between transactions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Link {
    pub from: u32,
    pub to: u32,
    pub kind: Kinds,
}

impl Link {
    pub fn relation(self) -> Relation {
        match self.kind {
            OVERWRITES => Relation::Overwrites,
            READS => Relation::ReadsFrom,
            ANTI => Relation::ReadBefore,
            PROCESS => Relation::ProcessOrder,
            _ => Relation::RealTime,
        }
    }
}

/// Which anti-dependencies a cycle may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Allowed {
    /// Those among the given kinds, however they lie.
    Any,
    /// One in all.
    One,
    /// No two in a row.
    Nonadjacent,
}

/// The form of a cycle: its first edge is of the `first` kind, the others of any of `rest`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Form {
    pub first: Kinds,
    pub rest: Kinds,
    pub allowed: Allowed,
}

impl Form {
    /// The state after an edge, from the state before it: 1 if there was an anti-dependency
    /// (just now, if they are not to be adjacent). `None` if the edge is not allowed.
    fn follow(self, state: u32, kind: Kinds) -> Option<u32> {
        match (self.allowed, kind, state) {
            (Allowed::Any, ..) => Some(0),
            (_, ANTI, 0) => Some(1),
            (_, ANTI, _) => None,
            (Allowed::One, ..) => Some(state),
            (Allowed::Nonadjacent, ..) => Some(0),
        }
    }
}

/// A tangle with numbers of its own: transactions in order of invocation, then group nodes.
pub(super) struct Tangle {
    /// What each node is called in the whole graph.
    pub nodes: Vec<u32>,
    /// How many of them are transactions.
    pub transactions: u32,
    starts: Vec<u32>,
    edges: Vec<(Kinds, u32)>,
    /// By transaction: the first that began after its end.
    moments: Vec<u32>,
    /// By node and state: the search that reached it last, and from where.
    reached: Vec<(u32, u32, Kinds)>,
    search: u32,
    /// How many edges all searches have looked at.
    pub work: u64,
}

impl Tangle {
    /// Takes the component out of the graph. `local` has room for every node of the graph and
    /// is [`NONE`] all over, before and after.
    pub fn new(graph: &Graph, mut nodes: Vec<u32>, local: &mut [u32]) -> Tangle {
        nodes.retain(|node| *node < graph.groups_end);
        nodes.sort_unstable();
        for (number, node) in (0..).zip(&nodes) {
            local[*node as usize] = number;
        }
        let mut pairs = Vec::new();
        for (number, node) in (0..).zip(&nodes) {
            for position in 0.. {
                let Some((kind, target)) = graph.edge(*node, position) else { break };
                if kind != REAL_TIME && local[target as usize] != NONE {
                    pairs.push((number, (kind, local[target as usize])));
                }
            }
        }
        for node in &nodes {
            local[*node as usize] = NONE;
        }
        let (starts, edges) = compress(nodes.len(), &pairs);
        let transactions = nodes.partition_point(|node| *node < graph.transactions);
        let moments = nodes[..transactions]
            .iter()
            .map(|node| {
                let moment = graph.moment(*node);
                nodes[..transactions].partition_point(|other| *other < moment) as u32
            })
            .collect();
        let reached = vec![(0, 0, 0); 2 * nodes.len()];
        let transactions = transactions as u32;
        Tangle { nodes, transactions, starts, edges, moments, reached, search: 0, work: 0 }
    }

    fn edges_of(&self, node: u32) -> std::ops::Range<usize> {
        self.starts[node as usize] as usize..self.starts[node as usize + 1] as usize
    }

    /// The transactions that lie on a cycle of edges of these kinds, which may go through one
    /// transaction twice if anti-dependencies are not to be adjacent; real time is not looked at.
    pub fn on_cycles(&self, form: Form) -> Vec<u32> {
        let kinds = (form.first | form.rest | LINK) & !REAL_TIME;
        let found = components(2 * self.nodes.len() as u32, |node, position| {
            let (node, state) = (node / 2, node % 2);
            let edges = self.edges_of(node);
            let (kind, target) = *self.edges[edges].get(position as usize)?;
            let after = if kind == LINK { Some(state) } else { form.follow(state, kind) };
            Some(after.filter(|_| kind & kinds != 0).map(|state| 2 * target + state))
        });
        let mut on_cycles: Vec<u32> = found.into_iter().flatten().map(|node| node / 2).collect();
        on_cycles.retain(|node| *node < self.transactions);
        on_cycles.sort_unstable();
        on_cycles.dedup();
        on_cycles
    }

    /// The shortest cycle of that form from this transaction, of less than `limit` edges.
    pub fn shortest(&mut self, from: u32, form: Form, limit: usize) -> Option<Vec<Link>> {
        let mut search = Search {
            from,
            form,
            unreached: [self.transactions; 2],
            frontier: Vec::new(),
            links: Vec::new(),
            end: None,
        };
        self.search += 1;
        self.expand(&mut search, 2 * from, form.first);
        let mut length = 1;
        while search.end.is_none() && !search.frontier.is_empty() && length + 1 < limit {
            for reached in std::mem::take(&mut search.frontier) {
                self.expand(&mut search, reached, form.rest);
            }
            length += 1;
        }
        search.end.map(|end| self.path(from, end))
    }

    /// Goes on from a node over all edges of these kinds.
    fn expand(&mut self, search: &mut Search, reached: u32, kinds: Kinds) {
        let (node, state) = (reached / 2, reached % 2);
        for position in self.edges_of(node) {
            let (kind, target) = self.edges[position];
            if kind & kinds != 0
                && let Some(state) = search.form.follow(state, kind)
            {
                search.links.push((target, state));
                self.reach(search, reached, kind);
            }
        }
        if kinds & REAL_TIME != 0
            && let Some(state) = search.form.follow(state, REAL_TIME)
        {
            // Those before `unreached` are still to be reached, those after it have been.
            let start = self.moments[node as usize];
            let unreached = &mut search.unreached[state as usize];
            let end = std::mem::replace(unreached, start.min(*unreached));
            for target in start..end {
                search.links.push((target, state));
                self.reach(search, reached, REAL_TIME);
            }
        }
    }

    /// Reaches what an edge leads to, through groups up to transactions.
    fn reach(&mut self, search: &mut Search, before: u32, kind: Kinds) {
        while let Some((node, state)) = search.links.pop() {
            self.work += 1;
            if node == search.from {
                let is_adjacent = search.form.allowed == Allowed::Nonadjacent
                    && search.form.first == ANTI
                    && kind == ANTI;
                if !is_adjacent && search.end.is_none() {
                    search.end = Some((before, kind));
                }
                continue;
            }
            let slot = &mut self.reached[(2 * node + state) as usize];
            if slot.0 == self.search {
                continue;
            }
            *slot = (self.search, before, kind);
            if node < self.transactions {
                search.frontier.push(2 * node + state);
            } else {
                search.links.extend(self.edges[self.edges_of(node)].iter().map(|e| (e.1, state)));
            }
        }
    }

    fn path(&self, from: u32, (mut before, mut kind): (u32, Kinds)) -> Vec<Link> {
        let name = |node: u32| self.nodes[node as usize];
        let (mut links, mut to) = (Vec::new(), from);
        loop {
            links.push(Link { from: name(before / 2), to: name(to), kind });
            to = before / 2;
            if to == from {
                break;
            }
            (_, before, kind) = self.reached[before as usize];
        }
        links.reverse();
        links
    }
}

/// One search, breadth first, so that the first cycle is a shortest one.
struct Search {
    from: u32,
    form: Form,
    /// By state: all transactions from here on have been reached by real time.
    unreached: [u32; 2],
    frontier: Vec<u32>,
    /// What one edge leads to, while groups are gone through.
    links: Vec<(u32, u32)>,
    /// The last transaction of the cycle, and the kind of its last edge.
    end: Option<(u32, Kinds)>,
}

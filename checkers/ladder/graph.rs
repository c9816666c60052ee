//! What comes before what: session order, reads-from, and the edges that a model adds.

use super::components::{self, Components};
use super::frame::{Frame, NONE, Origin};

/// Whose reads a rule is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whose {
    All,
    /// Those of one session.
    Only(u32),
}

impl Whose {
    pub fn includes(self, session: u32) -> bool {
        match self {
            Whose::All => true,
            Whose::Only(one) => one == session,
        }
    }
}

/// Why an edge was added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reason {
    /// `from` wrote what the reader could see, yet the reader found what `to` had written: there
    /// is a path from `from` to the reader, and the reader reads from `to`.
    Overwritten { reader: u32 },
    /// `from` read what `writer` wrote, and `to` overwrote it: there is a path from `writer` to
    /// `to`; [`NONE`] stands for the beginning.
    ReadBefore { writer: u32 },
}

/// An edge that a model adds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Edge {
    pub from: u32,
    pub to: u32,
    pub reason: Reason,
}

/// One step of a path or cycle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    Session,
    Reads,
    /// By the edge of that number.
    Added(u32),
}

/// Transactions and the relations between them.
#[derive(Debug)]
pub(crate) struct Graph<'f> {
    pub frame: &'f Frame,
    /// Whose reads-from counts.
    pub reads_from: Whose,
    pub edges: Vec<Edge>,
    /// Edge numbers in the order of where they lead, and where each transaction's begin.
    into: Vec<u32>,
    into_starts: Vec<u32>,
}

impl<'f> Graph<'f> {
    pub fn new(frame: &'f Frame, reads_from: Whose) -> Self {
        let into_starts = vec![0; frame.len() + 1];
        Graph { frame, reads_from, edges: Vec::new(), into: Vec::new(), into_starts }
    }

    /// Has to follow every change of the edges.
    pub fn index(&mut self) {
        self.into_starts.fill(0);
        for edge in &self.edges {
            self.into_starts[edge.to as usize + 1] += 1;
        }
        for transaction in 0..self.frame.len() {
            self.into_starts[transaction + 1] += self.into_starts[transaction];
        }
        let mut next = self.into_starts.clone();
        self.into.clear();
        self.into.resize(self.edges.len(), 0);
        for (number, edge) in self.edges.iter().enumerate() {
            let slot = &mut next[edge.to as usize];
            self.into[*slot as usize] = number as u32;
            *slot += 1;
        }
    }

    /// The predecessor in that slot: `None` after the last, [`NONE`] in an empty slot.
    fn predecessor(&self, transaction: u32, slot: u32) -> Option<(u32, Step)> {
        if slot == 0 {
            return Some((self.frame.previous(transaction).unwrap_or(NONE), Step::Session));
        }
        let reads = self.frame.reads(transaction);
        if let Some(read) = reads.get(slot as usize - 1) {
            let version = self.frame.version(*read);
            let counts = version.origin == Origin::Written
                && self.reads_from.includes(self.frame.session_of(transaction));
            return Some((if counts { version.writer } else { NONE }, Step::Reads));
        }
        let position = self.into_starts[transaction as usize] + slot - 1 - reads.len() as u32;
        (position < self.into_starts[transaction as usize + 1]).then(|| {
            let number = self.into[position as usize];
            (self.edges[number as usize].from, Step::Added(number))
        })
    }

    /// All that comes directly before a transaction.
    pub fn predecessors(&self, transaction: u32) -> impl Iterator<Item = (u32, Step)> + '_ {
        (0..)
            .map_while(move |slot| self.predecessor(transaction, slot))
            .filter(|(predecessor, _)| *predecessor != NONE)
    }

    /// The strongly connected components, each after those that it depends on.
    pub fn components(&self) -> Components {
        components::find(self.frame.len(), |transaction, slot| {
            self.predecessor(transaction, slot).map(|(before, _)| before)
        })
    }
}

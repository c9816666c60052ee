//! Which version of a key follows which: what the rest of the analysis needs to know of it,
//! however it was found out.

use super::parse::{INITIAL, NONE, Parsed};
use crate::history::Outcome;

/// What follows a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    Nothing,
    /// This write.
    Write(u32),
    /// These writes, by position in [`Versions::members`], in an unknown order.
    Several {
        first: u32,
        last: u32,
    },
}

/// Where a version stands: those of one chain are in the order of their depth; of versions in
/// different chains nothing is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub chain: u32,
    pub depth: u32,
}

pub(super) const NOWHERE: Place = Place { chain: NONE, depth: NONE };

/// The versions of all keys, as far as they are known.
#[derive(Debug)]
pub(super) struct Versions {
    /// By write: the committed write that comes next.
    pub next: Vec<Next>,
    /// By key: what follows the initial version.
    pub next_of_initial: Vec<Next>,
    /// By write.
    pub places: Vec<Place>,
    /// Writes that follow the same version, by version and then by number.
    pub members: Vec<u32>,
    /// By member: whether it is the last that follows its version.
    pub is_last: Vec<bool>,
    /// By transaction: acknowledged, or seen by an acknowledged one.
    pub is_committed: Vec<bool>,
    /// By transaction: an acknowledged one that read something of it; [`NONE`] if there is none
    /// or it is not needed, as the transaction is acknowledged itself.
    pub seen_by: Vec<u32>,
    /// By key: who read its longest list.
    pub shown_by: Vec<u32>,
    /// How many keys have a value that was written twice, so that they say nothing.
    pub ambiguous: usize,
    /// How many others have writes whose order is unknown and could matter to serializability.
    pub undecided: usize,
    /// How many have writes whose order is unknown and matters only to models that forbid two
    /// transactions to overwrite one version.
    pub unordered: usize,
}

impl Versions {
    pub fn new(parsed: &Parsed<'_>) -> Self {
        let (transactions, keys) = (parsed.transactions.len(), parsed.keys.len());
        Versions {
            next: vec![Next::Nothing; parsed.writes.len()],
            next_of_initial: vec![Next::Nothing; keys],
            places: vec![NOWHERE; parsed.writes.len()],
            members: Vec::new(),
            is_last: Vec::new(),
            is_committed: parsed.transactions.iter().map(|t| t.outcome == Outcome::Ok).collect(),
            seen_by: vec![NONE; transactions],
            shown_by: vec![NONE; keys],
            ambiguous: parsed.is_ambiguous.iter().filter(|is_ambiguous| **is_ambiguous).count(),
            undecided: 0,
            unordered: 0,
        }
    }

    /// Notes that an acknowledged transaction read what another wrote: so that one committed,
    /// unless it is known to have failed.
    pub fn see(&mut self, parsed: &Parsed<'_>, writer: u32, reader: u32) {
        if parsed.outcome(writer) == Outcome::Info && self.seen_by[writer as usize] == NONE {
            self.seen_by[writer as usize] = reader;
            self.is_committed[writer as usize] = true;
        }
    }

    /// Takes these writes, sorted, as what follows one version.
    pub fn followers(&mut self, writes: impl IntoIterator<Item = u32>) -> Next {
        let first = self.members.len();
        self.members.extend(writes);
        match self.members.len() - first {
            0 => Next::Nothing,
            1 => self.members.pop().map_or(Next::Nothing, Next::Write),
            count => {
                let last = first + count - 1;
                self.is_last.resize(last, false);
                self.is_last.push(true);
                Next::Several { first: first as u32, last: last as u32 }
            }
        }
    }

    /// Whether a version that was read is known to be older than what a write left.
    pub fn is_older(&self, version: u32, write: u32) -> bool {
        let place = self.places[write as usize];
        if place == NOWHERE {
            return false;
        }
        match self.places.get(version as usize) {
            Some(older) => older.chain == place.chain && older.depth < place.depth,
            None => version == INITIAL,
        }
    }
}

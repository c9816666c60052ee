//! The zones of chains as they grow, which of them contradict each other, and which can be
//! forgotten.
//!
//! Steps 1 to 3 of the proof in the [module's comment](super).

use std::collections::BTreeSet;

use super::chain::Chain;
use super::slab::Slab;

pub(super) type ChainId = u32;

/// Two chains, neither of which can go before the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Interleaved {
    pub grown: ChainId,
    pub other: ChainId,
}

/// The chains that still matter.
#[derive(Debug)]
pub(super) struct Zones {
    pub chains: Slab<Chain>,
    /// Chains of which an operation has ended, by their begin.
    by_begin: BTreeSet<(u64, ChainId)>,
    /// Those with a forward zone: disjoint but for their end points.
    forward: BTreeSet<(u64, ChainId)>,
    /// No operation that can still be acknowledged began earlier.
    low: u64,
    /// The latest end of a chain that began before `low`, and whose it is.
    horizon: (u64, ChainId),
}

impl Zones {
    pub fn new() -> Self {
        Self {
            chains: Slab::new(),
            by_begin: BTreeSet::new(),
            forward: BTreeSet::new(),
            low: 0,
            horizon: (0, ChainId::MAX),
        }
    }

    pub fn low(&self) -> u64 {
        self.low
    }

    /// The first operation of the chain ends at `now`, which is later than all that was known.
    pub fn begin(&mut self, id: ChainId, now: u64) {
        if self.chains[id].begin.is_none() {
            self.chains[id].begin = Some(now);
            self.by_begin.insert((now, id));
        }
    }

    /// Something of the chain began at `start`.
    pub fn raise(&mut self, id: ChainId, start: u64) -> Result<(), Interleaved> {
        let chain = &mut self.chains[id];
        let old_end = chain.end;
        if start <= old_end {
            return Ok(());
        }
        chain.end = start;
        let Some(begin) = chain.begin else { return Ok(()) };
        if let Some(other) = self.conflict(id, begin, old_end, start) {
            return Err(Interleaved { grown: id, other });
        }
        if begin < start {
            self.forward.insert((begin, id));
        }
        if begin < self.low && start > self.horizon.0 {
            self.horizon = (start, id);
        }
        Ok(())
    }

    /// A chain that can go neither before nor after this one, now that its end has grown.
    fn conflict(&self, id: ChainId, begin: u64, old_end: u64, end: u64) -> Option<ChainId> {
        let others = |other: &&(u64, ChainId)| other.1 != id;
        let last_forward = self.forward.range(..(end, 0)).rev().find(others);
        let inside =
            self.by_begin.range((old_end.max(begin), 0)..(end.max(begin), 0)).filter(others);
        last_forward
            .into_iter()
            .chain(inside)
            .map(|(_, other)| *other)
            .find(|other| self.chains[*other].end > begin)
    }

    /// No operation that can still be acknowledged began before `low`. Removes the chains that no
    /// such operation can belong to.
    pub fn advance(&mut self, low: u64) -> Vec<Chain> {
        for (_, id) in self.by_begin.range((self.low, 0)..(low.max(self.low), 0)) {
            let end = self.chains[*id].end;
            if end > self.horizon.0 {
                self.horizon = (end, *id);
            }
        }
        self.low = self.low.max(low);
        let (horizon, holder) = self.horizon;
        let over: Vec<(u64, ChainId)> =
            self.by_begin.range(..(horizon, 0)).filter(|(_, id)| *id != holder).copied().collect();
        let remove = |key: (u64, ChainId)| {
            self.by_begin.remove(&key);
            self.forward.remove(&key);
            self.chains.remove(key.1)
        };
        over.into_iter().filter_map(remove).collect()
    }
}

//! What can be wrong, and which few operations show it.

use std::collections::BTreeSet;

use super::clusters::{Clusters, Writer};

/// One contradiction. Numbers are positions of steps, or of clusters where it says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Violation {
    /// It found a value that nobody wrote.
    NeverWritten { observer: u32 },
    /// It ended before the writer of what it found began.
    FoundBeforeWritten { observer: u32, writer: u32 },
    /// Two cas replaced a value that was written once.
    ReplacedTwice { first: u32, second: u32 },
    /// From this cluster on, cas replace each other's values in a circle.
    Cycle { cluster: u32 },
    /// The cluster `after` replaced the cluster `before`; something of `before` or of what it
    /// replaced began only when something of `after` had ended.
    ChainReversed { before: u32, after: u32 },
    /// Neither of the chains with these root clusters can go before the other.
    Interleaved { first: u32, second: u32 },
}

impl Violation {
    /// Which to show first: what no clock can excuse, then by margin.
    fn rank(&self) -> u8 {
        match self {
            Violation::NeverWritten { .. } => 3,
            Violation::ReplacedTwice { .. } => 2,
            Violation::Cycle { .. } => 1,
            _ => 0,
        }
    }
}

/// Counts violations and keeps the one that is best to show.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Each was found with what had been found before left out, so each stands on its own.
    pub violations: usize,
    /// The first of the highest rank and then of the widest margin: nobody is convinced by a
    /// read that is stale by a microsecond while there is one that is stale by a second.
    worst: Option<(u8, u64, Violation)>,
}

impl Tally {
    /// Counts one; `margin` is by how many nanoseconds real time is contradicted.
    pub fn add(&mut self, violation: Violation, margin: u64) {
        self.violations += 1;
        let worse = match self.worst {
            Some((rank, widest, _)) => (violation.rank(), margin) > (rank, widest),
            None => true,
        };
        if worse {
            self.worst = Some((violation.rank(), margin, violation));
        }
    }

    pub fn worst(&self) -> Option<Violation> {
        self.worst.map(|(.., violation)| violation)
    }
}

/// The two clusters of a chain because of which it cannot stay on one side of another chain:
/// `early` has something that ended early, `late` something that began late.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Straddle {
    /// The first cluster of the chain.
    root: u32,
    pub early: u32,
    pub late: u32,
}

impl Clusters<'_> {
    /// Few operations that contain a proof of the violation: those that are early or late, the
    /// cas that tie them, and for each that was not acknowledged why it took effect all the same.
    pub fn evidence(&self, violation: Violation) -> BTreeSet<u32> {
        let mut evidence = BTreeSet::new();
        match violation {
            Violation::NeverWritten { observer } => {
                evidence.insert(observer);
            }
            Violation::FoundBeforeWritten { observer, writer } => {
                evidence.extend([observer, writer]);
            }
            Violation::ReplacedTwice { first, second } => evidence.extend([first, second]),
            Violation::Cycle { cluster } => evidence.extend(self.cycle(cluster)),
            Violation::ChainReversed { before, after } => {
                let late = self.reversed(before, after);
                evidence.extend(self.cluster(late).latest_start.1);
                evidence.extend(self.cluster(after).earliest_finish.1);
                evidence.extend(self.cluster(after).writer);
                evidence.extend(self.links(late, before));
            }
            Violation::Interleaved { first, second } => {
                let (one, other) = self.straddles(first, second);
                for straddle in [one, other] {
                    evidence.extend(self.cluster(straddle.early).earliest_finish.1);
                    evidence.extend(self.cluster(straddle.late).latest_start.1);
                    evidence.extend(self.ties(straddle));
                }
            }
        }
        self.add_reasons(&mut evidence);
        evidence
    }

    fn cluster(&self, id: u32) -> &super::clusters::Cluster {
        &self.clusters[id as usize]
    }

    /// The steps of a circle of cas.
    pub fn cycle(&self, start: u32) -> Vec<u32> {
        let mut steps = Vec::new();
        let mut id = start;
        loop {
            steps.extend(self.cluster(id).writer);
            match self.cluster(id).next {
                Some(next) if next != start => id = next,
                _ => return steps,
            }
        }
    }

    /// Going back from `before`: the first cluster with something that began only after
    /// something of `after` had ended.
    pub fn reversed(&self, before: u32, after: u32) -> u32 {
        let limit = self.cluster(after).earliest_finish.0;
        let mut id = before;
        while self.cluster(id).latest_start.0 <= limit {
            match self.cluster(id).previous {
                Some(previous) => id = previous,
                None => break,
            }
        }
        id
    }

    /// The writers that tie the clusters after `from` up to `to`, which is later in its chain.
    pub fn links(&self, from: u32, to: u32) -> Vec<u32> {
        let mut links = Vec::new();
        let mut id = to;
        while id != from {
            links.extend(self.cluster(id).writer);
            match self.cluster(id).previous {
                Some(previous) => id = previous,
                None => break,
            }
        }
        links
    }

    /// Where in either chain it shows that they cannot be put into an order, as close together
    /// in their chains as possible.
    pub fn straddles(&self, first: u32, second: u32) -> (Straddle, Straddle) {
        let (begin, end) = self.extent(second);
        let one = self.straddle(first, end, begin);
        let end = self.cluster(one.late).latest_start.0;
        let begin = self.cluster(one.early).earliest_finish.0;
        (one, self.straddle(second, end, begin))
    }

    /// The zone of a chain.
    fn extent(&self, root: u32) -> (u64, u64) {
        self.chain(root).fold((u64::MAX, 0), |(begin, end), id| {
            let cluster = self.cluster(id);
            (begin.min(cluster.earliest_finish.0), end.max(cluster.latest_start.0))
        })
    }

    fn chain(&self, root: u32) -> impl Iterator<Item = u32> {
        std::iter::successors(Some(root), |id| self.cluster(*id).next)
    }

    /// The closest two clusters of a chain of which one has something that ended before `end`
    /// and the other something that began after `begin`.
    fn straddle(&self, root: u32, end: u64, begin: u64) -> Straddle {
        let mut closest = (usize::MAX, Straddle { root, early: root, late: root });
        let (mut early, mut late) = (None, None);
        for (position, id) in self.chain(root).enumerate() {
            if self.cluster(id).earliest_finish.0 < end {
                early = Some((position, id));
            }
            if self.cluster(id).latest_start.0 > begin {
                late = Some((position, id));
            }
            if let (Some(early), Some(late)) = (early, late)
                && early.0.abs_diff(late.0) < closest.0
            {
                let straddle = Straddle { root, early: early.1, late: late.1 };
                closest = (early.0.abs_diff(late.0), straddle);
            }
        }
        closest.1
    }

    /// The cas that tie the two clusters of a straddle together.
    pub fn ties(&self, straddle: Straddle) -> Vec<u32> {
        let Straddle { root, early, late } = straddle;
        match self.chain(root).find(|id| *id == early || *id == late) {
            Some(first) if first == late => self.links(late, early),
            _ => self.links(early, late),
        }
    }

    /// For each step that was not acknowledged, adds what found its value, up to a step that
    /// was acknowledged.
    fn add_reasons(&self, evidence: &mut BTreeSet<u32>) {
        let mut unproven: Vec<u32> = evidence.iter().copied().collect();
        while let Some(id) = unproven.pop() {
            let step = &self.steps[id as usize];
            if step.sure {
                continue;
            }
            let reason = step.writes.and_then(|value| self.observers[value as usize]);
            if let Some(reason) = reason
                && evidence.insert(reason)
            {
                unproven.push(reason);
            }
        }
    }

    /// Who wrote the value, if it is one operation.
    pub fn writer(&self, value: u32) -> Option<u32> {
        match self.writers[value as usize] {
            Writer::One(id) => Some(id),
            _ => None,
        }
    }
}

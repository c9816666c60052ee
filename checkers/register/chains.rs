//! Chains of clusters tied by cas, their zones, and the order of zones.
//!
//! Steps 3 to 5 of the proof in the [module's comment](super).

use super::clusters::{Cluster, Clusters};
use super::step::{Step, ValueId};
use super::violation::{Tally, Violation};

/// A chain in time: the latest instant by which it has to begin, and the earliest at which it
/// can end.
#[derive(Debug, Clone, Copy)]
struct Zone {
    begin: u64,
    end: u64,
    /// Its first cluster.
    root: u32,
}

impl Zone {
    /// A forward zone holds the register from begin to end, all to itself; a backward zone
    /// needs one instant between end and begin.
    fn is_forward(&self) -> bool {
        self.begin < self.end
    }

    /// How far the two are from being in order: 0 if one can go before the other.
    fn overlap(&self, other: &Zone) -> u64 {
        let this_first = self.end.saturating_sub(other.begin);
        let other_first = other.end.saturating_sub(self.begin);
        this_first.min(other_first)
    }
}

/// All that is wrong with the operations of one register whose observed values are written once.
#[derive(Debug)]
pub(crate) struct Analysis<'s> {
    pub parts: Clusters<'s>,
    pub tally: Tally,
}

impl<'s> Analysis<'s> {
    /// Looks for an order of `steps`, which use the values `0..values`.
    pub fn new(steps: &'s [Step], values: usize) -> Self {
        let mut tally = Tally::default();
        let mut parts = Clusters::new(steps, values, &mut tally);
        let zones = follow(&mut parts.clusters, &mut tally);
        order(zones, &mut tally);
        Self { parts, tally }
    }

    /// A value that was found although it is written more than once: then the absence of
    /// violations proves nothing.
    pub fn repeated(&self) -> Option<ValueId> {
        self.parts.repeated
    }
}

/// Follows every chain from its root and returns the zones. A chain that contradicts itself is
/// counted, and cut there into two; so is a circle, which has no zone.
fn follow(clusters: &mut [Cluster], tally: &mut Tally) -> Vec<Zone> {
    let mut zones = Vec::new();
    let mut visited = vec![false; clusters.len()];
    for root in 0..clusters.len() {
        if clusters[root].previous.is_none() && !visited[root] {
            follow_one(clusters, root as u32, &mut visited, &mut zones, tally);
        }
    }
    for start in 0..clusters.len() {
        if !visited[start] {
            // No root leads here, and every cluster has one predecessor: a circle.
            tally.add(Violation::Cycle { cluster: start as u32 }, u64::MAX);
            let mut id = Some(start as u32);
            while let Some(unvisited) = id.filter(|id| !visited[*id as usize]) {
                visited[unvisited as usize] = true;
                id = clusters[unvisited as usize].next;
            }
        }
    }
    zones
}

/// Follows the chain of one root.
fn follow_one(
    clusters: &mut [Cluster],
    root: u32,
    visited: &mut [bool],
    zones: &mut Vec<Zone>,
    tally: &mut Tally,
) {
    let zone_of = |id: u32, cluster: &Cluster| Zone {
        begin: cluster.earliest_finish.0,
        end: cluster.latest_start.0,
        root: id,
    };
    let mut zone = zone_of(root, &clusters[root as usize]);
    let mut last = root;
    visited[root as usize] = true;
    while let Some(id) = clusters[last as usize].next {
        let cluster = clusters[id as usize];
        visited[id as usize] = true;
        if zone.end > cluster.earliest_finish.0 {
            let margin = zone.end - cluster.earliest_finish.0;
            tally.add(Violation::ChainReversed { before: last, after: id }, margin);
            clusters[last as usize].next = None;
            clusters[id as usize].previous = None;
            zones.push(zone);
            zone = zone_of(id, &cluster);
        } else {
            zone.begin = zone.begin.min(cluster.earliest_finish.0);
            zone.end = zone.end.max(cluster.latest_start.0);
        }
        last = id;
    }
    zones.push(zone);
}

/// Counts the zones that cannot be put into one order: forward zones that overlap, and backward
/// zones inside a forward zone.
fn order(zones: Vec<Zone>, tally: &mut Tally) {
    let (mut forward, backward): (Vec<Zone>, Vec<Zone>) =
        zones.into_iter().partition(Zone::is_forward);
    forward.sort_unstable_by_key(|zone| (zone.begin, zone.end));
    let mut disjoint: Vec<Zone> = Vec::with_capacity(forward.len());
    for zone in forward {
        match disjoint.last_mut() {
            Some(last) if zone.overlap(last) > 0 => {
                count_overlap(last, &zone, tally);
                // The shorter one leaves more room, so what is counted later is not counted
                // because of the longer one alone.
                if zone.end < last.end {
                    *last = zone;
                }
            }
            _ => disjoint.push(zone),
        }
    }
    for zone in backward {
        let next = disjoint.partition_point(|other| other.begin < zone.end);
        if let Some(other) = next.checked_sub(1).map(|last| disjoint[last])
            && zone.overlap(&other) > 0
        {
            count_overlap(&other, &zone, tally);
        }
    }
}

fn count_overlap(first: &Zone, second: &Zone, tally: &mut Tally) {
    let violation = Violation::Interleaved { first: first.root, second: second.root };
    tally.add(violation, first.overlap(second));
}

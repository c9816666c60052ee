//! The least delta that makes a register's history delta-atomic.
//!
//! Moving reads back by delta lowers the latest start of a chain, `end`, and nothing else: its
//! earliest finish, `begin`, stays, and so do the starts of writes and cas. So with
//! `end(delta) = max(latest fixed start, latest read start - delta)` the conditions of the
//! register's proof (see [`crate::register`]) become, for one chain, that every reign's `end` is
//! at most the earliest finish of each later reign, which bounds delta directly; and for two
//! chains, that not both `end_X(delta) > begin_Y` and `end_Y(delta) > begin_X`. All only get
//! easier as delta grows, so the least one is found by bisection over whole nanoseconds. With
//! the chains sorted by `begin`, which no delta changes, each test is one pass and one bisection
//! per backward zone: O(n log n) for each of at most 64 tests, in practice the logarithm of the
//! oldest read's age.

use super::reigns::Reigns;

/// A chain of reigns as in the register's check, with the part of its end that moves.
struct Zone {
    begin: u64,
    end_fixed: u64,
    end_read: u64,
}

impl Zone {
    fn end(&self, delta: u64) -> u64 {
        self.end_fixed.max(self.end_read.saturating_sub(delta))
    }
}

/// The least delta in nanoseconds; `None` if none is enough.
pub(super) fn least(reigns: &Reigns<'_>) -> Option<u64> {
    if reigns.contradictory || reigns.replaced_twice {
        return None;
    }
    let mut low = 0;
    let mut zones: Vec<Zone> = Vec::with_capacity(reigns.roots.len());
    for (number, &root) in reigns.roots.iter().enumerate() {
        let end = reigns.roots.get(number + 1).map_or(reigns.chains.len(), |&end| end as usize);
        let (zone, needed) = chain(reigns, &reigns.chains[root as usize..end]);
        low = low.max(needed);
        zones.push(zone);
    }
    zones.sort_unstable_by_key(|zone| zone.begin);
    let mut forward = Vec::with_capacity(zones.len());
    let mut fits = |delta: u64| fits(&zones, delta, &mut forward);
    if fits(low) {
        return Some(low);
    }
    let mut high = zones.iter().map(|zone| zone.end_read).max()?.max(low);
    if !fits(high) {
        return None;
    }
    // It does not fit at `low`, and does at `high`.
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if fits(middle) {
            high = middle;
        } else {
            low = middle;
        }
    }
    Some(high)
}

/// The zone of a chain, and the delta that the chain needs by itself. What is fixed cannot
/// contradict the chain: that would have made the history contradictory.
fn chain(reigns: &Reigns<'_>, chain: &[u32]) -> (Zone, u64) {
    let mut zone = Zone { begin: u64::MAX, end_fixed: 0, end_read: 0 };
    let mut needed = 0;
    for &id in chain {
        let reign = &reigns.all[id as usize];
        needed = needed.max(zone.end_read.saturating_sub(reign.earliest_finish));
        zone.begin = zone.begin.min(reign.earliest_finish);
        zone.end_fixed = zone.end_fixed.max(reign.latest_fixed);
        zone.end_read = zone.end_read.max(reign.latest_read);
    }
    (zone, needed)
}

/// Whether the zones can be put into one order. `forward` is room to work in.
fn fits(zones: &[Zone], delta: u64, forward: &mut Vec<(u64, u64)>) -> bool {
    forward.clear();
    for zone in zones {
        let end = zone.end(delta);
        if zone.begin < end {
            if forward.last().is_some_and(|&(_, last)| last > zone.begin) {
                return false;
            }
            forward.push((zone.begin, end));
        }
    }
    zones.iter().all(|zone| {
        let end = zone.end(delta);
        if zone.begin < end {
            return true;
        }
        let before = forward.partition_point(|&(begin, _)| begin < end);
        before == 0 || forward[before - 1].1 <= zone.begin
    })
}

//! Which operations are drawn as dots: all of them if they are few, else all around what matters
//! and an even sample of the rest.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use splitbrain_checkers::history::{Operation, Time};

use super::data::RunData;

/// Dots in the whole report; more are neither legible nor light.
pub const LIMIT: usize = 20_000;

/// Operations this close to a cut or a heal are kept before others.
const AROUND: Duration = Duration::from_millis(500);

/// The slowest operation of each of so many stretches of the run is kept, so that no outlier is
/// sampled away.
const STRETCHES: u64 = 500;

/// Positions in the history of the operations to draw, in the history's order. The candidates
/// are positions too; the same run gives the same sample.
pub fn choose(data: &RunData, candidates: &[usize], limit: usize) -> Vec<usize> {
    if candidates.len() <= limit {
        return candidates.to_vec();
    }
    let operations = &data.history.operations;
    let witnesses = witness_indices(data);
    let edges = edges(data);
    let slowest = slowest(operations, candidates, data.history.end);
    let mut tiers: [Vec<usize>; 3] = Default::default();
    for &position in candidates {
        let operation = &operations[position];
        let tier = if witnesses.contains(&operation.index) || slowest.contains(&position) {
            0
        } else if edges.iter().any(|&edge| near(operation, edge)) {
            1
        } else {
            2
        };
        tiers[tier].push(position);
    }
    let mut chosen = Vec::with_capacity(limit);
    for tier in tiers {
        chosen.extend(evenly(&tier, limit - chosen.len()));
    }
    chosen.sort_unstable();
    chosen
}

/// Every item if they fit, else `room` of them, spread evenly.
fn evenly(items: &[usize], room: usize) -> Vec<usize> {
    if items.len() <= room {
        return items.to_vec();
    }
    (0..room).map(|i| items[i * items.len() / room]).collect()
}

fn witness_indices(data: &RunData) -> BTreeSet<u64> {
    let witnesses = data.findings.iter().filter_map(|finding| finding.validity.witness());
    witnesses.flat_map(|witness| witness.operations.iter().map(|o| o.index)).collect()
}

/// The instants at which something was cut or healed.
fn edges(data: &RunData) -> Vec<Time> {
    let partitions = data.partitions.iter();
    partitions
        .flat_map(|partition| {
            [Some(partition.began), Some(partition.heal_commanded), partition.healed]
        })
        .flatten()
        .collect()
}

fn near(operation: &Operation, edge: Time) -> bool {
    let from = operation.due();
    let to = operation.complete.unwrap_or(from);
    from <= edge + AROUND && edge <= to + AROUND
}

fn slowest(operations: &[Operation], candidates: &[usize], end: Time) -> BTreeSet<usize> {
    let length = (end.0 / STRETCHES).max(1);
    let mut slowest: BTreeMap<u64, (Duration, usize)> = BTreeMap::new();
    for &position in candidates {
        let operation = &operations[position];
        let stretch = operation.due().0 / length;
        let candidate = (operation.latency().unwrap_or_default(), position);
        let best = slowest.entry(stretch).or_insert(candidate);
        *best = candidate.max(*best);
    }
    slowest.into_values().map(|(_, position)| position).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::synthetic;

    #[test]
    fn few_are_kept_whole() {
        let data = synthetic::stale_reads();
        let all: Vec<usize> = (0..100).collect();
        assert_eq!(choose(&data, &all, 100), all);
    }

    #[test]
    fn a_sample_keeps_the_witness_and_the_surroundings_of_the_cut() {
        let data = synthetic::stale_reads();
        let operations = &data.history.operations;
        let all: Vec<usize> = (0..operations.len()).collect();
        let limit = operations.len() / 2;
        let chosen = choose(&data, &all, limit);
        assert_eq!(chosen.len(), limit);
        assert!(chosen.windows(2).all(|pair| pair[0] < pair[1]));
        let indices: BTreeSet<u64> = chosen.iter().map(|&i| operations[i].index).collect();
        assert!(witness_indices(&data).is_subset(&indices));
        let began = data.partitions[0].began;
        let around = operations.iter().filter(|operation| near(operation, began));
        assert!(around.clone().count() > 20);
        assert!(around.clone().all(|operation| indices.contains(&operation.index)));
    }

    #[test]
    fn the_limit_holds_even_where_everything_matters() {
        let data = synthetic::stale_reads();
        let all: Vec<usize> = (0..data.history.operations.len()).collect();
        let chosen = choose(&data, &all, 50);
        assert_eq!(chosen.len(), 50);
    }
}

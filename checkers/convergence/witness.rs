//! Witnesses in the making, and those that all types have.

use std::collections::BTreeMap;

use super::agreement::KeyOperations;
use super::{Convergence, KeyState, KeyStatus, Phantom};
use crate::finding::{Arrow, Relation, Witness};
use crate::history::{Name, Operation};
use crate::words::place;

/// A witness in the making: operations in any order, each once, arrows between their indexes.
#[derive(Default)]
pub(super) struct Draft {
    operations: BTreeMap<u64, Operation>,
    arrows: Vec<(u64, u64, Relation)>,
}

impl Draft {
    pub fn add(&mut self, operation: &Operation) -> u64 {
        let index = operation.index;
        self.operations.entry(index).or_insert_with(|| operation.clone());
        index
    }

    pub fn arrow(&mut self, from: u64, to: u64, relation: Relation) {
        if !self.arrows.contains(&(from, to, relation)) {
            self.arrows.push((from, to, relation));
        }
    }

    /// Indexes are in the order of invocations, so the map has them as a witness wants them.
    pub fn witness(self, sentence: String, instead: Option<String>) -> Witness {
        let place: BTreeMap<u64, usize> =
            self.operations.keys().enumerate().map(|(place, &index)| (index, place)).collect();
        let arrows = self
            .arrows
            .iter()
            .map(|&(from, to, relation)| Arrow { from: place[&from], to: place[&to], relation })
            .collect();
        Witness { sentence, operations: self.operations.into_values().collect(), arrows, instead }
    }
}

pub(super) fn find<'a>(key: &KeyOperations<'a>, read: u64) -> Option<&'a Operation> {
    let polls = key.reads.values().flatten();
    polls.map(|poll| poll.operation).find(|operation| operation.index == read)
}

/// The last read at every node that was answered.
pub(super) fn last_reads<'a>(state: &KeyState, key: &KeyOperations<'a>) -> Vec<&'a Operation> {
    state.last_reads().filter_map(|(_, last)| find(key, last.read)).collect()
}

/// `every node returns 3`, or `n1 returns 3, n2 returns 4`.
pub(super) fn returned(state: &KeyState) -> String {
    let reads: Vec<_> = state.last_reads().collect();
    match &reads[..] {
        [(_, first), rest @ ..] if rest.iter().all(|(_, read)| read.value == first.value) => {
            format!("every node returns {}", first.value)
        }
        _ => {
            let each: Vec<String> =
                reads.iter().map(|(node, read)| format!("{node} returns {}", read.value)).collect();
            each.join(", ")
        }
    }
}

pub(super) fn phantom(phantom: &Phantom, key: &KeyOperations) -> Option<Witness> {
    let read = find(key, phantom.read)?;
    let mut draft = Draft::default();
    let read_at = draft.add(read);
    let failed =
        phantom.failed_write.and_then(|index| key.writes.iter().find(|write| write.index == index));
    if let Some(write) = failed {
        let write_at = draft.add(write);
        draft.arrow(write_at, read_at, Relation::ReadsFrom);
    }
    Some(draft.witness(phantom_sentence(phantom, failed.copied()), None))
}

fn phantom_sentence(phantom: &Phantom, failed: Option<&Operation>) -> String {
    let Phantom { key, node, value, .. } = phantom;
    match failed {
        Some(write) => format!(
            "{write} of key {key}{} was answered \"{}\" at {}, so it surely did not happen; \
             after the heal {node} returns {value}: a write that was reported as failed is there",
            place(write),
            write.error.as_deref().unwrap_or("failed"),
            write.complete.unwrap_or(write.invoke),
        ),
        None => format!(
            "after the heal {node} returns {value} for key {key}, which no operation ever tried \
             to write"
        ),
    }
}

pub(super) fn disagreement(
    convergence: &Convergence,
    keys: &BTreeMap<&Name, KeyOperations>,
) -> Option<Witness> {
    let (state, nodes) = convergence.keys.iter().find_map(|state| match &state.status {
        KeyStatus::Disagrees { nodes } => Some((state, nodes)),
        _ => None,
    })?;
    let key = keys.get(&state.key)?;
    let last = |node: &Name| state.last_reads().find(|(name, _)| *name == node).map(|(_, r)| r);
    let (first, second) = (last(&nodes[0])?, last(&nodes[1])?);
    let mut draft = Draft::default();
    draft.add(find(key, first.read)?);
    draft.add(find(key, second.read)?);
    let waited = first.complete.max(second.complete);
    let sentence = format!(
        "the last read of key {} at {} returned {} (only that since {}), the last one at {} \
         returned {} (only that since {}): {:.3} s after the heal they still did not agree",
        state.key,
        nodes[0],
        first.value,
        first.since,
        nodes[1],
        second.value,
        second.since,
        waited.since(convergence.healed?).as_secs_f64()
    );
    Some(draft.witness(sentence, Some("one value at every node".into())))
}

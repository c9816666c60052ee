//! The finding `convergent`: which of E1, E2 and E3 failed, and the operations that show it.

use std::collections::BTreeMap;

use super::agreement::KeyOperations;
use super::loss::{finish, written};
use super::{Agreement, Convergence, KeyState, KeyStatus, Lost, Phantom};
use crate::finding::{Arrow, Finding, Relation, Validity, Witness};
use crate::history::{Name, Operation, Outcome, Value};
use crate::words::{count, thousands};

const CHECK: &str = "convergent";

type Keys<'a> = BTreeMap<&'a Name, KeyOperations<'a>>;

/// No grid, and unknown for this reason.
pub(super) fn unexercised(reason: &str) -> (Convergence, Finding) {
    let convergence = Convergence {
        healed: None,
        agreement: Agreement::Unknown { reason: reason.into() },
        keys: Vec::new(),
        acknowledged: 0,
        lost: Vec::new(),
        phantoms: Vec::new(),
    };
    let finding = finding(&convergence, &Keys::new());
    (convergence, finding)
}

/// The worst of E1, E2 and E3. A loss is shown before a phantom, a phantom before disagreement.
pub(super) fn finding(convergence: &Convergence, keys: &Keys) -> Finding {
    let invalid = |witness| Validity::Invalid { witness: Box::new(witness) };
    let validity = if let Some(witness) = loss_witness(convergence, keys) {
        invalid(witness)
    } else if let Some(witness) = phantom_witness(convergence, keys) {
        invalid(witness)
    } else if let Some(witness) = disagreement_witness(convergence, keys) {
        invalid(witness)
    } else if let Agreement::Unknown { reason } = &convergence.agreement {
        Validity::Unknown { reason: reason.clone() }
    } else {
        Validity::Valid
    };
    let disagreeing = match &convergence.agreement {
        Agreement::Refuted { keys } => keys.len(),
        _ => 0,
    };
    Finding {
        check: CHECK.into(),
        validity,
        summary: summary(convergence),
        operations: keys.values().map(operations_of).sum(),
        violations: convergence.lost.len() + convergence.phantoms.len() + disagreeing,
        keys: refuted_keys(convergence),
    }
}

fn operations_of(key: &KeyOperations) -> usize {
    key.writes.len() + key.reads.values().map(Vec::len).sum::<usize>()
}

fn summary(convergence: &Convergence) -> String {
    let keys = count(convergence.keys.len(), "key");
    let agreement = match &convergence.agreement {
        Agreement::Agreed { after } => {
            format!("all nodes agreed on {keys} within {:.3} s of the heal", after.as_secs_f64())
        }
        Agreement::Refuted { keys: refuted } => {
            format!("nodes did not agree on {} of {keys}", thousands(refuted.len()))
        }
        Agreement::Unknown { reason } => format!("agreement is not known ({reason})"),
    };
    format!(
        "{agreement}; {} of {} lost, {} that nobody wrote",
        thousands(convergence.lost.len()),
        count(convergence.acknowledged, "acknowledged write"),
        count(convergence.phantoms.len(), "value")
    )
}

/// Refuted keys: most violations first.
fn refuted_keys(convergence: &Convergence) -> Vec<Name> {
    let mut counts: BTreeMap<&Name, usize> = BTreeMap::new();
    for lost in &convergence.lost {
        *counts.entry(&lost.key).or_default() += 1;
    }
    for phantom in &convergence.phantoms {
        *counts.entry(&phantom.key).or_default() += 1;
    }
    if let Agreement::Refuted { keys } = &convergence.agreement {
        for key in keys {
            *counts.entry(key).or_default() += 1;
        }
    }
    let mut keys: Vec<(&Name, usize)> = counts.into_iter().collect();
    keys.sort_by_key(|&(_, count)| std::cmp::Reverse(count));
    keys.into_iter().map(|(key, _)| key.clone()).collect()
}

/// The key with most losses: its last lost write, what outlived it, and the last reads.
fn loss_witness(convergence: &Convergence, keys: &Keys) -> Option<Witness> {
    let count = |key: &Name| convergence.lost.iter().filter(|lost| lost.key == *key).count();
    let worst = refuted_keys(convergence).into_iter().rev().max_by_key(|key| count(key))?;
    let lost = convergence.lost.iter().rfind(|lost| lost.key == worst)?;
    let key = &keys[&worst];
    let state = convergence.keys.iter().find(|state| state.key == worst)?;
    let write = key.writes.iter().find(|write| write.index == lost.write)?;
    let mut draft = Draft::default();
    let at = draft.add(write);
    for read in last_reads(state, key) {
        let read_at = draft.add(read);
        draft.arrow(at, read_at, Relation::RealTime);
        let writers = key.writes.iter().filter(|writer| {
            writer.outcome == Outcome::Ok && written(writer) == Some(&read.output)
        });
        if let Some(writer) = writers.max_by_key(|writer| finish(writer)) {
            let writer_at = draft.add(writer);
            draft.arrow(writer_at, at, Relation::RealTime);
            draft.arrow(writer_at, read_at, Relation::ReadsFrom);
        }
    }
    let instead = format!("{}, or what was written while it was in flight or later", lost.value);
    Some(draft.witness(loss_sentence(lost, write, state), Some(instead)))
}

fn loss_sentence(lost: &Lost, write: &Operation, state: &KeyState) -> String {
    let mut values: BTreeMap<&Value, Vec<&str>> = BTreeMap::new();
    for (node, last) in state.last_reads() {
        values.entry(&last.value).or_default().push(node);
    }
    let returned: Vec<String> = match values.len() {
        1 => values.keys().map(|value| format!("every node returns {value}")).collect(),
        _ => values
            .iter()
            .map(|(value, nodes)| {
                let verb = if nodes.len() == 1 { "returns" } else { "return" };
                format!("{} {verb} {value}", nodes.join(" and "))
            })
            .collect(),
    };
    let why = match (values.len(), values.contains_key(&Value::Nil)) {
        (1, true) => "as if the key had never been written",
        (1, false) => "which had been written before that",
        (_, true) => "all older than that",
        (_, false) => "all written before that",
    };
    format!(
        "{write} of key {} was acknowledged{} at {}; after the heal {}, {why}",
        lost.key,
        at_node(&lost.node),
        lost.acknowledged,
        returned.join(", "),
    )
}

fn phantom_witness(convergence: &Convergence, keys: &Keys) -> Option<Witness> {
    let phantom = convergence.phantoms.first()?;
    let key = keys.get(&phantom.key)?;
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
            at_node(&write.node),
            write.error.as_deref().unwrap_or("failed"),
            write.complete.unwrap_or(write.invoke),
        ),
        None => format!(
            "after the heal {node} returns {value} for key {key}, which no operation ever tried \
             to write"
        ),
    }
}

fn disagreement_witness(convergence: &Convergence, keys: &Keys) -> Option<Witness> {
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

fn at_node(node: &Option<Name>) -> String {
    node.as_ref().map_or(String::new(), |node| format!(" at {node}"))
}

fn find<'a>(key: &KeyOperations<'a>, read: u64) -> Option<&'a Operation> {
    key.reads.values().flatten().copied().find(|operation| operation.index == read)
}

fn last_reads<'a>(state: &KeyState, key: &KeyOperations<'a>) -> Vec<&'a Operation> {
    state.last_reads().filter_map(|(_, last)| find(key, last.read)).collect()
}

/// A witness in the making: operations in any order, each once, arrows between their indexes.
#[derive(Default)]
struct Draft {
    operations: BTreeMap<u64, Operation>,
    arrows: Vec<(u64, u64, Relation)>,
}

impl Draft {
    fn add(&mut self, operation: &Operation) -> u64 {
        let index = operation.index;
        self.operations.entry(index).or_insert_with(|| operation.clone());
        index
    }

    fn arrow(&mut self, from: u64, to: u64, relation: Relation) {
        if !self.arrows.contains(&(from, to, relation)) {
            self.arrows.push((from, to, relation));
        }
    }

    /// Indexes are in the order of invocations, so the map has them as a witness wants them.
    fn witness(self, sentence: String, instead: Option<String>) -> Witness {
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

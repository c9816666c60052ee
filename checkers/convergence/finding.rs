//! The finding `convergent`: which of E1 to E6 failed, and the operations that show it.

use std::collections::BTreeMap;

use super::agreement::KeyOperations;
use super::data_type::DataType;
use super::{
    Agreement, Breach, Convergence, counter, deliveries, register, set, siblings, witness,
};
use crate::finding::{Finding, Validity, Witness};
use crate::history::Name;
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
        breaches: Vec::new(),
    };
    let finding = finding(&convergence, &Keys::new(), DataType::default());
    (convergence, finding)
}

/// The worst of all. A loss is shown before a phantom, that before any other breach, and that
/// before disagreement.
pub(super) fn finding(convergence: &Convergence, keys: &Keys, data: DataType) -> Finding {
    let witness = loss_witness(convergence, keys, data)
        .or_else(|| {
            let phantom = convergence.phantoms.first()?;
            witness::phantom(phantom, keys.get(&phantom.key)?)
        })
        .or_else(|| breach_witness(convergence, keys, data))
        .or_else(|| witness::disagreement(convergence, keys));
    let validity = match (witness, &convergence.agreement) {
        (Some(witness), _) => Validity::Invalid { witness: Box::new(witness) },
        (None, Agreement::Unknown { reason }) => Validity::Unknown { reason: reason.clone() },
        (None, _) => Validity::Valid,
    };
    let disagreeing = match &convergence.agreement {
        Agreement::Refuted { keys } => keys.len(),
        _ => 0,
    };
    Finding {
        check: CHECK.into(),
        validity,
        summary: summary(convergence, data),
        operations: keys.values().map(operations_of).sum(),
        violations: convergence.lost.len()
            + convergence.phantoms.len()
            + convergence.breaches.len()
            + disagreeing,
        keys: refuted_keys(convergence),
    }
}

fn operations_of(key: &KeyOperations) -> usize {
    key.writes.len() + key.reads.values().map(Vec::len).sum::<usize>()
}

fn summary(convergence: &Convergence, data: DataType) -> String {
    let keys = count(convergence.keys.len(), "key");
    let agreement = match &convergence.agreement {
        Agreement::Agreed { after } => {
            format!("all nodes agreed on {keys} within {:.3} s", after.as_secs_f64())
        }
        Agreement::Refuted { keys: refuted } => {
            format!("nodes did not agree on {} of {keys}", thousands(refuted.len()))
        }
        Agreement::Unknown { reason } => format!("agreement is not known ({reason})"),
    };
    let mut parts = vec![agreement];
    if data != DataType::Counter {
        parts.push(format!(
            "{} of {} lost, {} that nobody wrote",
            thousands(convergence.lost.len()),
            count(convergence.acknowledged, "acknowledged write"),
            count(convergence.phantoms.len(), "value")
        ));
    }
    let breaches = |which: fn(&Breach) -> bool| {
        convergence.breaches.iter().filter(|breach| which(breach)).count()
    };
    match data {
        DataType::Register => {}
        DataType::Set | DataType::Siblings => {
            let back = breaches(|breach| matches!(breach, Breach::Resurrected { .. }));
            parts.push(format!("{} for nothing", count(back, "removal")));
        }
        DataType::Counter => {
            let off = breaches(|breach| matches!(breach, Breach::OutOfBounds { .. }));
            parts.push(format!("{} out of bounds", count(off, "counter")));
        }
    }
    let differ = breaches(|breach| matches!(breach, Breach::Differs { .. }));
    if differ > 0 {
        let keys = count(differ, "key");
        parts.push(format!("same deliveries, different states on {keys}"));
    }
    parts.join("; ")
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
    for breach in &convergence.breaches {
        *counts.entry(breach.key()).or_default() += 1;
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

/// The key with most losses: its last lost update, and what shows that it is gone.
fn loss_witness(convergence: &Convergence, keys: &Keys, data: DataType) -> Option<Witness> {
    let count = |key: &Name| convergence.lost.iter().filter(|lost| lost.key == *key).count();
    let worst = refuted_keys(convergence).into_iter().rev().max_by_key(|key| count(key))?;
    let lost = convergence.lost.iter().rfind(|lost| lost.key == worst)?;
    let key = &keys[&worst];
    let state = convergence.keys.iter().find(|state| state.key == worst)?;
    let write = key.writes.iter().find(|write| write.index == lost.write)?;
    match data {
        DataType::Register => Some(register::loss_witness(lost, write, state, key)),
        DataType::Set => Some(set::loss_witness(lost, write, state, key)),
        DataType::Siblings => Some(siblings::loss_witness(lost, write, state, key)),
        // Of a counter nobody can say which update it was.
        DataType::Counter => None,
    }
}

/// The first breach.
fn breach_witness(convergence: &Convergence, keys: &Keys, data: DataType) -> Option<Witness> {
    let breach = convergence.breaches.first()?;
    let key = keys.get(breach.key())?;
    let state = convergence.keys.iter().find(|state| state.key == *breach.key())?;
    match breach {
        Breach::Resurrected { value, removed_by, .. } if data == DataType::Set => {
            let remove = key.writes.iter().find(|update| update.index == *removed_by)?;
            Some(set::resurrection_witness(remove, value, state, key))
        }
        Breach::Resurrected { value, .. } => siblings::resurrection_witness(value, state, key),
        Breach::OutOfBounds { .. } => Some(counter::bounds_witness(state, key)),
        Breach::Differs { reads, .. } => deliveries::witness(state, key, *reads),
    }
}

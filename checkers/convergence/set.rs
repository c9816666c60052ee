//! Sets: elements that are gone (E2), that nobody added (E3), and that came back (E4).
//!
//! An acknowledged add of e is *lost* if no node's last read has e, and no remove of e explains
//! that: one that may have taken effect, and that did not finish before the add was invoked. An
//! indeterminate remove never finishes, so it explains every absence.
//!
//! An acknowledged remove of e was for nothing, e is *resurrected*, if every node's last read has
//! e, and no add of e explains that: one that may have taken effect, and that did not finish before
//! the remove was invoked. So a remove may lose against a concurrent add, and an add against a
//! concurrent remove: which of the two wins is for the store to say.
//!
//! An element is a *phantom* if a last read has it and no add of it may have taken effect.
//!
//! To forget an operation in a witness means: a remove or add of the element may have taken effect
//! at any time; a node's last read may have said anything. So a witness has every remove (or
//! add) of its element, each of them over before what it could have undone began.

use rustc_hash::FxHashMap;

use super::agreement::{KeyOperations, KeyState};
use super::data_type::members;
use super::loss::{self, Breach, Losses, Lost, finish};
use super::witness::{Draft, last_reads};
use crate::finding::{Relation, Witness};
use crate::history::{Operation, Outcome, Time, Value};
use crate::words::{place, who};

/// The element that an add adds.
fn added(operation: &Operation) -> Option<&Value> {
    (operation.f.as_str() == "add").then_some(&operation.input)
}

/// The element that a remove removes.
fn removed(operation: &Operation) -> Option<&Value> {
    (operation.f.as_str() == "remove").then_some(&operation.input)
}

/// By element: the last instant at which one of these updates may have taken effect.
fn latest<'a>(
    operations: &KeyOperations<'a>,
    element: fn(&Operation) -> Option<&Value>,
) -> FxHashMap<&'a Value, Time> {
    let mut latest = FxHashMap::default();
    for &update in operations.writes.iter().filter(|update| update.outcome != Outcome::Fail) {
        if let Some(element) = element(update) {
            let last = latest.entry(element).or_insert(Time(0));
            *last = finish(update).max(*last);
        }
    }
    latest
}

/// E2, E3 and E4 of one key.
pub(super) fn judge(state: &KeyState, operations: &KeyOperations) -> Losses {
    let nodes = state.last_reads().count();
    let mut holders: FxHashMap<&Value, usize> = FxHashMap::default();
    for element in state.last_reads().flat_map(|(_, last)| members(&last.value)) {
        *holders.entry(element).or_default() += 1;
    }
    let (adds, removes) = (latest(operations, added), latest(operations, removed));
    let mut losses =
        Losses { phantoms: loss::phantom_members(state, operations, added), ..Losses::default() };
    for update in operations.acknowledged() {
        if let Some(element) = added(update)
            && !holders.contains_key(element)
            && removes.get(element).is_none_or(|last| *last < update.invoke)
        {
            losses.lost.push(loss::lost(state, update, element));
        }
        if let Some(element) = removed(update)
            && nodes > 0
            && holders.get(element) == Some(&nodes)
            && adds.get(element).is_some_and(|last| *last < update.invoke)
        {
            losses.breaches.push(Breach::Resurrected {
                key: state.key.clone(),
                value: element.clone(),
                removed_by: update.index,
            });
        }
    }
    losses
}

/// A lost add, what was removed before it, and the last reads.
pub(super) fn loss_witness(
    lost: &Lost,
    add: &Operation,
    state: &KeyState,
    key: &KeyOperations,
) -> Witness {
    let sentence = format!(
        "{add} to key {}{} was acknowledged at {}, and no remove of {} was in flight from then \
         on or while it was added; after the heal no node has {}",
        lost.key,
        place(add),
        lost.acknowledged,
        lost.value,
        lost.value,
    );
    undone(add, removed, &lost.value, state, key)
        .witness(sentence, Some(format!("{} in what every node returns", lost.value)))
}

/// A remove for nothing, what was added before it, and the last reads.
pub(super) fn resurrection_witness(
    remove: &Operation,
    value: &Value,
    state: &KeyState,
    key: &KeyOperations,
) -> Witness {
    let sentence = format!(
        "{} was acknowledged at {}, and every add of {value} to key {} was over when it began, \
         at {}; after the heal every node has {value} all the same",
        who(remove),
        finish(remove),
        state.key,
        remove.invoke,
    );
    undone(remove, added, value, state, key)
        .witness(sentence, Some(format!("no {value} in what any node returns")))
}

/// An update, all of the other kind on the same element, and the last reads.
fn undone(
    update: &Operation,
    other: fn(&Operation) -> Option<&Value>,
    value: &Value,
    state: &KeyState,
    key: &KeyOperations,
) -> Draft {
    let mut draft = Draft::default();
    let at = draft.add(update);
    for earlier in &key.writes {
        if earlier.outcome != Outcome::Fail && other(earlier) == Some(value) {
            let from = draft.add(earlier);
            draft.arrow(from, at, Relation::RealTime);
        }
    }
    for read in last_reads(state, key) {
        let read = draft.add(read);
        draft.arrow(at, read, Relation::RealTime);
    }
    draft
}

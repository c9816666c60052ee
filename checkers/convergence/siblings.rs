//! Siblings: values lost though nobody replaced them (E2), phantoms (E3), and values that are
//! there though they were replaced (E4).
//!
//! A write carries in its context the values that its client had read: it *replaces* these, and
//! whatever they had replaced. A context is believed only where the clock allows it: a value whose
//! write began after the write that claims to replace it was not read before.
//!
//! An acknowledged write is *lost* unless its value is in some node's last read, or is replaced,
//! directly or through others, by a value that is. Real time excuses nothing here: a blind write
//! adds a sibling and replaces none. Of a chain of values each replaced by the next, all are lost if
//! the last is gone: that is what the clients were promised.
//!
//! A value is *resurrected* if every node's last read has it, one write alone may have written it,
//! and an acknowledged write replaced it, directly or through values each written by one write.
//! Those in between need not have been acknowledged: their values were read, so they were there.
//!
//! A value is a *phantom* if a last read has it and no write of it may have taken effect.
//!
//! To forget a write in a witness means: nobody knows its context, so it may have replaced
//! anything that began before it; to forget a last read, that it may have returned anything. A
//! witness of a loss therefore has every write behind the final values that began no earlier than
//! the lost one did.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::agreement::{KeyOperations, KeyState};
use super::data_type::{context_and_value, members};
use super::loss::{self, Breach, Losses, Lost, finish};
use super::witness::{Draft, last_reads, returned};
use crate::finding::{Relation, Witness};
use crate::history::{Operation, Outcome, Value};
use crate::words::{place, who};

fn written(operation: &Operation) -> Option<&Value> {
    context_and_value(&operation.input).map(|(_, value)| value)
}

/// Who may have written each value of one key.
struct Writers<'a> {
    by_value: BTreeMap<&'a Value, Vec<&'a Operation>>,
}

impl<'a> Writers<'a> {
    fn of(operations: &KeyOperations<'a>) -> Self {
        let mut by_value: BTreeMap<&Value, Vec<&Operation>> = BTreeMap::new();
        for &write in operations.writes.iter().filter(|write| write.outcome != Outcome::Fail) {
            if let Some(value) = written(write) {
                by_value.entry(value).or_default().push(write);
            }
        }
        Self { by_value }
    }

    fn of_value(&self, value: &Value) -> &[&'a Operation] {
        self.by_value.get(value).map_or(&[], Vec::as_slice)
    }

    /// The writes that this one replaces directly; of a value with several writers all that it
    /// can have read.
    fn replaced(&self, write: &'a Operation) -> impl Iterator<Item = &'a Operation> + '_ {
        let context = context_and_value(&write.input).map_or(&[][..], |(context, _)| context);
        context
            .iter()
            .flat_map(|value| self.of_value(value))
            .copied()
            .filter(move |earlier| earlier.index != write.index && earlier.invoke <= write.invoke)
    }

    /// The writes of these values and all that they replaced, by index.
    fn behind<'v>(&self, values: impl Iterator<Item = &'v Value>) -> BTreeMap<u64, &'a Operation> {
        let mut behind = BTreeMap::new();
        let mut open: Vec<&Operation> =
            values.flat_map(|value| self.of_value(value)).copied().collect();
        while let Some(write) = open.pop() {
            if behind.insert(write.index, write).is_none() {
                open.extend(self.replaced(write));
            }
        }
        behind
    }

    /// The writes that replaced this one, from an acknowledged one down to it and with it, if
    /// there is one that surely did; a shortest such chain.
    fn surely_replaced(&self, write: &'a Operation) -> Option<Vec<&'a Operation>> {
        let sure =
            |write: &Operation| written(write).is_some_and(|value| self.of_value(value).len() == 1);
        if !sure(write) {
            return None;
        }
        let mut after: BTreeMap<u64, &Operation> = BTreeMap::new();
        let mut open = VecDeque::from([write]);
        while let Some(earlier) = open.pop_front() {
            let value = written(earlier)?;
            let by = self.by_value.values().flatten().copied().filter(|later| {
                let context = context_and_value(&later.input).map_or(&[][..], |pair| pair.0);
                context.contains(value) && self.replaced(later).any(|w| w.index == earlier.index)
            });
            for later in by {
                if later.index == write.index || after.contains_key(&later.index) {
                    continue;
                }
                after.insert(later.index, earlier);
                if later.outcome == Outcome::Ok {
                    let next = |w: &&'a Operation| after.get(&w.index).copied();
                    return Some(std::iter::successors(Some(later), next).collect());
                }
                if sure(later) {
                    open.push_back(later);
                }
            }
        }
        None
    }
}

fn final_values(state: &KeyState) -> impl Iterator<Item = &Value> {
    state.last_reads().flat_map(|(_, last)| members(&last.value))
}

/// E2, E3 and E4 of one key.
pub(super) fn judge(state: &KeyState, operations: &KeyOperations) -> Losses {
    let writers = Writers::of(operations);
    let values: BTreeSet<&Value> = final_values(state).collect();
    let behind = writers.behind(values.iter().copied());
    let lost = operations
        .acknowledged()
        .filter(|write| !behind.contains_key(&write.index))
        .filter_map(|write| Some(loss::lost(state, write, written(write)?)));
    let nodes = state.last_reads().count();
    let everywhere =
        |value: &&&Value| final_values(state).filter(|other| other == *value).count() == nodes;
    let resurrected = values.iter().filter(everywhere).filter_map(|value| {
        let chain = writers.surely_replaced(writers.of_value(value).first()?)?;
        Some(Breach::Resurrected {
            key: state.key.clone(),
            value: (*value).clone(),
            removed_by: chain.first()?.index,
        })
    });
    Losses {
        lost: lost.collect(),
        phantoms: loss::phantom_members(state, operations, written),
        breaches: resurrected.collect(),
    }
}

/// A lost write, the writes behind the final values that might have replaced it, and the last
/// reads.
pub(super) fn loss_witness(
    lost: &Lost,
    write: &Operation,
    state: &KeyState,
    key: &KeyOperations,
) -> Witness {
    let writers = Writers::of(key);
    let mut draft = Draft::default();
    let at = draft.add(write);
    for read in last_reads(state, key) {
        let read = draft.add(read);
        draft.arrow(at, read, Relation::RealTime);
    }
    let values: BTreeSet<&Value> = final_values(state).collect();
    for other in writers.behind(values.into_iter()).into_values() {
        if other.invoke >= write.invoke {
            draft.add(other);
        }
    }
    let sentence = format!(
        "{write} of key {} was acknowledged{} at {}; after the heal {}, and none of that was \
         written with {} in its context or in that of what it replaced",
        lost.key,
        place(write),
        lost.acknowledged,
        returned(state),
        lost.value,
    );
    draft.witness(sentence, Some(format!("{} among the siblings", lost.value)))
}

/// A value that was replaced and is there: the writes that replaced it, and the last reads.
pub(super) fn resurrection_witness(
    value: &Value,
    state: &KeyState,
    key: &KeyOperations,
) -> Option<Witness> {
    let writers = Writers::of(key);
    let mut chain = writers.surely_replaced(writers.of_value(value).first()?)?;
    // That somebody wrote the value goes without saying: it was read.
    chain.pop();
    let mut draft = Draft::default();
    for write in &chain {
        draft.add(write);
    }
    for pair in chain.windows(2) {
        draft.arrow(pair[1].index, pair[0].index, Relation::ReadsFrom);
    }
    let last = chain.first()?;
    for read in last_reads(state, key) {
        let read = draft.add(read);
        draft.arrow(last.index, read, Relation::RealTime);
    }
    let had = match chain.len() {
        1 => format!("{value} in its context"),
        _ => format!("in its context what had, through others, replaced {value},"),
    };
    let sentence = format!(
        "{} of key {} had {had} and was acknowledged at {}; after the heal every node has {value} \
         all the same",
        who(last),
        state.key,
        finish(last),
    );
    Some(draft.witness(sentence, Some(format!("no {value} among the siblings"))))
}

//! What a correct store could have answered in place of a refuted read.

use std::borrow::Borrow;

use super::chains::Analysis;
use super::clusters::Writer;
use super::step::{INITIAL, Steps, ValueId};
use super::witness::forget;
use crate::history::Operation;
use crate::words::{few, who};

/// How many values are named.
const NAMED: usize = 3;

/// The values that the read `reader` could have returned without contradicting `witness`, in the
/// order of their writes; at most one more than are named.
///
/// Candidates are the values of a regular register (Lamport, "On interprocess communication",
/// 1986): those last written before the read began, and those being written while it ran. Each
/// is then tried in place of what was returned.
pub(super) fn could_have_found(whole: &Analysis<'_>, witness: &[u32], reader: u32) -> Vec<ValueId> {
    let steps = whole.parts.steps;
    let read = steps[reader as usize];
    let writes = || steps.iter().enumerate().filter(|(_, step)| step.writes.is_some());
    // What ended before this instant was overwritten before the read began.
    let newest_start =
        writes().filter(|(_, step)| step.finish < read.start).map(|(_, step)| step.start).max();
    let mut candidates: Vec<(u64, Option<u32>, ValueId)> = writes()
        .filter(|(_, step)| {
            step.start <= read.finish && newest_start.is_none_or(|newest| step.finish >= newest)
        })
        .filter_map(|(id, step)| Some((step.finish, Some(id as u32), step.writes?)))
        .filter(|(.., value)| whole.parts.writers[*value as usize] != Writer::Several)
        .collect();
    candidates.sort_unstable();
    if newest_start.is_none() {
        candidates.insert(0, (0, None, INITIAL));
    }
    candidates
        .into_iter()
        .filter(|(_, writer, value)| {
            let mut ids = witness.to_vec();
            ids.extend(writer.filter(|writer| !witness.contains(writer)));
            !forget(whole, &ids, Some((reader, *value))).is_refuted()
        })
        .map(|(.., value)| value)
        .take(NAMED + 1)
        .collect()
}

/// `r -> 7 at n1, as w(7) at n2 had written it` and the like.
pub(super) fn in_words<O: Borrow<Operation>>(
    operations: &[O],
    compacted: &Steps<'_>,
    whole: &Analysis<'_>,
    read: &Operation,
    values: &[ValueId],
) -> Option<String> {
    let texts: Vec<String> = values
        .iter()
        .take(NAMED)
        .map(|value| {
            let name = compacted.values[*value as usize];
            match whole.parts.writer(*value) {
                Some(writer) => {
                    let source = compacted.steps[writer as usize].source;
                    format!("{name} ({})", who(operations[source as usize].borrow()))
                }
                None => format!("{name} (the initial value)"),
            }
        })
        .collect();
    let more = if values.len() > NAMED { ", or another value then being written" } else { "" };
    let place = read.node.as_ref().map(|node| format!(" at {node}")).unwrap_or_default();
    (!texts.is_empty())
        .then(|| format!("the read{place} could have returned {}{more}", few(&texts, "or")))
}

//! The sentence of a violation of a set, and the operations that prove it.
//!
//! To forget an add or a removal means: it may have been done at any time, or never. To forget a
//! read: it is left out.

use super::Violation;
use crate::clock::Clock;
use crate::evidence::{answer, doer, witness};
use crate::finding::{Relation, Witness};
use crate::history::{Operation, Outcome};
use crate::set::final_read::unexpected;
use crate::set::parse::Sets;

pub(super) fn explain(
    violation: &Violation,
    sets: &Sets<'_>,
    operations: &[&Operation],
    clock: Clock,
) -> Witness {
    let at = |source: u32| operations[source as usize];
    match *violation {
        Violation::Lost { element, known, read } => {
            let known = operations.get(known as usize).copied();
            lost(sets, element, known, at(read), operations, clock)
        }
        Violation::Resurrected { element, remove, read } => {
            resurrected(sets, element, at(remove), at(read), operations, clock)
        }
        Violation::Unexpected { element, read } => {
            unexpected(element, at(read), sets, operations, clock)
        }
        Violation::Duplicate { element, read } => {
            let read = at(read);
            let value = sets.values[element as usize];
            let sentence =
                format!("the {}, {}, has {value} twice", doer(read), answer(read, clock));
            witness(sentence, &[read], &[])
        }
    }
}

/// Those that did not fail, of one element and function.
fn others<'o>(
    sets: &Sets<'_>,
    element: u32,
    f: &str,
    operations: &[&'o Operation],
) -> Vec<&'o Operation> {
    let value = sets.values[element as usize];
    let mut others: Vec<&Operation> = operations
        .iter()
        .copied()
        .filter(|o| o.f.as_str() == f && o.input == *value && o.outcome != Outcome::Fail)
        .collect();
    others.sort_by_key(|operation| (operation.invoke, operation.index));
    others
}

/// What made it known, the last read, which is missing it, and the removals: all of them are
/// too early or too late.
fn lost(
    sets: &Sets<'_>,
    element: u32,
    known: Option<&Operation>,
    read: &Operation,
    operations: &[&Operation],
    clock: Clock,
) -> Witness {
    let value = sets.values[element as usize];
    let missing =
        format!("is missing from the {} that began at {}", doer(read), clock.instant(read.invoke));
    let end = read.complete.unwrap_or(read.invoke);
    let removals = others(sets, element, "remove", operations);
    let adds = others(sets, element, "add", operations);
    // An add that is enough by itself is easier to check than a read.
    let is_enough = |add: &&Operation| {
        let explains = |removal: &&Operation| {
            let over = removal.complete.filter(|_| removal.outcome == Outcome::Ok);
            removal.invoke <= end && over.is_none_or(|over| over >= add.invoke)
        };
        add.outcome == Outcome::Ok
            && add.complete.is_some_and(|acknowledged| acknowledged < read.invoke)
            && !removals.iter().any(explains)
    };
    let known = known.map(|known| adds.iter().copied().find(is_enough).unwrap_or(known));
    let unexplained = match removals.len() {
        0 => "",
        _ => ", and no remove of it was between",
    };
    let Some(known) = known else {
        let sentence = format!(
            "{value} was there from the beginning, but {missing}{unexplained}, and from all reads \
             that began later"
        );
        return witness(sentence, &[&[read], removals.as_slice()].concat(), &[]);
    };
    // What a read saw may have been any add; each has to be after the removals that came early.
    let adds = match known.f.as_str() {
        "read" if removals.iter().any(|removal| removal.invoke <= end) => adds,
        _ => Vec::new(),
    };
    let how = match known.f.as_str() {
        "add" => format!("was added by the {}", doer(known)),
        _ => format!("was seen by the {}", doer(known)),
    };
    let sentence = format!(
        "{value} {how}, {}, but {missing}{unexplained}; no read that began later has it",
        answer(known, clock)
    );
    let shown = [&[known, read], removals.as_slice(), adds.as_slice()].concat();
    witness(sentence, &shown, &[(0, 1, Relation::RealTime)])
}

/// The removal, the read, and every add: all of them ended before the removal began, or began
/// after the read had ended.
fn resurrected(
    sets: &Sets<'_>,
    element: u32,
    remove: &Operation,
    read: &Operation,
    operations: &[&Operation],
    clock: Clock,
) -> Witness {
    let value = sets.values[element as usize];
    let sentence = format!(
        "{value} was removed by the {}, {}, but the {} that began at {} has it, and no add of it \
         was between; no read that began later lacks it",
        doer(remove),
        answer(remove, clock),
        doer(read),
        clock.instant(read.invoke)
    );
    let adds = others(sets, element, "add", operations);
    let shown = [&[remove, read], adds.as_slice()].concat();
    witness(sentence, &shown, &[(0, 1, Relation::RealTime)])
}

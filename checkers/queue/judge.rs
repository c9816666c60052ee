//! The check that stacks and priority queues share: each brings its [rule](Rule), the few items
//! that show best what is impossible, and the words for it.

use super::assign::{self, Budget, Rule};
use super::cover;
use super::items::{Item, Items, NOBODY, Span};
use super::telling::Teller;
use super::{conclude, unknown};
use crate::checker::Options;
use crate::finding::Witness;
use crate::keys::KeyResult;
use crate::limits::Limits;
use crate::minimise::minimise;

/// How many items all tests of subsets may look at together.
const ITEMS_TO_MINIMISE: u64 = 10_000_000;

/// Of items and those of them that are stuck: how many violations, and some that are stuck alone.
type Evidence = fn(&[Item], &[u32]) -> (usize, Vec<u32>);

/// What makes an object the object that it is.
pub(crate) struct Discipline {
    pub rule: Rule,
    /// How many violations these stuck items are, and a part of them that is stuck by itself, as
    /// small as can be said at once.
    pub evidence: Evidence,
    /// The witness of items that are stuck, of which none can be left out.
    pub tell: fn(&Teller<'_>, &Items, &[u32]) -> Witness,
}

/// Checks one object.
pub(crate) fn judge(
    teller: &Teller<'_>,
    items: &Items,
    discipline: &Discipline,
    options: &Options<'_>,
) -> KeyResult {
    let mut budget = Budget::new(options.limits);
    if items.repeated.is_some() || !items.faults.is_empty() {
        return conclude(teller, items, 0, || None);
    }
    match assign::is_possible(items, discipline.rule, &mut budget) {
        Some(true) => conclude(teller, items, 0, || None),
        Some(false) => refute(teller, items, discipline),
        None => unknown(
            teller.operations,
            items.observations,
            format!(
                "which of the {} that nobody returned were taken by the {} without an answer \
                 ({}) was not decided within the limit of the search",
                crate::words::count(items.staying().len(), "value"),
                crate::words::count(items.unanswered.len(), "removal"),
                teller.words.remove[0],
            ),
        ),
    }
}

/// The result for items that are known to be impossible.
fn refute(teller: &Teller<'_>, items: &Items, discipline: &Discipline) -> KeyResult {
    let relaxed = assign::relaxed(items);
    let stuck = (discipline.rule.stuck)(&relaxed);
    if !stuck.is_empty() {
        let (violations, evidence) = (discipline.evidence)(&relaxed, &stuck);
        let (kept, _) = smallest(items, &evidence, &[], discipline.rule);
        let shown = Items { items: relaxed, ..items.alone(&[], &[]) };
        let alone: Vec<Item> = kept.iter().map(|number| shown.items[*number as usize]).collect();
        return conclude(teller, items, violations, || {
            Some(match (discipline.rule.stuck)(&alone).is_empty() {
                true => whatever_was_taken(teller, items, &kept, &[], discipline.rule),
                false => (discipline.tell)(teller, &shown, &kept),
            })
        });
    }
    let in_order = items.paired();
    let blocked = cover::blocked(&in_order);
    if let Some(&empty) = blocked.first() {
        let evidence = cover::evidence(&in_order, empty);
        return conclude(teller, items, blocked.len(), || {
            Some(teller.not_empty(&in_order, &evidence, empty))
        });
    }
    let (numbers, empties) = assign::too_many(items, discipline.rule)
        .unwrap_or_else(|| ((0..items.items.len() as u32).collect(), items.empties.clone()));
    let (kept, empties) = smallest(items, &numbers, &empties, discipline.rule);
    conclude(teller, items, 1, || {
        Some(whatever_was_taken(teller, items, &kept, &empties, discipline.rule))
    })
}

/// The witness of a smallest part that only a search refutes, without the comings that are not
/// needed for that.
fn whatever_was_taken(
    teller: &Teller<'_>,
    items: &Items,
    numbers: &[u32],
    empties: &[Span],
    rule: Rule,
) -> Witness {
    let mut part = items.alone(numbers, empties);
    for number in 0..part.items.len() {
        let item = part.items[number];
        if item.stays() {
            continue;
        }
        let began = teller.operations[item.remove as usize].invoke.0;
        part.items[number] = Item {
            add: NOBODY,
            add_start: 0,
            add_finish: item.remove_finish,
            remove_start: began,
            ..item
        };
        if assign::is_possible(&part, rule, &mut small_budget(part.items.len())) != Some(false) {
            part.items[number] = item;
        }
    }
    teller.whatever_was_taken(&part)
}

/// Enough for a part of a history to be decided.
fn small_budget(items: usize) -> Budget<'static> {
    let steps = 1_000 * (items as u64 + 1);
    Budget::new(Limits { steps, ..Limits::default() })
}

/// A smallest part of what is impossible that is impossible by itself.
fn smallest(items: &Items, numbers: &[u32], empties: &[Span], rule: Rule) -> (Vec<u32>, Vec<Span>) {
    let first_empty = items.items.len() as u32;
    let candidates: Vec<u32> =
        numbers.iter().copied().chain((0..empties.len() as u32).map(|i| first_empty + i)).collect();
    let part = |ids: &[u32]| {
        let mut ids = ids.to_vec();
        ids.sort_unstable();
        let split = ids.partition_point(|id| *id < first_empty);
        let empties = ids[split..].iter().map(|id| empties[(id - first_empty) as usize]);
        let empties: Vec<Span> = empties.collect();
        ids.truncate(split);
        (ids, empties)
    };
    let mut left = ITEMS_TO_MINIMISE;
    let kept = minimise(&candidates, &mut |ids| {
        let size = ids.len() as u64;
        if left < size {
            return false;
        }
        left -= size;
        let (numbers, empties) = part(ids);
        let alone = items.alone(&numbers, &empties);
        assign::is_possible(&alone, rule, &mut small_budget(ids.len())) == Some(false)
    });
    part(&kept)
}

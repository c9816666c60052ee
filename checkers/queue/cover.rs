//! The instants at which something is inside for certain, and the operations that found nothing.
//!
//! An item is inside for certain in its core, an open interval. An operation that found nothing
//! needs an instant of its own closed interval that lies in no core. That it is enough to have
//! one, for each such operation by itself, is for each object to prove.
//!
//! Removals without an answer may have emptied the object too, each of one value. At an instant
//! t at which n values that nobody returned are inside for certain, at least n such removals must
//! have begun. Pair values and removals in order (i-th end of coming with i-th start): then some
//! pair covers t iff more values than removals are counted at t. Let n values and m removals be
//! counted; if n > m, then pair m + 1 has a value that is counted and a removal that is not; and
//! if pair i covers t, then n >= i and m < i. So the pairing in order decides whether the object
//! can have been empty at t, whatever removal took what.

use super::items::{Item, Items, Span};
use crate::minimise::minimise;

/// How many items all tests of subsets may look at together.
const ITEMS_TO_MINIMISE: usize = 2_000_000;

/// A union of open intervals, as disjoint stretches in order. Two intervals that only touch
/// leave the instant between them free.
#[derive(Debug)]
pub(crate) struct Cover {
    stretches: Vec<(u64, u64)>,
}

impl Cover {
    pub fn of(items: &[Item]) -> Cover {
        let mut cores: Vec<(u64, u64)> = items.iter().filter_map(Item::core).collect();
        // Nearly in order already.
        cores.sort();
        let mut length = 0;
        for i in 0..cores.len() {
            let (start, end) = cores[i];
            if length > 0 && start < cores[length - 1].1 {
                cores[length - 1].1 = cores[length - 1].1.max(end);
            } else {
                cores[length] = (start, end);
                length += 1;
            }
        }
        cores.truncate(length);
        Cover { stretches: cores }
    }

    /// How many stretches there are.
    pub fn len(&self) -> usize {
        self.stretches.len()
    }

    /// The number of the stretch that begins at or before this instant and is the last to do so.
    pub fn number(&self, instant: u64) -> usize {
        self.stretches.partition_point(|stretch| stretch.0 <= instant).saturating_sub(1)
    }

    /// The stretch that holds the whole closed interval, if there is one: else there is an
    /// instant in it that is free.
    pub fn around(&self, start: u64, finish: u64) -> Option<(u64, u64)> {
        let next = self.stretches.partition_point(|stretch| stretch.0 < start);
        let stretch = *self.stretches.get(next.checked_sub(1)?)?;
        (finish < stretch.1).then_some(stretch)
    }
}

/// The operations that cannot have found nothing, the most blatant one first.
pub(crate) fn blocked(items: &Items) -> Vec<Span> {
    if items.empties.is_empty() {
        return Vec::new();
    }
    let cover = Cover::of(&items.items);
    let margin = |empty: &Span| {
        let (start, end) = cover.around(empty.start, empty.finish)?;
        Some((empty.start - start).min(end - empty.finish))
    };
    let mut blocked: Vec<Span> =
        items.empties.iter().copied().filter(|empty| margin(empty).is_some()).collect();
    if let Some(worst) = (0..blocked.len()).rev().max_by_key(|i| margin(&blocked[*i])) {
        blocked.swap(0, worst);
    }
    blocked
}

/// The fewest items because of which the operation cannot have found nothing, in the order in
/// which they came in.
pub(crate) fn evidence(items: &Items, empty: Span) -> Vec<u32> {
    let mut chain = chain(&items.items, empty);
    let last_staying = chain
        .iter()
        .map(|number| &items.items[*number as usize])
        .filter(|item| item.stays())
        .map(|item| item.add_finish)
        .max();
    if let Some(last) = last_staying
        && items.unanswered_by(empty.finish) > 0
    {
        // Whatever came in no later competes for the same removals.
        let came = |number: &u32| items.items[*number as usize].add_finish <= last;
        chain.extend(items.staying().into_iter().filter(came));
        chain.sort_unstable();
        chain.dedup();
        let mut left = ITEMS_TO_MINIMISE;
        chain = minimise(&chain, &mut |numbers| {
            let can_test = left >= numbers.len();
            left = left.saturating_sub(numbers.len());
            let mut alone = items.alone(numbers, &[empty]);
            alone.pair_in_order();
            can_test && !blocked(&alone).is_empty()
        });
    }
    chain.sort_by_key(|number| {
        let item = &items.items[*number as usize];
        (item.add_finish, item.remove_start)
    });
    chain
}

/// As few items as possible whose cores cover the whole of a closed interval that is covered;
/// of one that is not, those that cover it up to the first free instant.
pub(crate) fn chain(items: &[Item], span: Span) -> Vec<u32> {
    let touches =
        |item: &Item| item.core().is_some_and(|(from, to)| from < span.finish && to > span.start);
    let mut touching: Vec<u32> =
        (0..items.len() as u32).filter(|number| touches(&items[*number as usize])).collect();
    touching.sort_by_key(|number| items[*number as usize].add_finish);
    let mut chain = Vec::new();
    let mut covered = span.start;
    let mut next = touching.into_iter().peekable();
    let mut longest: Option<u32> = None;
    while covered <= span.finish {
        while let Some(number) = next.next_if(|n| items[*n as usize].add_finish < covered) {
            let end = |number: u32| items[number as usize].remove_start;
            if longest.is_none_or(|longest| end(longest) < end(number)) {
                longest = Some(number);
            }
        }
        let Some(number) = longest.filter(|n| items[*n as usize].remove_start > covered) else {
            break;
        };
        covered = items[number as usize].remove_start;
        chain.push(number);
    }
    chain
}

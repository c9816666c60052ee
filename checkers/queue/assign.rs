//! Which removal without an answer took which value, where that is not known beforehand.
//!
//! A FIFO queue needs no choice ([step 5](super)). A stack and a priority queue do: a removal
//! takes the value on top, or the least one, and which that was depends on when it took effect.
//! Whether that can be decided in polynomial time we do not know; here it is decided by bounds
//! and, in between, by a search with a budget.
//!
//! A removal that began at s and took v leaves v with the core (end of coming, s) and a going that
//! may be at any later time; a value that stays has the core (end of coming, infinity). Whatever
//! is possible stays so when cores become smaller. So:
//!
//! - an assignment for which everything is possible proves *valid*. Tried are: none; and in the
//!   order of deadlines, the i-th removal to the value with the i-th deadline, which is the
//!   latest start that another operation obviously leaves for its removal;
//! - if something is impossible even with the earliest removal given to every value at once,
//!   that proves *invalid*; so does an operation that found nothing where the pairing in order
//!   covers it ([`cover`](super::cover)); and so do more values with a deadline than removals
//!   that had begun by then;
//! - the search gives removals to one value after the other and tests both bounds at every step.
//!   Of removals that began before the value was in for certain it tries the last only: they
//!   are all the same to this value, and to others an earlier one is never worse.
//!
//! If the budget is spent the answer is unknown.

use rustc_hash::FxHashSet;

use super::cover::{self, Cover};
use super::items::{AFTER_ALL, Item, Items, Span};
use crate::limits::Limits;

/// The rule by which an object hands out values, for items whose removals are known.
#[derive(Clone, Copy)]
pub(crate) struct Rule {
    /// The items that prove that no order is possible; none if one is. Fewer or smaller cores
    /// never make something impossible.
    pub stuck: fn(&[Item]) -> Vec<u32>,
    /// For each item, an instant by which a removal must have begun if nobody returned it.
    pub deadlines: fn(&[Item]) -> Vec<u64>,
}

/// How many items all tests of a search may look at together.
const ITEMS_TO_LOOK_AT: u64 = 10_000_000;

/// What a check may still look at.
pub(crate) struct Budget<'b> {
    left: u64,
    limits: Limits<'b>,
}

impl<'b> Budget<'b> {
    pub fn new(limits: Limits<'b>) -> Self {
        Budget { left: ITEMS_TO_LOOK_AT.min(limits.steps), limits }
    }

    fn spend(&mut self, items: usize) -> bool {
        let spent = (items as u64 + 1).min(self.left);
        self.left -= spent;
        self.left > 0 && !self.limits.is_over()
    }
}

/// Whether these items have an order for some assignment; none if the budget was spent first.
/// If they have, and if they surely have not, costs little; in between, it is searched.
pub(crate) fn is_possible(items: &Items, rule: Rule, budget: &mut Budget<'_>) -> Option<bool> {
    if items.unanswered.is_empty() || items.staying().is_empty() {
        return Some(holds(items, &items.items, rule));
    }
    if holds(items, &items.items, rule) {
        return Some(true);
    }
    if !items.empties.is_empty() && !cover::blocked(&items.paired()).is_empty() {
        return Some(false);
    }
    let order = by_deadline(items, rule);
    if overdue(items, &order).is_some() {
        return Some(false);
    }
    let order: Vec<u32> = order.into_iter().map(|(_, number)| number).collect();
    let search = Search { items, rule, order: &order };
    search.decide(0, &mut items.items.clone(), &mut items.unanswered.clone(), budget)
}

/// Whether everything is possible with the removals as they are in `assigned`.
fn holds(items: &Items, assigned: &[Item], rule: Rule) -> bool {
    let free = |cover: &Cover| {
        items.empties.iter().all(|empty| cover.around(empty.start, empty.finish).is_none())
    };
    (items.empties.is_empty() || free(&Cover::of(assigned))) && (rule.stuck)(assigned).is_empty()
}

/// The items that nobody returned, with their deadlines: first those that must be gone first, of
/// these the one that came last.
fn by_deadline(items: &Items, rule: Rule) -> Vec<(u64, u32)> {
    let mut deadlines = (rule.deadlines)(&items.items);
    // What was surely inside before an operation that found nothing was gone when it ended.
    let mut empties: Vec<(u64, u64)> =
        items.empties.iter().map(|empty| (empty.start, empty.finish)).collect();
    empties.sort_unstable();
    for i in (1..empties.len()).rev() {
        empties[i - 1].1 = empties[i - 1].1.min(empties[i].1);
    }
    for (item, deadline) in items.items.iter().zip(&mut deadlines) {
        let next = empties.partition_point(|(start, _)| *start <= item.add_finish);
        if let Some((_, gone_by)) = empties.get(next) {
            *deadline = (*deadline).min(*gone_by);
        }
    }
    let staying = items.staying().into_iter().rev();
    let mut order: Vec<(u64, u32)> =
        staying.map(|number| (deadlines[number as usize], number)).collect();
    order.sort_by_key(|(deadline, _)| *deadline);
    order
}

/// How many values, in the order of deadlines, are the fewest for which there were not enough
/// removals in time.
fn overdue(items: &Items, order: &[(u64, u32)]) -> Option<usize> {
    let starts = items.unanswered.iter().copied().chain(std::iter::repeat(AFTER_ALL));
    let late = order.iter().zip(starts).position(|((deadline, _), start)| start > *deadline);
    late.map(|position| position + 1)
}

/// If there are values for which there were not enough removals in time: those, and what may
/// have given them their deadlines.
pub(crate) fn too_many(items: &Items, rule: Rule) -> Option<(Vec<u32>, Vec<Span>)> {
    let order = by_deadline(items, rule);
    let order = &order[..overdue(items, &order)?];
    let deadlines: FxHashSet<u64> = order.iter().map(|(deadline, _)| *deadline).collect();
    let gives = |number: &u32| deadlines.contains(&items.items[*number as usize].remove_finish);
    let mut numbers: Vec<u32> = order.iter().map(|(_, number)| *number).collect();
    numbers.extend((0..items.items.len() as u32).filter(gives));
    numbers.sort_unstable();
    let gives = |empty: &&Span| deadlines.contains(&empty.finish);
    Some((numbers, items.empties.iter().filter(gives).copied().collect()))
}

struct Search<'s> {
    items: &'s Items,
    rule: Rule,
    /// The items to decide on, in this order.
    order: &'s [u32],
}

impl Search<'_> {
    /// Decides on the items of the order from `next` on; `free` are the removals that are left.
    fn decide(
        &self,
        next: usize,
        assigned: &mut Vec<Item>,
        free: &mut Vec<u64>,
        budget: &mut Budget<'_>,
    ) -> Option<bool> {
        let open = &self.order[next..];
        if !budget.spend(assigned.len()) {
            return None;
        }
        let earliest = free.first().copied().unwrap_or(AFTER_ALL);
        self.give(open, assigned, std::iter::repeat(earliest));
        if !holds(self.items, assigned, self.rule) {
            return Some(false);
        }
        self.give(open, assigned, free.iter().copied().chain(std::iter::repeat(AFTER_ALL)));
        if holds(self.items, assigned, self.rule) {
            return Some(true);
        }
        let number = *open.first()?;
        let came = self.items.items[number as usize].add_finish;
        let early = free.partition_point(|start| *start <= came);
        let mut is_decided = true;
        for choice in early.saturating_sub(1)..=free.len() {
            let taken = (choice < free.len()).then(|| free.remove(choice));
            self.give(&open[..1], assigned, std::iter::once(taken.unwrap_or(AFTER_ALL)));
            let found = self.decide(next + 1, assigned, free, budget);
            if let Some(start) = taken {
                free.insert(choice, start);
            }
            match found {
                Some(true) => return Some(true),
                Some(false) => {}
                None => is_decided = false,
            }
        }
        is_decided.then_some(false)
    }

    /// Gives these removals to these items.
    fn give(&self, to: &[u32], assigned: &mut [Item], starts: impl Iterator<Item = u64>) {
        for (number, start) in to.iter().zip(starts) {
            let item = &mut assigned[*number as usize];
            item.remove_start = start.max(item.add_start);
        }
    }
}

/// For each item, what is impossible whatever the removals without an answer took: each of them
/// counts as having begun when the earliest one did.
pub(crate) fn relaxed(items: &Items) -> Vec<Item> {
    let earliest = items.unanswered.first().copied().unwrap_or(AFTER_ALL);
    let relax = |item: &Item| match item.stays() {
        true => Item { remove_start: earliest.max(item.add_start), ..*item },
        false => *item,
    };
    items.items.iter().map(relax).collect()
}

/// The least of some numbers from a position on, where numbers only become smaller.
pub(crate) struct LeastFrom {
    least: Vec<u64>,
}

impl LeastFrom {
    pub fn new(positions: usize) -> Self {
        LeastFrom { least: vec![AFTER_ALL; positions + 1] }
    }

    pub fn lower(&mut self, position: usize, number: u64) {
        let mut at = position + 1;
        while at > 0 {
            self.least[at] = self.least[at].min(number);
            at &= at - 1;
        }
    }

    pub fn from(&self, position: usize) -> u64 {
        let mut at = position + 1;
        let mut least = AFTER_ALL;
        while at < self.least.len() {
            least = least.min(self.least[at]);
            at += at & at.wrapping_neg();
        }
        least
    }
}

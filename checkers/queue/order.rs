//! First in, first out: the pairs of values that came out in the wrong order.

use super::items::{Item, Items};

/// `ahead` was put in before the putting in of `behind` began; `behind` was out before the
/// taking out of `ahead` began, if ever. Numbers of items.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Overtaken {
    pub ahead: u32,
    pub behind: u32,
}

/// Counts the values that were overtaken, and keeps the one that was overtaken by the widest
/// margin: nobody is convinced by a microsecond while there is a second.
#[derive(Debug, Default)]
pub(super) struct Order {
    pub violations: usize,
    pub worst: Option<Overtaken>,
}

/// Looks at each value and, of all that surely came in after it, the one that was out first.
pub(super) fn check(items: &[Item]) -> Order {
    let mut by_start: Vec<u32> = (0..items.len() as u32).collect();
    by_start.sort_by_key(|number| items[*number as usize].add_start);
    let starts: Vec<u64> =
        by_start.iter().map(|number| items[*number as usize].add_start).collect();
    // Of this one and all later ones in the order of starts, the one that was out first.
    let mut out_first = by_start;
    for i in (1..out_first.len()).rev() {
        let finish = |number: u32| items[number as usize].remove_finish;
        if finish(out_first[i]) < finish(out_first[i - 1]) {
            out_first[i - 1] = out_first[i];
        }
    }
    let mut order = Order::default();
    let mut widest = 0;
    for (number, item) in items.iter().enumerate() {
        let next = starts.partition_point(|start| *start <= item.add_finish);
        let Some(&behind) = out_first.get(next) else { continue };
        let margin = item.remove_start.saturating_sub(items[behind as usize].remove_finish);
        order.violations += usize::from(margin > 0);
        if margin > widest {
            widest = margin;
            order.worst = Some(Overtaken { ahead: number as u32, behind });
        }
    }
    order
}

/// The items that prove it together with the one that overtook them.
///
/// If nobody returned the one that was ahead, a removal without an answer may have taken it; then
/// as many more are needed that were ahead too as there are such removals.
pub(super) fn evidence(items: &Items, overtaken: Overtaken) -> Vec<u32> {
    if !items.items[overtaken.ahead as usize].stays() {
        return vec![overtaken.ahead];
    }
    let out = items.items[overtaken.behind as usize].remove_finish;
    items.staying().into_iter().take(items.unanswered_by(out) + 1).collect()
}

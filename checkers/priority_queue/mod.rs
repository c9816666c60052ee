//! Linearizability of a priority queue of unique integers, smallest first, some of whose
//! operations may have been left without an answer. O(n log n) time, O(n) memory.
//!
//! Lee and Mathur ("Efficient decrease-and-conquer linearizability monitoring", OOPSLA 2025)
//! decide this at the same cost for operations that were all answered, by removing the value of
//! lowest priority again and again. Here the same is one condition for each value; the proof is
//! ours, and operations may lack an answer.
//!
//! # What is decided
//!
//! Instants, `ok`, `fail` and `info` are as in the [queue](crate::queue). Values are integers;
//! `poll` (also called `remove` or `delete-min`) takes the smallest value inside, or nil if
//! nothing is; `add` (or `insert`) puts one in. The priority queue is linearizable iff some set
//! of operations with all of `ok` and any of `info` has a total order that respects the instants
//! and in which this holds. Assume that no value was added twice; else the answer is unknown.
//!
//! ```
//! # use splitbrain_checkers::{notation, priority_queue::PRIORITY_QUEUE};
//! let smallest_first = notation::history(
//!     "0 add 5        0..10
//!      1 add 3       20..40
//!      2 poll -> 5   30..60
//!      2 poll -> 3   70..80 ",
//! );
//! assert!(PRIORITY_QUEUE.run(&smallest_first, &Default::default()).validity.is_valid());
//! let passed_over = notation::history(
//!     "0 add 5        0..10
//!      1 add 3       20..40
//!      2 poll -> 5   50..60
//!      2 poll -> 3   70..80 ",
//! );
//! assert!(PRIORITY_QUEUE.run(&passed_over, &Default::default()).validity.is_invalid());
//! ```
//!
//! # The steps, and why they are right
//!
//! **1. What came in** is settled as for the [queue](crate::queue), step 1; leaving out a value
//! with both its operations keeps an order of a priority queue legal too. What remains are values
//! v that came at an instant i in \[is, if\] and went at an instant r in \[rs, rf\], infinite if
//! nobody returned v, with if <= rf and is <= rs. The *core* of v is the open interval (if, rs),
//! in which v is inside for certain.
//!
//! **2. Needed.** When v goes, no smaller u is inside. So each v needs an instant in \[rs, rf\] in
//! the core of no smaller value; and a poll that found nothing needs one in no core at all, as
//! if it took a value greater than all others.
//!
//! **3. Enough.** Let r(v) be the first such instant of each v, and i(v) the lesser of if and
//! r(v); then is <= i(v), as is <= if and is <= rs <= r(v). Suppose that a smaller u is inside
//! when v goes: i(u) < r(v) < r(u). Then i(u) = if(u), and r(v) is not in the core of u, so
//! rs(u) <= r(v) < r(u) <= rf(u). As no value smaller than v has a core that holds r(v), none
//! smaller than u has: r(v) would have been an earlier choice for r(u). The same holds for polls
//! that found nothing. At one and the same instant let first those go that came before it, the
//! smallest first; then let those come and go at once that do both then; then polls find nothing;
//! then the others come. Of values u < v of which both are inside before, u goes first; one that
//! comes and goes at once finds none smaller, by what was just shown, nor do polls find any.
//!
//! **4. Polls without an answer** took one value each of those that nobody returned: it may matter
//! which. [`assign`](crate::queue) has the bounds and the search by which that is decided, or
//! left unknown. Without such polls nothing is ever unknown.
//!
//! Values are looked at from the smallest to the greatest, with the union of the cores so far; an
//! instant is covered at most once, so after sorting this is almost linear.
//!
//! Witnesses are as for the [queue](crate::queue): values of which an operation is forgotten may
//! have come and gone at any time, except that a poll that is not forgotten is still explained.

use crate::checker::{Checker, Options, Scope};
use crate::finding::{Relation, Witness};
use crate::history::{Operation, Value};
use crate::keys::KeyResult;
use crate::model;
use crate::queue::assign::{LeastFrom, Rule};
use crate::queue::cover::{self, Cover};
use crate::queue::items::{AFTER_ALL, Item, Items, Span, Vocabulary};
use crate::queue::judge::{Discipline, judge};
use crate::queue::telling::{Teller, sources};
use crate::queue::unknown;
use crate::search;

/// Smallest first.
pub const PRIORITY_QUEUE: Checker = Checker {
    name: "priority-queue",
    check: "linearizable",
    about: "a linearizable priority queue of unique integers, smallest first; O(n log n) if \
            removals are answered",
    functions: &["add", "insert", "enqueue", "poll", "remove", "delete-min", "dequeue"],
    scope: Scope::Key(|operations, options| {
        let answer = check_key(operations, options);
        search::where_undecided::<model::PriorityQueue>(answer, operations, options)
    }),
};

const WORDS: Vocabulary = Vocabulary {
    object: "priority queue",
    add: &["add", "insert", "enqueue"],
    remove: &["poll", "remove", "delete-min", "dequeue"],
    added: "added",
    removed: "removed",
    ordered: true,
};

const DISCIPLINE: Discipline = Discipline { rule: Rule { stuck, deadlines }, evidence, tell };

/// Whether the operations of one priority queue are linearizable. Operations may come in any
/// order.
pub fn check_key(operations: &[&Operation], options: &Options<'_>) -> KeyResult {
    if options.initial != Value::Nil {
        let reason = "this check begins with nothing inside";
        return unknown(operations, 0, reason.to_owned());
    }
    let teller = Teller { operations, words: &WORDS, clock: options.clock };
    match Items::collect(operations, &WORDS) {
        Ok(mut items) => {
            items.items.sort_by_cached_key(|item| match operations[item.add as usize].input {
                Value::Int(value) => value,
                _ => i64::MAX,
            });
            judge(&teller, &items, &DISCIPLINE, options)
        }
        Err(reason) => unknown(operations, 0, reason),
    }
}

/// Items, smallest first, that went at no instant at which nothing smaller was inside.
fn stuck(items: &[Item]) -> Vec<u32> {
    let mut ends: Vec<(u64, u32)> = Vec::with_capacity(2 * items.len());
    for (number, item) in items.iter().enumerate() {
        ends.push((item.remove_start, 2 * number as u32 + 1));
        if item.core().is_some() {
            ends.push((item.add_finish, 2 * number as u32));
        }
    }
    ends.sort_unstable();
    let mut instants: Vec<u64> = Vec::with_capacity(ends.len());
    let mut positions = vec![(0, 0); items.len()];
    for (instant, end) in ends {
        if instants.last() != Some(&instant) {
            instants.push(instant);
        }
        let ends = &mut positions[end as usize / 2];
        *(if end % 2 == 0 { &mut ends.0 } else { &mut ends.1 }) = instants.len() as u32 - 1;
    }
    let mut free = Free { next: (0..=instants.len() as u32).collect() };
    let mut stuck = Vec::new();
    for (number, item) in items.iter().enumerate() {
        let (from, to) = positions[number];
        // Free instants are what open intervals leave over: if there is one after the start of
        // the removal, then so is an end of a core, or that start itself.
        let first = free.from(to) as usize;
        if instants.get(first).is_none_or(|instant| *instant > item.remove_finish) {
            stuck.push(number as u32);
        }
        if item.core().is_some() {
            free.cover(from + 1, to);
        }
    }
    stuck
}

/// The positions that are not covered yet.
struct Free {
    /// Of a covered position, a later one such that all between are covered.
    next: Vec<u32>,
}

impl Free {
    /// The first one from here on.
    fn from(&mut self, mut position: u32) -> u32 {
        while self.next[position as usize] != position {
            let after = self.next[self.next[position as usize] as usize];
            self.next[position as usize] = after;
            position = after;
        }
        position
    }

    fn cover(&mut self, from: u32, to: u32) {
        let mut position = self.from(from);
        while position < to {
            self.next[position as usize] = position + 1;
            position = self.from(position + 1);
        }
    }
}

/// A value must be gone before the removal ends of a greater one that surely began later.
fn deadlines(items: &[Item]) -> Vec<u64> {
    let mut starts: Vec<u64> =
        items.iter().filter(|item| !item.stays()).map(|item| item.remove_start).collect();
    starts.sort_unstable();
    let mut removals = LeastFrom::new(starts.len());
    let mut deadlines = vec![AFTER_ALL; items.len()];
    for (item, deadline) in items.iter().zip(&mut deadlines).rev() {
        if item.stays() {
            *deadline = removals.from(starts.partition_point(|start| *start <= item.add_finish));
        } else {
            let position = starts.partition_point(|start| *start < item.remove_start);
            removals.lower(position, item.remove_finish);
        }
    }
    deadlines
}

/// How many stuck items are looked at in search of the one that is easiest to explain.
const LOOKED_AT: usize = 16;

/// Each stuck item is a violation; the one that takes the fewest others to prove, last.
fn evidence(items: &[Item], stuck: &[u32]) -> (usize, Vec<u32>) {
    let proof = |number: &u32| {
        let item = &items[*number as usize];
        let span = Span { start: item.remove_start, finish: item.remove_finish, source: 0 };
        let mut proof = cover::chain(&items[..*number as usize], span);
        proof.push(*number);
        proof
    };
    let proofs = stuck.iter().take(LOOKED_AT).map(proof);
    (stuck.len(), proofs.min_by_key(Vec::len).unwrap_or_default())
}

/// The witness of one item, last, and of smaller ones that were inside when it went.
fn tell(teller: &Teller<'_>, items: &Items, numbers: &[u32]) -> Witness {
    let mut told: Vec<Item> = numbers.iter().map(|i| items.items[*i as usize]).collect();
    // There is one, or nothing would be stuck.
    let item = told.pop().unwrap_or(items.items[0]);
    told.sort_by_key(|smaller| (smaller.add_finish, smaller.remove_start));
    let removal = teller.operations[item.remove as usize];
    // When the value came matters only if it came while it was being removed.
    let needs_add = Cover::of(&told).around(removal.invoke.0, item.remove_finish).is_none();
    let began = match needs_add {
        true => format!("{} (when {} began)", teller.instant(item.add_start), teller.who(item.add)),
        false => teller.instant(item.remove_start),
    };
    let reasons = teller.stayed(&told);
    let sentence = format!(
        "{} took effect between {began} and {}, but {} inside all the time: {reasons}{}",
        teller.who(item.remove),
        teller.instant(item.remove_finish),
        if told.len() == 1 { "a smaller value was" } else { "some smaller value was" },
        teller.excuse(items, told.iter().filter(|item| item.stays()).count(), item.remove_finish),
    );
    let mut arrows = teller.lives(&told);
    for smaller in &told {
        if smaller.add_finish < removal.invoke.0 {
            arrows.push((smaller.add, item.remove, Relation::RealTime));
        }
        if !smaller.stays() && item.remove_finish < smaller.remove_start {
            arrows.push((item.remove, smaller.remove, Relation::RealTime));
        }
    }
    let mut all = sources(&told);
    all.push(item.remove);
    if needs_add {
        all.push(item.add);
        arrows.push((item.add, item.remove, Relation::ReadsFrom));
    }
    teller.witness(sentence, &all, &arrows)
}

#[cfg(test)]
mod tests;

//! Linearizability of a stack of unique values, some of whose operations may have been left
//! without an answer. O(n log n) time, O(n) memory.
//!
//! Lee and Mathur ("Efficient decrease-and-conquer linearizability monitoring", OOPSLA 2025) give
//! an algorithm of this cost for operations that were all answered: find a value whose removal
//! from the history changes nothing, remove it, repeat. Abdulla, Grahn, Jonsson, Krishna and
//! Mishra ("Efficient linearizability monitoring", PLDI 2025) need O(n^2) and show where earlier
//! proofs fail. Here the same idea is put as one condition on free instants, which needs no
//! splitting of the history, and the proof is ours. Operations may lack an answer.
//!
//! # What is decided
//!
//! Instants, `ok`, `fail` and `info` are as in the [queue](crate::queue). An `ok` pop that
//! returned nil found the stack empty. The stack is linearizable iff some set of operations with
//! all of `ok` and any of `info` has a total order that respects the instants and in which every
//! pop takes the value that was pushed last of those inside, or nil if nothing is. Assume that
//! no value was pushed twice; else the answer is unknown.
//!
//! ```
//! # use splitbrain_checkers::{notation, stack};
//! let nested = notation::history(
//!     "0 push 1      0..10
//!      1 push 2     20..40
//!      2 pop -> 2   50..60
//!      2 pop -> 1   70..80 ",
//! );
//! assert!(stack::STACK.run(&nested, &Default::default()).validity.is_valid());
//! let crossed = notation::history(
//!     "0 push 1      0..10
//!      1 push 2     20..40
//!      2 pop -> 1   50..60
//!      2 pop -> 2   70..80 ",
//! );
//! assert!(stack::STACK.run(&crossed, &Default::default()).validity.is_invalid());
//! ```
//!
//! # The steps, and why they are right
//!
//! **1. What came in** is settled as for the [queue](crate::queue), step 1; leaving out a value
//! with its push and its pop keeps an order of a stack legal too. What remains are values v with
//! a push in \[ps, pf\] and a pop in \[qs, qf\], infinite if nobody returned v, with pf <= qf and
//! ps <= qs. The *core* of v is the open interval (pf, qs), in which v is inside for certain. An
//! instant is *free* if it lies in no core. A legal order is: an instant of the push and a later
//! one of the pop for each value, such that any two values are nested or apart.
//!
//! **2. Values without a core** (qs <= pf) are no obstacle: pushed and popped at one instant
//! between the greater of ps, qs and the lesser of pf, qf, on top of whatever is there.
//!
//! **3. Peeling.** Let v be a value that has a free instant in \[ps, pf\] and a free instant in
//! \[qs, qf\]. Then the history is possible iff it is without v. Only "if" needs proof. Let x be
//! the last free instant in \[ps, pf\] and y the first one in \[qs, qf\]; as the core of v is not
//! empty, x <= pf < qs <= y. Take a legal order of the rest. No other core holds x, so each
//! other value has pf >= x or qs <= x; likewise with y. Values with qs <= x can be moved to
//! before x (instants later than x become x: their ps <= qs <= x), those with pf >= y to
//! after y, and those with pf >= x and qs <= y to between x and y (instants become the nearest
//! one in \[x, y\]; ps <= qs <= y and pf, qf >= x). This leaves none: qs > x implies pf >= x, and
//! pf < y implies qs <= y. Moving instants to the nearest one of an interval keeps their order,
//! so each of the three groups stays legal; and they are apart. Push v at x, before all that is
//! between, and pop it at y, after all that.
//!
//! **4. Stuck.** If values are left and none can be peeled, the history is impossible. Their cores
//! form stretches of instants that are not free; take one, from a to b (a and b are free), and
//! only the values with a core in it: what is legal stays so when values are left out. Inside it
//! something is on the stack at every instant, so one value lies at the bottom throughout: it is
//! pushed by a and popped not before b, so ps <= a and b <= qf. As its core is in the stretch,
//! a <= pf and qs <= b. So it can be peeled.
//!
//! Peeling a value frees instants and takes none, so the order of peeling does not matter, and
//! `peel.rs` does it in O(n log n): each end of a core becomes free at most once, and each push
//! and pop stops waiting at most once.
//!
//! **5. Nil.** A pop that found nothing needs an instant that is free, in its own interval, from
//! the beginning. This is enough: at a free instant t the values fall into those with qs <= t and
//! those with pf >= t, and as in step 3 instants can be moved so that the former are gone and the
//! latter are still to come.
//!
//! **6. Pops without an answer** took one value each of those that nobody returned: on a stack it
//! may matter which. [`assign`](crate::queue) has the bounds and the search by which that is
//! decided, or left unknown. Without such pops nothing is ever unknown; pushes without an answer
//! make no difference.
//!
//! Witnesses are as for the [queue](crate::queue): values of which an operation is forgotten may
//! have come and gone at any time.

mod peel;

use crate::checker::{Checker, Options, Scope};
use crate::finding::{Relation, Witness};
use crate::history::{Operation, Value};
use crate::keys::KeyResult;
use crate::model;
use crate::queue::assign::{LeastFrom, Rule};
use crate::queue::cover::Cover;
use crate::queue::items::{AFTER_ALL, Item, Items, Vocabulary};
use crate::queue::judge::{Discipline, judge};
use crate::queue::telling::{Teller, sources};
use crate::queue::unknown;
use crate::search;
use crate::words::{few, list};

/// Last in, first out.
pub const STACK: Checker = Checker {
    name: "stack",
    check: "linearizable",
    about: "a linearizable last-in-first-out stack of unique values; O(n log n) if pops are \
            answered",
    functions: &["push", "pop"],
    scope: Scope::Key(|operations, options| {
        let answer = check_key(operations, options);
        search::where_undecided::<model::Stack>(answer, operations, options)
    }),
};

const WORDS: Vocabulary = Vocabulary {
    object: "stack",
    add: &["push"],
    remove: &["pop"],
    added: "pushed",
    removed: "popped",
    ordered: false,
};

const DISCIPLINE: Discipline =
    Discipline { rule: Rule { stuck: peel::stuck, deadlines }, evidence, tell };

/// Whether the operations of one stack are linearizable. Operations may come in any order.
pub fn check_key(operations: &[&Operation], options: &Options<'_>) -> KeyResult {
    if options.initial != Value::Nil {
        let reason = "this check begins with nothing inside";
        return unknown(operations, 0, reason.to_owned());
    }
    let teller = Teller { operations, words: &WORDS, clock: options.clock };
    match Items::collect(operations, &WORDS) {
        Ok(items) => judge(&teller, &items, &DISCIPLINE, options),
        Err(reason) => unknown(operations, 0, reason),
    }
}

/// A value must be gone before the pop ends of one that surely lies below it.
fn deadlines(items: &[Item]) -> Vec<u64> {
    let sorted = |stays: bool, key: fn(&Item) -> u64| {
        let mut numbers: Vec<u32> = (0..items.len() as u32)
            .filter(|number| items[*number as usize].stays() == stays)
            .collect();
        numbers.sort_by_key(|number| key(&items[*number as usize]));
        numbers
    };
    let above = sorted(true, |item| item.add_start);
    let mut below = sorted(false, |item| item.add_finish).into_iter().peekable();
    let by_pop = sorted(false, |item| item.remove_start);
    let starts: Vec<u64> = by_pop.iter().map(|i| items[*i as usize].remove_start).collect();
    let mut pops = LeastFrom::new(starts.len());
    let mut deadlines = vec![AFTER_ALL; items.len()];
    for number in above {
        let item = &items[number as usize];
        while let Some(other) = below.next_if(|i| items[*i as usize].add_finish < item.add_start) {
            let other = &items[other as usize];
            let position = starts.partition_point(|start| *start < other.remove_start);
            pops.lower(position, other.remove_finish);
        }
        let later = starts.partition_point(|start| *start <= item.add_finish);
        deadlines[number as usize] = pops.from(later);
    }
    deadlines
}

/// One violation for each stretch of the stuck cores; and of the stretch with the fewest items,
/// a few neighbours that are stuck by themselves.
fn evidence(items: &[Item], stuck: &[u32]) -> (usize, Vec<u32>) {
    let of = |numbers: &[u32]| -> Vec<Item> {
        numbers.iter().map(|number| items[*number as usize]).collect()
    };
    let stretches = Cover::of(&of(stuck));
    let stretch = |number: &u32| stretches.number(items[*number as usize].add_finish);
    let mut sizes = vec![0; stretches.len()];
    for number in stuck {
        sizes[stretch(number)] += 1;
    }
    let least = (0..sizes.len()).min_by_key(|i| sizes[*i]).unwrap_or_default();
    let mut inside: Vec<u32> = stuck.iter().copied().filter(|i| stretch(i) == least).collect();
    inside.sort_by_key(|number| items[*number as usize].add_finish);
    let mut size = 16;
    while size < inside.len() {
        let windows = (0..inside.len()).step_by(size / 2);
        for window in windows.map(|from| &inside[from..inside.len().min(from + size)]) {
            let left = peel::stuck(&of(window));
            if !left.is_empty() {
                return (sizes.len(), left.iter().map(|i| window[*i as usize]).collect());
            }
        }
        size *= 2;
    }
    (sizes.len(), inside)
}

/// The witness of items none of which can lie at the bottom, in one stretch.
fn tell(teller: &Teller<'_>, items: &Items, numbers: &[u32]) -> Witness {
    let told: Vec<Item> = numbers.iter().map(|number| items.items[*number as usize]).collect();
    // There is at least one, or nothing would be stuck.
    let first = told.iter().min_by_key(|item| item.add_finish).unwrap_or(&told[0]);
    let last = told.iter().max_by_key(|item| item.remove_start).unwrap_or(&told[0]);
    let (from, to) = (first.add_finish, last.remove_start);
    let until = match (last.stays(), to) {
        (false, _) => {
            format!("to {}, when {} began", teller.instant(to), teller.who(last.remove))
        }
        (true, AFTER_ALL) => "on".to_owned(),
        (true, _) => {
            format!("to {}, when the first pop without an answer began", teller.instant(to))
        }
    };
    let mut arrows = teller.lives(&told);
    let (mut late, mut early) = (Vec::new(), Vec::new());
    for item in &told {
        if item.add_start > from {
            late.push(format!(
                "{} began at {}",
                teller.who(item.add),
                teller.instant(item.add_start)
            ));
            arrows.push((first.add, item.add, Relation::RealTime));
        } else {
            let out = teller.instant(item.remove_finish);
            early.push(format!("{} ended at {out}", teller.who(item.remove)));
            if !last.stays() {
                arrows.push((item.remove, last.remove, Relation::RealTime));
            }
        }
    }
    let values: Vec<String> =
        told.iter().map(|item| teller.operations[item.add as usize].input.to_string()).collect();
    let sentence = format!(
        "of the values {} some were on the stack at every instant from {}, when {} ended, {until}, \
         so one of them lay at the bottom all that time; but {}, too late for that, and {}, too \
         early",
        few(&values, "and"),
        teller.instant(from),
        teller.who(first.add),
        list(&late),
        list(&early),
    );
    teller.witness(sentence, &sources(&told), &arrows)
}

#[cfg(test)]
mod tests;

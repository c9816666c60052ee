//! Linearizability of a set: `add`, `remove`, `contains`, and reads of the whole.
//!
//! # What is decided
//!
//! Whether all acknowledged operations, and any of those without an answer, can be put at instants
//! within their closed intervals so that every `contains` and `read` finds what the adds and
//! removals before it left. Failed operations, and `contains` and reads without an answer, say
//! nothing.
//!
//! - Without reads of the whole each element is an object of its own (linearizability is local,
//!   see [`keys`](crate::keys)), decided by `element.rs`; in time linear in its
//!   operations if it is never removed. Sets of unique adds are known to be linear (Abdulla et al.,
//!   PLDI 2025, arXiv 2509.17795, for complete operations).
//! - With reads of the whole but without removals: the set only grows, and the steps below decide
//!   it. This is a snapshot object, which is not local: two reads may contradict each other though
//!   each element by itself is in order.
//! - With both: unknown.
//!
//! # The set that only grows
//!
//! For each element e let `A` be the latest of: the earliest start of an add of it, and the start of
//! each `contains` that did not find it; and let `F` be the earliest finish of an acknowledged
//! add of it or a `contains` that found it (never, if there is none). Let e be added (for the
//! first time) at the instant t. All acknowledged adds take effect at t or later, so t is no
//! later than any of their finishes; likewise for the operations that found it; and no earlier than
//! the start of any that did not, or of all adds. So `A <= t <= F`. Conversely, any such t will
//! do: an add that began first takes effect at t (it is open then: it began by `A`, and ends no
//! earlier than `F` if acknowledged), all other adds of e at t or later, at which they change
//! nothing; `contains` fit before or after t by definition of `A` and `F`. So an element is an
//! interval, and its operations can be forgotten.
//!
//! Reads S, S' of one history have to be in each other (S in S' or S' in S), since the set grows.
//! Let them be sorted by size. If S is smaller than S', it is before it. A read of S comes after
//! the adding of all of its elements and before that of all others. So the order is made of
//! layers: the reads of the smallest set, the adding of what the second smallest has more, the
//! reads of that, and so on, and last the adding of what was never read (if it has to be: `F` is
//! not never).
//!
//! **Lemma.** Intervals that have to be passed in layers, in any order within a layer, can be
//! passed iff none in a later layer ends strictly before one in an earlier layer starts. (Give each
//! the instant `max` of its own start and all starts in earlier layers: no later than its finish,
//! and no earlier than those before it.)
//!
//! So the history is linearizable iff no pair contradicts it, and the pairs are these:
//! 1. `A > F` for an element: neither layer, but no interval at all.
//! 2. An element and a later read that has it: `A` > the finish of the read.
//! 3. A read without an element and that element: the start of the read > `F`.
//! 4. Two elements of different layers: there is a read between them, with the first and without
//!    the second: some read has the greatest `A` of its elements > the least `F` of all others.
//! 5. Two reads of different size: the start of the smaller > the finish of the larger.
//!
//! # Cost
//!
//! 1 is linear. For 2 to 4 each read needs a look at its own elements, and at the others in the
//! order of `F` until one is not in it: no more than its own size plus one. 5 is a running
//! maximum. O(n log n) in the number of elements read.

use super::element;
use super::parse::{Did, INITIAL, Read, Sets};
use crate::checker::{Checker, Options, Scope};
use crate::evidence::{BEFORE_ALL, NEVER, Span, Tally};
use crate::finding::Validity;
use crate::history::{Operation, Outcome};
use crate::keys::KeyResult;
use crate::model;
use crate::search;

mod explain;

/// A set as if there were one copy of it.
pub const LINEARIZABLE_SET: Checker = Checker {
    name: "linearizable-set",
    check: "linearizable",
    about: "a linearizable set; O(n log n), by search if elements are removed and the whole is read",
    functions: FUNCTIONS,
    scope: Scope::Key(|operations, options| {
        let answer = check_key(operations, options);
        search::where_undecided::<model::Set>(answer, operations, options)
    }),
};

const FUNCTIONS: &[&str] = &["add", "remove", "contains", "read"];

/// The interval in which an element is added, and the operations (by source) of its borders.
#[derive(Debug, Clone, Copy)]
struct Added {
    from: u64,
    /// A `contains` that did not find it; `None`: the adds.
    from_by: Option<u32>,
    by: u64,
    by_by: u32,
}

/// A contradiction; operations are sources.
#[derive(Debug, Clone, Copy)]
enum Violation {
    /// Nothing ever added it, and this found it.
    NeverAdded { element: u32, found: u32 },
    /// It was there (`by`), and later (`from`) not yet.
    Element { element: u32 },
    /// The read has it, but ended before it was added.
    TooEarly { element: u32, read: u32 },
    /// The read began when it was there, but does not have it.
    Missing { element: u32, read: u32 },
    /// The read has the one, so came after it, and lacks the other, so came before it.
    Between { has: u32, lacks: u32, read: u32 },
    /// Each has something that the other lacks.
    Apart { first: u32, second: u32, has: u32, lacks: u32 },
    /// The larger read ended before the smaller began, which lacks this element.
    Shrunk { larger: u32, smaller: u32, element: u32 },
}

/// A set that only grows.
struct Growing<'s> {
    sets: &'s Sets<'s>,
    added: Vec<Added>,
    /// Elements that were surely added, by the instant at which they surely were.
    by_finish: Vec<u32>,
    tally: Tally<Violation>,
}

impl<'s> Growing<'s> {
    fn check(sets: &'s Sets<'s>) -> Growing<'s> {
        let added = intervals(sets);
        let mut by_finish: Vec<u32> = (0..added.len() as u32).collect();
        by_finish.retain(|element| added[*element as usize].by != NEVER);
        by_finish.sort_by_key(|element| added[*element as usize].by);
        let mut growing = Growing { sets, added, by_finish, tally: Tally::default() };
        growing.check_elements();
        growing.check_each_read();
        growing.check_reads_together();
        growing
    }

    fn check_elements(&mut self) {
        for (element, added) in self.added.iter().enumerate() {
            let element = element as u32;
            if added.by < added.from {
                let violation = match added.from {
                    NEVER => Violation::NeverAdded { element, found: added.by_by },
                    _ => Violation::Element { element },
                };
                let rank = if added.from == NEVER { 3 } else { 0 };
                self.tally.add(rank, added.from - added.by, violation);
            }
        }
    }

    /// Each read against the elements that it has and lacks; one violation of each at most.
    fn check_each_read(&mut self) {
        let mut has_it = vec![usize::MAX; self.added.len()];
        for (position, read) in self.sets.reads.iter().enumerate() {
            let members = self.sets.members(read);
            members.iter().for_each(|element| has_it[*element as usize] = position);
            let lacks = self.by_finish.iter().copied().find(|e| has_it[*e as usize] != position);
            let has = members.iter().copied().max_by_key(|e| self.added[*e as usize].from);
            let Span { start, finish } = read.span;
            let read = read.source;
            let from = has.map_or(BEFORE_ALL, |element| self.added[element as usize].from);
            let by = lacks.map_or(NEVER, |element| self.added[element as usize].by);
            match (has, lacks) {
                (Some(element), _) if from == NEVER => {
                    self.tally.add(3, 0, Violation::NeverAdded { element, found: read });
                }
                (Some(element), _) if from > finish => {
                    self.tally.add(0, from - finish, Violation::TooEarly { element, read });
                }
                (_, Some(element)) if start > by => {
                    self.tally.add(0, start - by, Violation::Missing { element, read });
                }
                (Some(has), Some(lacks)) if from > by => {
                    self.tally.add(0, from - by, Violation::Between { has, lacks, read });
                }
                _ => {}
            }
        }
    }

    /// The reads against each other, in the order of their sizes.
    fn check_reads_together(&mut self) {
        let mut reads: Vec<&Read> = self.sets.reads.iter().collect();
        reads.sort_by_key(|read| self.sets.members(read).len());
        let mut has_it = vec![usize::MAX; self.added.len()];
        let mut other_has_it = has_it.clone();
        // Of all smaller reads, the one that began last.
        let mut latest: Option<&Read> = None;
        let mut latest_so_far: Option<&Read> = None;
        for (position, read) in reads.iter().copied().enumerate() {
            let members = self.sets.members(read);
            members.iter().for_each(|element| has_it[*element as usize] = position);
            let Some(previous) = position.checked_sub(1).map(|previous| reads[previous]) else {
                latest_so_far = Some(read);
                continue;
            };
            if self.sets.members(previous).len() < members.len() {
                latest = latest_so_far;
            }
            let lacking = |other: &Read| {
                let others = self.sets.members(other);
                others.iter().copied().find(|element| has_it[*element as usize] != position)
            };
            let mut not_in = |other: &Read| {
                let others = self.sets.members(other);
                others.iter().for_each(|element| other_has_it[*element as usize] = position);
                members.iter().copied().find(|element| other_has_it[*element as usize] != position)
            };
            if let Some(lacks) = lacking(previous) {
                if let Some(has) = not_in(previous) {
                    let (first, second) = (previous.source, read.source);
                    let violation = Violation::Apart { first, second, has, lacks };
                    self.tally.add(2, 0, violation);
                }
            } else if let Some(smaller) = latest.filter(|r| r.span.start > read.span.finish)
                && let Some(element) = not_in(smaller)
            {
                let margin = smaller.span.start - read.span.finish;
                let (larger, smaller) = (read.source, smaller.source);
                self.tally.add(0, margin, Violation::Shrunk { larger, smaller, element });
            }
            if latest_so_far.is_none_or(|latest| read.span.start > latest.span.start) {
                latest_so_far = Some(read);
            }
        }
    }
}

/// When each element was added.
fn intervals(sets: &Sets<'_>) -> Vec<Added> {
    let mut added: Vec<Added> = sets
        .added_from()
        .into_iter()
        .map(|from| Added { from, from_by: None, by: NEVER, by_by: INITIAL })
        .collect();
    for touch in &sets.touches {
        let added = &mut added[touch.element as usize];
        match touch.did {
            Did::Add | Did::Contains(true) if touch.span.finish < added.by => {
                (added.by, added.by_by) = (touch.span.finish, touch.source);
            }
            Did::Contains(false) if touch.span.start > added.from => {
                (added.from, added.from_by) = (touch.span.start, Some(touch.source));
            }
            _ => {}
        }
    }
    added
}

fn check_key(operations: &[&Operation], options: &Options<'_>) -> KeyResult {
    let mut result = KeyResult::of(operations.len());
    let sets = match Sets::of(operations, &options.initial, FUNCTIONS) {
        Ok(sets) => sets,
        Err(reason) => {
            result.validity = Validity::Unknown { reason };
            return result;
        }
    };
    let asked = sets.touches.iter().filter(|touch| matches!(touch.did, Did::Contains(_)));
    result.observations = sets.reads.len() + asked.count();
    let removes = |operation: &&&Operation| {
        operation.f.as_str() == "remove" && operation.outcome != Outcome::Fail
    };
    if operations.iter().find(removes).is_none() {
        let growing = Growing::check(&sets);
        result.violations = growing.tally.violations;
        if let Some(witness) = explain::explain(&growing, operations, options.clock) {
            result.validity = Validity::Invalid { witness: Box::new(witness) };
        }
    } else if sets.reads.is_empty() {
        element::check_each(&sets, operations, options, &mut result);
    } else {
        result.validity = Validity::Unknown {
            reason: "elements are removed and the whole set is read; only one of the two is \
                     decided here (`set-full` says what became of each element)"
                .to_owned(),
        };
    }
    result
}

//! The sentence of a violation of a counter, and the operations that prove it.
//!
//! To forget an add means: it may have been done at any time, or never. To forget a read: it is
//! left out. Where the bounds alone refute a read, a forgotten add may even have been done in part:
//! a person checks two bounds sooner than that no subset adds up to a number.

use super::Violation;
use super::adds::{Add, Adds, Read};
use super::sums::{self, Sum};
use crate::checker::Options;
use crate::evidence::{BEFORE_ALL, NEVER, Span, answer, doer, enough, witness};
use crate::finding::{Relation, Witness};
use crate::history::Operation;
use crate::limits::Limits;
use crate::minimise::minimise;
use crate::words::{count, few, who};

/// Of more adds than this, those that are needed are not searched for.
const ADDS_TO_MINIMISE: usize = 300;

const NO_SUM: &str = "no sum of the adds that could have counted is that";

pub(super) fn explain(
    violation: &Violation,
    counter: &Adds,
    operations: &[&Operation],
    options: &Options<'_>,
) -> Witness {
    let teller = Teller { counter, operations, options };
    match *violation {
        Violation::NoSum { read } => teller.no_sum(&counter.reads[read]),
        Violation::Back { earlier, later } => {
            teller.back(earlier.map(|earlier| &counter.reads[earlier]), &counter.reads[later])
        }
    }
}

struct Teller<'t> {
    counter: &'t Adds,
    operations: &'t [&'t Operation],
    options: &'t Options<'t>,
}

impl<'t> Teller<'t> {
    fn at(&self, source: u32) -> &'t Operation {
        self.operations[source as usize]
    }

    fn returned(&self, read: &Read) -> String {
        let operation = self.at(read.source);
        format!(
            "the {} that began at {} and ended at {} returned {}",
            doer(operation),
            self.options.clock.instant(operation.invoke),
            self.options.clock.instant(operation.complete.unwrap_or(operation.invoke)),
            read.value + self.counter.initial
        )
    }

    /// The read is outside of what the adds allow together, or between two sums.
    fn no_sum(&self, read: &Read) -> Witness {
        let adds = &self.counter.adds;
        let sum = |sign: i128| -> i128 { adds.iter().map(|add| (add.delta * sign).max(0)).sum() };
        // The counter is at least the sum of all that takes away, if nothing is known of when. What
        // surely had been added, and what was taken away only later, raise that.
        for (sign, bound) in [(1, "at least"), (-1, "at most")] {
            let (value, floor) = (read.value * sign, -sum(-sign));
            let raises = |add: &&Add| {
                let (before, after) = self.sides(add, read);
                before && add.delta * sign > 0 || after && add.delta * sign < 0
            };
            let amounts: Vec<(i128, &Add)> =
                adds.iter().filter(raises).map(|add| (add.delta.abs(), add)).collect();
            if floor + amounts.iter().map(|(amount, _)| amount).sum::<i128>() > value {
                let kept = enough(amounts, value - floor);
                let raised: i128 = kept.iter().map(|add| add.delta.abs()).sum();
                let limit = (floor + raised) * sign + self.counter.initial;
                let said = format!("the counter was {bound} {limit} all the time");
                return self.with_adds(read, &said, &kept, "");
            }
        }
        let all: Vec<u32> = adds.iter().map(|add| add.source).collect();
        if all.len() > ADDS_TO_MINIMISE {
            let more = format!(
                "; which of the {} are needed to see that was not searched for",
                count(all.len(), "add")
            );
            return self.with_adds(read, NO_SUM, &[], &more);
        }
        self.between(read, &self.needed(read, &all))
    }

    /// As many of these adds, which refute the read, as are needed.
    fn needed(&self, read: &Read, adds: &[u32]) -> Vec<u32> {
        let mut is_refuted = |kept: &[u32]| {
            let mut counter = self.counter.clone();
            counter.reads = vec![*read];
            for add in &mut counter.adds {
                if !kept.contains(&add.source) {
                    add.span = Span { start: BEFORE_ALL, finish: NEVER };
                }
            }
            let bounds = sums::check_each(&counter, &Limits::default());
            bounds.iter().all(|bounds| bounds.sum == Sum::Impossible)
        };
        if is_refuted(&[]) { Vec::new() } else { minimise(adds, &mut is_refuted) }
    }

    /// Whether the add had surely taken effect before the read, or had not yet begun after it.
    fn sides(&self, add: &Add, read: &Read) -> (bool, bool) {
        (add.span.finish < read.span.start, add.span.start > read.span.finish)
    }

    /// The read with the adds because of which no sum is what it returned.
    fn between(&self, read: &Read, needed: &[u32]) -> Witness {
        let adds: Vec<&Add> =
            self.counter.adds.iter().filter(|add| needed.contains(&add.source)).collect();
        let more = if adds.is_empty() { ", whenever they were" } else { "" };
        self.with_adds(read, NO_SUM, &adds, more)
    }

    /// The read with these adds, which are told apart by whether they came before or after.
    fn with_adds(&self, read: &Read, said: &str, adds: &[&Add], more: &str) -> Witness {
        let mut told = [Vec::new(), Vec::new(), Vec::new()];
        let mut shown = vec![self.at(read.source)];
        let mut arrows = Vec::new();
        for add in adds {
            let (before, after) = self.sides(add, read);
            let side = if before { 0 } else { 1 + usize::from(after) };
            told[side].push(who(self.at(add.source)));
            if before {
                arrows.push((shown.len(), 0, Relation::RealTime));
            } else if after {
                arrows.push((0, shown.len(), Relation::RealTime));
            }
            shown.push(self.at(add.source));
        }
        let mut sentence = format!("{}, but {said}{more}", self.returned(read));
        for (told, when) in told.iter().zip([
            "had been acknowledged before",
            "went on at the same time",
            "began only later",
        ]) {
            if !told.is_empty() {
                sentence += &format!("; {} {when}", few(told, "and"));
            }
        }
        witness(sentence, &shown, &arrows)
    }

    /// Two reads, and as many of the adds between as it takes.
    fn back(&self, earlier: Option<&Read>, later: &Read) -> Witness {
        let sign = self.counter.sign().unwrap_or(1);
        let (value, ended) = earlier.map_or((0, BEFORE_ALL), |read| (read.value, read.span.finish));
        let between: Vec<(i128, &Add)> = self
            .counter
            .adds
            .iter()
            .filter(|add| add.span.start > ended && add.span.finish < later.span.start)
            .map(|add| (add.delta.abs(), add))
            .collect();
        let kept = enough(between, (later.value - value) * sign);
        let adds: Vec<String> = kept.iter().map(|add| who(self.at(add.source))).collect();
        let began = match earlier {
            Some(earlier) => {
                let operation = self.at(earlier.source);
                format!(
                    "the {}, {}, returned {}",
                    doer(operation),
                    answer(operation, self.options.clock),
                    value + self.counter.initial
                )
            }
            None => format!("the counter began at {}", self.counter.initial),
        };
        let then = match adds.len() {
            0 => String::new(),
            _ => format!(", and after that {} began and had been acknowledged", few(&adds, "and")),
        };
        let operation = self.at(later.source);
        let sentence = format!(
            "{began}{then}, but the {} that began at {} returned {}",
            doer(operation),
            self.options.clock.instant(operation.invoke),
            later.value + self.counter.initial
        );
        let earlier = earlier.map(|read| self.at(read.source));
        let mut shown: Vec<&Operation> = vec![operation];
        shown.extend(kept.iter().map(|add| self.at(add.source)));
        let mut arrows: Vec<_> = (1..shown.len()).map(|add| (add, 0, Relation::RealTime)).collect();
        if let Some(earlier) = earlier {
            let last = shown.len();
            arrows.extend((1..last).map(|add| (last, add, Relation::RealTime)));
            arrows.push((last, 0, Relation::RealTime));
            shown.push(earlier);
        }
        witness(sentence, &shown, &arrows)
    }
}

//! The sentence of a contradiction in a set that only grows, and the operations that prove it.
//!
//! To forget an add means: it may have been done at any time, or never. What was only read is left
//! out. So where it matters when an element was added first, all adds of it are shown.

use super::{Growing, Violation};
use crate::clock::Clock;
use crate::evidence::{answer, doer, witness};
use crate::finding::{Relation, Witness};
use crate::history::{Operation, Outcome};

pub(super) fn explain(
    growing: &Growing<'_>,
    operations: &[&Operation],
    clock: Clock,
) -> Option<Witness> {
    let teller = Teller { growing, operations, clock };
    Some(match *growing.tally.worst()? {
        Violation::NeverAdded { element, found } => teller.never_added(element, found),
        Violation::Element { element } => teller.element(element),
        Violation::TooEarly { element, read } => teller.too_early(element, read),
        Violation::Missing { element, read } => teller.missing(element, read),
        Violation::Between { has, lacks, read } => teller.between(has, lacks, read),
        Violation::Apart { first, second, has, lacks } => {
            teller.apart([first, second], [has, lacks])
        }
        Violation::Shrunk { larger, smaller, element } => teller.shrunk(larger, smaller, element),
    })
}

struct Teller<'t> {
    growing: &'t Growing<'t>,
    operations: &'t [&'t Operation],
    clock: Clock,
}

impl<'t> Teller<'t> {
    /// The operation of that source; `None` for what was there from the beginning.
    fn at(&self, source: u32) -> Option<&'t Operation> {
        self.operations.get(source as usize).copied()
    }

    fn value(&self, element: u32) -> String {
        self.growing.sets.values[element as usize].to_string()
    }

    fn began(&self, operation: &Operation) -> String {
        format!("the {} that began at {}", doer(operation), self.clock.instant(operation.invoke))
    }

    fn ended(&self, operation: &Operation) -> String {
        format!("the {}, {}", doer(operation), answer(operation, self.clock))
    }

    /// What bounds the adding of an element from below: the `contains` that did not find it, or
    /// all of its adds that did not fail.
    fn not_before(&self, element: u32) -> (String, Vec<&'t Operation>) {
        let value = self.value(element);
        let added = self.growing.added[element as usize];
        if let Some(contains) = added.from_by.and_then(|source| self.at(source)) {
            return (format!("{} did not find {value}", self.began(contains)), vec![contains]);
        }
        let element_value = self.growing.sets.values[element as usize];
        let mut adds: Vec<&Operation> = self
            .operations
            .iter()
            .copied()
            .filter(|o| o.f.as_str() == "add" && o.outcome != Outcome::Fail)
            .filter(|o| o.input == *element_value)
            .collect();
        adds.sort_by_key(|add| (add.invoke, add.index));
        let said = match adds.first() {
            Some(first) => format!("{} was the first add of {value}", self.began(first)),
            None => format!("no operation added {value}"),
        };
        (said, adds)
    }

    /// What bounds the adding of an element from above, if it was not there from the beginning.
    fn there_by(&self, element: u32) -> (String, Option<&'t Operation>) {
        let value = self.value(element);
        match self.at(self.growing.added[element as usize].by_by) {
            Some(add) if add.f.as_str() == "add" => {
                (format!("{value} was added by {}", self.ended(add)), Some(add))
            }
            Some(found) => (format!("{value} was found by {}", self.ended(found)), Some(found)),
            None => (format!("{value} was there from the beginning"), None),
        }
    }

    fn never_added(&self, element: u32, found: u32) -> Witness {
        let found = self.operations[found as usize];
        let value = self.value(element);
        let sentence = format!(
            "{} found {value}, but no operation that did not fail added it",
            self.ended(found)
        );
        witness(sentence, &[found], &[])
    }

    fn element(&self, element: u32) -> Witness {
        let (there, by) = self.there_by(element);
        let (not_before, from) = self.not_before(element);
        let sentence = format!("{there}, but {not_before}");
        self.between_all(sentence, by, &from, &[])
    }

    /// A witness in which `by` ended before each of `from` began.
    fn between_all(
        &self,
        sentence: String,
        by: Option<&'t Operation>,
        from: &[&'t Operation],
        more: &[&'t Operation],
    ) -> Witness {
        let by: Vec<&Operation> = by.into_iter().collect();
        let shown = [by.as_slice(), from, more].concat();
        let arrows: Vec<_> =
            (by.len()..by.len() + from.len()).map(|to| (0, to, Relation::RealTime)).collect();
        witness(sentence, &shown, if by.is_empty() { &[] } else { &arrows })
    }

    fn too_early(&self, element: u32, read: u32) -> Witness {
        let read = self.operations[read as usize];
        let (not_before, from) = self.not_before(element);
        let sentence =
            format!("{} has {}, but {not_before}", self.ended(read), self.value(element));
        self.between_all(sentence, Some(read), &from, &[])
    }

    fn missing(&self, element: u32, read: u32) -> Witness {
        let read = self.operations[read as usize];
        let (there, by) = self.there_by(element);
        let sentence = format!("{there}, but {} does not have it", self.began(read));
        self.between_all(sentence, by, &[read], &[])
    }

    fn between(&self, has: u32, lacks: u32, read: u32) -> Witness {
        let read = self.operations[read as usize];
        let (there, by) = self.there_by(lacks);
        let (not_before, from) = self.not_before(has);
        let sentence = format!(
            "{there} before {not_before}, but the {} has {} and not {}",
            doer(read),
            self.value(has),
            self.value(lacks)
        );
        self.between_all(sentence, by, &from, &[read])
    }

    fn apart(&self, reads: [u32; 2], [has, lacks]: [u32; 2]) -> Witness {
        let [first, second] = reads.map(|read| self.operations[read as usize]);
        let (has, lacks) = (self.value(has), self.value(lacks));
        let sentence = format!(
            "{} has {lacks} and not {has}, but {} has {has} and not {lacks}; nothing is ever removed",
            self.ended(first),
            self.ended(second)
        );
        witness(sentence, &[first, second], &[])
    }

    fn shrunk(&self, larger: u32, smaller: u32, element: u32) -> Witness {
        let [larger, smaller] = [larger, smaller].map(|read| self.operations[read as usize]);
        let sentence = format!(
            "{} has {}, but {} does not have it",
            self.ended(larger),
            self.value(element),
            self.began(smaller)
        );
        witness(sentence, &[larger, smaller], &[(0, 1, Relation::RealTime)])
    }
}

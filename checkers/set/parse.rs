//! The operations of one set as tables of numbers.

use crate::evidence::{BEFORE_ALL, NEVER, Span, refusal};
use crate::history::{Operation, Outcome, Value};
use crate::numbering::Numbering;

/// What an operation did with one element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Did {
    Add,
    Remove,
    /// It was asked for, and there or not.
    Contains(bool),
}

/// An operation on one element that may have taken effect.
#[derive(Debug, Clone, Copy)]
pub(super) struct Touch {
    pub element: u32,
    pub did: Did,
    pub span: Span,
    /// Position of the operation in the caller's slice; [`INITIAL`] for what was there before.
    pub source: u32,
}

/// The source of what was there before the first operation.
pub(super) const INITIAL: u32 = u32::MAX;

/// An acknowledged read of the whole set.
#[derive(Debug, Clone, Copy)]
pub(super) struct Read {
    pub span: Span,
    pub source: u32,
    /// Where its elements begin and end in [`Sets::members`].
    first: usize,
    last: usize,
}

/// The operations of one set.
#[derive(Debug, Default)]
pub(super) struct Sets<'a> {
    /// What each number of an element stands for.
    pub values: Vec<&'a Value>,
    /// In the caller's order, what was there before first.
    pub touches: Vec<Touch>,
    /// In the order of their beginnings.
    pub reads: Vec<Read>,
    /// The elements of all reads, of each read each element once.
    members: Vec<u32>,
    /// A read (by its source) that had an element more than once; each pair once.
    pub duplicates: Vec<(u32, u32)>,
}

impl<'a> Sets<'a> {
    /// # Errors
    /// A sentence that names the first operation that such a set does not have.
    pub fn of(
        operations: &[&'a Operation],
        initial: &'a Value,
        functions: &[&str],
    ) -> Result<Self, String> {
        let mut sets = Sets::default();
        let mut numbering = Numbering::default();
        let there = elements(initial)
            .ok_or_else(|| format!("the set begins as {initial}, which is no list"))?;
        for element in there {
            let span = Span { start: BEFORE_ALL, finish: BEFORE_ALL };
            let element = numbering.number(element);
            sets.touches.push(Touch { element, did: Did::Add, span, source: INITIAL });
        }
        // Of each element, the read that had it last.
        let mut seen: Vec<u32> = Vec::new();
        for (source, operation) in operations.iter().enumerate() {
            let f = operation.f.as_str();
            if !functions.contains(&f) {
                return Err(refusal(operation, &format!("this set has {}", functions.join(", "))));
            }
            let span = Span::of(operation)?;
            let source = source as u32;
            let did = match (f, operation.outcome, &operation.output) {
                (_, Outcome::Fail, _) | ("read" | "contains", Outcome::Info, _) => continue,
                ("add", ..) => Did::Add,
                ("remove", ..) => Did::Remove,
                ("contains", _, Value::Bool(is_there)) => Did::Contains(*is_there),
                ("read", _, output) if elements(output).is_some() => {
                    sets.read(output, (span, source), &mut numbering, &mut seen);
                    continue;
                }
                _ => {
                    return Err(format!(
                        "operation {} is {f} and returned {}; a read returns a list, and contains \
                         a boolean",
                        operation.index, operation.output
                    ));
                }
            };
            let element = numbering.number(&operation.input);
            sets.touches.push(Touch { element, did, span, source });
        }
        sets.reads.sort_by_key(|read| (read.span.start, read.source));
        sets.values = numbering.into_values();
        Ok(sets)
    }

    fn read(
        &mut self,
        output: &'a Value,
        (span, source): (Span, u32),
        numbering: &mut Numbering<'a>,
        seen: &mut Vec<u32>,
    ) {
        let first = self.members.len();
        let duplicates = self.duplicates.len();
        for element in elements(output).into_iter().flatten() {
            let element = numbering.number(element);
            seen.resize(seen.len().max(numbering.len()), INITIAL);
            if seen[element as usize] == source {
                self.duplicates.push((source, element));
            } else {
                seen[element as usize] = source;
                self.members.push(element);
            }
        }
        self.duplicates[duplicates..].sort_unstable();
        self.duplicates.dedup();
        self.reads.push(Read { span, source, first, last: self.members.len() });
    }

    /// The elements that a read returned, each once.
    pub fn members(&self, read: &Read) -> &[u32] {
        &self.members[read.first..read.last]
    }

    /// The touches of each element.
    pub fn touches_by_element(&self) -> Grouped<Touch> {
        let touches = self.touches.iter().map(|touch| (touch.element, *touch));
        Grouped::new(self.values.len(), touches)
    }

    /// For each element the positions (in [`Sets::reads`]) of the reads that have it, growing.
    pub fn reads_by_element(&self) -> Grouped<u32> {
        let all = self.reads.iter().enumerate().flat_map(|(position, read)| {
            self.members(read).iter().map(move |element| (*element, position as u32))
        });
        Grouped::new(self.values.len(), all)
    }

    /// Of each element, the earliest start of what may have added it; [`NEVER`] if nothing may.
    pub fn added_from(&self) -> Vec<u64> {
        let mut added_from = vec![NEVER; self.values.len()];
        for touch in self.touches.iter().filter(|touch| touch.did == Did::Add) {
            let from = &mut added_from[touch.element as usize];
            *from = touch.span.start.min(*from);
        }
        added_from
    }
}

/// The elements of a list; nil is the empty one.
fn elements(list: &Value) -> Option<&[Value]> {
    match list {
        Value::Nil => Some(&[]),
        Value::List(items) => Some(items),
        _ => None,
    }
}

/// Things grouped by element, in one array.
#[derive(Debug)]
pub(super) struct Grouped<T> {
    /// Where each element's begin; one more at the end.
    begins: Vec<usize>,
    things: Vec<T>,
}

impl<T: Copy> Grouped<T> {
    fn new(elements: usize, all: impl Iterator<Item = (u32, T)> + Clone) -> Self {
        let mut begins = vec![0; elements + 1];
        for (element, _) in all.clone() {
            begins[element as usize + 1] += 1;
        }
        for element in 0..elements {
            begins[element + 1] += begins[element];
        }
        let mut free = begins.clone();
        let mut things: Vec<T> = Vec::new();
        for (element, thing) in all {
            things.resize(begins[elements], thing);
            things[free[element as usize]] = thing;
            free[element as usize] += 1;
        }
        Grouped { begins, things }
    }

    pub fn of(&self, element: u32) -> &[T] {
        &self.things[self.begins[element as usize]..self.begins[element as usize + 1]]
    }
}

//! Operations as the checks of queues, stacks and priority queues see them: one item per value,
//! with two intervals.
//!
//! Values become dense numbers and items a plain array. What is decided here holds for every
//! object that hands out what was put in, in whatever order: a value that was never put in, one
//! that came out twice, one that came out before it was put in.

use crate::history::{Operation, Outcome, Value};
use crate::numbering::Numbering;

/// What an object calls its operations.
#[derive(Debug)]
pub(crate) struct Vocabulary {
    /// `queue`
    pub object: &'static str,
    pub add: &'static [&'static str],
    pub remove: &'static [&'static str],
    /// `enqueued`
    pub added: &'static str,
    /// `dequeued`
    pub removed: &'static str,
    /// Whether only integers can be put in.
    pub ordered: bool,
}

/// After every recorded instant: when an operation ends that may still take effect.
pub(crate) const AFTER_ALL: u64 = u64::MAX;

/// In place of an operation's position: there is none.
pub(crate) const NOBODY: u32 = u32::MAX;

/// A value that was surely put in, with the closed intervals of its coming and going.
///
/// The intervals are tight: nothing comes out before it is in, so coming ends no later than
/// going ends, and going starts no earlier than coming starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Item {
    pub add_start: u64,
    pub add_finish: u64,
    /// [`AFTER_ALL`], as is its finish, if the value never came out.
    pub remove_start: u64,
    pub remove_finish: u64,
    /// Position of the operation in the caller's slice.
    pub add: u32,
    /// Likewise; [`NOBODY`] if no acknowledged operation returned the value.
    pub remove: u32,
}

impl Item {
    const NEW: Item = Item {
        add_start: 0,
        add_finish: AFTER_ALL,
        remove_start: AFTER_ALL,
        remove_finish: AFTER_ALL,
        add: NOBODY,
        remove: NOBODY,
    };

    /// Whether no acknowledged operation returned it.
    pub fn stays(&self) -> bool {
        self.remove == NOBODY
    }

    /// The open interval in which the value is there for certain: after its coming has ended and
    /// before its going has begun.
    pub fn core(&self) -> Option<(u64, u64)> {
        (self.add_finish < self.remove_start).then_some((self.add_finish, self.remove_start))
    }
}

/// When an operation ran, and its position in the caller's slice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub start: u64,
    pub finish: u64,
    pub source: u32,
}

/// What no object of the kind can have answered. Numbers are positions in the caller's slice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It returned a value that nothing put in.
    NeverAdded { remove: u32 },
    /// Both returned a value that was put in once.
    RemovedTwice { first: u32, second: u32 },
    /// It ended before the value that it returned began to be put in.
    RemovedFirst { add: u32, remove: u32 },
}

/// What is left of the operations of one object.
#[derive(Debug, Default)]
pub(crate) struct Items {
    pub items: Vec<Item>,
    /// Acknowledged removals that found nothing.
    pub empties: Vec<Span>,
    /// When the removals without an answer started, in order. Each may have taken any one value.
    pub unanswered: Vec<u64>,
    pub faults: Vec<Fault>,
    /// An operation that put in a value for the second time. If there is one, only the faults
    /// with a value that was never put in can be trusted.
    pub repeated: Option<u32>,
    /// How many acknowledged operations say something of what was inside.
    pub observations: usize,
}

impl Items {
    /// Sorts the operations of one object into items.
    ///
    /// # Errors
    /// A sentence that names the first operation that the object does not have, or that cannot
    /// be an operation at all.
    pub fn collect(operations: &[&Operation], words: &Vocabulary) -> Result<Items, String> {
        let mut items = Items::default();
        let mut numbers = Numbering::of(operations.len());
        for (source, operation) in operations.iter().enumerate() {
            let source = source as u32;
            let adds = is_addition(operation, words)?;
            if operation.outcome == Outcome::Fail {
                continue;
            }
            let span = span(operation, source)?;
            if adds {
                items.add(&mut numbers, operation, span, words)?;
            } else if operation.outcome == Outcome::Info {
                items.unanswered.push(span.start);
            } else {
                items.observations += 1;
                items.remove(&mut numbers, &operation.output, span);
            }
        }
        items.unanswered.sort_unstable();
        items.settle();
        Ok(items)
    }

    fn add<'a>(
        &mut self,
        numbers: &mut Numbering<'a>,
        operation: &'a Operation,
        span: Span,
        words: &Vocabulary,
    ) -> Result<(), String> {
        let value = &operation.input;
        if *value == Value::Nil || (words.ordered && !matches!(value, Value::Int(_))) {
            return Err(format!(
                "operation {} is {} of {value}; a {} takes {}",
                operation.index,
                operation.f,
                words.object,
                if words.ordered { "integers" } else { "any value but nil, which means empty" },
            ));
        }
        let item = self.item(numbers.number(value) as usize);
        if item.add == NOBODY {
            (item.add_start, item.add_finish, item.add) = (span.start, span.finish, span.source);
        } else {
            self.repeated.get_or_insert(span.source);
        }
        Ok(())
    }

    fn remove<'a>(&mut self, numbers: &mut Numbering<'a>, value: &'a Value, span: Span) {
        if *value == Value::Nil {
            self.empties.push(span);
            return;
        }
        let item = self.item(numbers.number(value) as usize);
        if item.remove == NOBODY {
            item.remove_start = span.start;
            item.remove_finish = span.finish;
            item.remove = span.source;
        } else {
            let fault = Fault::RemovedTwice { first: item.remove, second: span.source };
            self.faults.push(fault);
        }
    }

    fn item(&mut self, number: usize) -> &mut Item {
        if number == self.items.len() {
            self.items.push(Item::NEW);
        }
        &mut self.items[number]
    }

    /// Finds the faults, leaves out what surely or possibly never was inside, and tightens the
    /// intervals of the rest.
    fn settle(&mut self) {
        let faults = &mut self.faults;
        self.items.retain_mut(|item| {
            if item.add == NOBODY {
                faults.push(Fault::NeverAdded { remove: item.remove });
                return false;
            }
            if item.stays() {
                return item.add_finish != AFTER_ALL;
            }
            if item.remove_finish < item.add_start {
                faults.push(Fault::RemovedFirst { add: item.add, remove: item.remove });
                return false;
            }
            item.add_finish = item.add_finish.min(item.remove_finish);
            item.remove_start = item.remove_start.max(item.add_start);
            true
        });
        // A value that never came in came out: one reason to doubt it is enough.
        if self.repeated.is_some() {
            faults.retain(|fault| matches!(fault, Fault::NeverAdded { .. }));
        }
    }

    /// The fault that no clock can excuse, if there is one.
    pub fn worst_fault(&self) -> Option<Fault> {
        let rank = |fault: &Fault| match fault {
            Fault::NeverAdded { .. } => 0,
            Fault::RemovedTwice { .. } => 1,
            Fault::RemovedFirst { .. } => 2,
        };
        self.faults.iter().copied().min_by_key(rank)
    }

    /// Items that no acknowledged operation returned, by the end of their coming.
    pub fn staying(&self) -> Vec<u32> {
        let numbers = 0..self.items.len() as u32;
        let mut staying: Vec<u32> = numbers.filter(|i| self.items[*i as usize].stays()).collect();
        staying.sort_by_key(|i| self.items[*i as usize].add_finish);
        staying
    }

    /// Gives the removals without an answer, in the order of their starts, to the values that
    /// nobody returned, in the order in which their coming ended.
    pub fn pair_in_order(&mut self) {
        if self.unanswered.is_empty() {
            return;
        }
        for (number, start) in self.staying().into_iter().zip(&self.unanswered) {
            let item = &mut self.items[number as usize];
            item.remove_start = item.add_start.max(*start);
        }
    }

    /// A copy of the items, the empties and the removals without an answer, paired in order.
    pub fn paired(&self) -> Items {
        let mut paired = Items {
            items: self.items.clone(),
            empties: self.empties.clone(),
            unanswered: self.unanswered.clone(),
            ..Items::default()
        };
        paired.pair_in_order();
        paired
    }

    /// How many removals without an answer had begun at that instant.
    pub fn unanswered_by(&self, instant: u64) -> usize {
        self.unanswered.partition_point(|start| *start <= instant)
    }

    /// These items and these operations that found nothing, with all other values forgotten:
    /// nobody knows when those came or went. Removals without an answer stay.
    pub fn alone(&self, numbers: &[u32], empties: &[Span]) -> Items {
        let item = |number: &u32| {
            let item = self.items[*number as usize];
            let remove_start = if item.stays() { AFTER_ALL } else { item.remove_start };
            Item { remove_start, ..item }
        };
        Items {
            items: numbers.iter().map(item).collect(),
            empties: empties.to_vec(),
            unanswered: self.unanswered.clone(),
            ..Items::default()
        }
    }
}

/// Whether the operation puts something in; else it takes something out.
fn is_addition(operation: &Operation, words: &Vocabulary) -> Result<bool, String> {
    let name = operation.f.as_str();
    if words.add.contains(&name) {
        return Ok(true);
    }
    if words.remove.contains(&name) {
        return Ok(false);
    }
    let all: Vec<&str> = words.add.iter().chain(words.remove).copied().collect();
    Err(format!(
        "operation {} is `{name}`; a {} has {}",
        operation.index,
        words.object,
        crate::words::list(&all)
    ))
}

/// When the operation can have taken effect.
pub(crate) fn span(operation: &Operation, source: u32) -> Result<Span, String> {
    let (start, end) = operation.interval()?;
    let finish = if operation.outcome == Outcome::Ok { end.0 } else { AFTER_ALL };
    Ok(Span { start: start.0, finish, source })
}

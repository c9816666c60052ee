//! Witnesses: from the operations that prove a violation to a sentence for a person.

use rustc_hash::FxHashMap;

use super::items::{Fault, Item, Items, NOBODY, Span, Vocabulary};
use crate::clock::Clock;
use crate::finding::{Arrow, Relation, Witness};
use crate::history::{Operation, Outcome, Time, Value};
use crate::words::{count, few, place};

/// Tells of the operations of one object.
#[derive(Clone, Copy)]
pub(crate) struct Teller<'t> {
    pub operations: &'t [&'t Operation],
    pub words: &'t Vocabulary,
    pub clock: Clock,
}

/// `enqueue(7)`, `dequeue -> 7`.
fn shown(operation: &Operation) -> String {
    match operation.input {
        Value::Nil if operation.outcome == Outcome::Ok => {
            format!("{} -> {}", operation.f, operation.output)
        }
        Value::Nil => operation.f.to_string(),
        _ => operation.to_string(),
    }
}

impl<'t> Teller<'t> {
    fn operation(&self, source: u32) -> &'t Operation {
        self.operations[source as usize]
    }

    /// `enqueue(7) at n1`, or `enqueue(7) by process 3` where no node is known.
    pub fn who(&self, source: u32) -> String {
        let operation = self.operation(source);
        let place = match operation.node {
            Some(_) => place(operation),
            None => format!(" by process {}", operation.process),
        };
        shown(operation) + &place
    }

    pub fn instant(&self, instant: u64) -> String {
        self.clock.instant(Time(instant))
    }

    pub fn gap(&self, from: u64, to: u64) -> String {
        self.clock.gap(Time(to).since(Time(from)))
    }

    fn value(&self, item: &Item) -> &'t Value {
        &self.operation(item.add).input
    }

    /// `1`, `1 and 2`, `1, 2 and 3`.
    fn values(&self, items: &[Item]) -> String {
        let values: Vec<String> = items.iter().map(|item| self.value(item).to_string()).collect();
        few(&values, "and")
    }

    /// The witness of something that no object of the kind can have answered.
    pub fn fault(&self, fault: Fault) -> Witness {
        let words = self.words;
        match fault {
            Fault::NeverAdded { remove } => {
                let value = &self.operation(remove).output;
                let failed = self.operations.iter().position(|other| {
                    other.input == *value && words.add.contains(&other.f.as_str())
                });
                let nobody = match failed {
                    Some(failed) => format!("{} failed", self.who(failed as u32)),
                    None => format!("{value} was never {}", words.added),
                };
                let at = self.instant(self.finish(remove));
                let sentence = format!("{} ended at {at}, but {nobody}", self.who(remove));
                self.witness(sentence, &[remove], &[])
            }
            Fault::RemovedTwice { first, second } => {
                let value = &self.operation(first).output;
                let sentence = format!(
                    "{value} was {} once at most, but {} twice: by {} (ended at {}) and by {} \
                     (ended at {})",
                    words.added,
                    words.removed,
                    self.who(first),
                    self.instant(self.finish(first)),
                    self.who(second),
                    self.instant(self.finish(second)),
                );
                self.witness(sentence, &[first, second], &[])
            }
            Fault::RemovedFirst { add, remove } => {
                let (out, began) = (self.finish(remove), self.operation(add).invoke.0);
                let sentence = format!(
                    "{} ended at {}; {} later, {} began, and nothing else put that value in",
                    self.who(remove),
                    self.instant(out),
                    self.gap(out, began),
                    self.who(add),
                );
                self.witness(sentence, &[add, remove], &[(remove, add, Relation::RealTime)])
            }
        }
    }

    fn finish(&self, source: u32) -> u64 {
        self.operation(source).complete.unwrap_or_default().0
    }

    /// `enqueue(1) at n1 ended at 0.001 s and dequeue -> 1 at n2 began at 0.004 s`, for each.
    pub fn stayed(&self, items: &[Item]) -> String {
        let until = |item: &Item| match item.remove {
            NOBODY => format!("its value was never {}", self.words.removed),
            remove => {
                format!("{} began at {}", self.who(remove), self.instant(item.remove_start))
            }
        };
        let came = |item: &Item| {
            format!("{} ended at {}", self.who(item.add), self.instant(item.add_finish))
        };
        let reasons: Vec<String> =
            items.iter().map(|item| format!("{} and {}", came(item), until(item))).collect();
        few(&reasons, "and")
    }

    /// The witness of an operation that found nothing though something was there all the time:
    /// `there` in the order in which it came.
    pub fn not_empty(&self, items: &Items, there: &[u32], empty: Span) -> Witness {
        let there: Vec<Item> = there.iter().map(|number| items.items[*number as usize]).collect();
        let staying = there.iter().filter(|item| item.stays()).count();
        let sentence = format!(
            "{} (from {} to {}) found the {} empty, but {} there all the time: {}{}",
            self.who(empty.source),
            self.instant(empty.start),
            self.instant(empty.finish),
            self.words.object,
            if there.len() == 1 { "one value was" } else { "some value was" },
            self.stayed(&there),
            self.excuse(items, staying, empty.finish),
        );
        let mut arrows = self.lives(&there);
        for item in &there {
            if item.add_finish < empty.start {
                arrows.push((item.add, empty.source, Relation::RealTime));
            }
            if !item.stays() && empty.finish < item.remove_start {
                arrows.push((empty.source, item.remove, Relation::RealTime));
            }
        }
        for pair in there.windows(2) {
            if !pair[0].stays() && pair[1].add_finish < pair[0].remove_start {
                arrows.push((pair[1].add, pair[0].remove, Relation::RealTime));
            }
        }
        let mut sources = sources(&there);
        sources.push(empty.source);
        self.witness(sentence, &sources, &arrows)
    }

    /// `; only 1 dequeue without an answer had begun by 0.004 s, and can have removed one value`,
    /// if there is any that could excuse the absence of values that nobody returned.
    pub fn excuse(&self, items: &Items, staying: usize, instant: u64) -> String {
        if staying == 0 || items.unanswered_by(instant) == 0 {
            return String::new();
        }
        let begun = items.unanswered_by(instant).min(staying.saturating_sub(1));
        if begun == 0 {
            return format!(
                "; each {} without an answer that had begun by {} had begun too late to be an \
                 excuse",
                self.words.remove[0],
                self.instant(instant),
            );
        }
        format!(
            "; a {} without an answer takes one value at most, and only {begun} had begun in time",
            self.words.remove[0],
        )
    }

    /// From each coming to the going of the same value.
    pub fn lives(&self, items: &[Item]) -> Vec<(u32, u32, Relation)> {
        let removed = items.iter().filter(|item| !item.stays());
        removed.map(|item| (item.add, item.remove, Relation::ReadsFrom)).collect()
    }

    /// The witness of values that were all put in before `behind` and came out after it, or
    /// never. Numbers of items.
    pub fn overtaken(&self, items: &Items, ahead: &[u32], behind: u32) -> Witness {
        let ahead: Vec<Item> = ahead.iter().map(|i| items.items[*i as usize]).collect();
        let behind = items.items[behind as usize];
        let came = ahead.iter().map(|item| item.add_finish).max().unwrap_or_default();
        let added = match ahead.as_slice() {
            [one] => format!("{} ended at {}", self.who(one.add), self.instant(one.add_finish)),
            more => {
                format!("{} were {} by {}", self.values(more), self.words.added, self.instant(came))
            }
        };
        let out = format!(
            "{added}, before {} began at {}; yet {} ended at {}",
            self.who(behind.add),
            self.instant(behind.add_start),
            self.who(behind.remove),
            self.instant(behind.remove_finish),
        );
        let sentence = match ahead.as_slice() {
            [one] if !one.stays() => format!(
                "{out}, {} before {} began",
                self.gap(behind.remove_finish, one.remove_start),
                self.who(one.remove),
            ),
            [one] => format!("{out}, and {} was never {}", self.value(one), self.words.removed),
            more => format!(
                "{out}, and no answer ever returned any of those {}{}",
                count(more.len(), "value"),
                self.excuse(items, more.len(), behind.remove_finish),
            ),
        };
        let mut told = ahead;
        let mut arrows = Vec::with_capacity(2 * told.len());
        for item in &told {
            arrows.push((item.add, behind.add, Relation::RealTime));
            arrows.push((behind.remove, item.remove, Relation::RealTime));
        }
        told.push(behind);
        arrows.extend(self.lives(&told));
        self.witness(sentence, &sources(&told), &arrows)
    }

    /// The witness of operations that are impossible only because there were no more removals
    /// without an answer than there were, or not in time.
    pub fn whatever_was_taken(&self, part: &Items) -> Witness {
        let mut sources = sources(&part.items);
        sources.extend(part.empties.iter().map(|empty| empty.source));
        sources.sort_by_key(|source| self.operation(*source).invoke);
        let names: Vec<String> = sources.iter().map(|source| self.who(*source)).collect();
        let removals = format!("{} without an answer", self.words.remove[0]);
        let sentence = format!(
            "no order of {} is possible, whatever each {removals} took: there were {} in all",
            few(&names, "and"),
            part.unanswered.len(),
        );
        let arrows = self.lives(&part.items);
        self.witness(sentence, &sources, &arrows)
    }

    /// Puts operations into the order of their invocations, and arrows between them.
    pub fn witness(
        &self,
        sentence: String,
        sources: &[u32],
        arrows: &[(u32, u32, Relation)],
    ) -> Witness {
        let mut sources = sources.to_vec();
        sources.sort_by_key(|source| {
            let operation = self.operation(*source);
            (operation.invoke, operation.index, *source)
        });
        let positions: FxHashMap<u32, usize> =
            sources.iter().enumerate().map(|(position, source)| (*source, position)).collect();
        let arrow = |(from, to, relation): &(u32, u32, Relation)| {
            let (from, to) = (*positions.get(from)?, *positions.get(to)?);
            Some(Arrow { from, to, relation: *relation })
        };
        Witness {
            sentence,
            arrows: arrows.iter().filter_map(arrow).collect(),
            operations: sources.iter().map(|source| self.operation(*source).clone()).collect(),
            instead: None,
        }
    }
}

/// The operations of these items.
pub(crate) fn sources(items: &[Item]) -> Vec<u32> {
    items.iter().flat_map(|item| [item.add, item.remove]).filter(|s| *s != NOBODY).collect()
}

//! Elements that are removed as well: which reads nothing explains.

use super::{Did, Fate, Read, Touch, Trouble};
use crate::evidence::NEVER;

/// A value that grows with time: from each of these instants on, the amount and its source.
struct Growing(Vec<(u64, u64, u32)>);

impl Growing {
    /// From `(instant, amount, source)`: the greatest amount of all instants so far.
    fn new(mut steps: Vec<(u64, u64, u32)>) -> Self {
        steps.sort_unstable();
        let mut greatest = None;
        steps.retain(|(_, amount, _)| {
            let grows = greatest.is_none_or(|greatest| *amount > greatest);
            if grows {
                greatest = Some(*amount);
            }
            grows
        });
        Growing(steps)
    }

    /// The greatest amount with an instant before this one.
    fn before(&self, instant: u64) -> Option<(u64, u64, u32)> {
        let position = self.0.partition_point(|step| step.0 < instant);
        Some(self.0[position.checked_sub(1)?])
    }

    /// The greatest amount with an instant no later than this one.
    fn until(&self, instant: u64) -> Option<u64> {
        let position = self.0.partition_point(|step| step.0 <= instant);
        Some(self.0[position.checked_sub(1)?].1)
    }

    /// The first instant from which on the amount is at least this.
    fn reaches(&self, amount: u64) -> u64 {
        self.0.get(self.0.partition_point(|step| step.1 < amount)).map_or(NEVER, |step| step.0)
    }
}

/// One element, with what explains that a read has it or lacks it.
pub(super) struct Explained<'s> {
    with: &'s [u32],
    reads: &'s [Read],
    /// By the end of what made it known, the beginning of the add.
    known: Growing,
    /// By the end of an acknowledged removal, the beginning of that.
    gone: Growing,
    /// By the beginning of a removal, the end of that; and the same of adds.
    removals: Growing,
    adds: Growing,
}

/// A read that nothing explains, by position, with what it contradicts.
#[derive(Clone, Copy)]
struct Wrong {
    read: usize,
    since: u64,
    cause: u32,
}

impl<'s> Explained<'s> {
    pub fn new(touches: &[Touch], with: &'s [u32], reads: &'s [Read]) -> Self {
        let of = |did: Did| touches.iter().filter(move |touch| touch.did == did);
        let ends = |touch: &Touch| (touch.span.finish, touch.span.start, touch.source);
        let begins = |touch: &Touch| (touch.span.start, touch.span.finish, touch.source);
        // A read that has it may have seen any add before: a removal after the first explains
        // that the element is gone again.
        let added_from = of(Did::Add).map(|touch| touch.span.start).min().unwrap_or(NEVER);
        let had = with.iter().map(|read| {
            let read = &reads[*read as usize];
            (read.span.finish, added_from, read.source)
        });
        let ended = |step: &(u64, u64, u32)| step.0 != NEVER;
        Explained {
            with,
            reads,
            known: Growing::new(of(Did::Add).map(ends).filter(ended).chain(had).collect()),
            gone: Growing::new(of(Did::Remove).map(ends).filter(ended).collect()),
            removals: Growing::new(of(Did::Remove).map(begins).collect()),
            adds: Growing::new(of(Did::Add).map(begins).collect()),
        }
    }

    pub fn trouble(&self) -> Option<Trouble> {
        let missing = self.missing();
        let too_much = self.too_much();
        let last_begin = self.reads.last()?.span.start;
        let last_reads = self.reads.partition_point(|read| read.span.start < last_begin);
        let with_last = self.with.len() - self.with.partition_point(|r| (*r as usize) < last_reads);
        let is_last = |wrong: &[Wrong]| wrong.iter().any(|wrong| wrong.read >= last_reads);
        if is_last(&missing) && with_last == 0 {
            let right = self.with.last().map_or(0, |read| *read as usize + 1);
            return self.summed(Fate::Lost, &missing, right);
        }
        if is_last(&too_much) && with_last == self.reads.len() - last_reads {
            return self.summed(Fate::Resurrected, &too_much, 0);
        }
        let mut wrong = [missing, too_much].concat();
        wrong.sort_by_key(|wrong| wrong.read);
        self.summed(Fate::Stale, &wrong, 0)
    }

    /// One trouble of several reads, those from `right` on if the element is lost.
    fn summed(&self, fate: Fate, wrong: &[Wrong], right: usize) -> Option<Trouble> {
        let last = wrong.last()?;
        let first = wrong.iter().find(|wrong| wrong.read >= right).unwrap_or(last);
        Some(Trouble {
            fate,
            cause: last.cause,
            since: last.since,
            first: first.read,
            last: last.read,
            reads: wrong.len(),
        })
    }

    /// The reads that lack it and that no removal explains, growing.
    fn missing(&self) -> Vec<Wrong> {
        let mut missing = Vec::new();
        for (position, &(since, begun, cause)) in self.known.0.iter().enumerate() {
            // No read that ends from here on is unexplained.
            let explained_from = self.removals.reaches(begun);
            let next = self.known.0.get(position + 1).map_or(NEVER, |step| step.0);
            let first = self.reads.partition_point(|read| read.span.start <= since);
            let mut with =
                self.with[self.with.partition_point(|r| (*r as usize) < first)..].iter().peekable();
            for (offset, read) in self.reads[first..].iter().enumerate() {
                if read.span.start > next || read.span.start >= explained_from {
                    break;
                }
                let has_it = with.next_if(|r| **r as usize == first + offset).is_some();
                if !has_it && read.span.finish < explained_from {
                    missing.push(Wrong { read: first + offset, since, cause });
                }
            }
        }
        missing
    }

    /// The reads that have it after a removal and that no add explains, growing.
    fn too_much(&self) -> Vec<Wrong> {
        let wrong = |read: &u32| {
            let span = self.reads[*read as usize].span;
            let (since, begun, cause) = self.gone.before(span.start)?;
            let is_explained = self.adds.until(span.finish).is_some_and(|end| end >= begun);
            (!is_explained).then_some(Wrong { read: *read as usize, since, cause })
        };
        self.with.iter().filter_map(wrong).collect()
    }
}

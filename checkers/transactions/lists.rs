//! Lists: a read shows all appends before it, in order. So the longest list that was read of a
//! key has the order of its versions, and every other is a beginning of it.
//!
//! Only the longest list of each key is looked up element by element; any other is compared with
//! it and from then on is its length. Nothing is copied.

use super::anomaly::Anomaly;
use super::parse::{INITIAL, NONE, Parsed, elements};
use super::tally::{Proof, Tally};
use super::versions::{Next, Place, Versions};
use crate::history::{Outcome, Value};

/// The longest list that was read of one key.
#[derive(Debug, Clone, Copy)]
struct Longest<'h> {
    list: &'h [Value],
    reader: u32,
    /// Position of the micro-operation.
    step: u32,
    /// Where its writes begin in [`Resolver::order`].
    start: u32,
}

struct Resolver<'p, 'h> {
    parsed: &'p mut Parsed<'h>,
    tally: &'p mut Tally,
    versions: Versions,
    longest: Vec<Longest<'h>>,
    /// The writes of all longest lists; [`NONE`] for an element that nobody appended.
    order: Vec<u32>,
    /// By key: whether its reads do not fit together.
    is_incompatible: Vec<bool>,
}

/// Finds the versions of all keys, and turns every read into the version that it read.
pub(super) fn resolve(parsed: &mut Parsed<'_>, tally: &mut Tally) -> Versions {
    let versions = Versions::new(parsed);
    let is_incompatible = vec![false; parsed.keys.len()];
    let longest = find_longest(parsed);
    let mut resolver =
        Resolver { parsed, tally, versions, longest, order: Vec::new(), is_incompatible };
    for key in 0..resolver.longest.len() as u32 {
        resolver.look_up(key);
    }
    for reader in resolver.parsed.acknowledged().collect::<Vec<u32>>() {
        for step in resolver.parsed.range(reader) {
            if !resolver.parsed.steps[step].is_write {
                resolver.read(reader, step);
            }
        }
    }
    resolver.forget_incompatible();
    resolver.intermediate_reads();
    resolver.follow();
    resolver.versions
}

fn find_longest<'h>(parsed: &Parsed<'h>) -> Vec<Longest<'h>> {
    let nothing = Longest { list: &[], reader: NONE, step: NONE, start: 0 };
    let mut longest = vec![nothing; parsed.keys.len()];
    for reader in parsed.acknowledged() {
        for position in parsed.range(reader) {
            let step = parsed.steps[position];
            let known = &mut longest[step.key as usize];
            if !step.is_write {
                let list = elements(parsed.reads[step.value as usize]);
                if list.len() > known.list.len() {
                    *known = Longest { list, reader, step: position as u32, start: 0 };
                }
            }
        }
    }
    longest
}

impl Resolver<'_, '_> {
    /// Finds the writes of the longest list of a key.
    fn look_up(&mut self, key: u32) {
        let start = self.order.len();
        let longest = &mut self.longest[key as usize];
        longest.start = start as u32;
        let Longest { list, reader, step, .. } = *longest;
        self.versions.shown_by[key as usize] = reader;
        self.elements(key, list, reader, step, true);
        let mut aborted = NONE;
        for position in start..self.order.len() {
            let Some(write) = self.parsed.writes.get(self.order[position] as usize) else {
                continue;
            };
            match self.parsed.outcome(write.transaction) {
                Outcome::Fail => aborted = self.order[position],
                _ if aborted != NONE => {
                    let kept = self.order[position];
                    let proof = Proof::DirtyUpdate { reader, aborted, kept };
                    self.tally.add(Anomaly::DirtyUpdate, proof);
                    break;
                }
                _ => {}
            }
        }
    }

    /// Looks at each element of a list for what needs no order. With `is_order` the list is what
    /// the order of the key is taken from.
    fn elements(&mut self, key: u32, list: &[Value], reader: u32, step: u32, is_order: bool) {
        let is_ambiguous = self.parsed.is_ambiguous[key as usize];
        let mut seen = rustc_hash::FxHashSet::default();
        for (element, value) in list.iter().enumerate() {
            let element = element as u32;
            let write = self.parsed.ids.get(&(key, value)).copied().unwrap_or(NONE);
            if write == NONE {
                self.tally.add(Anomaly::GarbageRead, Proof::Garbage { reader, step, element });
            } else if !is_ambiguous {
                let is_new = if is_order {
                    let place = &mut self.versions.places[write as usize];
                    let is_new = place.depth == NONE;
                    if is_new {
                        *place = Place { chain: key, depth: element };
                    }
                    is_new
                } else {
                    seen.insert(write)
                };
                if !is_new {
                    let proof = Proof::Duplicate { reader, step, element };
                    self.tally.add(Anomaly::DuplicateElements, proof);
                }
                let writer = self.parsed.writer(write);
                self.versions.see(self.parsed, writer, reader);
                if self.parsed.outcome(writer) == Outcome::Fail {
                    self.tally.add(Anomaly::AbortedRead, Proof::Read { reader, write });
                }
            }
            if is_order {
                self.order.push(write);
            }
        }
    }

    /// Finds the version that a read shows.
    fn read(&mut self, reader: u32, position: usize) {
        let step = self.parsed.steps[position];
        let list = elements(self.parsed.reads[step.value as usize]);
        let Longest { list: longest, step: longest_step, start, .. } =
            self.longest[step.key as usize];
        let is_beginning = position == longest_step as usize || longest.starts_with(list);
        let version = match list.len() {
            _ if self.parsed.is_ambiguous[step.key as usize] => NONE,
            _ if !is_beginning => NONE,
            0 => INITIAL,
            length => self.order[start as usize + length - 1],
        };
        if !is_beginning {
            self.elements(step.key, list, reader, position as u32, false);
            if !self.parsed.is_ambiguous[step.key as usize] {
                self.is_incompatible[step.key as usize] = true;
                let Longest { reader: other, step: other_step, .. } =
                    self.longest[step.key as usize];
                let (one, other) = ((reader, position as u32), (other, other_step));
                let proof = Proof::Incompatible { one, other };
                self.tally.add(Anomaly::IncompatibleOrder, proof);
            }
        }
        self.parsed.steps[position].value = version;
    }

    /// A key whose reads contradict each other gives no order.
    fn forget_incompatible(&mut self) {
        if !self.is_incompatible.contains(&true) {
            return;
        }
        for step in self.parsed.steps.iter_mut().filter(|step| !step.is_write) {
            if self.is_incompatible[step.key as usize] {
                step.value = NONE;
            }
        }
        for (write, place) in self.parsed.writes.iter().zip(&mut self.versions.places) {
            if self.is_incompatible[write.key as usize] {
                *place = super::versions::NOWHERE;
            }
        }
    }

    fn intermediate_reads(&mut self) {
        for reader in self.parsed.acknowledged() {
            for step in self.parsed.steps_of(reader).iter().filter(|step| !step.is_write) {
                let Some(write) = self.parsed.writes.get(step.value as usize) else { continue };
                let is_committed = self.versions.is_committed[write.transaction as usize];
                if !write.is_final && write.transaction != reader && is_committed {
                    let proof = Proof::Read { reader, write: step.value };
                    self.tally.add(Anomaly::IntermediateRead, proof);
                }
            }
        }
    }

    /// Which committed write follows which: the next of the longest list, and after its last one
    /// those that nobody saw.
    fn follow(&mut self) {
        let unseen = self.unseen();
        let mut unseen = unseen.as_slice();
        for key in 0..self.longest.len() {
            let count = unseen.iter().take_while(|(of, _)| *of == key as u32).count();
            let (here, rest) = unseen.split_at(count);
            unseen = rest;
            if self.is_incompatible[key] || self.parsed.is_ambiguous[key] {
                continue;
            }
            let Longest { list, start, .. } = self.longest[key];
            let depth = list.len() as u32;
            for (_, write) in here {
                self.versions.places[*write as usize] = Place { chain: key as u32, depth };
            }
            let mut next = self.first_of_each(here);
            self.versions.unordered += usize::from(matches!(next, Next::Several { .. }));
            for position in (start as usize..start as usize + list.len()).rev() {
                let write = self.order[position];
                let Some(slot) = self.versions.next.get_mut(write as usize) else { continue };
                // An element that is there twice counts where it is first.
                if self.versions.places[write as usize].depth != (position - start as usize) as u32
                {
                    continue;
                }
                *slot = next;
                if self.versions.is_committed[self.parsed.writer(write) as usize] {
                    next = Next::Write(write);
                }
            }
            self.versions.next_of_initial[key] = next;
        }
    }

    /// The committed writes that no list shows, by key.
    fn unseen(&self) -> Vec<(u32, u32)> {
        let mut unseen: Vec<(u32, u32)> = (0..)
            .zip(&self.parsed.writes)
            .zip(&self.versions.places)
            .filter(|((_, write), place)| {
                place.depth == NONE && self.versions.is_committed[write.transaction as usize]
            })
            .map(|((number, write), _)| (write.key, number))
            .collect();
        unseen.sort_unstable();
        unseen
    }

    /// Of several writes of one transaction to one key only the first: they go together.
    fn first_of_each(&mut self, writes: &[(u32, u32)]) -> Next {
        let Resolver { parsed, versions, .. } = self;
        let mut last = NONE;
        versions.followers(writes.iter().map(|(_, write)| *write).filter(|write| {
            std::mem::replace(&mut last, parsed.writer(*write)) != parsed.writer(*write)
        }))
    }
}

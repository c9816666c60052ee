//! The operations that are open at one moment, and what each of them can do to a configuration.

use super::configuration::{Configuration, Kinds};
use super::moments::{Moment, Moments, Need};
use super::slots::Slots;
use crate::register::step::ValueId;

/// An open write or cas. Sorted so that operations that do the same are neighbours, and of these
/// the one that ends first comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Mover {
    need: Need,
    writes: ValueId,
    finish: u64,
    /// Tells those apart that end at the same instant, in the order in which they are taken.
    candidate: u32,
    slot: u32,
}

impl Mover {
    fn does_the_same(&self, other: &Mover) -> bool {
        (self.need, self.writes) == (other.need, other.writes)
    }
}

/// Knows what is open.
pub(super) struct Open<'m, S> {
    moments: &'m Moments<'m>,
    pub kinds: Kinds<S>,
    movers: Vec<Mover>,
    /// Open looks by what they need.
    looks: Vec<(Need, S)>,
    /// Acknowledged open writes by their value.
    writes: Vec<(ValueId, S)>,
}

impl<'m, S: Slots> Open<'m, S> {
    pub fn new(moments: &'m Moments<'m>) -> Self {
        let none = || S::none(moments.slots);
        Self {
            moments,
            kinds: Kinds { looks: none(), writes: none(), cas: none(), lost: none() },
            movers: Vec::new(),
            looks: Vec::new(),
            writes: Vec::new(),
        }
    }

    /// How much memory a configuration takes.
    pub fn configuration_bytes(&self) -> usize {
        size_of::<Configuration<S>>() + 2 * self.moments.slots.div_ceil(64) * size_of::<u64>()
    }

    /// An operation begins. What changes nothing takes effect at once where it can.
    pub fn begin(&mut self, moment: &Moment, frontier: &mut [Configuration<S>]) {
        let candidate = &self.moments.candidates[moment.candidate as usize];
        let (need, slot) = (candidate.need, moment.slot as usize);
        let Some(writes) = candidate.writes else {
            self.kinds.looks.insert(slot);
            enter(&mut self.looks, need, slot, self.moments.slots);
            for configuration in frontier.iter_mut().filter(|c| need.is_met(c.state)) {
                configuration.done.insert(slot);
            }
            return;
        };
        let &Moment { candidate: id, slot: number, .. } = moment;
        let mover = Mover { need, writes, finish: candidate.finish, candidate: id, slot: number };
        let place = self.movers.partition_point(|other| *other < mover);
        self.movers.insert(place, mover);
        if !candidate.is_sure() {
            self.kinds.lost.insert(slot);
        } else if need != Need::Anything {
            self.kinds.cas.insert(slot);
        } else {
            self.kinds.writes.insert(slot);
            enter(&mut self.writes, writes, slot, self.moments.slots);
            for configuration in frontier.iter_mut().filter(|c| c.state == writes) {
                configuration.spare.insert(slot);
            }
        }
    }

    /// The acknowledged operation in that slot ends.
    pub fn end(&mut self, slot: usize) {
        if self.kinds.looks.contains(slot) {
            self.kinds.looks.remove(slot);
            leave(&mut self.looks, slot);
            return;
        }
        self.movers.retain(|mover| mover.slot as usize != slot);
        if self.kinds.writes.contains(slot) {
            self.kinds.writes.remove(slot);
            leave(&mut self.writes, slot);
        }
        self.kinds.cas.remove(slot);
    }

    /// Every configuration that one more effect leads to, if that effect can be of use before the
    /// operation in the slot `due` has ended.
    pub fn effects(
        &self,
        from: &Configuration<S>,
        due: usize,
        effects: &mut Vec<Configuration<S>>,
    ) {
        for &value in self.moments.free {
            if self.is_needed(from, value) {
                effects.push(self.after_write(from, None, value));
            }
        }
        let mut can_overwrite = None;
        let mut last: Option<&Mover> = None;
        let pending = |mover: &&Mover| !from.done.contains(mover.slot as usize);
        for mover in self.movers.iter().filter(pending) {
            if last.is_some_and(|last| last.does_the_same(mover)) {
                continue;
            }
            last = Some(mover);
            if !mover.need.is_met(from.state) {
                continue;
            }
            let is_cas = mover.need != Need::Anything;
            let is_of_use = mover.slot as usize == due
                || self.is_needed(from, mover.writes)
                || is_cas && *can_overwrite.get_or_insert_with(|| self.can_overwrite(from));
            match is_of_use {
                true if is_cas => effects.push(self.after_cas(from, mover)),
                true => effects.push(self.after_write(from, Some(mover.slot), mover.writes)),
                false => {}
            }
        }
    }

    /// Whether an open operation that has not taken effect waits for that value.
    fn is_needed(&self, configuration: &Configuration<S>, value: ValueId) -> bool {
        let done = &configuration.done;
        let looks =
            || self.looks.iter().any(|(need, slots)| need.is_met(value) && !slots.is_subset(done));
        let waits =
            |mover: &Mover| mover.need == Need::Value(value) && !done.contains(mover.slot as usize);
        looks() || self.movers.iter().any(waits)
    }

    /// Whether a write can follow now, whatever the state.
    fn can_overwrite(&self, configuration: &Configuration<S>) -> bool {
        let is_write = |mover: &Mover| {
            mover.need == Need::Anything && !configuration.done.contains(mover.slot as usize)
        };
        !self.moments.free.is_empty() || self.movers.iter().any(is_write)
    }

    /// After a write: every other open write may have taken effect just before it.
    fn after_write(
        &self,
        from: &Configuration<S>,
        slot: Option<u32>,
        value: ValueId,
    ) -> Configuration<S> {
        let mut after = from.clone();
        if let Some(slot) = slot {
            after.done.insert(slot as usize);
            after.spare.remove(slot as usize);
        }
        after.spare.insert_all_except(&self.kinds.writes, &after.done);
        self.arrive(&mut after, value);
        after
    }

    fn after_cas(&self, from: &Configuration<S>, cas: &Mover) -> Configuration<S> {
        let mut after = from.clone();
        after.done.insert(cas.slot as usize);
        if let Some((_, same)) = self.writes.iter().find(|(value, _)| *value == cas.writes) {
            after.spare.insert_all_except(same, &after.done);
        }
        self.arrive(&mut after, cas.writes);
        after
    }

    /// The state becomes `value`, and every open look that then finds what it needs is done.
    fn arrive(&self, configuration: &mut Configuration<S>, value: ValueId) {
        configuration.state = value;
        for (_, slots) in self.looks.iter().filter(|(need, _)| need.is_met(value)) {
            configuration.done.insert_all(slots);
        }
    }
}

/// Puts a slot among those of the same key.
fn enter<K: PartialEq, S: Slots>(table: &mut Vec<(K, S)>, key: K, slot: usize, slots: usize) {
    let place = table.iter().position(|(other, _)| *other == key).unwrap_or_else(|| {
        table.push((key, S::none(slots)));
        table.len() - 1
    });
    table[place].1.insert(slot);
}

fn leave<K, S: Slots>(table: &mut Vec<(K, S)>, slot: usize) {
    if let Some(place) = table.iter().position(|(_, slots)| slots.contains(slot)) {
        table[place].1.remove(slot);
        if table[place].1.is_empty() {
            table.swap_remove(place);
        }
    }
}

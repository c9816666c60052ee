//! The walk through configurations, depth first.
//!
//! A configuration is a moment of the history, the state of the register, and which of the open
//! operations have taken effect. It needs a decision only where an operation completes that has
//! not taken effect: until then everything can wait (Lowe's just-in-time linearization). Not
//! tried, and why that is safe:
//! - A read that finds its value in the current state takes effect at once: it changes nothing.
//! - An unanswered operation takes effect only if an open operation then needs its value: it has
//!   no deadline, so it can always wait until just before the first that finds its value, and if
//!   none does it need not happen.
//! - Of open unanswered operations that do the same, only the one in the lowest slot: none of
//!   them has a deadline, so they can stand in for each other.
//! - A free value (see [`Moments::free`]) is written only if an open operation then needs it.

use rustc_hash::FxHashSet;

use super::moments::{Candidate, Moment, Moments, Need, SLOTS};
use crate::register::step::{INITIAL, ValueId};

/// How a walk ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// An order was found.
    Linearized,
    /// There is none: no configuration gets past the completion at the moment `furthest`.
    Stuck { furthest: usize },
    /// The steps were spent; some configuration got to the moment `furthest`.
    Spent { furthest: usize },
}

const WORDS: usize = SLOTS / 64;

/// The slots whose operations have taken effect.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Hash)]
struct Slots([u64; WORDS]);

impl Slots {
    fn contains(&self, slot: usize) -> bool {
        self.0[slot / 64] >> (slot % 64) & 1 == 1
    }

    fn insert(&mut self, slot: usize) {
        self.0[slot / 64] |= 1 << (slot % 64);
    }

    fn remove(&mut self, slot: usize) {
        self.0[slot / 64] &= !(1 << (slot % 64));
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Configuration {
    /// The next moment.
    level: u32,
    state: ValueId,
    effective: Slots,
}

/// Walks until an order is found, none is left, or all of `steps` configurations have been tried;
/// takes from `steps` what it used.
pub(super) fn walk(moments: &Moments<'_>, steps: &mut u64) -> Ending {
    let mut walker = Walker { moments, open: vec![None; SLOTS], used: 0, level: 0 };
    let start = Configuration { level: 0, state: INITIAL, effective: Slots::default() };
    let mut stack = vec![start];
    let mut seen: FxHashSet<Configuration> = FxHashSet::default();
    let mut furthest = 0;
    while let Some(configuration) = stack.pop() {
        let configuration = walker.advance(configuration);
        furthest = furthest.max(configuration.level as usize);
        if configuration.level as usize == moments.moments.len() {
            return Ending::Linearized;
        }
        if *steps == 0 {
            return Ending::Spent { furthest };
        }
        if seen.insert(configuration) {
            *steps -= 1;
            walker.branch(&configuration, &mut stack);
        }
    }
    Ending::Stuck { furthest }
}

/// Knows which operation is open in which slot at one moment, and can go to any other moment.
struct Walker<'m> {
    moments: &'m Moments<'m>,
    open: Vec<Option<u32>>,
    /// Slots from this one on were never used so far.
    used: usize,
    level: usize,
}

impl<'m> Walker<'m> {
    fn candidate(&self, slot: usize) -> Option<&'m Candidate> {
        self.open[slot].map(|id| &self.moments.candidates[id as usize])
    }

    fn moment(&self, level: usize) -> Moment {
        self.moments.moments[level]
    }

    /// Makes `open` what it is just before the moment `level`.
    fn seek(&mut self, level: usize) {
        while self.level < level {
            let moment = self.moment(self.level);
            let slot = moment.slot as usize;
            self.open[slot] = (!moment.completes).then_some(moment.candidate);
            self.used = self.used.max(slot + 1);
            self.level += 1;
        }
        while self.level > level {
            self.level -= 1;
            let moment = self.moment(self.level);
            self.open[moment.slot as usize] = moment.completes.then_some(moment.candidate);
        }
    }

    /// Goes on to the next completion of an operation that has not taken effect, or to the end.
    fn advance(&mut self, mut configuration: Configuration) -> Configuration {
        self.seek(configuration.level as usize);
        while let Some(&moment) = self.moments.moments.get(self.level) {
            let slot = moment.slot as usize;
            if moment.completes {
                if !configuration.effective.contains(slot) {
                    break;
                }
                configuration.effective.remove(slot);
            } else {
                let candidate = &self.moments.candidates[moment.candidate as usize];
                if candidate.writes.is_none() && candidate.need.is_met(configuration.state) {
                    configuration.effective.insert(slot);
                }
            }
            self.seek(self.level + 1);
        }
        configuration.level = self.level as u32;
        configuration
    }

    /// Pushes every configuration that one more effect leads to, the most promising one last.
    fn branch(&self, configuration: &Configuration, stack: &mut Vec<Configuration>) {
        let due = self.moment(self.level);
        let due_need = self.moments.candidates[due.candidate as usize].need;
        let mut next: Vec<(u8, u64, Configuration)> = Vec::new();
        for &value in self.moments.free {
            if value != configuration.state && self.is_needed(configuration, value) {
                next.push((3, 0, self.effect(configuration, None, value)));
            }
        }
        for slot in self.pending(configuration.effective) {
            let Some(candidate) = self.candidate(slot) else { continue };
            let Some(value) = candidate.writes else { continue };
            if !candidate.need.is_met(configuration.state) {
                continue;
            }
            let sure = candidate.is_sure();
            let useful =
                || self.is_needed(configuration, value) && self.is_first(configuration, slot);
            if !sure && !useful() {
                continue;
            }
            let rank = match (slot == due.slot as usize, due_need == Need::Value(value), sure) {
                (true, ..) => 0,
                (_, true, _) => 1,
                (.., true) => 2,
                (.., false) => 3,
            };
            let after = self.effect(configuration, Some(slot), value);
            next.push((rank, candidate.finish, after));
        }
        next.sort_by_key(|(rank, finish, _)| std::cmp::Reverse((*rank, *finish)));
        stack.extend(next.into_iter().map(|(.., configuration)| configuration));
    }

    /// Slots of open operations that have not taken effect.
    fn pending(&self, effective: Slots) -> impl Iterator<Item = usize> {
        (0..self.used).filter(move |slot| self.open[*slot].is_some() && !effective.contains(*slot))
    }

    /// Whether an open operation waits for that value.
    fn is_needed(&self, configuration: &Configuration, value: ValueId) -> bool {
        self.pending(configuration.effective).filter_map(|slot| self.candidate(slot)).any(
            |candidate| match candidate.need {
                Need::Anything => false,
                Need::Value(needed) => needed == value,
                Need::Not(_) => !candidate.need.is_met(configuration.state),
            },
        )
    }

    /// Whether no unanswered operation in a lower slot does the same.
    fn is_first(&self, configuration: &Configuration, slot: usize) -> bool {
        let Some(this) = self.candidate(slot) else { return false };
        let same = |other: &Candidate| {
            !other.is_sure() && other.need == this.need && other.writes == this.writes
        };
        !self
            .pending(configuration.effective)
            .any(|other| other < slot && self.candidate(other).is_some_and(same))
    }

    /// The configuration after a write, and after all reads that then find their value.
    fn effect(
        &self,
        configuration: &Configuration,
        slot: Option<usize>,
        value: ValueId,
    ) -> Configuration {
        let mut after = *configuration;
        after.state = value;
        if let Some(slot) = slot {
            after.effective.insert(slot);
        }
        for slot in self.pending(after.effective) {
            if let Some(candidate) = self.candidate(slot)
                && candidate.writes.is_none()
                && candidate.need.is_met(value)
            {
                after.effective.insert(slot);
            }
        }
        after
    }
}

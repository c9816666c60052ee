//! Who may have written which value, which writes took effect, and the reigns of those.

use rustc_hash::{FxHashMap, FxHashSet};

use super::chain::Chain;
use super::slab::Slab;
use super::zones::{ChainId, Zones};
use crate::history::Value;

pub(super) type ReignId = u32;

/// A write or cas that may have taken effect, and if it did, its place.
#[derive(Debug)]
struct Reign {
    start: u64,
    value: Value,
    /// What a cas replaces.
    expects: Option<Value>,
    /// Its chain and its position there, once it is known to have taken effect.
    place: Option<(ChainId, u64)>,
    /// Whether an operation that wrote or found the value has ended.
    has_ended: bool,
}

/// Who may have written a value that may still be there.
#[derive(Debug)]
enum Writers {
    One(ReignId),
    Several(Vec<ReignId>),
}

/// Why the history cannot go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Stop {
    /// No operation so far wrote the value, or it had been overwritten before.
    NotThere(Value),
    /// Two cas replaced the value.
    ReplacedTwice(Value),
    /// Cas replace each other's values in a circle, this one among them.
    Circle(Value),
    /// An operation that found something later in the chain ended before this one began.
    Replaced(Value),
    /// Neither of the reigns of these values can go before the other.
    Interleaved(Value, Value),
    /// Several operations may have written the value: not decided here.
    Ambiguous(Value),
}

/// All that is known of the values that may still be found.
#[derive(Debug)]
pub(super) struct Reigns {
    reigns: Slab<Reign>,
    values: FxHashMap<Value, Writers>,
    zones: Zones,
}

impl Reigns {
    pub fn new(initial: Value) -> Self {
        let mut this =
            Self { reigns: Slab::new(), values: FxHashMap::default(), zones: Zones::new() };
        let id = this.may_write(0, initial, None);
        let chain = this.zones.chains.insert(Chain::new(0, id));
        this.reigns[id].place = Some((chain, 0));
        this.reigns[id].has_ended = true;
        this.zones.chains[chain].ends(0, 0);
        this.zones.begin(chain, 0);
        this
    }

    /// How many writes are remembered.
    pub fn len(&self) -> usize {
        self.reigns.len()
    }

    /// From `start` on, the value may be written; by a cas if it `expects` something.
    pub fn may_write(&mut self, start: u64, value: Value, expects: Option<Value>) -> ReignId {
        let reign = Reign { start, value: value.clone(), expects, place: None, has_ended: false };
        let id = self.reigns.insert(reign);
        self.values
            .entry(value)
            .and_modify(|writers| match writers {
                Writers::One(other) => *writers = Writers::Several(vec![*other, id]),
                Writers::Several(others) => others.push(id),
            })
            .or_insert(Writers::One(id));
        id
    }

    /// Whether it is known that the write took effect.
    pub fn took_effect(&self, id: ReignId) -> bool {
        self.reigns[id].place.is_some()
    }

    /// The write did not take effect, or can no longer be found by anyone.
    pub fn forget(&mut self, id: ReignId) {
        let Some(reign) = self.reigns.remove(id) else { return };
        match self.values.get_mut(&reign.value) {
            Some(Writers::Several(writers)) => {
                writers.retain(|other| *other != id);
                if let [only] = writers[..] {
                    self.values.insert(reign.value, Writers::One(only));
                }
            }
            Some(Writers::One(_)) => {
                self.values.remove(&reign.value);
            }
            None => {}
        }
    }

    /// The only possible writer of a value.
    fn writer(&self, value: &Value) -> Result<ReignId, Stop> {
        match self.values.get(value) {
            Some(Writers::One(id)) => Ok(*id),
            Some(Writers::Several(_)) => Err(Stop::Ambiguous(value.clone())),
            None => Err(Stop::NotThere(value.clone())),
        }
    }

    /// An operation that began at `start` has ended `now` and found the value.
    pub fn found(&mut self, value: &Value, start: u64, now: u64) -> Result<(), Stop> {
        let writer = self.writer(value)?;
        self.take_effect(writer)?;
        self.join(writer, start, Some(now))
    }

    /// The write that began at `start` has ended `now`.
    pub fn acknowledged(&mut self, id: ReignId, start: u64, now: u64) -> Result<(), Stop> {
        self.take_effect(id)?;
        self.join(id, start, Some(now))?;
        let Some((chain, position)) = self.reigns[id].place else { return Ok(()) };
        let before = position.checked_sub(1).and_then(|it| self.zones.chains[chain].get(it));
        match before {
            Some(before) => self.join(before, start, Some(now)),
            None => Ok(()),
        }
    }

    /// No operation that can still be acknowledged began before `low`.
    pub fn advance(&mut self, low: u64) {
        for chain in self.zones.advance(low) {
            for id in chain.into_reigns() {
                self.forget(id);
            }
        }
    }

    /// Gives a write, which is now known to have taken effect, its place, and before it whatever
    /// had to be there for it.
    fn take_effect(&mut self, id: ReignId) -> Result<(), Stop> {
        let mut unplaced = Vec::new();
        let mut seen = FxHashSet::default();
        let mut before = Some(id);
        while let Some(id) = before.filter(|id| self.reigns[*id].place.is_none()) {
            let reign = &self.reigns[id];
            if !seen.insert(id) {
                return Err(Stop::Circle(reign.value.clone()));
            }
            unplaced.push(id);
            before = match &reign.expects {
                Some(expected) => Some(self.writer(expected)?),
                None => None,
            };
        }
        while let Some(id) = unplaced.pop() {
            match before {
                Some(before) => self.tie(before, id)?,
                None => {
                    let chain = self.zones.chains.insert(Chain::new(self.reigns[id].start, id));
                    self.reigns[id].place = Some((chain, 0));
                }
            }
            before = Some(id);
        }
        Ok(())
    }

    /// The cas `id` replaced the value of the reign `before`.
    fn tie(&mut self, before: ReignId, id: ReignId) -> Result<(), Stop> {
        let Some((chain, position)) = self.reigns[before].place else { return Ok(()) };
        if self.zones.chains[chain].last() != position {
            return Err(Stop::ReplacedTwice(self.reigns[before].value.clone()));
        }
        self.reigns[id].place = Some((chain, self.zones.chains[chain].push(id)));
        let start = self.reigns[id].start;
        self.join(before, start, None)?;
        self.join(id, start, None)
    }

    /// An operation that began at `start` belongs to the reign; it has `ended`, or may take long.
    fn join(&mut self, id: ReignId, start: u64, ended: Option<u64>) -> Result<(), Stop> {
        let Some((chain_id, position)) = self.reigns[id].place else { return Ok(()) };
        let chain = &mut self.zones.chains[chain_id];
        let is_first = !self.reigns[id].has_ended;
        if let Some(now) = ended.filter(|_| is_first) {
            self.reigns[id].has_ended = true;
            chain.ends(position, now);
            self.zones.begin(chain_id, now);
        }
        let low = self.zones.low();
        let chain = &mut self.zones.chains[chain_id];
        if chain.ended_after(position).is_some_and(|end| end < start) {
            return Err(Stop::Replaced(self.reigns[id].value.clone()));
        }
        let over: Vec<ReignId> = chain.forget_before(low).collect();
        self.zones.raise(chain_id, start).map_err(|conflict| {
            let value = |chain| match self.zones.chains[chain].get(self.zones.chains[chain].last())
            {
                Some(last) => self.reigns[last].value.clone(),
                None => Value::Nil,
            };
            Stop::Interleaved(self.reigns[id].value.clone(), value(conflict.other))
        })?;
        over.into_iter().for_each(|id| self.forget(id));
        Ok(())
    }
}

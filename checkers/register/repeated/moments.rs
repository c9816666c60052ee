//! A history as the search walks it: invocations and completions in order of time, and a slot
//! for every operation while it is open.

use std::collections::{BTreeMap, BTreeSet};

use crate::history::Time;
use crate::register::step::{AFTER_ALL, Steps, ValueId};

/// What an operation has to find.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Need {
    Anything,
    Value(ValueId),
    /// Anything but this value.
    Not(ValueId),
}

impl Need {
    pub fn is_met(self, state: ValueId) -> bool {
        match self {
            Need::Anything => true,
            Need::Value(value) => state == value,
            Need::Not(value) => state != value,
        }
    }
}

/// One operation of the search.
#[derive(Debug, Clone, Copy)]
pub(super) struct Candidate {
    pub start: u64,
    pub finish: u64,
    pub need: Need,
    pub writes: Option<ValueId>,
    /// Position of the operation in the caller's slice.
    pub source: u32,
}

impl Candidate {
    /// Whether it surely took effect, before its finish.
    pub fn is_sure(&self) -> bool {
        self.finish != AFTER_ALL
    }
}

/// The recorded time of a step's instant.
pub(super) fn time(instant: u64) -> Time {
    Time(instant.saturating_sub(1))
}

/// The operations that the search has to place: all that were acknowledged, refused cas if they
/// count, and those without an answer unless they cannot matter (nothing found their value).
pub(super) fn candidates(compacted: &Steps<'_>, refused_cas_observes: bool) -> Vec<Candidate> {
    let refusals: &[_] = if refused_cas_observes { &compacted.refusals } else { &[] };
    let needed = needed_values(compacted);
    let matters =
        |value: Option<ValueId>| !refusals.is_empty() || value.is_some_and(|v| needed[v as usize]);
    let steps =
        compacted.steps.iter().filter(|step| step.sure || matters(step.writes)).map(|step| {
            Candidate {
                start: step.start,
                finish: step.finish,
                need: step.observes.map_or(Need::Anything, Need::Value),
                writes: step.writes,
                source: step.source,
            }
        });
    let refusals = refusals.iter().map(|refusal| Candidate {
        start: refusal.start,
        finish: refusal.finish,
        need: Need::Not(refusal.expected),
        writes: None,
        source: refusal.source,
    });
    steps.chain(refusals).collect()
}

/// By value, whether an acknowledged operation found it, or a cas without an answer had to find it
/// to write one that is needed.
fn needed_values(compacted: &Steps<'_>) -> Vec<bool> {
    let mut sources: BTreeMap<ValueId, BTreeSet<ValueId>> = BTreeMap::new();
    let mut needed = vec![false; compacted.values.len()];
    let mut unhandled = Vec::new();
    for step in &compacted.steps {
        match (step.observes, step.writes) {
            (Some(found), _) if step.sure && !needed[found as usize] => {
                needed[found as usize] = true;
                unhandled.push(found);
            }
            (Some(found), Some(written)) if !step.sure => {
                sources.entry(written).or_default().insert(found);
            }
            _ => {}
        }
    }
    while let Some(value) = unhandled.pop() {
        for found in sources.remove(&value).unwrap_or_default() {
            if !needed[found as usize] {
                needed[found as usize] = true;
                unhandled.push(found);
            }
        }
    }
    needed
}

/// An invocation or a completion.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    /// The position of the candidate.
    pub candidate: u32,
    pub slot: u32,
    pub completes: bool,
}

/// Candidates and their moments in order of time. Invocations come before completions at the
/// same instant, so operations that touch are concurrent.
#[derive(Debug)]
pub(super) struct Moments<'c> {
    pub candidates: &'c [Candidate],
    /// Values that may be written at any time, any number of times.
    pub free: &'c [ValueId],
    pub moments: Vec<Moment>,
    /// How many slots there are: the most operations open at once, lost ones included.
    pub slots: usize,
}

impl<'c> Moments<'c> {
    pub fn new(candidates: &'c [Candidate], free: &'c [ValueId]) -> Self {
        let mut order: Vec<(u64, bool, u32)> = Vec::with_capacity(2 * candidates.len());
        for (id, candidate) in candidates.iter().enumerate() {
            order.push((candidate.start, false, id as u32));
            if candidate.is_sure() {
                order.push((candidate.finish, true, id as u32));
            }
        }
        order.sort_unstable();
        let mut unused: Vec<u32> = Vec::new();
        let mut used = 0;
        let mut slots = vec![0; candidates.len()];
        let moments = order
            .into_iter()
            .map(|(_, completes, candidate)| {
                let slot = &mut slots[candidate as usize];
                if completes {
                    unused.push(*slot);
                } else {
                    *slot = unused.pop().unwrap_or(used);
                    used = used.max(*slot + 1);
                }
                Moment { candidate, slot: *slot, completes }
            })
            .collect();
        Self { candidates, free, moments, slots: used as usize }
    }

    /// The operation of the moment at `level`, or the last one's; `None` if there are no moments.
    pub fn operation(&self, level: usize) -> Option<&Candidate> {
        let moment = self.moments.get(level).or(self.moments.last())?;
        Some(&self.candidates[moment.candidate as usize])
    }

    pub fn completions(&self) -> usize {
        self.completions_before(self.moments.len())
    }

    pub fn completions_before(&self, level: usize) -> usize {
        self.moments[..level].iter().filter(|moment| moment.completes).count()
    }
}

//! The operations of one object in the order of time, and the slots that they occupy.

use std::hash::Hash;

use rustc_hash::FxHashMap;

use crate::history::Time;
use crate::model::{Model, Parsed};

/// An operation as the walk sees it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Candidate {
    /// The number of its action.
    pub action: u32,
    pub slot: u32,
    /// The moment of its completion; [`NEVER`] without an answer.
    pub completes: u32,
    /// Position of the operation in the caller's slice.
    pub source: u32,
    pub is_pure: bool,
    pub invoke: Time,
    /// When it completed; the end of time without an answer.
    pub finish: Time,
}

/// The moment of a completion that never came.
pub(super) const NEVER: u32 = u32::MAX;

impl Candidate {
    pub(super) fn is_sure(&self) -> bool {
        self.completes != NEVER
    }
}

/// An invocation or a completion.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    pub candidate: u32,
    pub completes: bool,
}

/// The moments of a history in order. At one reading of the clock invocations come before
/// completions: operations that touch are concurrent.
#[derive(Debug)]
pub(super) struct Timeline<A> {
    pub candidates: Vec<Candidate>,
    pub moments: Vec<Moment>,
    /// The actions by number, each once.
    pub actions: Vec<A>,
    /// How many slots there are: the most operations in flight at once.
    pub slots: usize,
    /// Moments before which no operation that has an answer is in flight, at some distance from
    /// each other; the last is the end.
    pub cuts: Vec<u32>,
    /// How many operations have an answer.
    pub completions: usize,
}

/// A cut is a little work, so there is none nearer to the last one than this.
const MOMENTS_BETWEEN_CUTS: usize = 16;

impl<A: Clone + Eq + Hash> Timeline<A> {
    pub(super) fn new<M: Model<Action = A>>(model: &M, parsed: &[Parsed<A>]) -> Self {
        let mut timeline = Timeline {
            candidates: Vec::with_capacity(parsed.len()),
            moments: Vec::new(),
            actions: Vec::new(),
            slots: 0,
            cuts: Vec::new(),
            completions: 0,
        };
        let mut numbers: FxHashMap<&A, u32> = FxHashMap::default();
        let mut instants: Vec<(Time, bool, u32)> = Vec::with_capacity(2 * parsed.len());
        for operation in parsed {
            let is_pure = model.is_pure(&operation.action);
            if !operation.is_sure && (is_pure || !model.matters(&operation.action)) {
                continue;
            }
            let next = numbers.len() as u32;
            let action = *numbers.entry(&operation.action).or_insert(next);
            if action == next {
                timeline.actions.push(operation.action.clone());
            }
            let candidate = timeline.candidates.len() as u32;
            instants.push((operation.invoke, false, candidate));
            if operation.is_sure {
                instants.push((operation.finish, true, candidate));
            }
            timeline.candidates.push(Candidate {
                action,
                slot: 0,
                // Which moment, is known when all are in order.
                completes: if operation.is_sure { 0 } else { NEVER },
                source: operation.source,
                is_pure,
                invoke: operation.invoke,
                finish: operation.finish,
            });
        }
        instants.sort_unstable();
        timeline.place(&instants);
        timeline
    }

    /// Gives out the slots and finds the cuts.
    fn place(&mut self, instants: &[(Time, bool, u32)]) {
        let mut free: Vec<u32> = Vec::new();
        let (mut sure_in_flight, mut last_cut) = (0_usize, 0);
        self.moments.reserve_exact(instants.len());
        for (moment, &(_, completes, id)) in instants.iter().enumerate() {
            if sure_in_flight == 0 && moment >= last_cut + MOMENTS_BETWEEN_CUTS {
                self.cuts.push(moment as u32);
                last_cut = moment;
            }
            self.moments.push(Moment { candidate: id, completes });
            let candidate = &mut self.candidates[id as usize];
            if completes {
                candidate.completes = moment as u32;
                free.push(candidate.slot);
                sure_in_flight -= 1;
                self.completions += 1;
            } else {
                sure_in_flight += usize::from(candidate.is_sure());
                candidate.slot = free.pop().unwrap_or_else(|| {
                    self.slots += 1;
                    self.slots as u32 - 1
                });
            }
        }
        self.cuts.push(instants.len() as u32);
    }

    /// How many operations completed before that moment.
    pub(super) fn completions_before(&self, moment: usize) -> usize {
        self.moments[..moment].iter().filter(|moment| moment.completes).count()
    }

    /// The operation that completes at that moment.
    pub(super) fn due(&self, moment: usize) -> Option<&Candidate> {
        let moment = self.moments.get(moment).filter(|moment| moment.completes)?;
        Some(&self.candidates[moment.candidate as usize])
    }

    /// When that moment was.
    pub(super) fn time(&self, moment: usize) -> Option<Time> {
        let moment = self.moments.get(moment)?;
        let candidate = &self.candidates[moment.candidate as usize];
        Some(if moment.completes { candidate.finish } else { candidate.invoke })
    }

    pub(super) fn action(&self, candidate: &Candidate) -> &A {
        &self.actions[candidate.action as usize]
    }

    pub(super) fn bytes(&self) -> usize {
        self.candidates.capacity() * size_of::<Candidate>()
            + self.moments.capacity() * size_of::<Moment>()
            + self.actions.capacity() * size_of::<A>()
    }
}

//! Which operation wrote what, which took effect, and the cluster of every value.
//!
//! Steps 1 and 2 of the proof in the [module's comment](super).

use super::step::{BEFORE_ALL, INITIAL, Step, ValueId};
use super::violation::{Tally, Violation};

/// Who may have written a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Writer {
    Nobody,
    /// It was there from the beginning.
    Initial,
    One(u32),
    Several,
}

/// The reign of one written value: its writer and all operations that found it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cluster {
    /// `None`: the initial value.
    pub writer: Option<u32>,
    /// The latest start of the writer and of those that found the value, and whose it is.
    pub latest_start: (u64, Option<u32>),
    /// The earliest finish among the same, and whose it is.
    pub earliest_finish: (u64, Option<u32>),
    /// The cluster whose value this one's cas replaced.
    pub previous: Option<u32>,
    /// The cluster whose cas replaced this one's value.
    pub next: Option<u32>,
}

impl Cluster {
    fn of_initial() -> Self {
        let never = (BEFORE_ALL, None);
        Self {
            writer: None,
            latest_start: never,
            earliest_finish: never,
            previous: None,
            next: None,
        }
    }

    fn of_writer(id: u32, step: &Step) -> Self {
        Self {
            writer: Some(id),
            latest_start: (step.start, Some(id)),
            earliest_finish: (step.finish, Some(id)),
            previous: None,
            next: None,
        }
    }

    fn add(&mut self, id: u32, step: &Step) {
        if step.start > self.latest_start.0 {
            self.latest_start = (step.start, Some(id));
        }
        if step.finish < self.earliest_finish.0 {
            self.earliest_finish = (step.finish, Some(id));
        }
    }
}

/// What is known of every value and step before any order is looked for.
#[derive(Debug)]
pub(crate) struct Clusters<'s> {
    pub steps: &'s [Step],
    /// By value.
    pub writers: Vec<Writer>,
    /// By value: the step because of which the value surely was in the register.
    pub observers: Vec<Option<u32>>,
    /// A value that was found although it has several possible writers.
    pub repeated: Option<ValueId>,
    /// The initial value's cluster first.
    pub clusters: Vec<Cluster>,
    /// By step: the cluster that it wrote, or `u32::MAX`.
    cluster_of: Vec<u32>,
}

/// The cluster of the initial value.
const INITIAL_CLUSTER: u32 = 0;

impl<'s> Clusters<'s> {
    /// Builds the clusters of `steps` over `values` values, and counts what is already wrong.
    pub fn new(steps: &'s [Step], values: usize, tally: &mut Tally) -> Self {
        let mut this = Self {
            steps,
            writers: writers(steps, values),
            observers: vec![None; values],
            repeated: None,
            clusters: vec![Cluster::of_initial()],
            cluster_of: vec![u32::MAX; steps.len()],
        };
        this.observe();
        this.found();
        this.fill(tally);
        this
    }

    /// Marks every value that surely was in the register. What an acknowledged operation found
    /// was there; so its writer took effect even if it was not acknowledged; so what that
    /// writer found, if it is a cas, was there too. Each value is handled once.
    fn observe(&mut self) {
        let mut unhandled = Vec::new();
        for (id, step) in self.steps.iter().enumerate() {
            if let (true, Some(value)) = (step.sure, step.observes)
                && self.observers[value as usize].is_none()
            {
                self.observers[value as usize] = Some(id as u32);
                unhandled.push(value);
            }
        }
        while let Some(value) = unhandled.pop() {
            match self.writers[value as usize] {
                Writer::Nobody | Writer::Initial => {}
                Writer::Several => self.repeated = self.repeated.or(Some(value)),
                Writer::One(id) => {
                    if let Some(found) = self.steps[id as usize].observes
                        && self.observers[found as usize].is_none()
                    {
                        self.observers[found as usize] = Some(id);
                        unhandled.push(found);
                    }
                }
            }
        }
    }

    /// Whether the step surely took effect.
    fn took_effect(&self, step: &Step) -> bool {
        step.sure
            || step.writes.is_some_and(|value| {
                self.observers[value as usize].is_some()
                    && matches!(self.writers[value as usize], Writer::One(_))
            })
    }

    /// The value that a step found, unless it says nothing because several wrote it.
    pub fn observed(&self, step: &Step) -> Option<ValueId> {
        step.observes.filter(|value| self.writers[*value as usize] != Writer::Several)
    }

    /// Founds a cluster for each write that took effect.
    fn found(&mut self) {
        for (id, step) in self.steps.iter().enumerate() {
            if step.writes.is_some() && self.took_effect(step) {
                self.cluster_of[id] = self.clusters.len() as u32;
                self.clusters.push(Cluster::of_writer(id as u32, step));
            }
        }
    }

    /// Adds to each cluster those that found its value, and ties clusters by cas. What
    /// contradicts the cluster by itself is counted and left out.
    fn fill(&mut self, tally: &mut Tally) {
        for (id, step) in self.steps.iter().enumerate() {
            let Some(value) = self.observed(step) else { continue };
            if !self.took_effect(step) {
                continue;
            }
            let id = id as u32;
            let cluster = match self.writers[value as usize] {
                Writer::Nobody => {
                    tally.add(Violation::NeverWritten { observer: id }, u64::MAX);
                    continue;
                }
                Writer::One(writer) => {
                    let start = self.steps[writer as usize].start;
                    if step.finish < start {
                        let violation = Violation::FoundBeforeWritten { observer: id, writer };
                        tally.add(violation, start - step.finish);
                        continue;
                    }
                    self.cluster_of[writer as usize]
                }
                Writer::Initial | Writer::Several => INITIAL_CLUSTER,
            };
            if step.writes.is_some() {
                if let Some(other) = self.clusters[cluster as usize].next {
                    let first = self.clusters[other as usize].writer.unwrap_or(id);
                    tally.add(Violation::ReplacedTwice { first, second: id }, u64::MAX);
                    continue;
                }
                let own = self.cluster_of[id as usize];
                self.clusters[cluster as usize].next = Some(own);
                self.clusters[own as usize].previous = Some(cluster);
            }
            self.clusters[cluster as usize].add(id, step);
        }
    }
}

fn writers(steps: &[Step], values: usize) -> Vec<Writer> {
    let mut writers = vec![Writer::Nobody; values];
    writers[INITIAL as usize] = Writer::Initial;
    for (id, step) in steps.iter().enumerate() {
        if let Some(value) = step.writes {
            let writer = &mut writers[value as usize];
            *writer = match writer {
                Writer::Nobody => Writer::One(id as u32),
                _ => Writer::Several,
            };
        }
    }
    writers
}

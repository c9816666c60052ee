//! Which writes took effect, who found their values, and what is certain of their instants.
//!
//! The same first steps as the register's check (steps 1 and 2 of its proof, see
//! [`crate::register`]), but nothing is judged here: what contradicts itself is noted and left
//! out, so that a history with one impossible read still has ages for all the others.

use crate::register::step::{AFTER_ALL, BEFORE_ALL, INITIAL, Step, Steps, ValueId};

/// No reign: of an operation that wrote nothing, or found nothing that counts.
pub(super) const NONE: u32 = u32::MAX;

/// The reign of the initial value.
pub(super) const INITIAL_REIGN: u32 = 0;

/// One value that was in the register.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reign {
    /// The step that wrote it; `None`: the initial value.
    pub writer: Option<u32>,
    /// When its writer began.
    pub start: u64,
    /// The earliest finish of its writer and of those that found it.
    pub earliest_finish: u64,
    /// The latest start of its writer and of the cas that found it.
    pub latest_fixed: u64,
    /// The latest start of a read that found it; zero if there is none.
    pub latest_read: u64,
    /// How many cas replaced it.
    pub replaced: u32,
    /// Its place in [`Reigns::chains`], and the end of its chain there.
    pub place: u32,
    pub chain_end: u32,
    /// It was surely written by this instant, and surely not before that one.
    pub done_by: u64,
    pub not_before: u64,
}

impl Reign {
    fn new(writer: Option<u32>, start: u64, finish: u64) -> Self {
        Self {
            writer,
            start,
            earliest_finish: finish,
            latest_fixed: start,
            latest_read: 0,
            replaced: 0,
            place: 0,
            chain_end: 0,
            done_by: finish,
            not_before: start,
        }
    }
}

/// An acknowledged operation that found a value which someone wrote in time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Read {
    pub step: u32,
    pub start: u64,
    pub reign: u32,
}

/// An operation that took effect.
#[derive(Debug, Clone, Copy)]
pub(super) struct Effect {
    pub start: u64,
    pub finish: u64,
    /// The reign that it found and the one that it began, or [`NONE`].
    pub found: u32,
    pub began: u32,
}

/// All values of one register, and who found them.
#[derive(Debug)]
pub(super) struct Reigns<'s> {
    steps: &'s [Step],
    /// The initial value's first.
    pub all: Vec<Reign>,
    /// Reigns in the order of their chains, each after the one that it replaced. A chain goes on
    /// only where one cas alone replaced a value.
    pub chains: Vec<u32>,
    /// Where each chain begins in `chains`.
    pub roots: Vec<u32>,
    pub effects: Vec<Effect>,
    pub reads: Vec<Read>,
    /// How many acknowledged operations found what nobody wrote, or wrote only later.
    pub impossible: usize,
    /// No order whatever has all of this: something is impossible, or some cas replace each
    /// other's values in a circle or against real time.
    pub contradictory: bool,
    /// Some value was replaced by two cas.
    pub replaced_twice: bool,
}

/// Who may have written a value.
#[derive(Clone, Copy, PartialEq)]
enum Writer {
    Nobody,
    Initial,
    One(u32),
    Several,
}

impl<'s> Reigns<'s> {
    /// Sorts out the steps of one register.
    ///
    /// # Errors
    /// If a value was found that has several possible writers.
    pub fn new(compacted: &'s Steps<'_>) -> Result<Self, String> {
        let steps = &compacted.steps;
        let writers = writers(steps, compacted.values.len());
        let found = found(steps, &writers);
        let several = |value: &usize| found[*value] && writers[*value] == Writer::Several;
        if let Some(value) = (0..found.len()).find(several) {
            let initially =
                if value == INITIAL as usize { ", counting the initial one" } else { "" };
            return Err(format!(
                "the value {} was written more than once{initially}, so nobody can say which of \
                 these writes a read returned",
                compacted.values[value]
            ));
        }
        let mut this = Self {
            steps,
            all: vec![Reign::new(None, BEFORE_ALL, BEFORE_ALL)],
            chains: Vec::new(),
            roots: Vec::new(),
            effects: Vec::with_capacity(steps.len()),
            reads: Vec::with_capacity(steps.len()),
            impossible: 0,
            contradictory: false,
            replaced_twice: false,
        };
        let began = this.begin(&found);
        this.find(&writers, &began);
        this.chain();
        Ok(this)
    }

    /// Begins a reign for each write that took effect: acknowledged, or found. By step.
    fn begin(&mut self, found: &[bool]) -> Vec<u32> {
        let mut began = vec![NONE; self.steps.len()];
        for (id, step) in self.steps.iter().enumerate() {
            if step.writes.is_some_and(|value| step.sure || found[value as usize]) {
                began[id] = self.all.len() as u32;
                self.all.push(Reign::new(Some(id as u32), step.start, step.finish));
            }
        }
        began
    }

    /// Adds to each reign those that found its value.
    fn find(&mut self, writers: &[Writer], began: &[u32]) {
        for (id, step) in self.steps.iter().enumerate() {
            if !step.sure && began[id] == NONE {
                continue;
            }
            let found = match step.observes.map(|value| writers[value as usize]) {
                None => NONE,
                Some(Writer::Initial) => INITIAL_REIGN,
                Some(Writer::One(writer)) if step.finish >= self.steps[writer as usize].start => {
                    began[writer as usize]
                }
                Some(_) => {
                    self.contradictory = true;
                    self.impossible += usize::from(step.sure);
                    if began[id] == NONE {
                        continue;
                    }
                    NONE
                }
            };
            let Step { start, finish, .. } = *step;
            self.effects.push(Effect { start, finish, found, began: began[id] });
            if found == NONE {
                continue;
            }
            if step.sure {
                self.reads.push(Read { step: id as u32, start, reign: found });
            }
            let reign = &mut self.all[found as usize];
            reign.earliest_finish = reign.earliest_finish.min(finish);
            if began[id] == NONE {
                reign.latest_read = reign.latest_read.max(start);
            } else {
                reign.latest_fixed = reign.latest_fixed.max(start);
                reign.replaced += 1;
                self.replaced_twice |= reign.replaced > 1;
            }
        }
    }

    /// Follows the chains, and works out what is certain along each.
    fn chain(&mut self) {
        let mut next = vec![NONE; self.all.len()];
        let mut is_root = vec![true; self.all.len()];
        let ties =
            self.effects.iter().filter(|effect| effect.found != NONE && effect.began != NONE);
        for tie in ties {
            if self.all[tie.found as usize].replaced == 1 {
                next[tie.found as usize] = tie.began;
                is_root[tie.began as usize] = false;
            }
        }
        let mut reached = vec![false; self.all.len()];
        for root in 0..self.all.len() as u32 {
            if is_root[root as usize] {
                let from = self.chains.len();
                let mut id = root;
                while id != NONE {
                    reached[id as usize] = true;
                    self.chains.push(id);
                    id = next[id as usize];
                }
                self.settle(from);
            }
        }
        for id in 0..self.all.len() as u32 {
            if !reached[id as usize] {
                // In a circle, where nothing is first: each stands alone.
                self.contradictory = true;
                self.alone(id);
            }
        }
    }

    /// Works out what is certain of the chain that begins at this place; takes it apart if it
    /// contradicts real time.
    fn settle(&mut self, from: usize) {
        let end = self.chains.len();
        let (mut not_before, mut done_by) = (0, AFTER_ALL);
        for &id in &self.chains[from..] {
            let reign = &mut self.all[id as usize];
            not_before = reign.start.max(not_before);
            reign.not_before = not_before;
        }
        let mut reversed = false;
        for place in (from..end).rev() {
            let reign = &mut self.all[self.chains[place] as usize];
            done_by = reign.earliest_finish.min(done_by);
            reign.done_by = done_by;
            (reign.place, reign.chain_end) = (place as u32, end as u32);
            reversed |= reign.not_before > done_by;
        }
        if reversed {
            self.contradictory = true;
            for id in self.chains.split_off(from) {
                self.alone(id);
            }
        } else {
            self.roots.push(from as u32);
        }
    }

    /// Makes a chain of one reign.
    fn alone(&mut self, id: u32) {
        let place = self.chains.len() as u32;
        self.roots.push(place);
        self.chains.push(id);
        let reign = &mut self.all[id as usize];
        (reign.place, reign.chain_end) = (place, place + 1);
        (reign.not_before, reign.done_by) = (reign.start, reign.earliest_finish);
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

/// By value: whether it surely was in the register, because an acknowledged operation found it
/// or one that surely took effect itself.
fn found(steps: &[Step], writers: &[Writer]) -> Vec<bool> {
    let mut found = vec![false; writers.len()];
    let mut unhandled: Vec<ValueId> =
        steps.iter().filter(|step| step.sure).filter_map(|step| step.observes).collect();
    while let Some(value) = unhandled.pop() {
        if std::mem::replace(&mut found[value as usize], true) {
            continue;
        }
        if let Writer::One(id) = writers[value as usize] {
            unhandled.extend(steps[id as usize].observes);
        }
    }
    found
}

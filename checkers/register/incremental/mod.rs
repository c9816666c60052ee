//! The register check while the history grows: each event in its turn, and at once an answer.
//!
//! Says the same as [the check of the whole](super) would say of the events so far, with
//! operations in flight taken as unanswered, but needs O(log n) time per event and memory only
//! for what can still matter. What it keeps:
//! - operations in flight;
//! - writes and cas without an answer, as each may still take effect at any time (one entry each,
//!   until its value is found and then overwritten);
//! - values that an operation in flight could still legally find: about as many as operations
//!   overlap the slowest one in flight.
//!
//! It does not keep a value that was overwritten, not even as a number: *a value that is not kept
//! can be found by nobody*, so an operation that finds it breaks the history just as if nobody had
//! ever written it, and the two are not told apart. For the same reason a value may be written
//! again once it can no longer be found, and is a new value then. A value that several operations
//! may have written, with neither of them out of the question, is not decided here; check such a
//! history when it is complete.
//!
//! A refused cas is not taken as an observation here. There is no witness, as most of the history is
//! gone: the answer names the event, and the [check](super::check_key) of the history up to it has
//! the proof.
//!
//! # The events
//!
//! In order of time; of those at the same instant, invocations before completions, since
//! operations that touch count as concurrent. Anything else makes the answer undecided.
//!
//! # Why it is right
//!
//! The words are those of the [module above](super): clusters (here *reigns*), chains, zones. Let
//! `low` be the earliest invocation of an operation in flight. Every operation that is still to be
//! acknowledged began at `low` or later, ends later than all that has ended, and so:
//! - `F_k` and with it the begin of a zone is set once, by the first operation that ends;
//! - `S_k` and the end of a zone grow, and each time they do the new conflicts are looked for:
//!   within the chain with the earliest `F` of the later reigns; among forward zones, which are
//!   disjoint, with the last one that begins before the new end; and for a forward zone with all
//!   that begin in the part by which it grew. These parts are disjoint, so that is O(1) amortised.
//!
//! **1. When a chain X is over.** Let Y be another chain with `begin_X < end_Y` and `begin_Y < low`.
//! Whatever joins X later begins at `low` or later, so `end_X > begin_Y`, and both together are a
//! violation. (A cas without an answer may have begun before `low`, but if it joins X then with
//! an operation that found its value, which did not.)
//!
//! **2. Then X can be forgotten.** No violation so far, so `end_X <= begin_Y < low`, and X stays
//! as it is. If it contradicted some Z later, then `begin_Z < end_X`. Keep `horizon`, the greatest
//! end of all chains, forgotten or not, with a begin before `low`. If `begin_X < low`, end_X is
//! counted in it; otherwise Y is a forward zone that begins before `low <= begin_X` and ends after
//! end_X; in both cases `begin_Z < horizon`, and Z is over itself.
//!
//! **3. So** chains whose begin is less than the horizon are removed, but for the one that the
//! horizon belongs to. Those that are left begin at `low` or later, or are backward zones that all
//! contain the horizon, so as many as were in flight at that instant.
//!
//! **4. Within a chain**, everything before a reign with `F_k < low` is over by the same argument.
//!
//! **5. An operation in flight is never forgotten.** If it is known to have taken effect, its own
//! start `>= low` belongs to its reign, so what makes the reign over would have been a violation.
//!
//! **6. A value written again** after it was forgotten can have been found only by operations that
//! were acknowledged before, and only the new write can be found by those that are acknowledged
//! later. So who found which write is known, as if the values were different.
//!
//! ```
//! use splitbrain_checkers::history::{Event, Function, Kind, Process, Time, Value};
//! use splitbrain_checkers::register::incremental::{Incremental, Progress};
//!
//! let mut check = Incremental::new(Value::Nil);
//! let mut tell = |time, kind, f, value: Option<i64>| {
//!     let value = value.map_or(Value::Nil, Value::Int);
//!     let (process, time) = (Process::Client(0), Time(time));
//!     let (node, key, intended, error) = (None, None, None, None);
//!     check.push(&Event { index: time.0, time, process, node, kind, f, key, value, intended, error })
//!         .clone()
//! };
//! tell(0, Kind::Invoke, Function::Write, Some(1));
//! tell(1, Kind::Ok, Function::Write, Some(1));
//! tell(2, Kind::Invoke, Function::Read, None);
//! assert_eq!(tell(3, Kind::Ok, Function::Read, Some(1)), Progress::Possible);
//! tell(4, Kind::Invoke, Function::Read, None);
//! let Progress::Broken { index, sentence } = tell(5, Kind::Ok, Function::Read, None) else { panic!() };
//! assert_eq!(index, 5);
//! assert!(sentence.starts_with("the read by process 0 (0.000 s) found nil, but"), "{sentence}");
//! ```

mod chain;
mod reigns;
mod slab;
mod zones;

use std::collections::BTreeSet;

use rustc_hash::FxHashMap;

use crate::clock::Clock;
use crate::history::{Event, Function, Kind, Process, Time, Value};
use reigns::{ReignId, Reigns, Stop};

/// What the events so far say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// The history so far is linearizable.
    Possible,
    /// With the event of this index it was no longer. For a witness, check the whole history.
    Broken { index: u64, sentence: String },
    /// Not decided from this event on, and why.
    Undecided { index: u64, reason: String },
}

/// An operation in flight.
#[derive(Debug)]
struct InFlight {
    start: u64,
    what: What,
}

#[derive(Debug)]
enum What {
    /// Nothing that a register has to answer for.
    Other,
    Read,
    /// A cas that leaves the value as it is.
    Confirm(Value),
    /// A write, or a cas with the value that it expects.
    Write(ReignId, Option<Value>),
}

/// The check of one register, event by event.
#[derive(Debug)]
pub struct Incremental {
    clock: Clock,
    progress: Progress,
    in_flight: FxHashMap<u64, InFlight>,
    /// Invocations of the operations in flight.
    starts: BTreeSet<(u64, u64)>,
    reigns: Reigns,
    /// The instant of the last event, and whether it was a completion.
    last: (Time, bool),
}

impl Incremental {
    /// A register that holds `initial`.
    pub fn new(initial: Value) -> Self {
        Self {
            clock: Clock::Nanoseconds,
            progress: Progress::Possible,
            in_flight: FxHashMap::default(),
            starts: BTreeSet::new(),
            reigns: Reigns::new(initial),
            last: (Time(0), false),
        }
    }

    /// What the times are; only for the sentences.
    pub fn with_clock(self, clock: Clock) -> Self {
        Self { clock, ..self }
    }

    /// What the events so far say.
    pub fn progress(&self) -> &Progress {
        &self.progress
    }

    /// How many operations are remembered: in flight, or with a value that can still be found.
    pub fn remembered(&self) -> usize {
        self.in_flight.len() + self.reigns.len()
    }

    /// Takes the next event. What the nemesis does is passed over, and so are reads of a node's own
    /// copy; the key is not looked at. Once the history is broken or undecided, it stays so.
    pub fn push(&mut self, event: &Event) -> &Progress {
        if let (Process::Client(process), Progress::Possible) = (event.process, &self.progress)
            && let Err(progress) = self.take(process, event)
        {
            self.progress = progress;
        }
        &self.progress
    }

    fn take(&mut self, process: u64, event: &Event) -> Result<(), Progress> {
        let completes = event.kind != Kind::Invoke;
        if event.time < self.last.0 || event.time == self.last.0 && self.last.1 && !completes {
            return Err(undecided(event, "is out of order"));
        }
        self.last = (event.time, completes);
        let now = event.time.0.saturating_add(1);
        if !completes {
            if self.in_flight.contains_key(&process) {
                return Err(undecided(event, "is the second in flight of its process"));
            }
            let what = self.invoked(event, now)?;
            self.in_flight.insert(process, InFlight { start: now, what });
            self.starts.insert((now, process));
            return Ok(());
        }
        let Some(operation) = self.in_flight.remove(&process) else {
            return Err(undecided(event, "completes what was never invoked"));
        };
        self.completed(event, &operation, now)?;
        self.starts.remove(&(operation.start, process));
        self.reigns.advance(self.starts.first().map_or(now, |(start, _)| *start));
        Ok(())
    }

    fn invoked(&mut self, event: &Event, now: u64) -> Result<What, Progress> {
        match &event.f {
            Function::Read => Ok(What::Read),
            Function::ReplicaRead => Ok(What::Other),
            Function::Write => {
                Ok(What::Write(self.reigns.may_write(now, event.value.clone(), None), None))
            }
            Function::Cas => match event.value.as_pair() {
                Some((expected, new)) if expected == new => Ok(What::Confirm(new.clone())),
                Some((expected, new)) => {
                    let expected = Some(expected.clone());
                    let id = self.reigns.may_write(now, new.clone(), expected.clone());
                    Ok(What::Write(id, expected))
                }
                None => Err(undecided(event, "is a cas without two values, [expected new]")),
            },
            Function::Other(_) => Err(undecided(event, "is none of read, write and cas")),
        }
    }

    fn completed(&mut self, event: &Event, operation: &InFlight, now: u64) -> Result<(), Progress> {
        let outcome = match (event.kind, &operation.what) {
            (Kind::Ok, What::Read) => self.reigns.found(&event.value, operation.start, now),
            (Kind::Ok, What::Confirm(value)) => self.reigns.found(value, operation.start, now),
            (Kind::Ok, What::Write(id, _)) => self.reigns.acknowledged(*id, operation.start, now),
            (Kind::Fail, What::Write(id, _)) if self.reigns.took_effect(*id) => {
                return Err(Progress::Broken {
                    index: event.index,
                    sentence: format!(
                        "{} was answered as failed, but its value had been found",
                        self.who(event)
                    ),
                });
            }
            (Kind::Fail, What::Write(id, _)) => {
                self.reigns.forget(*id);
                Ok(())
            }
            _ => Ok(()),
        };
        outcome.map_err(|stop| self.stopped(event, operation, stop))
    }

    /// What stopped the check at the completion of that operation, in words.
    fn stopped(&self, event: &Event, operation: &InFlight, stop: Stop) -> Progress {
        let why = match stop {
            Stop::Ambiguous(value) => {
                let reason = format!(
                    "several operations may have written {value}, which was found by event {}; \
                     check the whole history",
                    event.index
                );
                return Progress::Undecided { index: event.index, reason };
            }
            Stop::NotThere(value) => {
                format!("{value} had been overwritten before, or was never written")
            }
            Stop::ReplacedTwice(value) => format!("another cas had replaced {value} already"),
            Stop::Circle(value) => {
                format!("{value} and others were then written by cas in a circle")
            }
            Stop::Replaced(value) => {
                format!("{value} had been replaced by cas before the operation began")
            }
            Stop::Interleaved(value, other) => {
                format!("{value} and {other} would each have been there before the other")
            }
        };
        let did = match &operation.what {
            What::Read => format!("found {}", event.value),
            What::Confirm(value) | What::Write(_, Some(value)) => format!("found {value}"),
            What::Write(_, None) | What::Other => "was acknowledged".to_owned(),
        };
        let sentence = format!("{} {did}, but {why}", self.who(event));
        Progress::Broken { index: event.index, sentence }
    }

    /// `the read at n1 (3.102 s)`.
    fn who(&self, event: &Event) -> String {
        let place = match (&event.node, event.process) {
            (Some(node), _) => format!("at {node}"),
            (None, Process::Client(process)) => format!("by process {process}"),
            (None, Process::Nemesis) => "by the nemesis".to_owned(),
        };
        format!("the {} {place} ({})", event.f, self.clock.instant(event.time))
    }
}

fn undecided(event: &Event, why: &str) -> Progress {
    let reason = format!("event {} ({} of {}) {why}", event.index, event.f, event.value);
    Progress::Undecided { index: event.index, reason }
}

//! Sessions of transactions as the algorithms see them: numbers in plain arrays.
//!
//! Transactions are numbered session by session, each session's in its order. So the order of a
//! session is the order of numbers, and "all of session s before t" is one number.

use std::ops::Range;

use crate::history::Time;

/// Where a number stands for nothing.
pub(crate) const NONE: u32 = u32::MAX;

/// How a value of a key came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// It was there before the first operation.
    Initial,
    /// One transaction left it.
    Written,
    /// One transaction wrote it and then overwrote it itself.
    Intermediate,
    /// No transaction that took effect wrote it.
    Nobody,
}

/// A value of a key.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Version {
    pub key: u32,
    pub origin: Origin,
    /// [`NONE`] if the origin is no transaction.
    pub writer: u32,
    /// Its number in the frame of the whole history.
    pub name: u32,
}

/// Transactions in sessions, and which read from which.
#[derive(Debug, Default)]
pub(crate) struct Frame {
    /// Where each session's transactions begin, and the end of the last.
    session_starts: Vec<u32>,
    session_of: Vec<u32>,
    /// The number of each transaction in the frame of the whole history; [`NONE`] if all that is
    /// known of it is that it wrote something.
    names: Vec<u32>,
    read_starts: Vec<u32>,
    reads: Vec<u32>,
    write_starts: Vec<u32>,
    writes: Vec<u32>,
    pub versions: Vec<Version>,
    pub keys: usize,
    /// Transactions that read another value than they themselves had just written.
    pub contradictory: Vec<u32>,
    /// By when each transaction had surely taken effect. No model but linearizability is about
    /// time: this is only for guessing well.
    pub done: Vec<Time>,
}

impl Frame {
    /// The number of transactions.
    pub fn len(&self) -> usize {
        self.session_of.len()
    }

    pub fn sessions(&self) -> usize {
        self.session_starts.len().saturating_sub(1)
    }

    /// The transactions of a session.
    pub fn session(&self, session: u32) -> Range<u32> {
        self.session_starts[session as usize]..self.session_starts[session as usize + 1]
    }

    pub fn session_of(&self, transaction: u32) -> u32 {
        self.session_of[transaction as usize]
    }

    pub fn name(&self, transaction: u32) -> u32 {
        self.names[transaction as usize]
    }

    /// The one before it in its session.
    pub fn previous(&self, transaction: u32) -> Option<u32> {
        let first = self.session(self.session_of(transaction)).start;
        (transaction > first).then(|| transaction - 1)
    }

    /// The versions that a transaction found, without those that it wrote itself before.
    pub fn reads(&self, transaction: u32) -> &[u32] {
        let at = transaction as usize;
        &self.reads[self.read_starts[at] as usize..self.read_starts[at + 1] as usize]
    }

    /// The versions that it left, one per key.
    pub fn writes(&self, transaction: u32) -> &[u32] {
        let at = transaction as usize;
        &self.writes[self.write_starts[at] as usize..self.write_starts[at + 1] as usize]
    }

    pub fn version(&self, version: u32) -> Version {
        self.versions[version as usize]
    }

    pub fn all(&self) -> Range<u32> {
        0..self.len() as u32
    }

    /// How many reads there are in all.
    pub fn observations(&self) -> usize {
        self.reads.len()
    }

    /// Begins a new session.
    pub fn open_session(&mut self) {
        if self.session_starts.is_empty() {
            self.session_starts.push(0);
            self.read_starts.push(0);
            self.write_starts.push(0);
        }
        self.session_starts.push(self.len() as u32);
    }

    /// Adds a transaction to the newest session, and returns its number.
    pub fn push(&mut self, name: u32, reads: &[u32], writes: &[u32]) -> u32 {
        let number = self.len() as u32;
        self.session_of.push(self.sessions() as u32 - 1);
        self.names.push(name);
        self.reads.extend_from_slice(reads);
        self.read_starts.push(self.reads.len() as u32);
        self.writes.extend_from_slice(writes);
        self.write_starts.push(self.writes.len() as u32);
        if let Some(end) = self.session_starts.last_mut() {
            *end = number + 1;
        }
        number
    }

    /// The frame in which all transactions but `kept` (ascending) are forgotten: nothing remains
    /// of them but that a value that someone kept had found was written once, by a session that
    /// did nothing else.
    ///
    /// What is impossible with transactions forgotten is impossible with them: an order that
    /// explains the whole explains the part when the forgotten are struck out of it, or, where
    /// their values are needed, replaced on the spot by single writes.
    pub fn restrict(&self, kept: &[u32]) -> Frame {
        let mut part = Frame::default();
        let mut keys = rustc_hash::FxHashMap::default();
        let mut versions = rustc_hash::FxHashMap::default();
        let mut session = NONE;
        let (mut reads, mut writes) = (Vec::new(), Vec::new());
        for &transaction in kept {
            if self.session_of(transaction) != session {
                session = self.session_of(transaction);
                part.open_session();
            }
            let mut renumber = |version: &u32| {
                *versions.entry(*version).or_insert_with(|| {
                    let known = self.version(*version);
                    let next_key = keys.len() as u32;
                    let key = *keys.entry(known.key).or_insert(next_key);
                    part.versions.push(Version { key, ..known });
                    part.versions.len() as u32 - 1
                })
            };
            reads.clear();
            reads.extend(self.reads(transaction).iter().map(&mut renumber));
            writes.clear();
            writes.extend(self.writes(transaction).iter().map(&mut renumber));
            let number = part.push(self.name(transaction), &reads, &writes);
            if self.contradictory.binary_search(&transaction).is_ok() {
                part.contradictory.push(number);
            }
        }
        part.keys = keys.len();
        for version in 0..part.versions.len() {
            let known = part.versions[version];
            if known.writer == NONE {
                continue;
            }
            match kept.binary_search(&known.writer) {
                Ok(position) => part.versions[version].writer = position as u32,
                Err(_) => {
                    part.open_session();
                    let writer = part.push(NONE, &[], &[version as u32]);
                    let forgotten = Version { writer, origin: Origin::Written, ..known };
                    part.versions[version] = forgotten;
                }
            }
        }
        let done = kept.iter().map(|transaction| self.done[*transaction as usize]);
        part.done = done.chain(std::iter::repeat(Time::MAX)).take(part.len()).collect();
        part
    }

    /// Finds out [`Frame::done`] from when each transaction was answered, if it was: what someone
    /// has read was there by then.
    pub fn settle(&mut self, answered: impl Iterator<Item = Option<Time>>) {
        let mut done: Vec<Time> = answered.map(|time| time.unwrap_or(Time::MAX)).collect();
        for reader in self.all() {
            let by = done[reader as usize];
            for read in self.reads(reader) {
                if let Some(done) = done.get_mut(self.version(*read).writer as usize) {
                    *done = (*done).min(by);
                }
            }
        }
        self.done = done;
    }
}

/// One key's writes in one session.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lane {
    pub session: u32,
    start: u32,
    end: u32,
}

/// Who wrote which key, in the order of the numbers.
#[derive(Debug)]
pub(crate) struct Lanes {
    lanes: Vec<Lane>,
    key_starts: Vec<u32>,
    writers: Vec<u32>,
}

impl Lanes {
    pub fn new(frame: &Frame) -> Self {
        let mut starts = vec![0_u32; frame.keys + 1];
        for transaction in frame.all() {
            for version in frame.writes(transaction) {
                starts[frame.version(*version).key as usize + 1] += 1;
            }
        }
        for key in 0..frame.keys {
            starts[key + 1] += starts[key];
        }
        let mut writers = vec![0_u32; starts[frame.keys] as usize];
        let mut next = starts.clone();
        for transaction in frame.all() {
            for version in frame.writes(transaction) {
                let slot = &mut next[frame.version(*version).key as usize];
                writers[*slot as usize] = transaction;
                *slot += 1;
            }
        }
        let mut lanes: Vec<Lane> = Vec::new();
        let mut key_starts = Vec::with_capacity(frame.keys + 1);
        for key in 0..frame.keys {
            key_starts.push(lanes.len() as u32);
            let first = lanes.len();
            for position in starts[key]..starts[key + 1] {
                let session = frame.session_of(writers[position as usize]);
                match lanes[first..].last_mut() {
                    Some(lane) if lane.session == session => lane.end = position + 1,
                    _ => lanes.push(Lane { session, start: position, end: position + 1 }),
                }
            }
        }
        key_starts.push(lanes.len() as u32);
        Lanes { lanes, key_starts, writers }
    }

    /// The lanes of a key, in the order of sessions.
    pub fn of(&self, key: u32) -> &[Lane] {
        let at = key as usize;
        &self.lanes[self.key_starts[at] as usize..self.key_starts[at + 1] as usize]
    }

    /// Who wrote, ascending.
    pub fn writers(&self, lane: Lane) -> &[u32] {
        &self.writers[lane.start as usize..lane.end as usize]
    }

    /// The last of a lane whose number is below `bound`.
    pub fn last_below(&self, lane: Lane, bound: u32) -> Option<u32> {
        let writers = self.writers(lane);
        writers[..writers.partition_point(|writer| *writer < bound)].last().copied()
    }
}

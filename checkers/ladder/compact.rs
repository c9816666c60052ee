//! From a recorded history to a [`Frame`]: who did what in which session, which reads from which.

use rustc_hash::FxHashMap;

use super::effects::{Effect, Key, effects};
use super::frame::{Frame, NONE, Origin, Version};
use crate::history::{Function, History, Operation, Outcome, Value};

/// A history as the algorithms see it, and what its numbers stand for.
#[derive(Debug)]
pub(crate) struct Compact<'h> {
    pub frame: Frame,
    /// The operation of each transaction of the frame.
    pub operations: Vec<&'h Operation>,
    /// What each version of the frame is: a key and its value.
    pub values: Vec<(Key<'h>, &'h Value)>,
    /// Why not all reads could be used.
    pub ambiguous: Option<String>,
    /// Some operation ended at the very reading of the clock at which its session's next began.
    pub touching: bool,
}

/// An operation on its way into the frame.
struct Staged {
    operation: u32,
    session: u32,
    took_effect: bool,
    /// Its end in the flat lists of reads and writes.
    reads_end: u32,
    writes_end: u32,
}

/// What is known of a version while operations come in.
#[derive(Clone, Copy)]
struct Draft {
    key: u32,
    /// Position of the staged operation that wrote it, if any did.
    writer: u32,
    initial: bool,
    intermediate: bool,
    writers: u32,
}

#[derive(Default)]
struct Numbering<'h> {
    integer_keys: FxHashMap<i64, u32>,
    text_keys: FxHashMap<&'h str, u32>,
    other_keys: FxHashMap<Key<'h>, u32>,
    integers: FxHashMap<(u32, i64), u32>,
    others: FxHashMap<(u32, &'h Value), u32>,
    values: Vec<(Key<'h>, &'h Value)>,
    drafts: Vec<Draft>,
    keys: u32,
}

impl<'h> Numbering<'h> {
    fn key(&mut self, key: Key<'h>) -> u32 {
        let next = self.keys;
        let number = match key {
            Key::Named(Some(name)) => *self.text_keys.entry(name).or_insert(next),
            Key::Valued(Value::Int(integer)) => *self.integer_keys.entry(*integer).or_insert(next),
            other => *self.other_keys.entry(other).or_insert(next),
        };
        self.keys = self.keys.max(number + 1);
        number
    }

    fn version(&mut self, named: Key<'h>, value: &'h Value, initial: &Value) -> u32 {
        let key = self.key(named);
        let next = self.values.len() as u32;
        let number = match value {
            Value::Int(integer) => *self.integers.entry((key, *integer)).or_insert(next),
            other => *self.others.entry((key, other)).or_insert(next),
        };
        if number == next {
            self.values.push((named, value));
            let initial = value == initial;
            let writers = u32::from(initial);
            self.drafts.push(Draft { key, writer: NONE, initial, intermediate: false, writers });
        }
        number
    }
}

/// Takes the operations of a history in the order of their sessions.
///
/// # Errors
/// A sentence that names the first operation that is no operation on registers, or a process
/// that did two things at a time.
pub(crate) fn compact<'h>(history: &'h History, initial: &'h Value) -> Result<Compact<'h>, String> {
    let mut stage = Stage { initial, ..Stage::default() };
    for (position, operation) in history.operations.iter().enumerate() {
        if operation.outcome != Outcome::Fail && operation.f != Function::ReplicaRead {
            stage.take(position as u32, operation)?;
        }
    }
    stage.decide_unanswered();
    Ok(stage.into_frame(history))
}

static NIL: Value = Value::Nil;

struct Stage<'h> {
    initial: &'h Value,
    numbering: Numbering<'h>,
    staged: Vec<Staged>,
    reads: Vec<u32>,
    writes: Vec<u32>,
    contradictory: Vec<u32>,
    sessions: FxHashMap<u64, Running>,
    session_count: u32,
    touching: bool,
}

impl Default for Stage<'_> {
    fn default() -> Self {
        Stage {
            initial: &NIL,
            numbering: Numbering::default(),
            staged: Vec::new(),
            reads: Vec::new(),
            writes: Vec::new(),
            contradictory: Vec::new(),
            sessions: FxHashMap::default(),
            session_count: 0,
            touching: false,
        }
    }
}

/// A process as far as its operations have come in.
struct Running {
    session: u32,
    busy_until: crate::history::Time,
    ended: bool,
}

impl<'h> Stage<'h> {
    fn take(&mut self, position: u32, operation: &'h Operation) -> Result<(), String> {
        let (first_read, first_write) = (self.reads.len(), self.writes.len());
        let staged = self.staged.len() as u32;
        let mut contradicts_itself = false;
        effects(operation, |effect| match effect {
            Effect::Read(key, value) => {
                let version = self.numbering.version(key, value, self.initial);
                let key = self.numbering.drafts[version as usize].key;
                let drafts = &self.numbering.drafts;
                let same_key = |own: &&u32| drafts[**own as usize].key == key;
                match self.writes[first_write..].iter().rfind(same_key) {
                    Some(own) => contradicts_itself |= *own != version,
                    None if self.reads[first_read..].contains(&version) => {}
                    None => self.reads.push(version),
                }
            }
            Effect::Write(key, value) => {
                let version = self.numbering.version(key, value, self.initial);
                let drafts = &mut self.numbering.drafts;
                let key = drafts[version as usize].key;
                drafts[version as usize].writers += 1;
                drafts[version as usize].writer = staged;
                let same_key = |own: &&mut u32| drafts[**own as usize].key == key;
                match self.writes[first_write..].iter_mut().find(same_key) {
                    Some(own) => {
                        drafts[*own as usize].intermediate = true;
                        *own = version;
                    }
                    None => self.writes.push(version),
                }
            }
        })?;
        if self.reads.len() == first_read && self.writes.len() == first_write && !contradicts_itself
        {
            return Ok(());
        }
        let session = self.session(operation)?;
        if contradicts_itself {
            self.contradictory.push(staged);
        }
        self.staged.push(Staged {
            operation: position,
            session,
            took_effect: operation.outcome == Outcome::Ok,
            reads_end: self.reads.len() as u32,
            writes_end: self.writes.len() as u32,
        });
        Ok(())
    }

    /// The session of an operation. One that was left without an answer is the last of its
    /// session: when it took effect, if at all, nobody knows.
    fn session(&mut self, operation: &Operation) -> Result<u32, String> {
        let next = self.session_count;
        let running = self.sessions.entry(operation.process).or_insert(Running {
            session: next,
            busy_until: Default::default(),
            ended: true,
        });
        if running.ended {
            running.session = next;
            self.session_count += 1;
        } else if operation.invoke < running.busy_until {
            return Err(format!(
                "process {} had two operations in flight at {}; a session does one thing at a time",
                operation.process, operation.invoke
            ));
        }
        self.touching |= !running.ended && operation.invoke == running.busy_until;
        running.busy_until = operation.complete.unwrap_or(operation.invoke);
        running.ended = operation.outcome != Outcome::Ok;
        Ok(running.session)
    }

    fn reads_of(&self, staged: usize) -> &[u32] {
        let start = staged.checked_sub(1).map_or(0, |before| self.staged[before].reads_end);
        &self.reads[start as usize..self.staged[staged].reads_end as usize]
    }

    fn writes_of(&self, staged: usize) -> &[u32] {
        let start = staged.checked_sub(1).map_or(0, |before| self.staged[before].writes_end);
        &self.writes[start as usize..self.staged[staged].writes_end as usize]
    }

    /// What was read surely took effect, and so did what it had read itself.
    fn decide_unanswered(&mut self) {
        let mut to_visit: Vec<usize> =
            (0..self.staged.len()).filter(|staged| self.staged[*staged].took_effect).collect();
        while let Some(staged) = to_visit.pop() {
            for read in self.reads_of(staged).to_vec() {
                let draft = self.numbering.drafts[read as usize];
                if draft.writers == 1
                    && draft.writer != NONE
                    && !self.staged[draft.writer as usize].took_effect
                {
                    self.staged[draft.writer as usize].took_effect = true;
                    to_visit.push(draft.writer as usize);
                }
            }
        }
    }

    fn into_frame(self, history: &'h History) -> Compact<'h> {
        let order = self.by_session();
        let mut frame = Frame::default();
        frame.keys = self.numbering.keys as usize;
        let mut numbers = vec![NONE; self.staged.len()];
        let mut operations = Vec::with_capacity(order.len());
        let (mut session, mut ambiguous) = (NONE, None);
        let (mut reads, mut writes, mut repeated) = (Vec::new(), Vec::new(), Vec::new());
        for &staged in &order {
            let known = &self.staged[staged as usize];
            if known.session != session {
                session = known.session;
                frame.open_session();
            }
            let operation = &history.operations[known.operation as usize];
            reads.clear();
            for &read in self.reads_of(staged as usize) {
                if self.numbering.drafts[read as usize].writers <= 1 {
                    reads.push(read);
                } else {
                    ambiguous.get_or_insert((operation, read));
                }
            }
            let number = operations.len() as u32;
            writes.clear();
            for &write in self.writes_of(staged as usize) {
                let draft = &self.numbering.drafts[write as usize];
                if draft.writers <= 1 {
                    writes.push(write);
                    continue;
                }
                // Nobody knows who read it, so it is a version that nobody reads.
                writes.push((self.numbering.drafts.len() + repeated.len()) as u32);
                let (key, origin) = (draft.key, Origin::Written);
                repeated.push(Version { key, origin, writer: number, name: write });
            }
            numbers[staged as usize] = frame.push(number, &reads, &writes);
            operations.push(operation);
        }
        let drafts = self.numbering.drafts.iter().enumerate();
        let versions = drafts.map(|(name, draft)| {
            let is_told_apart = draft.writer != NONE && draft.writers == 1;
            let writer = if is_told_apart { numbers[draft.writer as usize] } else { NONE };
            let origin = match draft {
                _ if writer != NONE && draft.intermediate => Origin::Intermediate,
                _ if writer != NONE => Origin::Written,
                _ if draft.initial => Origin::Initial,
                _ => Origin::Nobody,
            };
            Version { key: draft.key, origin, writer, name: name as u32 }
        });
        frame.versions = versions.chain(repeated).collect();
        frame.contradictory = self.contradictory.iter().map(|s| numbers[*s as usize]).collect();
        frame.contradictory.retain(|transaction| *transaction != NONE);
        frame.contradictory.sort_unstable();
        frame.settle(operations.iter().map(|operation| match operation.outcome {
            Outcome::Ok => operation.complete,
            Outcome::Fail | Outcome::Info => None,
        }));
        let values = self.numbering.values;
        let ambiguous = ambiguous.map(|(reader, version): (&Operation, u32)| {
            let (key, value) = values[version as usize];
            format!(
                "process {} read {key}{value} at {}, and more than one write may have left it; \
                 only values that are written once tell who read what",
                reader.process, reader.invoke
            )
        });
        Compact { frame, operations, values, ambiguous, touching: self.touching }
    }

    /// All that took effect, session by session.
    fn by_session(&self) -> Vec<u32> {
        let mut starts = vec![0_u32; self.session_count as usize + 1];
        let taken = || self.staged.iter().enumerate().filter(|(_, staged)| staged.took_effect);
        for (_, staged) in taken() {
            starts[staged.session as usize + 1] += 1;
        }
        for session in 0..self.session_count as usize {
            starts[session + 1] += starts[session];
        }
        let mut order = vec![0; starts[self.session_count as usize] as usize];
        for (position, staged) in taken() {
            let slot = &mut starts[staged.session as usize];
            order[*slot as usize] = position as u32;
            *slot += 1;
        }
        order
    }
}

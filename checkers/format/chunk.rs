//! Events as the parsers leave them: what was said, and nothing made up for what was not.

use super::names::{NameId, Names};
use super::{Problem, ProblemKind};
use crate::history::{Event, Function, Kind, Process, Time, Value};

/// One event with the line that it was read from. Names are those of its [`Chunk`].
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry {
    /// From 1, within its chunk.
    pub line: u32,
    pub index: Option<u64>,
    pub time: Option<Time>,
    /// `None` if the event does not say who caused it.
    pub process: Option<Process>,
    pub node: Option<NameId>,
    pub kind: Kind,
    pub f: Function,
    pub key: Option<NameId>,
    pub value: Value,
    pub intended: Option<Time>,
    pub error: Option<NameId>,
}

/// Events of some consecutive lines.
#[derive(Debug, Clone, Default)]
pub struct Chunk {
    pub(super) entries: Vec<Entry>,
    pub(super) names: Names,
    /// Lines are counted within the chunk.
    pub(super) problems: Vec<Problem>,
    /// How many lines end in this chunk.
    pub(super) lines: usize,
}

impl Chunk {
    pub(super) fn problem(&mut self, line: usize, kind: ProblemKind, message: String) {
        self.problems.push(Problem { line, kind, message });
    }

    /// The events alone, as [`write_event`](super::write_event) takes them. One that says no
    /// index or time has zero, and one that does not say who caused it is the nemesis's.
    pub fn events(&self) -> impl Iterator<Item = Event> + '_ {
        let name = |id: NameId| self.names.get(id).clone();
        self.entries.iter().map(move |entry| Event {
            index: entry.index.unwrap_or_default(),
            time: entry.time.unwrap_or_default(),
            process: entry.process.unwrap_or(Process::Nemesis),
            node: entry.node.map(name),
            kind: entry.kind,
            f: entry.f.clone(),
            key: entry.key.map(name),
            value: entry.value.clone(),
            intended: entry.intended,
            error: entry.error.map(name),
        })
    }

    /// What could not be read, with lines counted from the beginning of the chunk.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }
}

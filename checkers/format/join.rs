//! From events as they were read to a history.

use super::{Format, Problem, ProblemKind, Reading};
use crate::clock::Clock;
use crate::history::{Event, HistoryBuilder, Time};

/// An event with the line that it was read from.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry {
    /// From 1, within its chunk.
    pub line: u32,
    /// Its index and time count only if they are said to.
    pub event: Event,
    pub has_index: bool,
    pub has_time: bool,
}

/// Events of some consecutive lines.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Chunk {
    pub(super) entries: Vec<Entry>,
    /// Lines are counted within the chunk.
    pub(super) problems: Vec<Problem>,
    /// How many lines end in this chunk.
    pub(super) lines: usize,
}

impl Chunk {
    pub(super) fn problem(&mut self, line: usize, kind: ProblemKind, message: String) {
        self.problems.push(Problem { line, kind, message });
    }
}

/// Joins chunks in the order of the file and pairs their events into operations.
#[derive(Debug)]
pub struct Joiner {
    format: Format,
    builder: HistoryBuilder,
    problems: Vec<Problem>,
    lines: usize,
    events: u64,
    timed: u64,
    last: Time,
}

impl Joiner {
    pub fn new(format: Format) -> Self {
        Self {
            format,
            builder: HistoryBuilder::new(),
            problems: Vec::new(),
            lines: 0,
            events: 0,
            timed: 0,
            last: Time(0),
        }
    }

    /// Takes the next chunk. An event without index gets its position, and one without time its
    /// index, if no event has a time.
    pub fn push(&mut self, chunk: Chunk) {
        for problem in chunk.problems {
            self.problems.push(Problem { line: self.lines + problem.line, ..problem });
        }
        for entry in chunk.entries {
            self.add(entry);
        }
        self.lines += chunk.lines;
    }

    fn add(&mut self, entry: Entry) {
        let mut event = entry.event;
        if !entry.has_index {
            event.index = self.events;
        }
        if !entry.has_time {
            event.time = if self.timed == 0 { Time(event.index) } else { self.last };
        }
        let line = self.lines + entry.line as usize;
        if self.events > 0 && entry.has_time != (self.timed > 0) {
            self.mixed(line, entry.has_time);
        }
        self.timed += u64::from(entry.has_time);
        self.events += 1;
        self.last = event.time;
        if let Err(error) = self.builder.push(event) {
            let kind = ProblemKind::Inconsistent;
            self.problems.push(Problem { line, kind, message: error.to_string() });
        }
    }

    /// Times on some events only: there is no one order. Said once.
    fn mixed(&mut self, line: usize, has_time: bool) {
        if self.problems.iter().any(|problem| problem.message.contains("`time`")) {
            return;
        }
        let message = match has_time {
            true => "this event has a `time` and events before it have none",
            false => "this event has no `time` and events before it have one",
        };
        let message = format!("{message}; either all events have it or none");
        self.problems.push(Problem { line, kind: ProblemKind::Inconsistent, message });
    }

    /// Ends the history: operations in the order of their invocations, problems in that of lines.
    pub fn finish(mut self) -> Reading {
        let mut history = self.builder.finish();
        if !history.operations.is_sorted_by_key(|operation| operation.invoke) {
            history.operations.sort_by_key(|operation| operation.invoke);
        }
        self.problems.sort_by_key(|problem| problem.line);
        let clock = if self.timed > 0 { Clock::Nanoseconds } else { Clock::Events };
        Reading { history, problems: self.problems, format: self.format, clock }
    }
}

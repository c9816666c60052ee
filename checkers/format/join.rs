//! From events as they were read to a history.

use super::chunk::{Chunk, Entry};
use super::names::{NameId, Names};
use super::{Format, FormatError, Problem, ProblemKind, Reading};
use crate::clock::Clock;
use crate::history::{
    Completion, Event, HistoryBuilder, HistoryError, Kind, Name, Operation, Outcome, Process, Time,
    Value,
};

/// Joins chunks in the order of the file and pairs their events into operations.
///
/// An event without index gets its position, and one without time its index, if no event has a
/// time. Client events that do not say their process are paired by what they do:
/// [`HistoryBuilder::complete_unnamed`].
#[derive(Debug)]
pub struct Joiner {
    format: Format,
    builder: HistoryBuilder,
    /// Of all chunks, so that the same node or key is one string in the whole history.
    names: Names,
    /// The same for the names of the chunk at hand, as far as they were needed.
    shared: Vec<Option<Name>>,
    problems: Vec<Problem>,
    /// Of the chunks before.
    lines: usize,
    events: u64,
    has_times: bool,
    last: Time,
    /// Whether client events say their process; not known before the first.
    say_process: Option<bool>,
    /// Whether it was said that only some events have times, and that only some have processes.
    mixed: (bool, bool),
}

impl Joiner {
    pub fn new(format: Format) -> Self {
        Self {
            format,
            builder: HistoryBuilder::new(),
            names: Names::default(),
            shared: Vec::new(),
            problems: Vec::new(),
            lines: 0,
            events: 0,
            has_times: false,
            last: Time(0),
            say_process: None,
            mixed: (false, false),
        }
    }

    /// Takes the next chunk.
    pub fn push(&mut self, chunk: Chunk) {
        for problem in chunk.problems {
            self.problems.push(Problem { line: self.lines + problem.line, ..problem });
        }
        self.shared.clear();
        self.shared.resize(chunk.names.len(), None);
        for entry in chunk.entries {
            let line = self.lines + entry.line as usize;
            self.look_for_mixture(&entry, line);
            if let Err(error) = self.add(entry, &chunk.names) {
                self.inconsistent(line, error.to_string());
            }
        }
        self.lines += chunk.lines;
    }

    fn add(&mut self, entry: Entry, names: &Names) -> Result<(), HistoryError> {
        let index = entry.index.unwrap_or(self.events);
        let time = match entry.time {
            Some(time) => time,
            None if self.has_times => self.last,
            None => Time(index),
        };
        self.events += 1;
        self.last = time;
        if entry.process == Some(Process::Nemesis) {
            return self.nemesis(entry, index, time, names);
        }
        let outcome = match entry.kind {
            Kind::Invoke => return self.invoke(entry, index, time, names),
            Kind::Ok => Outcome::Ok,
            Kind::Fail => Outcome::Fail,
            Kind::Info => Outcome::Info,
        };
        let error = self.name(entry.error, names);
        let completion = Completion { index, time, outcome, output: entry.value, error };
        match entry.process {
            Some(Process::Client(process)) => self.builder.complete(process, completion),
            _ => {
                let key = self.name(entry.key, names);
                self.builder.complete_unnamed(&entry.f, key.as_ref(), completion)
            }
        }
    }

    fn invoke(
        &mut self,
        entry: Entry,
        index: u64,
        time: Time,
        names: &Names,
    ) -> Result<(), HistoryError> {
        let process = match entry.process {
            Some(Process::Client(process)) => Some(process),
            _ => None,
        };
        let operation = Operation {
            index,
            process: process.unwrap_or_default(),
            node: self.name(entry.node, names),
            f: entry.f,
            key: self.name(entry.key, names),
            input: entry.value,
            output: Value::Nil,
            invoke: time,
            complete: None,
            outcome: Outcome::Info,
            intended: entry.intended,
            error: None,
        };
        if process.is_some() {
            return self.builder.invoke(operation);
        }
        self.builder.invoke_unnamed(operation);
        Ok(())
    }

    fn nemesis(
        &mut self,
        entry: Entry,
        index: u64,
        time: Time,
        names: &Names,
    ) -> Result<(), HistoryError> {
        let event = Event {
            index,
            time,
            process: Process::Nemesis,
            node: self.name(entry.node, names),
            kind: entry.kind,
            f: entry.f,
            key: self.name(entry.key, names),
            value: entry.value,
            intended: entry.intended,
            error: self.name(entry.error, names),
        };
        self.builder.push(event)
    }

    /// The name of the chunk, as the whole history has it.
    fn name(&mut self, id: Option<NameId>, names: &Names) -> Option<Name> {
        let id = id?;
        let shared = &mut self.shared[id.index()];
        Some(shared.get_or_insert_with(|| self.names.name(names.get(id))).clone())
    }

    /// Times on some events only: there is no one order. Processes on some client events only:
    /// the numbers that the others get may be those of others. Each is said once.
    fn look_for_mixture(&mut self, entry: &Entry, line: usize) {
        let has_time = entry.time.is_some();
        if self.events > 0 && has_time != self.has_times && !self.mixed.0 {
            self.mixed.0 = true;
            self.mixture(line, "`time`", has_time);
        }
        self.has_times |= has_time;
        if entry.process != Some(Process::Nemesis) {
            let says = entry.process.is_some();
            if *self.say_process.get_or_insert(says) != says && !self.mixed.1 {
                self.mixed.1 = true;
                self.mixture(line, "`process`", says);
            }
        }
    }

    fn mixture(&mut self, line: usize, what: &str, has_it: bool) {
        let message = match has_it {
            true => format!("this event has a {what} and events before it have none"),
            false => format!("this event has no {what} and events before it have one"),
        };
        self.inconsistent(line, format!("{message}; either all events have it or none"));
    }

    fn inconsistent(&mut self, line: usize, message: String) {
        self.problems.push(Problem { line, kind: ProblemKind::Inconsistent, message });
    }

    /// Ends the history: operations in the order of their invocations, problems in that of lines.
    ///
    /// # Errors
    /// Not one event could be read, and not because the first was cut off.
    pub fn finish(mut self) -> Result<Reading, FormatError> {
        self.problems.sort_by_key(|problem| problem.line);
        let is_cut = |problem: &Problem| problem.kind == ProblemKind::CutOff;
        if self.events == 0
            && !self.problems.iter().any(is_cut)
            && let Some(first) = self.problems.first()
        {
            return Err(FormatError::NoEvent { first: first.clone() });
        }
        let mut history = self.builder.finish();
        if !history.operations.is_sorted_by_key(|operation| operation.invoke) {
            history.operations.sort_by_key(|operation| operation.invoke);
        }
        let clock = if self.has_times { Clock::Nanoseconds } else { Clock::Events };
        Ok(Reading { history, problems: self.problems, format: self.format, clock })
    }
}

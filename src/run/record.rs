//! Writes the history as it happens.
//!
//! An event is handed to the kernel (written, not buffered) before [`Recorder::record`] returns,
//! so an invocation is in the page cache before its request leaves, and killing the controller
//! loses nothing that was recorded. Index and time are given under one lock: events are in time
//! order in the file.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Mutex;

use splitbrain_checkers::format::write_event;
use splitbrain_checkers::history::{Event, Function, Kind, Name, Process, Time, Value};

use crate::clock::Clock;

/// The open history of a run; shared by all threads.
#[derive(Debug)]
pub struct Recorder {
    clock: Clock,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    file: File,
    next_index: u64,
    line: Vec<u8>,
}

/// An event but for its index and time, which the recorder gives.
#[derive(Debug, Clone)]
pub struct Entry {
    pub process: Process,
    pub node: Option<Name>,
    pub kind: Kind,
    pub f: Function,
    pub key: Option<Name>,
    pub value: Value,
    pub intended: Option<Time>,
    pub error: Option<Name>,
}

impl Entry {
    /// What the nemesis does: `f` names it, `value` says it.
    pub fn nemesis(f: &str, value: Value) -> Entry {
        Entry {
            process: Process::Nemesis,
            node: None,
            kind: Kind::Info,
            f: Function::from_name(f),
            key: None,
            value,
            intended: None,
            error: None,
        }
    }
}

impl Recorder {
    /// Creates the file; it must not be there yet.
    pub fn create(path: &Path, clock: Clock) -> io::Result<Recorder> {
        let file = File::options().append(true).create_new(true).open(path)?;
        Ok(Recorder::to(file, clock))
    }

    /// Records to an open file.
    pub fn to(file: File, clock: Clock) -> Recorder {
        let inner = Inner { file, next_index: 0, line: Vec::with_capacity(256) };
        Recorder { clock, inner: Mutex::new(inner) }
    }

    /// Appends an event and returns its time. An error means that the history is incomplete
    /// from here on, so the run has to end.
    pub fn record(&self, entry: Entry) -> io::Result<Time> {
        let mut inner = self.inner.lock().map_err(|_| io::Error::other("a recorder panicked"))?;
        let inner = &mut *inner;
        let event = Event {
            index: inner.next_index,
            time: self.clock.now(),
            process: entry.process,
            node: entry.node,
            kind: entry.kind,
            f: entry.f,
            key: entry.key,
            value: entry.value,
            intended: entry.intended,
            error: entry.error,
        };
        inner.line.clear();
        write_event(&event, &mut inner.line);
        inner.file.write_all(&inner.line)?;
        inner.next_index += 1;
        Ok(event.time)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_readable_before_record_returns_and_indices_follow_time() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history.jsonl");
        let recorder = Recorder::create(&path, Clock::start()).unwrap();
        recorder.record(Entry::nemesis("phase", "healthy".into())).unwrap();
        let written = std::fs::read_to_string(&path).unwrap();
        assert!(written.starts_with(r#"{"index":0,"time":"#), "{written}");
        assert!(written.ends_with("}\n"), "{written}");
        recorder.record(Entry::nemesis("phase", "settle".into())).unwrap();
        let events: Vec<serde_json::Value> = std::fs::read_to_string(&path)
            .unwrap()
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(events[1]["index"], 1);
        assert!(events[0]["time"].as_u64() <= events[1]["time"].as_u64());
    }

    #[test]
    fn an_old_history_is_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history.jsonl");
        std::fs::write(&path, "precious").unwrap();
        assert!(Recorder::create(&path, Clock::start()).is_err());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "precious");
    }
}

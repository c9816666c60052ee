//! From events to operations: who completes what.

use rustc_hash::FxHashMap;

use super::{
    Event, Function, History, HistoryError, Kind, Name, Operation, Outcome, Process, Time, Value,
};

/// The end of an operation: what an event other than an invocation says.
#[derive(Debug, Clone, PartialEq)]
pub struct Completion {
    pub index: u64,
    pub time: Time,
    pub outcome: Outcome,
    pub output: Value,
    pub error: Option<Name>,
}

/// Pairs events into operations as they come.
#[derive(Debug, Default)]
pub struct HistoryBuilder {
    history: History,
    in_flight: InFlight,
    /// The positions of operations in flight whose events do not say their process.
    unnamed: Vec<usize>,
    /// How many operations have no process.
    unnamed_count: u64,
}

impl HistoryBuilder {
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next event. On an error the event is left out and the builder can go on.
    pub fn push(&mut self, event: Event) -> Result<(), HistoryError> {
        let Process::Client(process) = event.process else {
            self.history.end = self.history.end.max(event.time);
            self.history.nemesis.push(event);
            return Ok(());
        };
        let outcome = match event.kind {
            Kind::Invoke => {
                return self.invoke(Operation {
                    index: event.index,
                    process,
                    node: event.node,
                    f: event.f,
                    key: event.key,
                    input: event.value,
                    output: Value::Nil,
                    invoke: event.time,
                    complete: None,
                    outcome: Outcome::Info,
                    intended: event.intended,
                    error: None,
                });
            }
            Kind::Ok => Outcome::Ok,
            Kind::Fail => Outcome::Fail,
            Kind::Info => Outcome::Info,
        };
        let Event { index, time, value: output, error, .. } = event;
        self.complete(process, Completion { index, time, outcome, output, error })
    }

    /// Takes an invocation: an operation that has no completion yet. On an error it is left out.
    pub fn invoke(&mut self, operation: Operation) -> Result<(), HistoryError> {
        self.history.end = self.history.end.max(operation.invoke);
        let (index, process) = (operation.index, operation.process);
        let position = self.history.operations.len();
        if let Some(open) = self.in_flight.begin(process, position) {
            let open = self.history.operations[open].index;
            return Err(HistoryError::InvokedTwice { index, process, open });
        }
        self.history.operations.push(operation);
        Ok(())
    }

    /// Takes the completion of the operation that the process has in flight.
    pub fn complete(&mut self, process: u64, completion: Completion) -> Result<(), HistoryError> {
        self.history.end = self.history.end.max(completion.time);
        let Some(position) = self.in_flight.end(process) else {
            return Err(HistoryError::NeverInvoked { index: completion.index, process });
        };
        self.end(position, completion);
        Ok(())
    }

    fn end(&mut self, position: usize, completion: Completion) {
        let operation = &mut self.history.operations[position];
        operation.complete = Some(completion.time);
        operation.outcome = completion.outcome;
        operation.output = completion.output;
        operation.error = completion.error;
    }

    /// Takes an invocation that does not say its process. It gets one of its own, so that no
    /// order is taken for granted that was not recorded.
    pub fn invoke_unnamed(&mut self, operation: Operation) {
        self.history.end = self.history.end.max(operation.invoke);
        self.unnamed.push(self.history.operations.len());
        self.history.operations.push(Operation { process: self.unnamed_count, ..operation });
        self.unnamed_count += 1;
    }

    /// Takes a completion that does not say its process. It belongs to the operation without a
    /// process that is in flight with the same function and key; if there are several, to the
    /// one of them with the same value. If that is not one either, nobody can tell, and it is
    /// refused: a wrong guess would give an operation the time or the value of another.
    pub fn complete_unnamed(
        &mut self,
        f: &Function,
        key: Option<&Name>,
        completion: Completion,
    ) -> Result<(), HistoryError> {
        self.history.end = self.history.end.max(completion.time);
        let operations = &self.history.operations;
        let alike: Vec<usize> = (0..self.unnamed.len())
            .filter(|place| {
                let operation = &operations[self.unnamed[*place]];
                operation.f == *f && operation.key.as_ref() == key
            })
            .collect();
        let same_value =
            |place: &&usize| operations[self.unnamed[**place]].input == completion.output;
        let place = match alike[..] {
            [] => {
                let index = completion.index;
                return Err(HistoryError::UnnamedNeverInvoked { index, f: f.clone() });
            }
            [only] => only,
            _ => match alike.iter().filter(same_value).collect::<Vec<_>>()[..] {
                [only] => *only,
                _ => {
                    return Err(HistoryError::UnnamedAmbiguous {
                        index: completion.index,
                        f: f.clone(),
                        open: alike.len(),
                    });
                }
            },
        };
        let position = self.unnamed.remove(place);
        self.end(position, completion);
        Ok(())
    }

    /// Ends the history; whatever is still in flight stays `info` without a completion.
    pub fn finish(self) -> History {
        self.history
    }
}

/// The position of the operation that each process has in flight. Processes are numbered from
/// zero up, so most are an index into a table.
#[derive(Debug, Default)]
struct InFlight {
    low: Vec<usize>,
    high: FxHashMap<u64, usize>,
}

impl InFlight {
    /// Processes below this number are looked up in the table: half a megabyte at most.
    const LOW: u64 = 1 << 16;
    const NONE: usize = usize::MAX;

    /// Puts the operation at that position in flight, or returns the one that already is.
    fn begin(&mut self, process: u64, position: usize) -> Option<usize> {
        if process >= Self::LOW {
            if let Some(&open) = self.high.get(&process) {
                return Some(open);
            }
            self.high.insert(process, position);
            return None;
        }
        let process = process as usize;
        if process >= self.low.len() {
            self.low.resize(process + 1, Self::NONE);
        }
        let open = &mut self.low[process];
        if *open != Self::NONE {
            return Some(*open);
        }
        *open = position;
        None
    }

    /// The operation that is in flight no more.
    fn end(&mut self, process: u64) -> Option<usize> {
        if process >= Self::LOW {
            return self.high.remove(&process);
        }
        let open = self.low.get_mut(process as usize)?;
        let position = std::mem::replace(open, Self::NONE);
        (position != Self::NONE).then_some(position)
    }
}

impl FromIterator<Event> for Result<History, HistoryError> {
    fn from_iter<T: IntoIterator<Item = Event>>(events: T) -> Self {
        let mut builder = HistoryBuilder::new();
        for event in events {
            builder.push(event)?;
        }
        Ok(builder.finish())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(index: u64, process: u64, kind: Kind) -> Event {
        Event {
            index,
            time: Time(10 * index),
            process: Process::Client(process),
            node: None,
            kind,
            f: Function::Read,
            key: None,
            value: Value::Nil,
            intended: None,
            error: None,
        }
    }

    #[test]
    fn processes_of_any_number_have_one_operation_in_flight() {
        let processes = [0, 7, InFlight::LOW - 1, InFlight::LOW, u64::MAX];
        let mut builder = HistoryBuilder::new();
        for (index, process) in (0..).zip(processes) {
            assert_eq!(builder.push(event(index, process, Kind::Invoke)), Ok(()));
        }
        for (open, process) in (0..).zip(processes) {
            let error = HistoryError::InvokedTwice { index: 9, process, open };
            assert_eq!(builder.push(event(9, process, Kind::Invoke)), Err(error));
        }
        for (index, process) in (10..).zip(processes) {
            assert_eq!(builder.push(event(index, process, Kind::Ok)), Ok(()));
            let error = HistoryError::NeverInvoked { index: 20, process };
            assert_eq!(builder.push(event(20, process, Kind::Fail)), Err(error));
        }
        let history = builder.finish();
        let ends: Vec<_> = history.operations.iter().map(|o| o.complete.unwrap().0).collect();
        assert_eq!(ends, [100, 110, 120, 130, 140]);
        assert_eq!(history.end, Time(200));
    }

    #[test]
    fn unnamed_operations_are_told_by_key_and_value() {
        let mut builder = HistoryBuilder::new();
        let write = |index, key: &str, value: i64| Operation {
            index,
            process: 0,
            node: None,
            f: Function::Read,
            key: Some(key.into()),
            input: Value::Int(value),
            output: Value::Nil,
            invoke: Time(10 * index),
            complete: None,
            outcome: Outcome::Info,
            intended: None,
            error: None,
        };
        for (index, key, value) in [(0, "x", 1), (1, "x", 2), (2, "y", 1)] {
            builder.invoke_unnamed(write(index, key, value));
        }
        let mut complete = |index, key: &str, value: i64| {
            let (time, output) = (Time(10 * index), Value::Int(value));
            let completion = Completion { index, time, outcome: Outcome::Ok, output, error: None };
            builder.complete_unnamed(&Function::Read, Some(&key.into()), completion)
        };
        // The only one of its key, whatever its value; then by value; then the one that is left.
        assert_eq!(complete(3, "y", 9), Ok(()));
        let ambiguous = HistoryError::UnnamedAmbiguous { index: 4, f: Function::Read, open: 2 };
        assert_eq!(complete(4, "x", 9), Err(ambiguous));
        assert_eq!(complete(5, "x", 2), Ok(()));
        assert_eq!(complete(6, "x", 9), Ok(()));
        let never = HistoryError::UnnamedNeverInvoked { index: 7, f: Function::Read };
        assert_eq!(complete(7, "x", 1), Err(never));
        let operations = builder.finish().operations;
        let ends: Vec<_> = operations.iter().map(|o| (o.process, o.complete.unwrap().0)).collect();
        assert_eq!(ends, [(0, 60), (1, 50), (2, 30)]);
    }
}

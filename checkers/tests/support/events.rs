//! Histories as events: those of given operations, and endless ones.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use splitbrain_checkers::history::{
    Event, Function, Kind, Operation, Outcome, Process, Time, Value,
};

/// Invocations and completions in order of time, invocations first at the same instant; after an
/// unanswered operation its process is retired.
pub fn of(operations: &[Operation]) -> Vec<Event> {
    let clients = operations.iter().map(|operation| operation.process + 1).max().unwrap_or(0);
    let mut retired = BTreeMap::new();
    let mut events = Vec::with_capacity(2 * operations.len());
    for operation in operations {
        let generation: &mut u64 = retired.entry(operation.process).or_default();
        let invoke = Event {
            index: operation.index,
            time: operation.invoke,
            process: Process::Client(operation.process + clients * *generation),
            node: operation.node.clone(),
            kind: Kind::Invoke,
            f: operation.f.clone(),
            key: operation.key.clone(),
            value: operation.input.clone(),
            intended: None,
            error: None,
        };
        let kind = match operation.outcome {
            Outcome::Ok => Kind::Ok,
            Outcome::Fail => Kind::Fail,
            Outcome::Info => Kind::Info,
        };
        *generation += u64::from(kind == Kind::Info);
        if let Some(time) = operation.complete {
            let (value, error) = (operation.output.clone(), operation.error.clone());
            events.push(Event { time, kind, value, error, ..invoke.clone() });
        }
        events.push(invoke);
    }
    events.sort_by_key(|event| (event.time, event.kind != Kind::Invoke));
    for (index, event) in events.iter_mut().enumerate() {
        event.index = index as u64;
    }
    events
}

/// The operations of the first `count` events of a history; those in flight are unanswered.
pub fn prefix(operations: &[Operation], events: &[Event], count: usize) -> Vec<Operation> {
    let Some(last) = count.checked_sub(1).map(|last| &events[last]) else { return Vec::new() };
    let now = (last.time, last.kind != Kind::Invoke, last.index);
    let place = |operation: &Operation, time: Time, completes: bool| {
        let mut same = events.iter().filter(|event| {
            event.time == time
                && (event.kind != Kind::Invoke) == completes
                && event.process == Process::Client(operation.process)
        });
        same.next().map_or(u64::MAX, |event| event.index)
    };
    let begun = |operation: &&Operation| {
        (operation.invoke, false, place(operation, operation.invoke, false)) <= now
    };
    let cut = |operation: &Operation| match operation.complete {
        Some(end) if (end, true, place(operation, end, true)) <= now => operation.clone(),
        _ => Operation { complete: None, outcome: Outcome::Info, ..operation.clone() },
    };
    operations.iter().filter(begun).map(cut).collect()
}

/// What a client of a [`Stream`] does next, and when.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    Invoke,
    Effect,
    Complete,
}

/// Clients that are always busy with one register that serves each at some instant between
/// invocation and completion; event by event, in constant memory. Written values are unique.
pub struct Stream {
    random: ChaCha8Rng,
    agenda: BinaryHeap<Reverse<(u64, Phase, usize)>>,
    /// By client: its process, what it does, and how that ends.
    clients: Vec<Event>,
    state: Value,
    written: i64,
    index: u64,
    /// Chance in ten thousand that an operation is not answered.
    unanswered: u32,
}

impl Stream {
    pub fn new(mut random: ChaCha8Rng, clients: usize, unanswered: u32) -> Self {
        let idle = |client: usize| Event {
            index: 0,
            time: Time(0),
            process: Process::Client(client as u64),
            node: Some("n1".into()),
            kind: Kind::Info,
            f: Function::Read,
            key: None,
            value: Value::Nil,
            intended: None,
            error: None,
        };
        Self {
            agenda: (0..clients)
                .map(|client| Reverse((random.random_range(0..1_000), Phase::Invoke, client)))
                .collect(),
            clients: (0..clients).map(idle).collect(),
            random,
            state: Value::Nil,
            written: 0,
            index: 0,
            unanswered,
        }
    }

    fn invoke(&mut self, client: usize) -> Event {
        let number = self.clients.len() as u64;
        let this = &mut self.clients[client];
        if let (Kind::Info, Process::Client(process)) = (this.kind, &mut this.process) {
            *process += number;
        }
        self.written += 1;
        let fresh = Value::Int(self.written);
        (this.f, this.value) = match self.random.random_range(0..100) {
            0..50 => (Function::Read, Value::Nil),
            50..80 => (Function::Write, fresh),
            80..84 => (Function::Cas, Value::pair(Value::Int(-1), fresh)),
            _ => (Function::Cas, Value::pair(self.state.clone(), fresh)),
        };
        this.kind = Kind::Invoke;
        this.clone()
    }

    /// The operation takes effect, or is lost.
    fn effect(&mut self, client: usize) {
        let lost = self.random.random_range(0..10_000) < self.unanswered;
        let this = &mut self.clients[client];
        this.kind = if lost { Kind::Info } else { Kind::Ok };
        if lost && self.random.random_bool(0.5) {
            return;
        }
        match (&this.f, this.value.as_pair()) {
            (Function::Cas, Some((expected, new))) if *expected == self.state => {
                self.state = new.clone();
            }
            (Function::Cas, _) if !lost => this.kind = Kind::Fail,
            (Function::Write, _) => self.state = this.value.clone(),
            (Function::Read, _) if !lost => this.value = self.state.clone(),
            _ => {}
        }
    }
}

impl Iterator for Stream {
    type Item = Event;

    fn next(&mut self) -> Option<Event> {
        loop {
            let Reverse((time, phase, client)) = self.agenda.pop()?;
            let mut later = |phase, most| {
                let time = time + self.random.random_range(1..most);
                self.agenda.push(Reverse((time, phase, client)));
            };
            let event = match phase {
                Phase::Invoke => {
                    later(Phase::Effect, 40_000);
                    self.invoke(client)
                }
                Phase::Effect => {
                    later(Phase::Complete, 40_000);
                    self.effect(client);
                    continue;
                }
                Phase::Complete => {
                    later(Phase::Invoke, 2_000);
                    self.clients[client].clone()
                }
            };
            self.index += 1;
            return Some(Event { time: Time(time), index: self.index - 1, ..event });
        }
    }
}

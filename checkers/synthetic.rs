//! A small language in which tests write histories and partitions down.
//!
//! Times are milliseconds since the run began. Every operation has a process of its own unless
//! the test has a reason; events go through [`HistoryBuilder`] as recorded ones do.

use std::collections::BTreeSet;

use crate::history::{
    Event, Function, History, HistoryBuilder, Kind, MISMATCH, Name, Process, Time, Value,
};
use crate::partition::{Link, Partition, Proof};

/// A time in milliseconds.
pub fn ms(milliseconds: u64) -> Time {
    Time(milliseconds * 1_000_000)
}

/// Node or key names.
pub fn names(names: &[&str]) -> Vec<Name> {
    names.iter().map(|&name| name.into()).collect()
}

/// How an operation of a test ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ends {
    Ok,
    Fail,
    /// A definite refusal by meaning.
    Mismatch,
    Info,
    /// No completion is ever recorded; the end of its span does not matter.
    Never,
}

/// A history in the making.
#[derive(Default)]
pub struct Synthetic {
    events: Vec<Event>,
    processes: u64,
}

impl Synthetic {
    pub fn new() -> Self {
        Self::default()
    }

    /// A write of `value`, invoked and completed at the two times of `span`.
    pub fn write(&mut self, node: &str, key: &str, value: i64, span: (u64, u64), ends: Ends) {
        self.operation(Function::Write, node, key, [value.into(), value.into()], span, ends);
    }

    /// A compare-and-set from `pair.0` to `pair.1`.
    pub fn cas(&mut self, node: &str, key: &str, pair: (i64, i64), span: (u64, u64), ends: Ends) {
        let value = Value::pair(pair.0.into(), pair.1.into());
        self.operation(Function::Cas, node, key, [value.clone(), value], span, ends);
    }

    /// A read that returns `value` if it ends well.
    pub fn read(&mut self, node: &str, key: &str, value: Value, span: (u64, u64), ends: Ends) {
        self.operation(Function::Read, node, key, [Value::Nil, value], span, ends);
    }

    /// A read of the node's own copy in the settle phase.
    pub fn replica_read(
        &mut self,
        node: &str,
        key: &str,
        value: Value,
        span: (u64, u64),
        ends: Ends,
    ) {
        self.operation(Function::ReplicaRead, node, key, [Value::Nil, value], span, ends);
    }

    /// `polls` rounds of replica reads of `key`, 100 ms apart from `from` on: each node returns
    /// its value of `values`.
    pub fn polls(&mut self, key: &str, values: &[(&str, Value)], from: u64, polls: u64) {
        for poll in 0..polls {
            for (offset, (node, value)) in values.iter().enumerate() {
                let start = from + poll * 100 + offset as u64;
                self.replica_read(node, key, value.clone(), (start, start + 5), Ends::Ok);
            }
        }
    }

    /// A steady load on one node: an operation every `every` ms from `span.0` to `span.1`, each
    /// taking `latency` ms, on a key of the node's own; reads return nil, written values are
    /// unique.
    pub fn load(
        &mut self,
        node: &str,
        f: Function,
        span: (u64, u64),
        [every, latency]: [u64; 2],
        ends: Ends,
    ) {
        let key = format!("load-{node}");
        for start in (span.0..span.1).step_by(every as usize) {
            let span = (start, start + latency);
            match f {
                Function::Read => self.read(node, &key, Value::Nil, span, ends),
                _ => self.write(node, &key, self.processes as i64, span, ends),
            }
        }
    }

    /// Something the nemesis did: `heal`, `settle`.
    pub fn nemesis(&mut self, f: &str, at: u64) {
        self.events.push(Event {
            index: 0,
            time: ms(at),
            process: Process::Nemesis,
            node: None,
            kind: Kind::Info,
            f: Function::Other(f.into()),
            key: None,
            value: Value::Nil,
            intended: None,
            error: None,
        });
    }

    fn operation(
        &mut self,
        f: Function,
        node: &str,
        key: &str,
        [input, output]: [Value; 2],
        span: (u64, u64),
        ends: Ends,
    ) {
        let invoke = Event {
            index: 0,
            time: ms(span.0),
            process: Process::Client(self.processes),
            node: Some(node.into()),
            kind: Kind::Invoke,
            f,
            key: Some(key.into()),
            value: input,
            intended: None,
            error: None,
        };
        self.processes += 1;
        let completion = |kind, value, error: Option<&str>| Event {
            time: ms(span.1),
            kind,
            value,
            error: error.map(Name::from),
            ..invoke.clone()
        };
        let asked = invoke.value.clone();
        let complete = match ends {
            Ends::Ok => Some(completion(Kind::Ok, output, None)),
            Ends::Fail => Some(completion(Kind::Fail, asked, Some("refused"))),
            Ends::Mismatch => Some(completion(Kind::Fail, asked, Some(MISMATCH))),
            Ends::Info => Some(completion(Kind::Info, asked, Some("timed out"))),
            Ends::Never => None,
        };
        self.events.push(invoke);
        self.events.extend(complete);
    }

    /// The history, its events in time order and numbered.
    pub fn finish(mut self) -> History {
        self.events.sort_by_key(|event| event.time);
        let mut builder = HistoryBuilder::new();
        for (index, event) in self.events.into_iter().enumerate() {
            let event = Event { index: index as u64, ..event };
            builder.push(event).expect("the test's history is well formed");
        }
        builder.finish()
    }
}

/// A proven partition into groups that cannot reach each other, from `began` to `healed`.
pub fn partition(groups: &[&[&str]], began: u64, healed: u64) -> Partition {
    let mut cut = Vec::new();
    for (i, group) in groups.iter().enumerate() {
        for (j, other) in groups.iter().enumerate() {
            if i != j {
                cut.extend(group.iter().flat_map(|&a| other.iter().map(move |&b| (a, b))));
            }
        }
    }
    partition_of_links(&cut, groups, began, healed)
}

/// A proven partition that cuts exactly these links and leaves these components.
pub fn partition_of_links(
    cut: &[(&str, &str)],
    components: &[&[&str]],
    began: u64,
    healed: u64,
) -> Partition {
    let cut: BTreeSet<Link> =
        cut.iter().map(|&(from, to)| Link { from: from.into(), to: to.into() }).collect();
    let described: Vec<String> = components.iter().map(|group| group.join(",")).collect();
    Partition {
        name: format!("groups {}", described.join(" | ")),
        cut,
        components: components.iter().map(|group| names(group)).collect(),
        commanded: ms(began - 2),
        began: ms(began),
        heal_commanded: ms(healed),
        healed: Some(ms(healed + 2)),
        dropped_packets: vec![("n1".into(), 100)],
        proof: Proof::Confirmed,
        pulse: None,
    }
}

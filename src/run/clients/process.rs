//! A logical process: one operation at a time, from its invocation to its completion.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::rc::Rc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures::FutureExt;
use futures::stream::{FuturesUnordered, StreamExt};
use splitbrain_checkers::history::{
    Function, Kind, MISMATCH, NOT_HELD, Name, Process, Time, Value,
};
use splitbrain_targets::driver::{Client, Reply, Request};
use tokio::time::{Instant, timeout_at};

use super::Copy;
use super::beside::Beside;
use crate::fault::HarnessFault;
use crate::run::record::Entry;

/// Pause between two attempts to get the first answer.
const FIRST_ANSWER_PAUSE: Duration = Duration::from_millis(50);
/// Reads in flight at a time, per node, while the cluster settles.
const SETTLE_READS_IN_FLIGHT: usize = 16;

/// One operation to carry out.
pub(super) struct Task {
    pub request: Request,
    /// When it should begin (open loop).
    pub due: Option<Time>,
    pub recorded: bool,
}

/// A logical process: one operation in flight at most.
pub(super) struct LogicalProcess {
    pub number: u64,
    pub client: Option<Box<dyn Client>>,
}

impl Beside {
    /// Reads, unrecorded, until there is an answer or the time is up.
    pub(super) async fn first_answer(&self, within: Duration) -> Result<(), String> {
        let deadline = Instant::now() + within;
        let request = Request { f: Function::Read, key: "warm-up".into(), value: Value::Nil };
        let mut process = LogicalProcess { number: 0, client: None };
        loop {
            let reply = self.ask(&mut process, &request).await;
            match reply {
                Reply::Ok(_) => return Ok(()),
                Reply::Mismatch => return Err("a read was answered with a mismatch".into()),
                Reply::Fail(error) | Reply::Info(error) if Instant::now() >= deadline => {
                    return Err(error);
                }
                Reply::Fail(_) | Reply::Info(_) => tokio::time::sleep(FIRST_ANSWER_PAUSE).await,
            }
        }
    }

    /// Carries out one operation and records it; returns how it ended.
    pub(super) async fn operate(
        self: Rc<Self>,
        mut process: LogicalProcess,
        Task { request, due, recorded }: Task,
    ) -> Kind {
        let mut entry = Entry {
            process: Process::Client(process.number),
            node: Some(self.node.name.clone()),
            kind: Kind::Invoke,
            f: request.f.clone(),
            key: Some(request.key.clone()),
            value: request.value.clone(),
            intended: due,
            error: None,
        };
        if recorded {
            self.record(entry.clone());
        }
        let reply = self.ask(&mut process, &request).await;
        let (kind, value, error) = completion(&request, reply);
        entry.kind = kind;
        entry.value = value;
        entry.error = error;
        entry.intended = None;
        if recorded {
            self.learn(&entry);
            self.record(entry);
        }
        if kind == Kind::Info {
            process = self.fresh();
        }
        self.give_back(process);
        kind
    }

    /// Connects if need be and sends the request, both within the workload's time-out.
    async fn ask(&self, process: &mut LogicalProcess, request: &Request) -> Reply {
        let deadline = Instant::now() + self.shared.workload.timeout;
        let Some(mut client) = (match process.client.take() {
            Some(client) => Some(client),
            None => {
                let connect = self.shared.driver.connect(&self.shared.cluster, &self.node);
                match timeout_at(deadline, self.guarded(request, connect)).await {
                    Err(_) => return Reply::Fail("timed out while connecting".into()),
                    Ok(None) => None,
                    Ok(Some(Err(error))) => return Reply::Fail(error),
                    Ok(Some(Ok(client))) => Some(client),
                }
            }
        }) else {
            return Reply::Fail("the driver panicked".into());
        };
        let answer = self.guarded(request, client.request(request));
        match timeout_at(deadline, answer).await {
            Err(_) => Reply::Info("timed out".into()),
            Ok(None) => Reply::Info("the driver panicked".into()),
            Ok(Some(reply @ Reply::Info(_))) => reply,
            Ok(Some(reply)) => {
                process.client = Some(client);
                reply
            }
        }
    }

    /// Awaits the driver; `None` if it panicked, which ends the run.
    async fn guarded<T>(&self, request: &Request, future: impl Future<Output = T>) -> Option<T> {
        match AssertUnwindSafe(future).catch_unwind().await {
            Ok(value) => Some(value),
            Err(panic) => {
                let message = panic
                    .downcast_ref::<String>()
                    .cloned()
                    .or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string))
                    .unwrap_or_else(|| "no message".into());
                // A closed channel means that the run is over already.
                let _ = self.shared.faults.send(HarnessFault::DriverPanic {
                    node: self.node.name.to_string(),
                    operation: format!("{} of {}", request.f, request.key),
                    message,
                });
                None
            }
        }
    }

    fn record(&self, entry: Entry) {
        if let Err(error) = self.shared.recorder.record(entry) {
            // A closed channel means that the run is over already.
            let _ = self.shared.faults.send(HarnessFault::History(error.to_string()));
        }
    }

    /// Counts the completion, and remembers for later cas what the key was seen to hold.
    fn learn(&self, entry: &Entry) {
        let tally = &self.shared.tally;
        let count = match entry.kind {
            Kind::Ok => &tally.ok,
            Kind::Fail => &tally.fail,
            _ => &tally.info,
        };
        count.fetch_add(1, Ordering::Relaxed);
        if let (Kind::Ok, Some(key)) = (entry.kind, &entry.key) {
            let held = entry.value.as_pair().map_or(&entry.value, |(_, new)| new);
            self.shared.keys.observe(key, held);
        }
    }

    /// Reads every key, some at a time.
    pub(super) async fn read_each(
        self: &Rc<Self>,
        f: Function,
        keys: Vec<Name>,
    ) -> BTreeMap<Name, Copy> {
        let mut waiting = keys.into_iter();
        let mut reads = FuturesUnordered::new();
        let mut values = BTreeMap::new();
        loop {
            while reads.len() < SETTLE_READS_IN_FLIGHT {
                let Some(key) = waiting.next() else { break };
                reads.push(self.read_one(f.clone(), key));
            }
            let Some((key, value)) = reads.next().await else { return values };
            values.insert(key, value);
        }
    }

    async fn read_one(self: &Rc<Self>, f: Function, key: Name) -> (Name, Copy) {
        let request = Request { f: f.clone(), key: key.clone(), value: Value::Nil };
        let mut process = self.idle.borrow_mut().pop().unwrap_or_else(|| self.fresh());
        let mut entry = Entry {
            process: Process::Client(process.number),
            node: Some(self.node.name.clone()),
            kind: Kind::Invoke,
            f,
            key: Some(key.clone()),
            value: Value::Nil,
            intended: None,
            error: None,
        };
        self.record(entry.clone());
        let reply = self.ask(&mut process, &request).await;
        let (kind, value, error) = completion(&request, reply);
        let copy = match (kind, error.as_deref()) {
            (Kind::Ok, _) => Copy::Holds(value.clone()),
            (_, Some(NOT_HELD)) => Copy::NotHeld,
            _ => Copy::NoAnswer,
        };
        entry.kind = kind;
        entry.value = value;
        entry.error = error;
        self.record(entry);
        self.idle.borrow_mut().push(process);
        (key, copy)
    }
}

/// The one place that turns a reply into a completion. A read changes nothing, so a read
/// without an answer has failed, whatever became of it.
fn completion(request: &Request, reply: Reply) -> (Kind, Value, Option<Name>) {
    let is_read = matches!(request.f, Function::Read | Function::ReplicaRead);
    match reply {
        Reply::Ok(value) if is_read => (Kind::Ok, value, None),
        Reply::Ok(_) => (Kind::Ok, request.value.clone(), None),
        Reply::Mismatch => (Kind::Fail, request.value.clone(), Some(MISMATCH.into())),
        Reply::Fail(error) => (Kind::Fail, request.value.clone(), Some(error.into())),
        Reply::Info(error) if is_read => (Kind::Fail, Value::Nil, Some(error.into())),
        Reply::Info(error) => (Kind::Info, request.value.clone(), Some(error.into())),
    }
}

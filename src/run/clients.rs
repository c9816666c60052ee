//! The clients of one node: a thread beside the node that carries out operations.
//!
//! The thread enters its node's network namespace first, so its clients are cut off exactly when
//! the node is. On it runs a single-threaded runtime. With a rate, operations begin at intended
//! instants whether or not earlier ones were answered (an open loop): an operation takes an idle
//! process, or a new one, up to as many as the rate needs when every operation times out. Without
//! a rate, each client waits for its answer (a closed loop).

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use futures::FutureExt;
use futures::stream::{FuturesUnordered, StreamExt};
use splitbrain_checkers::history::{
    Function, Kind, MISMATCH, NOT_HELD, Name, Process, Time, Value,
};
use splitbrain_targets::driver::{Client, Cluster, Driver, Node, Reply, Request};
use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio::time::{Instant, timeout_at};

use super::fault::HarnessFault;
use super::record::{Entry, Recorder};
use crate::clock::Clock;
use crate::generator::{Generator, Keys};
use crate::plan::Workload;

/// After a failed operation in a closed loop: what refuses at once is not asked in a busy loop.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_millis(10);
/// Pause between two attempts to get the first answer.
const FIRST_ANSWER_PAUSE: Duration = Duration::from_millis(50);
/// Reads in flight at a time, per node, while the cluster settles.
const SETTLE_READS_IN_FLIGHT: usize = 16;

/// What all clients of a run share.
pub struct Shared {
    pub driver: Arc<dyn Driver>,
    pub cluster: Cluster,
    pub workload: Workload,
    pub seed: u64,
    pub clock: Clock,
    pub keys: Keys,
    pub warm_up_keys: Keys,
    pub recorder: Recorder,
    pub tally: Tally,
    /// Whatever ends the run without a verdict.
    pub faults: mpsc::UnboundedSender<HarnessFault>,
    pub next_process: AtomicU64,
}

/// Operations so far, for the progress line.
#[derive(Debug, Default)]
pub struct Tally {
    pub ok: AtomicU64,
    pub fail: AtomicU64,
    pub info: AtomicU64,
}

/// What a node says of its own copy of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Copy {
    Holds(Value),
    /// It has no part in this key (another shard's node).
    NotHeld,
    NoAnswer,
}

/// What the clients of a node do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// Begin nothing.
    Paused,
    /// Begin operations that are not recorded.
    WarmUp,
    Recorded,
}

/// What the timeline tells the clients of a node.
enum Command {
    /// Read, unrecorded, until there is an answer or the time is up.
    FirstAnswer(Duration, oneshot::Sender<Result<(), String>>),
    /// Wait until no operation is in flight.
    Drain(oneshot::Sender<()>),
    /// Read every key once, as clients do.
    ReadAll(Vec<Name>, oneshot::Sender<()>),
    /// Read the node's own copy of every key.
    Poll(Vec<Name>, oneshot::Sender<BTreeMap<Name, Copy>>),
}

/// The handle of one node's clients. Dropping it ends the thread, whatever it waits for.
pub struct NodeClients {
    pub node: Name,
    mode: watch::Sender<Mode>,
    commands: mpsc::UnboundedSender<Command>,
    thread: Option<JoinHandle<()>>,
}

impl NodeClients {
    /// Starts the thread; `enter` is called on it first (to enter the node's namespace).
    pub fn start(
        shared: Arc<Shared>,
        node: Node,
        enter: impl FnOnce() -> Result<(), String> + Send + 'static,
    ) -> std::io::Result<NodeClients> {
        let (mode, mode_receiver) = watch::channel(Mode::Paused);
        let (commands, command_receiver) = mpsc::unbounded_channel();
        let name = node.name.clone();
        let thread = std::thread::Builder::new()
            .name(format!("clients-{name}"))
            .spawn(move || serve(shared, node, enter, mode_receiver, command_receiver))?;
        Ok(NodeClients { node: name, mode, commands, thread: Some(thread) })
    }

    /// Waits until a client here has had an answer; an error says what came instead.
    pub async fn first_answer(&self, within: Duration) -> Result<(), String> {
        let (reply, answer) = oneshot::channel();
        if self.commands.send(Command::FirstAnswer(within, reply)).is_err() {
            return Err("the clients' thread has ended".into());
        }
        answer.await.unwrap_or_else(|_| Err("the clients' thread has ended".into()))
    }

    /// Lets the clients begin operations that are not recorded, on keys of their own, so that
    /// connections are open and the servers are warm when the first recorded one begins.
    pub fn warm_up(&self) {
        self.mode.send_replace(Mode::WarmUp);
    }

    /// Lets the clients begin operations.
    pub fn resume(&self) {
        self.mode.send_replace(Mode::Recorded);
    }

    /// Lets no further operation begin; those in flight go on.
    pub fn pause(&self) {
        self.mode.send_replace(Mode::Paused);
    }

    /// Waits until no operation is in flight.
    pub async fn drained(&self) {
        let (reply, answer) = oneshot::channel();
        if self.commands.send(Command::Drain(reply)).is_ok() {
            // An error means that the thread has ended, and with it every operation.
            let _ = answer.await;
        }
    }

    /// Reads every key once, as clients do.
    pub async fn read_all(&self, keys: Vec<Name>) {
        let (reply, answer) = oneshot::channel();
        if self.commands.send(Command::ReadAll(keys, reply)).is_ok() {
            // An error means that the thread has ended, and with it every operation.
            let _ = answer.await;
        }
    }

    /// Reads the node's own copy of every key.
    pub async fn poll(&self, keys: Vec<Name>) -> BTreeMap<Name, Copy> {
        let (reply, answer) = oneshot::channel();
        if self.commands.send(Command::Poll(keys, reply)).is_err() {
            return BTreeMap::new();
        }
        answer.await.unwrap_or_default()
    }
}

impl Drop for NodeClients {
    fn drop(&mut self) {
        // With the sender of the mode gone the clients have nobody to work for.
        self.mode = watch::channel(Mode::Paused).0;
        if let Some(thread) = self.thread.take() {
            // A panic on the thread has been reported as a harness fault.
            let _ = thread.join();
        }
    }
}

fn serve(
    shared: Arc<Shared>,
    node: Node,
    enter: impl FnOnce() -> Result<(), String>,
    mode: watch::Receiver<Mode>,
    commands: mpsc::UnboundedReceiver<Command>,
) {
    let faults = shared.faults.clone();
    if let Err(reason) = enter() {
        // A closed channel means that the run is over already.
        let _ = faults.send(HarnessFault::Sandbox(reason));
        return;
    }
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            let _ = faults.send(HarnessFault::Sandbox(format!("no runtime: {error}")));
            return;
        }
    };
    let local = tokio::task::LocalSet::new();
    let mut wanted = mode.clone();
    local.block_on(&runtime, async {
        tokio::select! {
            () = Beside::new(shared, node).serve(mode, commands) => {}
            // Never the mode, so this waits until the handle is dropped.
            _ = wanted.wait_for(|_| false) => {}
        }
    });
}

/// One operation to carry out.
struct Task {
    request: Request,
    /// When it should begin (open loop).
    due: Option<Time>,
    recorded: bool,
}

/// A logical process: one operation in flight at most.
struct LogicalProcess {
    number: u64,
    client: Option<Box<dyn Client>>,
}

/// The clients beside one node, on their thread.
struct Beside {
    shared: Arc<Shared>,
    node: Node,
    idle: RefCell<Vec<LogicalProcess>>,
    in_flight: Cell<usize>,
    limit: usize,
    ended: Notify,
}

impl Beside {
    fn new(shared: Arc<Shared>, node: Node) -> Rc<Beside> {
        let workload = &shared.workload;
        let by_rate = workload.rate.map_or(0.0, |rate| {
            // Little's law: what the rate needs if every operation takes the whole time-out; and
            // half of that again, or a delay would never be made up for.
            (1.5 * rate * workload.clients as f64 * workload.timeout.as_secs_f64()).ceil()
        });
        let limit = workload.clients.max(by_rate as usize);
        Rc::new(Beside {
            shared,
            node,
            idle: RefCell::default(),
            in_flight: Cell::new(0),
            limit,
            ended: Notify::new(),
        })
    }

    async fn serve(
        self: Rc<Self>,
        mode: watch::Receiver<Mode>,
        mut commands: mpsc::UnboundedReceiver<Command>,
    ) {
        let clients = self.shared.workload.clients;
        for client in 0..clients {
            let number = ((self.node.index - 1) * clients + client) as u64;
            tokio::task::spawn_local(self.clone().client(number, mode.clone()));
        }
        while let Some(command) = commands.recv().await {
            match command {
                Command::FirstAnswer(within, reply) => {
                    // A closed reply means that nobody waits any more, here and below.
                    let _ = reply.send(self.first_answer(within).await);
                }
                Command::Drain(reply) => {
                    while self.in_flight.get() > 0 {
                        self.ended.notified().await;
                    }
                    let _ = reply.send(());
                }
                Command::ReadAll(keys, reply) => {
                    self.read_each(Function::Read, keys).await;
                    let _ = reply.send(());
                }
                Command::Poll(keys, reply) => {
                    let _ = reply.send(self.read_each(Function::ReplicaRead, keys).await);
                }
            }
        }
    }

    async fn first_answer(&self, within: Duration) -> Result<(), String> {
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

    /// One client: begins operations while the run says so.
    async fn client(self: Rc<Self>, number: u64, mut mode: watch::Receiver<Mode>) {
        let Shared { workload, seed, .. } = &*self.shared;
        let mut generator = Generator::new(workload, *seed, number);
        // A stream of its own, so that the recorded one does not depend on the warm-up.
        let mut warm_up = Generator::new(workload, !*seed, number);
        while mode.wait_for(|&mode| mode != Mode::Paused).await.is_ok() {
            let now = *mode.borrow_and_update();
            match now {
                Mode::Paused => {}
                Mode::WarmUp => self.begin(&mut warm_up, now, &mut mode).await,
                Mode::Recorded => self.begin(&mut generator, now, &mut mode).await,
            }
        }
    }

    /// Begins operations until the mode changes.
    async fn begin(
        self: &Rc<Self>,
        generator: &mut Generator,
        now: Mode,
        mode: &mut watch::Receiver<Mode>,
    ) {
        let open_loop = self.shared.workload.rate.is_some();
        let recorded = now == Mode::Recorded;
        let keys = if recorded { &self.shared.keys } else { &self.shared.warm_up_keys };
        let mut due = self.shared.clock.now() + generator.next_pause();
        while *mode.borrow() == now {
            if open_loop {
                tokio::select! {
                    () = tokio::time::sleep_until(self.instant(due)) => {}
                    _ = mode.changed() => return,
                }
            }
            let process = self.take().await;
            let task = Task { request: generator.next_request(keys), due: None, recorded };
            if open_loop {
                let task = Task { due: Some(due), ..task };
                tokio::task::spawn_local(self.clone().operate(process, task));
                due = due + generator.next_pause();
            } else if self.clone().operate(process, task).await != Kind::Ok {
                tokio::time::sleep(PAUSE_AFTER_FAILURE).await;
            }
        }
    }

    fn instant(&self, time: Time) -> Instant {
        Instant::from_std(self.shared.clock.instant(time))
    }

    /// An idle process, or a new one, or, where there are as many as there may be, the next
    /// that becomes idle.
    async fn take(&self) -> LogicalProcess {
        while self.in_flight.get() >= self.limit {
            self.ended.notified().await;
        }
        self.in_flight.set(self.in_flight.get() + 1);
        let idle = self.idle.borrow_mut().pop();
        idle.unwrap_or_else(|| self.fresh())
    }

    fn fresh(&self) -> LogicalProcess {
        let number = self.shared.next_process.fetch_add(1, Ordering::Relaxed);
        LogicalProcess { number, client: None }
    }

    /// Carries out one operation and records it; returns how it ended.
    async fn operate(
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
        self.idle.borrow_mut().push(process);
        self.in_flight.set(self.in_flight.get() - 1);
        self.ended.notify_waiters();
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
    async fn read_each(self: &Rc<Self>, f: Function, keys: Vec<Name>) -> BTreeMap<Name, Copy> {
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

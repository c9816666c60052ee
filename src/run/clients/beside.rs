//! The thread beside a node: which operation begins when.
//!
//! The thread enters its node's network namespace first, so its clients are cut off exactly when
//! the node is. On it runs a single-threaded runtime. With a rate, operations begin at intended
//! instants whether or not earlier ones were answered (an open loop): an operation takes an idle
//! process, or a new one, up to as many as the rate needs when every operation times out. Without
//! a rate, each client waits for its answer (a closed loop).

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use splitbrain_checkers::history::{Function, Kind, Time};
use splitbrain_targets::driver::Node;
use tokio::sync::{Notify, mpsc, watch};
use tokio::time::Instant;

use super::process::{LogicalProcess, Task};
use super::{Command, Mode, Shared};
use crate::fault::HarnessFault;
use crate::generator::Generator;

/// After a failed operation in a closed loop: what refuses at once is not asked in a busy loop.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_millis(10);

/// Runs the clients of `node` on this thread until their handle is dropped.
pub(super) fn serve(
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

/// The clients beside one node, on their thread.
pub(super) struct Beside {
    pub shared: Arc<Shared>,
    pub node: Node,
    pub idle: RefCell<Vec<LogicalProcess>>,
    pub in_flight: Cell<usize>,
    limit: usize,
    pub ended: Notify,
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
            // A pause may have come at the instant when this was due. From here on the operation
            // is in flight, so whoever waits for the end of all waits for it, too.
            if *mode.borrow() != now {
                return self.give_back(process);
            }
            let task = Task { request: generator.next_request(keys), due: None, recorded };
            if open_loop {
                let task = Task { due: Some(due), ..task };
                tokio::task::spawn_local(self.clone().operate(process, task));
                due = due + generator.next_pause();
            } else if self.clone().operate(process, task).await != Kind::Ok {
                tokio::time::sleep(PAUSE_AFTER_FAILURE).await;
            } else {
                // A driver that answers at once would never let anyone else run.
                tokio::task::yield_now().await;
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

    /// The end of an operation that [`Beside::take`] began.
    pub fn give_back(&self, process: LogicalProcess) {
        self.idle.borrow_mut().push(process);
        self.in_flight.set(self.in_flight.get() - 1);
        self.ended.notify_waiters();
    }

    pub fn fresh(&self) -> LogicalProcess {
        let number = self.shared.next_process.fetch_add(1, Ordering::Relaxed);
        LogicalProcess { number, client: None }
    }
}

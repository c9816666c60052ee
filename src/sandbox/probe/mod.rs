//! The prober: every 10 ms, a small datagram from every node to every other, in each family.
//!
//! One thread serves all nodes' sockets, each of which lives in its node's namespace. The
//! receiving kernel stamps every arrival, so instants do not depend on when that thread gets to
//! run; and every probe has a number, so a sender that was held up is told apart from a link
//! that is down. Ticks are on an absolute schedule; one that was missed is left out. While somebody
//! waits for links to come back, probes follow each other faster, so that the instant is exact.

mod log;
mod socket;
mod state;
mod station;

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, SystemTime};

use splitbrain_checkers::history::{Name, Time};
use splitbrain_checkers::partition::Link;

pub use log::{Family, Probe, ProbeLog, Stream};
pub(crate) use socket::probe_arrives;
pub use state::{LinkEvent, LinkState};
pub use station::Station;

use super::prompt::ask_for_short_slices;
use crate::clock::Clock;
use socket::Arrival;
use state::LinkWatch;
use station::Ends;

/// From one probe to the next.
pub const TICK: Duration = Duration::from_millis(10);
/// The same while somebody waits for links to come back, and for how long at most.
const HASTY_TICK: Duration = Duration::from_millis(1);
const HASTY: Duration = Duration::from_millis(100);
/// In `arrived`: not yet, or never.
const NEVER: Time = Time::MAX;

/// Why the links cannot be watched.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    #[error("the prober's socket on {0}: {1}")]
    Socket(Name, io::Error),
    #[error("no probe got through on {} within {limit:?} of the nodes' network being up", .links.join(", "))]
    NotUp { links: Vec<String>, limit: Duration },
}

/// Watches every link until it is stopped.
pub struct Prober {
    shared: Arc<Shared>,
    /// Until it is stopped.
    thread: Mutex<Option<JoinHandle<Result<(), ProbeError>>>>,
}

struct Shared {
    clock: Clock,
    stopping: AtomicBool,
    /// Until when (nanoseconds of the run) ticks are hasty.
    hasty_until: AtomicU64,
    nodes: Vec<Name>,
    families: Vec<Family>,
    records: Mutex<Records>,
}

/// All probes of the run: 8 bytes each, so 10 kB a second for three nodes and 48 kB for six.
struct Records {
    /// Per sender, when each of its probes was sent.
    sent: Vec<Vec<Time>>,
    /// Per (sender, receiver, family): when each of the sender's probes arrived.
    arrived: BTreeMap<(usize, usize, Family), Vec<Time>>,
    /// Per (sender, receiver).
    watches: BTreeMap<(usize, usize), LinkWatch>,
}

impl Prober {
    /// Opens all sockets and starts to probe. `observe` is called, from the prober's thread, for
    /// every link that goes down or comes up.
    ///
    /// # Errors
    /// If a socket cannot be opened.
    pub fn start(
        stations: &[Station],
        clock: Clock,
        observe: impl FnMut(LinkEvent) + Send + 'static,
    ) -> Result<Prober, ProbeError> {
        let ends = stations.iter().map(Station::open).collect::<Result<Vec<Ends>, _>>()?;
        let families: Vec<Family> = stations
            .first()
            .into_iter()
            .flat_map(|first| first.addresses.keys().copied())
            .collect();
        let nodes: Vec<Name> = stations.iter().map(|station| station.node.clone()).collect();
        let records = Mutex::new(Records::new(nodes.len(), &families));
        let stopping = AtomicBool::new(false);
        let hasty_until = AtomicU64::new(0);
        let shared = Arc::new(Shared { clock, stopping, hasty_until, nodes, families, records });
        let worker = Worker { shared: Arc::clone(&shared), ends, observe: Box::new(observe) };
        let thread = thread::Builder::new()
            .name("prober".to_string())
            .spawn(move || worker.run())
            .expect("the system can start a thread");
        Ok(Prober { shared, thread: Mutex::new(Some(thread)) })
    }

    /// The families that are probed: IPv4, and IPv6 where the nodes have it.
    pub fn families(&self) -> &[Family] {
        &self.shared.families
    }

    /// Probes every link now and every millisecond from now on, for a tenth of a second or until
    /// [`Prober::take_time`].
    pub fn hurry(&self) {
        let until = self.shared.clock.now() + HASTY;
        self.shared.hasty_until.store(until.0, Ordering::Relaxed);
        if let Some(thread) = &*unpoisoned(&self.thread) {
            thread.thread().unpark();
        }
    }

    /// Back to a probe every 10 ms.
    pub fn take_time(&self) {
        self.shared.hasty_until.store(0, Ordering::Relaxed);
    }

    /// Waits until every link is up in both directions.
    ///
    /// # Errors
    /// The links that were not within the limit.
    pub fn wait_until_up(&self, limit: Duration) -> Result<(), ProbeError> {
        let deadline = self.shared.clock.now() + limit;
        loop {
            let down: Vec<String> = {
                let records = self.shared.lock();
                let down = records.watches.iter().filter(|(_, watch)| !watch.is_up());
                let name = |node: usize| &self.shared.nodes[node];
                down.map(|((from, to), _)| format!("{} -> {}", name(*from), name(*to))).collect()
            };
            if down.is_empty() {
                return Ok(());
            }
            if self.shared.clock.now() >= deadline {
                return Err(ProbeError::NotUp { links: down, limit });
            }
            thread::sleep(TICK / 2);
        }
    }

    /// Every probe that was sent at `since` or later, up to now.
    pub fn log(&self, since: Time) -> ProbeLog {
        let records = self.shared.lock();
        let stream = |(from, to, family): (usize, usize, Family)| Stream {
            link: Link { from: self.shared.nodes[from].clone(), to: self.shared.nodes[to].clone() },
            family,
        };
        records
            .arrived
            .iter()
            .map(|(&key, arrived)| {
                let sent = &records.sent[key.0];
                let first = sent.partition_point(|&time| time < since);
                let probe = |number: usize| Probe {
                    sent: sent[number],
                    arrived: arrived.get(number).copied().filter(|&time| time != NEVER),
                };
                (stream(key), (first..sent.len()).map(probe).collect())
            })
            .collect()
    }

    /// Stops and waits for the thread. Stopping once more does nothing.
    ///
    /// # Errors
    /// What ended the prober before its time.
    ///
    /// # Panics
    /// If the prober's thread did, or `observe`.
    pub fn stop(&self) -> Result<(), ProbeError> {
        self.shared.stopping.store(true, Ordering::Relaxed);
        match unpoisoned(&self.thread).take() {
            Some(thread) => thread.join().unwrap_or_else(|cause| std::panic::resume_unwind(cause)),
            None => Ok(()),
        }
    }
}

/// Nobody reads what it would still see.
impl Drop for Prober {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::Relaxed);
    }
}

/// What a mutex holds, also after a panic of another holder: the data are plain, and the panic
/// comes out where the thread is joined.
fn unpoisoned<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Records> {
        unpoisoned(&self.records)
    }
}

impl Records {
    fn new(nodes: usize, families: &[Family]) -> Records {
        let mut arrived = BTreeMap::new();
        let mut watches = BTreeMap::new();
        for from in 0..nodes {
            for to in (0..nodes).filter(|to| *to != from) {
                watches.insert((from, to), LinkWatch::default());
                arrived.extend(families.iter().map(|&family| ((from, to, family), Vec::new())));
            }
        }
        Records { sent: vec![Vec::new(); nodes], arrived, watches }
    }
}

/// The prober's thread.
struct Worker {
    shared: Arc<Shared>,
    ends: Vec<Ends>,
    observe: Box<dyn FnMut(LinkEvent) + Send>,
}

impl Worker {
    fn run(mut self) -> Result<(), ProbeError> {
        let clock = self.shared.clock;
        let start = clock.now();
        ask_for_short_slices();
        while !self.shared.stopping.load(Ordering::Relaxed) {
            let hasty = clock.now().0 < self.shared.hasty_until.load(Ordering::Relaxed);
            let tick = if hasty { HASTY_TICK } else { TICK };
            self.send();
            // Half a tick later whatever gets through has arrived. Or sooner, if somebody is in a
            // hurry from now on.
            thread::park_timeout(tick / 2);
            let events = self.receive()?;
            events.into_iter().for_each(&mut self.observe);
            let passed = clock.now().since(start).as_nanos() / tick.as_nanos();
            let next = start + Duration::from_nanos((tick.as_nanos() * (passed + 1)) as u64);
            // Or less, if somebody wants a probe now.
            thread::park_timeout(next.since(clock.now()));
        }
        Ok(())
    }

    fn send(&self) {
        for (from, ends) in self.ends.iter().enumerate() {
            let number = {
                // Recorded first: no probe can arrive that has not been recorded as sent.
                let sent = &mut self.shared.lock().sent[from];
                sent.push(self.shared.clock.now());
                sent.len() as u64 - 1
            };
            for (family, end) in ends {
                for (_, other) in self.ends.iter().enumerate().filter(|(to, _)| *to != from) {
                    end.socket.send(other[family].ip, number);
                }
            }
        }
    }

    /// Takes everything that has arrived. Returns the links that changed.
    fn receive(&self) -> Result<Vec<LinkEvent>, ProbeError> {
        let offset = self.wall_clock_offset();
        let mut events = Vec::new();
        let mut records = self.shared.lock();
        for (to, ends) in self.ends.iter().enumerate() {
            for (&family, end) in ends {
                let failed = |error| ProbeError::Socket(self.shared.nodes[to].clone(), error);
                while let Some(arrival) = end.socket.receive().map_err(failed)? {
                    let from = self.ends.iter().position(|ends| ends[&family].ip == arrival.from);
                    if let Some(from) = from {
                        let change = self.record(&mut records, from, to, family, &arrival, offset);
                        events.extend(change.map(|change| self.event(from, to, change)));
                    }
                }
            }
        }
        let now = self.shared.clock.now();
        let Records { sent, watches, .. } = &mut *records;
        for (&(from, to), watch) in watches {
            let change = watch.sent(&sent[from], now);
            events.extend(change.map(|change| self.event(from, to, change)));
        }
        Ok(events)
    }

    fn record(
        &self,
        records: &mut Records,
        from: usize,
        to: usize,
        family: Family,
        arrival: &Arrival,
        offset: Duration,
    ) -> Option<(Time, LinkState)> {
        let number = arrival.number as usize;
        let sent = *records.sent[from].get(number)?;
        // A step of the wall clock since the stamp would show here: an arrival is after its
        // sending and before now.
        let stamped = Time(arrival.wall.saturating_sub(offset).as_nanos() as u64);
        let time = stamped.clamp(sent, self.shared.clock.now().max(sent));
        let arrived = records.arrived.get_mut(&(from, to, family)).expect("a link between nodes");
        if arrived.len() <= number {
            arrived.resize(number + 1, NEVER);
        }
        arrived[number] = time;
        records.watches.get_mut(&(from, to)).expect("a link").arrival(arrival.number, time)
    }

    fn event(&self, from: usize, to: usize, (time, link): (Time, LinkState)) -> LinkEvent {
        let name = |node: usize| self.shared.nodes[node].clone();
        LinkEvent { time, from: name(from), to: name(to), link }
    }

    /// Wall clock (since 1970) minus the run's clock, both read at the same moment: again if
    /// this thread was interrupted between the readings.
    fn wall_clock_offset(&self) -> Duration {
        let read = || {
            let before = self.shared.clock.now();
            let wall = SystemTime::now();
            let after = self.shared.clock.now();
            let wall = wall.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
            let middle = Duration::from_nanos(before.0.midpoint(after.0));
            (after.since(before), wall.saturating_sub(middle))
        };
        let readings = (0..3).map(|_| read());
        readings.min_by_key(|(width, _)| *width).expect("three readings").1
    }
}

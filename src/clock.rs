//! One monotonic clock for a whole run: clients, nemesis and probers.

use std::time::Instant;

use splitbrain_checkers::history::Time;

/// Counts from the instant when the run began. Copies share that origin.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    origin: Instant,
}

impl Clock {
    /// Starts the run's clock.
    pub fn start() -> Clock {
        Clock { origin: Instant::now() }
    }

    /// Nanoseconds since the run began.
    pub fn now(&self) -> Time {
        Time(self.origin.elapsed().as_nanos() as u64)
    }

    /// The instant of a time of the run, for timers.
    pub fn instant(&self, time: Time) -> Instant {
        self.origin + std::time::Duration::from_nanos(time.0)
    }
}

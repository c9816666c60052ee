//! The harness's own pulse: a thread that wants to wake every 10 ms. How often it is let shows
//! whether the machine had time for what runs on it.
//!
//! It is an ordinary thread, unlike those that cut and probe: it stands for the servers and
//! clients, which also have to wait for their turn.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use splitbrain_checkers::history::Time;
use splitbrain_checkers::partition::Pulse;

use crate::clock::Clock;

/// From one beat to the next. One that is a whole pace late is left out.
const PACE: Duration = Duration::from_millis(10);

/// Beats until it is dropped.
pub struct Heart {
    beats: Arc<Mutex<Vec<Time>>>,
    stopping: Arc<AtomicBool>,
}

impl Heart {
    /// Starts to beat.
    ///
    /// # Panics
    /// If the system cannot start a thread.
    pub fn start(clock: Clock) -> Heart {
        let heart = Heart { beats: Arc::default(), stopping: Arc::default() };
        let (beats, stopping) = (Arc::clone(&heart.beats), Arc::clone(&heart.stopping));
        let work = move || {
            while !stopping.load(Ordering::Relaxed) {
                let now = clock.now();
                beats.lock().unwrap_or_else(PoisonError::into_inner).push(now);
                let next = (now.0 / PACE.as_nanos() as u64 + 1) * PACE.as_nanos() as u64;
                thread::sleep(Time(next).since(now));
            }
        };
        thread::Builder::new().name("pulse".into()).spawn(work).expect("a thread");
        heart
    }

    /// How it beat between two instants.
    pub fn between(&self, from: Time, to: Time) -> Pulse {
        let beats = self.beats.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = beats.iter().filter(|beat| (from..to).contains(beat)).count() as u64;
        let wanted = to.since(from).as_nanos() / PACE.as_nanos();
        Pulse { wanted: wanted as u64, kept: kept.min(wanted as u64) }
    }
}

impl Drop for Heart {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beats_are_counted_where_they_were() {
        let beats = (0..100).map(|beat| Time(beat * 10_000_000)).collect();
        let heart = Heart { beats: Arc::new(Mutex::new(beats)), stopping: Arc::default() };
        let at = |seconds: f64| Time((seconds * 1e9) as u64);
        assert_eq!(heart.between(at(0.5), at(1.5)), Pulse { wanted: 100, kept: 50 });
        assert_eq!(heart.between(at(0.0), at(1.0)), Pulse { wanted: 100, kept: 100 });
        assert_eq!(heart.between(at(2.0), at(1.0)), Pulse { wanted: 0, kept: 0 });
    }

    #[test]
    fn it_beats_while_somebody_holds_it() {
        let clock = Clock::start();
        let heart = Heart::start(clock);
        let beats = Arc::clone(&heart.beats);
        while beats.lock().unwrap().len() < 3 {
            thread::sleep(PACE);
        }
        drop(heart);
        // The thread lets go of its own share.
        while Arc::strong_count(&beats) > 1 {
            thread::sleep(PACE);
        }
    }
}

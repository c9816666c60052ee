//! What the times of a history are, and how they are said.

use std::time::Duration;

use serde::Serialize;

use crate::history::Time;

/// What the times of a history are.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Clock {
    /// Nanoseconds, as recorded.
    #[default]
    Nanoseconds,
    /// The positions of events: the history was recorded without times.
    Events,
}

impl Clock {
    /// `3.102 s`, or `event 17`.
    pub fn instant(self, time: Time) -> String {
        match self {
            Clock::Nanoseconds => time.to_string(),
            Clock::Events => format!("event {}", time.0),
        }
    }

    /// `1.400 s`, `12.3 ms`, `85.0 us`, `17 ns`, or `3 events`.
    pub(crate) fn gap(self, duration: Duration) -> String {
        let count = duration.as_nanos();
        match (self, count) {
            (Clock::Events, 1) => "1 event".to_owned(),
            (Clock::Events, _) => format!("{count} events"),
            (_, 0..1_000) => format!("{count} ns"),
            (_, 1_000..1_000_000) => format!("{:.1} us", count as f64 / 1e3),
            (_, 1_000_000..1_000_000_000) => format!("{:.1} ms", count as f64 / 1e6),
            _ => format!("{:.3} s", duration.as_secs_f64()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_a_unit_that_shows_them() {
        let gap = |clock: Clock| {
            [1, 85_000, 12_300_000, 1_400_000_000].map(|n| clock.gap(Duration::from_nanos(n)))
        };
        assert_eq!(gap(Clock::Nanoseconds), ["1 ns", "85.0 us", "12.3 ms", "1.400 s"]);
        assert_eq!(gap(Clock::Events)[..2], ["1 event", "85000 events"]);
        assert_eq!(Clock::Nanoseconds.instant(Time(3_102_000_000)), "3.102 s");
        assert_eq!(Clock::Events.instant(Time(17)), "event 17");
    }
}

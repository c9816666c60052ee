//! Whether a link is up, from the probes that arrive on it and those that were sent.

use serde::{Deserialize, Serialize};
use splitbrain_checkers::history::{Name, Time};

use super::TICK;

/// A link is down when this many probes in a row are missing, the first of which was sent at least
/// so many ticks ago but one: it had all its time to arrive. The instant is exact all the same:
/// that of the last arrival.
const MISSING: u32 = 6;

/// Whether anything gets through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LinkState {
    Up,
    Down,
}

/// One line of `links.jsonl`: a link went down or came up.
///
/// Lines are in the order in which the changes became certain: a link that went down is known
/// some 60 ms later, so `time` may be a little less than on the line before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkEvent {
    /// Of the last arrival (down) or of the first one (up).
    pub time: Time,
    pub from: Name,
    pub to: Name,
    pub link: LinkState,
}

/// Follows one directed link, both families together. Starts as not up yet.
#[derive(Debug, Default)]
pub(super) struct LinkWatch {
    /// Number and time of the latest arrival.
    last: Option<(u64, Time)>,
    up: bool,
}

impl LinkWatch {
    /// Takes an arrival; `Some` if the link came up by it.
    pub fn arrival(&mut self, number: u64, time: Time) -> Option<(Time, LinkState)> {
        let latest = self.last.is_none_or(|(last, _)| number >= last);
        if latest {
            self.last = Some((number, time));
        }
        // A straggler from before the silence does not bring the link back.
        if self.up || !latest {
            return None;
        }
        self.up = true;
        Some((time, LinkState::Up))
    }

    /// Looks at the probes that have been sent by `now` (all arrivals of that moment have been
    /// taken); `Some` if the link is down by that.
    pub fn sent(&mut self, sent: &[Time], now: Time) -> Option<(Time, LinkState)> {
        let (last, time) = self.last?;
        let missing = sent.get(last as usize + 1..).unwrap_or_default();
        let first = missing.first()?;
        let enough = missing.len() >= MISSING as usize && now.since(*first) >= TICK * (MISSING - 1);
        if !self.up || !enough {
            return None;
        }
        self.up = false;
        Some((time, LinkState::Down))
    }

    /// Whether the link is up now.
    pub fn is_up(&self) -> bool {
        self.up
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(tick: u64) -> Time {
        Time(tick * TICK.as_nanos() as u64)
    }

    /// When so many probes have been sent, one each tick, and the last one just now.
    fn after(watch: &mut LinkWatch, count: u64) -> Option<(Time, LinkState)> {
        let sent: Vec<Time> = (0..count).map(at).collect();
        watch.sent(&sent, *sent.last()?)
    }

    #[test]
    fn down_is_the_last_arrival_and_up_the_first() {
        let mut watch = LinkWatch::default();
        assert_eq!(after(&mut watch, 100), None, "never up, so it cannot go down");
        assert_eq!(watch.arrival(100, at(100)), Some((at(100), LinkState::Up)));
        assert_eq!(watch.arrival(101, at(101)), None);
        assert_eq!(after(&mut watch, 107), None, "five are missing: 102 to 106");
        assert_eq!(after(&mut watch, 108), Some((at(101), LinkState::Down)));
        assert_eq!(after(&mut watch, 109), None, "told once");
        assert!(!watch.is_up());
        assert_eq!(watch.arrival(120, at(120)), Some((at(120), LinkState::Up)));
    }

    #[test]
    fn a_late_straggler_changes_nothing() {
        let mut watch = LinkWatch::default();
        watch.arrival(5, Time(50));
        watch.arrival(4, Time(60));
        assert_eq!(after(&mut watch, 12), Some((Time(50), LinkState::Down)));
        assert_eq!(watch.arrival(3, Time(130)), None);
        assert!(!watch.is_up());
    }

    #[test]
    fn a_sender_that_pauses_is_not_a_link_that_is_down() {
        let mut watch = LinkWatch::default();
        watch.arrival(9, Time(90));
        for _ in 0..1000 {
            assert_eq!(after(&mut watch, 10), None);
        }
    }

    #[test]
    fn many_probes_in_little_time_do_not_make_a_link_down() {
        let mut watch = LinkWatch::default();
        watch.arrival(0, Time(0));
        let hasty: Vec<Time> = (0..50).map(|ms| Time(ms * 1_000_000)).collect();
        assert_eq!(watch.sent(&hasty, hasty[49]), None);
        assert_eq!(watch.sent(&hasty, Time(51_000_000)), Some((Time(0), LinkState::Down)));
    }
}

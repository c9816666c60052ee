//! Whether a link is up, from the probes that arrive on it and those that were sent.

use serde::{Deserialize, Serialize};
use splitbrain_checkers::history::{Name, Time};

/// A link is down when this many probes in a row, the first of which had all their time to
/// arrive, are missing. The instant is exact all the same: that of the last arrival.
const MISSING: u64 = 6;

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

    /// Looks at how many probes have been sent by now (all arrivals of that moment have been
    /// taken); `Some` if the link is down by that.
    pub fn sent(&mut self, count: u64) -> Option<(Time, LinkState)> {
        let (last, time) = self.last?;
        if !self.up || count <= last + MISSING {
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

    #[test]
    fn down_is_the_last_arrival_and_up_the_first() {
        let mut watch = LinkWatch::default();
        assert_eq!(watch.sent(100), None, "never up, so it cannot go down");
        assert_eq!(watch.arrival(100, Time(1_000)), Some((Time(1_000), LinkState::Up)));
        assert_eq!(watch.arrival(101, Time(1_010)), None);
        assert_eq!(watch.sent(107), None, "five are missing: 102 to 106");
        assert_eq!(watch.sent(108), Some((Time(1_010), LinkState::Down)));
        assert_eq!(watch.sent(109), None, "told once");
        assert!(!watch.is_up());
        assert_eq!(watch.arrival(120, Time(1_200)), Some((Time(1_200), LinkState::Up)));
    }

    #[test]
    fn a_late_straggler_changes_nothing() {
        let mut watch = LinkWatch::default();
        watch.arrival(5, Time(50));
        watch.arrival(4, Time(60));
        assert_eq!(watch.sent(12), Some((Time(50), LinkState::Down)));
        assert_eq!(watch.arrival(3, Time(130)), None);
        assert!(!watch.is_up());
    }

    #[test]
    fn a_sender_that_pauses_is_not_a_link_that_is_down() {
        let mut watch = LinkWatch::default();
        watch.arrival(9, Time(90));
        for _ in 0..1000 {
            assert_eq!(watch.sent(10), None);
        }
    }
}

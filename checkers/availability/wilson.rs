//! How much of what was asked was answered, with Wilson's interval, and what that is called.
//!
//! E. B. Wilson, "Probable inference, the law of succession, and statistical inference", Journal
//! of the American Statistical Association 22 (1927): unlike the textbook interval it stays
//! inside \[0, 1\] and says something at 0 and at 100 %. With p the share answered of n and z the
//! normal distribution's quantile, it is
//!
//! ```text
//! (p + z^2/2n  +-  z sqrt(p(1 - p)/n + z^2/4n^2)) / (1 + z^2/n)
//! ```
//!
//! The operations of a run are not independent draws, as it assumes: an outage fails many in a
//! row. So an interval is a guard against too few operations, not a probability to quote.
//!
//! ```
//! use splitbrain_checkers::availability::{Answered, Level};
//! let of = |answered, attempted| Answered { answered, attempted };
//! assert_eq!(of(400, 400).level(), Level::Available);
//! assert_eq!(of(40, 40).level(), Level::TooFew, "0.91 to 1 is no 99 %");
//! assert_eq!(of(390, 400).level(), Level::Partial);
//! assert_eq!(of(0, 400).level(), Level::Unavailable);
//! ```

use std::fmt;

use serde::{Deserialize, Serialize};

/// 97.5 % quantile of the normal distribution: a two-sided interval of 95 %.
const Z: f64 = 1.959_963_984_540_054;

/// Available: the whole interval is at or above this.
pub const AVAILABLE_AT_LEAST: f64 = 0.99;

/// Unavailable: the whole interval is at or below this.
pub const UNAVAILABLE_AT_MOST: f64 = 0.05;

/// The fewest operations that can prove availability: all of them answered.
pub const ENOUGH_FOR_AVAILABLE: usize = 381;

/// The fewest operations that can prove unavailability: none of them answered.
pub const ENOUGH_FOR_UNAVAILABLE: usize = 73;

/// How many of how many operations were answered.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answered {
    pub answered: usize,
    pub attempted: usize,
}

/// What a proportion is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// The lower bound is at least 0.99.
    Available,
    /// The upper bound is at most 0.05.
    Unavailable,
    /// Neither, by enough operations.
    Partial,
    /// None of these: more operations may decide it.
    TooFew,
}

impl Level {
    /// In words: `too few to say`.
    pub fn as_str(self) -> &'static str {
        match self {
            Level::Available => "available",
            Level::Unavailable => "unavailable",
            Level::Partial => "partial",
            Level::TooFew => "too few to say",
        }
    }
}

impl Answered {
    /// Counts one more operation.
    pub fn count(&mut self, answered: bool) {
        self.attempted += 1;
        self.answered += usize::from(answered);
    }

    /// Share answered, 0 to 1; `None` if nothing was attempted.
    pub fn share(self) -> Option<f64> {
        (self.attempted > 0).then(|| self.answered as f64 / self.attempted as f64)
    }

    /// Wilson's 95 % interval, lower and upper bound; (0, 1) if nothing was attempted.
    pub fn interval(self) -> (f64, f64) {
        if self.attempted == 0 {
            return (0.0, 1.0);
        }
        let n = self.attempted as f64;
        let p = self.answered as f64 / n;
        let z2 = Z * Z;
        let center = (p + z2 / (2.0 * n)) / (1.0 + z2 / n);
        let half = Z / (1.0 + z2 / n) * (p * (1.0 - p) / n + z2 / (4.0 * n * n)).sqrt();
        // At either end the bound is exact, which rounding would miss.
        let lower = if self.answered == 0 { 0.0 } else { center - half };
        let upper = if self.answered == self.attempted { 1.0 } else { center + half };
        (lower, upper)
    }

    pub fn level(self) -> Level {
        let (lower, upper) = self.interval();
        if lower >= AVAILABLE_AT_LEAST {
            Level::Available
        } else if upper <= UNAVAILABLE_AT_MOST {
            Level::Unavailable
        } else if self.decides() || self.attempted >= ENOUGH_FOR_AVAILABLE {
            Level::Partial
        } else {
            Level::TooFew
        }
    }

    /// Whether the interval excludes both that it was available and that it was unavailable.
    fn decides(self) -> bool {
        self.surely_not_available() && self.surely_not_unavailable()
    }

    /// Whether the interval excludes availability.
    pub fn surely_not_available(self) -> bool {
        self.interval().1 < AVAILABLE_AT_LEAST
    }

    /// Whether the interval excludes unavailability.
    pub fn surely_not_unavailable(self) -> bool {
        self.interval().0 > UNAVAILABLE_AT_MOST
    }
}

/// `0 of 412`.
impl fmt::Display for Answered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", self.answered, self.attempted)
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Level::Available => "available",
            Level::Unavailable => "unavailable",
            Level::Partial => "partial",
            Level::TooFew => "too few operations",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(answered: usize, attempted: usize) -> Answered {
        Answered { answered, attempted }
    }

    #[test]
    fn intervals_are_the_published_ones() {
        // Newcombe 1998, table I, method 3 (the score method without continuity correction).
        let published = [
            (of(81, 263), (0.2553, 0.3662)),
            (of(15, 148), (0.0624, 0.1605)),
            (of(0, 20), (0.0000, 0.1611)),
            (of(1, 29), (0.0061, 0.1718)),
        ];
        for (answered, (lower, upper)) in published {
            let interval = answered.interval();
            assert!((interval.0 - lower).abs() < 5e-5, "{answered}: {interval:?}");
            assert!((interval.1 - upper).abs() < 5e-5, "{answered}: {interval:?}");
        }
        assert_eq!(of(0, 0).interval(), (0.0, 1.0));
    }

    #[test]
    fn the_least_numbers_that_decide_are_what_they_say() {
        let (available, unavailable) = (ENOUGH_FOR_AVAILABLE, ENOUGH_FOR_UNAVAILABLE);
        assert_eq!(of(available, available).level(), Level::Available);
        assert_eq!(of(available - 1, available - 1).level(), Level::TooFew);
        assert_eq!(of(0, unavailable).level(), Level::Unavailable);
        assert_eq!(of(0, unavailable - 1).level(), Level::TooFew);
    }

    #[test]
    fn levels_in_between() {
        assert_eq!(of(0, 0).level(), Level::TooFew);
        assert_eq!(of(50, 100).level(), Level::Partial);
        assert_eq!(of(99, 100).level(), Level::TooFew);
        assert_eq!(of(990, 1000).level(), Level::Partial);
        assert_eq!(of(999, 1000).level(), Level::Available);
        assert_eq!(of(20, 1000).level(), Level::Unavailable);
        assert!(!of(990, 1000).surely_not_available());
        assert!(of(500, 1000).surely_not_available() && of(500, 1000).surely_not_unavailable());
    }
}

//! What a store of registers promises beyond yes or no: the ladder of models, and how stale its
//! reads were.

use std::time::Duration;

use splitbrain_checkers::checker::Options;
use splitbrain_checkers::format::Reading;
use splitbrain_checkers::ladder::{Ladder, Standing, ladder};
use splitbrain_checkers::limits::Limits;
use splitbrain_checkers::staleness::{self, Settings, Staleness};

use super::within;

/// How far each of the two went.
#[derive(Debug, Clone, PartialEq)]
pub struct Promises {
    pub ladder: Ladder,
    /// Or why it could not be measured.
    pub staleness: Result<Staleness, String>,
}

/// Asks every model and measures every key, each of the two for at most `time`. `None` where
/// events may be missing between others: then nothing could be refuted.
pub fn promises(reading: &Reading, time: Duration) -> Option<Promises> {
    if reading.has_gaps() {
        return None;
    }
    let (history, clock) = (&reading.history, reading.clock);
    let ladder = within(time, Limits::default(), |limits| {
        ladder(history, &Options { clock, limits, ..Options::default() })
    });
    let settings = Settings { clock, ..Settings::default() };
    let staleness = within(time, settings.limits, |limits| {
        staleness::measure(history, &Settings { limits, ..settings.clone() })
    });
    Some(Promises { ladder, staleness })
}

impl Promises {
    /// How stale the reads were, if that could be measured.
    pub fn measured(&self) -> Option<&Staleness> {
        self.staleness.as_ref().ok()
    }

    /// The same of a run of which only a part was recorded: what was not refuted so far is unknown
    /// for the whole.
    pub fn of_a_part(mut self) -> Promises {
        let steps = self.ladder.steps.iter_mut().chain(&mut self.ladder.beside);
        for step in steps.filter(|step| step.standing == Standing::NotRefuted) {
            step.standing = Standing::Unknown;
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use splitbrain_checkers::clock::Clock;
    use splitbrain_checkers::format::Format;
    use splitbrain_checkers::ladder::Model;
    use splitbrain_checkers::notation;

    use super::*;

    fn reading() -> Reading {
        let history = notation::history(
            "0 write@x 1    0..10
             0 write@x 2   20..30
             1 read@x -> 1 50..60",
        );
        Reading {
            history,
            problems: Vec::new(),
            format: Format::JsonLines,
            clock: Clock::default(),
        }
    }

    #[test]
    fn a_stale_read_refutes_the_top_and_has_an_age() {
        let promises = promises(&reading(), Duration::from_secs(60)).unwrap();
        let refuted: Vec<Model> = promises.ladder.standing(Standing::Refuted).collect();
        assert_eq!(refuted, [Model::Linearizable]);
        let oldest = promises.staleness.unwrap().oldest.unwrap();
        assert_eq!((oldest.age, oldest.behind), (Duration::from_nanos(20), 1));
    }

    #[test]
    fn a_part_of_a_run_refutes_and_does_not_pass() {
        let promises = promises(&reading(), Duration::from_secs(60)).unwrap().of_a_part();
        let ladder = promises.ladder;
        assert_eq!(ladder.standing(Standing::NotRefuted).count(), 0);
        assert_eq!(ladder.step(Model::Linearizable).standing, Standing::Refuted);
        assert_eq!(ladder.step(Model::Sequential).standing, Standing::Unknown);
    }
}

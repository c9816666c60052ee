//! The check event by event: its time per event and its memory do not grow with the history.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use splitbrain_checkers::history::Value;
use splitbrain_checkers::register::incremental::{Incremental, Progress};

use crate::measure::Measure;
use crate::support::events::Stream;

/// Streams `count` operations of 50 clients, without and with the check.
pub fn run(count: usize) {
    let stream = || Stream::new(ChaCha8Rng::seed_from_u64(3), 50, 0).take(2 * count);
    let measure = Measure::begin();
    let last = stream().map(|event| event.index).last();
    measure.report("make the events alone", count);
    let measure = Measure::begin();
    let mut check = Incremental::new(Value::Nil);
    let mut most = 0;
    for event in stream() {
        check.push(&event);
        most = most.max(check.remembered());
    }
    measure.report("make them and check each", count);
    println!("  {:?} events, at most {most} operations remembered", last.map(|last| last + 1));
    assert_eq!(*check.progress(), Progress::Possible);
}

//! Time on the wall and on the processor, and memory beyond what was there before.

use std::time::{Duration, Instant};

use crate::usage::{forget_peak, peak_memory_mb, processor, resident_memory_mb};

/// Begun before what is measured.
pub struct Measure {
    wall: Instant,
    processor: Duration,
    resident_mb: u64,
}

impl Measure {
    pub fn begin() -> Self {
        forget_peak();
        let resident_mb = resident_memory_mb();
        Self { processor: processor(), resident_mb, wall: Instant::now() }
    }

    /// One line: what it was, how long it took, and how much memory it needed.
    pub fn report(&self, what: &str, operations: usize) {
        let (wall, processor) = (self.wall.elapsed(), processor().saturating_sub(self.processor));
        let memory = peak_memory_mb().saturating_sub(self.resident_mb);
        let each = processor.as_nanos() as f64 / operations as f64;
        println!(
            "{what:<44} {:>8.3} s wall {:>8.3} s processor {each:>7.0} ns each {memory:>5} MB more",
            wall.as_secs_f64(),
            processor.as_secs_f64(),
        );
    }
}

//! Time on the wall and on the processor, and memory beyond what was there before.

use std::time::{Duration, Instant};

/// Begun before what is measured.
pub struct Measure {
    wall: Instant,
    processor: Duration,
    resident_mb: u64,
}

impl Measure {
    pub fn begin() -> Self {
        // Makes the peak begin anew; without it the peak is that of the whole process.
        let _ = std::fs::write("/proc/self/clear_refs", "5");
        let resident_mb = status_mb("VmRSS:");
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

/// The time that this thread has run.
fn processor() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = text.split(' ').next().and_then(|first| first.parse().ok());
    Duration::from_nanos(nanoseconds.unwrap_or(0))
}

/// The most memory that this process held since the last [`Measure::begin`].
pub fn peak_memory_mb() -> u64 {
    status_mb("VmHWM:")
}

fn status_mb(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse().ok());
    kilobytes.unwrap_or(0_u64) / 1024
}

//! What this process has used so far, as Linux accounts for it.
#![allow(dead_code)] // Each benchmark uses its own part.

use std::time::Duration;

/// How long this thread has been on a processor. Unlike the time on the wall it does not grow when
/// others are busy on the machine.
pub fn processor() -> Duration {
    let statistics = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = statistics.split(' ').next().and_then(|first| first.parse().ok());
    Duration::from_nanos(nanoseconds.unwrap_or(0))
}

/// The most memory that this process ever held, or has since [`forget_peak`].
pub fn peak_memory_kb() -> u64 {
    memory_kb("VmHWM:")
}

/// As [`peak_memory_kb`].
pub fn peak_memory_mb() -> u64 {
    peak_memory_kb() / 1024
}

/// What it holds now.
pub fn resident_memory_mb() -> u64 {
    memory_kb("VmRSS:") / 1024
}

/// Lets the peak begin anew; where that is not allowed it stays that of the whole process.
pub fn forget_peak() {
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}

fn memory_kb(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse().ok()).unwrap_or(0)
}

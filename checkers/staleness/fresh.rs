//! The share of reads that are fresh some time after a write was done.

use std::time::Duration;

use super::Fresh;
use super::ages::Age;
use super::reigns::{INITIAL_REIGN, Reigns};
use crate::availability::Answered;

/// The rows of the table: how long after the write.
pub const AFTER: [Duration; 7] = [
    Duration::ZERO,
    Duration::from_millis(1),
    Duration::from_millis(10),
    Duration::from_millis(100),
    Duration::from_secs(1),
    Duration::from_secs(10),
    Duration::from_secs(100),
];

/// Counts for each row the reads that began later than that after the first write was done, and
/// those of them that were no older than that.
pub(super) fn table(reigns: &Reigns<'_>, ages: &[Age]) -> Vec<Fresh> {
    let written = &reigns.all[INITIAL_REIGN as usize + 1..];
    let first_done = written.iter().map(|reign| reign.done_by).min().unwrap_or(u64::MAX);
    let row = |after: Duration| {
        let nanoseconds = after.as_nanos() as u64;
        let mut fresh = Answered::default();
        for age in ages {
            let start = reigns.reads[age.read as usize].start;
            if start.saturating_sub(first_done) > nanoseconds {
                fresh.count(age.age <= nanoseconds);
            }
        }
        Fresh { after, fresh }
    };
    AFTER.into_iter().map(row).collect()
}

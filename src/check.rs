//! Reads histories and runs checkers over them, key by key on the cores that there are.
//!
//! The checkers are pure and start no thread, so the caller does.

mod promises;
mod read;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use splitbrain_checkers::checker::{Checker, Options, Scope};
use splitbrain_checkers::finding::{Finding, Validity};
use splitbrain_checkers::format::Reading;
use splitbrain_checkers::history::{History, Name, Operation};
use splitbrain_checkers::keys::{self, KeyResult};
use splitbrain_checkers::limits::Limits;

use crate::report::text::count;
pub use promises::{Promises, promises};
pub use read::{ReadError, read};

/// Runs a checker over a history. Where events may be missing between others nothing is refuted:
/// the operation that explains the rest may be among them.
/// After `time` the check gives up.
pub fn run(checker: &Checker, reading: &Reading, options: &Options<'_>, time: Duration) -> Finding {
    let history = &reading.history;
    let finding = within(time, options.limits, |limits| {
        let options = Options { clock: reading.clock, limits, ..options.clone() };
        match checker.scope {
            Scope::Whole(check) => check(history, &options),
            Scope::Key(check_key) => {
                each_key(checker.check, history, &|operations| check_key(operations, &options))
            }
        }
    });
    if !reading.has_gaps() {
        return finding;
    }
    let events = count(reading.problems.len(), "event", "events");
    let reason = format!("{events} could not be read, and what is missing may explain the rest");
    let operations = count(finding.operations, "operation", "operations");
    Finding {
        summary: format!("{operations}: {reason}"),
        validity: Validity::Unknown { reason },
        violations: 0,
        keys: Vec::new(),
        ..finding
    }
}

/// Runs a check with limits of which one is time. The checkers are pure: it is here that there is a
/// clock.
fn within<T>(time: Duration, limits: Limits<'_>, check: impl FnOnce(Limits<'_>) -> T) -> T {
    let begun = Instant::now();
    let is_over = || begun.elapsed() >= time;
    check(Limits { is_over: Some(&is_over), ..limits })
}

/// Checks the keys of a history on all cores.
fn each_key(
    check: &str,
    history: &History,
    check_key: &(dyn Fn(&[&Operation]) -> KeyResult + Sync),
) -> Finding {
    let keys: Vec<_> = keys::split_by_key(history).into_iter().collect();
    let next = AtomicUsize::new(0);
    let worker = || {
        let mut results: Vec<(usize, KeyResult)> = Vec::new();
        loop {
            let position = next.fetch_add(1, Ordering::Relaxed);
            let Some((_, operations)) = keys.get(position) else { return results };
            results.push((position, check_key(operations)));
        }
    };
    let mut results: Vec<(usize, KeyResult)> = thread::scope(|scope| {
        let workers: Vec<_> = (0..cores().min(keys.len())).map(|_| scope.spawn(worker)).collect();
        workers.into_iter().flat_map(joined).collect()
    });
    results.sort_by_key(|(position, _)| *position);
    let results: Vec<(Option<Name>, KeyResult)> =
        keys.into_iter().zip(results).map(|((name, _), (_, result))| (name, result)).collect();
    keys::finding(check, results)
}

fn cores() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// What a thread came to; its panic is ours.
fn joined<T>(worker: thread::ScopedJoinHandle<'_, T>) -> T {
    worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

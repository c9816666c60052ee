//! Runs the register check over all keys of a history, on the cores that there are.
//!
//! The checkers are pure and start no thread, so the caller does.

use std::sync::atomic::{AtomicUsize, Ordering};

use splitbrain_checkers::finding::Finding;
use splitbrain_checkers::history::{History, Name};
use splitbrain_checkers::register::{self, KeyResult, Settings};

/// Whether every register of the history is linearizable.
pub fn linearizable(history: &History) -> Finding {
    let keys: Vec<_> = register::split_by_key(history).into_iter().collect();
    let settings = Settings::default();
    let next = AtomicUsize::new(0);
    let worker = || {
        let mut results: Vec<(usize, KeyResult)> = Vec::new();
        loop {
            let position = next.fetch_add(1, Ordering::Relaxed);
            let Some((_, operations)) = keys.get(position) else { return results };
            results.push((position, register::check_key(operations, &settings)));
        }
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let mut results: Vec<(usize, KeyResult)> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..cores.min(keys.len())).map(|_| scope.spawn(worker)).collect();
        workers
            .into_iter()
            .flat_map(|worker| worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    });
    results.sort_by_key(|(position, _)| *position);
    let results: Vec<(Option<Name>, KeyResult)> =
        keys.into_iter().map(|(name, _)| name).zip(results.into_iter().map(|(_, r)| r)).collect();
    register::finding(results)
}

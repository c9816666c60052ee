//! Eventual consistency, as far as a history that ends can show it: once writes have ceased, all
//! come to read the same (Terry and others, PDIS 1994; Vogels, "Eventually consistent",
//! Communications of the ACM 52(1), 2009).
//!
//! "Eventually" has no end and a history has, so the end of the history is taken for it. A key is
//! *quiet* from the moment when the last of its acknowledged writes was acknowledged. A write
//! without an answer may take effect at any time: if its value was ever read, it has taken effect
//! when the first such read ended, and the key is quiet after that; if it was never read, it
//! cannot be what sets two readers apart. The first half of the time from then to the end of the
//! history is left to the store to come to agree. The *last word* of a session on a key is its last
//! acknowledged read of it among those that began in the second half. Two sessions whose last words
//! differ refute the model. Without two sessions with a last word on some key it is not exercised.
//!
//! What is linearizable passes, as all reads after the last write return the same. No weaker
//! model promises it: a sequentially consistent store may show one session the past for ever.
//! (That nothing is left to the store would be an even simpler definition. But then a session whose
//! last read came a millisecond after the last write would refute any store that is not
//! linearizable.)
//!
//! Only reads by clients count here; what each node holds after the heal is looked at by
//! [convergence](crate::convergence). O(n) time and memory.
//!
//! ```
//! # use splitbrain_checkers::{notation, registry};
//! # let check = |lines| registry::find("eventual").unwrap().run(&notation::history(lines), &Default::default());
//! // Process 2 is late and comes to agree;
//! assert!(check(
//!     "0 write 1      0..10
//!      2 read -> nil 20..30
//!      1 read -> 1   60..70
//!      2 read -> 1   80..90",
//! ).validity.is_valid());
//! // here it does not.
//! assert!(check(
//!     "0 write 1      0..10
//!      1 read -> 1   60..70
//!      2 read -> nil 80..90",
//! ).validity.is_invalid());
//! ```

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use super::effects::{Effect, Key, effects};
use crate::clock::Clock;
use crate::finding::Witness;
use crate::history::{Function, History, Operation, Outcome, Time, Value};
use crate::words::place;

/// What came out.
#[derive(Debug, Default)]
pub(crate) struct Eventually<'h> {
    /// Keys on which two sessions or more have a last word.
    pub tests: usize,
    /// Those on which they differ, worst first.
    pub disagreements: Vec<Disagreement<'h>>,
}

/// Two last words that differ.
#[derive(Debug)]
pub(crate) struct Disagreement<'h> {
    key: Key<'h>,
    quiet: Option<Time>,
    /// In the order of their invocations, with what they read.
    words: [(&'h Operation, &'h Value); 2],
}

/// What is known of the writes of a key.
#[derive(Default)]
struct Writes<'h> {
    /// When the last acknowledged one was acknowledged.
    acknowledged: Option<Time>,
    /// Per value, how many writes have it, whether one of them has no answer, and when a read
    /// first returned it.
    values: FxHashMap<&'h Value, (u32, bool, Option<Time>)>,
    /// Per process its last read in the second half of the time that the key was quiet.
    words: BTreeMap<u64, (&'h Operation, &'h Value)>,
}

impl Writes<'_> {
    /// From when on nothing changes; an error if that cannot be said.
    fn quiet(&self) -> Result<Option<Time>, ()> {
        let mut quiet = self.acknowledged;
        for (writes, unanswered, first_read) in self.values.values() {
            if *unanswered && first_read.is_some() {
                if *writes > 1 {
                    return Err(());
                }
                quiet = quiet.max(*first_read);
            }
        }
        Ok(quiet)
    }
}

/// Looks for last words that differ.
pub(crate) fn check<'h>(history: &'h History, initial: &Value) -> Result<Eventually<'h>, String> {
    let mut keys: FxHashMap<Key<'h>, Writes<'h>> = FxHashMap::default();
    let operations = || history.operations.iter().filter(|o| o.f != Function::ReplicaRead);
    for operation in operations() {
        let acknowledged = operation.outcome == Outcome::Ok;
        let end = operation.complete.unwrap_or(Time::MAX);
        effects(operation, |effect| match effect {
            Effect::Write(key, value) => {
                let writes = keys.entry(key).or_default();
                let known = writes.values.entry(value).or_default();
                known.0 += 1 + u32::from(value == initial);
                known.1 |= !acknowledged;
                if acknowledged {
                    writes.acknowledged = writes.acknowledged.max(Some(end));
                }
            }
            Effect::Read(key, value) if acknowledged => {
                let first = &mut keys.entry(key).or_default().values.entry(value).or_default().2;
                *first = Some(first.map_or(end, |first| first.min(end)));
            }
            Effect::Read(..) => {}
        })?;
    }
    let quiet: FxHashMap<Key<'h>, Result<Option<Time>, ()>> =
        keys.iter().map(|(key, writes)| (*key, writes.quiet())).collect();
    let end = operations().map(|operation| operation.complete.unwrap_or(operation.invoke)).max();
    let end = end.unwrap_or_default();
    for operation in operations().filter(|operation| operation.outcome == Outcome::Ok) {
        effects(operation, |effect| {
            if let Effect::Read(key, value) = effect
                && let Some(Ok(quiet)) = quiet.get(&key)
                && quiet.is_none_or(|quiet| is_late(operation.invoke, quiet, end))
            {
                let words = &mut keys.entry(key).or_default().words;
                let last = words.entry(operation.process).or_insert((operation, value));
                if last.0.invoke <= operation.invoke {
                    *last = (operation, value);
                }
            }
        })?;
    }
    Ok(compare(&keys))
}

/// Whether a read that began then tells what the store came to: in the second half of the time
/// from when the key was quiet to the end.
fn is_late(invoke: Time, quiet: Time, end: Time) -> bool {
    invoke > quiet && invoke.since(quiet) >= end.since(invoke)
}

fn compare<'h>(keys: &FxHashMap<Key<'h>, Writes<'h>>) -> Eventually<'h> {
    let mut result = Eventually::default();
    for (key, writes) in keys {
        if writes.words.len() < 2 {
            continue;
        }
        result.tests += 1;
        let mut words: Vec<_> = writes.words.values().copied().collect();
        words.sort_by_key(|(operation, _)| (operation.invoke, operation.index));
        let Some(&newest) = words.last() else { continue };
        if let Some(&other) = words.iter().rfind(|(_, value)| *value != newest.1) {
            let quiet = writes.quiet().unwrap_or_default();
            result.disagreements.push(Disagreement { key: *key, quiet, words: [other, newest] });
        }
    }
    // The later the older word, the longer it went on.
    result.disagreements.sort_by_key(|disagreement| {
        let [older, newer] = disagreement.words;
        std::cmp::Reverse((older.0.invoke, older.0.index, newer.0.index))
    });
    result
}

impl Disagreement<'_> {
    pub fn witness(&self, clock: Clock) -> Witness {
        let word = |(operation, value): (&Operation, &Value)| {
            format!(
                "process {}{} last read {}{value} at {}",
                operation.process,
                place(operation),
                self.key,
                clock.instant(operation.invoke)
            )
        };
        let since = match self.quiet {
            Some(quiet) => format!("nothing changed after {}", clock.instant(quiet)),
            None => "nothing was ever written".to_owned(),
        };
        let [older, newer] = self.words;
        Witness {
            sentence: format!(
                "{since}, yet {}, and {}: they did not come to agree",
                word(older),
                word(newer),
            ),
            operations: vec![older.0.clone(), newer.0.clone()],
            arrows: Vec::new(),
            instead: None,
        }
    }
}

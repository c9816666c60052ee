//! The measures of several keys together.

use super::{AFTER, Fresh, LeastK, Settings, StaleRead, Staleness, measure_key};
use crate::availability::Answered;
use crate::history::History;
use crate::keys::split_by_key;

impl Staleness {
    /// Of no key at all.
    pub fn none() -> Self {
        Self {
            reads: 0,
            impossible: 0,
            stale: 0,
            oldest: None,
            most_behind: None,
            least_delta: Some(std::time::Duration::ZERO),
            least_k: LeastK::Exactly { k: 1 },
            fresh: AFTER.map(|after| Fresh { after, fresh: Answered::default() }).to_vec(),
        }
    }

    /// Of these and those keys together. Both least numbers are those of the worst key: delta-
    /// atomicity is local, as linearizability is, and k counts the versions of one key.
    pub fn join(self, other: Staleness) -> Staleness {
        let add = |(one, other): (&Fresh, &Fresh)| Fresh {
            after: one.after,
            fresh: Answered {
                answered: one.fresh.answered + other.fresh.answered,
                attempted: one.fresh.attempted + other.fresh.attempted,
            },
        };
        Staleness {
            reads: self.reads + other.reads,
            impossible: self.impossible + other.impossible,
            stale: self.stale + other.stale,
            fresh: self.fresh.iter().zip(&other.fresh).map(add).collect(),
            oldest: worse(self.oldest, other.oldest, |read| read.age.as_nanos()),
            most_behind: worse(self.most_behind, other.most_behind, |read| read.behind as u128),
            least_delta: self.least_delta.zip(other.least_delta).map(|(one, other)| one.max(other)),
            least_k: self.least_k.join(other.least_k),
        }
    }
}

/// The one that is worse; the first of two that are equally bad.
fn worse(
    one: Option<StaleRead>,
    other: Option<StaleRead>,
    how_bad: impl Fn(&StaleRead) -> u128,
) -> Option<StaleRead> {
    match (one, other) {
        (Some(one), Some(other)) => Some(if how_bad(&other) > how_bad(&one) { other } else { one }),
        (one, other) => one.or(other),
    }
}

/// Measures every key of a history, one after the other.
///
/// # Errors
/// The reason of the first key that cannot be measured.
pub fn measure(history: &History, settings: &Settings<'_>) -> Result<Staleness, String> {
    let mut all = Staleness::none();
    for (key, operations) in split_by_key(history) {
        let one = measure_key(&operations, settings).map_err(|reason| match &key {
            Some(key) => format!("key {key}: {reason}"),
            None => reason,
        })?;
        all = all.join(one);
    }
    Ok(all)
}

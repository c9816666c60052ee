//! Time to the first success: after a cut (failing over), and after a heal (coming back).
//!
//! A success is an answered operation that was invoked after the cut began, or after the heal
//! was commanded; its time is that of its completion. It has to come before the heal, or before
//! the next cut.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Availability, Class};
use crate::history::{History, Name, Time};
use crate::partition::Partition;

/// When something first succeeded again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "success", rename_all = "kebab-case")]
pub enum FirstSuccess {
    /// This long after.
    After { time: Duration },
    /// Of so many attempts none did.
    Never { attempted: usize },
    /// Nothing was attempted.
    NotExercised,
}

impl FirstSuccess {
    /// The slower of two; never is slowest. Where one was not exercised neither is the whole.
    pub fn worst(self, other: FirstSuccess) -> FirstSuccess {
        use FirstSuccess::{After, Never, NotExercised};
        match (self, other) {
            (Never { attempted: a }, Never { attempted: b }) => Never { attempted: a + b },
            (never @ Never { .. }, _) | (_, never @ Never { .. }) => never,
            (NotExercised, _) | (_, NotExercised) => NotExercised,
            (After { time: a }, After { time: b }) => After { time: a.max(b) },
        }
    }
}

/// One partition, node and class.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recovery {
    pub partition: usize,
    pub node: Name,
    pub class: Class,
    /// From the beginning of the cut, before the heal.
    pub after_cut: FirstSuccess,
    /// From the command to heal, before the next cut.
    pub after_heal: FirstSuccess,
}

pub(super) fn recoveries(
    history: &History,
    partitions: &[Partition],
    availability: &Availability,
) -> Vec<Recovery> {
    let mut recoveries = Vec::new();
    for (index, cut) in partitions.iter().enumerate() {
        let healed = cut.heal_commanded;
        let later = partitions.iter().map(|p| p.commanded).filter(|&at| at >= healed);
        let next = later.min().unwrap_or(Time::MAX);
        for node in &availability.nodes {
            for &class in &availability.classes {
                recoveries.push(Recovery {
                    partition: index,
                    node: node.clone(),
                    class,
                    after_cut: first_success(history, node, class, cut.began, healed),
                    after_heal: first_success(history, node, class, healed, next),
                });
            }
        }
    }
    recoveries
}

/// The first answer to what was invoked in [from, to).
fn first_success(
    history: &History,
    node: &Name,
    class: Class,
    from: Time,
    to: Time,
) -> FirstSuccess {
    let start = history.operations.partition_point(|operation| operation.invoke < from);
    let mut attempted = 0;
    let mut first: Option<Time> = None;
    for operation in &history.operations[start..] {
        // Whatever is invoked later cannot be answered earlier.
        if operation.invoke >= to.min(first.unwrap_or(Time::MAX)) {
            break;
        }
        if operation.node.as_ref() != Some(node) || Class::of(&operation.f) != Some(class) {
            continue;
        }
        attempted += 1;
        let answer = operation.complete.filter(|&complete| operation.answered() && complete < to);
        first = [first, answer].into_iter().flatten().min();
    }
    match (first, attempted) {
        (Some(at), _) => FirstSuccess::After { time: at.since(from) },
        (None, 0) => FirstSuccess::NotExercised,
        (None, _) => FirstSuccess::Never { attempted },
    }
}

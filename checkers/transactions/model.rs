//! The models of isolation, and which of them imply which.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A promise about transactions. What each forbids is told in the [module](super).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Model {
    ReadUncommitted,
    ReadCommitted,
    MonotonicAtomicView,
    ReadAtomic,
    Causal,
    ParallelSnapshotIsolation,
    SnapshotIsolation,
    RepeatableRead,
    Serializable,
    StrongSessionSnapshotIsolation,
    StrongSessionSerializable,
    StrongSnapshotIsolation,
    StrictSerializable,
}

use Model::*;

impl Model {
    /// Every model, each after all that it implies.
    pub const ALL: [Model; 13] = [
        ReadUncommitted,
        ReadCommitted,
        MonotonicAtomicView,
        ReadAtomic,
        Causal,
        ParallelSnapshotIsolation,
        SnapshotIsolation,
        RepeatableRead,
        Serializable,
        StrongSessionSnapshotIsolation,
        StrongSessionSerializable,
        StrongSnapshotIsolation,
        StrictSerializable,
    ];

    /// As an option has it: `snapshot-isolation`.
    pub fn name(self) -> &'static str {
        match self {
            ReadUncommitted => "read-uncommitted",
            ReadCommitted => "read-committed",
            MonotonicAtomicView => "monotonic-atomic-view",
            ReadAtomic => "read-atomic",
            Causal => "causal",
            ParallelSnapshotIsolation => "parallel-snapshot-isolation",
            SnapshotIsolation => "snapshot-isolation",
            RepeatableRead => "repeatable-read",
            Serializable => "serializable",
            StrongSessionSnapshotIsolation => "strong-session-snapshot-isolation",
            StrongSessionSerializable => "strong-session-serializable",
            StrongSnapshotIsolation => "strong-snapshot-isolation",
            StrictSerializable => "strict-serializable",
        }
    }

    /// The model of that name.
    pub fn find(name: &str) -> Option<Model> {
        Model::ALL.into_iter().find(|model| model.name() == name)
    }

    /// The next weaker models.
    pub fn weaker(self) -> &'static [Model] {
        match self {
            ReadUncommitted => &[],
            ReadCommitted => &[ReadUncommitted],
            MonotonicAtomicView => &[ReadCommitted],
            ReadAtomic => &[MonotonicAtomicView],
            Causal => &[ReadAtomic],
            ParallelSnapshotIsolation => &[Causal],
            SnapshotIsolation => &[ParallelSnapshotIsolation],
            RepeatableRead => &[MonotonicAtomicView],
            Serializable => &[SnapshotIsolation, RepeatableRead],
            StrongSessionSnapshotIsolation => &[SnapshotIsolation],
            StrongSessionSerializable => &[Serializable, StrongSessionSnapshotIsolation],
            StrongSnapshotIsolation => &[StrongSessionSnapshotIsolation],
            StrictSerializable => &[StrongSessionSerializable, StrongSnapshotIsolation],
        }
    }

    /// Whether what satisfies this model satisfies the other.
    pub fn implies(self, other: Model) -> bool {
        self == other || self.weaker().iter().any(|weaker| weaker.implies(other))
    }
}

/// `snapshot isolation`.
impl fmt::Display for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name().replace('-', " "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_are_found_by_name_and_stand_after_what_they_imply() {
        for (position, model) in Model::ALL.into_iter().enumerate() {
            assert_eq!(Model::find(model.name()), Some(model));
            let json = serde_json::to_string(&model).unwrap();
            assert_eq!(json, format!("\"{}\"", model.name()));
            for other in &Model::ALL[position + 1..] {
                assert!(!model.implies(*other), "{model} does not imply {other}");
            }
            assert!(model.implies(ReadUncommitted) && StrictSerializable.implies(model));
        }
        assert!(!SnapshotIsolation.implies(RepeatableRead));
        assert_eq!(StrongSessionSerializable.to_string(), "strong session serializable");
    }
}

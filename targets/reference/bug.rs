//! The seeded bugs. Which mode can have which is said by the mode ([`super::mode::Mode::bugs`]).

use clap::ValueEnum;

/// A deliberate mistake, to show that the checkers find it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Bug {
    /// No bug.
    None,
    /// The leader or primary answers a write when it is in its own log, before the others have
    /// it.
    AcknowledgeBeforeCommit,
    /// A compare-and-set sets the new value whatever the register holds.
    CasIgnoresExpected,
    /// Replicas answer reads from what they have received, committed or not.
    DirtyRead,
    /// What could not be delivered to a peer at once is dropped, and there is no full exchange
    /// after a partition.
    DropHint,
    /// A write whose commit did not come in time is reported as failed, but stays in the log.
    FailedWriteApplies,
    /// A node that was cut off restarts when it is reached again, and its disk is empty.
    ForgetOnRestart,
    /// A new leader drops the last entries that it has applied.
    LoseWriteOnFailover,
    /// A deposed primary goes on as primary after the partition has healed.
    NeverStepsDown,
    /// A leader answers reads without asking the others whether it still leads.
    ReadFromDeposedLeader,
    /// One key in three is never sent to the last node.
    SkipReplicationToLast,
    /// Every node answers reads from a cache, for a second.
    StaleCache,
}

impl Bug {
    /// The name on the command line.
    pub fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }
}

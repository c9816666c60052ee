//! A fixed primary that waits for every replica.
//!
//! n1 orders all operations in a log, sends it to every replica, and applies and acknowledges an
//! entry when all of them have it. Only n1 answers reads, from what is committed; the others
//! forward to it. While one replica cannot be reached nothing commits: pending entries stay in
//! the log, are sent again after the heal, and commit then, so a write that timed out is
//! indeterminate. When a replica has been silent for a second, n1 takes nothing into the log any
//! more and refuses at once, which is definite.
//!
//! A replica's own copy may be ahead of the commit, which is why nobody reads it before the
//! cluster has settled.

use super::primary_backup::{self, Acknowledge, Policy, Reads};
use super::{Mode, Starting};
use crate::reference::bug::Bug;
use crate::reference::replica::Node;

pub const MODE: Mode = Mode {
    name: "primary-sync",
    bugs: &[
        Bug::AcknowledgeBeforeCommit,
        Bug::CasIgnoresExpected,
        Bug::DirtyRead,
        Bug::FailedWriteApplies,
        Bug::ForgetOnRestart,
        Bug::StaleCache,
    ],
    start,
};

fn start(node: Node) -> Starting {
    let reads = if node.bug == Bug::DirtyRead { Reads::OwnCopy } else { Reads::Primary };
    let policy = Policy { acknowledge: Acknowledge::WhenAllHaveIt, reads, failover: false };
    primary_backup::start(node, policy)
}

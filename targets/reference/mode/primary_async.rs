//! A fixed primary that answers first and replicates in the background.
//!
//! n1 applies and acknowledges at once and sends its log to the replicas in order, from where
//! each of them is. The others forward writes and compare-and-set to n1 and answer reads from
//! their own copy, which lags by however long the link is down.

use super::primary_backup::{self, Acknowledge, Policy, Reads};
use super::{Mode, Starting};
use crate::reference::bug::Bug;
use crate::reference::replica::Node;

pub const MODE: Mode = Mode { name: "primary-async", bugs: &[Bug::ForgetOnRestart], start };

fn start(node: Node) -> Starting {
    let policy =
        Policy { acknowledge: Acknowledge::AtOnce, reads: Reads::OwnCopy, failover: false };
    primary_backup::start(node, policy)
}

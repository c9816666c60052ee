//! primary-async with automatic failover by majority.
//!
//! A replica that has not heard its primary for half a second asks the others for their votes;
//! those who have not heard it either give them, one per term, and a majority makes a new
//! primary. The deposed one does not notice while it is cut off and goes on acknowledging writes
//! on its side. After the heal it learns of the newer term, steps down and adopts the new
//! primary's registers: what it had acknowledged alone is lost.

use super::primary_backup::{self, Acknowledge, Policy, Reads};
use super::{Mode, Starting};
use crate::reference::bug::Bug;
use crate::reference::replica::Node;

pub const MODE: Mode = Mode { name: "failover-async", bugs: &[Bug::NeverStepsDown], start };

fn start(node: Node) -> Starting {
    let policy = Policy { acknowledge: Acknowledge::AtOnce, reads: Reads::OwnCopy, failover: true };
    primary_backup::start(node, policy)
}

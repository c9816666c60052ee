//! Raft as in [`super::majority`], but every node answers reads from its own applied state.
//!
//! Writes and compare-and-set stay linearizable and need a majority. Reads never wait and are as
//! old as what the node has applied: sequentially consistent, not linearizable.

use super::{Mode, Starting, majority};
use crate::reference::replica::Node;

pub const MODE: Mode = Mode { name: "majority-local-reads", bugs: &[], start };

fn start(node: Node) -> Starting {
    majority::start(node, majority::Reads::OwnState)
}

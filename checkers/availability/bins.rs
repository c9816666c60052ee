//! What each node answered per slice of time: the strips of the report.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Class, answered_within};
use crate::history::{History, Name, Outcome};

/// Client operations of one slice of time, by the instant when they were due.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bin {
    /// A definite answer within the latency bound.
    pub answered: u32,
    /// An error that says that it did not happen, within the bound or later.
    pub failed: u32,
    /// No definite answer within the bound.
    pub indeterminate: u32,
}

/// One node's strip; slice i begins at i times the width.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Strip {
    pub node: Name,
    pub bins: Vec<Bin>,
}

/// The strips of these nodes in slices of `width` (not zero), up to the end of the history.
pub fn strips(
    history: &History,
    nodes: &[Name],
    width: Duration,
    latency_bound: Duration,
) -> Vec<Strip> {
    let width_ns = (width.as_nanos() as u64).max(1);
    let count = (history.end.0 / width_ns + 1) as usize;
    let empty = |node: &Name| Strip { node: node.clone(), bins: vec![Bin::default(); count] };
    let mut strips: Vec<Strip> = nodes.iter().map(empty).collect();
    for operation in history.operations.iter().filter(|o| Class::of(&o.f).is_some()) {
        let strip = strips.iter_mut().find(|strip| operation.node.as_ref() == Some(&strip.node));
        let slice = (operation.due().0 / width_ns) as usize;
        let Some(bin) = strip.and_then(|strip| strip.bins.get_mut(slice)) else { continue };
        if answered_within(operation, latency_bound) {
            bin.answered += 1;
        } else if operation.outcome == Outcome::Fail && !operation.answered() {
            bin.failed += 1;
        } else {
            bin.indeterminate += 1;
        }
    }
    strips
}

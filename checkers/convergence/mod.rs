//! Convergence of registers: do the replicas agree after the heal, and on what?
//!
//! After the last heal clients stop writing, and every key is read at every node again and
//! again ([`Function::ReplicaRead`]). From these reads:
//!
//! - E1 agreement: for every key all nodes return one value, and go on doing so.
//! - E2 loss: every acknowledged write is still there, or was overwritten by one that is not
//!   before it in real-time or causal order.
//! - E3 phantom: no node holds what no operation wrote.
//!
//! E1 alone is empty: a store that drops everything agrees at once, on nothing. So there is one
//! finding, `convergent`, and it is valid only if all three hold for every key.
//!
//! What makes an answer unknown: no read after the heal, a node or a key that was never read,
//! writes that went on, values that were still changing at the end. Read [`agreement`] and
//! [`loss`] for the exact rules.

pub mod agreement;
mod finding;
pub mod loss;
#[cfg(test)]
mod tests;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::finding::Finding;
use crate::history::{Function, History, Name, Time};
pub use agreement::{Cell, KeyState, KeyStatus, LastRead};
pub use loss::{Lost, Phantom};

/// What counts as agreement, and for how long it was waited for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// How many polls in a row have to agree. At least 1.
    pub polls: usize,
    /// How long the settle phase was to last at most. A history that ends before nine tenths
    /// of it (the run was killed) refutes no agreement. `None`: it is taken as it is.
    pub limit: Option<Duration>,
}

impl Default for Settings {
    fn default() -> Self {
        Settings { polls: 3, limit: None }
    }
}

/// Whether all nodes agree on every key (E1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "agreement", rename_all = "kebab-case")]
pub enum Agreement {
    /// They do, and this long after the heal every cell had been seen with its last value.
    Agreed { after: Duration },
    /// At these keys two nodes held different values at the same time, to the end.
    Refuted { keys: Vec<Name> },
    /// Why it cannot be said.
    Unknown { reason: String },
}

/// What the nodes held after the heal; everything the report shows of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Convergence {
    /// What times are counted from: the last heal, or the start of the settle phase if nothing
    /// was ever healed. `None` if the history has neither.
    pub healed: Option<Time>,
    pub agreement: Agreement,
    /// The grid of final values: every key, each with one cell per node.
    pub keys: Vec<KeyState>,
    /// How many acknowledged writes (cas included) there were on the keys that E2 could judge.
    pub acknowledged: usize,
    /// Acknowledged writes that are gone (E2), by key and invocation.
    pub lost: Vec<Lost>,
    /// Final values that nobody wrote (E3), by key and node.
    pub phantoms: Vec<Phantom>,
}

impl Convergence {
    /// Time from the heal to agreement, if the nodes agreed.
    pub fn time(&self) -> Option<Duration> {
        match self.agreement {
            Agreement::Agreed { after } => Some(after),
            _ => None,
        }
    }
}

/// Checks E1, E2 and E3 at these nodes (all that hold data and live) and gives the grid and the
/// finding `convergent`.
pub fn check(history: &History, nodes: &[Name], settings: &Settings) -> (Convergence, Finding) {
    let heal = last_nemesis(history, "heal");
    let settle = last_nemesis(history, "settle");
    let healed = heal.or(settle);
    let Some(start) = heal.max(settle) else {
        return finding::unexercised("the history has neither a heal nor a settle phase");
    };
    if nodes.is_empty() {
        return finding::unexercised("there is no node that holds data");
    }
    let keys = agreement::by_key(history, nodes, start);
    if keys.is_empty() {
        return finding::unexercised("no key was written or read after the heal");
    }
    let phase = agreement::Phase::of(history, &keys, start, settings);
    let states: Vec<KeyState> =
        keys.iter().map(|(key, operations)| phase.judge(key, operations, nodes)).collect();

    let mut convergence = Convergence {
        healed,
        agreement: agreement::overall(&states, healed.unwrap_or(start)),
        keys: states,
        acknowledged: 0,
        lost: Vec::new(),
        phantoms: Vec::new(),
    };
    for (state, operations) in convergence.keys.iter().zip(keys.values()) {
        convergence.phantoms.extend(loss::phantoms(state, operations));
        if matches!(state.status, KeyStatus::Agreed | KeyStatus::Disagrees { .. }) {
            convergence.acknowledged += operations.acknowledged().count();
            convergence.lost.extend(loss::lost(state, operations));
        }
    }
    let finding = finding::finding(&convergence, &keys);
    (convergence, finding)
}

fn last_nemesis(history: &History, f: &str) -> Option<Time> {
    let f = Function::Other(f.into());
    history.nemesis.iter().filter(|event| event.f == f).map(|event| event.time).max()
}

//! Convergence: do the replicas agree after the heal, and on what?
//!
//! After the last heal clients stop writing, and every key is read at every node again and
//! again ([`Function::ReplicaRead`]). From these reads:
//!
//! - E1 agreement: for every key all nodes return one value, and go on doing so.
//! - E2 loss: every acknowledged write is still there, or was overwritten by one that is not
//!   before it in real-time or causal order.
//! - E3 phantom: no node holds what no operation wrote.
//! - E4 resurrection: what was removed stays removed, unless added later or concurrently.
//! - E5 bounds: a counter is at least the sum of what was acknowledged and of what may have been
//!   subtracted, and at most that with what may have been added.
//! - E6 determinism: replicas that delivered the same updates show the same state, at any time.
//!
//! E1 alone is empty: a store that drops everything agrees at once, on nothing. So there is one
//! finding, `convergent`, and it is valid only if all that apply hold for every key. (E1 with E6 is
//! what Shapiro, Preguica, Baquero and Zawirski, "Conflict-free replicated data types", SSS 2011,
//! call strong eventual consistency; E2 to E5 say what such agreement must not cost.)
//!
//! What a key holds is the caller's to say ([`DataType`]):
//!
//! | | E1 | E2 | E3 | E4 | E5 | E6 |
//! | --- | --- | --- | --- | --- | --- | --- |
//! | [register] | yes | real-time or by cas | yes | | | if reads tell |
//! | [set] | yes | of adds | of elements | of removes | | if reads tell |
//! | [counter] | yes | in E5 | in E5 | | yes | if reads tell |
//! | [siblings] | yes | causal order | of values | of replaced values | | if reads tell |
//!
//! [register]: mod@register
//! [set]: mod@set
//! [counter]: mod@counter
//! [siblings]: mod@siblings
//!
//! Operations without a key are passed over; a history of one object gives it a name.
//!
//! What makes an answer unknown: no read after the heal, a node or a key that was never read,
//! writes that went on, values that were still changing at the end, operations that the type does
//! not have. Read [`agreement`] and [`loss`] for the exact rules. All is O(n log n) in the
//! operations of a key, but for siblings, where it is that times the length of a context.
//!
//! ```
//! # use splitbrain_checkers::convergence::{self, DataType, Settings};
//! # use splitbrain_checkers::history::{Event, Function, History, Kind, Operation, Process, Time};
//! # use splitbrain_checkers::notation;
//! // What two nodes return in three polls after the heal at 100.
//! let run = |updates: &str, returned: &str| {
//!     let mut history = notation::history(updates);
//!     for poll in 0..6 {
//!         let (node, start) = (poll % 2 + 1, 110 + 10 * poll);
//!         let line = format!("9 replica-read@s -> {returned} {start}..{}", start + 5);
//!         let read = notation::history(&line).operations.remove(0);
//!         let node = Some(format!("n{node}").into());
//!         history.operations.push(Operation { node, index: 100 + poll, ..read });
//!     }
//!     # history.nemesis.push(Event { index: 50, time: Time(100), process: Process::Nemesis,
//!     #     node: None, kind: Kind::Info, f: Function::Other("heal".into()), key: None,
//!     #     value: Default::default(), intended: None, error: None });
//!     let settings = Settings { data: DataType::Set, ..Settings::default() };
//!     convergence::check(&history, &["n1".into(), "n2".into()], &settings)
//! };
//! let (_, kept) = run("0 add@s 1 0..10 \n 0 add@s 2 20..30", "[2 1]");
//! assert!(kept.validity.is_valid());
//! let (convergence, lost) = run("0 add@s 1 0..10 \n 0 add@s 2 20..30", "[1]");
//! assert!(lost.validity.is_invalid());
//! assert_eq!(convergence.lost[0].value, 2.into());
//! ```

pub mod agreement;
pub mod counter;
pub mod data_type;
pub mod deliveries;
mod finding;
pub mod loss;
pub mod register;
pub mod set;
pub mod siblings;
#[cfg(test)]
mod tests;
mod witness;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::finding::Finding;
use crate::history::{Function, History, Name, Time};
pub use agreement::{Cell, KeyState, KeyStatus, LastRead};
pub use data_type::DataType;
pub use loss::{Breach, Lost, Phantom};

/// What counts as agreement, and for how long it was waited for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// How many polls in a row have to agree. At least 1.
    pub polls: usize,
    /// How long the settle phase was to last at most. A history that ends before nine tenths
    /// of it (the run was killed) refutes no agreement. `None`: it is taken as it is.
    pub limit: Option<Duration>,
    /// What every key holds.
    #[serde(default)]
    pub data: DataType,
    /// Whether replica reads tell what was delivered to the node (see [`deliveries`]).
    #[serde(default)]
    pub deliveries: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Settings { polls: 3, limit: None, data: DataType::Register, deliveries: false }
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
    /// What else is wrong (E4, E5, E6), by key.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub breaches: Vec<Breach>,
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

/// Checks E1 to E6 at these nodes (all that hold data and live) and gives the grid and the
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
    let keys = agreement::by_key(history, nodes, start, settings);
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
        breaches: Vec::new(),
    };
    for (state, operations) in convergence.keys.iter().zip(keys.values()) {
        if loss::is_final(state) {
            convergence.acknowledged += operations.acknowledged().count();
        }
        let losses = loss::judge(settings.data, state, operations);
        convergence.lost.extend(losses.lost);
        convergence.phantoms.extend(losses.phantoms);
        convergence.breaches.extend(losses.breaches);
    }
    let finding = finding::finding(&convergence, &keys, settings.data);
    (convergence, finding)
}

fn last_nemesis(history: &History, f: &str) -> Option<Time> {
    let f = Function::Other(f.into());
    history.nemesis.iter().filter(|event| event.f == f).map(|event| event.time).max()
}

//! The anomalies that were found: how many of each, and one proof of each.

use std::collections::BTreeMap;

use super::anomaly::Anomaly;
use super::cycle::Link;
use super::model::Model;

/// What proves an anomaly. Transactions, keys and writes by number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Proof {
    /// Each link ends where the next begins, and the last where the first does.
    Cycle(Vec<Link>),
    /// The micro-operation at this position read what nobody wrote: for lists, the element at
    /// this position in its list.
    Garbage { reader: u32, step: u32, element: u32 },
    /// The list that this micro-operation read has the element at this position twice.
    Duplicate { reader: u32, step: u32, element: u32 },
    /// An aborted or intermediate write was read.
    Read { reader: u32, write: u32 },
    /// A committed transaction replaced what an aborted one had written; `reader` saw both.
    DirtyUpdate { reader: u32, aborted: u32, kept: u32 },
    /// Two reads of a key that do not fit together: who read, and which micro-operation it was.
    Incompatible { one: (u32, u32), other: (u32, u32) },
    /// The append at this position stands in the list before an earlier one of its transaction.
    Reordered { transaction: u32, step: u32 },
    /// The micro-operation at this position disagrees with what its transaction did before.
    Internal { transaction: u32, step: u32 },
    /// Both read this version of the key and replaced it.
    LostUpdate { one: u32, other: u32, key: u32, version: u32 },
    /// The reader read an older version than this write, which it knew of by these links.
    Missed { reader: u32, missed: u32, links: Vec<Link> },
    /// What these transactions did to the key is not linearizable, in words.
    Key { key: u32, transactions: Vec<u32>, sentence: String },
    /// The reader saw one write of a transaction and an older version than its other write.
    Fractured { reader: u32, seen: u32, missed: u32 },
}

impl Proof {
    /// How many transactions it takes to tell it.
    fn size(&self) -> usize {
        match self {
            Proof::Cycle(links) => links.len(),
            Proof::Missed { links, .. } => links.len() + 1,
            Proof::Key { transactions, .. } => transactions.len(),
            Proof::Garbage { .. } | Proof::Duplicate { .. } | Proof::Internal { .. } => 1,
            Proof::DirtyUpdate { .. } => 3,
            _ => 2,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub count: usize,
    pub proof: Proof,
}

#[derive(Debug, Default)]
pub(super) struct Tally {
    pub found: BTreeMap<Anomaly, Found>,
    /// Whether a search was cut short, so that what was not found may be there.
    pub is_cut: bool,
    /// Whether there is a cycle of overwrites through a transaction of which it is not sure that
    /// it committed where what was not committed may be read.
    pub has_unsure_overwrites: bool,
}

impl Tally {
    /// Counts one more; of several proofs the shortest is kept, and of those the first.
    pub fn add(&mut self, anomaly: Anomaly, proof: Proof) {
        match self.found.get_mut(&anomaly) {
            None => {
                self.found.insert(anomaly, Found { count: 1, proof });
            }
            Some(found) => {
                found.count += 1;
                if proof.size() < found.proof.size() {
                    found.proof = proof;
                }
            }
        }
    }

    /// Whether something was found that the model forbids.
    pub fn contradicts(&self, model: Model) -> bool {
        self.found.keys().any(|anomaly| anomaly.contradicts(model))
    }

    /// What contradicts the model and has the shortest proof; of several the most severe.
    pub fn shortest(&self, model: Model) -> Option<(Anomaly, &Proof)> {
        self.found
            .iter()
            .filter(|(anomaly, _)| anomaly.contradicts(model))
            .min_by_key(|(_, found)| found.proof.size())
            .map(|(anomaly, found)| (*anomaly, &found.proof))
    }
}

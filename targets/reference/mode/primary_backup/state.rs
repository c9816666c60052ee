//! What a node of a primary-backup mode knows, and how it answers the messages of the others.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;

use super::election::{Ballot, FAILURE_LIMIT, Vote};
use super::log::{Adopt, Log, Record};
use super::shipping::{Append, Held, Shipped};
use super::{Acknowledge, Policy};
use crate::reference::bug::Bug;
use crate::reference::operation::Answer;
use crate::reference::peers::Peers;
use crate::reference::replica::Role;

/// A primary that waits for every replica takes no more when one has been silent for so long.
const SILENCE_LIMIT: Duration = Duration::from_secs(1);

pub struct State {
    /// The term of the primary whose log this is; the first one is 1.
    pub term: u64,
    /// The highest term in which this node has voted or that it has heard of.
    pub voted: u64,
    pub role: Role,
    /// Who leads, where this node does not.
    pub primary: Option<String>,
    /// When the primary was last heard; `None` before the first time.
    pub heard: Option<Instant>,
    pub log: Log,
    /// As primary: what each replica is known to have.
    pub held: BTreeMap<String, Held>,
    /// As primary: when each replica last answered.
    pub answered: BTreeMap<String, Instant>,
    /// As primary: who waits for which entry.
    pub waiters: BTreeMap<usize, oneshot::Sender<Answer>>,
    /// How much of the log is from before the last restart.
    reloaded: usize,
}

impl State {
    /// The state after a start: from the journal if there is one. Without failover the first
    /// node of the cluster always leads; with it only at the very beginning.
    pub fn reload(
        own: &str,
        first: &str,
        policy: Policy,
        mut log: Log,
        records: Vec<Record>,
    ) -> State {
        let restarted = !records.is_empty();
        let (mut term, mut voted) = (1, 1);
        for record in records {
            match &record {
                Record::Adopted(Adopt { term: newer, .. }) | Record::Leads(newer) => term = *newer,
                Record::Voted(newer) => voted = *newer,
                Record::Entry(_) => {}
            }
            log.reload(record);
        }
        let leads = own == first && !(policy.failover && restarted);
        let reloaded = log.end();
        if !leads || policy.acknowledge == Acknowledge::AtOnce {
            log.apply_to(reloaded, |_, _| {});
        }
        State {
            term,
            voted: voted.max(term),
            role: if leads { Role::Primary } else { Role::Replica },
            primary: (!policy.failover).then(|| first.to_owned()),
            heard: (policy.failover && restarted).then(Instant::now),
            log,
            held: BTreeMap::new(),
            answered: BTreeMap::new(),
            waiters: BTreeMap::new(),
            reloaded,
        }
    }

    /// Whether everything from before the restart is committed: before that, the registers may
    /// lack what was already acknowledged.
    pub fn recovered(&self) -> bool {
        self.log.applied() >= self.reloaded
    }

    /// As primary: a replica that has not answered for [`SILENCE_LIMIT`].
    pub fn silent_replica<'a>(&self, peers: &'a Peers) -> Option<&'a String> {
        peers
            .others()
            .find(|peer| self.answered.get(*peer).is_none_or(|at| at.elapsed() > SILENCE_LIMIT))
    }

    /// As primary: applies what every replica has, and answers who waits for it.
    pub fn commit(&mut self, peers: &Peers) {
        let everywhere = peers
            .others()
            .map(|peer| match self.held.get(peer) {
                Some(Held::UpTo(length)) => *length,
                Some(Held::OldTerm) | None => 0,
            })
            .min();
        let end = everywhere.unwrap_or(self.log.end());
        let waiters = &mut self.waiters;
        self.log.apply_to(end, |index, answer| {
            if let Some(waiter) = waiters.remove(&index) {
                // Nobody may be waiting any more.
                let _ = waiter.send(answer);
            }
        });
    }

    /// Takes entries of the primary.
    pub fn append(&mut self, append: Append, bug: Bug) -> Shipped {
        if let Some(refusal) = self.refuse(append.term, bug) {
            return refusal;
        }
        if append.term > self.term {
            return Shipped::NeedsState;
        }
        self.follow(append.term, append.primary);
        let end = self.log.end();
        if append.start <= end {
            for operation in append.operations.into_iter().skip(end - append.start) {
                self.log.push(operation);
            }
            self.log.apply_to(self.log.end(), |_, _| {});
        }
        Shipped::Has(self.log.end())
    }

    /// Takes the whole state of a primary.
    pub fn adopt(&mut self, adopt: Adopt, bug: Bug) -> Shipped {
        if let Some(refusal) = self.refuse(adopt.term, bug) {
            return refusal;
        }
        let newer = adopt.term > self.term;
        self.follow(adopt.term, adopt.primary.clone());
        // A copy that was long under way may be behind the entries that came after it.
        if newer || adopt.length > self.log.end() {
            self.log.adopt(adopt);
        }
        Shipped::Has(self.log.end())
    }

    fn refuse(&self, term: u64, bug: Bug) -> Option<Shipped> {
        let leads = self.role == Role::Primary;
        if term < self.term || (leads && (term == self.term || bug == Bug::NeverStepsDown)) {
            return Some(Shipped::Refused { term: self.term });
        }
        None
    }

    fn follow(&mut self, term: u64, primary: String) {
        self.term = term;
        self.voted = self.voted.max(term);
        self.role = Role::Replica;
        self.primary = Some(primary);
        self.heard = Some(Instant::now());
        self.held.clear();
        self.waiters.clear();
    }

    /// As primary: a replica knows of a newer term. Its primary will bring its state.
    pub fn step_down(&mut self, newer: u64) {
        self.voted = self.voted.max(newer);
        self.role = Role::Replica;
        self.primary = None;
        self.heard = Some(Instant::now());
        self.held.clear();
    }

    /// Gives its vote or not: one per term, only if it misses its primary too, and only to a
    /// candidate that has at least as much.
    pub fn vote(&mut self, ballot: &Ballot) -> Vote {
        let granted = ballot.term > self.voted
            && self.misses_primary()
            && (ballot.last_term, ballot.length) >= (self.term, self.log.end());
        if granted {
            self.give_vote(ballot.term);
        }
        Vote { granted, voted: self.voted }
    }

    pub fn give_vote(&mut self, term: u64) {
        self.voted = term;
        self.log.note(&Record::Voted(term));
    }

    /// Whether this is a replica that has not heard its primary for [`FAILURE_LIMIT`].
    pub fn misses_primary(&self) -> bool {
        self.role == Role::Replica && self.heard.is_some_and(|at| at.elapsed() > FAILURE_LIMIT)
    }

    /// A majority has voted for this node.
    pub fn become_primary(&mut self, term: u64) {
        self.term = term;
        self.role = Role::Primary;
        self.primary = None;
        self.held.clear();
        self.log.note(&Record::Leads(term));
    }
}

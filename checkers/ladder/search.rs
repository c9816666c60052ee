//! A search for one order that explains all reads and agrees with all edges derived so far.
//!
//! It walks the frontier: how far each session has come. Since every value is written once, a
//! writer may go only when all who read the value that it replaces have gone; so a value that
//! some reader still waits for is the current one, and what the frontier's past leaves is known
//! from the frontier alone. A frontier from which no order was found is remembered and not entered
//! again (Gibbons and Korach's O(n^k) for k sessions, of which this visits what it must). A
//! transaction that writes nothing goes as soon as it can: that hinders nobody.
//!
//! Of several writers that may be next, the walk first tries the one that had taken effect by the
//! earliest time: the store did something in some order, and mostly that of time. It goes back only
//! where a choice among writers was wrong.

use rustc_hash::FxHashSet;

use super::frame::{Frame, NONE, Origin};
use super::graph::Graph;
use crate::limits::{Limits, Spent};

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found {
    Order,
    /// There is no such order.
    Nothing,
    Spent(Spent),
}

/// Searches for an order of all transactions of a graph; `order` is a topological order of it.
pub(crate) fn search(graph: &Graph<'_>, order: &[u32], limits: &Limits<'_>) -> Found {
    let mut walk = Walk::new(graph, order);
    let mut dead: FxHashSet<Box<[u32]>> = FxHashSet::default();
    let mut choices = Vec::new();
    let (mut steps, mut looked_at) = (0_u64, 0_u64);
    let bytes_each = size_of::<u32>() * walk.frontier.len() + 4 * size_of::<usize>();
    walk.open(&mut choices);
    loop {
        if walk.gone == graph.frame.len() {
            return Found::Order;
        }
        steps += 1;
        if steps > limits.steps {
            return Found::Spent(Spent::Steps);
        }
        if dead.capacity() * bytes_each > limits.memory_bytes {
            return Found::Spent(Spent::Memory);
        }
        if steps - looked_at >= Limits::STEPS_BETWEEN_LOOKS {
            looked_at = steps;
            if limits.is_over() {
                return Found::Spent(Spent::Time);
            }
        }
        let Some(choice) = choices.last_mut() else { return Found::Nothing };
        walk.back_to(choice.gone);
        match choice.candidates.pop() {
            Some(session) => {
                walk.go(session);
                walk.open(&mut choices);
                if dead.contains(&*walk.frontier) {
                    choices.pop();
                }
            }
            None => {
                dead.insert(walk.frontier.clone().into_boxed_slice());
                choices.pop();
            }
        }
    }
}

/// A frontier from which several sessions might go on.
struct Choice {
    /// How many transactions had gone.
    gone: usize,
    /// Sessions to try, the best last.
    candidates: Vec<u32>,
}

struct Walk<'g, 'f> {
    graph: &'g Graph<'f>,
    frame: &'f Frame,
    /// Where each transaction is in the topological order.
    rank: Vec<u32>,
    /// Per session the next transaction to go.
    frontier: Vec<u32>,
    /// Per key the current version, and per version who still has to read it.
    current: Vec<u32>,
    waiting: Vec<u32>,
    /// What has gone, with the versions that it replaced.
    trail: Vec<u32>,
    replaced: Vec<u32>,
    gone: usize,
}

impl<'g, 'f> Walk<'g, 'f> {
    fn new(graph: &'g Graph<'f>, order: &[u32]) -> Self {
        let frame = graph.frame;
        let mut rank = vec![0; frame.len()];
        for (position, transaction) in order.iter().enumerate() {
            rank[*transaction as usize] = position as u32;
        }
        let mut current = vec![NONE; frame.keys];
        for (number, version) in frame.versions.iter().enumerate() {
            if version.origin == Origin::Initial {
                current[version.key as usize] = number as u32;
            }
        }
        let mut waiting = vec![0; frame.versions.len()];
        for read in frame.all().flat_map(|transaction| frame.reads(transaction)) {
            waiting[*read as usize] += 1;
        }
        let frontier = (0..frame.sessions() as u32).map(|s| frame.session(s).start).collect();
        let (trail, replaced) = (Vec::new(), Vec::new());
        Walk { graph, frame, rank, frontier, current, waiting, trail, replaced, gone: 0 }
    }

    /// The session's next transaction, if it may go now.
    fn may_go(&self, session: u32) -> Option<u32> {
        let next = self.frontier[session as usize];
        if next >= self.frame.session(session).end {
            return None;
        }
        let finds =
            |version: &u32| self.current[self.frame.version(*version).key as usize] == *version;
        let has_gone = |other: u32| other < self.frontier[self.frame.session_of(other) as usize];
        let ready = self.frame.reads(next).iter().all(finds)
            && self.frame.writes(next).iter().all(|version| self.may_replace(next, *version))
            && self.graph.predecessors(next).all(|(before, _)| has_gone(before));
        ready.then_some(next)
    }

    /// Whether nobody but the writer itself waits for what it replaces.
    fn may_replace(&self, writer: u32, version: u32) -> bool {
        let old = self.current[self.frame.version(version).key as usize];
        old == NONE || {
            let own = u32::from(self.frame.reads(writer).contains(&old));
            self.waiting[old as usize] == own
        }
    }

    fn go(&mut self, session: u32) {
        let transaction = self.frontier[session as usize];
        for &version in self.frame.reads(transaction) {
            self.waiting[version as usize] -= 1;
        }
        for &version in self.frame.writes(transaction) {
            let key = self.frame.version(version).key as usize;
            self.replaced.push(self.current[key]);
            self.current[key] = version;
        }
        self.frontier[session as usize] += 1;
        self.trail.push(transaction);
        self.gone += 1;
    }

    fn back_to(&mut self, gone: usize) {
        while self.gone > gone {
            let Some(transaction) = self.trail.pop() else { return };
            for &version in self.frame.writes(transaction).iter().rev() {
                let key = self.frame.version(version).key as usize;
                self.current[key] = self.replaced.pop().unwrap_or(NONE);
            }
            for &version in self.frame.reads(transaction) {
                self.waiting[version as usize] += 1;
            }
            self.frontier[self.frame.session_of(transaction) as usize] = transaction;
            self.gone -= 1;
        }
    }

    /// Lets all go that only read, and notes which writers may be next.
    fn open(&mut self, choices: &mut Vec<Choice>) {
        let mut went = true;
        let mut candidates = Vec::new();
        while went {
            went = false;
            candidates.clear();
            for session in 0..self.frontier.len() as u32 {
                while let Some(next) = self.may_go(session) {
                    if !self.frame.writes(next).is_empty() {
                        candidates.push(session);
                        break;
                    }
                    self.go(session);
                    went = true;
                }
            }
        }
        let place = |session: &u32| {
            let next = self.frontier[*session as usize] as usize;
            (self.frame.done[next], self.rank[next])
        };
        candidates.sort_by_key(|session| std::cmp::Reverse(place(session)));
        choices.push(Choice { gone: self.gone, candidates });
    }
}

//! The four session guarantees (Terry, Demers, Petersen, Spreitzer, Theimer and Welch, "Session
//! guarantees for weakly consistent replicated data", PDIS 1994), as far as reads show them.
//!
//! Terry and others define them by which writes a server had when it answered, and by one order of
//! writes; neither is in a history. What a session can see is that some order of each key's
//! versions, the initial one first, satisfies
//!
//! - *read your writes*: a session writes a, and later reads b: a <= b;
//! - *monotonic reads*: a session reads a, and later reads b: a <= b;
//! - *monotonic writes*: a session writes a and later b, both of one key: a < b; and a session
//!   that has read what some session wrote after it had written a, and later reads b of a's key:
//!   a <= b;
//! - *writes follow reads*: the same with "had read a" for "had written a"; there a transaction
//!   (a compare-and-set) that reads a and writes b counts as reading first.
//!
//! "Later" is in session order, and not in the same transaction. Real time gives no order of
//! versions here: that is linearizability.
//!
//! # Refuted, or a disagreement
//!
//! A guarantee is *refuted* if one session contradicts itself: no order satisfies what it alone
//! has seen (and the orders that writers make, for the last two). If each session has such an
//! order but not all the same, the sessions *disagree*. PRAM and causal memory allow that, so it
//! refutes nothing here and is only told; whoever promises one order of versions for all, as
//! Bayou did, has broken that promise.
//!
//! # How
//!
//! A graph with a node per version and an edge per "<=": an order exists iff no cycle goes
//! through two versions. Where all of a session's earlier writes (or reads) of a key come before
//! b, a chain of nodes stands for all up to each, so that one edge does. First all sessions
//! together, O(n k) edges; only if that has a cycle is each looked at alone.
//!
//! ```
//! # use splitbrain_checkers::{notation, registry};
//! # let check = |lines| registry::find("monotonic-reads").unwrap().run(&notation::history(lines), &Default::default());
//! assert!(check("0 read -> 1 0..1
//!                0 read -> 2 2..3").validity.is_valid());
//! let back = check(
//!     "0 read@x -> 1 0..1
//!      0 read@x -> 2 2..3
//!      0 read@x -> 1 4..5",
//! );
//! assert!(back.validity.witness().unwrap().sentence.ends_with("process 0 went back to an older value"));
//! ```

use std::collections::BTreeSet;

use super::answer::{Answer, Refuted};
use super::components;
use super::frame::{Frame, Lanes, NONE, Origin};
use crate::limits::{Limits, Spent};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Guarantee {
    ReadYourWrites,
    MonotonicReads,
    MonotonicWrites,
    WritesFollowReads,
}

impl Guarantee {
    /// The end of the sentence of a witness.
    pub fn broken_by(self, who: &str) -> String {
        match self {
            Guarantee::ReadYourWrites => format!("{who} did not find what it had written itself"),
            Guarantee::MonotonicReads => format!("{who} went back to an older value"),
            Guarantee::MonotonicWrites => format!(
                "{who} had read what was written later, and then missed what the same process had \
                 written before"
            ),
            Guarantee::WritesFollowReads => format!(
                "{who} had read what was written, and then missed what its writer had read before"
            ),
        }
    }
}

/// What came out for one guarantee.
#[derive(Debug)]
pub(crate) struct Kept {
    pub answer: Answer,
    /// How many reads could have shown a violation.
    pub tests: usize,
    /// No session contradicts itself, but no order of versions satisfies all of them.
    pub disagreement: bool,
}

/// Whether the sessions of a frame have the guarantee.
pub(crate) fn check(frame: &Frame, guarantee: Guarantee, limits: &Limits<'_>) -> Kept {
    let builder = Builder::new(frame, guarantee);
    let mut all = Versions::new(frame);
    builder.orders_of_writers(&mut all);
    for session in 0..frame.sessions() as u32 {
        builder.seen_by(session, &mut all);
        let held = all.edges.capacity() * size_of::<[u32; 4]>();
        if held > limits.memory_bytes {
            let answer = Answer::Spent(Spent::Memory);
            return Kept { answer, tests: all.tests, disagreement: false };
        }
    }
    let tests = all.tests;
    if all.contradictions().is_empty() {
        return Kept { answer: Answer::Consistent, tests, disagreement: false };
    }
    let mut found: Option<Refuted> = None;
    for session in 0..frame.sessions() as u32 {
        let mut own = Versions::new(frame);
        builder.orders_of_writers(&mut own);
        builder.seen_by(session, &mut own);
        let contradictions = own.contradictions();
        let Some(first) = contradictions.first() else { continue };
        found
            .get_or_insert_with(|| Refuted {
                evidence: evidence(frame, session, first),
                count: 0,
                session: Some(session),
            })
            .count += contradictions.len();
    }
    let disagreement = found.is_none();
    Kept { answer: found.map_or(Answer::Consistent, Answer::Refuted), tests, disagreement }
}

/// The session, whoever wrote what it read, and whoever touched the versions in question.
fn evidence(frame: &Frame, session: u32, versions: &[u32]) -> Vec<u32> {
    let mut needed: BTreeSet<u32> = frame.session(session).collect();
    let writers = frame.session(session).flat_map(|transaction| frame.reads(transaction));
    needed.extend(writers.map(|version| frame.version(*version).writer));
    let in_question: BTreeSet<u32> = versions.iter().copied().collect();
    for transaction in frame.all() {
        let touched = frame.reads(transaction).iter().chain(frame.writes(transaction));
        if touched.into_iter().any(|version| in_question.contains(version)) {
            needed.insert(transaction);
        }
    }
    needed.remove(&NONE);
    needed.into_iter().collect()
}

/// A graph of "not newer than": versions first, then nodes that stand for several.
struct Versions {
    versions: usize,
    nodes: u32,
    edges: Vec<(u32, u32)>,
    tests: usize,
}

impl Versions {
    fn new(frame: &Frame) -> Self {
        let mut graph = Versions {
            versions: frame.versions.len(),
            nodes: frame.versions.len() as u32,
            edges: Vec::new(),
            tests: 0,
        };
        let mut initial = vec![NONE; frame.keys];
        for (number, version) in frame.versions.iter().enumerate() {
            if version.origin == Origin::Initial {
                initial[version.key as usize] = number as u32;
            }
        }
        for (number, version) in frame.versions.iter().enumerate() {
            let first = initial[version.key as usize];
            if first != NONE {
                graph.add(first, number as u32);
            }
        }
        graph
    }

    fn add(&mut self, older: u32, newer: u32) {
        if older != newer {
            self.edges.push((newer, older));
        }
    }

    /// A new node that is not older than either.
    fn both(&mut self, chain: Option<u32>, version: u32) -> u32 {
        let node = self.nodes;
        self.nodes += 1;
        self.add(version, node);
        if let Some(chain) = chain {
            self.add(chain, node);
        }
        node
    }

    /// Sets of two versions or more that would have to be the same.
    fn contradictions(&mut self) -> Vec<Vec<u32>> {
        self.edges.sort_unstable();
        let mut starts = vec![0_u32; self.nodes as usize + 1];
        for (newer, _) in &self.edges {
            starts[*newer as usize + 1] += 1;
        }
        for node in 0..self.nodes as usize {
            starts[node + 1] += starts[node];
        }
        let found = components::find(self.nodes as usize, |node, slot| {
            let position = starts[node as usize] + slot;
            (position < starts[node as usize + 1]).then(|| self.edges[position as usize].1)
        });
        let mut contradictions = found.cyclic;
        for component in &mut contradictions {
            component.retain(|node| (*node as usize) < self.versions);
        }
        contradictions.retain(|component| component.len() > 1);
        contradictions
    }
}

/// A session's reads of one key that come before a certain point.
#[derive(Clone, Copy)]
struct Prefix {
    reader: u32,
    session: u32,
    version: u32,
}

struct Builder<'f> {
    frame: &'f Frame,
    guarantee: Guarantee,
    lanes: Lanes,
    /// Per key, all reads of it by number of the reader; only for writes follow reads.
    reads: Vec<Prefix>,
    read_starts: Vec<u32>,
}

impl<'f> Builder<'f> {
    fn new(frame: &'f Frame, guarantee: Guarantee) -> Self {
        let mut read_starts = vec![0_u32; frame.keys + 1];
        let mut reads = Vec::new();
        if guarantee == Guarantee::WritesFollowReads {
            for reader in frame.all() {
                for &version in frame.reads(reader) {
                    read_starts[frame.version(version).key as usize + 1] += 1;
                    reads.push(Prefix { reader, session: frame.session_of(reader), version });
                }
            }
            reads.sort_by_key(|read| (frame.version(read.version).key, read.reader));
            for key in 0..frame.keys {
                read_starts[key + 1] += read_starts[key];
            }
        }
        Builder { frame, guarantee, lanes: Lanes::new(frame), reads, read_starts }
    }

    fn reads_of(&self, key: u32) -> std::ops::Range<usize> {
        self.read_starts[key as usize] as usize..self.read_starts[key as usize + 1] as usize
    }

    /// The version of a key that a transaction left.
    fn version_of(&self, writer: u32, key: u32) -> u32 {
        let writes = self.frame.writes(writer).iter();
        let found = writes.copied().find(|version| self.frame.version(*version).key == key);
        found.unwrap_or(NONE)
    }

    /// The orders that writers make, whoever looks. For writes follow reads the nodes after the
    /// versions are those of [`Builder::reads`], one each.
    fn orders_of_writers(&self, graph: &mut Versions) {
        match self.guarantee {
            Guarantee::ReadYourWrites | Guarantee::MonotonicReads => {}
            Guarantee::MonotonicWrites => {
                for key in 0..self.frame.keys as u32 {
                    for lane in self.lanes.of(key) {
                        for pair in self.lanes.writers(*lane).windows(2) {
                            let (older, newer) =
                                (self.version_of(pair[0], key), self.version_of(pair[1], key));
                            graph.add(older, newer);
                        }
                    }
                }
            }
            Guarantee::WritesFollowReads => {
                for key in 0..self.frame.keys as u32 {
                    let mut last: Option<(u32, u32)> = None;
                    for read in &self.reads[self.reads_of(key)] {
                        let chain = last.filter(|(session, _)| *session == read.session);
                        let node = graph.both(chain.map(|(_, node)| node), read.version);
                        last = Some((read.session, node));
                    }
                    for lane in self.lanes.of(key) {
                        for &writer in self.lanes.writers(*lane) {
                            if let Some(node) = self.read_up_to(lane.session, key, writer) {
                                graph.add(node, self.version_of(writer, key));
                            }
                        }
                    }
                }
            }
        }
    }

    /// The node of all that a session had read of a key when it did something.
    fn read_up_to(&self, session: u32, key: u32, doer: u32) -> Option<u32> {
        let range = self.reads_of(key);
        let count = self.reads[range.clone()].partition_point(|read| read.reader <= doer);
        let position = range.start + count.checked_sub(1)?;
        let same = self.reads[position].session == session;
        same.then_some(self.frame.versions.len() as u32 + position as u32)
    }

    /// What a session has seen.
    fn seen_by(&self, session: u32, graph: &mut Versions) {
        match self.guarantee {
            Guarantee::ReadYourWrites => self.own_writes(session, graph),
            Guarantee::MonotonicReads => self.own_reads(session, graph),
            Guarantee::MonotonicWrites | Guarantee::WritesFollowReads => {
                self.others(session, graph);
            }
        }
    }

    fn own_writes(&self, session: u32, graph: &mut Versions) {
        let mut written = rustc_hash::FxHashMap::default();
        for transaction in self.frame.session(session) {
            for &version in self.frame.reads(transaction) {
                if let Some(&node) = written.get(&self.frame.version(version).key) {
                    graph.add(node, version);
                    graph.tests += 1;
                }
            }
            for &version in self.frame.writes(transaction) {
                let key = self.frame.version(version).key;
                let chain = written.get(&key).copied();
                written.insert(key, graph.both(chain, version));
            }
        }
    }

    fn own_reads(&self, session: u32, graph: &mut Versions) {
        let mut last = rustc_hash::FxHashMap::default();
        for transaction in self.frame.session(session) {
            for &version in self.frame.reads(transaction) {
                if let Some(&node) = last.get(&self.frame.version(version).key) {
                    graph.add(node, version);
                    graph.tests += 1;
                }
            }
            for &version in self.frame.reads(transaction) {
                let key = self.frame.version(version).key;
                let chain = last.get(&key).copied();
                last.insert(key, graph.both(chain, version));
            }
        }
    }

    /// Per other session the last transaction whose writes this one has read.
    fn others(&self, session: u32, graph: &mut Versions) {
        let mut read_of = rustc_hash::FxHashMap::default();
        let mut sessions: Vec<u32> = Vec::new();
        for transaction in self.frame.session(session) {
            for &version in self.frame.reads(transaction) {
                let key = self.frame.version(version).key;
                for &other in &sessions {
                    if let Some(node) = self.before_write(other, key, read_of[&other]) {
                        graph.add(node, version);
                        graph.tests += 1;
                    }
                }
            }
            for &version in self.frame.reads(transaction) {
                let writer = self.frame.version(version).writer;
                if writer != NONE {
                    let other = self.frame.session_of(writer);
                    let last = read_of.entry(other).or_insert_with(|| {
                        sessions.push(other);
                        writer
                    });
                    *last = (*last).max(writer);
                }
            }
        }
    }

    /// The node of what a session had written, or read, of a key before it wrote.
    fn before_write(&self, session: u32, key: u32, writer: u32) -> Option<u32> {
        if self.guarantee == Guarantee::WritesFollowReads {
            return self.read_up_to(session, key, writer);
        }
        let lanes = self.lanes.of(key);
        let position = lanes.binary_search_by_key(&session, |lane| lane.session).ok()?;
        let before = self.lanes.last_below(lanes[position], writer)?;
        Some(self.version_of(before, key))
    }
}

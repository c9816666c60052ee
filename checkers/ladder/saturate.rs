//! One engine for four models: adds what a model derives, until nothing is new or a contradiction
//! shows.
//!
//! Two rules, for a reader r that found in key x what w had written, and any other writer w' of x:
//!
//! - *overwritten*: w' before r implies w' before w;
//! - *read before*: w before w' implies r before w'.
//!
//! | model | begins with | readers | rules |
//! | --- | --- | --- | --- |
//! | causal convergence | session order, reads-from | all | overwritten, once |
//! | causal memory | session order, reads-from | one session at a time | overwritten |
//! | PRAM | session order, reads-from into that session | one session at a time | overwritten |
//! | sequential | session order, reads-from | all | both |
//!
//! A read of the initial value with a writer of its key before it is a contradiction at once.
//! For each reader and each session only the latest writer before the reader matters (and for
//! *read before*, the first after w), since session order implies the rest: n k edges at most.

use rustc_hash::FxHashMap;

use super::clocks::{Clocks, Columns};
use super::frame::{Frame, Lanes, NONE, Origin};
use super::graph::{Edge, Graph, Reason, Whose};
use crate::limits::{Limits, Spent};

/// What is derived, and from what.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rules {
    /// Whose reads-from is there at the beginning.
    pub reads_from: Whose,
    /// Whose reads the rules are about; these also count for [`Rules::reads_from`].
    pub readers: Whose,
    pub read_before: bool,
    /// Whether what was derived is used to derive more.
    pub repeat: bool,
}

/// How a saturation ended.
#[derive(Debug)]
pub(crate) enum Saturated<'f> {
    /// Nothing more follows, and there is no cycle.
    Consistent {
        graph: Graph<'f>,
        order: Vec<u32>,
    },
    Contradiction(Contradiction<'f>),
    Spent(Spent),
}

/// Why no order is possible.
#[derive(Debug)]
pub(crate) struct Contradiction<'f> {
    pub graph: Graph<'f>,
    /// An order of the transactions that agrees with all edges but those of the last round.
    pub order: Vec<u32>,
    /// Where in the graph's edges those of each round begin.
    pub rounds: Vec<usize>,
    /// Components that hold a cycle.
    pub cyclic: Vec<Vec<u32>>,
    /// Reads of an initial value with a writer of that key before: (writer, reader).
    pub initial: Vec<(u32, u32)>,
}

impl Contradiction<'_> {
    /// How many there are, each proven on its own.
    pub fn count(&self) -> usize {
        self.cyclic.len() + self.initial.len()
    }
}

/// What belongs to the frame and not to the rules, so that it is found but once.
#[derive(Debug)]
pub(crate) struct Tables<'f> {
    pub frame: &'f Frame,
    pub lanes: Lanes,
    pub columns: Columns,
}

impl<'f> Tables<'f> {
    pub fn new(frame: &'f Frame) -> Self {
        Tables { frame, lanes: Lanes::new(frame), columns: Columns::new(frame) }
    }

    /// Derives all that follows by these rules.
    pub fn saturate(&self, rules: Rules, limits: &Limits<'_>) -> Saturated<'f> {
        let mut engine = Engine {
            tables: self,
            rules,
            graph: Graph::new(self.frame, rules.reads_from),
            clocks: Clocks::default(),
            claimed: Vec::new(),
            first_after: FxHashMap::default(),
            readers: if rules.read_before { last_readers(self.frame) } else { Readers::default() },
            initial: Vec::new(),
        };
        engine.run(limits)
    }
}

/// Per version, the last reader of each session.
#[derive(Debug, Default)]
struct Readers {
    starts: Vec<u32>,
    readers: Vec<u32>,
}

impl Readers {
    fn of(&self, version: u32) -> &[u32] {
        let at = version as usize;
        &self.readers[self.starts[at] as usize..self.starts[at + 1] as usize]
    }
}

fn last_readers(frame: &Frame) -> Readers {
    let mut starts = vec![0_u32; frame.versions.len() + 1];
    let mut newest = vec![NONE; frame.versions.len()];
    let mut pairs: Vec<(u32, u32)> = Vec::new();
    for transaction in frame.all().rev() {
        for &version in frame.reads(transaction) {
            let session = frame.session_of(transaction);
            if newest[version as usize] != session {
                newest[version as usize] = session;
                starts[version as usize + 1] += 1;
                pairs.push((version, transaction));
            }
        }
    }
    pairs.sort_unstable();
    for version in 0..frame.versions.len() {
        starts[version + 1] += starts[version];
    }
    Readers { starts, readers: pairs.into_iter().map(|(_, reader)| reader).collect() }
}

struct Engine<'t, 'f> {
    tables: &'t Tables<'f>,
    rules: Rules,
    graph: Graph<'f>,
    clocks: Clocks,
    /// Beside the clocks, per transaction and column: what an edge of this round already puts
    /// before it.
    claimed: Vec<u32>,
    /// Per version and writing session, the first writer that is known to come after.
    first_after: FxHashMap<(u32, u32), u32>,
    readers: Readers,
    initial: Vec<(u32, u32)>,
}

impl<'f> Engine<'_, 'f> {
    fn run(&mut self, limits: &Limits<'_>) -> Saturated<'f> {
        let mut order = Vec::new();
        let mut rounds = Vec::new();
        let mut steps = 0_u64;
        loop {
            let components = self.graph.components();
            let found = !components.cyclic.is_empty() || !self.initial.is_empty();
            if found {
                return Saturated::Contradiction(Contradiction {
                    order: if order.is_empty() { components.order } else { order },
                    graph: self.take_graph(),
                    rounds,
                    cyclic: components.cyclic,
                    initial: std::mem::take(&mut self.initial),
                });
            }
            order = components.order;
            if !self.rules.repeat && !rounds.is_empty() {
                return Saturated::Consistent { graph: self.take_graph(), order };
            }
            let settled = self.graph.edges.len();
            rounds.push(settled);
            for block in self.tables.columns.blocks(self.graph.frame.len()) {
                self.clocks.fill(&self.graph, &order, &self.tables.columns, block);
                self.derive(&order);
                steps += (order.len() * self.clocks.columns().len()) as u64;
                if let Some(spent) = self.spent(limits, steps) {
                    return Saturated::Spent(spent);
                }
            }
            if self.graph.edges.len() == settled && self.initial.is_empty() {
                return Saturated::Consistent { graph: self.take_graph(), order };
            }
            self.graph.index();
        }
    }

    fn take_graph(&mut self) -> Graph<'f> {
        std::mem::replace(&mut self.graph, Graph::new(self.tables.frame, Whose::All))
    }

    fn spent(&self, limits: &Limits<'_>, steps: u64) -> Option<Spent> {
        let edges = self.graph.edges.capacity() * size_of::<(Edge, u32)>();
        let known = self.first_after.capacity() * size_of::<[u32; 4]>();
        let cells = self.claimed.capacity() * 2 * size_of::<u32>();
        if edges + known + cells > limits.memory_bytes {
            Some(Spent::Memory)
        } else if steps > limits.steps {
            Some(Spent::Steps)
        } else {
            limits.is_over().then_some(Spent::Time)
        }
    }

    /// Derives what the columns at hand have to say.
    fn derive(&mut self, order: &[u32]) {
        let width = self.clocks.columns().len();
        self.claimed.clear();
        self.claimed.resize(width * order.len(), 0);
        for &reader in order {
            if self.rules.readers.includes(self.graph.frame.session_of(reader)) {
                for &version in self.graph.frame.reads(reader) {
                    self.overwritten(reader, version);
                }
            }
        }
        if self.rules.read_before {
            for version in 0..self.graph.frame.versions.len() as u32 {
                self.read_before(version);
            }
        }
    }

    /// What the reader could see has been overwritten by what it found.
    fn overwritten(&mut self, reader: u32, version: u32) {
        let known = self.graph.frame.version(version);
        if known.origin != Origin::Written {
            return self.overwritten_initial(reader, known.key);
        }
        let block = self.clocks.columns();
        let seen = self.clocks.row(reader);
        let before = self.clocks.row(known.writer);
        let start = known.writer as usize * block.len();
        let claimed = &mut self.claimed[start..start + block.len()];
        for &lane in self.tables.lanes.of(known.key) {
            let column = self.tables.columns.of(lane.session);
            if !block.contains(&column) {
                continue;
            }
            let column = (column - block.start) as usize;
            let before = before[column].max(claimed[column]);
            if seen[column] <= before {
                continue;
            }
            match self.tables.lanes.last_below(lane, seen[column]) {
                Some(writer) if writer >= before && writer != known.writer => {
                    claimed[column] = writer + 1;
                    let reason = Reason::Overwritten { reader };
                    self.graph.edges.push(Edge { from: writer, to: known.writer, reason });
                }
                _ => {}
            }
        }
    }

    /// Nothing may be before a reader of an initial value that wrote its key.
    fn overwritten_initial(&mut self, reader: u32, key: u32) {
        for &lane in self.tables.lanes.of(key) {
            let column = self.tables.columns.of(lane.session);
            if self.clocks.columns().contains(&column) {
                let bound = self.clocks.bound(reader, column);
                if let Some(writer) = self.tables.lanes.last_below(lane, bound) {
                    self.note_initial(writer, reader);
                }
            }
        }
    }

    /// Notes one writer per reader, its own session's if possible.
    fn note_initial(&mut self, writer: u32, reader: u32) {
        let session = |transaction| self.graph.frame.session_of(transaction);
        let is_own = session(writer) == session(reader);
        match self.initial.last_mut() {
            Some(last) if last.1 == reader && !is_own => {}
            Some(last) if last.1 == reader => last.0 = writer,
            _ => self.initial.push((writer, reader)),
        }
    }

    /// Whoever overwrites a version comes after all who read it.
    fn read_before(&mut self, version: u32) {
        let known = self.graph.frame.version(version);
        let readers = self.readers.of(version);
        if readers.is_empty() {
            return;
        }
        let column = match known.origin {
            Origin::Written => {
                let column = self.tables.columns.of(self.graph.frame.session_of(known.writer));
                if !self.clocks.columns().contains(&column) {
                    return;
                }
                Some(column)
            }
            _ => None,
        };
        for &lane in self.tables.lanes.of(known.key) {
            let writers = self.tables.lanes.writers(lane);
            let position = column.map_or(0, |column| {
                let is_before = |w: &u32| self.clocks.bound(*w, column) <= known.writer;
                writers.partition_point(is_before)
            });
            let Some(&first) = writers.get(position) else { continue };
            let earlier = self.first_after.entry((version, lane.session)).or_insert(NONE);
            if first >= *earlier {
                continue;
            }
            *earlier = first;
            let reason = Reason::ReadBefore { writer: known.writer };
            for &reader in readers {
                let implied = self.graph.frame.session_of(reader) == lane.session && reader < first;
                if !implied && reader != first {
                    self.graph.edges.push(Edge { from: reader, to: first, reason });
                }
            }
        }
    }
}

//! What lies in the past of every transaction: a vector clock each, some columns at a time.
//!
//! A past is closed under session order, so per session one number says all: the first
//! transaction of that session that is not in it (Fidge 1988, Mattern 1989). Only sessions that
//! write need a column. A table of all columns would take n k numbers; since a column depends on
//! no other, they are computed in blocks.

use std::ops::Range;

use super::frame::{Frame, NONE};
use super::graph::Graph;

/// Numbers in one block of columns: 32 MiB of them, more only where a single column is longer.
const CELLS: usize = 8 << 20;

/// Which session has which column.
#[derive(Debug)]
pub(crate) struct Columns {
    /// Per session; [`NONE`] if it never writes.
    of_session: Vec<u32>,
    pub count: u32,
}

impl Columns {
    pub fn new(frame: &Frame) -> Self {
        let mut count = 0;
        let of_session = (0..frame.sessions() as u32)
            .map(|session| {
                let writes = frame.session(session).any(|t| !frame.writes(t).is_empty());
                let column = if writes { count } else { NONE };
                count += u32::from(writes);
                column
            })
            .collect();
        Columns { of_session, count }
    }

    pub fn of(&self, session: u32) -> u32 {
        self.of_session[session as usize]
    }

    /// Blocks of columns that together are all.
    pub fn blocks(&self, transactions: usize) -> impl Iterator<Item = Range<u32>> + use<> {
        let width = (CELLS / transactions.max(1)).clamp(8, 1 << 16) as u32;
        let count = self.count;
        (0..count.div_ceil(width)).map(move |block| {
            let start = block * width;
            start..(start + width).min(count)
        })
    }
}

/// Some columns of all clocks.
#[derive(Debug, Default)]
pub(crate) struct Clocks {
    columns: Range<u32>,
    cells: Vec<u32>,
}

impl Clocks {
    /// Fills the columns, for transactions in an order in which predecessors come first.
    pub fn fill(&mut self, graph: &Graph<'_>, order: &[u32], columns: &Columns, block: Range<u32>) {
        let width = block.len();
        self.cells.clear();
        self.cells.resize(width * graph.frame.len(), 0);
        self.columns = block;
        for &transaction in order {
            let start = transaction as usize * width;
            for (before, _) in graph.predecessors(transaction) {
                let from = before as usize * width;
                for column in 0..width {
                    let seen = self.cells[from + column];
                    let cell = &mut self.cells[start + column];
                    *cell = (*cell).max(seen);
                }
                let column = columns.of(graph.frame.session_of(before));
                if self.columns.contains(&column) {
                    let cell = &mut self.cells[start + (column - self.columns.start) as usize];
                    *cell = (*cell).max(before + 1);
                }
            }
        }
    }

    /// The columns that are filled.
    pub fn columns(&self) -> Range<u32> {
        self.columns.clone()
    }

    /// The first transaction of the column's session, by number, that is not in the past.
    pub fn bound(&self, transaction: u32, column: u32) -> u32 {
        let width = self.columns.len();
        self.cells[transaction as usize * width + (column - self.columns.start) as usize]
    }
}

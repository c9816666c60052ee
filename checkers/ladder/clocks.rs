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
        let mut row = vec![0; width];
        for &transaction in order {
            row.fill(0);
            for (before, _) in graph.predecessors(transaction) {
                for (cell, seen) in row.iter_mut().zip(self.row(before)) {
                    *cell = (*cell).max(*seen);
                }
                let column = columns.of(graph.frame.session_of(before));
                if self.columns.contains(&column) {
                    let cell = &mut row[(column - self.columns.start) as usize];
                    *cell = (*cell).max(before + 1);
                }
            }
            let start = transaction as usize * width;
            self.cells[start..start + width].copy_from_slice(&row);
        }
    }

    /// The columns that are filled.
    pub fn columns(&self) -> Range<u32> {
        self.columns.clone()
    }

    /// The columns of one transaction.
    pub fn row(&self, transaction: u32) -> &[u32] {
        let start = transaction as usize * self.columns.len();
        &self.cells[start..start + self.columns.len()]
    }

    /// The first transaction of the column's session, by number, that is not in the past.
    pub fn bound(&self, transaction: u32, column: u32) -> u32 {
        self.row(transaction)[(column - self.columns.start) as usize]
    }
}

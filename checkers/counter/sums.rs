//! Whether each read by itself is a sum that could have been there.
//!
//! A sweep over time. At the instant t let `base` be the sum of the adds that finished before t,
//! and let D be the deltas that are open at t. The subset sums of D are those of the amounts |d|,
//! shifted by the sum of the negative ones: to take a negative d is to leave its amount out. So a
//! value is possible at t iff `value - base - negative` is a subset sum of amounts.
//!
//! Within a read's interval, only the finishes of adds and the end of the read have to be looked
//! at: between two finishes D only grows, so the last instant allows all that the ones before it
//! allow.
//!
//! Subset sums of amounts have no gaps but for their greatest common divisor g if, in ascending
//! order, no amount is greater than the sum of those before it plus g (by induction: all multiples
//! of g up to that sum are reached, so with the next amount all up to the new sum are). Else they
//! are written to a table, one bit for each multiple of g; an amount that occurs m times is taken
//! as 1, 2, 4, ... and the rest times itself.

use std::collections::BTreeMap;

use serde::Serialize;

use super::adds::{Add, Adds, Read};
use super::{Bounds, TABLE_BITS_MOST};
use crate::evidence::NEVER;
use crate::limits::Limits;

/// Whether a read is a sum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sum {
    /// Some of the adds that could have counted add up to it.
    Possible,
    /// None do.
    Impossible,
    /// It is within the bounds; the table of sums would be too large.
    Undecided,
}

/// What all tables together may take.
struct Budget<'l> {
    limits: &'l Limits<'l>,
    /// Words of tables that may still be written.
    steps: u64,
}

impl Budget<'_> {
    /// Takes what a table of so many bits, written once for each amount, costs.
    fn allows(&mut self, bits: u128, amounts: usize) -> bool {
        if bits > TABLE_BITS_MOST.min(self.limits.memory_bytes as u128 * 8) {
            return false;
        }
        let cost = (bits as u64 / 64 + 1) * amounts as u64;
        match self.steps.checked_sub(cost) {
            Some(left) if !self.limits.is_over() => {
                self.steps = left;
                true
            }
            _ => false,
        }
    }
}

/// The amounts that are open at an instant.
#[derive(Debug, Default)]
struct Open {
    /// The sum of all that finished before.
    base: i128,
    /// The sum of the open negative deltas.
    negative: i128,
    /// How often each amount is open.
    amounts: BTreeMap<i128, usize>,
    /// Their sum.
    total: i128,
}

impl Open {
    fn start(&mut self, delta: i128) {
        self.negative += delta.min(0);
        self.total += delta.abs();
        *self.amounts.entry(delta.abs()).or_default() += 1;
    }

    fn finish(&mut self, delta: i128) {
        self.base += delta;
        self.negative -= delta.min(0);
        self.total -= delta.abs();
        if let Some(times) = self.amounts.get_mut(&delta.abs()) {
            *times -= 1;
            if *times == 0 {
                self.amounts.remove(&delta.abs());
            }
        }
    }

    fn least(&self) -> i128 {
        self.base + self.negative
    }

    fn greatest(&self) -> i128 {
        self.least() + self.total
    }

    fn reaches(&self, value: i128, table: &mut Option<Vec<u64>>, budget: &mut Budget<'_>) -> Sum {
        let wanted = value - self.least();
        if wanted < 0 || wanted > self.total {
            return Sum::Impossible;
        }
        let divisor = self.amounts.keys().fold(0, |a, b| greatest_common_divisor(a, *b));
        if divisor == 0 {
            return Sum::Possible;
        }
        if wanted % divisor != 0 {
            return Sum::Impossible;
        }
        if self.has_no_gaps(divisor) {
            return Sum::Possible;
        }
        let bits = self.total / divisor + 1;
        if table.is_none() && !budget.allows(bits as u128, self.amounts.len()) {
            return Sum::Undecided;
        }
        let table = table.get_or_insert_with(|| self.table(divisor, bits as usize));
        let bit = (wanted / divisor) as usize;
        if table[bit / 64] >> (bit % 64) & 1 == 1 { Sum::Possible } else { Sum::Impossible }
    }

    fn has_no_gaps(&self, divisor: i128) -> bool {
        let mut reached = 0;
        self.amounts.iter().all(|(amount, times)| {
            let follows = *amount <= reached + divisor;
            reached += amount * *times as i128;
            follows
        })
    }

    /// The subset sums, in multiples of the divisor.
    fn table(&self, divisor: i128, bits: usize) -> Vec<u64> {
        let mut table = vec![0; bits.div_ceil(64)];
        table[0] = 1;
        for (amount, times) in &self.amounts {
            let mut left = *times;
            let mut portion = 1;
            while left > 0 {
                let taken = portion.min(left);
                let shift = amount / divisor * taken as i128;
                or_shifted(&mut table, shift as usize);
                left -= taken;
                portion *= 2;
            }
        }
        table
    }
}

/// Adds to a set of numbers each of them plus `shift`.
fn or_shifted(table: &mut [u64], shift: usize) {
    let (words, bits) = (shift / 64, shift % 64);
    for word in (words..table.len()).rev() {
        let mut shifted = table[word - words] << bits;
        if bits > 0 && word > words {
            shifted |= table[word - words - 1] >> (64 - bits);
        }
        table[word] |= shifted;
    }
}

fn greatest_common_divisor(a: i128, b: i128) -> i128 {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}

/// The bounds of each read, in their order.
pub(super) fn check_each(counter: &Adds, limits: &Limits<'_>) -> Vec<Bounds> {
    let mut by_start: Vec<&Add> = counter.adds.iter().collect();
    by_start.sort_by_key(|add| add.span.start);
    let mut by_finish: Vec<&Add> = counter.adds.iter().filter(|add| add.is_sure()).collect();
    by_finish.sort_by_key(|add| add.span.finish);
    let mut reads_by_finish: Vec<usize> = (0..counter.reads.len()).collect();
    reads_by_finish.sort_by_key(|read| counter.reads[*read].span.finish);

    let mut sweep = Sweep::new(counter, limits);
    let mut starting = by_start.into_iter().peekable();
    let mut finishing = by_finish.into_iter().peekable();
    let mut beginning = (0..counter.reads.len()).peekable();
    let mut ending = reads_by_finish.into_iter().peekable();
    loop {
        // The next instant that has to be looked at.
        let add = finishing.peek().map_or(NEVER, |add| add.span.finish);
        let read = ending.peek().map_or(NEVER, |read| counter.reads[*read].span.finish);
        let instant = add.min(read);
        // Reads meet only what is open when they begin: what has finished before is base.
        while let Some(add) = starting.next_if(|add| add.span.start <= instant) {
            sweep.open.start(add.delta);
        }
        while let Some(read) = beginning.next_if(|read| counter.reads[*read].span.start <= instant)
        {
            sweep.begin(read);
        }
        sweep.look();
        if instant == NEVER {
            break;
        }
        while let Some(add) = finishing.next_if(|add| add.span.finish == instant) {
            sweep.open.finish(add.delta);
        }
        while let Some(read) = ending.next_if(|read| counter.reads[*read].span.finish == instant) {
            sweep.pending.retain(|pending| *pending != read);
        }
    }
    sweep.bounds
}

struct Sweep<'c> {
    counter: &'c Adds,
    budget: Budget<'c>,
    open: Open,
    /// Reads that are open.
    pending: Vec<usize>,
    bounds: Vec<Bounds>,
}

impl<'c> Sweep<'c> {
    fn new(counter: &'c Adds, limits: &'c Limits<'c>) -> Self {
        let bounds = |read: &Read| Bounds {
            operation: read.index,
            least: i128::MAX,
            value: read.value + counter.initial,
            greatest: i128::MIN,
            sum: Sum::Impossible,
        };
        Sweep {
            counter,
            budget: Budget { limits, steps: limits.steps },
            open: Open::default(),
            pending: Vec::new(),
            bounds: counter.reads.iter().map(bounds).collect(),
        }
    }

    fn begin(&mut self, read: usize) {
        self.pending.push(read);
    }

    /// Looks at all open reads at this instant.
    fn look(&mut self) {
        let mut table = None;
        for &read in &self.pending {
            let bounds = &mut self.bounds[read];
            bounds.least = bounds.least.min(self.open.least() + self.counter.initial);
            bounds.greatest = bounds.greatest.max(self.open.greatest() + self.counter.initial);
            if bounds.sum == Sum::Possible {
                continue;
            }
            let value = self.counter.reads[read].value;
            match self.open.reaches(value, &mut table, &mut self.budget) {
                Sum::Impossible => {}
                better => bounds.sum = better,
            }
        }
    }
}

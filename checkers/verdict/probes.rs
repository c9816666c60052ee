//! What clients tried across a cut: CAP probes, data that crossed, writes on both sides.
//!
//! Two sides are *apart* if no path of uncut links leads from one to the other, in either
//! direction: data cannot pass, not even through a node that reaches both. Only such pairs
//! count here. Where links are cut in one direction, or a bridge node is left, data may pass
//! legitimately and nothing follows from seeing it.
//!
//! - A *probe* is a write on one side and, after it, a read of the same key on a side apart from
//!   it, both within the cut. It is acknowledged if the write was, before the read began. A
//!   system that halts acknowledges nothing, so where no write was acknowledged during the cut,
//!   attempted ones do.
//! - Data *crossed* if a read (or a successful cas) that ended before the heal returned a value
//!   that was only ever written on a side apart from it, by an operation invoked after the cut
//!   began: then the cut was not what it seemed. Values written by two operations prove nothing.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::convergence::loss::written;
use crate::history::{Function, History, Name, Operation, Outcome, Time, Value};
use crate::partition::Partition;

/// The sides of a partition, and which of them are apart.
pub(super) struct Sides {
    side_of: BTreeMap<Name, usize>,
    apart: BTreeSet<(usize, usize)>,
}

impl Sides {
    pub fn of(partition: &Partition) -> Self {
        let components = &partition.components;
        let mut side_of = BTreeMap::new();
        for (side, nodes) in components.iter().enumerate() {
            side_of.extend(nodes.iter().map(|node| (node.clone(), side)));
        }
        // Components are strongly connected, so one step between them is all that is missing.
        let cut: BTreeSet<(&Name, &Name)> =
            partition.cut.iter().map(|link| (&link.from, &link.to)).collect();
        let joined = |a: usize, b: usize| {
            let (from, to) = (&components[a], &components[b]);
            from.iter().any(|from| to.iter().any(|to| !cut.contains(&(from, to))))
        };
        let sides = || 0..components.len();
        let pairs: Vec<(usize, usize)> =
            sides().flat_map(|a| sides().map(move |b| (a, b))).filter(|(a, b)| a != b).collect();
        let mut reaches: BTreeSet<(usize, usize)> =
            pairs.iter().copied().filter(|&(a, b)| joined(a, b)).collect();
        for middle in sides() {
            for &(a, b) in &pairs {
                if reaches.contains(&(a, middle)) && reaches.contains(&(middle, b)) {
                    reaches.insert((a, b));
                }
            }
        }
        let apart = pairs
            .into_iter()
            .filter(|&(a, b)| !reaches.contains(&(a, b)) && !reaches.contains(&(b, a)))
            .collect();
        Sides { side_of, apart }
    }

    /// Whether any two sides are apart: if not, this is no partition in the sense of CAP.
    pub fn any_apart(&self) -> bool {
        !self.apart.is_empty()
    }

    fn apart(&self, a: usize, b: usize) -> bool {
        self.apart.contains(&(a, b))
    }

    fn side(&self, operation: &Operation) -> Option<usize> {
        self.side_of.get(operation.node.as_ref()?).copied()
    }
}

/// Two operations, the earlier one first, on sides that are apart.
pub(super) type Pair<'a> = [&'a Operation; 2];

/// What was tried across one cut.
#[derive(Default)]
pub(super) struct Probes<'a> {
    /// Reads that had an earlier attempted, or an earlier acknowledged, write across the cut.
    pub attempted: usize,
    pub acknowledged: usize,
    /// The first probe, acknowledged if there is one.
    pub example: Option<Pair<'a>>,
    /// Writes acknowledged within the cut.
    pub writes_acknowledged: usize,
    /// A write and what read it where it could not have come.
    pub crossing: Option<Pair<'a>>,
    /// Two acknowledged writes on two sides, of one key if there are such.
    pub both_sides: Option<Pair<'a>>,
}

impl Probes<'_> {
    /// Whether the probes that CAP needs ran.
    pub fn ran(&self) -> bool {
        if self.writes_acknowledged > 0 { self.acknowledged > 0 } else { self.attempted > 0 }
    }
}

/// Who wrote each value, over the whole history.
pub(super) struct Writers<'a>(HashMap<(&'a Name, &'a Value), Writer<'a>>);

#[derive(Clone, Copy)]
enum Writer<'a> {
    One(&'a Operation),
    Several,
}

impl<'a> Writers<'a> {
    pub fn of(history: &'a History) -> Self {
        let mut writers = HashMap::new();
        for operation in &history.operations {
            if let (Some(key), Some(value)) = (&operation.key, written(operation)) {
                writers
                    .entry((key, value))
                    .and_modify(|writer| *writer = Writer::Several)
                    .or_insert(Writer::One(operation));
            }
        }
        Writers(writers)
    }

    /// The only operation that tried to write what this one observed.
    fn of_observed(&self, operation: &'a Operation) -> Option<&'a Operation> {
        match self.0.get(&(operation.key.as_ref()?, observed(operation)?))? {
            Writer::One(writer) => Some(writer),
            Writer::Several => None,
        }
    }
}

/// The value that a successful read or cas saw.
fn observed(operation: &Operation) -> Option<&Value> {
    match (&operation.f, operation.outcome) {
        (Function::Read, Outcome::Ok) => Some(&operation.output),
        (Function::Cas, Outcome::Ok) => operation.input.as_pair().map(|(expected, _)| expected),
        _ => None,
    }
}

/// The first writes of one key on each side during a cut.
#[derive(Default)]
struct Firsts<'a> {
    attempted: BTreeMap<usize, &'a Operation>,
    acknowledged: BTreeMap<usize, &'a Operation>,
}

/// Looks through the operations that were invoked during the cut.
pub(super) fn probes<'a>(
    history: &'a History,
    partition: &Partition,
    sides: &Sides,
    writers: &Writers<'a>,
) -> Probes<'a> {
    let (began, healed) = (partition.began, partition.heal_commanded);
    let from = history.operations.partition_point(|operation| operation.invoke < began);
    let to = history.operations.partition_point(|operation| operation.invoke < healed);
    let during = &history.operations[from..to.max(from)];

    let mut probes = Probes::default();
    let mut firsts: BTreeMap<&Name, Firsts> = BTreeMap::new();
    for operation in during {
        let (Some(key), Some(side)) = (&operation.key, sides.side(operation)) else { continue };
        if written(operation).is_some() {
            let first = firsts.entry(key).or_default();
            first.attempted.entry(side).or_insert(operation);
            if acknowledged_before(operation, healed) {
                probes.writes_acknowledged += 1;
                let earliest = first.acknowledged.entry(side).or_insert(operation);
                if operation.complete < earliest.complete {
                    *earliest = operation;
                }
            }
        }
        if acknowledged_before(operation, healed) && probes.crossing.is_none() {
            probes.crossing = crossing(operation, side, began, sides, writers);
        }
    }
    count_probes(during, sides, &firsts, &mut probes);
    probes.both_sides = both_sides(sides, &firsts);
    probes
}

fn acknowledged_before(operation: &Operation, healed: Time) -> bool {
    operation.outcome == Outcome::Ok && operation.complete.is_some_and(|at| at < healed)
}

/// The write across the cut whose value the operation saw.
fn crossing<'a>(
    operation: &'a Operation,
    side: usize,
    began: Time,
    sides: &Sides,
    writers: &Writers<'a>,
) -> Option<Pair<'a>> {
    let writer = writers.of_observed(operation)?;
    let crossed = writer.invoke >= began && sides.apart(sides.side(writer)?, side);
    crossed.then_some([writer, operation])
}

fn count_probes<'a>(
    during: &'a [Operation],
    sides: &Sides,
    firsts: &BTreeMap<&Name, Firsts<'a>>,
    probes: &mut Probes<'a>,
) {
    let mut attempted_example = None;
    for read in during.iter().filter(|operation| operation.f == Function::Read) {
        let (Some(key), Some(side)) = (&read.key, sides.side(read)) else { continue };
        let Some(first) = firsts.get(key) else { continue };
        let across = |writes: &BTreeMap<usize, &'a Operation>, done: fn(&Operation) -> Time| {
            let mut found = writes.iter().filter(|(other, _)| sides.apart(**other, side));
            found.find(|(_, write)| done(write) < read.invoke).map(|(_, write)| *write)
        };
        if let Some(write) = across(&first.attempted, |write| write.invoke) {
            probes.attempted += 1;
            attempted_example.get_or_insert([write, read]);
        }
        let completion = |write: &Operation| write.complete.unwrap_or(Time::MAX);
        if let Some(write) = across(&first.acknowledged, completion) {
            probes.acknowledged += 1;
            probes.example.get_or_insert([write, read]);
        }
    }
    probes.example = probes.example.or(attempted_example);
}

/// Two acknowledged writes on sides that are apart: of one key if possible, else of two.
fn both_sides<'a>(sides: &Sides, firsts: &BTreeMap<&Name, Firsts<'a>>) -> Option<Pair<'a>> {
    let pair = |writes: &BTreeMap<usize, &'a Operation>| {
        sides.apart.iter().find_map(|(a, b)| Some([*writes.get(a)?, *writes.get(b)?]))
    };
    let ordered = |mut pair: Pair<'a>| {
        pair.sort_by_key(|write| write.index);
        pair
    };
    let one_key = firsts.values().find_map(|first| pair(&first.acknowledged));
    let any_key = || {
        let mut all = BTreeMap::new();
        for (&side, &write) in firsts.values().flat_map(|first| &first.acknowledged) {
            all.entry(side).or_insert(write);
        }
        pair(&all)
    };
    one_key.or_else(any_key).map(ordered)
}

//! What a transaction did to a key and later read of it, and which transactions replaced the
//! same version: both need one look at each transaction, and no graph.

use rustc_hash::FxHashMap;

use super::Workload;
use super::anomaly::Anomaly;
use super::parse::{INITIAL, NONE, Parsed, Step};
use super::tally::{Proof, Tally};
use super::versions::Versions;

/// What a transaction has done to a key so far.
#[derive(Debug, Clone, Copy)]
struct Touched {
    transaction: u32,
    /// Position of its last micro-operation on the key.
    last: usize,
    /// What it read before it wrote.
    read: u32,
    /// What it wrote last.
    written: u32,
}

/// Finds committed transactions that contradict themselves, and lost updates.
pub(super) fn find(parsed: &Parsed<'_>, versions: &Versions, tally: &mut Tally) {
    let nothing = Touched { transaction: NONE, last: 0, read: NONE, written: NONE };
    let mut touched = vec![nothing; parsed.keys.len()];
    // By micro-operation of the present transaction: the one before it on the same key.
    let mut before: Vec<Option<usize>> = Vec::new();
    let mut updates =
        Updates { of_write: vec![NONE; parsed.writes.len()], of_initial: FxHashMap::default() };
    for transaction in 0..parsed.transactions.len() as u32 {
        if !versions.is_committed[transaction as usize] {
            continue;
        }
        before.clear();
        let steps = parsed.steps_of(transaction);
        for (position, step) in steps.iter().enumerate() {
            if step.value == NONE {
                before.push(None);
                continue;
            }
            let state = &mut touched[step.key as usize];
            let is_new = state.transaction != transaction;
            before.push((!is_new).then_some(state.last));
            if is_new {
                *state = Touched { transaction, ..nothing };
            }
            state.last = position;
            let at = (parsed.range(transaction).start + position) as u32;
            if !is_consistent(parsed, versions, transaction, steps, position, &before) {
                tally.add(Anomaly::Internal, Proof::Internal { transaction, step: at });
            }
            if !step.is_write {
                if state.written == NONE {
                    state.read = step.value;
                }
                continue;
            }
            match std::mem::replace(&mut state.written, step.value) {
                NONE => updates.add(parsed, transaction, step.key, state.read, tally),
                written if is_reordered(parsed, versions, written, step.value) => {
                    let proof = Proof::Reordered { transaction, step: at };
                    tally.add(Anomaly::IncompatibleOrder, proof);
                }
                _ => {}
            }
        }
    }
}

/// Whether a list shows the later of two appends of one transaction before the earlier.
fn is_reordered(parsed: &Parsed<'_>, versions: &Versions, earlier: u32, later: u32) -> bool {
    let depth = |write: u32| versions.places[write as usize].depth;
    parsed.workload == Workload::ListAppend && depth(earlier) > depth(later)
}

/// Whether a micro-operation agrees with those before it on the same key.
fn is_consistent(
    parsed: &Parsed<'_>,
    versions: &Versions,
    transaction: u32,
    steps: &[Step],
    position: usize,
    before: &[Option<usize>],
) -> bool {
    let step = steps[position];
    match (parsed.workload, step.is_write) {
        (Workload::RwRegister, true) => true,
        (Workload::RwRegister, false) => match before[position].map(|last| steps[last].value) {
            Some(known) => known == step.value,
            None => {
                let write = parsed.writes.get(step.value as usize);
                write.is_none_or(|write| write.transaction != transaction)
            }
        },
        // What was read before must not have it already.
        (Workload::ListAppend, true) => before[position].is_none_or(|last| {
            let depth = versions.places[step.value as usize].depth;
            steps[last].is_write || length(versions, steps[last].value) <= depth
        }),
        (Workload::ListAppend, false) => {
            let mut expected = length(versions, step.value);
            let mut last = before[position];
            while let Some(earlier) = last {
                let known = steps[earlier];
                if !known.is_write {
                    return length(versions, known.value) == expected;
                }
                if expected == 0 || versions.places[known.value as usize].depth != expected - 1 {
                    return false;
                }
                expected -= 1;
                last = before[earlier];
            }
            true
        }
    }
}

/// How long the list of this version is.
fn length(versions: &Versions, version: u32) -> u32 {
    match version {
        INITIAL | NONE => 0,
        write => versions.places[write as usize].depth + 1,
    }
}

/// Who replaced which version.
struct Updates {
    of_write: Vec<u32>,
    of_initial: FxHashMap<u32, u32>,
}

impl Updates {
    /// Notes that an acknowledged transaction replaced the version that it had read.
    fn add(
        &mut self,
        parsed: &Parsed<'_>,
        transaction: u32,
        key: u32,
        version: u32,
        tally: &mut Tally,
    ) {
        let first = match version {
            NONE => return,
            INITIAL => self.of_initial.entry(key).or_insert(NONE),
            write if parsed.writer(write) == transaction => return,
            write => &mut self.of_write[write as usize],
        };
        if *first == NONE {
            *first = transaction;
        } else {
            let proof = Proof::LostUpdate { one: *first, other: transaction, key, version };
            tally.add(Anomaly::LostUpdate, proof);
        }
    }
}

//! The oracle: tries everything. Slow, and close to the definitions.
//!
//! Serializable and its kin: every order of the transactions. Snapshot isolation and its kin:
//! every interleaving of begins and commits, on a store that takes snapshots and refuses the
//! second of two writers. Weaker models by the axioms of Cerone, Bernardi and Gotsman: every
//! arbitration order, with the least visibility that the model allows.

use std::collections::{BTreeMap, HashSet};

use splitbrain_checkers::history::{Operation, Outcome, Value};
use splitbrain_checkers::transactions::{Model, Workload};

use super::transaction::{Micro, Transaction, transaction};

/// What a key holds: all that was written to it, of which a register shows the last.
type State = BTreeMap<Value, Vec<Value>>;

pub struct Oracle {
    workload: Workload,
    all: Vec<Transaction>,
}

/// The largest arbitration order that is tried.
pub const MOST: usize = 6;

impl Oracle {
    pub fn new(operations: &[Operation], workload: Workload) -> Oracle {
        let possible = operations.iter().filter(|operation| operation.outcome != Outcome::Fail);
        let all = possible.map(transaction).collect();
        Oracle { workload, all }
    }

    /// Whether the history is one that the model allows.
    pub fn allows(&self, model: Model) -> bool {
        use Model::*;
        match model {
            RepeatableRead | Serializable => self.serial(|_, _| false),
            StrongSessionSerializable => self.serial(|one, other| self.in_session(one, other)),
            StrictSerializable => self
                .serial(|one, other| self.in_session(one, other) || self.in_real_time(one, other)),
            SnapshotIsolation => self.snapshots(|_, _| false),
            StrongSessionSnapshotIsolation => {
                self.snapshots(|one, other| self.in_session(one, other))
            }
            StrongSnapshotIsolation => self.snapshots(|one, other| {
                self.in_session(one, other) || self.in_real_time(one, other)
            }),
            _ => self.arbitrated(model),
        }
    }

    fn in_session(&self, one: usize, other: usize) -> bool {
        let same = self.all[one].process == self.all[other].process;
        same && self.all[one].is_ok && one < other
    }

    fn in_real_time(&self, one: usize, other: usize) -> bool {
        self.all[one].complete.is_some_and(|complete| complete < self.all[other].invoke)
    }

    /// The state after a transaction, if its reads are right.
    fn run(&self, transaction: usize, state: &State) -> Option<State> {
        let mut state = state.clone();
        for micro in &self.all[transaction].micros {
            match micro {
                Micro::Write(key, value) => {
                    state.entry(key.clone()).or_default().push(value.clone());
                }
                Micro::Read(key, value) => {
                    let found = state.get(key).map(Vec::as_slice).unwrap_or_default();
                    if self.shown(found) != *value {
                        return None;
                    }
                }
            }
        }
        Some(state)
    }

    fn shown(&self, written: &[Value]) -> Value {
        match self.workload {
            Workload::ListAppend => Value::List(written.into()),
            Workload::RwRegister => written.last().cloned().unwrap_or_default(),
        }
    }

    fn serial(&self, before: impl Fn(usize, usize) -> bool) -> bool {
        self.serial_from(0, &State::new(), &before, &mut HashSet::new())
    }

    fn serial_from(
        &self,
        done: u32,
        state: &State,
        before: &impl Fn(usize, usize) -> bool,
        failed: &mut HashSet<(u32, State)>,
    ) -> bool {
        let is_done = |i: usize| done & 1 << i != 0;
        let count = self.all.len();
        if (0..count).all(|i| is_done(i) || !self.all[i].is_ok) {
            return true;
        }
        if failed.contains(&(done, state.clone())) {
            return false;
        }
        for i in (0..count).filter(|i| !is_done(*i)) {
            if (0..count).any(|j| !is_done(j) && self.all[j].is_ok && before(j, i)) {
                continue;
            }
            if let Some(next) = self.run(i, state)
                && self.serial_from(done | 1 << i, &next, before, failed)
            {
                return true;
            }
        }
        failed.insert((done, state.clone()));
        false
    }

    fn snapshots(&self, before: impl Fn(usize, usize) -> bool) -> bool {
        self.snapshots_from(0, 0, &State::new(), &before, &mut HashSet::new())
    }

    fn snapshots_from(
        &self,
        begun: u32,
        committed: u32,
        state: &State,
        before: &impl Fn(usize, usize) -> bool,
        failed: &mut HashSet<(u32, u32, State)>,
    ) -> bool {
        let is = |set: u32, i: usize| set & 1 << i != 0;
        let count = self.all.len();
        if (0..count).all(|i| is(committed, i) || !self.all[i].is_ok) {
            return true;
        }
        if failed.contains(&(begun, committed, state.clone())) {
            return false;
        }
        for i in 0..count {
            if !is(begun, i) {
                let must_wait =
                    (0..count).any(|j| !is(committed, j) && self.all[j].is_ok && before(j, i));
                if !must_wait
                    && self.run(i, state).is_some()
                    && self.snapshots_from(begun | 1 << i, committed, state, before, failed)
                {
                    return true;
                }
            } else if !is(committed, i) {
                // Another writer of one of its keys that has begun could not commit any more.
                let conflicts = (0..count)
                    .any(|j| j != i && is(begun, j) && !is(committed, j) && self.share_a_key(i, j));
                if conflicts {
                    continue;
                }
                let mut next = state.clone();
                for micro in &self.all[i].micros {
                    if let Micro::Write(key, value) = micro {
                        next.entry(key.clone()).or_default().push(value.clone());
                    }
                }
                if self.snapshots_from(begun, committed | 1 << i, &next, before, failed) {
                    return true;
                }
            }
        }
        failed.insert((begun, committed, state.clone()));
        false
    }

    fn share_a_key(&self, one: usize, other: usize) -> bool {
        self.all[one].written().any(|key| self.all[other].written().any(|also| also == key))
    }

    /// Some set of unanswered transactions committed, and some arbitration order explains all.
    fn arbitrated(&self, model: Model) -> bool {
        let unanswered: Vec<usize> = (0..self.all.len()).filter(|i| !self.all[*i].is_ok).collect();
        (0..1_u32 << unanswered.len()).any(|set| {
            let chosen = unanswered.iter().enumerate().filter(|(bit, _)| set & 1 << bit != 0);
            let mut members: Vec<usize> =
                (0..self.all.len()).filter(|i| self.all[*i].is_ok).collect();
            members.extend(chosen.map(|(_, i)| *i));
            permutations(&mut members, 0, &mut |order| self.explains(order, model))
        })
    }

    /// Whether this arbitration order of what committed explains all reads.
    fn explains(&self, order: &[usize], model: Model) -> bool {
        use Model::*;
        // The writes of every key: who, what, and whether its transaction wrote no more to it.
        let mut versions: BTreeMap<&Value, Vec<(usize, &Value, bool)>> = BTreeMap::new();
        for &i in order {
            for (position, micro) in self.all[i].micros.iter().enumerate() {
                if let Micro::Write(key, value) = micro {
                    let later = &self.all[i].micros[position + 1..];
                    let is_final =
                        !later.iter().any(|m| matches!(m, Micro::Write(other, _) if other == key));
                    versions.entry(key).or_default().push((i, value, is_final));
                }
            }
        }
        let place: BTreeMap<usize, usize> =
            order.iter().enumerate().map(|(p, i)| (*i, p)).collect();
        // By transaction: its reads, each with how many writes it shows and the writer of the last.
        let mut sees: BTreeMap<usize, Vec<(usize, usize, Option<usize>)>> = BTreeMap::new();
        let mut visible: Vec<u32> = vec![0; self.all.len()];
        for &i in order {
            for (position, micro) in self.all[i].micros.iter().enumerate() {
                let Micro::Read(key, value) = micro else { continue };
                let written = versions.get(key).map(Vec::as_slice).unwrap_or_default();
                let Some(length) = self.length(written, value) else { return false };
                let from = length.checked_sub(1).map(|last| written[last]);
                if let Some((writer, _, is_final)) = from.filter(|from| from.0 != i) {
                    if !is_final || place[&writer] > place[&i] {
                        return false;
                    }
                    visible[i] |= 1 << writer;
                }
                let writer = from.map(|from| from.0);
                sees.entry(i).or_default().push((position, length, writer));
            }
        }
        if model == ReadCommitted {
            return true;
        }
        let directly = visible.clone();
        if model == ParallelSnapshotIsolation {
            for written in versions.values() {
                for (position, (later, ..)) in written.iter().enumerate() {
                    for (earlier, ..) in &written[..position] {
                        visible[*later] |= if earlier != later { 1 << earlier } else { 0 };
                    }
                }
            }
        }
        if matches!(model, Causal | ParallelSnapshotIsolation) {
            for &i in order {
                let direct = visible[i];
                for &j in order.iter().filter(|j| direct & 1 << **j != 0) {
                    visible[i] |= visible[j];
                }
            }
        }
        order.iter().all(|&i| {
            let micros = &self.all[i].micros;
            if model != MonotonicAtomicView && !self.is_consistent(micros) {
                return false;
            }
            let reads = sees.get(&i).map(Vec::as_slice).unwrap_or_default();
            reads.iter().all(|(position, length, _)| {
                let Micro::Read(key, _) = &micros[*position] else { return true };
                let has_written = micros[..*position]
                    .iter()
                    .any(|m| matches!(m, Micro::Write(other, _) if other == key));
                if has_written {
                    return true;
                }
                let seen = match model {
                    // What was seen before, by a read of what it had not written itself.
                    MonotonicAtomicView => reads
                        .iter()
                        .filter(|(earlier, ..)| earlier < position)
                        .filter(|(earlier, ..)| self.is_foreign(micros, *earlier))
                        .filter_map(|(_, _, writer)| writer.filter(|writer| *writer != i))
                        .fold(0, |seen, writer| seen | 1 << writer),
                    ReadAtomic => directly[i],
                    _ => visible[i],
                };
                let written = versions.get(key).map(Vec::as_slice).unwrap_or_default();
                written[*length..].iter().all(|(writer, ..)| seen & 1 << writer == 0)
            })
        })
    }

    fn is_foreign(&self, micros: &[Micro], read: usize) -> bool {
        let Micro::Read(key, _) = &micros[read] else { return false };
        !micros[..read].iter().any(|m| matches!(m, Micro::Write(other, _) if other == key))
    }

    /// How many writes a read shows, if there is such a number.
    fn length(&self, written: &[(usize, &Value, bool)], value: &Value) -> Option<usize> {
        match (self.workload, value) {
            (Workload::ListAppend, Value::List(list)) => {
                let is_beginning = list.len() <= written.len()
                    && list.iter().zip(written).all(|(element, (_, value, _))| element == *value);
                is_beginning.then_some(list.len())
            }
            (_, Value::Nil) => Some(0),
            _ => written.iter().position(|(_, other, _)| *other == value).map(|at| at + 1),
        }
    }

    /// Whether a transaction reads what it read before, with its own writes.
    fn is_consistent(&self, micros: &[Micro]) -> bool {
        // By key: what is known of its end, and whether that is all.
        let mut known: BTreeMap<&Value, (Vec<Value>, bool)> = BTreeMap::new();
        let own: HashSet<(&Value, &Value)> = micros
            .iter()
            .filter_map(|m| match m {
                Micro::Write(key, value) => Some((key, value)),
                Micro::Read(..) => None,
            })
            .collect();
        for micro in micros {
            match micro {
                Micro::Write(key, value) => known.entry(key).or_default().0.push(value.clone()),
                Micro::Read(key, value) => {
                    let list = match (self.workload, value) {
                        (Workload::ListAppend, Value::List(list)) => list.to_vec(),
                        (_, Value::Nil) => Vec::new(),
                        (_, value) => vec![value.clone()],
                    };
                    let entry = known.get(key);
                    let agrees = match (self.workload, entry) {
                        // Nothing of its own that is yet to come.
                        (_, None) => !list.iter().any(|value| own.contains(&(key, value))),
                        (Workload::RwRegister, Some((end, _))) => end.last() == list.last(),
                        (_, Some((end, true))) => *end == list,
                        (_, Some((end, false))) => {
                            let rest = list.len().checked_sub(end.len());
                            rest.is_some_and(|rest| {
                                list[rest..] == end[..]
                                    && !list[..rest].iter().any(|v| own.contains(&(key, v)))
                            })
                        }
                    };
                    if !agrees {
                        return false;
                    }
                    known.insert(key, (list, true));
                }
            }
        }
        true
    }
}

fn permutations(
    items: &mut Vec<usize>,
    fixed: usize,
    accepts: &mut impl FnMut(&[usize]) -> bool,
) -> bool {
    if fixed == items.len() {
        return accepts(items);
    }
    for next in fixed..items.len() {
        items.swap(fixed, next);
        let found = permutations(items, fixed + 1, accepts);
        items.swap(fixed, next);
        if found {
            return true;
        }
    }
    false
}

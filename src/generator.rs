//! The seeded stream of operations: which operation, which key, which value.
//!
//! What a seed fixes: for every client the sequence of operation kinds, key slots and pauses,
//! and every random choice of the nemesis. What it cannot fix, because real time decides: how
//! clients interleave, hence which number a write carries and which value a cas expects.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use rand::distr::{Distribution, weighted::WeightedIndex};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use splitbrain_checkers::history::{Function, Name, Value};
use splitbrain_targets::driver::Request;

use crate::plan::Workload;

/// The keys of a run, shared by all clients. A key's writes carry 1, 2, 3, ... so that every
/// written value is unique for its key and a person can follow them.
#[derive(Debug)]
pub struct Keys {
    table: Mutex<Table>,
    writes_per_key: u32,
}

#[derive(Debug)]
struct Table {
    /// What names begin with.
    prefix: String,
    /// The keys in use, by slot.
    active: Vec<Key>,
    /// Every key that was ever in use, in order.
    names: Vec<Name>,
}

#[derive(Debug)]
struct Key {
    name: Name,
    writes: u32,
    /// The value that was last seen by anyone: what a cas expects.
    observed: Option<Value>,
}

impl Keys {
    /// `active` keys at a time, named by `prefix` and a number; each retires after `writes_per_key` writes.
    pub fn new(prefix: &str, active: usize, writes_per_key: Option<u32>) -> Keys {
        let prefix = prefix.to_string();
        let keys = Keys {
            table: Mutex::new(Table { prefix, active: Vec::new(), names: Vec::new() }),
            writes_per_key: writes_per_key.unwrap_or(u32::MAX),
        };
        {
            let mut table = keys.lock();
            for _ in 0..active {
                let key = table.fresh();
                table.active.push(key);
            }
        }
        keys
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        // Nothing in this file panics while it holds the lock.
        self.table.lock().expect("the table of keys is never left half-written")
    }

    /// Remembers what the key was seen to hold.
    pub fn observe(&self, name: &Name, value: &Value) {
        let mut table = self.lock();
        if let Some(key) = table.active.iter_mut().find(|key| key.name == *name) {
            key.observed = Some(value.clone());
        }
    }

    /// Every key that any operation has named so far.
    pub fn all(&self) -> Vec<Name> {
        self.lock().names.clone()
    }

    /// An operation of this kind on the key in this slot. A cas on a key of which nothing was
    /// seen yet becomes a read: there is no value that it could expect.
    fn request(&self, function: &Function, slot: usize) -> Request {
        let mut table = self.lock();
        let key = &mut table.active[slot];
        let name = key.name.clone();
        let (f, value) = match (function, key.observed.clone()) {
            (Function::Write, _) => (Function::Write, key.next_value()),
            (Function::Cas, Some(expected)) if expected != Value::Nil => {
                (Function::Cas, Value::pair(expected, key.next_value()))
            }
            (Function::Cas, _) => (Function::Read, Value::Nil),
            (other, _) => (other.clone(), Value::Nil),
        };
        if key.writes >= self.writes_per_key {
            let fresh = table.fresh();
            table.active[slot] = fresh;
        }
        Request { f, key: name, value }
    }
}

impl Key {
    fn next_value(&mut self) -> Value {
        self.writes += 1;
        Value::Int(i64::from(self.writes))
    }
}

impl Table {
    fn fresh(&mut self) -> Key {
        let name: Name = format!("{}{}", self.prefix, self.names.len() + 1).into();
        self.names.push(name.clone());
        Key { name, writes: 0, observed: None }
    }
}

/// One client's stream of operations.
#[derive(Debug)]
pub struct Generator {
    random: ChaCha8Rng,
    functions: Vec<Function>,
    weights: WeightedIndex<u32>,
    slots: usize,
    /// Mean pause between two operations; zero in a closed loop.
    pause: Duration,
}

impl Generator {
    /// The stream of client number `client` (over all nodes, from 0).
    pub fn new(workload: &Workload, seed: u64, client: u64) -> Generator {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        random.set_stream(client + 1);
        let weighted: BTreeMap<&Function, u32> =
            workload.operations.iter().map(|(function, &weight)| (function, weight)).collect();
        Generator {
            random,
            functions: weighted.keys().map(|&function| function.clone()).collect(),
            weights: WeightedIndex::new(weighted.values())
                .expect("the plan has refused weights that are all zero"),
            slots: workload.keys,
            pause: workload.rate.map_or(Duration::ZERO, |rate| Duration::from_secs_f64(1.0 / rate)),
        }
    }

    /// The next operation.
    pub fn next_request(&mut self, keys: &Keys) -> Request {
        let function = self.functions[self.weights.sample(&mut self.random)].clone();
        let slot = self.random.random_range(0..self.slots);
        keys.request(&function, slot)
    }

    /// The time to the next intended instant: between half and one and a half of the mean, so
    /// that clients do not march in step.
    pub fn next_pause(&mut self) -> Duration {
        self.pause.mul_f64(self.random.random_range(0.5..1.5))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::DataType;

    fn workload() -> Workload {
        Workload {
            name: "test".into(),
            data_type: DataType::Register,
            operations: [(Function::Read, 5), (Function::Write, 3), (Function::Cas, 2)].into(),
            keys: 3,
            writes_per_key: Some(4),
            clients: 1,
            rate: Some(50.0),
            timeout: Duration::from_secs(1),
            phases: Vec::new(),
            checks: Vec::new(),
        }
    }

    fn stream(seed: u64, client: u64) -> Vec<Request> {
        let keys = Keys::new("k", 3, Some(4));
        let mut generator = Generator::new(&workload(), seed, client);
        (0..1000).map(|_| generator.next_request(&keys)).collect()
    }

    #[test]
    fn the_same_seed_gives_the_same_stream_and_clients_differ() {
        assert_eq!(stream(7, 0), stream(7, 0));
        assert_ne!(stream(7, 0), stream(8, 0));
        assert_ne!(stream(7, 0), stream(7, 1));
    }

    #[test]
    fn weights_are_kept() {
        let reads = stream(1, 0).iter().filter(|request| request.f == Function::Read).count();
        // Nothing is observed here, so every cas becomes a read: 7 of 10.
        assert!((640..760).contains(&reads), "{reads} reads of 1000");
    }

    #[test]
    fn written_values_are_unique_per_key_and_keys_retire() {
        let mut seen = std::collections::BTreeSet::new();
        for request in stream(1, 0).iter().filter(|request| request.f == Function::Write) {
            assert!(seen.insert((request.key.clone(), request.value.clone())), "{request:?}");
            assert!(request.value <= Value::Int(4), "{request:?}");
        }
    }

    #[test]
    fn a_cas_expects_what_was_last_observed() {
        let keys = Keys::new("k", 1, None);
        keys.observe(&"k1".into(), &Value::Int(42));
        let request = keys.request(&Function::Cas, 0);
        assert_eq!(request.value, Value::pair(Value::Int(42), Value::Int(1)));
    }

    #[test]
    fn pauses_keep_the_rate() {
        let mut generator = Generator::new(&workload(), 3, 0);
        let total: Duration = (0..1000).map(|_| generator.next_pause()).sum();
        assert!((19.0..21.0).contains(&total.as_secs_f64()), "{total:?} for 1000 at 50/s");
    }
}

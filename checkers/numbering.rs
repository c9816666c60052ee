//! Dense numbers for values, so that tables are plain arrays.

use rustc_hash::FxHashMap;

use crate::history::Value;

/// Numbers values from 0 in the order in which they are first met; integers without a look at
/// the operation that holds them.
#[derive(Debug, Default)]
pub(crate) struct Numbering<'a> {
    values: Vec<&'a Value>,
    integers: FxHashMap<i64, u32>,
    others: FxHashMap<&'a Value, u32>,
}

impl<'a> Numbering<'a> {
    pub fn number(&mut self, value: &'a Value) -> u32 {
        let next = self.values.len() as u32;
        let id = match value {
            Value::Int(integer) => *self.integers.entry(*integer).or_insert(next),
            other => *self.others.entry(other).or_insert(next),
        };
        if id == next {
            self.values.push(value);
        }
        id
    }

    /// What each number stands for.
    pub fn into_values(self) -> Vec<&'a Value> {
        self.values
    }

    pub fn len(&self) -> usize {
        self.values.len()
    }
}

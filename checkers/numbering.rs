//! Dense numbers for values, so that tables are plain arrays.

use rustc_hash::FxHashMap;

use crate::history::Value;

/// Numbers values from 0 in the order in which they are first met; integers without a look at
/// the operation that holds them. Most histories write small ones, counting up: those have a table
/// in place of a hash map, and neighbours in time are neighbours there.
#[derive(Debug, Default)]
pub(crate) struct Numbering<'a> {
    values: Vec<&'a Value>,
    /// By integer, its number plus one; 0 if it has none so far.
    small: Vec<u32>,
    integers: FxHashMap<i64, u32>,
    others: FxHashMap<&'a Value, u32>,
}

impl<'a> Numbering<'a> {
    /// With a table for the values that so many operations write if they count up.
    pub fn of(operations: usize) -> Self {
        // Memory that is never touched costs nothing.
        Self { small: vec![0; 2 * operations + 64], ..Self::default() }
    }

    pub fn number(&mut self, value: &'a Value) -> u32 {
        let next = self.values.len() as u32;
        let id = match value {
            Value::Int(integer) => {
                match usize::try_from(*integer).ok().and_then(|it| self.small.get_mut(it)) {
                    Some(number) => {
                        if *number == 0 {
                            *number = next + 1;
                        }
                        *number - 1
                    }
                    None => *self.integers.entry(*integer).or_insert(next),
                }
            }
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

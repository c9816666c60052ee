//! Dense numbers for the values of a history.

use rustc_hash::FxHashMap;

use crate::history::Value;

/// Numbers values in the order in which they are met.
#[derive(Debug, Default, Clone)]
pub struct Values {
    numbers: FxHashMap<Value, u32>,
    values: Vec<Value>,
}

impl Values {
    /// The number of a value, a new one if need be.
    pub(crate) fn number(&mut self, value: &Value) -> u32 {
        if let Some(number) = self.numbers.get(value) {
            return *number;
        }
        let number = self.values.len() as u32;
        self.numbers.insert(value.clone(), number);
        self.values.push(value.clone());
        number
    }

    /// The value of a number.
    pub(crate) fn value(&self, number: u32) -> &Value {
        &self.values[number as usize]
    }

    pub(crate) fn len(&self) -> usize {
        self.values.len()
    }

    /// `[1 2 3]`, of more than eight the first three, the last, and how many.
    pub(crate) fn show(&self, numbers: &[u32]) -> String {
        let text = |number: &u32| self.value(*number).to_string();
        match numbers {
            [a, b, c, .., last] if numbers.len() > 8 => format!(
                "[{} {} {} ... {}] ({} values)",
                text(a),
                text(b),
                text(c),
                text(last),
                numbers.len()
            ),
            _ => format!("[{}]", numbers.iter().map(text).collect::<Vec<_>>().join(" ")),
        }
    }
}

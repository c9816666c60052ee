//! What a client asks of the store and what it is told.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::bug::Bug;

/// One operation on one register.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Operation {
    Read {
        key: String,
    },
    Write {
        key: String,
        value: i64,
    },
    /// Sets `new` if the register holds `expected`; `None` means "no such key".
    Cas {
        key: String,
        expected: Option<i64>,
        new: i64,
    },
}

impl Operation {
    pub fn is_read(&self) -> bool {
        matches!(self, Operation::Read { .. })
    }

    /// The answer when nobody took the operation up: nothing was sent, nothing will happen.
    pub fn not_done(&self, why: impl Into<String>) -> Answer {
        Answer::Unavailable(why.into())
    }

    /// The answer when the operation was sent or begun and its fate is not known. A read
    /// changes nothing, so its failure is definite all the same.
    pub fn unknown(&self, why: impl Into<String>) -> Answer {
        if self.is_read() {
            Answer::Unavailable(why.into())
        } else {
            Answer::Indeterminate(why.into())
        }
    }
}

/// What the client is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Answer {
    /// A read's value; `None`: no such key.
    Value(Option<i64>),
    /// The write or compare-and-set took effect.
    Done,
    /// The register does not hold the expected value; nothing changed.
    Mismatch,
    /// It did not take effect and never will.
    Unavailable(String),
    /// It may have taken effect, or may yet.
    Indeterminate(String),
    /// This mode does not have the operation.
    Unsupported(String),
}

/// The registers of one replica.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Registers(BTreeMap<String, i64>);

impl Registers {
    pub fn get(&self, key: &str) -> Option<i64> {
        self.0.get(key).copied()
    }

    /// Puts back what a register held before; `None` removes it.
    pub fn restore(&mut self, key: String, value: Option<i64>) {
        match value {
            Some(value) => self.0.insert(key, value),
            None => self.0.remove(&key),
        };
    }

    /// Carries the operation out. Deterministic: replicas that apply the same operations in the
    /// same order hold the same registers and give the same answers.
    pub fn apply(&mut self, operation: &Operation, bug: Bug) -> Answer {
        match operation {
            Operation::Read { key } => Answer::Value(self.get(key)),
            Operation::Write { key, value } => {
                self.0.insert(key.clone(), *value);
                Answer::Done
            }
            Operation::Cas { key, expected, new } => {
                if self.get(key) != *expected && bug != Bug::CasIgnoresExpected {
                    return Answer::Mismatch;
                }
                self.0.insert(key.clone(), *new);
                Answer::Done
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cas(expected: Option<i64>, new: i64) -> Operation {
        Operation::Cas { key: "x".into(), expected, new }
    }

    #[test]
    fn cas_changes_only_what_it_expects() {
        let mut registers = Registers::default();
        assert_eq!(registers.apply(&cas(Some(1), 2), Bug::None), Answer::Mismatch);
        assert_eq!(registers.get("x"), None);
        assert_eq!(registers.apply(&cas(None, 1), Bug::None), Answer::Done);
        assert_eq!(registers.apply(&cas(Some(1), 2), Bug::None), Answer::Done);
        assert_eq!(registers.apply(&cas(Some(1), 3), Bug::None), Answer::Mismatch);
        assert_eq!(registers.get("x"), Some(2));
    }

    #[test]
    fn cas_that_ignores_expected_always_succeeds() {
        let mut registers = Registers::default();
        assert_eq!(registers.apply(&cas(Some(1), 2), Bug::CasIgnoresExpected), Answer::Done);
        assert_eq!(registers.get("x"), Some(2));
    }

    #[test]
    fn a_failed_read_is_definite_and_a_failed_write_is_not() {
        let read = Operation::Read { key: "x".into() };
        let write = Operation::Write { key: "x".into(), value: 1 };
        assert_eq!(read.unknown("late"), Answer::Unavailable("late".into()));
        assert_eq!(write.unknown("late"), Answer::Indeterminate("late".into()));
    }
}

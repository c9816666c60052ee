//! A node's log of operations, and the registers that come of applying it in order.

use serde::{Deserialize, Serialize};

use crate::reference::bug::Bug;
use crate::reference::journal::Journal;
use crate::reference::operation::{Answer, Operation, Registers};

/// What is on disk.
#[derive(Debug, Serialize, Deserialize)]
pub enum Record {
    Entry(Operation),
    Adopted(Adopt),
    /// This node leads the term.
    Leads(u64),
    /// This node has given its vote in the term.
    Voted(u64),
}

/// The whole state of a primary, for a replica that comes from an older term.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Adopt {
    pub term: u64,
    pub primary: String,
    /// How many operations led to these registers.
    pub length: usize,
    pub registers: Registers,
}

/// Operations in order; the first `applied` of them are in the registers.
#[derive(Debug)]
pub struct Log {
    journal: Journal<Record>,
    bug: Bug,
    /// How many operations came before those in `tail`: they are only known by what they led to.
    base: usize,
    tail: Vec<Operation>,
    applied: usize,
    registers: Registers,
}

impl Log {
    pub fn new(journal: Journal<Record>, bug: Bug) -> Log {
        Log { journal, bug, base: 0, tail: Vec::new(), applied: 0, registers: Registers::default() }
    }

    /// Takes up a record that was read from disk.
    pub fn reload(&mut self, record: Record) {
        match record {
            Record::Entry(operation) => self.tail.push(operation),
            Record::Adopted(adopt) => self.replace(adopt.length, adopt.registers),
            Record::Leads(_) | Record::Voted(_) => {}
        }
    }

    /// How many operations there are, and the index of the next one.
    pub fn end(&self) -> usize {
        self.base + self.tail.len()
    }

    pub fn base(&self) -> usize {
        self.base
    }

    pub fn applied(&self) -> usize {
        self.applied
    }

    pub fn registers(&self) -> &Registers {
        &self.registers
    }

    /// Appends an operation, on disk too, and returns its index.
    pub fn push(&mut self, operation: Operation) -> usize {
        self.tail.push(operation.clone());
        self.journal.append(&Record::Entry(operation));
        self.end() - 1
    }

    /// Notes a term on disk.
    pub fn note(&mut self, record: &Record) {
        self.journal.append(record);
    }

    /// The operations from index `start` on, at most `limit`. `start` must not be below the base.
    pub fn from(&self, start: usize, limit: usize) -> Vec<Operation> {
        self.tail.iter().skip(start - self.base).take(limit).cloned().collect()
    }

    /// Applies everything before index `end` and reports each answer with its index.
    pub fn apply_to(&mut self, end: usize, mut answered: impl FnMut(usize, Answer)) {
        while self.applied < end.min(self.end()) {
            let operation = &self.tail[self.applied - self.base];
            let answer = self.registers.apply(operation, self.bug);
            answered(self.applied, answer);
            self.applied += 1;
        }
    }

    /// Throws the own state away for that of another node.
    pub fn adopt(&mut self, adopt: Adopt) {
        self.journal.append(&Record::Adopted(adopt.clone()));
        self.replace(adopt.length, adopt.registers);
    }

    fn replace(&mut self, length: usize, registers: Registers) {
        self.tail.clear();
        self.base = length;
        self.applied = length;
        self.registers = registers;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(value: i64) -> Operation {
        Operation::Write { key: "x".into(), value }
    }

    #[test]
    fn applies_in_order_and_reloads_what_was_appended_and_adopted() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        let (journal, _) = Journal::open(&path).unwrap();
        let mut log = Log::new(journal, Bug::None);
        assert_eq!((log.push(write(1)), log.push(write(2))), (0, 1));
        let mut answers = Vec::new();
        log.apply_to(1, |index, answer| answers.push((index, answer)));
        assert_eq!(answers, [(0, Answer::Done)]);
        assert_eq!(log.registers().get("x"), Some(1));

        let mut registers = Registers::default();
        registers.apply(&write(9), Bug::None);
        log.adopt(Adopt { term: 2, primary: "n2".into(), length: 7, registers });
        log.push(write(10));
        assert_eq!((log.base(), log.end(), log.applied()), (7, 8, 7));
        assert_eq!(log.from(7, 5), [write(10)]);

        let (journal, records) = Journal::open(&path).unwrap();
        let mut log = Log::new(journal, Bug::None);
        for record in records {
            log.reload(record);
        }
        assert_eq!((log.base(), log.end(), log.applied()), (7, 8, 7));
        assert_eq!(log.registers().get("x"), Some(9));
        log.apply_to(100, |_, _| {});
        assert_eq!(log.registers().get("x"), Some(10));
    }
}

//! Every checker that can be asked for by name. A new one is a module and a line here.

use crate::checker::Checker;
use crate::queue::{self, total};
use crate::{
    bank, counter, ladder, lock, long_fork, monotonic, priority_queue, register, search, set,
    stack, staleness, transactions, unique_ids,
};

/// In the order in which they are listed.
pub const CHECKERS: &[Checker] = &[
    register::REGISTER,
    register::CAS_REGISTER,
    queue::FIFO_QUEUE,
    total::TOTAL_QUEUE,
    stack::STACK,
    priority_queue::PRIORITY_QUEUE,
    set::SET,
    set::SET_FULL,
    set::LINEARIZABLE_SET,
    counter::COUNTER,
    lock::LOCK,
    lock::MUTEX,
    unique_ids::UNIQUE_IDS,
    bank::BANK,
    long_fork::LONG_FORK,
    monotonic::MONOTONIC,
    monotonic::MONOTONIC_PROCESS,
    search::REENTRANT_MUTEX,
    search::SEMAPHORE,
    search::MULTI_REGISTER,
    search::APPEND_STRING,
    search::COUNTER,
    transactions::LIST_APPEND,
    transactions::RW_REGISTER,
    ladder::LADDER,
    ladder::SEQUENTIAL,
    ladder::CAUSAL_CONVERGENCE,
    ladder::CAUSAL,
    ladder::CAUSAL_MEMORY,
    ladder::PRAM,
    ladder::WRITES_FOLLOW_READS,
    ladder::MONOTONIC_WRITES,
    ladder::MONOTONIC_READS,
    ladder::READ_YOUR_WRITES,
    ladder::EVENTUAL,
    staleness::STALENESS,
];

/// The checker of that name.
pub fn find(name: &str) -> Option<&'static Checker> {
    CHECKERS.iter().find(|checker| checker.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_said_in_kebab_case() {
        for (position, checker) in CHECKERS.iter().enumerate() {
            let name = checker.name;
            assert!(name.chars().all(|c| c == '-' || c.is_ascii_lowercase()), "{name}");
            assert!(CHECKERS[..position].iter().all(|other| other.name != name), "{name}");
            assert!(!checker.functions.is_empty(), "{name}");
        }
    }

    #[test]
    fn an_empty_history_is_never_valid() {
        for checker in CHECKERS {
            let finding = checker.run(&Default::default(), &Default::default());
            assert_eq!(finding.validity.rank(), 1, "{}: {finding:?}", checker.name);
        }
    }
}

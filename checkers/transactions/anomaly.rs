//! What can be wrong, by name, and which models it refutes.

use std::fmt;

use serde::{Serialize, Serializer};

use super::model::Model;

/// Something that happened and that some model forbids. The most severe first, each beside its
/// kin that process order or real time have a part in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Anomaly {
    /// A value was read that no transaction wrote.
    GarbageRead,
    /// A list was read that has an element twice that was appended once.
    DuplicateElements,
    /// A cycle of overwrites among acknowledged transactions.
    DirtyWrite(Order),
    /// A value of a transaction that did not commit was read.
    AbortedRead,
    /// A value was read that its transaction replaced itself.
    IntermediateRead,
    /// What an aborted transaction had written was kept by one that committed.
    DirtyUpdate,
    /// Two lists were read of which neither is the beginning of the other, or one whose order is
    /// not that in which one transaction appended.
    IncompatibleOrder,
    /// The versions of one register follow each other in a circle.
    CyclicVersions,
    /// A cycle of overwrites and reads of what was written (or of overwrites alone, where it is
    /// not sure that all of them committed).
    CircularInformation(Order),
    /// A transaction saw another and afterwards read what that one had already replaced.
    ObservedTransactionVanishes,
    /// A transaction saw a part of another's writes and missed a part.
    FracturedRead,
    /// A transaction disagrees with its own earlier reads and writes.
    Internal,
    /// A transaction missed a write that it knew of through others that it saw.
    CausalityViolation,
    /// Two transactions read the same version of a key and both replaced it.
    LostUpdate,
    /// A cycle with exactly one anti-dependency: read skew.
    SingleAntiDependency(Order),
    /// Two transactions saw two writes in opposite orders.
    LongFork,
    /// A cycle with anti-dependencies, no two of which follow each other.
    NonadjacentAntiDependencies(Order),
    /// A cycle with two anti-dependencies in a row: write skew.
    AntiDependencies(Order),
    /// Of one key alone, there is no order in real time.
    NotLinearizable,
}

/// What, beside the keys, ties the transactions of a cycle together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Order {
    /// Nothing.
    Keys,
    /// Also that a process does one thing after the other.
    Process,
    /// Also that one transaction ended before another began.
    RealTime,
}

use Anomaly::*;

impl Anomaly {
    /// The name in the literature, else Elle's: `G-single-realtime`.
    pub fn name(self) -> String {
        let (name, order) = match self {
            GarbageRead => ("garbage-read", Order::Keys),
            DuplicateElements => ("duplicate-elements", Order::Keys),
            DirtyWrite(order) => ("G0", order),
            AbortedRead => ("G1a", Order::Keys),
            IntermediateRead => ("G1b", Order::Keys),
            DirtyUpdate => ("dirty-update", Order::Keys),
            IncompatibleOrder => ("incompatible-order", Order::Keys),
            CyclicVersions => ("cyclic-versions", Order::Keys),
            CircularInformation(order) => ("G1c", order),
            ObservedTransactionVanishes => ("observed-transaction-vanishes", Order::Keys),
            FracturedRead => ("fractured-read", Order::Keys),
            Internal => ("internal", Order::Keys),
            CausalityViolation => ("causality-violation", Order::Keys),
            LostUpdate => ("lost-update", Order::Keys),
            SingleAntiDependency(order) => ("G-single", order),
            LongFork => ("long-fork", Order::Keys),
            NonadjacentAntiDependencies(order) => ("G-nonadjacent", order),
            AntiDependencies(order) => ("G2-item", order),
            NotLinearizable => ("nonlinearizable-key", Order::Keys),
        };
        match order {
            Order::Keys => name.to_owned(),
            Order::Process => format!("{name}-process"),
            Order::RealTime => format!("{name}-realtime"),
        }
    }

    /// The weakest models that forbid it; everything that implies one of them does, too.
    pub fn refutes(self) -> &'static [Model] {
        use Model::*;
        match self {
            GarbageRead | DuplicateElements | DirtyWrite(Order::Keys) => &[ReadUncommitted],
            AbortedRead
            | IntermediateRead
            | DirtyUpdate
            | IncompatibleOrder
            | CyclicVersions
            | CircularInformation(Order::Keys) => &[ReadCommitted],
            ObservedTransactionVanishes => &[MonotonicAtomicView],
            FracturedRead | Internal => &[ReadAtomic, RepeatableRead],
            CausalityViolation => &[Causal, RepeatableRead],
            LostUpdate | SingleAntiDependency(Order::Keys) => {
                &[ParallelSnapshotIsolation, RepeatableRead]
            }
            LongFork | NonadjacentAntiDependencies(Order::Keys) => {
                &[SnapshotIsolation, RepeatableRead]
            }
            AntiDependencies(Order::Keys) => &[RepeatableRead],
            DirtyWrite(Order::Process)
            | CircularInformation(Order::Process)
            | SingleAntiDependency(Order::Process)
            | NonadjacentAntiDependencies(Order::Process) => &[StrongSessionSnapshotIsolation],
            AntiDependencies(Order::Process) => &[StrongSessionSerializable],
            DirtyWrite(Order::RealTime)
            | CircularInformation(Order::RealTime)
            | SingleAntiDependency(Order::RealTime)
            | NonadjacentAntiDependencies(Order::RealTime) => &[StrongSnapshotIsolation],
            AntiDependencies(Order::RealTime) | NotLinearizable => &[StrictSerializable],
        }
    }

    /// Whether it shows that the model was not kept.
    pub fn contradicts(self, model: Model) -> bool {
        self.refutes().iter().any(|weakest| model.implies(*weakest))
    }
}

impl fmt::Display for Anomaly {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name())
    }
}

impl Serialize for Anomaly {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.name())
    }
}

//! The rules, for a run that was linearizable and for one that was not.
//!
//! A *cell* is one node and class in one partition's steady window: available, unavailable or
//! partial. All cells of an exercised partition have enough operations.
//!
//! **Linearizable.** In each partition a side is served if all its cells are available, and
//! halted if one is unavailable; a side that is neither has partial cells, which decide.
//! - Every node served, linearizable all the same: Gilbert and Lynch say that this cannot be if
//!   clients really looked across a real cut. So the harness is at fault: inconclusive.
//! - No side served, each halted, in some partition: C, halts.
//! - Some side served and some cell elsewhere unavailable, in each partition: CP.
//! - Acknowledged writes that were gone after the heal, or values of nobody, contradict it: no
//!   client read saw them, but C is not shown. Inconclusive.
//!
//! **Refuted.**
//! - All cells available: AP.
//! - All reads available; writes available at one node and unavailable at another; never
//!   acknowledged on two sides: mixed.
//! - Else neither, if both are excluded beyond doubt. AP is excluded by a cell whose interval
//!   lies below the threshold, be it unavailable or partial; mixed by such a read, by writes
//!   that are nowhere available or nowhere unavailable beyond doubt, or by writes on two sides.
//!   Where a borderline cell leaves AP or mixed possible: inconclusive.

use serde::{Deserialize, Serialize};

use super::exercise::{Exercise, Exercised, exercised};
use super::kind::Kind;
use super::{Decision, Inputs, PartitionVerdict};
use crate::availability::{Availability, Class, Level, Period, Row};
use crate::history::Name;
use crate::partition::Partition;

/// Who was served in one partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Served {
    /// Every node, every class.
    Everyone,
    /// At least one whole side; some cell elsewhere was unavailable.
    OneSide,
    /// No side: each has an unavailable cell.
    Nobody,
    /// Partial cells decide between these.
    Undecided,
}

/// The cells of one partition, with its sides.
pub(super) struct Cells<'a> {
    sides: Vec<Vec<Name>>,
    rows: Vec<&'a Row>,
}

impl<'a> Cells<'a> {
    pub fn of(availability: &'a Availability, index: usize, partition: &Partition) -> Self {
        let holds_data = |node: &&Name| availability.nodes.contains(node);
        let sides = partition
            .components
            .iter()
            .map(|side| -> Vec<Name> { side.iter().filter(holds_data).cloned().collect() });
        let period = Period::Cut { partition: index };
        Cells {
            sides: sides.filter(|side| !side.is_empty()).collect(),
            rows: availability.rows.iter().filter(|row| row.period == period).collect(),
        }
    }

    pub fn sides(&self) -> &[Vec<Name>] {
        &self.sides
    }

    pub fn rows(&self) -> impl Iterator<Item = &'a Row> + '_ {
        self.rows.iter().copied()
    }

    fn of_side(&self, side: &[Name]) -> impl Iterator<Item = &'a Row> {
        self.rows().filter(|row| side.contains(&row.node))
    }

    fn of_class(&self, class: Class) -> impl Iterator<Item = &'a Row> {
        self.rows().filter(move |row| row.class == class)
    }

    /// Cells with this level, in the order of nodes and classes.
    pub fn at_level(&self, level: Level) -> impl Iterator<Item = &'a Row> {
        self.rows().filter(move |row| row.level == level)
    }

    /// Whether all cells of a side are available.
    pub fn is_served(&self, side: &[Name]) -> bool {
        self.of_side(side).all(|row| row.level == Level::Available)
    }

    pub fn served(&self) -> Served {
        let unavailable = |row: &Row| row.level == Level::Unavailable;
        if self.rows().all(|row| row.level == Level::Available) {
            Served::Everyone
        } else if self.sides.iter().any(|side| self.is_served(side)) {
            match self.rows().any(unavailable) {
                true => Served::OneSide,
                false => Served::Undecided,
            }
        } else if self.sides.iter().all(|side| self.of_side(side).any(unavailable)) {
            Served::Nobody
        } else {
            Served::Undecided
        }
    }

    fn mixed(&self, on_both_sides: bool) -> bool {
        let writes = |level: Level| self.of_class(Class::Write).any(|row| row.level == level);
        !on_both_sides
            && self.of_class(Class::Read).all(|row| row.level == Level::Available)
            && writes(Level::Available)
            && writes(Level::Unavailable)
    }

    fn surely_not_mixed(&self, on_both_sides: bool) -> bool {
        let mut reads = self.of_class(Class::Read);
        let mut writes = self.of_class(Class::Write);
        let mut more_writes = self.of_class(Class::Write);
        on_both_sides
            || reads.any(|row| row.answered.surely_not_available())
            || writes.all(|row| row.answered.surely_not_available())
            || more_writes.all(|row| row.answered.surely_not_unavailable())
    }

    fn surely_not_everyone(&self) -> bool {
        self.rows().any(|row| row.answered.surely_not_available())
    }
}

/// The first partial cell of a partition, in words.
fn partial(name: &str, cells: &Cells) -> String {
    let row = cells.rows().find(|row| row.level == Level::Partial);
    match row {
        Some(row) => format!(
            "in partition {name}, {} answered {} {}: neither available nor unavailable",
            row.node, row.answered, row.class
        ),
        None => format!("in partition {name}, who was available is not decided"),
    }
}

/// The rules for a run that was linearizable.
pub(super) fn linearizable(inputs: &Inputs, partitions: &[Exercised]) -> Decision {
    if let Some(reason) = contradiction(inputs) {
        return Decision::inconclusive(reason);
    }
    let served = |wanted: Served| {
        exercised(partitions)
            .find(|(partition, _)| partition.exercise == Exercise::Exercised { served: wanted })
    };
    if let Some((partition, _)) = served(Served::Everyone) {
        return Decision::inconclusive(format!(
            "in partition {} every node answered reads and writes and yet all of it was \
             linearizable, which cannot be if clients looked across a real cut: the cut, the \
             clients or the checker is at fault",
            partition.name
        ));
    }
    if served(Served::Nobody).is_some() {
        return Kind::CHalts.into();
    }
    match served(Served::Undecided) {
        Some((partition, cells)) => Decision::inconclusive(partial(&partition.name, cells)),
        None => Kind::CP.into(),
    }
}

/// What speaks against consistency although no client saw it.
fn contradiction(inputs: &Inputs) -> Option<String> {
    let (convergence, _) = inputs.convergence?;
    let (lost, phantoms) = (convergence.lost.len(), convergence.phantoms.len());
    if lost + phantoms == 0 && !convergence.breaches.is_empty() {
        let reason = "what clients read was linearizable, but after the heal some nodes held what \
                      no order of the updates leaves";
        return Some(reason.into());
    }
    (lost + phantoms > 0).then(|| {
        format!(
            "what clients read was linearizable, but after the heal {lost} acknowledged writes \
             were gone and {phantoms} values were there that nobody wrote"
        )
    })
}

/// The rules for a run whose linearizability was refuted.
pub(super) fn refuted(partitions: &[Exercised]) -> Decision {
    let both = |partition: &PartitionVerdict| partition.writes_on_both_sides.is_some();
    let all = || exercised(partitions);
    if all().all(|(_, cells)| cells.served() == Served::Everyone) {
        return Kind::AP.into();
    }
    if all().all(|(partition, cells)| cells.mixed(both(partition))) {
        return Kind::Mixed.into();
    }
    let not_available = all().any(|(_, cells)| cells.surely_not_everyone());
    let not_mixed = all().any(|(partition, cells)| cells.surely_not_mixed(both(partition)));
    if not_available && not_mixed {
        return Kind::Neither.into();
    }
    let borderline = |cells: &Cells| cells.rows().any(|row| row.level == Level::Partial);
    let reason = match all().find(|(_, cells)| borderline(cells)) {
        Some((partition, cells)) => partial(&partition.name, cells),
        None => "partitions differ in who was available".into(),
    };
    Decision::inconclusive(reason)
}

//! What things are called in every output: the state of a check, the side of a cut, the class
//! of an operation.

use splitbrain_checkers::availability::{Class, Level, Period, Row};
use splitbrain_checkers::finding::{Finding, Validity};
use splitbrain_checkers::history::{Operation, Outcome, Time};
use splitbrain_checkers::partition::Partition;

use super::data::RunData;

/// The checks that have a place in every report, asked for or not.
const CHECKS: [&str; 3] = ["linearizable", "convergent", "available"];

/// What is known of a check after a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    Refuted,
    Unknown,
    Valid,
    /// The workload did not ask for it.
    NotExercised,
}

impl State {
    pub fn of(finding: &Finding) -> State {
        match finding.validity {
            Validity::Valid => State::Valid,
            Validity::Unknown { .. } => State::Unknown,
            Validity::Invalid { .. } => State::Refuted,
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            State::Refuted => "refuted",
            State::Unknown => "unknown",
            State::Valid => "valid",
            State::NotExercised => "not exercised",
        }
    }

    /// A mark that does not depend on colour.
    pub fn mark(self) -> &'static str {
        match self {
            State::Refuted => "✗",
            State::Unknown => "?",
            State::Valid => "✓",
            State::NotExercised => "–",
        }
    }
}

/// Every check with its state: the usual three first, then whatever else was checked.
pub fn checks(data: &RunData) -> Vec<(String, State)> {
    let usual = CHECKS.iter().map(|&check| {
        let found = data.findings.iter().find(|finding| finding.check == check);
        (check.to_string(), found.map_or(State::NotExercised, State::of))
    });
    let others = data.findings.iter().filter(|finding| !CHECKS.contains(&finding.check.as_str()));
    usual.chain(others.map(|finding| (finding.check.clone(), State::of(finding)))).collect()
}

/// Findings that are invalid: linearizability before the others, then by number of violations, and
/// last the weakest model of the ladder, if it is another.
pub fn refuted(data: &RunData) -> Vec<&Finding> {
    let mut refuted: Vec<&Finding> =
        data.findings.iter().filter(|finding| finding.validity.is_invalid()).collect();
    refuted.sort_by_key(|finding| {
        let place = CHECKS.iter().position(|&check| check == finding.check);
        (place.unwrap_or(CHECKS.len()), std::cmp::Reverse(finding.violations))
    });
    let weakest = data.promises.as_ref().and_then(|promises| promises.ladder.weakest_refuted());
    let is_other = |finding: &&Finding| refuted.iter().all(|other| other.check != finding.check);
    let weakest = weakest.filter(is_other);
    refuted.extend(weakest);
    refuted
}

/// The node's side of the cut: `majority side`, `minority side`, or with a letter where several
/// would have the same name. `None` if the cut left one component or does not know the node.
pub fn side(partition: &Partition, node: &str) -> Option<String> {
    let own = partition.side(node)?;
    if partition.components.len() < 2 {
        return None;
    }
    let total: usize = partition.components.iter().map(Vec::len).sum();
    let is_majority = |component: usize| partition.components[component].len() * 2 > total;
    let majority = (0..partition.components.len()).find(|&component| is_majority(component));
    Some(match majority {
        Some(majority) if majority == own => "majority side".to_string(),
        Some(_) if partition.components.len() == 2 => "minority side".to_string(),
        Some(majority) => format!("minority side {}", letter(own - usize::from(own > majority))),
        None => format!("side {}", letter(own)),
    })
}

fn letter(position: usize) -> char {
    char::from(b'A' + (position % 26) as u8)
}

/// Nodes of one component, as it is printed: `n2 n3`.
pub fn component(nodes: &[splitbrain_checkers::history::Name]) -> String {
    let names: Vec<&str> = nodes.iter().map(|name| &**name).collect();
    names.join(" ")
}

/// The sides of a cut: `n2 n3 | n1`.
pub fn sides(partition: &Partition) -> String {
    let sides: Vec<String> = partition.components.iter().map(|nodes| component(nodes)).collect();
    sides.join(" | ")
}

/// Positions of the partitions that were in force at some time between `from` and `to`.
pub fn partitions_during(data: &RunData, from: Time, to: Time) -> Vec<usize> {
    let in_force = |partition: &Partition| {
        let end = partition.healed.unwrap_or(Time::MAX);
        partition.began <= to && from <= end
    };
    let partitions = data.partitions.iter().enumerate();
    partitions.filter(|(_, partition)| in_force(partition)).map(|(i, _)| i).collect()
}

/// What the rows of a class are called: `read`, `write`.
pub fn class_name(class: Class) -> &'static str {
    match class {
        Class::Read => "read",
        Class::Write => "write",
    }
}

/// Whether there were too few operations for what the verdict asks: it asks about cuts only.
pub fn is_doubtful(row: &Row) -> bool {
    row.level == Level::TooFew && matches!(row.period, Period::Cut { .. })
}

/// Whether something was not available, or may not have been.
pub fn is_trouble(row: &Row) -> bool {
    matches!(row.level, Level::Partial | Level::Unavailable) || is_doubtful(row)
}

/// The class of an operation of a client; `None` for what the harness reads while the cluster
/// settles, as fast as it goes.
pub fn class(data: &RunData, operation: &Operation) -> Option<Class> {
    let settle = data.phases.iter().find(|phase| phase.name == "settle");
    if settle.is_some_and(|settle| operation.due() >= settle.from) {
        return None;
    }
    Class::of(&operation.f)
}

/// How an operation ended, as the timeline shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    Answered = 0,
    Failed = 1,
    Indeterminate = 2,
}

impl Ending {
    pub fn of(operation: &Operation) -> Ending {
        match operation.outcome {
            _ if operation.answered() => Ending::Answered,
            Outcome::Info => Ending::Indeterminate,
            Outcome::Ok | Outcome::Fail => Ending::Failed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::synthetic;

    fn cut(components: &[&[&str]]) -> Partition {
        let mut partition = synthetic::stale_reads().partitions.remove(0);
        partition.components = components
            .iter()
            .map(|nodes| nodes.iter().map(|&node| node.into()).collect())
            .collect();
        partition
    }

    #[test]
    fn sides_are_named_so_that_no_two_share_a_name() {
        let two = cut(&[&["n2", "n3"], &["n1"]]);
        assert_eq!(side(&two, "n2").unwrap(), "majority side");
        assert_eq!(side(&two, "n1").unwrap(), "minority side");
        assert_eq!(side(&two, "n9"), None);
        let three = cut(&[&["n1", "n2", "n3"], &["n4"], &["n5"]]);
        assert_eq!(side(&three, "n4").unwrap(), "minority side A");
        assert_eq!(side(&three, "n5").unwrap(), "minority side B");
        let even = cut(&[&["n1", "n2"], &["n3", "n4"]]);
        assert_eq!(side(&even, "n3").unwrap(), "side B");
        assert_eq!(side(&cut(&[&["n1", "n2", "n3"]]), "n1"), None);
    }

    #[test]
    fn a_check_that_was_not_asked_for_is_not_exercised() {
        let mut data = synthetic::stale_reads();
        data.findings.retain(|finding| finding.check != "convergent");
        let checks = checks(&data);
        assert_eq!(checks[0], ("linearizable".to_string(), State::Refuted));
        assert_eq!(checks[1], ("convergent".to_string(), State::NotExercised));
        assert_eq!(checks[2], ("available".to_string(), State::Unknown));
    }

    #[test]
    fn linearizability_is_the_first_of_what_was_refuted() {
        let mut data = synthetic::lost_writes();
        data.findings.reverse();
        let order: Vec<&str> = refuted(&data).iter().map(|f| f.check.as_str()).collect();
        assert_eq!(order, ["linearizable", "convergent"]);
    }
}

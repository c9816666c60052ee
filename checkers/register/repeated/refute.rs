//! The witness of a search that found no order.

use std::borrow::Borrow;
use std::collections::BTreeSet;

use super::budget::Budget;
use super::moments::{Candidate, Moments, Need};
use super::walk::{Ending, walk};
use crate::checker::Options;
use crate::clock::Clock;
use crate::finding::{Arrow, Relation, Witness};
use crate::history::Operation;
use crate::limits::Limits;
use crate::minimise::minimise;
use crate::register::step::{INITIAL, Steps, ValueId};
use crate::words::{few, found, who};

/// How many steps one test of a subset may take, and all of them together.
const STEPS_PER_TEST: u64 = 20_000;
const STEPS_OF_ALL_TESTS: u64 = 500_000;

/// How many suspects are tested first; more each time until they are refuted.
const FIRST_SUSPECTS: usize = 16;

/// Reduces what began before the moment where the search got stuck to a smallest set without an
/// order. To forget an operation means here that its value may be written at any time, any number
/// of times. If the steps do not suffice, the set may be larger than needed, and the sentence says
/// so.
pub(super) fn witness<O: Borrow<Operation>>(
    operations: &[O],
    compacted: &Steps<'_>,
    moments: &Moments<'_>,
    furthest: usize,
    options: &Options<'_>,
) -> Witness {
    let (suspects, likely) = suspects(moments, furthest);
    let writes = Writes::new(compacted);
    let mut left = STEPS_OF_ALL_TESTS.min(options.limits.steps);
    let mut undecided = false;
    let mut is_refuted = |set: &[Candidate]| {
        let free = writes.outside(set);
        let allowed = left.min(STEPS_PER_TEST);
        let mut budget = Budget::at_most(&options.limits, allowed);
        let ending = walk(&Moments::new(set, &free), &mut budget);
        left = left.saturating_sub(allowed - budget.left + set.len() as u64);
        undecided |= matches!(ending, Ending::Spent { .. });
        matches!(ending, Ending::Stuck { .. })
    };
    // Most often few suffice, and then there is no need to test the whole history.
    let mut few = FIRST_SUSPECTS.min(suspects.len());
    while few < suspects.len() && !is_refuted(&suspects[..few]) {
        few = if few < likely { likely } else { (2 * few).min(suspects.len()) };
    }
    let mut needed = minimise(&suspects[..few], &mut is_refuted);
    needed.sort_by_key(|candidate| (candidate.start, candidate.source));
    let free = writes.outside(&needed);
    let operation =
        |candidate: &Candidate| -> &Operation { operations[candidate.source as usize].borrow() };
    Witness {
        sentence: sentence(operation, compacted, &needed, &free, undecided, options.clock),
        operations: needed.iter().map(|candidate| operation(candidate).clone()).collect(),
        arrows: arrows(&needed, &free),
        instead: None,
    }
}

/// What contains a proof: what began before the search got stuck, and what writes values that it
/// needed only later. First the few that are nearest, then all that write what the operation
/// needed at which the search got stuck (up to the position that is returned too), then the rest,
/// the nearest first.
fn suspects(moments: &Moments<'_>, furthest: usize) -> (Vec<Candidate>, usize) {
    let Some(stuck) = moments.operation(furthest) else { return (Vec::new(), 0) };
    let (mut suspects, later): (Vec<Candidate>, Vec<Candidate>) =
        moments.candidates.iter().partition(|candidate| candidate.start <= stuck.finish);
    let needed: BTreeSet<Need> = suspects.iter().map(|candidate| candidate.need).collect();
    let too_late = later.into_iter().filter(|candidate| {
        candidate.writes.is_some_and(|value| needed.contains(&Need::Value(value)))
    });
    suspects.extend(too_late);
    suspects.sort_by_key(|candidate| candidate.start.abs_diff(stuck.finish));
    let near = FIRST_SUSPECTS.min(suspects.len());
    let is_writer = |candidate: &Candidate| {
        candidate.writes.is_some_and(|value| stuck.need == Need::Value(value))
    };
    suspects[near..].sort_by_key(|candidate| !is_writer(candidate));
    let likely = near + suspects[near..].partition_point(is_writer);
    (suspects, likely)
}

/// How many operations write each value.
struct Writes {
    by_value: Vec<u32>,
}

impl Writes {
    fn new(compacted: &Steps<'_>) -> Self {
        let mut by_value = vec![0; compacted.values.len()];
        for value in compacted.steps.iter().filter_map(|step| step.writes) {
            by_value[value as usize] += 1;
        }
        Self { by_value }
    }

    /// Values that someone needs in the set and that someone outside it may have written.
    fn outside(&self, set: &[Candidate]) -> Vec<ValueId> {
        let mut written: Vec<ValueId> =
            set.iter().filter_map(|candidate| candidate.writes).collect();
        written.sort_unstable();
        let is_outside = |value: ValueId| {
            let first = written.partition_point(|other| *other < value);
            let inside = written[first..].partition_point(|other| *other == value);
            self.by_value[value as usize] as usize > inside
        };
        let refusals = set.iter().any(|candidate| matches!(candidate.need, Need::Not(_)));
        let needed: BTreeSet<ValueId> = match refusals {
            true => (0..self.by_value.len() as ValueId).collect(),
            false => set
                .iter()
                .filter_map(|candidate| match candidate.need {
                    Need::Value(value) => Some(value),
                    _ => None,
                })
                .collect(),
        };
        needed.into_iter().filter(|value| is_outside(*value)).collect()
    }
}

fn sentence<'o>(
    operation: impl Fn(&Candidate) -> &'o Operation,
    compacted: &Steps<'_>,
    needed: &[Candidate],
    free: &[ValueId],
    undecided: bool,
    clock: Clock,
) -> String {
    let limits = Limits { steps: STEPS_PER_TEST, ..Limits::default() };
    let moments = Moments::new(needed, free);
    let stuck = match walk(&moments, &mut Budget::new(&limits)) {
        Ending::Stuck { furthest } => moments.operation(furthest),
        _ => None,
    };
    let at = match stuck {
        Some(stuck) => {
            let last = operation(stuck);
            let did = match stuck.need {
                Need::Value(value) => found(last, compacted.values[value as usize]),
                Need::Not(value) => {
                    format!("found another value than {}", compacted.values[value as usize])
                }
                Need::Anything => "was acknowledged".to_owned(),
            };
            let end = last.complete.unwrap_or_default();
            format!(" up to the instant when {} {did} ({})", who(last), clock.instant(end))
        }
        None => String::new(),
    };
    let others: Vec<String> =
        free.iter().map(|value| compacted.values[*value as usize].to_string()).collect();
    let whenever = match others.is_empty() {
        true => String::new(),
        false => format!(", whenever the other writes of {} took effect", few(&others, "and")),
    };
    let larger = match undecided {
        true => "; not all of these operations may be needed, the steps did not suffice to tell",
        false => "",
    };
    format!(
        "no order of these {} operations that respects real time explains what they returned\
         {at}{whenever}{larger}",
        needed.len()
    )
}

/// Who ended before who began, without what follows from others, and who read from whom where
/// only one of them can have written it.
fn arrows(needed: &[Candidate], free: &[ValueId]) -> Vec<Arrow> {
    let mut arrows = Vec::new();
    let before = |a: &Candidate, b: &Candidate| a.finish < b.start;
    for (from, a) in needed.iter().enumerate() {
        for (to, b) in needed.iter().enumerate() {
            let between = |c: &Candidate| before(a, c) && before(c, b);
            if before(a, b) && !needed.iter().any(between) {
                arrows.push(Arrow { from, to, relation: Relation::RealTime });
            }
        }
    }
    for (to, reader) in needed.iter().enumerate() {
        let Need::Value(value) = reader.need else { continue };
        let mut writers = (0..needed.len()).filter(|id| needed[*id].writes == Some(value));
        if let (Some(from), None) = (writers.next(), writers.next())
            && from != to
            && value != INITIAL
            && !free.contains(&value)
        {
            arrows.push(Arrow { from, to, relation: Relation::ReadsFrom });
        }
    }
    arrows
}

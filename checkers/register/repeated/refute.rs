//! The witness of a search that found no order.

use std::borrow::Borrow;
use std::collections::BTreeSet;

use super::moments::{Candidate, Moments, Need};
use super::walk::{Ending, walk};
use crate::clock::Clock;
use crate::finding::{Arrow, Relation, Witness};
use crate::history::Operation;
use crate::minimise::minimise;
use crate::register::Settings;
use crate::register::step::{INITIAL, Steps, ValueId};
use crate::words::{few, found, who};

/// How many steps one test of a subset may take.
const STEPS_PER_TEST: u64 = 20_000;

/// Reduces what began before the moment where the search got stuck to a smallest set without an
/// order. To forget an operation means here that its value may be written at any time, any number
/// of times. If the steps do not suffice, the set may be larger than needed, and the sentence says
/// so.
pub(super) fn witness<O: Borrow<Operation>>(
    operations: &[O],
    compacted: &Steps<'_>,
    moments: &Moments<'_>,
    furthest: usize,
    settings: &Settings,
) -> Witness {
    let suspects = suspects(moments, furthest);
    let mut left = settings.search_steps;
    let mut undecided = false;
    let mut needed = minimise(&suspects, &mut |set| {
        let free = forgotten(set, compacted);
        let allowed = left.min(STEPS_PER_TEST);
        let mut budget = allowed;
        let ending = Moments::new(set, &free).map(|moments| walk(&moments, &mut budget));
        left -= allowed - budget;
        undecided |= matches!(ending, Ok(Ending::Spent { .. }) | Err(_));
        matches!(ending, Ok(Ending::Stuck { .. }))
    });
    needed.sort_by_key(|candidate| (candidate.start, candidate.source));
    let free = forgotten(&needed, compacted);
    let operation =
        |candidate: &Candidate| -> &Operation { operations[candidate.source as usize].borrow() };
    Witness {
        sentence: sentence(operation, compacted, &needed, &free, undecided, settings.clock),
        operations: needed.iter().map(|candidate| operation(candidate).clone()).collect(),
        arrows: arrows(&needed, &free),
        instead: None,
    }
}

/// What contains a proof: what began before the search got stuck, and what writes values that it
/// needed only later.
fn suspects(moments: &Moments<'_>, furthest: usize) -> Vec<Candidate> {
    let stuck_at = moments.operation(furthest).finish;
    let (mut suspects, later): (Vec<Candidate>, Vec<Candidate>) =
        moments.candidates.iter().partition(|candidate| candidate.start <= stuck_at);
    let needed: BTreeSet<Need> = suspects.iter().map(|candidate| candidate.need).collect();
    let too_late = later.into_iter().filter(|candidate| {
        candidate.writes.is_some_and(|value| needed.contains(&Need::Value(value)))
    });
    suspects.extend(too_late);
    suspects.sort_by_key(|candidate| std::cmp::Reverse(candidate.start));
    suspects
}

/// Values that someone needs in the set and that someone outside it may have written.
fn forgotten(set: &[Candidate], compacted: &Steps<'_>) -> Vec<ValueId> {
    let inside: BTreeSet<u32> = set.iter().map(|candidate| candidate.source).collect();
    let needed: BTreeSet<ValueId> = set
        .iter()
        .filter_map(|candidate| match candidate.need {
            Need::Value(value) => Some(value),
            _ => None,
        })
        .collect();
    let refusals = set.iter().any(|candidate| matches!(candidate.need, Need::Not(_)));
    let written: BTreeSet<ValueId> = compacted
        .steps
        .iter()
        .filter(|step| !inside.contains(&step.source))
        .filter_map(|step| step.writes)
        .filter(|value| refusals || needed.contains(value))
        .collect();
    written.into_iter().collect()
}

fn sentence<'o>(
    operation: impl Fn(&Candidate) -> &'o Operation,
    compacted: &Steps<'_>,
    needed: &[Candidate],
    free: &[ValueId],
    undecided: bool,
    clock: Clock,
) -> String {
    let stuck = Moments::new(needed, free).ok().and_then(|moments| {
        let mut budget = STEPS_PER_TEST;
        match walk(&moments, &mut budget) {
            Ending::Stuck { furthest } => Some(*moments.operation(furthest)),
            _ => None,
        }
    });
    let at = match stuck {
        Some(stuck) => {
            let last = operation(&stuck);
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

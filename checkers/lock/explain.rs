//! The sentence of a violation of a lock, and the operations that prove it.
//!
//! To forget an operation means: its process may have acquired and released the lock as it liked
//! between those of its operations that are not forgotten. So where a tenure counts with its
//! length, both of its ends are shown.

use super::Violation;
use super::tenures::Tenure;
use crate::clock::Clock;
use crate::evidence::{answer, doer, witness};
use crate::finding::{Relation, Witness};
use crate::history::{Operation, Outcome};

pub(super) fn explain(violation: &Violation<'_>, clock: Clock) -> Witness {
    match violation {
        Violation::Overlap(first, second) => overlap(first, second, clock),
        Violation::ReleasedUnheld { before, release } => released_unheld(*before, release, clock),
        Violation::AcquiredTwice { first, second } => {
            let sentence = format!(
                "the {} was {}, and again {}, without a release in between",
                doer(first),
                answer(first, clock),
                answer(second, clock)
            );
            witness(sentence, &[first, second], &[(0, 1, Relation::ProcessOrder)])
        }
        Violation::StaleToken(first, second) => stale_token(first, second, clock),
        Violation::SameToken(first, second) => {
            let sentence = format!(
                "the {} and the {} both returned the fencing token {}",
                doer(first.acquire),
                doer(second.acquire),
                first.token.unwrap_or_default()
            );
            witness(sentence, &[first.acquire, second.acquire], &[])
        }
    }
}

/// Both tenures, without those of their ends that the proof can do without.
fn overlap(first: &Tenure<'_>, second: &Tenure<'_>, clock: Clock) -> Witness {
    let all = [first, second].map(|tenure| [Some(tenure.acquire), tenure.release]);
    let all: Vec<&Operation> = all.into_iter().flatten().flatten().collect();
    let mut shown = all.clone();
    for left_out in all {
        let rest: Vec<&Operation> =
            shown.iter().copied().filter(|shown| !std::ptr::eq(*shown, left_out)).collect();
        if overlap_shown(first, second, &rest) {
            shown = rest;
        }
    }
    let held = |tenure: &Tenure<'_>| {
        let until = match tenure.release {
            Some(release) => {
                format!("not released before {}", clock.instant(release.invoke))
            }
            None => "never released".to_owned(),
        };
        format!("the {}, {} and {until}", doer(tenure.acquire), answer(tenure.acquire, clock))
    };
    let sentence = format!("{}, and {}, both held the lock", held(first), held(second));
    witness(sentence, &shown, &[])
}

/// Whether the operations shown suffice: of a tenure that lacks one of its ends only the instant
/// of the other is known.
fn overlap_shown(first: &Tenure<'_>, second: &Tenure<'_>, shown: &[&Operation]) -> bool {
    let is_shown =
        |operation: &Operation| shown.iter().any(|shown| std::ptr::eq(*shown, operation));
    let bounds = |tenure: &Tenure<'_>| {
        let acquired = is_shown(tenure.acquire);
        let released = tenure.release.is_none_or(is_shown);
        match (acquired, released, tenure.release) {
            (true, true, _) => Some((tenure.lo, tenure.hi)),
            (true, false, _) => Some((tenure.lo, tenure.acquire.invoke.0 + 1)),
            (false, true, Some(release)) if release.outcome == Outcome::Ok => {
                Some((release.complete?.0 + 1, tenure.hi))
            }
            _ => None,
        }
    };
    match (bounds(first), bounds(second)) {
        (Some((lo1, hi1)), Some((lo2, hi2))) => hi1 > lo2 && hi2 > lo1,
        _ => false,
    }
}

fn released_unheld(before: Option<&Operation>, release: &Operation, clock: Clock) -> Witness {
    let claim =
        format!("the {} was {}, but its process had", doer(release), answer(release, clock));
    match before {
        None => witness(format!("{claim} never acquired the lock"), &[release], &[]),
        Some(before) => {
            let since = answer(before, clock);
            let sentence =
                format!("{claim} released the lock before, {since}, and not acquired it since");
            witness(sentence, &[before, release], &[(0, 1, Relation::ProcessOrder)])
        }
    }
}

/// The first tenure has to come before the second.
fn stale_token(first: &Tenure<'_>, second: &Tenure<'_>, clock: Clock) -> Witness {
    let (one, other) = (first.acquire, second.acquire);
    let tokens = [first, second].map(|tenure| tenure.token.unwrap_or_default());
    let mut shown = vec![one, other];
    let mut arrows = Vec::new();
    let why = match second.release {
        _ if one.complete.is_some_and(|end| end < other.invoke) => {
            arrows.push((0, 1, Relation::RealTime));
            format!("which began only at {}", clock.instant(other.invoke))
        }
        Some(release) => {
            shown.push(release);
            let held = clock.instant(release.invoke);
            format!("which was not released before {held} and so came later")
        }
        None => "which was never released and so came later".to_owned(),
    };
    let sentence = format!(
        "the {}, {}, returned the fencing token {}, but the {}, {why}, returned {}",
        doer(one),
        answer(one, clock),
        tokens[0],
        doer(other),
        tokens[1],
    );
    witness(sentence, &shown, &arrows)
}

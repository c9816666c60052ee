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
    let mut shown: Vec<&Operation> = all.into_iter().flatten().flatten().collect();
    for left_out in shown.clone() {
        let rest: Vec<&Operation> =
            shown.iter().copied().filter(|shown| !std::ptr::eq(*shown, left_out)).collect();
        let known = (Known::of(first, &rest), Known::of(second, &rest));
        if let (Some(one), Some(other)) = known
            && (one.overlaps(&other) || one.is_stale_before(&other) || other.is_stale_before(&one))
        {
            shown = rest;
        }
    }
    let (one, other) = (Known::of(first, &shown), Known::of(second, &shown));
    match (one, other) {
        (Some(one), Some(other)) if one.overlaps(&other) => {}
        (Some(one), Some(other)) if one.is_stale_before(&other) => {
            return stale_token(first, second, clock);
        }
        _ => return stale_token(second, first, clock),
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

/// What is known of a tenure if only some of its operations are.
struct Known {
    lo: u64,
    hi: u64,
    token: Option<i64>,
}

impl Known {
    /// Of a tenure that lacks one of its ends only the instant of the other is known.
    fn of(tenure: &Tenure<'_>, shown: &[&Operation]) -> Option<Known> {
        let is_shown =
            |operation: &Operation| shown.iter().any(|shown| std::ptr::eq(*shown, operation));
        let Tenure { lo, hi, token, acquire, release } = *tenure;
        match (is_shown(acquire), release) {
            (true, release) if release.is_none_or(is_shown) => Some(Known { lo, hi, token }),
            (true, _) => Some(Known { lo, hi: acquire.invoke.0.saturating_add(1), token }),
            (false, Some(release)) if is_shown(release) && release.outcome == Outcome::Ok => {
                let lo = release.complete?.0.saturating_add(1);
                Some(Known { lo, hi, token: None })
            }
            _ => None,
        }
    }

    fn overlaps(&self, other: &Known) -> bool {
        self.hi > other.lo && other.hi > self.lo
    }

    /// It has to come before the other and has no lesser token.
    fn is_stale_before(&self, other: &Known) -> bool {
        match (self.token, other.token) {
            (Some(token), Some(later)) => token >= later && other.hi > self.lo,
            _ => false,
        }
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

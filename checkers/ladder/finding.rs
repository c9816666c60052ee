//! The finding `ladder`: every model at once, in the form that all checkers share.

use super::steps::{Ladder, Standing, ladder};
use super::{FUNCTIONS, Model};
use crate::checker::{Checker, Scope};
use crate::finding::{Finding, Validity};
use crate::words::{count, list};

/// Every model of the ladder. Valid if linearizable; refuted with the witness of the weakest model
/// that has one, which says most.
pub const LADDER: Checker = Checker {
    name: "ladder",
    check: "ladder",
    about: "every model from linearizable down to eventual: which are refuted; as they cost",
    functions: FUNCTIONS,
    scope: Scope::Whole(|history, options| finding(&ladder(history, options))),
};

fn finding(ladder: &Ladder) -> Finding {
    let linearizable = ladder.step(Model::Linearizable);
    let own = linearizable.finding.as_ref();
    let decisive = match linearizable.standing {
        Standing::Refuted => ladder.weakest_refuted().or(own),
        Standing::NotRefuted | Standing::Unknown | Standing::NotExercised => own,
    };
    let told = Standing::ALL.into_iter().filter_map(|standing| {
        let names: Vec<&str> = ladder.standing(standing).map(Model::name).collect();
        (!names.is_empty()).then(|| format!("{}: {}", standing.as_str(), list(&names)))
    });
    let operations = own.map_or(0, |finding| finding.operations);
    let told: Vec<String> = told.collect();
    Finding {
        check: LADDER.check.to_owned(),
        validity: decisive.map_or(Validity::Valid, |finding| finding.validity.clone()),
        summary: format!("{}: {}", count(operations, "operation"), told.join("; ")),
        operations,
        violations: decisive.map_or(0, |finding| finding.violations),
        keys: decisive.map(|finding| finding.keys.clone()).unwrap_or_default(),
    }
}

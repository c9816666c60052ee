//! All steps at once, with what follows from one step for the others.

use serde::{Deserialize, Serialize};

use super::asked::Asked;
use super::model::Model;
use crate::checker::Options;
use crate::finding::{Finding, Validity};
use crate::history::History;

/// Where a model stands after a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// There is a witness, of this model or of one that follows from it.
    Refuted,
    /// A complete check found nothing.
    NotRefuted,
    /// A limit was reached, or the history does not tell who read what.
    Unknown,
    /// Nothing in the history could have refuted it.
    NotExercised,
}

impl Standing {
    /// Every standing, in the order in which they are told.
    pub const ALL: [Standing; 4] =
        [Standing::Refuted, Standing::NotRefuted, Standing::Unknown, Standing::NotExercised];

    /// As reports say it: `not refuted`.
    pub fn as_str(self) -> &'static str {
        match self {
            Standing::Refuted => "refuted",
            Standing::NotRefuted => "not refuted",
            Standing::Unknown => "unknown",
            Standing::NotExercised => "not exercised",
        }
    }
}

/// One step of the ladder.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Step {
    pub model: Model,
    pub standing: Standing,
    /// The other model from whose answer this one's follows. The witness is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub follows_from: Option<Model>,
    /// What the model's own check said; none if it was not asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finding: Option<Finding>,
}

/// The answer of every model on one history.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ladder {
    /// [`Model::STEPS`], strongest first.
    pub steps: Vec<Step>,
    /// Causal convergence and causal consistency: beside causal memory, not between two steps.
    pub beside: Vec<Step>,
}

impl Ladder {
    /// The step of a model.
    pub fn step(&self, model: Model) -> &Step {
        let position = Model::ALL.iter().position(|other| *other == model).unwrap_or(0);
        let count = self.steps.len();
        if position < count { &self.steps[position] } else { &self.beside[position - count] }
    }

    /// The steps that stand so, strongest first.
    pub fn standing(&self, standing: Standing) -> impl Iterator<Item = Model> {
        let steps = self.steps.iter().filter(move |step| step.standing == standing);
        steps.map(|step| step.model)
    }

    /// What the check of the lowest step said that has a witness of its own.
    pub fn weakest_refuted(&self) -> Option<&Finding> {
        let mut findings = self.steps.iter().rev().filter_map(|step| step.finding.as_ref());
        findings.find(|finding| finding.validity.is_invalid())
    }
}

/// The order in which models are asked: those that are cheap or that nothing else can answer,
/// then the others from the weakest on.
const ORDER: [Model; 11] = [
    Model::Linearizable,
    Model::Eventual,
    Model::ReadYourWrites,
    Model::MonotonicReads,
    Model::MonotonicWrites,
    Model::WritesFollowReads,
    Model::Pram,
    Model::Causal,
    Model::CausalConvergence,
    Model::CausalMemory,
    Model::Sequential,
];

/// The first so many of [`ORDER`] are asked in any case: only they themselves can say whether the
/// history exercised them.
const ASKED_IN_ANY_CASE: usize = 6;

/// Asks every model, each of the dearer ones only if its answer does not follow from another:
/// what holds for a stronger model holds for the weaker, and what refutes a weaker one refutes
/// the stronger. So no two steps ever contradict each other.
pub fn ladder(history: &History, options: &Options<'_>) -> Ladder {
    let asked = Asked::new(history, options);
    let mut findings: [Option<Answered>; Model::ALL.len()] = Default::default();
    for (turn, model) in ORDER.into_iter().enumerate() {
        let follows = refuted_below(model, &findings).or(held_above(model, &findings));
        if turn < ASKED_IN_ANY_CASE || follows.is_none() {
            findings[model as usize] = Some(asked.ask(model));
        }
    }
    let mut steps: Vec<Step> = Model::ALL.iter().map(|model| step(*model, &findings)).collect();
    let beside = steps.split_off(Model::STEPS.len());
    Ladder { steps, beside }
}

/// What a model's own check said.
#[derive(Debug)]
pub(super) struct Answered {
    pub finding: Finding,
    pub exercised: bool,
}

impl Answered {
    fn standing(&self) -> Standing {
        match self.finding.validity {
            _ if !self.exercised => Standing::NotExercised,
            Validity::Valid => Standing::NotRefuted,
            Validity::Unknown { .. } => Standing::Unknown,
            Validity::Invalid { .. } => Standing::Refuted,
        }
    }
}

fn stands(model: Model, findings: &[Option<Answered>], standing: Standing) -> bool {
    findings[model as usize].as_ref().is_some_and(|answered| answered.standing() == standing)
}

/// A weaker model that is refuted.
fn refuted_below(model: Model, findings: &[Option<Answered>]) -> Option<Model> {
    let mut weaker = Model::ALL.into_iter().filter(|other| model.is_stronger_than(*other));
    weaker.find(|other| stands(*other, findings, Standing::Refuted))
}

/// A stronger model that was not refuted by a complete check.
fn held_above(model: Model, findings: &[Option<Answered>]) -> Option<Model> {
    let mut stronger = Model::ALL.into_iter().filter(|other| other.is_stronger_than(model));
    stronger.find(|other| stands(*other, findings, Standing::NotRefuted))
}

fn step(model: Model, findings: &[Option<Answered>]) -> Step {
    let own = findings[model as usize].as_ref();
    let finding = own.map(|answered| answered.finding.clone());
    let own = own.map_or(Standing::Unknown, Answered::standing);
    let below = refuted_below(model, findings);
    let above = held_above(model, findings);
    let (standing, follows_from) = match own {
        Standing::Refuted => (own, None),
        _ if below.is_some() => (Standing::Refuted, below),
        Standing::Unknown if above.is_some() => (Standing::NotRefuted, above),
        _ => (own, None),
    };
    Step { model, standing, follows_from, finding }
}

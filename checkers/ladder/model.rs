//! The models of the ladder, and which implies which.

use serde::{Deserialize, Serialize};

use super::answer::Answer;
use super::frame::Frame;
use super::guarantees::{self, Guarantee, Kept};
use super::views::{self, Cause};
use super::{causal, causal_convergence, sequential};
use crate::limits::Limits;

/// A promise that a store of registers may keep. The first nine are the steps of the ladder from
/// the top, the last two stand beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Model {
    Linearizable,
    Sequential,
    CausalMemory,
    Pram,
    WritesFollowReads,
    MonotonicWrites,
    MonotonicReads,
    ReadYourWrites,
    Eventual,
    CausalConvergence,
    Causal,
}

impl Model {
    /// Every model.
    pub const ALL: [Model; 11] = [
        Model::Linearizable,
        Model::Sequential,
        Model::CausalMemory,
        Model::Pram,
        Model::WritesFollowReads,
        Model::MonotonicWrites,
        Model::MonotonicReads,
        Model::ReadYourWrites,
        Model::Eventual,
        Model::CausalConvergence,
        Model::Causal,
    ];

    /// The steps of the ladder, from the top.
    pub const STEPS: &'static [Model] = Model::ALL.split_at(9).0;

    /// As in a registry or a report: `causal-memory`.
    pub const fn name(self) -> &'static str {
        match self {
            Model::Linearizable => "linearizable",
            Model::Sequential => "sequential",
            Model::CausalMemory => "causal-memory",
            Model::Pram => "pram",
            Model::WritesFollowReads => "writes-follow-reads",
            Model::MonotonicWrites => "monotonic-writes",
            Model::MonotonicReads => "monotonic-reads",
            Model::ReadYourWrites => "read-your-writes",
            Model::Eventual => "eventual",
            Model::CausalConvergence => "causal-convergence",
            Model::Causal => "causal",
        }
    }

    /// What a history lacks in which nothing could have refuted the model.
    pub(super) fn exercised_by(self) -> &'static str {
        match self {
            Model::Eventual => {
                "no two processes read a key long after the last write of it was acknowledged"
            }
            Model::ReadYourWrites => "no process read a key that it had written",
            Model::MonotonicReads => "no process read a key twice",
            Model::MonotonicWrites => {
                "no process read what another wrote, and then a key that the other had written \
                 before"
            }
            Model::WritesFollowReads => {
                "no process read what another wrote, and then a key that the other had read before"
            }
            _ => "no operation was acknowledged that says what was there",
        }
    }

    /// The models that directly follow from this one.
    pub fn implies(self) -> &'static [Model] {
        match self {
            Model::Linearizable => &[Model::Sequential, Model::Eventual],
            Model::Sequential => &[Model::CausalMemory, Model::CausalConvergence],
            Model::CausalMemory => &[Model::Causal, Model::Pram, Model::WritesFollowReads],
            Model::CausalConvergence => &[
                Model::Causal,
                Model::WritesFollowReads,
                Model::MonotonicWrites,
                Model::MonotonicReads,
            ],
            Model::Pram => &[Model::MonotonicWrites, Model::MonotonicReads, Model::ReadYourWrites],
            Model::Causal => &[Model::ReadYourWrites],
            Model::WritesFollowReads
            | Model::MonotonicWrites
            | Model::MonotonicReads
            | Model::ReadYourWrites
            | Model::Eventual => &[],
        }
    }

    /// Whether the other follows from this one, be it over others.
    pub fn is_stronger_than(self, other: Model) -> bool {
        self.implies().iter().any(|next| *next == other || next.is_stronger_than(other))
    }
}

/// A model that is decided on a [`Frame`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FrameModel {
    Sequential,
    View(Cause),
    CausalConvergence,
    Causal,
    Guarantee(Guarantee),
}

impl FrameModel {
    /// That of a model; `None` for those that are about real time.
    pub fn of(model: Model) -> Option<Self> {
        Some(match model {
            Model::Linearizable | Model::Eventual => return None,
            Model::Sequential => FrameModel::Sequential,
            Model::CausalMemory => FrameModel::View(Cause::Anyone),
            Model::Pram => FrameModel::View(Cause::Itself),
            Model::CausalConvergence => FrameModel::CausalConvergence,
            Model::Causal => FrameModel::Causal,
            Model::WritesFollowReads => FrameModel::Guarantee(Guarantee::WritesFollowReads),
            Model::MonotonicWrites => FrameModel::Guarantee(Guarantee::MonotonicWrites),
            Model::MonotonicReads => FrameModel::Guarantee(Guarantee::MonotonicReads),
            Model::ReadYourWrites => FrameModel::Guarantee(Guarantee::ReadYourWrites),
        })
    }

    /// Decides the model.
    pub fn check(self, frame: &Frame, limits: &Limits<'_>) -> Kept {
        let answer = match self {
            FrameModel::Sequential => sequential::check(frame, limits),
            FrameModel::View(cause) => views::check(frame, cause, limits),
            FrameModel::CausalConvergence => causal_convergence::check(frame, limits),
            FrameModel::Causal => causal::check(frame, limits),
            FrameModel::Guarantee(guarantee) => return guarantees::check(frame, guarantee, limits),
        };
        Kept { answer, tests: frame.observations(), disagreement: false }
    }

    /// Whether it is refuted for sure, within a small budget.
    pub fn refutes(self, frame: &Frame, limits: &Limits<'_>) -> bool {
        let answer: Answer = self.check(frame, limits).answer;
        answer.is_refuted()
    }
}

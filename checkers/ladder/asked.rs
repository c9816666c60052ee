//! One model asked about one history.

use super::answer::Answer;
use super::compact::{Compact, compact};
use super::eventual;
use super::guarantees::Kept;
use super::model::{FrameModel, Model};
use super::steps::Answered;
use super::witness::witness;
use crate::checker::Options;
use crate::finding::{Finding, Validity, Witness};
use crate::history::{Function, History, Name, Operation};
use crate::keys;
use crate::register;
use crate::words::count;

/// A history, prepared once for all models.
pub(super) struct Asked<'a> {
    history: &'a History,
    options: &'a Options<'a>,
    compact: Result<Compact<'a>, String>,
}

impl<'a> Asked<'a> {
    pub fn new(history: &'a History, options: &'a Options<'a>) -> Self {
        Asked { history, options, compact: compact(history, &options.initial) }
    }

    pub fn ask(&self, model: Model) -> Answered {
        match FrameModel::of(model) {
            Some(on_frame) => self.ask_frame(model, on_frame),
            None if model == Model::Eventual => self.ask_eventual(),
            None => self.ask_linearizable(),
        }
    }

    /// As [`Asked::ask`]; but what is linearizable is sequential, which is far cheaper to see.
    pub fn ask_sequential(&self) -> Answered {
        let linearizable = self.ask_linearizable();
        if linearizable.exercised && linearizable.finding.validity.is_valid() {
            return self.answered(Model::Sequential, Validity::Valid, true, 0, None);
        }
        self.ask(Model::Sequential)
    }

    fn ask_frame(&self, model: Model, on_frame: FrameModel) -> Answered {
        let compact = match &self.compact {
            Ok(compact) => compact,
            Err(reason) => {
                let validity = Validity::Unknown { reason: reason.clone() };
                return self.answered(model, validity, true, 0, None);
            }
        };
        let Kept { answer, tests, disagreement } =
            on_frame.check(&compact.frame, &self.options.limits);
        let note = disagreement.then_some(
            "no session contradicts itself, but they do not agree on one order of versions",
        );
        let (validity, violations) = match answer {
            Answer::Refuted(refuted) => {
                let found = witness(compact, on_frame, &refuted.evidence, self.options.clock);
                (Validity::Invalid { witness: Box::new(found) }, refuted.count)
            }
            Answer::Spent(spent) => (Validity::Unknown { reason: spent.to_string() }, 0),
            Answer::Consistent => match &compact.ambiguous {
                Some(reason) => (Validity::Unknown { reason: reason.clone() }, 0),
                None => (Validity::Valid, 0),
            },
        };
        let exercised = tests > 0 || compact.ambiguous.is_some() || validity.is_invalid();
        self.answered(model, validity, exercised, violations, note)
    }

    fn ask_eventual(&self) -> Answered {
        let found = match eventual::check(self.history, &self.options.initial) {
            Ok(found) => found,
            Err(reason) => {
                let validity = Validity::Unknown { reason };
                return self.answered(Model::Eventual, validity, true, 0, None);
            }
        };
        let validity = match found.disagreements.first() {
            Some(first) => {
                Validity::Invalid { witness: Box::new(first.witness(self.options.clock)) }
            }
            None => Validity::Valid,
        };
        let exercised = found.tests > 0;
        self.answered(Model::Eventual, validity, exercised, found.disagreements.len(), None)
    }

    fn ask_linearizable(&self) -> Answered {
        let check = Model::Linearizable.name();
        let is_transaction = |operation: &&Operation| operation.f.as_str() == "txn";
        if self.history.operations.iter().any(|operation| is_transaction(&operation)) {
            let reason = "transactions are not single operations on one register; whether they are \
                          strictly serializable is another check";
            let validity = Validity::Unknown { reason: reason.to_owned() };
            return self.answered(Model::Linearizable, validity, true, 0, None);
        }
        let results: Vec<(Option<Name>, keys::KeyResult)> = keys::split_by_key(self.history)
            .into_iter()
            .map(|(key, operations)| (key, register::check_key(&operations, self.options)))
            .collect();
        let exercised = results
            .iter()
            .any(|(_, result)| result.observations > 0 || !result.validity.is_valid());
        let mut finding = keys::finding(check, results);
        let touching = self.compact.as_ref().is_ok_and(|compact| compact.touching);
        if finding.validity.is_valid() && touching {
            // At such a reading linearizability takes a process's own operations for concurrent.
            let reason = "a process began an operation at the very reading of the clock at which \
                          its last one ended, so that real time does not tell their order";
            finding.validity = Validity::Unknown { reason: reason.to_owned() };
            finding.summary = format!("{}: {reason}", self.looked_at());
        }
        Answered { finding, exercised }
    }

    fn looked_at(&self) -> String {
        match &self.compact {
            Ok(Compact { frame, operations, .. }) => format!(
                "{} in {}",
                count(operations.len(), "operation"),
                count(frame.sessions(), "session")
            ),
            Err(_) => count(self.history.operations.len(), "operation"),
        }
    }

    fn answered(
        &self,
        model: Model,
        validity: Validity,
        exercised: bool,
        violations: usize,
        note: Option<&str>,
    ) -> Answered {
        let check = model.name();
        let validity = match validity {
            Validity::Valid if !exercised => {
                Validity::Unknown { reason: format!("not exercised: {}", model.exercised_by()) }
            }
            other => other,
        };
        let said = match &validity {
            Validity::Valid => check.to_owned(),
            Validity::Unknown { reason } => reason.clone(),
            Validity::Invalid { .. } => {
                format!("{check} refuted, {}", count(violations, "violation"))
            }
        };
        let note = note.map(|note| format!("; {note}")).unwrap_or_default();
        let is_looked_at = |operation: &&Operation| operation.f != Function::ReplicaRead;
        let finding = Finding {
            check: check.to_owned(),
            summary: format!("{}: {said}{note}", self.looked_at()),
            keys: validity.witness().map(keys_of).unwrap_or_default(),
            operations: self.history.operations.iter().filter(is_looked_at).count(),
            violations,
            validity,
        };
        Answered { finding, exercised }
    }
}

/// The keys of a witness, in its order.
fn keys_of(witness: &Witness) -> Vec<Name> {
    let mut keys: Vec<Name> = Vec::new();
    for key in witness.operations.iter().filter_map(|operation| operation.key.as_ref()) {
        if !keys.contains(key) {
            keys.push(key.clone());
        }
    }
    keys
}

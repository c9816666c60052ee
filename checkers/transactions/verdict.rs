//! What the anomalies say of each model.

use serde::Serialize;

use super::analysis::Analysis;
use super::anomaly::Anomaly;
use super::model::Model;
use super::parse::Parsed;
use super::versions::Versions;
use super::witness::witness;
use crate::checker::Options;
use crate::finding::{Finding, Validity};
use crate::history::History;
use crate::words::count;

/// What transactions do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Workload {
    /// `[append key element]` and `[r key list]`.
    ListAppend,
    /// `[w key value]` and `[r key value]`.
    RwRegister,
}

impl Workload {
    /// What its micro-operations look like.
    pub(super) fn form(self) -> &'static str {
        match self {
            Workload::ListAppend => "`[append key element]` and no `[r key list]`",
            Workload::RwRegister => "`[w key value]` and no `[r key value]`",
        }
    }
}

/// Whether a model was kept.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "standing", rename_all = "kebab-case")]
pub enum Standing {
    /// A complete check found nothing that the model forbids.
    NotRefuted,
    /// This shows that it was not kept.
    Refuted { by: Anomaly },
    /// Nothing that it forbids was found, but not all could be looked at.
    Unknown { reason: String },
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ModelVerdict {
    pub model: Model,
    #[serde(flatten)]
    pub standing: Standing,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AnomalyCount {
    pub anomaly: Anomaly,
    /// Of cycles: tangles of transactions in which this is the worst.
    pub count: usize,
}

/// All that is said of the transactions of a history.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Transactions {
    pub transactions: usize,
    /// Acknowledged, or unanswered and seen by an acknowledged one.
    pub committed: usize,
    pub keys: usize,
    /// Reads by acknowledged transactions.
    pub reads: usize,
    /// The most severe first.
    pub anomalies: Vec<AnomalyCount>,
    /// The weakest first.
    pub models: Vec<ModelVerdict>,
    /// Those that are not refuted and that no other such model implies.
    pub strongest: Vec<Model>,
}

impl Transactions {
    fn new(analysis: &Analysis<'_>) -> Self {
        let Analysis { parsed, versions, tally, .. } = analysis;
        let anomalies = tally.found.iter();
        let models: Vec<ModelVerdict> = Model::ALL
            .into_iter()
            .map(|model| ModelVerdict { model, standing: standing(analysis, model) })
            .collect();
        let kept: Vec<Model> = models
            .iter()
            .filter(|verdict| verdict.standing == Standing::NotRefuted)
            .map(|verdict| verdict.model)
            .collect();
        let is_strongest =
            |model: &Model| !kept.iter().any(|other| other != model && other.implies(*model));
        Transactions {
            transactions: parsed.transactions.len(),
            committed: versions.is_committed.iter().filter(|committed| **committed).count(),
            keys: parsed.keys.len(),
            reads: parsed.reads.len(),
            anomalies: anomalies
                .map(|(anomaly, found)| AnomalyCount { anomaly: *anomaly, count: found.count })
                .collect(),
            strongest: kept.iter().copied().filter(is_strongest).collect(),
            models,
        }
    }

    /// Whether the model was kept.
    pub fn standing(&self, model: Model) -> &Standing {
        // Every model has its place.
        &self.models[model as usize].standing
    }
}

/// Takes a history of transactions apart; an error says which operation is none.
pub fn analyse(
    history: &History,
    workload: Workload,
    options: &Options<'_>,
) -> Result<Transactions, String> {
    let analysis = Analysis::new(history, workload, options)?;
    Ok(Transactions::new(&analysis))
}

fn standing(analysis: &Analysis<'_>, model: Model) -> Standing {
    let by = analysis.tally.found.keys().find(|anomaly| anomaly.contradicts(model));
    if let Some(by) = by {
        return Standing::Refuted { by: *by };
    }
    let is_kept = |stronger: Model| {
        stronger.implies(model)
            && !analysis.tally.contradicts(stronger)
            && open_question(analysis, stronger).is_none()
    };
    match open_question(analysis, model) {
        Some(reason) if !Model::ALL.into_iter().any(is_kept) => Standing::Unknown { reason },
        _ => Standing::NotRefuted,
    }
}

/// Why a model that nothing contradicts may still not have been kept.
fn open_question(analysis: &Analysis<'_>, model: Model) -> Option<String> {
    use Model::*;
    let Analysis { versions, tally, replayed, .. } = analysis;
    if replayed.is_some_and(|replayed| replayed.implies(model)) {
        return None;
    }
    let Versions { ambiguous, undecided, unordered, .. } = *versions;
    let incomplete =
        |keys: usize| format!("the version order is incomplete for {}", count(keys, "key"));
    if ambiguous > 0 {
        let keys = count(ambiguous, "key");
        return Some(format!("a value was written twice, or was there before, in {keys}"));
    }
    match model {
        ReadUncommitted => {
            let is_unsure = tally.has_unsure_overwrites
                || tally.found.contains_key(&Anomaly::IncompatibleOrder);
            return is_unsure.then(|| {
                "the order of overwrites is known only where uncommitted values are not read"
                    .to_owned()
            });
        }
        ReadCommitted => return None,
        _ => {}
    }
    if tally.is_cut {
        return Some("the transactions are too entangled to look at every cycle".to_owned());
    }
    match model {
        ParallelSnapshotIsolation
        | SnapshotIsolation
        | StrongSessionSnapshotIsolation
        | StrongSnapshotIsolation
            if unordered > 0 =>
        {
            Some(incomplete(unordered))
        }
        _ if undecided > 0 => Some(incomplete(undecided)),
        _ => None,
    }
}

/// The finding of a check of the isolation that the options ask for.
pub(super) fn finding(history: &History, workload: Workload, options: &Options<'_>) -> Finding {
    let model = options.isolation.unwrap_or(Model::Serializable);
    let operations = history.operations.len();
    let analysis = match Analysis::new(history, workload, options) {
        Ok(analysis) => analysis,
        Err(reason) => {
            let summary = format!("{}: {reason}", count(operations, "operation"));
            let validity = Validity::Unknown { reason };
            let check = model.name().to_owned();
            return Finding { check, validity, summary, operations, violations: 0, keys: vec![] };
        }
    };
    let result = Transactions::new(&analysis);
    let validity = match result.standing(model) {
        Standing::Refuted { .. } => match witness(&analysis, model, options) {
            Some(witness) => Validity::Invalid { witness: Box::new(witness) },
            None => Validity::Unknown { reason: "the refutation has no proof".to_owned() },
        },
        Standing::Unknown { reason } => {
            Validity::Unknown { reason: format!("not refuted, but {reason}") }
        }
        Standing::NotRefuted if result.reads == 0 => Validity::Unknown {
            reason: "not exercised: no transaction was acknowledged that read something".to_owned(),
        },
        Standing::NotRefuted => Validity::Valid,
    };
    let violations = analysis.tally.found.iter();
    Finding {
        check: model.name().to_owned(),
        summary: summary(&analysis.parsed, &result, &validity, model),
        operations,
        violations: violations
            .filter(|(anomaly, _)| anomaly.contradicts(model))
            .map(|(_, found)| found.count)
            .sum(),
        keys: Vec::new(),
        validity,
    }
}

fn summary(
    parsed: &Parsed<'_>,
    result: &Transactions,
    validity: &Validity,
    model: Model,
) -> String {
    let said = match validity {
        Validity::Valid => model.to_string(),
        Validity::Unknown { reason } => reason.clone(),
        Validity::Invalid { .. } => {
            let found: Vec<String> = result
                .anomalies
                .iter()
                .map(|found| format!("{} {}", found.count, found.anomaly))
                .collect();
            let kept: Vec<String> = result.strongest.iter().map(Model::to_string).collect();
            let kept = match kept.is_empty() {
                true => "no model".to_owned(),
                false => kept.join(" and "),
            };
            format!("not {model}: {}; not refuted: {kept}", found.join(", "))
        }
    };
    format!(
        "{} on {}: {said}",
        count(parsed.transactions.len(), "transaction"),
        count(parsed.keys.len(), "key")
    )
}

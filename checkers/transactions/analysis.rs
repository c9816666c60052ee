//! One history, analysed: its versions, and what is wrong.

use super::cycle::{ANTI, LINK, OVERWRITES, PROCESS, READS, REAL_TIME};
use super::graph::Graph;
use super::model::Model;
use super::parse::Parsed;
use super::replay::replay;
use super::tally::Tally;
use super::versions::Versions;
use super::{Workload, internal, keywise, lists, registers, search};
use crate::checker::Options;
use crate::history::{History, Operation, Value};
use crate::limits::Limits;

pub(super) struct Analysis<'h> {
    pub history: &'h History,
    pub parsed: Parsed<'h>,
    pub versions: Versions,
    pub tally: Tally,
    /// The strongest model for which a serial order was found where the versions give none.
    pub replayed: Option<Model>,
}

impl<'h> Analysis<'h> {
    /// An error says which operation is no transaction of the workload.
    pub fn new(
        history: &'h History,
        workload: Workload,
        options: &Options<'_>,
    ) -> Result<Self, String> {
        let mut parsed = Parsed::new(history, workload)?;
        let mut tally = Tally::default();
        let versions = match workload {
            Workload::ListAppend => lists::resolve(&mut parsed, &mut tally),
            Workload::RwRegister => registers::resolve(&mut parsed, &mut tally, &options.initial),
        };
        internal::find(&parsed, &versions, &mut tally);
        let graph = Graph::new(&parsed, &versions);
        search::cycles(&parsed, &versions, &graph, &options.limits, &mut tally);
        let mut analysis = Analysis { history, parsed, versions, tally, replayed: None };
        if analysis.versions.undecided > 0 && analysis.versions.ambiguous == 0 {
            analysis.replayed = analysis.replay(&graph, &options.limits);
            let Analysis { parsed, versions, tally, replayed, .. } = &mut analysis;
            let strict = Model::StrictSerializable;
            if *replayed != Some(strict) && !tally.contradicts(strict) {
                keywise::find(history, parsed, versions, options, tally);
            }
        }
        Ok(analysis)
    }

    fn replay(&self, graph: &Graph, limits: &Limits<'_>) -> Option<Model> {
        let keys = OVERWRITES | READS | ANTI | LINK;
        let mut orders = [
            (Model::StrictSerializable, keys | PROCESS | REAL_TIME),
            (Model::StrongSessionSerializable, keys | PROCESS),
            (Model::Serializable, keys),
        ]
        .into_iter()
        .filter(|(model, _)| !self.tally.contradicts(*model));
        orders
            .find(|(_, kinds)| replay(&self.parsed, &self.versions, graph, *kinds, limits))
            .map(|o| o.0)
    }

    pub fn operation(&self, transaction: u32) -> &'h Operation {
        let position = self.parsed.transactions[transaction as usize].operation;
        &self.history.operations[position as usize]
    }

    /// What the micro-operation at this position of all carried or returned.
    pub fn value(&self, transaction: u32, step: u32) -> &'h Value {
        let Operation { input, output, outcome, .. } = self.operation(transaction);
        let micro_operations = if *outcome == crate::history::Outcome::Ok { output } else { input };
        let position = step as usize - self.parsed.range(transaction).start;
        let parts = |value: &'h Value| match value {
            Value::List(parts) => parts.as_ref(),
            _ => &[],
        };
        parts(micro_operations)
            .get(position)
            .map_or(&Value::Nil, |form| parts(form).get(2).unwrap_or(&Value::Nil))
    }

    pub fn key(&self, key: u32) -> &'h Value {
        self.parsed.keys[key as usize]
    }

    /// The value of a write.
    pub fn written(&self, write: u32) -> &'h Value {
        self.parsed.writes[write as usize].value
    }
}

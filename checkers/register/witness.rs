//! From a violation in a long history to the smallest set of operations that proves it.
//!
//! To forget an operation means: a read is left out; of a write or a cas nothing remains but
//! that its value may have been written once, at some time. What is impossible with operations
//! forgotten is impossible with them, so a set that is refuted alone refutes the history; and a
//! set is smallest if forgetting any member makes the rest possible.

use std::borrow::Borrow;
use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::{FxHashMap, FxHashSet};

use super::chains::Analysis;
use super::explain::{Explanation, explain};
use super::step::{AFTER_ALL, BEFORE_ALL, INITIAL, Step, Steps, ValueId};
use crate::clock::Clock;
use crate::finding::{Arrow, Relation, Witness};
use crate::history::Operation;
use crate::minimise::minimise;

/// How many steps all tests of subsets may look at together. Enough for hundreds of needed
/// operations; a chain of thousands of cas, each of them needed, stays as it was found.
const STEPS_TO_MINIMISE: usize = 5_000_000;

/// Builds the witness of the worst violation of an analysis; `None` if there is none.
pub(super) fn witness<O: Borrow<Operation>>(
    operations: &[O],
    compacted: &Steps<'_>,
    analysis: &Analysis<'_>,
    clock: Clock,
) -> Option<Witness> {
    let evidence = analysis.parts.evidence(analysis.tally.worst()?);
    let candidates: Vec<u32> = evidence.into_iter().collect();
    let mut left = STEPS_TO_MINIMISE;
    let mut all_tested = true;
    let ids = minimise(&candidates, &mut |ids| {
        let can_test = left >= ids.len();
        all_tested &= can_test;
        left = left.saturating_sub(ids.len());
        can_test && forget(analysis, ids, None).is_refuted()
    });
    let alone = forget(analysis, &ids, None);
    let remaining = Analysis::new(&alone.steps, alone.values.len());
    let mut explanation = explain(operations, compacted, analysis, &alone, &remaining, clock)?;
    if !all_tested {
        explanation.sentence += "; not all of these operations may be needed, they are too many \
                                 to try each";
    }
    Some(assemble(operations, compacted, &ids, analysis, explanation))
}

/// A few steps of an analysis with all others forgotten.
pub(super) struct Alone {
    pub steps: Vec<Step>,
    /// What each value is called in the whole analysis.
    pub values: Vec<ValueId>,
}

impl Alone {
    pub fn is_refuted(&self) -> bool {
        Analysis::new(&self.steps, self.values.len()).tally.violations > 0
    }
}

/// Forgets all but `ids`. With `instead`, the step of that number found that value instead.
pub(super) fn forget(
    analysis: &Analysis<'_>,
    ids: &[u32],
    instead: Option<(u32, ValueId)>,
) -> Alone {
    let parts = &analysis.parts;
    let mut numbers = BTreeMap::from([(INITIAL, INITIAL)]);
    let mut values = vec![INITIAL];
    let mut number = |value: ValueId| {
        *numbers.entry(value).or_insert_with(|| {
            values.push(value);
            (values.len() - 1) as ValueId
        })
    };
    let mut steps = Vec::with_capacity(2 * ids.len());
    let kept: FxHashSet<u32> = ids.iter().copied().collect();
    let mut forgotten = BTreeSet::new();
    for &id in ids {
        let step = parts.steps[id as usize];
        let observes = match instead {
            Some((changed, value)) if changed == id => Some(value),
            _ => parts.observed(&step),
        };
        if let Some(writer) = observes.and_then(|value| parts.writer(value))
            && !kept.contains(&writer)
        {
            forgotten.insert(writer);
        }
        steps.push(Step {
            observes: observes.map(&mut number),
            writes: step.writes.map(&mut number),
            ..step
        });
    }
    for writer in forgotten {
        let step = parts.steps[writer as usize];
        steps.push(Step {
            start: BEFORE_ALL,
            finish: AFTER_ALL,
            observes: None,
            writes: step.writes.map(&mut number),
            sure: false,
            ..step
        });
    }
    Alone { steps, values }
}

/// Puts operations into the order of their invocations and draws the arrows.
fn assemble<O: Borrow<Operation>>(
    operations: &[O],
    compacted: &Steps<'_>,
    ids: &[u32],
    analysis: &Analysis<'_>,
    explanation: Explanation,
) -> Witness {
    let mut sources: Vec<u32> = ids.iter().map(|id| compacted.steps[*id as usize].source).collect();
    sources.sort_by_key(|source| {
        let operation: &Operation = operations[*source as usize].borrow();
        (operation.invoke, operation.index)
    });
    let positions: FxHashMap<u32, usize> =
        sources.iter().enumerate().map(|(position, source)| (*source, position)).collect();
    let mut arrows = Vec::new();
    let mut draw = |from: u32, to: u32, relation: Relation| {
        if let (Some(from), Some(to)) = (positions.get(&from), positions.get(&to)) {
            arrows.push(Arrow { from: *from, to: *to, relation });
        }
    };
    for id in ids {
        let step = compacted.steps[*id as usize];
        if let Some(writer) =
            analysis.parts.observed(&step).and_then(|value| analysis.parts.writer(value))
        {
            let writer = compacted.steps[writer as usize].source;
            draw(writer, step.source, Relation::ReadsFrom);
        }
    }
    for (from, to) in explanation.ended_before {
        draw(from, to, Relation::RealTime);
    }
    Witness {
        sentence: explanation.sentence,
        operations: sources
            .iter()
            .map(|source| {
                let operation: &Operation = operations[*source as usize].borrow();
                operation.clone()
            })
            .collect(),
        arrows,
        instead: explanation.instead,
    }
}

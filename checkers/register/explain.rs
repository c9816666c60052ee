//! One sentence for a person: why the operations of a witness contradict each other.

use std::borrow::Borrow;
use std::collections::BTreeSet;

use super::chains::Analysis;
use super::instead::{could_have_found, in_words};
use super::step::{Step, Steps};
use super::violation::Violation;
use super::witness::Alone;
use crate::clock::Clock;
use crate::history::{Function, Operation, Outcome, Value};
use crate::words::{few, found, place, who};

/// What can be said of a witness.
pub(super) struct Explanation {
    pub sentence: String,
    /// Positions in the caller's slice: the first ended before the second began, and that is
    /// what the sentence rests on.
    pub ended_before: Vec<(u32, u32)>,
    /// What a correct store could have answered.
    pub instead: Option<String>,
}

impl Explanation {
    pub(super) fn new(sentence: String) -> Self {
        Self { sentence, ended_before: Vec::new(), instead: None }
    }
}

/// Explains the violation that remains when all but the witness are forgotten.
pub(super) fn explain<O: Borrow<Operation>>(
    operations: &[O],
    compacted: &Steps<'_>,
    whole: &Analysis<'_>,
    alone: &Alone,
    remaining: &Analysis<'_>,
    clock: Clock,
) -> Option<Explanation> {
    let teller = Teller { operations, compacted, whole, alone, remaining, clock };
    Some(match remaining.tally.worst()? {
        Violation::NeverWritten { observer } => teller.never_written(observer),
        Violation::FoundBeforeWritten { observer, writer } => {
            teller.found_before_written(observer, writer)
        }
        Violation::ReplacedTwice { first, second } => teller.replaced_twice(first, second),
        Violation::Cycle { cluster } => teller.cycle(cluster),
        Violation::ChainReversed { before, after } => teller.chain_reversed(before, after),
        Violation::Interleaved { first, second } => teller.interleaved(first, second),
    })
}

/// Tells one violation; numbers of steps and clusters are those of `remaining`.
pub(super) struct Teller<'t, O> {
    operations: &'t [O],
    compacted: &'t Steps<'t>,
    whole: &'t Analysis<'t>,
    alone: &'t Alone,
    pub(super) remaining: &'t Analysis<'t>,
    pub(super) clock: Clock,
}

impl<'t, O: Borrow<Operation>> Teller<'t, O> {
    pub(super) fn step(&self, id: u32) -> &'t Step {
        &self.alone.steps[id as usize]
    }

    pub(super) fn operation(&self, id: u32) -> &'t Operation {
        self.operations[self.step(id).source as usize].borrow()
    }

    fn value(&self, value: u32) -> &'t Value {
        self.compacted.values[self.alone.values[value as usize] as usize]
    }

    /// The value of a cluster.
    pub(super) fn cluster_value(&self, cluster: u32) -> &'t Value {
        let writer = self.remaining.parts.clusters[cluster as usize].writer;
        self.value(writer.and_then(|writer| self.step(writer).writes).unwrap_or_default())
    }

    pub(super) fn early(&self, cluster: u32) -> Option<u32> {
        self.remaining.parts.clusters[cluster as usize].earliest_finish.1
    }

    pub(super) fn late(&self, cluster: u32) -> Option<u32> {
        self.remaining.parts.clusters[cluster as usize].latest_start.1
    }

    /// `; cas(5 -> 8) at n2 was not acknowledged but took effect, since r -> 8 at n3 returned 8`,
    /// for each of the steps to which this applies, and for those that the reasons rest on; of
    /// more than three, how many more.
    pub(super) fn reasons(&self, steps: &[u32]) -> String {
        let mut told: BTreeSet<u32> = steps.iter().copied().collect();
        let mut steps = steps.to_vec();
        let mut reasons = Vec::new();
        let mut next = 0;
        while let Some(&id) = steps.get(next) {
            next += 1;
            let step = self.step(id);
            let Some(value) = step.writes.filter(|_| !step.sure) else { continue };
            let Some(observer) = self.remaining.parts.observers[value as usize] else { continue };
            reasons.push(format!(
                "; {} was not acknowledged but took effect, since {} {}",
                who(self.operation(id)),
                who(self.operation(observer)),
                found(self.operation(observer), self.value(value)),
            ));
            if told.insert(observer) {
                steps.push(observer);
            }
        }
        if reasons.len() > 4 {
            let more =
                format!("; so did {} more, since their values were found", reasons.len() - 3);
            reasons.splice(3.., [more]);
        }
        reasons.concat()
    }

    fn never_written(&self, observer: u32) -> Explanation {
        let operation = self.operation(observer);
        let value = self.step(observer).observes.map(|value| self.value(value));
        let value = value.unwrap_or(&Value::Nil);
        let failed = self.operations.iter().map(Borrow::borrow).find(|other: &&Operation| {
            other.outcome == Outcome::Fail
                && match other.f {
                    Function::Write => other.input == *value,
                    Function::Cas => other.input.as_pair().is_some_and(|(_, new)| new == value),
                    _ => false,
                }
        });
        let tail = match failed {
            Some(failed) => format!(
                "the only operation that tried to write {value}, {}, was answered as failed{}",
                who(failed),
                failed.error.as_ref().map(|error| format!(" ({error})")).unwrap_or_default(),
            ),
            None => format!("no operation ever wrote {value}"),
        };
        let end = operation.complete.filter(|_| self.step(observer).sure);
        let when = end.map(|end| format!(" at {}", self.clock.instant(end))).unwrap_or_default();
        let mut explanation = Explanation::new(format!(
            "{} {}{}, but {tail}{}",
            who(operation),
            found(operation, value),
            when,
            self.reasons(&[observer]),
        ));
        explanation.instead = self.instead(observer);
        explanation
    }

    fn found_before_written(&self, observer: u32, writer: u32) -> Explanation {
        let (observing, writing) = (self.operation(observer), self.operation(writer));
        let value = self.step(writer).writes.map(|value| self.value(value));
        let value = value.unwrap_or(&Value::Nil);
        let end = observing.complete.unwrap_or_default();
        let mut explanation = Explanation::new(format!(
            "{} {} at {}, {} before {}, the only operation that writes {value}, began",
            who(observing),
            found(observing, value),
            self.clock.instant(end),
            self.clock.gap(writing.invoke.since(end)),
            who(writing),
        ));
        explanation.ended_before = self.pairs(&[(Some(observer), Some(writer))]);
        explanation.instead = self.instead(observer);
        explanation
    }

    fn replaced_twice(&self, first: u32, second: u32) -> Explanation {
        let value = self.step(first).observes.unwrap_or_default();
        let once = match self.remaining.parts.writer(value) {
            Some(_) => "which was written only once",
            None => "which was there at the beginning and never written",
        };
        let mut explanation = Explanation::new(format!(
            "{} and {} both replaced {}, {once}: at most one of them can have found it{}",
            who(self.operation(first)),
            who(self.operation(second)),
            self.value(value),
            self.reasons(&[first, second]),
        ));
        let both = self.step(first).sure && self.step(second).sure;
        explanation.instead = Some(match both {
            true => "one of the two should have been refused".to_owned(),
            false => "only one of the two should have taken effect".to_owned(),
        });
        explanation
    }

    fn cycle(&self, cluster: u32) -> Explanation {
        let steps = self.remaining.parts.cycle(cluster);
        let names: Vec<String> = steps.iter().map(|id| who(self.operation(*id))).collect();
        Explanation::new(format!(
            "{} replaced each other's values in a circle, and no other operation wrote any of \
             these values, so none of them can have been the first{}",
            few(&names, "and"),
            self.reasons(&steps),
        ))
    }

    /// A value came back after it had been replaced by cas.
    fn chain_reversed(&self, before: u32, after: u32) -> Explanation {
        let parts = &self.remaining.parts;
        let from = parts.reversed(before, after);
        let (Some(late), Some(early)) = (self.late(from), self.early(after)) else {
            return self.no_order();
        };
        let (old, new) = (self.cluster_value(from), self.cluster_value(after));
        let mut links = parts.links(from, before);
        links.reverse();
        links.extend(parts.clusters[after as usize].writer);
        let (ended, began) = (self.operation(early), self.operation(late));
        let end = ended.complete.unwrap_or_default();
        let later = self.clock.gap(began.invoke.since(end));
        let sentence = if links == [early] && began.f == Function::Read {
            format!(
                "{ended} was acknowledged{} at {}; {later} later, {} still returned a value \
                 that had been overwritten before it began",
                place(ended),
                self.clock.instant(end),
                who(began),
            )
        } else {
            let names: Vec<String> =
                links.iter().map(|id| self.operation(*id).to_string()).collect();
            format!(
                "{} {} at {}, and {} had turned {old} into {new} by then; yet {} began {later} \
                 later and {}",
                who(ended),
                found(ended, new),
                self.clock.instant(end),
                few(&names, "and"),
                who(began),
                found(began, old),
            )
        };
        let mut explanation = Explanation::new(sentence + &self.reasons(&links));
        explanation.ended_before = self.pairs(&[(Some(early), Some(late))]);
        explanation.instead = self.instead(late);
        explanation
    }

    pub(super) fn initial(&self) -> String {
        match self.value(0) {
            Value::Nil => "nil, the initial value,".to_owned(),
            value => format!("the initial value {value}"),
        }
    }

    /// Never needed as long as every zone has its operations; true in any case.
    pub(super) fn no_order(&self) -> Explanation {
        Explanation::new("no order of these operations respects real time".to_owned())
    }

    /// Pairs of steps as pairs of positions in the caller's slice.
    pub(super) fn pairs(&self, pairs: &[(Option<u32>, Option<u32>)]) -> Vec<(u32, u32)> {
        let source = |id: u32| self.step(id).source;
        pairs.iter().filter_map(|(a, b)| Some((source((*a)?), source((*b)?)))).collect()
    }

    pub(super) fn instead(&self, late: u32) -> Option<String> {
        let operation = self.operation(late);
        match operation.f {
            Function::Read => {
                let id = self.whole_id(late)?;
                let ids: Vec<u32> =
                    (0..self.alone.steps.len() as u32).filter_map(|id| self.whole_id(id)).collect();
                let values = could_have_found(self.whole, &ids, id);
                in_words(self.operations, self.compacted, self.whole, operation, &values)
            }
            Function::Cas if self.step(late).sure => {
                Some(format!("{} should have been refused", who(operation)))
            }
            Function::Cas => Some(format!("{} should not have taken effect", who(operation))),
            _ => None,
        }
    }

    /// The number of a step in the whole analysis; `None` for a forgotten one.
    fn whole_id(&self, id: u32) -> Option<u32> {
        let step = self.step(id);
        if step.start == super::step::BEFORE_ALL {
            return None;
        }
        let at = self.compacted.steps.binary_search_by_key(&step.source, |step| step.source);
        at.ok().map(|id| id as u32)
    }
}

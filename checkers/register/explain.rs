//! One sentence for a person: why the operations of a witness contradict each other.

use std::borrow::Borrow;
use std::collections::BTreeSet;

use super::chains::Analysis;
use super::instead::{could_have_found, in_words};
use super::step::{Step, Steps};
use super::violation::{Straddle, Violation};
use super::witness::Alone;
use super::words::{Clock, found, list, place, who};
use crate::history::{Function, Operation, Outcome, Value};

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
    fn new(sentence: String) -> Self {
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
struct Teller<'t, O> {
    operations: &'t [O],
    compacted: &'t Steps<'t>,
    whole: &'t Analysis<'t>,
    alone: &'t Alone,
    remaining: &'t Analysis<'t>,
    clock: Clock,
}

impl<'t, O: Borrow<Operation>> Teller<'t, O> {
    fn step(&self, id: u32) -> &'t Step {
        &self.alone.steps[id as usize]
    }

    fn operation(&self, id: u32) -> &'t Operation {
        self.operations[self.step(id).source as usize].borrow()
    }

    fn value(&self, value: u32) -> &'t Value {
        self.compacted.values[self.alone.values[value as usize] as usize]
    }

    /// The value of a cluster.
    fn cluster_value(&self, cluster: u32) -> &'t Value {
        let writer = self.remaining.parts.clusters[cluster as usize].writer;
        self.value(writer.and_then(|writer| self.step(writer).writes).unwrap_or_default())
    }

    fn early(&self, cluster: u32) -> Option<u32> {
        self.remaining.parts.clusters[cluster as usize].earliest_finish.1
    }

    fn late(&self, cluster: u32) -> Option<u32> {
        self.remaining.parts.clusters[cluster as usize].latest_start.1
    }

    /// `; cas(5 -> 8) at n2 was not acknowledged but took effect, since r -> 8 at n3 returned 8`,
    /// for each of the steps to which this applies, and for those that the reasons rest on; of
    /// more than three, how many more.
    fn reasons(&self, steps: &[u32]) -> String {
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
            list(&names, "and"),
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
                list(&names, "and"),
                who(began),
                found(began, old),
            )
        };
        let mut explanation = Explanation::new(sentence + &self.reasons(&links));
        explanation.ended_before = self.pairs(&[(Some(early), Some(late))]);
        explanation.instead = self.instead(late);
        explanation
    }

    /// Two chains, each of which would have to be in the middle of the other.
    fn interleaved(&self, first: u32, second: u32) -> Explanation {
        let (one, other) = self.remaining.parts.straddles(first, second);
        let single = |straddle: Straddle| {
            self.early(straddle.early).is_some()
                && self.early(straddle.early) == self.late(straddle.late)
        };
        let start =
            |straddle: Straddle| self.late(straddle.late).map_or(0, |id| self.step(id).start);
        // The one that came back goes first; the one in between, second.
        let initial_is_other = self.early(other.early).is_none();
        let swap = initial_is_other
            || self.early(one.early).is_some()
                && (single(one) || !single(other) && start(other) > start(one));
        let (back, between) = if swap { (other, one) } else { (one, other) };
        let (Some(b), Some(c)) = (self.late(back.late), self.early(between.early)) else {
            return self.no_order();
        };
        let a = self.early(back.early);
        let d = self.late(between.late).filter(|_| a.is_some());
        let sentence = if d.is_none_or(|d| d == c) {
            self.came_back(a, back, b, c)
        } else {
            self.came_back_though_found(a, back, b, between, c, d)
        };
        let mut explanation = Explanation::new(sentence);
        explanation.ended_before = self.pairs(&[(a, d), (Some(c), Some(b))]);
        explanation.instead = self.instead(b);
        explanation
    }

    /// `a` ended before `c` began, and `c` ended before `b` began; `a` and `b` belong together.
    fn came_back(&self, a: Option<u32>, back: Straddle, b: u32, c: u32) -> String {
        let (late, middle) = (self.operation(b), self.operation(c));
        let end = middle.complete.unwrap_or_default();
        let later = self.clock.gap(late.invoke.since(end));
        let overwriting = middle.f != Function::Read;
        let first = if overwriting {
            format!("{middle} was acknowledged{} at {}", place(middle), self.clock.instant(end))
        } else {
            format!("{} ended at {}", who(middle), self.clock.instant(end))
        };
        let value = self.cluster_value(back.late);
        let what = match (overwriting, &late.f) {
            (true, Function::Read) => {
                "still returned a value that had been overwritten before it began".to_owned()
            }
            (true, _) => format!(
                "still {}, a value that had been overwritten before it began",
                found(late, value)
            ),
            (false, _) => format!("{} again, which had been replaced by then", found(late, value)),
        };
        let before = match a {
            Some(a) => {
                let (a, was) = (self.operation(a), self.cluster_value(back.early));
                let end = self.clock.instant(a.complete.unwrap_or_default());
                let began = format!("before {middle} began");
                format!(": {} {} by {end}, {began}", who(a), found(a, was))
            }
            None => format!(": {} was there before anything was written", self.initial()),
        };
        format!("{first}; {later} later, {} {what}{before}{}", who(late), self.ties(back, b))
    }

    /// As [`Teller::came_back`], but what came in between was found by `d` after `a` had ended
    /// and by `c` before `b` began.
    fn came_back_though_found(
        &self,
        a: Option<u32>,
        back: Straddle,
        b: u32,
        between: Straddle,
        c: u32,
        d: Option<u32>,
    ) -> String {
        let (Some(a), Some(d)) = (a, d) else { return self.no_order().sentence };
        let (old, new) = (self.cluster_value(back.early), self.cluster_value(between.late));
        let a_end = self.operation(a).complete.unwrap_or_default();
        let c_end = self.operation(c).complete.unwrap_or_default();
        format!(
            "{} began after {} had ended ({}) and {}, so {new} came after {old}; {} {} by {}, so \
             {old} was gone by then; {} later, {} began and still {}{}{}",
            who(self.operation(d)),
            who(self.operation(a)),
            self.clock.instant(a_end),
            found(self.operation(d), new),
            who(self.operation(c)),
            found(self.operation(c), self.cluster_value(between.early)),
            self.clock.instant(c_end),
            self.clock.gap(self.operation(b).invoke.since(c_end)),
            who(self.operation(b)),
            found(self.operation(b), self.cluster_value(back.late)),
            self.ties(back, b),
            self.ties(between, d),
        )
    }

    /// Which cas tie the two ends of a straddle together, if they are two values, and why
    /// those that were not acknowledged took effect.
    fn ties(&self, straddle: Straddle, also: u32) -> String {
        let mut links = self.remaining.parts.ties(straddle);
        links.reverse();
        let tie = match links.is_empty() {
            true => String::new(),
            false => {
                let names: Vec<String> =
                    links.iter().map(|id| self.operation(*id).to_string()).collect();
                let (one, other) =
                    (self.cluster_value(straddle.early), self.cluster_value(straddle.late));
                let tie = if names.len() == 1 { "ties" } else { "tie" };
                format!("; {} {tie} {one} to {other}, with nothing between", list(&names, "and"))
            }
        };
        if !links.contains(&also) {
            links.push(also);
        }
        tie + &self.reasons(&links)
    }

    fn initial(&self) -> String {
        match self.value(0) {
            Value::Nil => "nil, the initial value,".to_owned(),
            value => format!("the initial value {value}"),
        }
    }

    /// Never needed as long as every zone has its operations; true in any case.
    fn no_order(&self) -> Explanation {
        Explanation::new("no order of these operations respects real time".to_owned())
    }

    /// Pairs of steps as pairs of positions in the caller's slice.
    fn pairs(&self, pairs: &[(Option<u32>, Option<u32>)]) -> Vec<(u32, u32)> {
        let source = |id: u32| self.step(id).source;
        pairs.iter().filter_map(|(a, b)| Some((source((*a)?), source((*b)?)))).collect()
    }

    fn instead(&self, late: u32) -> Option<String> {
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

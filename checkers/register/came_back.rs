//! The sentence for two chains that cannot be put into an order: a value came back although
//! another one had come in between.

use std::borrow::Borrow;

use super::explain::{Explanation, Teller};
use super::violation::Straddle;
use crate::history::{Function, Operation};
use crate::words::{few, found, place, who};

impl<O: Borrow<Operation>> Teller<'_, O> {
    /// Two chains, each of which would have to be in the middle of the other.
    pub(super) fn interleaved(&self, first: u32, second: u32) -> Explanation {
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
                format!("; {} {tie} {one} to {other}, with nothing between", few(&names, "and"))
            }
        };
        if !links.contains(&also) {
            links.push(also);
        }
        tie + &self.reasons(&links)
    }
}

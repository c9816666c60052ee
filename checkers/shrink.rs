//! A smallest history that a checker still refutes, for any checker.
//!
//! What is left shows *how* a checker comes to its answer, and is small enough to be run again,
//! drawn, or sent to somebody. It is no proof about the history that it was taken from: operations
//! are left out as if they had never been invoked, so what depended on them looks wrong (a dequeue
//! without its enqueue). The proof is the finding's witness; to keep the reason the same, say so
//! in the condition that is given to [`shrink_while`].
//!
//! Two steps. Divide and conquer (QuickXplain, see `minimise.rs`) needs few runs and is right
//! where a refutation stays one in larger company; that is not always so (a read that looked wrong
//! may be explained by a write that comes back). So what it leaves is taken as a start only, and
//! then chunks are left out, ever smaller ones, until no single operation can be left out any more
//! (as in Zeller and Hildebrandt, "Simplifying and isolating failure-inducing input", IEEE
//! Transactions on Software Engineering 28(2), 2002; here every result of chunk size one is
//! tried again, so it is minimal by one).

use crate::checker::{Checker, Options};
use crate::history::{History, Operation};
use crate::minimise::minimise;

/// What shrinking came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Shrunk {
    /// The smallest history found; what the nemesis did is kept.
    pub history: History,
    /// Whether every single operation in it is needed. If not, the runs were spent first.
    pub is_minimal: bool,
    /// How often the condition was asked.
    pub runs: usize,
}

/// Shrinks a history as long as the checker refutes it, in so many runs of the checker at most.
/// `None` if it does not refute it to begin with.
pub fn shrink(
    checker: &Checker,
    history: &History,
    options: &Options<'_>,
    most_runs: usize,
) -> Option<Shrunk> {
    let finding = checker.run(history, options);
    let witness = finding.validity.witness()?;
    // What the witness names is a good guess, and often all that is needed.
    let guess: Vec<u64> = witness.operations.iter().map(|operation| operation.index).collect();
    let is_wrong = |history: &History| checker.run(history, options).validity.is_invalid();
    let is_over = || options.limits.is_over();
    let mut shrinking = Shrinking { whole: history, is_wrong, is_over, left: most_runs, runs: 1 };
    Some(shrinking.run(&guess))
}

/// Shrinks a history as long as the condition holds, in so many runs of it at most. `None` if it
/// does not hold to begin with.
pub fn shrink_while(
    history: &History,
    mut is_wrong: impl FnMut(&History) -> bool,
    most_runs: usize,
) -> Option<Shrunk> {
    if !is_wrong(history) {
        return None;
    }
    let is_over = || false;
    let mut shrinking = Shrinking { whole: history, is_wrong, is_over, left: most_runs, runs: 1 };
    Some(shrinking.run(&[]))
}

struct Shrinking<'h, Wrong, Over> {
    whole: &'h History,
    is_wrong: Wrong,
    is_over: Over,
    /// Runs that may still be made, and that were made.
    left: usize,
    runs: usize,
}

impl<Wrong: FnMut(&History) -> bool, Over: Fn() -> bool> Shrinking<'_, Wrong, Over> {
    fn run(&mut self, guess: &[u64]) -> Shrunk {
        let all: Vec<u32> = (0..self.whole.operations.len() as u32).collect();
        let guessed: Vec<u32> = all
            .iter()
            .copied()
            .filter(|place| guess.contains(&self.whole.operations[*place as usize].index))
            .collect();
        let start = if !guessed.is_empty() && self.is_wrong(&guessed) { guessed } else { all };
        let divided = {
            // Smallest known, since the condition need not be monotone.
            let mut smallest = start.clone();
            minimise(&start, &mut |kept| {
                let is_wrong = self.is_wrong(kept);
                if is_wrong && kept.len() < smallest.len() {
                    smallest = kept.to_vec();
                    smallest.sort_unstable();
                }
                is_wrong
            });
            smallest
        };
        let kept = self.leave_out(divided);
        Shrunk { history: self.history(&kept), is_minimal: self.left > 0, runs: self.runs }
    }

    /// Leaves out chunks, ever smaller ones, until no single operation can be left out.
    fn leave_out(&mut self, mut kept: Vec<u32>) -> Vec<u32> {
        let mut chunk = kept.len().div_ceil(2).max(1);
        loop {
            let mut has_shrunk = false;
            let mut start = 0;
            while start < kept.len() {
                let end = (start + chunk).min(kept.len());
                let rest = [&kept[..start], &kept[end..]].concat();
                if self.is_wrong(&rest) {
                    kept = rest;
                    has_shrunk = true;
                } else {
                    start = end;
                }
            }
            if chunk == 1 && !has_shrunk || self.left == 0 {
                return kept;
            }
            chunk = chunk.div_ceil(2);
        }
    }

    /// Asks the condition of a part of the history; false when the runs are spent.
    fn is_wrong(&mut self, kept: &[u32]) -> bool {
        if (self.is_over)() {
            self.left = 0;
        }
        if self.left == 0 {
            return false;
        }
        self.left -= 1;
        self.runs += 1;
        let history = self.history(kept);
        (self.is_wrong)(&history)
    }

    /// The history of these operations alone.
    fn history(&self, kept: &[u32]) -> History {
        let mut kept = kept.to_vec();
        kept.sort_unstable();
        let operation =
            |place: &u32| -> Operation { self.whole.operations[*place as usize].clone() };
        History {
            operations: kept.iter().map(operation).collect(),
            nemesis: self.whole.nemesis.clone(),
            end: self.whole.end,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notation;
    use crate::registry;

    fn long() -> History {
        let mut lines = String::new();
        for turn in 0..100 {
            let start = turn * 100;
            lines += &format!("0 write {turn} {start}..{}\n", start + 10);
            let seen = if turn == 60 { 20 } else { turn };
            lines += &format!("1 read -> {seen} {}..{}\n", start + 20, start + 30);
        }
        notation::history(&lines)
    }

    /// Whether the history is refuted, and is not without any one of its operations.
    fn is_minimal(checker: &Checker, history: &History) -> bool {
        let is_wrong = |operations: Vec<Operation>| {
            let history = History { operations, ..Default::default() };
            checker.run(&history, &Default::default()).validity.is_invalid()
        };
        is_wrong(history.operations.clone())
            && (0..history.operations.len()).all(|place| {
                let mut operations = history.operations.clone();
                operations.remove(place);
                !is_wrong(operations)
            })
    }

    #[test]
    fn what_is_left_is_needed() {
        for name in ["register", "cas-register"] {
            let checker = registry::find(name).unwrap();
            let shrunk = shrink(checker, &long(), &Default::default(), 1000).unwrap();
            assert!(shrunk.is_minimal && is_minimal(checker, &shrunk.history), "{shrunk:#?}");
            // The read of what nobody wrote: left out is as if it had never been.
            assert_eq!(shrunk.history.operations.len(), 1);
        }
    }

    #[test]
    fn a_condition_can_keep_the_reason() {
        let register = registry::find("register").unwrap();
        let is_stale = |history: &History| {
            let wrote =
                history.operations.iter().any(|o| o.f.as_str() == "write" && o.input == 20.into());
            wrote && register.run(history, &Default::default()).validity.is_invalid()
        };
        let shrunk = shrink_while(&long(), is_stale, 1000).unwrap();
        assert!(shrunk.is_minimal);
        let shown: Vec<String> =
            shrunk.history.operations.iter().map(|operation| operation.to_string()).collect();
        assert_eq!(shown.len(), 3, "{shown:?}");
        assert_eq!((&*shown[0], &*shown[2]), ("w(20)", "r -> 20"));
    }

    /// Wrong if there are at least three, and an even number of odd ones: nothing like monotone.
    #[test]
    fn refutation_need_not_be_monotone() {
        let is_wrong = |history: &History| {
            let odd = history.operations.iter().filter(|o| o.index % 2 == 1).count();
            history.operations.len() >= 3 && odd % 2 == 0
        };
        let shrunk = shrink_while(&long(), is_wrong, 10_000).unwrap();
        assert!(shrunk.is_minimal && is_wrong(&shrunk.history));
        for place in 0..shrunk.history.operations.len() {
            let mut rest = shrunk.history.clone();
            rest.operations.remove(place);
            assert!(!is_wrong(&rest), "{rest:?}");
        }
    }

    #[test]
    fn spent_runs_and_valid_histories_are_told() {
        let register = registry::find("register").unwrap();
        let is_wrong = |history: &History| history.operations.len() > 50;
        let shrunk = shrink_while(&long(), is_wrong, 5).unwrap();
        assert!(!shrunk.is_minimal && shrunk.runs == 6 && is_wrong(&shrunk.history));
        let valid = notation::history("0 write 1 0..10");
        assert_eq!(shrink(register, &valid, &Default::default(), 100), None);
        assert_eq!(shrink_while(&valid, |_| false, 100), None);
    }
}

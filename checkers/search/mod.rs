//! Linearizability of any object that has a [model], by search.
//!
//! A history is linearizable if there is a total order of all acknowledged operations, and of any
//! of those without an answer, that the model allows and in which one operation comes before
//! another if it ended before the other began (Herlihy and Wing, "Linearizability: a correctness
//! condition for concurrent objects", TOPLAS 12(3), 1990). Intervals are closed: operations that
//! touch at one reading of the clock are concurrent.
//!
//! The search is that of Wing and Gong ("Testing and verifying concurrent objects", JPDC 17,
//! 1993) with Lowe's memoisation and just-in-time linearization ("Testing for linearizability",
//! CCPE 29(4), 2017), on parts that do not know of each other (Horn and Kroening, FORTE 2015).
//! It differs from them:
//!
//! - *A window, not a history.* A configuration knows which operations *in flight* have taken
//!   effect, one bit each, and a position in time; so its size is the concurrency's and not the
//!   history's. Others keep a bit per operation of the history in every configuration, which is
//!   quadratic even for a history without any concurrency.
//! - *Cuts.* Where no operation is in flight only the state counts, so all tables are forgotten.
//! - *Choices that need not be tried* (`walk.rs` has the list and the proof): an exponent is left
//!   only where operations in flight depend on each other.
//! - *Operations without an answer* stay in flight for ever, and are tried only where a pending
//!   operation makes them matter.
//! - *No recursion*, and limits: [`Options::limits`](crate::checker::Options). Where one is
//!   reached, the answer is unknown, with how far the search got.
//!
//! Time: linear in the length of the history where operations are few at a time; exponential in
//! how many are in flight at once at worst, as the question is NP-complete. Memory: about 150
//! bytes an operation, and what is remembered since the last cut that was exhausted.
//!
//! # The witness
//!
//! A refuted history has a witness: operations that refute on their own if *everything else that
//! had begun when the last of them ended is forgotten but that it was asked for*, so that it may
//! have happened at any time, or never, with whatever result. No operation of the witness can be
//! forgotten as well. (Leaving an operation out altogether would prove nothing: without its
//! enqueue, every dequeue is a violation. What began later cannot have mattered.)
//!
//! In a long history that may still be many operations, since each earlier release of a lock could
//! be the one that was missing. Then the witness begins at the last moment when nothing was in
//! flight, with every state that some order of the operations before leads to: its sentence says
//! when that was, and which these states are, and only operations since then are forgotten. If the
//! budget for making a witness small is spent, its sentence says that, too.
//!
//! ```
//! # use splitbrain_checkers::{notation, registry};
//! let mutex = registry::find("reentrant-mutex").unwrap();
//! let in_turn = notation::history(
//!     "1 acquire   0..20
//!      1 release  30..40
//!      2 acquire  10..50",
//! );
//! assert!(mutex.run(&in_turn, &Default::default()).validity.is_valid());
//!
//! let both_at_once = notation::history(
//!     "1 acquire   0..20
//!      2 acquire  10..50
//!      1 release  60..70",
//! );
//! let finding = mutex.run(&both_at_once, &Default::default());
//! assert_eq!(finding.validity.witness().unwrap().operations.len(), 2);
//! ```

mod budget;
mod parse;
mod slots;
mod states;
#[cfg(test)]
mod tests;
mod timeline;
mod walk;
mod witness;

use std::hash::Hash;

use crate::checker::{Checker, Options, Scope};
use crate::finding::{Finding, Validity};
use crate::history::{Function, History, Operation, Time};
use crate::keys::{self, KeyResult};
use crate::limits::Spent;
use crate::model::{self, Model, Parsed};
use crate::words::{count, few, thousands};
use budget::Budget;
use parse::{Understood, groups, parse};
use timeline::Timeline;
use walk::{Ending, Walk, Walked};
use witness::Start;

/// What a search found out, and what it took.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    pub validity: Validity,
    /// How many parts of the object were refuted.
    pub violations: usize,
    /// How many acknowledged operations say something of the state.
    pub observations: usize,
    /// How many configurations were tried, those for the witness left out.
    pub steps: u64,
    /// The most bytes that the tables of the search took, as counted by itself.
    pub memory_bytes: usize,
    /// Where the search stood, if a limit was reached.
    pub progress: Option<Progress>,
}

/// How far a search got.
#[derive(Debug, Clone, PartialEq)]
pub struct Progress {
    pub spent: Spent,
    /// Operations with an answer that are in the longest order found, and how many there are.
    pub completions: usize,
    pub of: usize,
    /// The operation that has to take effect next in it; `None` at the end.
    pub next: Option<Operation>,
    /// Some of the situations at that point.
    pub frontier: Vec<Situation>,
}

/// A state that the object may have been in, and the operations in flight then.
#[derive(Debug, Clone, PartialEq)]
pub struct Situation {
    pub state: String,
    /// Those that had not taken effect.
    pub pending: Vec<Operation>,
}

/// Whether the operations of one object are linearizable. They may come in any order.
/// Operations that the model does not have make it unknown.
pub fn check<M: Model>(operations: &[&Operation], options: &Options<'_>) -> KeyResult {
    let report = explore::<M>(operations, options);
    KeyResult {
        validity: report.validity,
        violations: report.violations,
        operations: operations.len(),
        observations: report.observations,
    }
}

/// The answer of a faster check where it has one, else that of the search: where values repeat, or
/// where the faster check gave up.
pub fn where_undecided<M: Model>(
    answer: KeyResult,
    operations: &[&Operation],
    options: &Options<'_>,
) -> KeyResult {
    match answer.validity {
        Validity::Unknown { .. } => check::<M>(operations, options),
        Validity::Valid | Validity::Invalid { .. } => answer,
    }
}

/// As [`check`], of all keys together as one object.
pub fn check_history<M: Model>(history: &History, options: &Options<'_>) -> Finding {
    let operations: Vec<&Operation> =
        history.operations.iter().filter(|o| o.f != Function::ReplicaRead).collect();
    keys::finding(CHECK, [(None, check::<M>(&operations, options))])
}

/// As [`check`], with what the search took and how far it got.
pub fn explore<M: Model>(operations: &[&Operation], options: &Options<'_>) -> Report {
    search::<M>(operations, options, true)
}

/// As [`explore`], without splitting the object into its parts. It is slower, and there for
/// comparison.
pub fn explore_unsplit<M: Model>(operations: &[&Operation], options: &Options<'_>) -> Report {
    search::<M>(operations, options, false)
}

fn search<M: Model>(operations: &[&Operation], options: &Options<'_>, split: bool) -> Report {
    let mut report = Report {
        validity: Validity::Valid,
        violations: 0,
        observations: 0,
        steps: 0,
        memory_bytes: 0,
        progress: None,
    };
    let (model, parsed) = match parse::<M>(operations, options) {
        Ok(parsed) => parsed,
        Err(reason) => {
            report.validity = Validity::Unknown { reason };
            return report;
        }
    };
    let observes = |parsed: &&Parsed<M::Action>| parsed.is_sure && model.observes(&parsed.action);
    report.observations = parsed.iter().filter(observes).count();
    let mut budget = Budget::new(options.limits);
    let groups = if split { groups(&model, &parsed) } else { Vec::new() };
    if groups.len() < 2 {
        search_part((model, parsed), operations, options, &mut budget, &mut report);
    } else {
        drop((model, parsed));
        for group in groups {
            let part: Vec<&Operation> =
                group.iter().map(|source| operations[*source as usize]).collect();
            // A model of its own: its states need to know nothing of the other parts.
            if let Ok(understood) = parse::<M>(&part, options) {
                search_part(understood, &part, options, &mut budget, &mut report);
            }
        }
    }
    report.steps = budget.used;
    report.memory_bytes = budget.most_bytes;
    report
}

/// Searches one part of the object, and adds to the report what came out.
fn search_part<M: Model>(
    (mut model, parsed): Understood<M>,
    operations: &[&Operation],
    options: &Options<'_>,
    budget: &mut Budget<'_>,
    report: &mut Report,
) {
    model.settle(&parsed);
    let timeline = Timeline::new(&model, &parsed);
    let walked = walk(&model, &timeline, budget, &[model.initial()]);
    match walked.ending {
        Ending::Linearized => {}
        Ending::Spent(spent) => {
            let progress = progress(&timeline, walked, operations, spent);
            if report.validity.is_valid() {
                report.validity = Validity::Unknown { reason: said::<M>(&progress, options) };
                report.progress = Some(progress);
            }
        }
        Ending::Stuck => {
            report.violations += 1;
            if !report.validity.is_invalid() {
                let until = timeline.time(walked.furthest).unwrap_or(Time::MAX);
                let base = walked.base.and_then(|base| {
                    let time = timeline.time(base.moment.checked_sub(1)?)?;
                    Some(Start { time, states: base.states })
                });
                drop(timeline);
                let witness = witness::witness(
                    &model,
                    &parsed,
                    operations,
                    (until, base),
                    (options, budget.used),
                );
                report.validity = Validity::Invalid { witness: Box::new(witness) };
            }
        }
    }
}

/// Walks with sets of slots that are as small as the history allows.
fn walk<M: Model>(
    model: &M,
    timeline: &Timeline<M::Action>,
    budget: &mut Budget<'_>,
    first: &[M::State],
) -> Walked<M::State> {
    match timeline.slots {
        0..=64 => Walk::<M, [u64; 1]>::new(model, timeline, budget, first).run(),
        65..=256 => Walk::<M, [u64; 4]>::new(model, timeline, budget, first).run(),
        _ => Walk::<M, Box<[u64]>>::new(model, timeline, budget, first).run(),
    }
}

fn progress<S, A: Clone + Eq + Hash>(
    timeline: &Timeline<A>,
    walked: Walked<S>,
    operations: &[&Operation],
    spent: Spent,
) -> Progress {
    let operation = |candidate: u32| {
        operations[timeline.candidates[candidate as usize].source as usize].clone()
    };
    let situation = |reached: walk::Reached| Situation {
        state: reached.state,
        pending: reached.pending.into_iter().map(operation).collect(),
    };
    Progress {
        spent,
        completions: timeline.completions_before(walked.furthest),
        of: timeline.completions,
        next: timeline.due(walked.furthest).map(|due| operations[due.source as usize].clone()),
        frontier: walked.frontier.into_iter().map(situation).collect(),
    }
}

/// Why nothing could be decided.
fn said<M: Model>(progress: &Progress, options: &Options<'_>) -> String {
    let mut reason = format!(
        "{}; the search found an order of {} of {}",
        progress.spent,
        thousands(progress.completions),
        count(progress.of, "acknowledged operation"),
    );
    if let Some(next) = &progress.next {
        let time = options.clock.instant(next.complete.unwrap_or_default());
        reason += &format!(", up to {} ({time})", model::who(next));
    }
    if let Some(situation) = progress.frontier.first() {
        let pending: Vec<String> = situation.pending.iter().map(model::who).collect();
        reason += &format!("; there {} was, for one, {}", M::OBJECT, situation.state);
        if !pending.is_empty() {
            reason += &format!(", with {} in flight", few(&pending, "and"));
        }
    }
    reason
}

/// What the findings are called.
const CHECK: &str = "linearizable";

/// A checker that searches each key by itself.
const fn by_key<M: Model>(name: &'static str, about: &'static str) -> Checker {
    let scope = Scope::Key(check::<M>);
    Checker { name, check: CHECK, about, functions: M::FUNCTIONS, scope }
}

/// A lock that its holder may take again.
pub const REENTRANT_MUTEX: Checker = by_key::<model::ReentrantMutex>(
    "reentrant-mutex",
    "a mutex that its holder may acquire again; by search",
);

/// So many permits as the initial value says.
pub const SEMAPHORE: Checker = by_key::<model::Semaphore>(
    "semaphore",
    "a semaphore of as many permits as the initial value says; by search",
);

/// Transactions of reads and writes on several registers, strictly serializable.
pub const MULTI_REGISTER: Checker = Checker {
    scope: Scope::Whole(check_history::<model::MultiRegister>),
    ..by_key::<model::MultiRegister>(
        "multi-register",
        "registers read and written together in transactions, in one order that respects real \
         time; by search",
    )
};

/// Strings that grow.
pub const APPEND_STRING: Checker = by_key::<model::AppendString>(
    "append-string",
    "a string per key that appends make longer and gets return whole; by a search that is close \
     to linear",
);

/// A counter.
pub const COUNTER: Checker =
    by_key::<model::Counter>("linearizable-counter", "a counter: add, inc, dec, read; by search");

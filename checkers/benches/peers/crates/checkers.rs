//! The checkers, each told of an object and a history in its own way.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use porcupine_rs::CheckResult;
use stateright::semantics::{ConsistencyTester, LinearizabilityTester, SequentialSpec};
use todc_utils::linearizability::WGLChecker;
use todc_utils::linearizability::history::{Action, History};

use crate::objects::Object;
use crate::parse::Recorded;

/// An answer. What was not found out in time is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Valid,
    Invalid,
    Unknown,
}

impl Verdict {
    pub fn name(self) -> &'static str {
        match self {
            Verdict::Valid => "valid",
            Verdict::Invalid => "invalid",
            Verdict::Unknown => "unknown",
        }
    }

    pub fn named(name: &str) -> Option<Verdict> {
        [Verdict::Valid, Verdict::Invalid, Verdict::Unknown]
            .into_iter()
            .find(|verdict| verdict.name() == name)
    }
}

/// Which crate is asked.
#[derive(Debug, Clone, Copy)]
pub enum Checker {
    PorcupineRs,
    Todc,
    Stateright,
}

impl Checker {
    /// Brings the history into the form of the crate; the task checks it.
    pub fn task<O: Object>(
        self,
        history: &[Recorded<O::Operation>],
        timeout: Duration,
    ) -> Box<dyn FnOnce() -> Verdict> {
        match self {
            Checker::PorcupineRs => {
                let operations = porcupine_operations::<O>(history);
                Box::new(move || {
                    match porcupine_rs::check_operations_timeout(&operations, timeout) {
                        CheckResult::Ok => Verdict::Valid,
                        CheckResult::Illegal => Verdict::Invalid,
                        CheckResult::Unknown => Verdict::Unknown,
                    }
                })
            }
            Checker::Todc => {
                let histories: Vec<_> =
                    parts::<O>(history).iter().map(|part| todc_history(part)).collect();
                Box::new(move || {
                    within(timeout, move || {
                        histories.into_iter().all(WGLChecker::<Model<O>>::is_linearizable)
                    })
                })
            }
            Checker::Stateright => {
                let testers: Vec<_> =
                    parts::<O>(history).iter().map(|part| tester::<O>(part)).collect();
                Box::new(move || {
                    within(timeout, move || testers.iter().all(|tester| tester.is_consistent()))
                })
            }
        }
    }
}

/// What the search of a crate may need that calls itself for every operation, in bytes.
const STACK: usize = 256 << 20;

/// Runs a search that has no time limit of its own. It goes on when the time is over.
fn within(timeout: Duration, search: impl FnOnce() -> bool + Send + 'static) -> Verdict {
    let (answer, answers) = mpsc::channel();
    let search = move || {
        // Nobody listens any more after the time.
        let _ = answer.send(search());
    };
    let thread = thread::Builder::new().stack_size(STACK).spawn(search).expect("a thread");
    match answers.recv_timeout(timeout) {
        Ok(true) => Verdict::Valid,
        Ok(false) => Verdict::Invalid,
        Err(mpsc::RecvTimeoutError::Timeout) => Verdict::Unknown,
        Err(mpsc::RecvTimeoutError::Disconnected) => {
            std::panic::resume_unwind(thread.join().expect_err("a panic"))
        }
    }
}

/// An object as the crates want it; all three have a trait for that.
struct Model<O>(PhantomData<O>);

impl<O> Clone for Model<O> {
    fn clone(&self) -> Self {
        Model(PhantomData)
    }
}

impl<O> fmt::Debug for Model<O> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Model")
    }
}

/// Neither of two crates looks at the state after an operation that is refused.
fn apply<O: Object>(state: &O::State, operation: &O::Operation) -> (bool, O::State) {
    match O::step(state, operation) {
        Some(next) => (true, next),
        None => (false, O::first()),
    }
}

impl<O: Object> porcupine_rs::Model for Model<O> {
    type State = O::State;
    type Op = O::Operation;
    type Metadata = ();

    fn partition_operations(
        history: &[porcupine_rs::Operation<Self>],
    ) -> Vec<Vec<porcupine_rs::Operation<Self>>> {
        by_part(history, |operation| O::part(&operation.op))
    }

    fn init() -> O::State {
        O::first()
    }

    fn step(state: &O::State, operation: &O::Operation) -> (bool, O::State) {
        apply::<O>(state, operation)
    }
}

impl<O: Object> todc_utils::specifications::Specification for Model<O> {
    type State = O::State;
    type Operation = O::Operation;

    fn init() -> O::State {
        O::first()
    }

    fn apply(operation: &O::Operation, state: &O::State) -> (bool, O::State) {
        apply::<O>(state, operation)
    }
}

/// An object in a state, for the crate that changes it.
#[derive(Clone)]
struct Living<O: Object>(O::State);

impl<O: Object> SequentialSpec for Living<O> {
    type Op = O::Operation;
    /// Whether the answer, which is part of the operation, can be.
    type Ret = bool;

    fn invoke(&mut self, operation: &O::Operation) -> bool {
        let next = O::step(&self.0, operation);
        let can_be = next.is_some();
        self.0 = next.unwrap_or_else(|| self.0.clone());
        can_be
    }
}

/// Items of different parts in lists of their own.
fn by_part<T: Clone>(items: &[T], part: impl Fn(&T) -> &str) -> Vec<Vec<T>> {
    let mut parts: BTreeMap<&str, Vec<T>> = BTreeMap::new();
    for item in items {
        parts.entry(part(item)).or_default().push(item.clone());
    }
    parts.into_values().collect()
}

fn parts<O: Object>(history: &[Recorded<O::Operation>]) -> Vec<Vec<Recorded<O::Operation>>> {
    by_part(history, |recorded| O::part(&recorded.operation))
}

/// What has no answer is answered after everything else.
fn porcupine_operations<O: Object>(
    history: &[Recorded<O::Operation>],
) -> Vec<porcupine_rs::Operation<Model<O>>> {
    history
        .iter()
        .map(|recorded| porcupine_rs::Operation {
            client_id: u32::try_from(recorded.process).ok(),
            call_time: recorded.call as i64,
            return_time: recorded.answer.map_or(i64::MAX, |line| line as i64),
            op: recorded.operation.clone(),
            metadata: None,
        })
        .collect()
}

/// Places of a history, as calls and answers in their order, those that are missing at the end.
fn events<T>(history: &[Recorded<T>]) -> Vec<(usize, bool)> {
    let mut events: Vec<(usize, usize, bool)> = Vec::new();
    for (place, recorded) in history.iter().enumerate() {
        events.push((recorded.call, place, false));
        events.push((recorded.answer.unwrap_or(usize::MAX), place, true));
    }
    events.sort_unstable();
    events.into_iter().map(|(_, place, is_answer)| (place, is_answer)).collect()
}

/// What has no answer is answered after everything else.
fn todc_history<T: Clone>(history: &[Recorded<T>]) -> History<T> {
    let action = |(place, is_answer): (usize, bool)| {
        let Recorded { process, operation, .. } = &history[place];
        let action = if is_answer { Action::Response } else { Action::Call };
        (*process, action(operation.clone()))
    };
    History::from_actions(events(history).into_iter().map(action).collect())
}

/// What has no answer stays open: the crate knows that this may happen.
fn tester<O: Object>(
    history: &[Recorded<O::Operation>],
) -> LinearizabilityTester<usize, Living<O>> {
    let mut tester = LinearizabilityTester::new(Living(O::first()));
    for (place, is_answer) in events(history) {
        let recorded = &history[place];
        let done = match is_answer {
            false => tester.on_invoke(recorded.process, recorded.operation.clone()),
            true if recorded.answer.is_some() => tester.on_return(recorded.process, true),
            true => continue,
        };
        done.expect("a process has one operation at a time");
    }
    tester
}

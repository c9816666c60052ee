//! Sequential specifications: what one object answers if nobody disturbs it.
//!
//! A [`Model`] says how an object begins, which operations it has and what each does to its
//! state. The [search](crate::search) asks whether the operations of a history can be put in an
//! order that the model allows; it knows nothing of queues or locks, and a model knows nothing of
//! time and concurrency. (One exception, [`Model::is_hopeless`], is a mere shortcut.)
//!
//! An operation is parsed once, into an [action](Model::Action): small, comparable, and with
//! everything that was observed in it. *Refused* means that the object cannot have answered this
//! in that state. An operation without an answer has an action, too: what it would have done.
//! Every model here is deterministic, also where the answer is not known: what a dequeue removes
//! does not depend on whether anyone saw it.
//!
//! # What a model costs
//!
//! Deciding linearizability is NP-complete in general (Gibbons and Korach, "Testing shared
//! memories", SIAM Journal on Computing 26(4), 1997), and so it is for each of these models once
//! values repeat or, for some, already with unique ones. The search is exponential in how many
//! operations are in flight at once, at worst, and linear in the length of the history. What a
//! state costs, and what is done beyond the search itself to keep the exponent small:
//!
//! | model | state | what helps |
//! | --- | --- | --- |
//! | [`Register`] | one number | an unanswered write waits until someone needs its value |
//! | [`MultiRegister`] | one number per key | groups of keys that no transaction joins are apart |
//! | [`Mutex`] | the holder | an unanswered acquire counts only if its own process releases |
//! | [`ReentrantMutex`] | the holder, how often | as the mutex |
//! | [`Semaphore`] | one number | acquires are alike, releases are alike |
//! | [`Set`] | its elements | each element apart, unless the whole set is read |
//! | [`Counter`] | one number | additions wait until someone reads; a sum out of reach is a dead end |
//! | [`FifoQueue`], [`Stack`] | their values | a value in the way of one that leaves earlier is a dead end |
//! | [`PriorityQueue`] | its values | unanswered additions of what nobody got are left out |
//! | [`AppendString`] | one place per key | each key apart; a string that contradicts a later get is a dead end: close to linear |
//! | [`UniqueIds`] | the ids | each id apart: linear |
//!
//! Splitting an object into parts that do not know of each other is P-compositionality (Horn and
//! Kroening, "Faster linearizability checking via P-compositionality", FORTE 2015): see
//! [`Parts`].

mod append_string;
mod container;
mod counter;
mod fifo_queue;
mod multi_register;
mod mutex;
mod priority_queue;
mod reentrant_mutex;
mod register;
mod semaphore;
mod set;
mod stack;
#[cfg(test)]
mod tests;
mod unique_ids;
mod values;

use std::hash::Hash;

use crate::checker::Options;
use crate::history::{Function, Operation, Outcome, Time, Value};

pub use append_string::AppendString;
pub use counter::Counter;
pub use fifo_queue::FifoQueue;
pub use multi_register::MultiRegister;
pub use mutex::Mutex;
pub use priority_queue::PriorityQueue;
pub use reentrant_mutex::ReentrantMutex;
pub use register::Register;
pub use semaphore::Semaphore;
pub use set::Set;
pub use stack::Stack;
pub use unique_ids::UniqueIds;

/// A deterministic object, and how its operations are understood.
///
/// One value of the type serves one history (or one part of it): it may number the values that
/// it meets. First each operation is [parsed](Model::action), then the model is told that this
/// was all ([`Model::settle`]), and only then is it asked anything else.
pub trait Model: Clone {
    /// What it is, as sentences have it: `a mutex`.
    const OBJECT: &'static str;
    /// The functions that it has.
    const FUNCTIONS: &'static [&'static str];
    /// All that later answers depend on.
    type State: Clone + Eq + Hash;
    /// An operation with what was observed. Equal actions do the same in every state.
    type Action: Clone + Eq + Hash;

    /// The object with these options.
    ///
    /// # Errors
    /// A sentence: it cannot begin with that initial value.
    fn new(options: &Options<'_>) -> Result<Self, String>;

    /// What an operation did, or would do if it had no answer; `None` if it can neither change
    /// the object nor say anything of it. Failed operations are only asked for
    /// ([`Model::refusal`]) where they prove something.
    ///
    /// # Errors
    /// A sentence: the object has no such operation, or not with such values.
    fn action(&mut self, operation: &Operation) -> Result<Option<Self::Action>, String>;

    /// What a failed operation proves, as an action that changes nothing. A failure says only
    /// that the operation did not take effect, so mostly it proves nothing: a lock that was not
    /// granted may have been held, or the node may have been busy.
    fn refusal(&mut self, _operation: &Operation) -> Option<Self::Action> {
        None
    }

    /// All operations have been parsed; these are the actions of the history.
    fn settle(&mut self, _actions: &[Parsed<Self::Action>]) {}

    /// The state before the first operation.
    fn initial(&self) -> Self::State;

    /// What the action does in that state.
    fn apply(&self, state: &Self::State, action: &Self::Action) -> After<Self::State>;

    /// Whether the action changes nothing in any state that allows it.
    fn is_pure(&self, action: &Self::Action) -> bool;

    /// Whether an acknowledgement of the action says something of the state; without any such,
    /// nothing can be refuted.
    fn observes(&self, _action: &Self::Action) -> bool {
        true
    }

    /// The independent parts of the object that the action touches.
    fn parts<'a>(&self, _action: &'a Self::Action) -> Parts<'a> {
        Parts::All
    }

    /// Whether the two may be swapped wherever they are neighbours: in every state either order
    /// is allowed if the other one is, and ends in the same state. Asked only of actions that
    /// share a part and are not both pure.
    fn commute(&self, _one: &Self::Action, _other: &Self::Action) -> bool {
        false
    }

    /// Whether an unanswered action can matter at all; false only if every order with it is
    /// allowed also without it (and, if need be, without other unanswered ones).
    fn matters(&self, _unanswered: &Self::Action) -> bool {
        true
    }

    /// Whether an unanswered action might have to take effect now, in that state, because of
    /// this pending operation.
    ///
    /// False for all pending operations promises: in any order that goes on with the unanswered
    /// action, it could as well be left out, or moved behind all pending ones.
    fn enables(
        &self,
        _state: &Self::State,
        _unanswered: &Self::Action,
        _pending: &Self::Action,
    ) -> bool {
        true
    }

    /// Whether the pure action, which is in flight at the first of these times and completes at
    /// the second, may still be allowed in this or some later state. True where it is not known.
    fn may_follow(
        &self,
        _state: &Self::State,
        _pure: &Self::Action,
        _now_and_finish: (Time, Time),
    ) -> bool {
        true
    }

    /// Whether the state, which this action led to, contradicts an acknowledged operation that has
    /// not taken effect (as one invoked after `now` has not), whatever happens between. False
    /// where it is not known.
    fn is_hopeless(&self, _state: &Self::State, _by: &Self::Action, _now: Time) -> bool {
        false
    }

    /// How many bytes a state holds outside itself.
    fn heap_bytes(_state: &Self::State) -> usize {
        0
    }

    /// The state in words, as in "the object was held by process 3".
    fn describe(&self, state: &Self::State) -> String;
}

/// What an action does in a state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum After<S> {
    /// The object cannot have answered this in that state.
    Refused,
    /// It can, and its state stays as it is.
    Same,
    /// It can, and this is its state then.
    Next(S),
}

impl<S> After<S> {
    /// [`After::Same`] if that is so, else [`After::Refused`].
    pub fn same_if(allowed: bool) -> Self {
        if allowed { After::Same } else { After::Refused }
    }
}

/// An action, and what is known of the operation besides.
#[derive(Debug, Clone, PartialEq)]
pub struct Parsed<A> {
    pub action: A,
    pub invoke: Time,
    /// [`Time::MAX`] if it has no answer.
    pub finish: Time,
    /// Whether it surely took effect.
    pub is_sure: bool,
    /// Position of the operation in the caller's slice.
    pub source: u32,
}

/// Parts of an object that do not know of each other: the object is nothing but all of them side
/// by side. Actions without a common part commute in every state, and a history is linearizable
/// iff the histories of its parts are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parts<'a> {
    All,
    One(u32),
    These(&'a [u32]),
}

impl Parts<'_> {
    /// Whether both have a part in common.
    pub fn meet(self, other: Parts<'_>) -> bool {
        match (self, other) {
            (Parts::All, _) | (_, Parts::All) => true,
            (Parts::One(one), Parts::One(other)) => one == other,
            (Parts::These(these), Parts::One(one)) | (Parts::One(one), Parts::These(these)) => {
                these.contains(&one)
            }
            (Parts::These(these), Parts::These(those)) => {
                these.iter().any(|part| those.contains(part))
            }
        }
    }
}

/// Whether the two cannot simply be swapped.
pub(crate) fn depends<M: Model>(model: &M, one: &M::Action, other: &M::Action) -> bool {
    model.parts(one).meet(model.parts(other))
        && !(model.is_pure(one) && model.is_pure(other))
        && !model.commute(one, other)
}

/// The refusal of an operation that the object does not have.
fn unknown_function<M: Model>(operation: &Operation) -> String {
    format!(
        "operation {} is `{}`; {} has {}",
        operation.index,
        operation.f,
        M::OBJECT,
        crate::words::list(M::FUNCTIONS)
    )
}

/// The refusal of an operation whose value cannot be understood.
fn unknown_value(operation: &Operation, value: &Value, expected: &str) -> String {
    format!("operation {}: {} of {value}; expected {expected}", operation.index, operation.f)
}

/// What was observed, if the operation was acknowledged.
fn answer(operation: &Operation) -> Option<&Value> {
    (operation.outcome == Outcome::Ok).then_some(&operation.output)
}

/// What an operation did: `enqueue 5`, `dequeue -> 5`, `acquire`; long values cut short.
pub(crate) fn said(operation: &Operation) -> String {
    let is_register = !matches!(operation.f, Function::Other(_));
    if is_register && operation.key.is_none() {
        return operation.to_string();
    }
    let mut text = operation.f.as_str().to_owned();
    if let Some(key) = &operation.key {
        text += &format!(" {key}");
    }
    if operation.input != Value::Nil {
        text += &format!(" {}", short(&operation.input));
    }
    if operation.outcome == Outcome::Ok && operation.output != operation.input {
        text += &format!(" -> {}", short(&operation.output));
    }
    text
}

/// As [`said`], with the node or the process.
pub(crate) fn who(operation: &Operation) -> String {
    match &operation.node {
        Some(node) => format!("{} by process {} at {node}", said(operation), operation.process),
        None => format!("{} by process {}", said(operation), operation.process),
    }
}

/// A value; of a long one its end, which is where long values differ.
fn short(value: &Value) -> String {
    const SHOWN: usize = 40;
    let text = match value {
        Value::Text(text) => format!("\"{text}\""),
        other => other.to_string(),
    };
    let length = text.chars().count();
    if length <= 2 * SHOWN {
        return text;
    }
    let end: String = text.chars().skip(length - SHOWN).collect();
    format!("...{end} ({length} characters)")
}

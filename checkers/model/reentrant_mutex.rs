//! A mutex that its holder may acquire again.

use crate::checker::Options;
use crate::history::Operation;
use crate::model::mutex::{Action, Users, first_holder, lock_action};
use crate::model::{After, Model, Parsed};

/// A [mutex](crate::model::Mutex) that its holder may acquire again; it is free when it has been
/// released as often as it was acquired.
#[derive(Debug, Clone)]
pub struct ReentrantMutex {
    holder: Option<u64>,
    users: Users,
}

impl Model for ReentrantMutex {
    const OBJECT: &'static str = "a reentrant mutex";
    const FUNCTIONS: &'static [&'static str] = &["acquire", "release"];
    /// The holder, and how often it has acquired; at least once.
    type State = Option<(u64, u32)>;
    type Action = Action;

    fn new(options: &Options<'_>) -> Result<Self, String> {
        Ok(Self { holder: first_holder::<Self>(options)?, users: Users::default() })
    }

    fn action(&mut self, operation: &Operation) -> Result<Option<Action>, String> {
        lock_action::<Self>(operation)
    }

    fn settle(&mut self, actions: &[Parsed<Action>]) {
        self.users = Users::new(self.holder, actions);
    }

    fn initial(&self) -> Self::State {
        self.holder.map(|process| (process, 1))
    }

    fn apply(&self, state: &Self::State, action: &Action) -> After<Self::State> {
        match (*action, *state) {
            (Action::Acquire(process), None) => After::Next(Some((process, 1))),
            (Action::Acquire(process), Some((holder, times))) if process == holder => {
                After::Next(Some((holder, times + 1)))
            }
            (Action::Release(process), Some((holder, times))) if process == holder => {
                After::Next((times > 1).then(|| (holder, times - 1)))
            }
            _ => After::Refused,
        }
    }

    fn is_pure(&self, _action: &Action) -> bool {
        false
    }

    /// After an acquire only its own process can go on. A release that leaves the lock held
    /// allows nothing new, but a second one may.
    fn enables(&self, _state: &Self::State, unanswered: &Action, pending: &Action) -> bool {
        match (*unanswered, *pending) {
            (Action::Acquire(holder), Action::Acquire(process) | Action::Release(process)) => {
                holder == process
            }
            (Action::Release(_), _) => true,
        }
    }

    fn matters(&self, unanswered: &Action) -> bool {
        self.users.matters(unanswered)
    }

    fn describe(&self, state: &Self::State) -> String {
        match state {
            None => "free".to_owned(),
            Some((process, 1)) => format!("held by process {process}"),
            Some((process, times)) => format!("held {times} times by process {process}"),
        }
    }
}

//! A mutex: acquire and release, by processes.

use rustc_hash::FxHashSet;

use crate::checker::Options;
use crate::history::{Operation, Outcome, Value};
use crate::model::{After, Model, Parsed, unknown_function, unknown_value};

/// A mutex. It is held by the process that acquired it; only that process can release it, and
/// while it is held nobody can acquire it, not even its holder.
///
/// A process is what the history calls one. A client that goes on as a new process after an
/// operation without an answer is somebody else, so an acquire that may have been granted to the
/// old process is never released: in a valid history it either did not take effect or is the
/// last. Locks that expire (leases) are no mutexes.
#[derive(Debug, Clone)]
pub struct Mutex {
    holder: Option<u64>,
    users: Users,
}

/// Who acquires and who releases a lock.
#[derive(Debug, Clone, Default)]
pub(super) struct Users {
    acquire: FxHashSet<u64>,
    release: FxHashSet<u64>,
}

impl Users {
    pub(super) fn new(holder: Option<u64>, actions: &[Parsed<Action>]) -> Self {
        let mut users = Users::default();
        users.acquire.extend(holder);
        for parsed in actions {
            match parsed.action {
                Action::Acquire(process) => users.acquire.insert(process),
                Action::Release(process) => users.release.insert(process),
            };
        }
        users
    }

    /// An acquire without an answer by a process that never releases can be left out: nobody
    /// acquired the lock after it, and that process can also do so without it. A release by a
    /// process that never acquires is never allowed.
    pub(super) fn matters(&self, unanswered: &Action) -> bool {
        match unanswered {
            Action::Acquire(process) => self.release.contains(process),
            Action::Release(process) => self.acquire.contains(process),
        }
    }
}

/// What an operation does to a lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// By that process.
    Acquire(u64),
    Release(u64),
}

/// Parses the operations of a lock.
pub(super) fn lock_action<M: Model>(operation: &Operation) -> Result<Option<Action>, String> {
    let not_granted = Value::Bool(false);
    if operation.outcome == Outcome::Ok && operation.output == not_granted {
        let expected = "`fail` as the outcome of what was not granted";
        return Err(unknown_value(operation, &not_granted, expected));
    }
    match operation.f.as_str() {
        "acquire" => Ok(Some(Action::Acquire(operation.process))),
        "release" => Ok(Some(Action::Release(operation.process))),
        _ => Err(unknown_function::<M>(operation)),
    }
}

/// The holder of a lock at first: nobody, or the process of that number.
pub(super) fn first_holder<M: Model>(options: &Options<'_>) -> Result<Option<u64>, String> {
    match options.initial {
        Value::Nil => Ok(None),
        Value::Int(process) if process >= 0 => Ok(Some(process as u64)),
        ref other => Err(format!(
            "{} begins free (nil) or held by the process of a number, not as {other}",
            M::OBJECT
        )),
    }
}

impl Model for Mutex {
    const OBJECT: &'static str = "a mutex";
    const FUNCTIONS: &'static [&'static str] = &["acquire", "release"];
    /// The holder.
    type State = Option<u64>;
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

    fn initial(&self) -> Option<u64> {
        self.holder
    }

    fn apply(&self, holder: &Option<u64>, action: &Action) -> After<Option<u64>> {
        match (*action, *holder) {
            (Action::Acquire(process), None) => After::Next(Some(process)),
            (Action::Release(process), Some(holder)) if process == holder => After::Next(None),
            _ => After::Refused,
        }
    }

    fn is_pure(&self, _action: &Action) -> bool {
        false
    }

    /// After an acquire only the release of the same process is allowed, after a release only an
    /// acquire.
    fn enables(&self, _holder: &Option<u64>, unanswered: &Action, pending: &Action) -> bool {
        match (*unanswered, *pending) {
            (Action::Acquire(holder), Action::Release(process)) => holder == process,
            (Action::Release(_), Action::Acquire(_)) => true,
            _ => false,
        }
    }

    fn matters(&self, unanswered: &Action) -> bool {
        self.users.matters(unanswered)
    }

    fn describe(&self, holder: &Option<u64>) -> String {
        match holder {
            None => "free".to_owned(),
            Some(process) => format!("held by process {process}"),
        }
    }
}

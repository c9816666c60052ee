//! One operation: the request, and how its answer is read.

use splitbrain_checkers::history::{Function, Value};

use super::call::{Call, NoAnswer};
use super::condition::{self, Answer, Condition, Unsaid};
use super::section::{Mistake, Section};
use super::template::{Scope, Slot};
use super::value::ValuePlace;
use crate::driver::Reply;

/// A compiled operation.
#[derive(Debug, Clone)]
pub struct Operation {
    pub call: Call,
    rules: Rules,
    effect: Effect,
}

/// Conditions in the order in which they are tried: the first one that holds decides.
#[derive(Debug, Clone)]
struct Rules {
    fail: Vec<Condition>,
    info: Vec<Condition>,
    missing: Vec<Condition>,
    mismatch: Vec<Condition>,
    ok: Vec<Condition>,
}

/// What the operation does to the database.
#[derive(Debug, Clone)]
enum Effect {
    /// Nothing: whatever goes wrong, it did not happen.
    Reads(ValuePlace),
    /// Without a definite answer it may have happened.
    Writes,
}

/// The slots that an operation can fill.
pub fn slots(f: &Function) -> &'static [Slot] {
    match f {
        Function::Write => {
            &[Slot::Key, Slot::Value, Slot::Ip, Slot::Address, Slot::Node, Slot::Index]
        }
        Function::Cas => &[
            Slot::Key,
            Slot::Expected,
            Slot::New,
            Slot::Ip,
            Slot::Address,
            Slot::Node,
            Slot::Index,
        ],
        _ => &[Slot::Key, Slot::Ip, Slot::Address, Slot::Node, Slot::Index],
    }
}

impl Operation {
    /// Reads an operation's section.
    pub fn read(
        f: &Function,
        mut section: Section,
        scope: &Scope,
        mistakes: &mut Vec<Mistake>,
    ) -> Option<Operation> {
        let call = Call::read(&mut section, scope, mistakes);
        let effect = match f {
            Function::Read | Function::ReplicaRead => {
                Effect::Reads(ValuePlace::read(&mut section, mistakes))
            }
            _ => Effect::Writes,
        };
        let rules = Rules::read(f, &mut section, mistakes);
        if let Some(call) = &call {
            refuse_unused(f, call, &section, mistakes);
        }
        section.finish(mistakes);
        Some(Operation { call: call?, rules, effect })
    }

    /// What an answer means: the one place where it is decided.
    pub fn judge(&self, answer: &Answer) -> Reply {
        let holds = |rules: &[Condition]| rules.iter().any(|rule| rule.holds(answer));
        if holds(&self.rules.fail) {
            Reply::Fail(answer.summary())
        } else if holds(&self.rules.info) {
            Reply::Info(answer.summary())
        } else if holds(&self.rules.mismatch) {
            Reply::Mismatch
        } else if holds(&self.rules.missing) {
            Reply::Ok(Value::Nil)
        } else if holds(&self.rules.ok) {
            match &self.effect {
                Effect::Writes => Reply::Ok(Value::Nil),
                Effect::Reads(place) => match place.value_in(answer) {
                    Ok(value) => Reply::Ok(value),
                    Err(reason) => Reply::Fail(format!("{reason}: {}", answer.summary())),
                },
            }
        } else {
            self.indefinite(answer.summary())
        }
    }

    /// What it means that there is no answer.
    pub fn judge_silence(&self, silence: NoAnswer) -> Reply {
        if silence.unsent { Reply::Fail(silence.text) } else { self.indefinite(silence.text) }
    }

    fn indefinite(&self, text: String) -> Reply {
        match self.effect {
            Effect::Reads(_) => Reply::Fail(text),
            Effect::Writes => Reply::Info(text),
        }
    }
}

impl Rules {
    fn read(f: &Function, section: &mut Section, mistakes: &mut Vec<Mistake>) -> Rules {
        let reads = matches!(f, Function::Read | Function::ReplicaRead);
        let mut field = |name: &'static str, unsaid: Unsaid, mistakes: &mut Vec<Mistake>| {
            let json = section.take(name)?;
            Some(condition::read(json, &section.path(name), unsaid, mistakes))
        };
        let fail = field("fail", Unsaid::AnyStatus, mistakes);
        let ok = field("ok", Unsaid::SuccessOnly, mistakes);
        let mut rules = Rules {
            fail: fail.unwrap_or_default(),
            info: Vec::new(),
            missing: Vec::new(),
            mismatch: Vec::new(),
            ok: ok.unwrap_or_else(|| vec![Condition::success()]),
        };
        if !reads {
            rules.info = field("info", Unsaid::AnyStatus, mistakes).unwrap_or_default();
        }
        let (name, why) = match f {
            Function::Read | Function::ReplicaRead => ("missing", "there is no such key"),
            Function::Cas => ("mismatch", "the value was another one"),
            _ => return rules,
        };
        let found = field(name, Unsaid::SuccessOnly, mistakes);
        if found.is_none() {
            mistakes.push(Mistake {
                path: section.own_path().to_vec(),
                message: format!("`{name}` is missing: how does an answer say that {why}?"),
                accepted: format!("{name}: 404, or {name}: {{ absent: /a/json/pointer }}"),
            });
        }
        if reads {
            rules.missing = found.unwrap_or_default();
        } else {
            rules.mismatch = found.unwrap_or_default();
        }
        rules
    }
}

/// A request that leaves out its key or its value would test nothing.
fn refuse_unused(f: &Function, call: &Call, section: &Section, mistakes: &mut Vec<Mistake>) {
    let needed: &[Slot] = match f {
        Function::Write => &[Slot::Key, Slot::Value],
        Function::Cas => &[Slot::Key, Slot::Expected, Slot::New],
        _ => &[Slot::Key],
    };
    let used = call.slots();
    for slot in needed.iter().filter(|slot| !used.contains(slot)) {
        let name = slot.name();
        mistakes.push(Mistake {
            path: section.own_path().to_vec(),
            message: format!("the request never mentions {{{name}}}"),
            accepted: format!("{{{name}}} somewhere in url, headers or body"),
        });
    }
}

/// Whether the http driver can send this value: a template cannot say "no value".
pub fn is_sendable(value: &Value) -> bool {
    matches!(value, Value::Bool(_) | Value::Int(_) | Value::Text(_))
}

/// An operation's field in the section.
pub fn field_name(f: &Function) -> &'static str {
    match f {
        Function::Read => "read",
        Function::Write => "write",
        Function::Cas => "cas",
        _ => "replica-read",
    }
}

/// The operations that can be described, in the order of the README.
pub const OPERATIONS: [Function; 4] =
    [Function::Read, Function::Write, Function::Cas, Function::ReplicaRead];

//! Every object once more, as plainly as it can be said, in nothing but the standard library.

use std::collections::{BTreeMap, BTreeSet};

use splitbrain_checkers::checker::Options;
use splitbrain_checkers::history::{Operation, Value};
use splitbrain_checkers::model;
use splitbrain_checkers::search::{self, Report};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Object {
    Register,
    MultiRegister,
    Mutex,
    ReentrantMutex,
    Semaphore,
    Set,
    Counter,
    FifoQueue,
    Stack,
    PriorityQueue,
    AppendString,
    UniqueIds,
}

#[derive(Debug, Clone, PartialEq)]
pub enum State {
    Value(Value),
    Registers(BTreeMap<String, Value>, Value),
    Holder(Option<(u64, i64)>),
    /// Left, of all.
    Permits(i64, i64),
    Set(BTreeSet<Value>),
    Sum(i64),
    List(Vec<Value>),
    Strings(BTreeMap<String, String>),
}

impl Object {
    pub const ALL: [Object; 12] = [
        Object::Register,
        Object::MultiRegister,
        Object::Mutex,
        Object::ReentrantMutex,
        Object::Semaphore,
        Object::Set,
        Object::Counter,
        Object::FifoQueue,
        Object::Stack,
        Object::PriorityQueue,
        Object::AppendString,
        Object::UniqueIds,
    ];

    /// What our search says.
    pub fn explore(self, operations: &[Operation], options: &Options<'_>) -> Report {
        let operations: Vec<&Operation> = operations.iter().collect();
        match self {
            Object::Register => search::explore::<model::Register>(&operations, options),
            Object::MultiRegister => search::explore::<model::MultiRegister>(&operations, options),
            Object::Mutex => search::explore::<model::Mutex>(&operations, options),
            Object::ReentrantMutex => {
                search::explore::<model::ReentrantMutex>(&operations, options)
            }
            Object::Semaphore => search::explore::<model::Semaphore>(&operations, options),
            Object::Set => search::explore::<model::Set>(&operations, options),
            Object::Counter => search::explore::<model::Counter>(&operations, options),
            Object::FifoQueue => search::explore::<model::FifoQueue>(&operations, options),
            Object::Stack => search::explore::<model::Stack>(&operations, options),
            Object::PriorityQueue => search::explore::<model::PriorityQueue>(&operations, options),
            Object::AppendString => search::explore::<model::AppendString>(&operations, options),
            Object::UniqueIds => search::explore::<model::UniqueIds>(&operations, options),
        }
    }

    /// As [`Object::explore`], all parts together.
    pub fn explore_unsplit(self, operations: &[Operation], options: &Options<'_>) -> Report {
        let operations: Vec<&Operation> = operations.iter().collect();
        match self {
            Object::MultiRegister => {
                search::explore_unsplit::<model::MultiRegister>(&operations, options)
            }
            Object::Set => search::explore_unsplit::<model::Set>(&operations, options),
            Object::AppendString => {
                search::explore_unsplit::<model::AppendString>(&operations, options)
            }
            Object::UniqueIds => search::explore_unsplit::<model::UniqueIds>(&operations, options),
            _ => panic!("{self:?} has no parts"),
        }
    }

    pub fn first(self, initial: &Value) -> State {
        let list = || match initial {
            Value::List(items) => items.to_vec(),
            _ => Vec::new(),
        };
        let number = |if_nil| match initial {
            Value::Int(number) => *number,
            _ => if_nil,
        };
        match self {
            Object::Register => State::Value(initial.clone()),
            Object::MultiRegister => State::Registers(BTreeMap::new(), initial.clone()),
            Object::Mutex | Object::ReentrantMutex => State::Holder(None),
            Object::Semaphore => State::Permits(number(1), number(1)),
            Object::Set | Object::UniqueIds => State::Set(list().into_iter().collect()),
            Object::Counter => State::Sum(number(0)),
            Object::FifoQueue | Object::Stack | Object::PriorityQueue => State::List(list()),
            Object::AppendString => State::Strings(BTreeMap::new()),
        }
    }

    /// The state after an operation and what it would answer; `None` if it would not be done.
    pub fn serve(self, state: &State, operation: &Operation) -> Option<(State, Value)> {
        let (f, input) = (operation.f.as_str(), &operation.input);
        let done = |state: State| Some((state, Value::Nil));
        match (self, state.clone()) {
            (Object::Register, State::Value(value)) => match f {
                "read" => Some((State::Value(value.clone()), value)),
                "write" => done(State::Value(input.clone())),
                _ => {
                    let (expected, new) = input.as_pair().unwrap();
                    (*expected == value).then(|| (State::Value(new.clone()), Value::Nil))
                }
            },
            (Object::MultiRegister, State::Registers(mut registers, first)) => {
                let Value::List(micros) = input else { panic!("a list") };
                let mut answer = Vec::new();
                for micro in micros {
                    let Value::List(parts) = micro else { panic!("a list") };
                    let [micro_f, key, value] = &**parts else { panic!("three parts") };
                    if *micro_f == Value::from("w") {
                        registers.insert(key.to_string(), value.clone());
                        answer.push(micro.clone());
                    } else {
                        let value = registers.get(&key.to_string()).unwrap_or(&first).clone();
                        answer.push(Value::list([micro_f.clone(), key.clone(), value]));
                    }
                }
                Some((State::Registers(registers, first), Value::List(answer.into())))
            }
            (Object::Mutex, State::Holder(holder)) => match (f, holder) {
                ("acquire", None) => done(State::Holder(Some((operation.process, 1)))),
                ("release", Some((holder, _))) if holder == operation.process => {
                    done(State::Holder(None))
                }
                _ => None,
            },
            (Object::ReentrantMutex, State::Holder(holder)) => {
                let change = if f == "acquire" { 1 } else { -1 };
                let (process, times) = holder.unwrap_or((operation.process, 0));
                let after = times + change;
                if process != operation.process || after < 0 {
                    return None;
                }
                done(State::Holder((after > 0).then_some((process, after))))
            }
            (Object::Semaphore, State::Permits(left, all)) => {
                let Value::Int(permits) = *input else { panic!("a number") };
                let after = if f == "acquire" { left - permits } else { left + permits };
                if (0..=all).contains(&after) { done(State::Permits(after, all)) } else { None }
            }
            (Object::Set, State::Set(mut set)) => match f {
                "read" => {
                    let answer = Value::List(set.iter().cloned().collect());
                    Some((State::Set(set), answer))
                }
                "contains" => {
                    let answer = Value::Bool(set.contains(input));
                    Some((State::Set(set), answer))
                }
                "add" => {
                    set.insert(input.clone());
                    done(State::Set(set))
                }
                _ => {
                    set.remove(input);
                    done(State::Set(set))
                }
            },
            (Object::UniqueIds, State::Set(mut given)) => {
                let id = match &operation.output {
                    Value::Nil => Value::Int((1..).find(|id| !given.contains(&Value::Int(*id)))?),
                    id => id.clone(),
                };
                given.insert(id.clone()).then_some((State::Set(given), id))
            }
            (Object::Counter, State::Sum(sum)) => {
                let Value::Int(number) = *input else {
                    return Some((State::Sum(sum), Value::Int(sum)));
                };
                done(State::Sum(if f == "dec" { sum - number } else { sum + number }))
            }
            (Object::AppendString, State::Strings(mut strings)) => {
                let key = operation.key.as_deref().unwrap_or_default().to_owned();
                let string = strings.entry(key).or_default();
                match input {
                    Value::Text(piece) => {
                        if f == "put" {
                            string.clear();
                        }
                        string.push_str(piece);
                        done(State::Strings(strings))
                    }
                    _ => {
                        let answer = Value::from(string.as_str());
                        Some((State::Strings(strings), answer))
                    }
                }
            }
            (_, State::List(mut values)) => {
                if matches!(f, "enqueue" | "push" | "insert") {
                    values.push(input.clone());
                    return done(State::List(values));
                }
                let next = match self {
                    Object::FifoQueue => (!values.is_empty()).then_some(0),
                    Object::Stack => values.len().checked_sub(1),
                    _ => (0..values.len()).min_by_key(|i| values[*i].clone()),
                };
                let answer = next.map_or(Value::Nil, |next| values.remove(next));
                Some((State::List(values), answer))
            }
            other => panic!("{other:?} is no state of that object"),
        }
    }

    /// Whether the operation can have returned this answer.
    pub fn agrees(self, operation: &Operation, answer: &Value) -> bool {
        match (operation.f.as_str(), answer) {
            ("read" | "contains" | "get" | "dequeue" | "pop" | "delete-min" | "txn", answer) => {
                operation.output == *answer
            }
            _ => true,
        }
    }
}

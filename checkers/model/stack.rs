//! A stack.

use crate::model::container::{Container, Discipline, Got};
use crate::model::values::Values;

/// A stack. `push` adds its input on top, `pop` removes and returns the top, or returns nil from
/// an empty stack. It begins with the list
/// [`Options::initial`](crate::checker::Options::initial), the top last.
pub type Stack = Container<LastOut>;

/// Last in, first out.
#[derive(Debug, Clone, Default)]
pub struct LastOut;

impl Discipline for LastOut {
    const OBJECT: &'static str = "a stack";
    const FUNCTIONS: &'static [&'static str] = &["push", "pop"];
    const PUTS: &'static [&'static str] = &["push"];

    fn put(&self, inside: &[u32], value: u32) -> Box<[u32]> {
        [inside, &[value]].concat().into()
    }

    /// What stands above a value has to leave before it does.
    fn is_hopeless(&self, inside: &[u32], got: &Got) -> bool {
        inside
            .split_last()
            .is_some_and(|(value, below)| below.iter().any(|other| got.outstays(*value, *other)))
    }

    fn describe(&self, inside: &[u32], values: &Values) -> String {
        values.show(inside)
    }
}

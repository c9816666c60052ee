//! What is written in the bars of a witness, and how much room that takes.

use splitbrain_checkers::history::{Operation, Outcome};

use super::end;
use crate::report::text;

const LONGEST_LABEL: usize = 28;

/// The words of one drawing.
pub struct Words {
    /// Whether each operation says its key: it does where they are of several.
    keys: bool,
}

impl Words {
    pub fn of(operations: &[Operation]) -> Words {
        Words { keys: operations.windows(2).any(|pair| pair[0].key != pair[1].key) }
    }

    /// `w(7)`, or `k1: w(7)`.
    pub fn label(&self, operation: &Operation) -> String {
        let label = match &operation.key {
            Some(key) if self.keys => format!("{key}: {operation}"),
            _ => operation.to_string(),
        };
        text::fit(&label, LONGEST_LABEL)
    }

    /// How wide the operation's bar has to be.
    pub fn width(&self, operation: &Operation) -> f64 {
        let value = 18.0 + 7.6 * text::columns(&self.label(operation)) as f64;
        let times = 18.0 + 5.8 * text::columns(&times(operation)) as f64;
        value.max(times)
    }
}

pub fn times(operation: &Operation) -> String {
    match end(operation) {
        Some(end) => {
            format!("{:.3} – {:.3} s", operation.invoke.as_secs_f64(), end.as_secs_f64())
        }
        None => format!("from {}", operation.invoke),
    }
}

/// All of an operation, for who points at its bar.
pub fn title(operation: &Operation) -> String {
    let key = operation.key.as_deref().unwrap_or("-");
    let outcome = match (operation.outcome, &operation.error) {
        (Outcome::Ok, _) => "ok".to_string(),
        (Outcome::Fail, error) => format!("failed: {}", error.as_deref().unwrap_or("no reason")),
        (Outcome::Info, error) => {
            format!("indeterminate: {}", error.as_deref().unwrap_or("no answer"))
        }
    };
    format!("{operation} on key {key}, event {}, {}, {outcome}", operation.index, times(operation))
}

#[cfg(test)]
mod tests {
    use splitbrain_checkers::notation;

    use super::*;

    #[test]
    fn keys_are_said_where_there_are_several() {
        let labels = |lines: &str| -> Vec<String> {
            let operations = notation::history(lines).operations;
            let words = Words::of(&operations);
            operations.iter().map(|operation| words.label(operation)).collect()
        };
        assert_eq!(labels("0 write@x 1 0..10\n1 read@x -> 1 20..30"), ["w(1)", "r -> 1"]);
        assert_eq!(labels("0 write@x 1 0..10\n1 read@y -> 1 20..30"), ["x: w(1)", "y: r -> 1"]);
    }
}

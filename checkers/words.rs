//! Small pieces of the sentences that findings and verdicts are made of.

use crate::history::{Function, Operation, Value};

/// `r -> 5 at n1`, or `r -> 5 by process 3` where no node is known.
pub(crate) fn who(operation: &Operation) -> String {
    match &operation.node {
        Some(node) => format!("{operation} at {node}"),
        None => format!("{operation} by process {}", operation.process),
    }
}

/// ` at n1`, or nothing where no node is known.
pub(crate) fn place(operation: &Operation) -> String {
    operation.node.as_ref().map(|node| format!(" at {node}")).unwrap_or_default()
}

/// What an operation did with the value: `returned 5`, `replaced 5`, `wrote 5`.
pub(crate) fn found(operation: &Operation, value: &Value) -> String {
    match (&operation.f, operation.input.as_pair()) {
        (Function::Read, _) => format!("returned {value}"),
        (Function::Cas, Some((expected, _))) if expected == value => format!("replaced {value}"),
        _ => format!("wrote {value}"),
    }
}

/// `a`, `a and b`, `a, b and c`; of more than ten, the first three and how many more.
pub(crate) fn few(items: &[String], conjunction: &str) -> String {
    match items {
        [] => String::new(),
        [only] => only.clone(),
        [a, b, c, more @ ..] if more.len() > 7 => {
            format!("{a}, {b}, {c} {conjunction} {} more", more.len())
        }
        [front @ .., last] => format!("{} {conjunction} {last}", front.join(", ")),
    }
}

/// `n1`, `n1 and n2`, `n1, n2 and n3`.
pub fn list<T: AsRef<str>>(items: &[T]) -> String {
    match items {
        [] => "none".into(),
        [one] => one.as_ref().into(),
        [first @ .., last] => {
            let first: Vec<&str> = first.iter().map(AsRef::as_ref).collect();
            format!("{} and {}", first.join(", "), last.as_ref())
        }
    }
}

/// `1 key`, `3 keys`, `12,345 keys`.
pub fn count(number: usize, one: &str) -> String {
    match number {
        1 => format!("1 {one}"),
        _ => format!("{} {one}s", thousands(number)),
    }
}

/// `1,234,567`.
pub fn thousands(number: usize) -> String {
    match number {
        0..1000 => number.to_string(),
        _ => format!("{},{:03}", thousands(number / 1000), number % 1000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_and_counts_read_as_a_person_says_them() {
        assert_eq!(list::<&str>(&[]), "none");
        assert_eq!(list(&["n1"]), "n1");
        assert_eq!(list(&["n1", "n2", "n3"]), "n1, n2 and n3");
        assert_eq!((count(1, "key"), count(0, "key")), ("1 key".into(), "0 keys".into()));
        assert_eq!(count(1_002_345, "key"), "1,002,345 keys");
    }

    #[test]
    fn long_lists_are_cut_short() {
        let items = ["a", "b", "c"].map(str::to_owned);
        assert_eq!(few(&items[..0], "and"), "");
        assert_eq!(few(&items[..1], "and"), "a");
        assert_eq!(few(&items[..2], "or"), "a or b");
        assert_eq!(few(&items, "and"), "a, b and c");
        assert_eq!(few(&vec!["a".to_owned(); 20], "and"), "a, a, a and 17 more");
    }
}

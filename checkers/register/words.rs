//! Operations, places and times in words.

use std::time::Duration;

use crate::history::{Function, Operation, Time, Value};

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

/// `3.102 s`; below a millisecond, where such a history counts events rather than time, `17 ns`.
pub(crate) fn instant(time: Time) -> String {
    if time.0 < 1_000_000 { format!("{} ns", time.0) } else { time.to_string() }
}

/// `1.400 s`, `12.3 ms`, `85.0 us` or `17 ns`.
pub(crate) fn gap(duration: Duration) -> String {
    let nanoseconds = duration.as_nanos();
    match nanoseconds {
        0..1_000 => format!("{nanoseconds} ns"),
        1_000..1_000_000 => format!("{:.1} us", nanoseconds as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} ms", nanoseconds as f64 / 1e6),
        _ => format!("{:.3} s", duration.as_secs_f64()),
    }
}

/// `a`, `a and b`, `a, b and c`.
pub(crate) fn list(items: &[String], conjunction: &str) -> String {
    match items {
        [] => String::new(),
        [only] => only.clone(),
        [front @ .., last] => format!("{} {conjunction} {last}", front.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_a_unit_that_shows_them() {
        let texts = [17, 85_000, 12_300_000, 1_400_000_000].map(|n| gap(Duration::from_nanos(n)));
        assert_eq!(texts, ["17 ns", "85.0 us", "12.3 ms", "1.400 s"]);
        assert_eq!(instant(Time(3_102_000_000)), "3.102 s");
        assert_eq!(instant(Time(17)), "17 ns");
    }

    #[test]
    fn lists() {
        let items = ["a", "b", "c"].map(str::to_owned);
        assert_eq!(list(&items[..0], "and"), "");
        assert_eq!(list(&items[..1], "and"), "a");
        assert_eq!(list(&items[..2], "or"), "a or b");
        assert_eq!(list(&items, "and"), "a, b and c");
    }
}

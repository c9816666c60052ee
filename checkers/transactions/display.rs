//! Transactions as the reports print them: `T(append x 1, r y -> [1 2])`.

use std::fmt;

use crate::history::{Operation, Outcome, Value};

/// Lists longer than this are shown by their first and last three elements.
const LONGEST: usize = 8;

/// Shows a transaction on one line; what reads returned if it was acknowledged.
pub(crate) struct Shown<'o>(pub &'o Operation);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_ok = self.0.outcome == Outcome::Ok;
        let value = if is_ok { &self.0.output } else { &self.0.input };
        let Value::List(micro_operations) = value else { return write!(f, "T({value})") };
        f.write_str("T(")?;
        for (position, micro_operation) in micro_operations.iter().enumerate() {
            if position > 0 {
                f.write_str(", ")?;
            }
            match micro_operation {
                Value::List(parts) => match parts.as_ref() {
                    [Value::Text(name), key, value] if matches!(&**name, "r" | "read") => {
                        match is_ok {
                            true => write!(f, "r {key} -> {}", Short(value))?,
                            false => write!(f, "r {key}")?,
                        }
                    }
                    [Value::Text(name), key, value] => write!(f, "{name} {key} {value}")?,
                    _ => write!(f, "{micro_operation}")?,
                },
                _ => write!(f, "{micro_operation}")?,
            }
        }
        f.write_str(")")
    }
}

/// A value, a long list cut short.
struct Short<'v>(&'v Value);

impl fmt::Display for Short<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Value::List(items) if items.len() > LONGEST => {
                let [a, b, c, .., x, y, z] = items.as_ref() else { return Ok(()) };
                write!(f, "[{a} {b} {c} ... {x} {y} {z}]")
            }
            value => write!(f, "{value}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::notation;

    #[test]
    fn transactions_are_shown_on_one_line() {
        let shown = |line: &str| notation::history(line).operations[0].to_string();
        let line = "0 txn [[append x 1] [r y nil]] -> [[append x 1] [r y [1 2]]] 0..1";
        assert_eq!(shown(line), "T(append x 1, r y -> [1 2])");
        assert_eq!(shown("0 txn [[w x 1] [r y nil]] 0..1 info"), "T(w x 1, r y)");
        assert_eq!(shown("0 txn [[r 1 [1 2 3 4 5 6 7 8 9]]] 0..1"), "T(r 1 -> [1 2 3 ... 7 8 9])");
        assert_eq!(shown("0 txn 7 0..1"), "T(7)");
        assert_eq!(shown("0 txn [[r x] 5] 0..1"), "T([r x], 5)");
    }
}

//! Small histories written by hand, for examples and tests: one operation a line.
//!
//! ```text
//! PROCESS FUNCTION[@KEY] [INPUT] [-> OUTPUT] START..END [fail | info]
//! ```
//!
//! Values are EDN. Without an END the operation was never answered. Without `fail` or `info` it
//! was acknowledged. What is written without `->` is the input; an acknowledged operation that
//! has no `->` returns its input, as Jepsen has it.
//!
//! ```
//! # use splitbrain_checkers::{notation, register};
//! let stale = notation::history(
//!     "0 write@x 1         0..10
//!      0 write@x 2        20..30
//!      1 read@x -> 1      40..50
//!      2 cas@x [2 3]      45..        ",
//! );
//! assert!(register::check_history(&stale).validity.is_invalid());
//! ```

use crate::format::{self, Edn, EdnReader};
use crate::history::{Function, History, Operation, Outcome, Time, Value};

/// The history of these lines, its operations in the order of their invocations.
///
/// # Panics
/// If a line is not of the form above: it was written by hand, next to where it is read.
pub fn history(lines: &str) -> History {
    let lines = lines.lines().map(str::trim).filter(|line| !line.is_empty());
    let mut operations: Vec<Operation> = lines
        .enumerate()
        .map(|(index, line)| {
            operation(index as u64, line).unwrap_or_else(|| panic!("no operation: `{line}`"))
        })
        .collect();
    operations.sort_by_key(|operation| operation.invoke);
    let end = operations.iter().map(|o| o.complete.unwrap_or(o.invoke)).max();
    History { operations, nemesis: Vec::new(), end: end.unwrap_or_default() }
}

fn operation(index: u64, line: &str) -> Option<Operation> {
    let mut forms = Vec::new();
    let mut reader = EdnReader::new(line.as_bytes());
    while reader.peek().is_some() {
        forms.push(reader.form().ok()?);
    }
    let mut forms = forms.into_iter().peekable();
    let Edn::Int(process) = forms.next()? else { return None };
    let Edn::Symbol(name) = forms.next()? else { return None };
    let (f, key) = match name.split_once('@') {
        Some((f, key)) => (f, Some(key.into())),
        None => (&*name, None),
    };
    let (mut input, mut output) = (Value::Nil, None);
    let (start, end) = loop {
        match forms.next()? {
            Edn::Symbol(arrow) if arrow == "->" => output = Some(format::value(forms.next()?)),
            Edn::Symbol(interval) if interval.contains("..") => {
                let (start, end) = interval.split_once("..")?;
                let end = if end.is_empty() { None } else { Some(end.parse().ok()?) };
                break (start.parse().ok()?, end);
            }
            form => input = format::value(form),
        }
    };
    let outcome = match forms.next() {
        Some(Edn::Symbol(word)) if word == "fail" => Outcome::Fail,
        Some(Edn::Symbol(word)) if word == "info" => Outcome::Info,
        Some(_) => return None,
        None if end.is_none() => Outcome::Info,
        None => Outcome::Ok,
    };
    let acknowledged = outcome == Outcome::Ok;
    Some(Operation {
        index,
        process: process.try_into().ok()?,
        node: None,
        f: Function::from_name(f),
        key,
        output: output.unwrap_or_else(|| if acknowledged { input.clone() } else { Value::Nil }),
        input,
        invoke: Time(start),
        complete: end.map(Time),
        outcome,
        intended: None,
        error: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_of_a_line_is_read() {
        let lines = "
            3 cas@x [1 2]   7..9 fail
            4 read          1..5 info
            0 dequeue -> 8  2..6
            1 enqueue 8     3..
        ";
        let history = history(lines);
        let shown: Vec<String> = history
            .operations
            .iter()
            .map(|o| {
                let (f, key) = (o.f.as_str(), o.key.as_deref().unwrap_or("-"));
                let end = o.complete.map(|end| end.0);
                let (input, output, start) = (&o.input, &o.output, o.invoke.0);
                format!("{} {f} {key} {input} {output} {start} {end:?} {:?}", o.process, o.outcome)
            })
            .collect();
        assert_eq!(
            shown,
            [
                "4 read - nil nil 1 Some(5) Info",
                "0 dequeue - nil 8 2 Some(6) Ok",
                "1 enqueue - 8 nil 3 None Info",
                "3 cas x [1 2] nil 7 Some(9) Fail",
            ]
        );
        assert_eq!(history.end, Time(9));
    }

    #[test]
    #[should_panic(expected = "no operation: `write 1 0..10`")]
    fn a_line_of_another_form_is_a_mistake_of_the_author() {
        history("write 1 0..10");
    }
}

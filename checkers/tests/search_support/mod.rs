//! What the tests of the search need: an oracle, and random histories of every object.
#![allow(dead_code)] // Each test binary uses its own part.

pub mod generate;
pub mod objects;
pub mod oracle;

use splitbrain_checkers::history::Operation;

/// A history in lines, for the message of a failed test.
pub fn show(operations: &[Operation]) -> String {
    operations
        .iter()
        .map(|o| {
            let end = o.complete.map_or("...".to_owned(), |end| end.0.to_string());
            let key = o.key.as_deref().unwrap_or("-");
            let (f, input, output) = (&o.f, &o.input, &o.output);
            let (process, start) = (o.process, o.invoke.0);
            format!("\n  {process} {f}@{key} {input} -> {output} {start}..{end} {:?}", o.outcome)
        })
        .collect()
}

//! How fast the checks of a register are, and in how much memory.
//!
//! ```text
//! cargo bench -p splitbrain-checkers --bench register [-- PART [OPERATIONS]]
//! ```
//!
//! Parts: `alone`, `file`, `keyed`, `repeated`, `etcd`, `stream`; all of them if none is named,
//! each in a process of its own, so that the peak memory is its own. Plain harness: one run of
//! each, since a run takes a second.

#[path = "register/alone.rs"]
mod alone;
#[path = "register/file.rs"]
mod file;
#[path = "register/measure.rs"]
mod measure;
#[path = "register/repeated.rs"]
mod repeated;
#[path = "register/stream.rs"]
mod stream;
#[path = "../tests/support/mod.rs"]
mod support;
mod usage;

/// A part, how it is run, and with how many operations if none are given.
type Part = (&'static str, fn(usize), &'static [usize]);

const PARTS: [Part; 6] = [
    ("alone", alone::run, &[125_000, 250_000, 500_000, 1_000_000]),
    ("file", file::run, &[1_000_000]),
    ("keyed", file::run_keyed, &[10_000_000]),
    ("repeated", repeated::run, &[0]),
    ("etcd", repeated::etcd, &[0]),
    ("stream", stream::run, &[1_000_000, 2_000_000, 4_000_000, 8_000_000]),
];

fn main() {
    let mut arguments = std::env::args().skip(1).filter(|argument| !argument.starts_with("--"));
    let part = arguments.next();
    let count: Option<usize> = arguments.next().map(|count| count.parse().unwrap());
    for (name, run, counts) in
        PARTS.iter().filter(|(name, ..)| part.as_deref().is_none_or(|it| it == *name))
    {
        match (&part, count) {
            (Some(_), Some(count)) => run(count),
            _ => counts.iter().for_each(|count| in_a_process_of_its_own(name, *count)),
        }
    }
}

fn in_a_process_of_its_own(part: &str, count: usize) {
    println!("\n{part} {count}");
    let this = std::env::current_exe().unwrap();
    let status =
        std::process::Command::new(this).args([part, &count.to_string()]).status().unwrap();
    assert!(status.success(), "{part} {count}");
}

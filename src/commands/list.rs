//! `splitbrain list`: targets, workloads, faults and checkers.

use serde::Serialize;
use splitbrain_checkers::registry;

use super::fault;
use crate::cli::{ListArguments, Listing};
use crate::exit::Exit;
use crate::plan::{CHECKS, FAULTS, WORKLOADS};

/// One thing that there is.
#[derive(Serialize)]
struct Entry {
    name: String,
    about: String,
    /// What it is one of, where a list has several kinds.
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
}

/// Kinds of checkers.
const WORKLOAD_CHECK: &str = "checks of a run, as `check:` in a workload has them";
const MODEL: &str = "models of a recorded history, for `splitbrain check --model`";

pub fn list(arguments: &ListArguments) -> Exit {
    let entries = match arguments.what {
        Listing::Targets => targets(),
        Listing::Workloads => {
            WORKLOADS.iter().map(|(name, text)| entry(name, &first_comment(text))).collect()
        }
        Listing::Faults => FAULTS.iter().map(|(name, about)| entry(name, about)).collect(),
        Listing::Checkers => checkers(),
    };
    if arguments.json {
        match serde_json::to_string_pretty(&entries) {
            Ok(text) => println!("{text}"),
            Err(error) => return fault(error),
        }
    } else {
        let width = entries.iter().map(|entry| entry.name.len()).max().unwrap_or(0);
        let mut heading = None;
        for Entry { name, about, kind } in &entries {
            if *kind != heading {
                println!("{}{}:", if heading.is_some() { "\n" } else { "" }, kind.unwrap_or(""));
                heading = *kind;
            }
            println!("{name:width$}  {about}");
        }
    }
    Exit::Valid
}

fn entry(name: &str, about: &str) -> Entry {
    Entry { name: name.into(), about: about.into(), kind: None }
}

/// What a run can be checked for, and what a recorded history can.
fn checkers() -> Vec<Entry> {
    let of_run = CHECKS.iter().map(|(name, about)| (*name, *about, WORKLOAD_CHECK));
    let models = registry::CHECKERS.iter().map(|model| (model.name, model.about, MODEL));
    of_run
        .chain(models)
        .map(|(name, about, kind)| Entry { kind: Some(kind), ..entry(name, about) })
        .collect()
}

/// Every target with what its recipe says of it.
fn targets() -> Vec<Entry> {
    #[derive(serde::Deserialize)]
    struct About {
        #[serde(default)]
        about: String,
    }
    splitbrain_targets::TARGETS
        .iter()
        .map(|target| {
            let about: Option<About> = serde_yaml::from_str(target.recipe).ok();
            entry(target.name, &about.map_or_else(String::new, |about| about.about))
        })
        .collect()
}

/// The comment at the top of a workload, as one line.
fn first_comment(text: &str) -> String {
    let comment = text.lines().map_while(|line| line.strip_prefix('#'));
    comment.map(str::trim).collect::<Vec<_>>().join(" ")
}

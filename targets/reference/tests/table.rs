//! The README, the recipe and the code name the same modes and bugs.

use std::collections::BTreeSet;

use clap::{CommandFactory, Parser, ValueEnum};

use crate::reference::bug::Bug;
use crate::reference::mode::{self, MODES};
use crate::reference::{Arguments, serve};

const README: &str = include_str!("../README.md");
const RECIPE: &str = include_str!("../cluster.yaml");

#[derive(Debug, Parser)]
struct Command {
    #[command(flatten)]
    arguments: Arguments,
}

/// Bug and mode, for every pair that is accepted.
fn pairs() -> BTreeSet<(String, String)> {
    MODES
        .iter()
        .flat_map(|mode| mode.bugs.iter().map(|bug| (bug.name(), mode.name.to_owned())))
        .collect()
}

fn parse(arguments: &[&str]) -> Result<Command, clap::Error> {
    let base = ["reference-node", "--node", "n1", "--data", "d", "--peers", "n1=127.0.0.1:1"];
    Command::try_parse_from(base.iter().chain(arguments))
}

#[test]
fn every_mode_and_bug_is_accepted_on_the_command_line_and_nothing_else() {
    for mode in MODES {
        for bug in Bug::value_variants() {
            let command = parse(&["--mode", mode.name, "--bug", &bug.name()]).unwrap();
            assert_eq!(command.arguments.mode.name, mode.name);
            assert_eq!(command.arguments.bug, *bug);
        }
    }
    let error = parse(&["--mode", "raft"]).unwrap_err().to_string();
    assert!(error.contains("majority-local-reads"), "{error}");
    assert!(parse(&["--mode", "single", "--bug", "rubbish"]).is_err());
    assert!(parse(&["--mode", "single", "--peers", "n1"]).is_err());
    Command::command().debug_assert();
}

#[test]
fn every_bug_is_in_some_mode_and_refused_in_the_others() {
    for bug in Bug::value_variants() {
        let accepting = MODES.iter().filter(|mode| mode.check_bug(*bug).is_ok()).count();
        let wanted = if *bug == Bug::None { 1..=MODES.len() } else { 1..=MODES.len() - 1 };
        assert!(wanted.contains(&accepting), "{bug:?}");
    }
    let error = mode::named("single").unwrap().check_bug(Bug::DropHint).unwrap_err().to_string();
    assert_eq!(
        error,
        "mode single cannot have the bug drop-hint; it takes none, cas-ignores-expected, \
         stale-cache"
    );
}

/// What a node says that cannot start.
async fn refusal(arguments: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let mut arguments = parse(arguments).unwrap().arguments;
    arguments.data = folder.path().join("data");
    serve(arguments).await.unwrap_err().to_string()
}

#[tokio::test]
async fn what_cannot_be_is_refused_at_the_start() {
    let others = "n2=127.0.0.1:2,n3=127.0.0.1:3";
    for (arguments, wanted) in [
        (vec!["--mode", "single", "--peers", others], "mode single needs one node"),
        (vec!["--mode", "single", "--bug", "dirty-read"], "it takes none, cas-ignores-expected"),
        (vec!["--mode", "quorum", "--read-quorum", "2"], "--read-quorum 2 is not possible with 1"),
        (
            vec!["--mode", "quorum", "--peers", others, "--write-quorum", "4"],
            "--write-quorum 4 is not possible with 3",
        ),
        (vec!["--mode", "single", "--peers", "n1=127.0.0.1:2"], "--peers names n1 twice"),
    ] {
        let error = refusal(&arguments).await;
        assert!(error.contains(wanted), "{arguments:?}: {error}");
    }
}

/// Rows of the README's table of bugs: `| bug | mode | ... | command | ... |`.
#[test]
fn the_readme_has_a_row_with_a_command_for_each_pair() {
    let mut listed = BTreeSet::new();
    for line in README.lines().filter(|line| line.contains(" --set bug=")) {
        let cells: Vec<_> =
            line.split('|').map(|cell| cell.trim().trim_matches('`').to_owned()).collect();
        let (bug, mode) = (cells[1].clone(), cells[2].clone());
        assert!(line.contains(&format!("--set mode={mode} --set bug={bug}`")), "{line}");
        assert!(listed.insert((bug, mode)), "twice: {line}");
    }
    assert_eq!(listed, pairs());
}

#[test]
fn the_readme_has_a_row_for_each_mode() {
    for mode in MODES {
        assert!(README.contains(&format!("\n| `{}` |", mode.name)), "{}", mode.name);
    }
}

#[test]
fn the_recipe_offers_every_mode_and_bug() {
    let recipe: serde_json::Value = serde_yaml::from_str(RECIPE).unwrap();
    let values = |name: &str| -> BTreeSet<String> {
        let values = recipe["settings"][name].as_array().unwrap();
        values.iter().map(|value| value.as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(values("mode"), MODES.iter().map(|mode| mode.name.to_owned()).collect());
    assert_eq!(values("bug"), Bug::value_variants().iter().map(|bug| bug.name()).collect());
}

#[test]
fn the_recipe_refuses_the_pairs_that_the_node_refuses() {
    let recipe: serde_json::Value = serde_yaml::from_str(RECIPE).unwrap();
    let mut accepted = BTreeSet::new();
    for entry in recipe["when"].as_array().unwrap() {
        let Some(bug) = entry["setting"]["bug"].as_str() else { continue };
        for mode in entry["requires"]["mode"].as_array().unwrap() {
            accepted.insert((bug.to_owned(), mode.as_str().unwrap().to_owned()));
        }
    }
    assert_eq!(accepted, pairs());
}

//! `plan.yaml`: a plan as a file, to run the same again.

use std::path::Path;

use splitbrain_checkers::history::Name;

use super::document;
use super::fit::{self, Cluster, Subject, Unclear};
use super::mistakes::{Mistake, Mistakes};
use super::model::Plan;
use super::source::{Place, Source};
use super::target::describe;

/// The content of `plan.yaml`. [`parse`] reads back an equal plan.
pub fn to_yaml(plan: &Plan) -> Result<String, serde_yaml::ser::Error> {
    serde_yaml::to_string(plan)
}

/// Reads a `plan.yaml`. Someone may have edited it, so the rules are checked again.
pub fn read(path: &Path) -> Result<Plan, Mistakes> {
    let name = path.display().to_string();
    match std::fs::read_to_string(path) {
        Ok(text) => parse(&name, &text),
        Err(error) => {
            let source = Source::new("command line", format!("--plan {name}"));
            Err(Mistakes::from(Mistake {
                place: Place::new(&source, 7..7 + name.len()),
                message: format!("the plan `{name}` cannot be read: {error}"),
                accepted: "the `plan.yaml` of an earlier run, in its folder of results".into(),
            }))
        }
    }
}

/// Reads a plan from the text of a file of that name.
pub fn parse(name: &str, text: &str) -> Result<Plan, Mistakes> {
    let source = Source::new(name, text);
    let tree = document::parse(&source).map_err(|mistake| Mistakes::from(*mistake))?;
    let plan: Plan = serde_yaml::from_str(text).map_err(|error| {
        let mut mistake = document::does_not_parse(&source, &error);
        mistake.message = mistake.message.replacen("not readable as YAML", "not a plan", 1);
        mistake.accepted = "a `plan.yaml` as this version of splitbrain writes it".into();
        Mistakes::from(mistake)
    })?;
    let target = &plan.target;
    let cluster = Cluster {
        description: describe(&target.name, &target.settings),
        nodes: Some(target.nodes.iter().map(|node| Name::clone(&node.name)).collect()),
        operations: Some(target.operations.clone()),
        failover_allowance: Some(target.failover_allowance),
        no_primary: false,
    };
    let mistakes: Vec<Mistake> = fit::problems(&plan.workload, Unclear::default(), &cluster)
        .into_iter()
        .map(|problem| Mistake {
            place: Place::new(&source, tree.find(&path(&problem.subject))),
            message: problem.message,
            accepted: problem.accepted,
        })
        .collect();
    if mistakes.is_empty() { Ok(plan) } else { Err(Mistakes::new(mistakes)) }
}

/// Where a part of the workload stands in a `plan.yaml`.
fn path(subject: &Subject) -> Vec<String> {
    let steps = match subject {
        Subject::Operations => vec!["operations".to_string()],
        Subject::Operation(function) => vec!["operations".to_string(), function.to_string()],
        Subject::Keys => vec!["keys".to_string()],
        Subject::WritesPerKey => vec!["writes_per_key".to_string()],
        Subject::Clients => vec!["clients".to_string()],
        Subject::Rate => vec!["rate".to_string()],
        Subject::Timeout => vec!["timeout".to_string()],
        Subject::Phases => vec!["phases".to_string()],
        Subject::Phase(number) => vec!["phases".to_string(), number.to_string()],
        Subject::Partition(phase, number) | Subject::Node(phase, number, _) => {
            ["phases", &phase.to_string(), "faults", "partitions", &number.to_string()]
                .map(str::to_string)
                .to_vec()
        }
        Subject::Checks | Subject::Check(_) => vec!["checks".to_string()],
    };
    [vec!["workload".to_string()], steps].concat()
}

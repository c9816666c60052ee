//! `splitbrain plan`: the timeline and the exact rules; nothing is executed.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::net::Ipv4Addr;
use std::path::Path;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use splitbrain_checkers::history::Name;

use super::refuse;
use crate::access::docker;
use crate::attach;
use crate::cli::PlanArguments;
use crate::exit::Exit;
use crate::nemesis::{cut_links, restore_command, rules};
use crate::plan::timeline::timeline;
use crate::plan::{
    Mistakes, Partition, Plan, Registry, Request, SectionMistake, Target, load, load_target,
};
use crate::sandbox::Family;

pub fn plan(arguments: &PlanArguments) -> Exit {
    match planned(arguments) {
        Ok(plan) => {
            print!("{}", timeline(&plan, &|partition| exact_rules(&plan, partition)));
            if plan.target.is_attached() {
                print!("\n{}", attach::commands(&plan.target));
            }
            Exit::Valid
        }
        Err(exit) => exit,
    }
}

/// The validated plan; what does not fit has been said on standard error.
pub fn planned(arguments: &PlanArguments) -> Result<Plan, Exit> {
    let request = Request {
        workload: arguments.workload.clone(),
        target: arguments.target.clone(),
        set: arguments.set.clone(),
        seed: arguments.seed,
        time: arguments.time.clone(),
    };
    with_registry(|registry| load(&request, registry))
}

/// A cluster that runs already; what does not fit has been said on standard error.
pub fn attached_target(file: &str) -> Result<Target, Exit> {
    let target = with_registry(|registry| load_target(file, registry))?;
    if target.is_attached() {
        return Ok(target);
    }
    Err(refuse(format!(
        "{file} is no cluster that runs already: that has `access:` and a map of `nodes:`"
    )))
}

/// Loads with every target and driver that there is, and says what does not fit.
fn with_registry<T>(load: impl FnOnce(&Registry) -> Result<T, Mistakes>) -> Result<T, Exit> {
    let targets: Vec<(&str, &str)> =
        splitbrain_targets::TARGETS.iter().map(|target| (target.name, target.recipe)).collect();
    let registry = Registry {
        targets: &targets,
        drivers: &splitbrain_targets::drivers(),
        check_section: &section_mistakes,
        find_container: &find_container,
    };
    load(&registry).map_err(|mistakes| {
        eprint!("{}", mistakes.render(std::io::stderr().is_terminal()));
        Exit::BadArguments
    })
}

/// Asks the engine for a container.
fn find_container(socket: Option<&Path>, name: &str) -> Result<(u32, Option<Ipv4Addr>), String> {
    let socket = socket.map_or_else(docker::default_socket, Path::to_path_buf);
    // On this thread alone: a run that enters the sandbox may not have others.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| format!("no runtime: {error}"))?;
    let found = runtime.block_on(docker::find(&socket, name))?;
    Ok((found.process, found.ip))
}

/// What the driver says of its own section with these settings.
fn section_mistakes(
    driver: &str,
    section: &serde_json::Value,
    settings: &BTreeMap<String, String>,
) -> Vec<SectionMistake> {
    match splitbrain_targets::make_driver(driver, section, settings) {
        Ok(_) => Vec::new(),
        Err(splitbrain_targets::DriverError::Unknown { .. }) => Vec::new(),
        Err(splitbrain_targets::DriverError::Mistakes(mistakes)) => mistakes
            .into_iter()
            .map(|mistake| SectionMistake {
                path: mistake.path,
                message: mistake.message,
                accepted: mistake.accepted,
            })
            .collect(),
    }
}

/// The rules of a partition, as each node's `iptables-restore` would get them. Where the choice
/// of a node waits for the run (who is primary), the first node stands for it.
fn exact_rules(plan: &Plan, partition: &Partition) -> String {
    let addresses: Vec<_> =
        plan.target.nodes.iter().map(|node| (node.name.clone(), node.ip)).collect();
    let names: Vec<Name> = addresses.iter().map(|(name, _)| name.clone()).collect();
    let mut random = ChaCha8Rng::seed_from_u64(plan.seed);
    let cut = match cut_links(partition, &names, names.first(), &mut random) {
        Ok(cut) => cut,
        Err(error) => return format!("{error}\n"),
    };
    let mut text = match partition {
        Partition::IsolatePrimary => {
            format!("if {} is primary then; the rules follow who is:\n", names[0])
        }
        _ => format!("{}:\n", cut.name),
    };
    if plan.target.is_attached() {
        return text + &attach::example_rules(&plan.target, &cut.links);
    }
    for rules in rules::apply_texts(&cut.links, &addresses, &[Family::Ipv4, Family::Ipv6]) {
        text += &format!("{} {}\n", rules.node, restore_command(rules.family));
        for line in rules.text.lines() {
            text += &format!("  {line}\n");
        }
    }
    text
}

/// Refuses a plan whose programs are not installed.
pub fn programs_present(plan: &Plan) -> Result<(), Exit> {
    let missing: Vec<String> = plan
        .target
        .needs
        .iter()
        .filter(|need| !is_present(&need.program))
        .map(|need| format!("  {} is missing; install it: {}", need.program, need.install))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let target = &plan.target.name;
    Err(refuse(format!("{target} cannot be started here:\n{}", missing.join("\n"))))
}

/// Whether it is a file, or a program on PATH or where Debian keeps those of the administrator.
fn is_present(program: &str) -> bool {
    if program.contains('/') {
        return std::path::Path::new(program).exists();
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin".into(), "/sbin".into()])
        .any(|folder| folder.join(program).is_file())
}

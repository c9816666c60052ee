//! The command line: one declaration gives parser, defaults and help.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};
use splitbrain_checkers::checker::Checker;
use splitbrain_checkers::format::parse_value;
use splitbrain_checkers::history::Value;
use splitbrain_checkers::registry;
use splitbrain_checkers::transactions::Model as Isolation;
use splitbrain_checkers::verdict::Kind as VerdictKind;

use crate::bytes;
use crate::plan::duration;

/// Cuts a database cluster in two and says, with proof, whether it behaved CP, AP or neither.
#[derive(Debug, Parser)]
#[command(name = "splitbrain", version, after_help = EXIT_CODES)]
pub struct Cli {
    /// Also log to standard error: -v what happens, -vv everything
    #[arg(short, long, action = clap::ArgAction::Count, global = true)]
    pub verbose: u8,
    #[command(subcommand)]
    pub command: Command,
}

const EXIT_CODES: &str = "\
Exit codes: 0 valid, 1 invalid, 2 unknown, 254 bad arguments or files, 255 harness fault.
Unknown never passes.";

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the reference cluster in every mode: one table, one page
    Demo(DemoArguments),
    /// Run a workload against a target and give a verdict
    Run(RunArguments),
    /// Check recorded histories: our JSON lines, or those of Jepsen, Elle and Porcupine
    Check(CheckArguments),
    /// Write the reports of a finished run again
    Report(ReportArguments),
    /// Print the timeline and the exact rules of a run; nothing is executed
    Plan(PlanArguments),
    /// List what there is
    List(ListArguments),
    /// Say what this machine, or a cluster that runs already, allows, and how to mend the rest
    Doctor(DoctorArguments),
    /// Take out what a run has put into a cluster that runs already, whatever became of the run
    Heal(HealArguments),
    /// Open a shell (or run a command) inside a node's namespaces while a run is up
    Shell(ShellArguments),
    /// One node of the reference cluster
    #[command(hide = true)]
    ReferenceNode(splitbrain_targets::reference::Arguments),
}

/// What is run against what.
#[derive(Debug, Clone, Args)]
pub struct PlanArguments {
    /// Workload: a YAML file, or the name of a built-in one (`splitbrain list workloads`)
    pub workload: String,
    /// Target: the name of a built-in one (`splitbrain list targets`), or a YAML file
    #[arg(long, short)]
    pub target: String,
    /// A setting of the target; may be given several times
    #[arg(long, value_name = "NAME=VALUE")]
    pub set: Vec<String>,
    /// Seed of every random choice [default: a random one, printed]
    #[arg(long)]
    pub seed: Option<u64>,
    /// Stretch or shrink the phases so that they take this long in all, settling aside
    #[arg(long, value_name = "DURATION")]
    pub time: Option<String>,
}

#[derive(Debug, Args)]
pub struct RunArguments {
    #[command(flatten)]
    pub plan: PlanArguments,
    /// Where results are kept
    #[arg(long, default_value = "results", value_name = "DIR")]
    pub results: PathBuf,
    /// Exit with 0 only if the verdict is this one: CP, AP, C-halts, mixed, neither,
    /// single-copy, inconclusive
    #[arg(long, value_name = "VERDICT")]
    pub expect: Option<VerdictKind>,
    /// Print the verdict as JSON on standard output
    #[arg(long)]
    pub json: bool,
    /// Print progress as JSON lines on standard error, and no summary
    #[arg(long, hide = true)]
    pub progress_json: bool,
}

#[derive(Debug, Args)]
pub struct DemoArguments {
    /// Where results are kept
    #[arg(long, default_value = "results", value_name = "DIR")]
    pub results: PathBuf,
    /// Only these modes; may be given several times [default: all]
    #[arg(long, value_name = "MODE")]
    pub mode: Vec<String>,
    /// How many modes run at the same time [default: as the cores allow]
    #[arg(long, value_name = "N")]
    pub at_once: Option<usize>,
    /// Seed of every random choice [default: a random one, printed]
    #[arg(long)]
    pub seed: Option<u64>,
    /// Print the table as JSON on standard output
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct CheckArguments {
    /// The recorded history, or a folder: then every file in it
    pub history: PathBuf,
    /// What the recorded system should have been (`splitbrain list checkers`)
    #[arg(long, value_parser = models(), hide_possible_values = true)]
    pub model: Option<&'static Checker>,
    /// How long the check of a file may take, reading aside
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = duration)]
    pub time_limit: Duration,
    /// How much memory the tables of a search may take
    #[arg(long, value_name = "SIZE", default_value = "4GiB", value_parser = bytes::parse)]
    pub memory_limit: usize,
    /// Take a compare-and-set that was refused as proof that the value differed
    #[arg(long)]
    pub observe_failed_cas: bool,
    /// What was there before the first operation: 0, nil, "text" or [1 2]
    #[arg(long, value_name = "VALUE", default_value = "nil", value_parser = parse_value)]
    #[arg(allow_negative_numbers = true)]
    pub initial: Value,
    /// Let an account of a bank be below zero
    #[arg(long)]
    pub negative_balances: bool,
    /// What transactions were promised (list-append, rw-register): serializable,
    /// snapshot-isolation, ... [default: serializable]
    #[arg(long, value_name = "MODEL", value_parser = isolation(), hide_possible_values = true)]
    pub isolation: Option<Isolation>,
    /// Print the finding as JSON on standard output; of a folder, a list
    #[arg(long)]
    pub json: bool,
}

/// The checkers that there are, by name.
fn models() -> impl TypedValueParser<Value = &'static Checker> {
    let names = registry::CHECKERS.iter().map(|checker| checker.name);
    PossibleValuesParser::new(names).try_map(|name| registry::find(&name).ok_or("no such checker"))
}

/// What can be promised about transactions, by name.
fn isolation() -> impl TypedValueParser<Value = Isolation> {
    let names = Isolation::ALL.iter().map(|model| model.name());
    PossibleValuesParser::new(names).try_map(|name| {
        Isolation::ALL.into_iter().find(|model| model.name() == name).ok_or("no such model")
    })
}

fn duration(text: &str) -> Result<Duration, String> {
    duration::parse(text).map_err(|error| format!("{error}; accepted: {}", error.accepted()))
}

#[derive(Debug, Args)]
pub struct ReportArguments {
    /// The folder of a run: results/WORKLOAD-TARGET/TIME, or `latest`
    pub run: PathBuf,
}

#[derive(Debug, Args)]
pub struct ListArguments {
    /// What to list
    #[arg(value_enum)]
    pub what: Listing,
    /// Print as JSON
    #[arg(long)]
    pub json: bool,
}

/// What can be listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Listing {
    Targets,
    Workloads,
    Faults,
    Checkers,
}

#[derive(Debug, Args)]
pub struct DoctorArguments {
    /// A cluster that runs already: its YAML file
    #[arg(long, short, value_name = "FILE")]
    pub target: Option<String>,
    /// Print as JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct HealArguments {
    /// The YAML file of the cluster
    #[arg(long, short, value_name = "FILE")]
    pub target: String,
}

#[derive(Debug, Args)]
pub struct ShellArguments {
    /// The node: n1, n2, ...
    pub node: String,
    /// The run's folder [default: the newest run under results that is up]
    #[arg(long, value_name = "DIR")]
    pub run: Option<PathBuf>,
    /// A command instead of a shell
    #[arg(last = true)]
    pub command: Vec<String>,
}

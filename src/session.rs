//! The part of a run that records: inside the sandbox, or attached to a cluster.
//!
//! It takes the plan from the run's folder, so every run shows that `plan.yaml` is all that is
//! needed, and only records: what it means is concluded afterwards, when the sandbox is gone or the
//! cluster released.

use std::io;
use std::process::Command;

use nix::sys::signal::{self as signals, SaFlags, SigAction, SigHandler, SigSet};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

use crate::exit::Exit;
use crate::plan::Plan;
use crate::progress::Progress;
use crate::sandbox::{Inside, Running};
use crate::store::{Ending, Machine, RunFolder, RunRecord};
use crate::{logging, run};

/// Records a run in its folder. Valid if it was recorded, whole or up to an interrupt; what
/// went wrong otherwise is in `run.json` and on standard error.
pub fn record(
    inside: Option<&Inside>,
    folder: &RunFolder,
    progress_json: bool,
    verbose: u8,
) -> Exit {
    match try_to_record(inside, folder, progress_json, verbose) {
        Ok(Ending::Complete | Ending::Interrupted) => Exit::Valid,
        Ok(Ending::Fault { message }) => {
            eprintln!("splitbrain: {message}");
            Exit::HarnessFault
        }
        Err(error) => {
            eprintln!("splitbrain: {}: {error}", folder.path().display());
            Exit::HarnessFault
        }
    }
}

fn try_to_record(
    inside: Option<&Inside>,
    folder: &RunFolder,
    progress_json: bool,
    verbose: u8,
) -> io::Result<Ending> {
    logging::start(&folder.log(), verbose)?;
    let plan = folder.plan()?;
    if let Some(inside) = inside {
        let names = plan.target.nodes.iter().map(|node| node.name.clone()).collect();
        Running::of(inside, names)?.write(folder.path())?;
    }
    // One worker: the clients have threads of their own.
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    runtime.block_on(play(inside, &plan, folder, progress_json))
}

/// Runs, and keeps in `run.json` how that ended.
async fn play(
    inside: Option<&Inside>,
    plan: &Plan,
    folder: &RunFolder,
    progress_json: bool,
) -> io::Result<Ending> {
    let mut record = RunRecord {
        splitbrain: env!("CARGO_PKG_VERSION").into(),
        target_version: plan.target.version.as_deref().and_then(first_line),
        started: jiff::Zoned::now().strftime("%Y-%m-%dT%H:%M:%S%:z").to_string(),
        machine: Machine::here(),
        ending: None,
    };
    folder.write_record(&record)?;
    let progress = Progress::new(progress_json, &plan.target.name);
    let (stop, stopped) = watch::channel(false);
    let signals = [signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?];
    let attached = plan.target.is_attached().then(|| plan.request.target.clone());
    tokio::spawn(listen(signals, stop, attached));
    tracing::info!(seed = plan.seed, target = %plan.target.name, "the run begins");
    let ending = match run::run(inside, plan, folder, &progress, stopped).await {
        Ok(ending) => ending,
        Err(fault) => Ending::Fault { message: fault.to_string() },
    };
    progress.finish();
    tracing::info!(?ending, "the run ends");
    record.ending = Some(ending.clone());
    folder.write_record(&record)?;
    Ok(ending)
}

/// The first interrupt asks the run to heal and end; the second ends at once, and the kernel
/// takes the sandbox away. Of an attached cluster, whose target file is given, the guards take the
/// rules out then.
async fn listen(
    [mut interrupt, mut terminate]: [Signal; 2],
    stop: watch::Sender<bool>,
    attached: Option<String>,
) {
    loop {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        if stop.send_replace(true) {
            if let Some(target) = attached {
                eprintln!(
                    "splitbrain: guards take the rules out within 30 s; at once: \
                     splitbrain heal --target {target}"
                );
            }
            std::process::exit(i32::from(ENDED_AT_ONCE));
        }
        tracing::info!("interrupted");
        eprintln!("splitbrain: healing, then checking what there is; once more ends at once");
    }
}

/// Lets interrupts end the program again, after [`record`] has listened to them.
pub fn end_by_interrupts_again() {
    let default = SigAction::new(SigHandler::SigDfl, SaFlags::empty(), SigSet::empty());
    for signal in [signals::Signal::SIGINT, signals::Signal::SIGTERM] {
        // SAFETY: the default action runs none of our code. It cannot fail for these two.
        let _ = unsafe { signals::sigaction(signal, &default) };
    }
}

/// Exit code of the part inside when a second interrupt ended it: nothing is to be concluded.
pub const ENDED_AT_ONCE: u8 = 130;

/// What a recipe's version command says, in one line.
fn first_line(command: &str) -> Option<String> {
    let output = Command::new("sh").arg("-c").arg(command).output().ok()?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    said.lines().map(str::trim).find(|line| !line.is_empty()).map(str::to_string)
}

//! `splitbrain heal --target FILE`: takes out what a run has put into a cluster that runs already.

use super::fault;
use super::plan::attached_target;
use crate::attach::{keeper, machines};
use crate::cli::HealArguments;
use crate::exit::Exit;

pub fn heal(arguments: &HealArguments) -> Exit {
    let target = match attached_target(&arguments.target) {
        Ok(target) => target,
        Err(exit) => return exit,
    };
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fault(format!("no runtime: {error}")),
    };
    runtime.block_on(async {
        let mut exit = Exit::Valid;
        for machine in machines(&target).await {
            let healed = match machine {
                Ok(machine) => {
                    let healed = keeper::heal(&*machine).await;
                    healed.map(|lines| (machine.name().to_string(), lines))
                }
                Err(error) => Err(error.into()),
            };
            match healed {
                Ok((machine, lines)) if lines.is_empty() => println!("{machine}: nothing to heal"),
                Ok((machine, lines)) => {
                    println!("{machine}:");
                    lines.iter().for_each(|line| println!("  {line}"));
                }
                Err(error) => exit = fault(error),
            }
        }
        exit
    })
}

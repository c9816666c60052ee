//! `splitbrain reference-node`: one server of the reference cluster.

use splitbrain_targets::reference::{Arguments, serve as serve_node};

use super::fault;
use crate::exit::Exit;

pub fn serve(arguments: Arguments) -> Exit {
    // One thread: several clusters share the cores.
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fault(error),
    };
    match runtime.block_on(serve_node(arguments)) {
        Ok(()) => Exit::Valid,
        Err(error) => fault(error),
    }
}

//! The modes: one file each, one line in [`MODES`].

mod failover_async;
mod gossip_lww;
mod majority;
mod majority_local_reads;
mod primary_async;
mod primary_backup;
mod primary_sync;
mod quorum;
mod single;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use super::StartError;
use super::bug::Bug;
use super::replica::{Node, Replica};

/// Every mode, in the order of the README.
pub const MODES: [&Mode; 8] = [
    &single::MODE,
    &primary_sync::MODE,
    &primary_async::MODE,
    &failover_async::MODE,
    &majority::MODE,
    &majority_local_reads::MODE,
    &quorum::MODE,
    &gossip_lww::MODE,
];

/// A replica that is being started.
pub type Starting = Pin<Box<dyn Future<Output = Result<Arc<dyn Replica>, StartError>> + Send>>;

/// A design of a replicated store.
#[derive(Debug)]
pub struct Mode {
    pub name: &'static str,
    /// The seeded bugs that make sense in it.
    pub bugs: &'static [Bug],
    pub start: fn(Node) -> Starting,
}

/// The mode of that name; the error lists them all.
pub fn named(name: &str) -> Result<&'static Mode, String> {
    MODES.into_iter().find(|mode| mode.name == name).ok_or_else(|| {
        let names: Vec<_> = MODES.iter().map(|mode| mode.name).collect();
        format!("no such mode; there are {}", names.join(", "))
    })
}

impl Mode {
    /// Refuses a bug that this mode cannot have.
    pub fn check_bug(&self, bug: Bug) -> Result<(), StartError> {
        if bug == Bug::None || self.bugs.contains(&bug) {
            return Ok(());
        }
        let accepted: Vec<_> =
            [Bug::None].iter().chain(self.bugs).map(|accepted| accepted.name()).collect();
        Err(StartError::BugNotInMode {
            bug: bug.name(),
            mode: self.name,
            accepted: accepted.join(", "),
        })
    }
}

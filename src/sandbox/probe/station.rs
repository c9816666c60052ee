//! Where the probes of a node are sent from and received.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::thread;

use nix::sched::{CloneFlags, setns};
use splitbrain_checkers::history::Name;

use super::ProbeError;
use super::log::Family;
use super::socket::ProbeSocket;

/// A node that is probed: its network namespace, and its addresses there.
#[derive(Debug, Clone)]
pub struct Station {
    pub node: Name,
    pub namespace: Arc<OwnedFd>,
    /// One for each family that is probed; every station has the same families.
    pub addresses: BTreeMap<Family, IpAddr>,
}

/// One node's address and socket in one family.
pub(super) struct End {
    pub ip: IpAddr,
    pub socket: ProbeSocket,
}

pub(super) type Ends = BTreeMap<Family, End>;

impl Station {
    /// Opens its sockets, from a thread of its own that moves into the namespace.
    pub(super) fn open(&self) -> Result<Ends, ProbeError> {
        let failed = |error| ProbeError::Socket(self.node.clone(), error);
        let open = || {
            let entered = setns(self.namespace.as_fd(), CloneFlags::CLONE_NEWNET);
            entered.map_err(|errno| failed(errno.into()))?;
            let open = |(&family, &ip): (&Family, &IpAddr)| {
                let socket = ProbeSocket::open(ip).map_err(failed)?;
                Ok((family, End { ip, socket }))
            };
            self.addresses.iter().map(open).collect()
        };
        let opened = thread::scope(|scope| scope.spawn(open).join());
        opened.unwrap_or_else(|cause| std::panic::resume_unwind(cause))
    }
}

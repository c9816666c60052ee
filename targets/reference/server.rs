//! One running node: the replica behind its HTTP front, and its restart.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, RwLock};
use std::time::Duration;

use axum::serve::ListenerExt;
use tokio::net::TcpListener;
use tokio::time::{Instant, sleep};

use super::bug::Bug;
use super::http::{self, Front};
use super::mode::Mode;
use super::peers::{MESSAGE_LIMIT, Peers};
use super::replica::{Node, Replica, Tasks};
use super::stale_cache::StaleCache;
use super::{Log, StartError};

/// With the bug forget-on-restart: a node that reached nobody for so long was cut off.
const CUT_OFF: Duration = Duration::from_secs(1);

/// The replica that answers now; a restart puts another in its place.
#[derive(Clone)]
pub struct Slot(Arc<RwLock<Running>>);

struct Running {
    replica: Arc<dyn Replica>,
    tasks: Tasks,
}

impl Slot {
    pub fn replica(&self) -> Arc<dyn Replica> {
        self.0.read().expect("no holder of the lock panics").replica.clone()
    }
}

/// What a restarting node finds on its disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disk {
    /// What it had written.
    #[cfg_attr(not(test), expect(dead_code, reason = "a real restart is a new process"))]
    Kept,
    Emptied,
}

/// A running node.
pub struct Server {
    mode: &'static Mode,
    node: Node,
    log: Log,
    slot: Slot,
}

impl Server {
    /// Starts the node's replica; it can be reached when [`Server::run`] is called.
    pub async fn start(mode: &'static Mode, node: Node, log: Log) -> Result<Server, StartError> {
        mode.check_bug(node.bug)?;
        let running = Running::start(mode, &node).await?;
        Ok(Server { mode, node, log, slot: Slot(Arc::new(RwLock::new(running))) })
    }

    /// Answers requests until the listener fails or the future is dropped.
    pub async fn run(&self, listener: TcpListener) -> io::Result<()> {
        let all_reached = Arc::new(AtomicBool::new(false));
        let front = Front {
            node: self.node.name.clone(),
            log: self.log,
            slot: self.slot.clone(),
            all_reached: all_reached.clone(),
        };
        let listener = listener.tap_io(|connection| {
            // Else an answer may wait for the client's delayed acknowledgement.
            let _ = connection.set_nodelay(true);
        });
        let look_after = async {
            reach_all(&self.node.peers).await;
            all_reached.store(true, Ordering::Relaxed);
            if self.node.bug != Bug::ForgetOnRestart {
                return std::future::pending().await;
            }
            loop {
                cut_off_and_back(&self.node.peers).await;
                if let Err(error) = self.restart(Disk::Emptied).await {
                    return error;
                }
            }
        };
        tokio::select! {
            ended = axum::serve(listener, http::router(front)) => ended,
            error = look_after => Err(io::Error::other(error)),
        }
    }

    /// Ends the replica and starts it again from what is on the disk.
    pub async fn restart(&self, disk: Disk) -> Result<(), StartError> {
        self.stop().await;
        if disk == Disk::Emptied {
            std::fs::write(&self.node.journal, "").map_err(|source| StartError::Journal {
                path: self.node.journal.clone(),
                source,
            })?;
        }
        let running = Running::start(self.mode, &self.node).await?;
        *self.slot.0.write().expect("no holder of the lock panics") = running;
        Ok(())
    }

    /// Ends the replica; the HTTP front stays.
    pub async fn stop(&self) {
        self.slot.replica().stop().await;
        self.slot.0.read().expect("no holder of the lock panics").tasks.stop();
    }
}

impl Running {
    async fn start(mode: &Mode, node: &Node) -> Result<Running, StartError> {
        let tasks = Tasks::default();
        let replica = (mode.start)(Node { tasks: tasks.clone(), ..node.clone() }).await?;
        let replica = match node.bug {
            Bug::StaleCache => Arc::new(StaleCache::new(replica)),
            _ => replica,
        };
        Ok(Running { replica, tasks })
    }
}

/// Returns when every other node has answered once.
async fn reach_all(peers: &Peers) {
    for peer in peers.others() {
        while !peers.reaches(peer, MESSAGE_LIMIT).await {
            sleep(Duration::from_millis(50)).await;
        }
    }
}

/// Returns when no other node was reached for [`CUT_OFF`] and then one was.
async fn cut_off_and_back(peers: &Peers) {
    let mut last_reached = Instant::now();
    loop {
        sleep(Duration::from_millis(100)).await;
        let mut reached = false;
        for peer in peers.others() {
            reached |= peers.reaches(peer, Duration::from_millis(200)).await;
        }
        if reached && last_reached.elapsed() > CUT_OFF {
            return;
        }
        if reached {
            last_reached = Instant::now();
        }
    }
}

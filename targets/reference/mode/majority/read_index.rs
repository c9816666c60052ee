//! Linearizable reads: the leader has to hear from a majority that it still leads, after the
//! read began and before it is answered. One round serves all reads that wait for it.

use openraft::Raft;
use openraft::error::{CheckIsLeaderError, RaftError};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Duration, sleep, timeout};

use super::Types;
use crate::reference::peers::OPERATION_LIMIT;

/// The pause before a majority is asked again.
const RETRY: Duration = Duration::from_millis(10);

/// What a round of confirmation found out.
type Confirmed = Result<(), String>;

/// The queue of reads that wait for the next round.
pub struct ReadIndex(mpsc::UnboundedSender<oneshot::Sender<Confirmed>>);

impl ReadIndex {
    /// The queue, and the task that serves it.
    pub fn new(raft: Raft<Types>) -> (ReadIndex, impl Future<Output = ()> + Send + 'static) {
        let (sender, receiver) = mpsc::unbounded_channel();
        (ReadIndex(sender), serve(raft, receiver))
    }

    /// Waits until a majority has confirmed that this node leads, and until what was committed
    /// by then is applied.
    pub async fn confirm(&self) -> Confirmed {
        let (sender, receiver) = oneshot::channel();
        let stopped = || "this node stops".to_owned();
        self.0.send(sender).map_err(|_| stopped())?;
        match timeout(OPERATION_LIMIT, receiver).await {
            Ok(confirmed) => confirmed.unwrap_or_else(|_| Err(stopped())),
            Err(_) => Err("leadership not confirmed in time".to_owned()),
        }
    }
}

async fn serve(raft: Raft<Types>, mut queue: mpsc::UnboundedReceiver<oneshot::Sender<Confirmed>>) {
    while let Some(first) = queue.recv().await {
        let mut waiting = vec![first];
        while let Ok(next) = queue.try_recv() {
            waiting.push(next);
        }
        let confirmed = match timeout(OPERATION_LIMIT, confirm(&raft)).await {
            Ok(confirmed) => confirmed,
            Err(_) => Err("leadership not confirmed in time".to_owned()),
        };
        for read in waiting {
            // A read that has waited too long is gone.
            let _ = read.send(confirmed.clone());
        }
    }
}

/// Openraft gives its followers one heartbeat interval, once; a busy machine may take longer, so
/// they are asked again.
async fn confirm(raft: &Raft<Types>) -> Confirmed {
    loop {
        match raft.ensure_linearizable().await {
            Ok(_) => return Ok(()),
            Err(RaftError::APIError(CheckIsLeaderError::QuorumNotEnough(_))) => {}
            Err(error) => return Err(error.to_string()),
        }
        sleep(RETRY).await;
    }
}

//! Leaves replicas alone that do not answer.
//!
//! Without it every operation would wait in vain for a replica that is cut off. One that failed
//! is suspected: for a while nothing is sent to it, then a single message tries it again.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::Instant;

use crate::reference::peers::{CallError, MESSAGE_LIMIT, Peers};

/// How long nothing is sent to a suspected replica.
const PAUSE: Duration = Duration::from_millis(100);

/// The other replicas, with those that are suspected. Clones share it.
#[derive(Debug, Clone)]
pub struct Replicas {
    peers: Arc<Peers>,
    /// When a suspected replica may be tried again.
    suspected: Arc<Mutex<BTreeMap<String, Instant>>>,
}

impl Replicas {
    pub fn new(peers: Arc<Peers>) -> Replicas {
        Replicas { peers, suspected: Arc::default() }
    }

    /// Sends a message, unless the replica is suspected.
    pub async fn call<M: Serialize, R: DeserializeOwned>(
        &self,
        to: &str,
        message: &M,
    ) -> Result<R, CallError> {
        if !self.may_try(to) {
            return Err(CallError::NotSent { to: to.to_owned(), why: "suspected".to_owned() });
        }
        let answer = self.peers.call(to, message, MESSAGE_LIMIT).await;
        match &answer {
            Ok(_) => self.suspected().remove(to),
            Err(_) => self.suspected().insert(to.to_owned(), Instant::now() + PAUSE),
        };
        answer
    }

    /// When the pause is over, one caller may try, and the others wait for how that ends.
    fn may_try(&self, to: &str) -> bool {
        let now = Instant::now();
        match self.suspected().get_mut(to) {
            None => true,
            Some(until) if *until <= now => {
                *until = now + MESSAGE_LIMIT;
                true
            }
            Some(_) => false,
        }
    }

    fn suspected(&self) -> MutexGuard<'_, BTreeMap<String, Instant>> {
        self.suspected.lock().expect("no holder of the lock panics")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_replica_that_failed_is_left_alone_and_then_tried_once() {
        let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let addresses = [("n1".to_owned(), closed), ("n2".to_owned(), closed)];
        let replicas = Replicas::new(Arc::new(Peers::new("n1", &addresses).unwrap()));
        assert!(replicas.may_try("n2"));
        let failed: Result<(), _> = replicas.call("n2", &()).await;
        assert!(failed.is_err());
        assert!(!replicas.may_try("n2"));
        replicas.suspected().insert("n2".to_owned(), Instant::now());
        assert!(replicas.may_try("n2"), "the pause is over");
        assert!(!replicas.may_try("n2"), "one is trying");
    }
}

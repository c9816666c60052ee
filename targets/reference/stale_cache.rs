//! The bug stale-cache: a node answers reads from what it has read up to a second ago.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use axum::body::Bytes;
use tokio::time::Instant;

use super::operation::{Answer, Operation};
use super::replica::{MessageError, Replica, Status};

/// How long a cached value is served.
const AGE: Duration = Duration::from_secs(1);

/// A replica behind a cache of its reads.
pub struct StaleCache {
    inner: Arc<dyn Replica>,
    cached: Mutex<BTreeMap<String, (Instant, Option<i64>)>>,
}

impl StaleCache {
    pub fn new(inner: Arc<dyn Replica>) -> StaleCache {
        StaleCache { inner, cached: Mutex::default() }
    }

    async fn read(&self, key: String) -> Answer {
        let cached = self.cached.lock().expect("no holder of the lock panics").get(&key).copied();
        if let Some((at, value)) = cached
            && at.elapsed() < AGE
        {
            return Answer::Value(value);
        }
        let answer = self.inner.execute(Operation::Read { key: key.clone() }).await;
        if let Answer::Value(value) = answer {
            let mut cached = self.cached.lock().expect("no holder of the lock panics");
            cached.insert(key, (Instant::now(), value));
        }
        answer
    }
}

#[async_trait]
impl Replica for StaleCache {
    async fn execute(&self, operation: Operation) -> Answer {
        match operation {
            Operation::Read { key } => self.read(key).await,
            other => self.inner.execute(other).await,
        }
    }

    fn replica_read(&self, key: &str) -> Option<i64> {
        self.inner.replica_read(key)
    }

    async fn peer_message(&self, message: Bytes) -> Result<Vec<u8>, MessageError> {
        self.inner.peer_message(message).await
    }

    fn status(&self) -> Status {
        self.inner.status()
    }

    async fn stop(&self) {
        self.inner.stop().await;
    }
}

//! Which nodes are left alone because they did not answer.
//!
//! Without it every operation would wait in vain for a node that is cut off. One that failed is
//! suspected: for a while nothing is sent to it, then a single message tries it again, and the
//! others go on without it until that is answered.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use tokio::time::Instant;

/// The suspected nodes.
#[derive(Debug)]
pub struct Suspicions {
    /// How long nothing is sent to a suspected node.
    pause: Duration,
    /// When each may be tried again.
    until: Mutex<BTreeMap<String, Instant>>,
}

impl Suspicions {
    pub fn new(pause: Duration) -> Suspicions {
        Suspicions { pause, until: Mutex::default() }
    }

    /// Whether a message may be sent, whose answer is known after `limit` at the latest.
    pub fn may_try(&self, node: &str, limit: Duration) -> bool {
        let now = Instant::now();
        match self.suspected().get_mut(node) {
            None => true,
            Some(until) if *until <= now => {
                *until = now + limit;
                true
            }
            Some(_) => false,
        }
    }

    /// Notes how a message ended.
    pub fn note(&self, node: &str, answered: bool) {
        if answered {
            self.suspected().remove(node);
        } else {
            self.suspected().insert(node.to_owned(), Instant::now() + self.pause);
        }
    }

    fn suspected(&self) -> MutexGuard<'_, BTreeMap<String, Instant>> {
        self.until.lock().expect("no holder of the lock panics")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_that_failed_is_left_alone_and_then_tried_once() {
        let limit = Duration::from_secs(60);
        let suspicions = Suspicions::new(limit);
        assert!(suspicions.may_try("n2", limit));
        suspicions.note("n2", false);
        assert!(!suspicions.may_try("n2", limit));
        assert!(suspicions.may_try("n3", limit));
        suspicions.suspected().insert("n2".to_owned(), Instant::now());
        assert!(suspicions.may_try("n2", limit), "the pause is over");
        assert!(!suspicions.may_try("n2", limit), "one is trying");
        suspicions.note("n2", true);
        assert!(suspicions.may_try("n2", limit));
        assert!(suspicions.may_try("n2", limit));
    }
}

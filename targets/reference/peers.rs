//! The client for messages between nodes: one HTTP request each, over kept-alive connections.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::operation::{Answer, Operation};
use super::suspicion::Suspicions;

/// How long a node works on an operation before it gives up.
pub const OPERATION_LIMIT: Duration = Duration::from_millis(450);
/// How long a node waits for the node that it forwarded an operation to.
pub const FORWARD_LIMIT: Duration = Duration::from_millis(550);
/// How long a message between replicas may take.
pub const MESSAGE_LIMIT: Duration = Duration::from_millis(500);
/// How long a new connection may take.
const CONNECT_LIMIT: Duration = Duration::from_millis(200);

/// How long nothing is forwarded to a node that did not answer.
const PAUSE: Duration = Duration::from_millis(300);

/// Why a peer gave no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// No connection came about or none was tried, so the message surely was not delivered and never will be.
    #[error("nothing was sent to {to}: {why}")]
    NotSent { to: String, why: String },
    /// It may have been delivered, or may yet.
    #[error("no answer from {to}: {why}")]
    Unknown { to: String, why: String },
}

/// The other nodes of the cluster.
#[derive(Debug)]
pub struct Peers {
    client: reqwest::Client,
    own: String,
    /// Every node, this one included, in the order of the cluster.
    names: Vec<String>,
    urls: BTreeMap<String, reqwest::Url>,
    /// Nodes to which nothing is forwarded.
    suspicions: Suspicions,
    /// Links that a test has cut.
    #[cfg(test)]
    pub cut: std::sync::Mutex<std::collections::BTreeSet<String>>,
}

impl Peers {
    /// `addresses` has every node, `own` included.
    pub fn new(own: &str, addresses: &[(String, SocketAddr)]) -> Result<Peers, reqwest::Error> {
        let client =
            reqwest::Client::builder().no_proxy().connect_timeout(CONNECT_LIMIT).build()?;
        let urls = addresses
            .iter()
            .filter(|(name, _)| name != own)
            .map(|(name, address)| (name.clone(), url(*address)))
            .collect();
        Ok(Peers {
            client,
            own: own.to_owned(),
            names: addresses.iter().map(|(name, _)| name.clone()).collect(),
            urls,
            suspicions: Suspicions::new(PAUSE),
            #[cfg(test)]
            cut: Default::default(),
        })
    }

    /// Every node, this one included, in the order of the cluster.
    pub fn all(&self) -> &[String] {
        &self.names
    }

    /// Every node but this one.
    pub fn others(&self) -> impl Iterator<Item = &String> {
        self.names.iter().filter(|name| **name != self.own)
    }

    /// How many nodes, this one included, are more than half of the cluster.
    pub fn majority(&self) -> usize {
        self.names.len() / 2 + 1
    }

    /// Sends a message to the replica at `to` and waits for its answer, at most `limit`.
    pub async fn call<M: Serialize, R: DeserializeOwned>(
        &self,
        to: &str,
        message: &M,
        limit: Duration,
    ) -> Result<R, CallError> {
        let failed = |error: reqwest::Error| {
            let (to, why) = (to.to_owned(), innermost(&error));
            if error.is_connect() {
                CallError::NotSent { to, why }
            } else {
                CallError::Unknown { to, why }
            }
        };
        let url = self.url_of(to)?;
        self.test_link(to, limit).await?;
        let response = self.client.post(url).timeout(limit).json(message).send().await;
        let response = response.and_then(|response| response.error_for_status()).map_err(failed)?;
        response.json().await.map_err(failed)
    }

    /// Like [`Peers::call`], but sends nothing to a node that is suspected.
    pub async fn call_unless_suspected<M: Serialize, R: DeserializeOwned>(
        &self,
        suspicions: &Suspicions,
        to: &str,
        message: &M,
        limit: Duration,
    ) -> Result<R, CallError> {
        if !suspicions.may_try(to, limit) {
            let why = "it did not answer a moment ago".to_owned();
            return Err(CallError::NotSent { to: to.to_owned(), why });
        }
        let answer = self.call(to, message, limit).await;
        suspicions.note(to, answer.is_ok());
        answer
    }

    /// Lets the node at `to` carry out an operation of a client of ours. `message` wraps the
    /// operation for that mode.
    pub async fn forward<M: Serialize>(
        &self,
        to: &str,
        operation: &Operation,
        message: &M,
    ) -> Answer {
        let sent = self.call_unless_suspected(&self.suspicions, to, message, FORWARD_LIMIT);
        match sent.await {
            Ok(answer) => answer,
            Err(error @ CallError::NotSent { .. }) => operation.not_done(error.to_string()),
            Err(error @ CallError::Unknown { .. }) => operation.unknown(error.to_string()),
        }
    }

    /// Whether the node at `to` answers at all, within `limit`.
    pub async fn reaches(&self, to: &str, limit: Duration) -> bool {
        let Ok(mut url) = self.url_of(to) else { return false };
        url.set_path("/status");
        self.test_link(to, limit).await.is_ok()
            && self.client.get(url).timeout(limit).send().await.is_ok()
    }

    fn url_of(&self, to: &str) -> Result<reqwest::Url, CallError> {
        self.urls.get(to).cloned().ok_or_else(|| CallError::NotSent {
            to: to.to_owned(),
            why: "no other node has that name".to_owned(),
        })
    }

    #[cfg(not(test))]
    async fn test_link(&self, _: &str, _: Duration) -> Result<(), CallError> {
        Ok(())
    }

    /// A link that a test has cut swallows the message, as a dropped packet does.
    #[cfg(test)]
    async fn test_link(&self, to: &str, limit: Duration) -> Result<(), CallError> {
        if self.cut.lock().unwrap().contains(to) {
            tokio::time::sleep(limit).await;
            return Err(CallError::Unknown { to: to.to_owned(), why: "cut".to_owned() });
        }
        Ok(())
    }
}

fn url(address: SocketAddr) -> reqwest::Url {
    reqwest::Url::parse(&format!("http://{address}/peer")).expect("an address makes a URL")
}

/// The last cause of an error: reqwest's own text only repeats the URL.
fn innermost(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An address at which nobody listens.
    fn closed() -> SocketAddr {
        std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
    }

    fn write() -> Operation {
        Operation::Write { key: "x".into(), value: 1 }
    }

    #[tokio::test]
    async fn a_refused_connection_is_a_definite_failure() {
        let addresses = [("n1".to_owned(), closed()), ("n2".to_owned(), closed())];
        let peers = Peers::new("n1", &addresses).unwrap();
        let answer = peers.forward("n2", &write(), &"message").await;
        assert!(matches!(answer, Answer::Unavailable(_)), "{answer:?}");
        assert!(!peers.reaches("n2", MESSAGE_LIMIT).await);
    }

    #[tokio::test]
    async fn a_peer_that_takes_the_message_and_says_nothing_leaves_it_open() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addresses =
            [("n1".to_owned(), closed()), ("n2".to_owned(), listener.local_addr().unwrap())];
        let peers = Peers::new("n1", &addresses).unwrap();
        let answer = peers.forward("n2", &write(), &"message").await;
        assert!(matches!(answer, Answer::Indeterminate(_)), "{answer:?}");
        let answer = peers.forward("n2", &write(), &"message").await;
        assert!(matches!(answer, Answer::Unavailable(_)), "suspected now: {answer:?}");
    }

    #[test]
    fn a_majority_is_more_than_half() {
        let majority = |count: usize| {
            let addresses: Vec<_> = (1..=count).map(|i| (format!("n{i}"), closed())).collect();
            Peers::new("n1", &addresses).unwrap().majority()
        };
        assert_eq!(
            [majority(1), majority(2), majority(3), majority(4), majority(5)],
            [1, 2, 2, 3, 3]
        );
    }
}

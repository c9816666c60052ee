//! A session with one server that several clients share, opened anew whenever it is broken.
//!
//! The library would reconnect by itself, but pauses twice as long after each attempt: after a
//! cut of eight seconds it may take six more, which would count against the database. So a
//! session that lost its connection is given up and the next request opens another one.

use std::time::{Duration, Instant};

use tokio::sync::Mutex;
use zookeeper_client::{Client, SessionState};

/// How long opening may take. Opening is agreed on by a majority.
const OPEN_LIMIT: Duration = Duration::from_secs(2);
/// How long the server remembers a session that says nothing; it allows at most 20 ticks.
const SESSION_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a server may leave a ping unanswered until the connection counts as lost.
const PING_LIMIT: Duration = Duration::from_secs(4);

/// A shared session.
pub struct Session {
    /// `IP:PORT` of the one server that it talks to.
    address: String,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    open: Option<Client>,
    /// When opening failed the last time, and why.
    failed: Option<(Instant, String)>,
}

impl Session {
    pub fn new(address: String) -> Session {
        Session { address, state: Mutex::default() }
    }

    /// The open session. Of the clients that find it broken one opens another; the others wait
    /// for it and share its success or failure.
    ///
    /// # Errors
    /// Why there is no session; nothing was sent then.
    pub async fn open(&self) -> Result<Client, String> {
        let asked = Instant::now();
        let mut state = self.state.lock().await;
        if let Some(client) = &state.open
            && client.state() == SessionState::SyncConnected
        {
            return Ok(client.clone());
        }
        state.open = None;
        if let Some((at, reason)) = &state.failed
            && *at >= asked
        {
            return Err(reason.clone());
        }
        match self.open_another().await {
            Ok(client) => {
                state.open = Some(client.clone());
                Ok(client)
            }
            Err(reason) => {
                let reason = format!("{}: no session: {reason}", self.address);
                state.failed = Some((Instant::now(), reason.clone()));
                Err(reason)
            }
        }
    }

    async fn open_another(&self) -> Result<Client, String> {
        let connector = Client::connector()
            .with_session_timeout(SESSION_TIMEOUT)
            .with_connection_timeout(PING_LIMIT)
            .with_fail_eagerly();
        match tokio::time::timeout(OPEN_LIMIT, connector.connect(&self.address)).await {
            Ok(Ok(client)) => Ok(client),
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err(format!("no answer within {} s", OPEN_LIMIT.as_secs())),
        }
    }
}

//! ZooKeeper: one znode per key, below the root.
//!
//! The clients of a node share two sessions with that node's own server, one for reads and one
//! for everything that has to be agreed on. A session is first in, first out: with a single one,
//! a write that waits for a majority would hold up the local reads of every other client. And a
//! session per client could not be opened while a node is cut off, because opening one is
//! agreed on as well, so a cut would hide the stale reads that we look for.

mod leader;
mod outcome;
mod session;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use splitbrain_checkers::history::{Function, Name, Value};
use zookeeper_client::{Acls, CreateMode, Error};

use self::outcome::{of_a_read, of_a_write};
use self::session::Session;
use crate::driver::{Client, Cluster, Driver, Node, Reply, Request};
use crate::http::Mistake;
use crate::text::{text_value, value_text};

/// Where a node listens for clients unless it says otherwise.
const PORT: u16 = 2181;
/// How often an operation starts over after an answer that nothing was changed.
const ROUNDS_MAX: usize = 10;

/// ZooKeeper.
pub struct ZooKeeperDriver {
    reads: Reads,
    sessions: Mutex<HashMap<(tokio::runtime::Id, Name), Arc<Sessions>>>,
}

/// How a read is made, as the setting `read` names it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reads {
    /// By the client's own server.
    Local,
    /// The same after a `sync`, which asks the leader, but not whether it still leads.
    Synced,
    /// By the client's own server, and confirmed by the majority.
    Confirmed,
}

/// What the clients of a node share.
struct Sessions {
    reads: Session,
    writes: Session,
}

impl ZooKeeperDriver {
    /// # Errors
    /// A section of its own (it has none), or settings that it does not know.
    pub fn new(
        config: &serde_json::Value,
        settings: &BTreeMap<String, String>,
    ) -> Result<ZooKeeperDriver, Vec<Mistake>> {
        let mut mistakes = crate::refuse_section("zookeeper", config);
        match crate::choose(settings, "read", &["local", "sync", "confirmed"]) {
            Ok(choice) if mistakes.is_empty() => {
                let reads = [Reads::Local, Reads::Synced, Reads::Confirmed][choice];
                Ok(ZooKeeperDriver { reads, sessions: Mutex::default() })
            }
            Ok(_) => Err(mistakes),
            Err(mistake) => {
                mistakes.push(mistake);
                Err(mistakes)
            }
        }
    }
}

#[async_trait]
impl Driver for ZooKeeperDriver {
    /// A session is opened when a request needs it.
    async fn connect(&self, _cluster: &Cluster, node: &Node) -> Result<Box<dyn Client>, String> {
        let place = (tokio::runtime::Handle::current().id(), node.name.clone());
        let mut all = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        let sessions = all.entry(place).or_insert_with(|| {
            let address = node.address(PORT).to_string();
            Arc::new(Sessions {
                reads: Session::new(address.clone()),
                writes: Session::new(address),
            })
        });
        Ok(Box::new(ZooKeeperClient { sessions: sessions.clone(), reads: self.reads }))
    }

    async fn primary(&self, cluster: &Cluster) -> Result<Option<Name>, String> {
        leader::find(cluster).await
    }
}

struct ZooKeeperClient {
    sessions: Arc<Sessions>,
    reads: Reads,
}

#[async_trait]
impl Client for ZooKeeperClient {
    async fn request(&mut self, request: &Request) -> Reply {
        if request.key.is_empty() || request.key.contains('/') {
            return Reply::Fail(format!("`{}` cannot be the name of a znode", request.key));
        }
        let path = format!("/{}", request.key);
        match &request.f {
            Function::Read => self.read(&path, self.reads).await,
            Function::ReplicaRead => self.read(&path, Reads::Local).await,
            Function::Write => match value_text(&request.value) {
                Some(value) => self.write(&path, value.as_bytes()).await,
                None => unsendable(&request.value),
            },
            Function::Cas => match request.value.as_pair() {
                Some((expected, new)) => match (value_text(expected), value_text(new)) {
                    (Some(expected), Some(new)) => {
                        self.cas(&path, expected.as_bytes(), new.as_bytes()).await
                    }
                    _ => unsendable(&request.value),
                },
                None => unsendable(&request.value),
            },
            Function::Other(name) => Reply::Fail(format!("zookeeper has no operation `{name}`")),
        }
    }
}

fn unsendable(value: &Value) -> Reply {
    Reply::Fail(format!("zookeeper cannot store {value}: nothing was sent"))
}

impl ZooKeeperClient {
    /// Reads from the client's own server; if the majority has to confirm what it says and does
    /// not, once more.
    async fn read(&self, path: &str, reads: Reads) -> Reply {
        for _ in 0..ROUNDS_MAX {
            let found = match self.look(path, reads).await {
                Ok(found) => found,
                Err(reply) => return reply,
            };
            if reads == Reads::Confirmed {
                match self.confirm(path, version(&found)).await {
                    Ok(true) => {}
                    Ok(false) => continue,
                    Err(reply) => return reply,
                }
            }
            return match found.map(|(bytes, _)| String::from_utf8(bytes)) {
                None => Reply::Ok(Value::Nil),
                Some(Ok(text)) => Reply::Ok(text_value(&text)),
                Some(Err(error)) => Reply::Fail(format!("a value that is not UTF-8: {error}")),
            };
        }
        changed_too_often(path)
    }

    /// What the client's own server has, after a sync if one is asked for.
    async fn look(&self, path: &str, reads: Reads) -> Result<Found, Reply> {
        let session = self.sessions.reads.open().await.map_err(Reply::Fail)?;
        if reads == Reads::Synced {
            session.sync(path).await.map_err(|error| of_a_read(&error))?;
        }
        match session.get_data(path).await {
            Ok((value, stat)) => Ok(Some((value, stat.version))),
            Err(Error::NoNode) => Ok(None),
            Err(error) => Err(of_a_read(&error)),
        }
    }

    /// Lets the majority say whether the znode has this version, or still is missing. Changes
    /// nothing. A leader that was deposed finds no majority, so it does not answer.
    async fn confirm(&self, path: &str, version: Option<i32>) -> Result<bool, Reply> {
        let session = self.sessions.writes.open().await.map_err(Reply::Fail)?;
        let mut writer = session.new_multi_writer();
        let failed = |error: Error| of_a_read(&error);
        writer.add_check_version(path, version.unwrap_or(ANY_VERSION)).map_err(failed)?;
        match writer.commit().await.map_err(Error::from) {
            Ok(_) => Ok(version.is_some()),
            Err(Error::NoNode) => Ok(version.is_none()),
            Err(Error::BadVersion) => Ok(false),
            Err(error) => Err(failed(error)),
        }
    }

    /// Sets, or creates what is not there. `NoNode` and `NodeExists` say that nothing changed.
    async fn write(&self, path: &str, value: &[u8]) -> Reply {
        let session = match self.sessions.writes.open().await {
            Ok(session) => session,
            Err(text) => return Reply::Fail(text),
        };
        let persistent = CreateMode::Persistent.with_acls(Acls::anyone_all());
        for _ in 0..ROUNDS_MAX {
            match session.set_data(path, value, None).await {
                Ok(_) => return Reply::Ok(Value::Nil),
                Err(Error::NoNode) => {}
                Err(error) => return of_a_write(&error),
            }
            match session.create(path, value, &persistent).await {
                Ok(_) => return Reply::Ok(Value::Nil),
                Err(Error::NodeExists) => {}
                Err(error) => return of_a_write(&error),
            }
        }
        Reply::Fail(format!("{path} came and went {ROUNDS_MAX} times"))
    }

    /// Reads value and version from the client's own server, and then lets the majority decide
    /// on that version: set it if the value is the expected one, else check it. A read alone may
    /// be stale, so it is never the reason for a mismatch; and a version that has moved on says
    /// nothing about the value, so it is read again.
    async fn cas(&self, path: &str, expected: &[u8], new: &[u8]) -> Reply {
        for _ in 0..ROUNDS_MAX {
            let found = match self.look(path, Reads::Local).await {
                Ok(found) => found,
                Err(reply) => return reply,
            };
            let decided = match &found {
                Some((value, version)) if value == expected => self.set(path, new, *version).await,
                _ => match self.confirm(path, version(&found)).await {
                    Ok(true) => return Reply::Mismatch,
                    Ok(false) => Ok(false),
                    Err(reply) => Err(reply),
                },
            };
            match decided {
                Ok(true) => return Reply::Ok(Value::Nil),
                Ok(false) => {}
                Err(reply) => return reply,
            }
        }
        changed_too_often(path)
    }

    /// Sets the znode if it has this version; whether it had.
    async fn set(&self, path: &str, value: &[u8], version: i32) -> Result<bool, Reply> {
        let session = self.sessions.writes.open().await.map_err(Reply::Fail)?;
        match session.set_data(path, value, Some(version)).await {
            Ok(_) => Ok(true),
            Err(Error::BadVersion | Error::NoNode) => Ok(false),
            Err(error) => Err(of_a_write(&error)),
        }
    }
}

/// A znode's value and version, if there is one.
type Found = Option<(Vec<u8>, i32)>;

fn version(found: &Found) -> Option<i32> {
    found.as_ref().map(|(_, version)| *version)
}

fn changed_too_often(path: &str) -> Reply {
    Reply::Fail(format!("{path} was changed by others {ROUNDS_MAX} times in between"))
}

/// Matches whatever version a znode has.
const ANY_VERSION: i32 = -1;

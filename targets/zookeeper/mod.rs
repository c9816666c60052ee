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

/// Where every node listens for clients.
const PORT: u16 = 2181;
/// How often an operation starts over after an answer that nothing was changed.
const ROUNDS_MAX: usize = 10;

/// ZooKeeper.
pub struct ZooKeeperDriver {
    /// A sync before each read.
    syncs: bool,
    sessions: Mutex<HashMap<(tokio::runtime::Id, Name), Arc<Sessions>>>,
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
        match crate::choose(settings, "read", &["local", "sync"]) {
            Ok(choice) if mistakes.is_empty() => {
                Ok(ZooKeeperDriver { syncs: choice == 1, sessions: Mutex::default() })
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
            let address = format!("{}:{PORT}", node.ip);
            Arc::new(Sessions {
                reads: Session::new(address.clone()),
                writes: Session::new(address),
            })
        });
        Ok(Box::new(ZooKeeperClient { sessions: sessions.clone(), syncs: self.syncs }))
    }

    async fn primary(&self, cluster: &Cluster) -> Result<Option<Name>, String> {
        leader::find(cluster).await
    }
}

struct ZooKeeperClient {
    sessions: Arc<Sessions>,
    syncs: bool,
}

#[async_trait]
impl Client for ZooKeeperClient {
    async fn request(&mut self, request: &Request) -> Reply {
        if request.key.is_empty() || request.key.contains('/') {
            return Reply::Fail(format!("`{}` cannot be the name of a znode", request.key));
        }
        let path = format!("/{}", request.key);
        match &request.f {
            Function::Read => self.read(&path, self.syncs).await,
            Function::ReplicaRead => self.read(&path, false).await,
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
    async fn read(&self, path: &str, syncs: bool) -> Reply {
        let session = match self.sessions.reads.open().await {
            Ok(session) => session,
            Err(text) => return Reply::Fail(text),
        };
        if syncs && let Err(error) = session.sync(path).await {
            return of_a_read(&error);
        }
        match session.get_data(path).await {
            Ok((bytes, _)) => match String::from_utf8(bytes) {
                Ok(text) => Reply::Ok(text_value(&text)),
                Err(error) => Reply::Fail(format!("a value that is not UTF-8: {error}")),
            },
            Err(Error::NoNode) => Reply::Ok(Value::Nil),
            Err(error) => of_a_read(&error),
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
            let found = match self.sessions.reads.open().await {
                Ok(session) => session.get_data(path).await,
                Err(text) => return Reply::Fail(text),
            };
            let session = match self.sessions.writes.open().await {
                Ok(session) => session,
                Err(text) => return Reply::Fail(text),
            };
            match found {
                Ok((value, stat)) if value == expected => {
                    match session.set_data(path, new, Some(stat.version)).await {
                        Ok(_) => return Reply::Ok(Value::Nil),
                        Err(Error::BadVersion | Error::NoNode) => {}
                        Err(error) => return of_a_write(&error),
                    }
                }
                Ok((_, stat)) => match check(&session, path, stat.version).await {
                    Ok(()) => return Reply::Mismatch,
                    Err(Error::BadVersion | Error::NoNode) => {}
                    Err(error) => return of_a_read(&error),
                },
                Err(Error::NoNode) => match check(&session, path, ANY_VERSION).await {
                    Err(Error::NoNode) => return Reply::Mismatch,
                    Ok(()) => {}
                    Err(error) => return of_a_read(&error),
                },
                Err(error) => return of_a_read(&error),
            }
        }
        Reply::Fail(format!("{path} was changed by others {ROUNDS_MAX} times in between"))
    }
}

/// Matches whatever version a znode has.
const ANY_VERSION: i32 = -1;

/// Lets the majority confirm that the znode has this version. Changes nothing.
async fn check(session: &zookeeper_client::Client, path: &str, version: i32) -> Result<(), Error> {
    let mut writer = session.new_multi_writer();
    writer.add_check_version(path, version)?;
    writer.commit().await?;
    Ok(())
}

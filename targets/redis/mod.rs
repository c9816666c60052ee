//! Redis Cluster: one connection per logical client and server, redirections followed by hand.
//!
//! A cluster client from a library retries inside, which would turn one operation into two. Here
//! a command is sent again only after an answer that says that it was not executed (`MOVED`,
//! `ASK`); whatever goes wrong otherwise ends the operation.

mod outcome;
mod topology;

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use async_trait::async_trait;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Cmd, Value as RedisValue};
use splitbrain_checkers::history::{Function, NOT_HELD, Name, Value};

use self::outcome::{Redirect, Trouble, classify};
use crate::driver::{Client, Cluster, Driver, Node, Reply, Request};
use crate::http::Mistake;
use crate::text::{text_value, value_text};

/// Where a node listens unless it says otherwise.
const PORT: u16 = 6379;
/// How long connecting may take, handshake included; no command was sent by then.
const CONNECT_LIMIT: Duration = Duration::from_secs(2);
/// Redirections of one command before it counts as refused.
const REDIRECTIONS_MAX: usize = 5;
/// How long `WAIT` waits for replicas, in milliseconds.
const WAIT_LIMIT_MS: u64 = 1000;

/// Compares and sets in one step; Redis runs a script alone.
const COMPARE_AND_SET: &str = "if redis.call('GET', KEYS[1]) == ARGV[1] then \
                               redis.call('SET', KEYS[1], ARGV[2]) return 1 end return 0";

/// Redis Cluster.
#[derive(Debug)]
pub struct RedisDriver {
    reads_replica: bool,
    /// Replicas that have to confirm each write.
    wait: u32,
}

impl RedisDriver {
    /// # Errors
    /// A section of its own (it has none), or settings that it does not know.
    pub fn new(
        config: &serde_json::Value,
        settings: &BTreeMap<String, String>,
    ) -> Result<RedisDriver, Vec<Mistake>> {
        let mut mistakes = crate::refuse_section("redis", config);
        let mut choose = |name: &str, accepted: &[&str]| {
            crate::choose(settings, name, accepted).unwrap_or_else(|mistake| {
                mistakes.push(mistake);
                0
            })
        };
        let reads_replica = choose("read", &["primary", "replica"]) == 1;
        let wait = choose("wait", &["0", "1"]) as u32;
        if mistakes.is_empty() { Ok(RedisDriver { reads_replica, wait }) } else { Err(mistakes) }
    }
}

#[async_trait]
impl Driver for RedisDriver {
    /// Connections are opened when a request needs them.
    async fn connect(&self, cluster: &Cluster, node: &Node) -> Result<Box<dyn Client>, String> {
        Ok(Box::new(RedisClient {
            own: node.address(PORT).to_string(),
            node: node.name.clone(),
            cluster: cluster.clone(),
            reads_replica: self.reads_replica,
            wait: self.wait,
            connections: HashMap::new(),
            replica: None,
            owners: HashMap::new(),
        }))
    }

    /// Every shard has a primary of its own: the one with the most slots stands for all.
    async fn primary(&self, cluster: &Cluster) -> Result<Option<Name>, String> {
        topology::primary(cluster).await
    }
}

/// A logical client with connections of its own: a request that hangs holds up no other client,
/// and what it leaves behind goes with it.
struct RedisClient {
    /// Address of the client's own node.
    own: String,
    node: Name,
    cluster: Cluster,
    reads_replica: bool,
    wait: u32,
    connections: HashMap<String, MultiplexedConnection>,
    /// To the client's own node, in the mode in which a replica answers.
    replica: Option<MultiplexedConnection>,
    /// Who answered for a key the last time.
    owners: HashMap<Name, String>,
}

#[async_trait]
impl Client for RedisClient {
    async fn request(&mut self, request: &Request) -> Reply {
        match &request.f {
            Function::Read => self.read(&request.key).await,
            Function::ReplicaRead => match self.get_here(&request.key).await {
                Ok(reply) => read_reply(reply),
                Err(Trouble::Redirected(_)) => Reply::Fail(NOT_HELD.to_string()),
                Err(trouble) => Reply::Fail(trouble.text()),
            },
            Function::Write => match value_text(&request.value) {
                Some(value) => self.write(&request.key, &value).await,
                None => unsendable(&request.value),
            },
            Function::Cas => match request.value.as_pair() {
                Some((expected, new)) => match (value_text(expected), value_text(new)) {
                    (Some(expected), Some(new)) => self.cas(&request.key, &expected, &new).await,
                    _ => unsendable(&request.value),
                },
                None => unsendable(&request.value),
            },
            Function::Other(name) => Reply::Fail(format!("redis has no operation `{name}`")),
        }
    }
}

fn unsendable(value: &Value) -> Reply {
    Reply::Fail(format!("redis cannot store {value}: nothing was sent"))
}

impl RedisClient {
    async fn read(&mut self, key: &Name) -> Reply {
        if self.reads_replica {
            match self.get_here(key).await {
                Ok(reply) => return read_reply(reply),
                Err(Trouble::Redirected(redirect)) => {
                    self.owners.insert(key.clone(), redirect.address);
                }
                Err(trouble) => return Reply::Fail(trouble.text()),
            }
        }
        match self.send(key, redis::cmd("GET").arg(&**key)).await {
            Ok((reply, _)) => read_reply(reply),
            Err(trouble) => Reply::Fail(trouble.text()),
        }
    }

    async fn write(&mut self, key: &Name, value: &str) -> Reply {
        match self.send(key, redis::cmd("SET").arg(&**key).arg(value)).await {
            Ok((RedisValue::Okay, address)) => self.confirm(&address).await,
            Ok((other, _)) => Reply::Info(format!("an answer that SET never gives: {other:?}")),
            Err(trouble) => trouble.of_a_write(),
        }
    }

    async fn cas(&mut self, key: &Name, expected: &str, new: &str) -> Reply {
        let mut script = redis::cmd("EVAL");
        script.arg(COMPARE_AND_SET).arg(1).arg(&**key).arg(expected).arg(new);
        match self.send(key, &script).await {
            Ok((RedisValue::Int(1), address)) => self.confirm(&address).await,
            Ok((RedisValue::Int(0), _)) => Reply::Mismatch,
            Ok((other, _)) => Reply::Info(format!("the script never answers {other:?}")),
            Err(trouble) => trouble.of_a_write(),
        }
    }

    /// Waits for the replicas that the setting asks for. The primary has the write by now, so
    /// too few of them leave it open whether it stays.
    async fn confirm(&mut self, address: &str) -> Reply {
        if self.wait == 0 {
            return Reply::Ok(Value::Nil);
        }
        let Some(connection) = self.connections.get_mut(address) else {
            return Reply::Info(format!("no connection to {address} any more"));
        };
        let mut command = redis::cmd("WAIT");
        command.arg(self.wait).arg(WAIT_LIMIT_MS);
        match command.query_async::<u32>(connection).await {
            Ok(confirmed) if confirmed >= self.wait => Reply::Ok(Value::Nil),
            Ok(confirmed) => Reply::Info(format!("WAIT: {confirmed} replicas confirmed")),
            Err(error) => Reply::Info(format!("WAIT: {error}")),
        }
    }

    /// Sends a command to the primary of `key` and returns the answer with who gave it.
    async fn send(&mut self, key: &Name, command: &Cmd) -> Result<(RedisValue, String), Trouble> {
        let mut address = self.owners.remove(key).unwrap_or_else(|| self.own.clone());
        let mut asking = false;
        for _ in 0..=REDIRECTIONS_MAX {
            match self.send_to(&address, command, asking).await {
                Ok(reply) => {
                    if !asking {
                        self.owners.insert(key.clone(), address.clone());
                    }
                    return Ok((reply, address));
                }
                Err(Trouble::Redirected(Redirect { address: next, ask })) => {
                    address = next;
                    asking = ask;
                }
                Err(trouble) => return Err(trouble),
            }
        }
        Err(Trouble::Refused(format!("redirected {REDIRECTIONS_MAX} times, lastly to {address}")))
    }

    /// Whether the server there is beyond a cut from the client's own node.
    fn is_cut_off(&self, address: &str) -> bool {
        let there = |node: &&Node| node.address(PORT).to_string() == address;
        let other = self.cluster.nodes.iter().find(there);
        other.is_some_and(|other| self.cluster.barrier.is_between(&self.node, &other.name))
    }

    /// Sends a command once.
    async fn send_to(
        &mut self,
        address: &str,
        command: &Cmd,
        asking: bool,
    ) -> Result<RedisValue, Trouble> {
        if self.is_cut_off(address) {
            let text = format!("redirected to {address}, which is cut off from {}", self.node);
            return Err(Trouble::Refused(text));
        }
        if !self.connections.contains_key(address) {
            let connection = open(address).await.map_err(Trouble::Refused)?;
            self.connections.insert(address.to_string(), connection);
        }
        let connection = self.connections.get_mut(address).expect("it was opened above");
        let result = match asking {
            true => match redis::cmd("ASKING").query_async::<RedisValue>(connection).await {
                Ok(_) => command.query_async(connection).await,
                Err(error) => {
                    self.connections.remove(address);
                    return Err(Trouble::Refused(format!("{address}: ASKING: {error}")));
                }
            },
            false => command.query_async(connection).await,
        };
        result.map_err(|error| {
            let trouble = classify(address, &error);
            if matches!(trouble, Trouble::Silent(_)) {
                self.connections.remove(address);
            }
            trouble
        })
    }

    /// A read of the client's own node, be it primary or replica of the key.
    async fn get_here(&mut self, key: &Name) -> Result<RedisValue, Trouble> {
        if self.replica.is_none() {
            let mut connection = open(&self.own).await.map_err(Trouble::Refused)?;
            redis::cmd("READONLY")
                .query_async::<RedisValue>(&mut connection)
                .await
                .map_err(|error| classify(&self.own, &error))?;
            self.replica = Some(connection);
        }
        let connection = self.replica.as_mut().expect("it was opened above");
        let result = redis::cmd("GET").arg(&**key).query_async(connection).await;
        result.map_err(|error| {
            let trouble = classify(&self.own, &error);
            if matches!(trouble, Trouble::Silent(_)) {
                self.replica = None;
            }
            trouble
        })
    }
}

fn read_reply(reply: RedisValue) -> Reply {
    match reply {
        RedisValue::Nil => Reply::Ok(Value::Nil),
        RedisValue::BulkString(bytes) => match String::from_utf8(bytes) {
            Ok(text) => Reply::Ok(text_value(&text)),
            Err(error) => Reply::Fail(format!("a value that is not UTF-8: {error}")),
        },
        other => Reply::Fail(format!("an answer that GET never gives: {other:?}")),
    }
}

/// One connection, without a limit on how long an answer may take: that is the caller's.
async fn open(address: &str) -> Result<MultiplexedConnection, String> {
    let unreached = |error: &dyn std::fmt::Display| format!("{address}: cannot connect: {error}");
    let client =
        redis::Client::open(format!("redis://{address}/")).map_err(|error| unreached(&error))?;
    let config =
        AsyncConnectionConfig::new().set_connection_timeout(None).set_response_timeout(None);
    let connecting = client.get_multiplexed_async_connection_with_config(&config);
    match tokio::time::timeout(CONNECT_LIMIT, connecting).await {
        Ok(Ok(connection)) => Ok(connection),
        Ok(Err(error)) => Err(unreached(&error)),
        Err(_) => Err(unreached(&format!("no answer within {} s", CONNECT_LIMIT.as_secs()))),
    }
}

//! Raft's messages, over the client that all modes share.

use std::sync::Arc;
use std::time::Duration;

use openraft::error::{
    InstallSnapshotError, NetworkError, RPCError, RaftError, RemoteError, Unreachable,
};
use openraft::network::{Backoff, RPCOption, RaftNetwork, RaftNetworkFactory};
use openraft::raft::{
    AppendEntriesRequest, AppendEntriesResponse, InstallSnapshotRequest, InstallSnapshotResponse,
    VoteRequest, VoteResponse,
};
use openraft::{AnyError, EmptyNode};
use serde::de::DeserializeOwned;

use super::{Message, Types};
use crate::reference::peers::{CallError, MESSAGE_LIMIT, Peers};

/// The pause after a peer refused the connection.
const RETRY: Duration = Duration::from_millis(100);

/// Makes the connections.
#[derive(Clone)]
pub struct Network(pub Arc<Peers>);

/// The connection to one node.
pub struct Connection {
    peers: Arc<Peers>,
    id: u64,
    name: String,
}

impl RaftNetworkFactory<Types> for Network {
    type Network = Connection;

    async fn new_client(&mut self, target: u64, _: &EmptyNode) -> Connection {
        Connection { peers: self.0.clone(), id: target, name: super::name_of(&self.0, target) }
    }
}

type Rpc<R, E> = Result<R, RPCError<u64, EmptyNode, RaftError<u64, E>>>;

impl Connection {
    async fn send<R, E>(&self, message: Message, option: RPCOption) -> Rpc<R, E>
    where
        R: DeserializeOwned + Send + 'static,
        E: std::error::Error + DeserializeOwned + Send + 'static,
    {
        type Answer<R, E> = Result<Result<R, RaftError<u64, E>>, CallError>;
        let (peers, name) = (self.peers.clone(), self.name.clone());
        // Raft drops a call that takes too long. The task goes on, so that the connection is not
        // closed for a follower that was only slow.
        let limit = option.hard_ttl().max(MESSAGE_LIMIT);
        let call = async move { peers.call(&name, &message, limit).await };
        let answer: Answer<R, E> = match tokio::spawn(call).await {
            Ok(answer) => answer,
            Err(ended) => Err(CallError::Unknown { to: self.name.clone(), why: ended.to_string() }),
        };
        match answer {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(error)) => Err(RPCError::RemoteError(RemoteError::new(self.id, error))),
            Err(error @ CallError::NotSent { .. }) => {
                Err(RPCError::Unreachable(Unreachable::from(AnyError::new(&error))))
            }
            Err(error @ CallError::Unknown { .. }) => {
                Err(RPCError::Network(NetworkError::from(AnyError::new(&error))))
            }
        }
    }
}

impl RaftNetwork<Types> for Connection {
    async fn append_entries(
        &mut self,
        request: AppendEntriesRequest<Types>,
        option: RPCOption,
    ) -> Rpc<AppendEntriesResponse<u64>, openraft::error::Infallible> {
        self.send(Message::Append(request), option).await
    }

    async fn install_snapshot(
        &mut self,
        request: InstallSnapshotRequest<Types>,
        option: RPCOption,
    ) -> Rpc<InstallSnapshotResponse<u64>, InstallSnapshotError> {
        self.send(Message::InstallSnapshot(request), option).await
    }

    async fn vote(
        &mut self,
        request: VoteRequest<u64>,
        option: RPCOption,
    ) -> Rpc<VoteResponse<u64>, openraft::error::Infallible> {
        self.send(Message::Vote(request), option).await
    }

    fn backoff(&self) -> Backoff {
        Backoff::new(std::iter::repeat(RETRY))
    }
}

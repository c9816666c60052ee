//! One node holds the only copy.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use axum::body::Bytes;

use super::{Mode, Starting};
use crate::reference::StartError;
use crate::reference::bug::Bug;
use crate::reference::journal::Journal;
use crate::reference::operation::{Answer, Operation, Registers};
use crate::reference::replica::{MessageError, Node, Replica, Role, Status};

pub const MODE: Mode =
    Mode { name: "single", bugs: &[Bug::CasIgnoresExpected, Bug::StaleCache], start };

struct Single {
    node: Node,
    state: Mutex<State>,
}

struct State {
    registers: Registers,
    journal: Journal<Operation>,
}

fn start(node: Node) -> Starting {
    Box::pin(async move {
        let count = node.peers.all().len();
        if count != 1 {
            return Err(StartError::Nodes { mode: MODE.name, wanted: "one node", count });
        }
        let (journal, operations) = node.open_journal()?;
        let mut registers = Registers::default();
        for operation in &operations {
            registers.apply(operation, node.bug);
        }
        let state = Mutex::new(State { registers, journal });
        Ok(Arc::new(Single { node, state }) as Arc<dyn Replica>)
    })
}

#[async_trait]
impl Replica for Single {
    async fn execute(&self, operation: Operation) -> Answer {
        let mut state = self.state.lock().expect("no holder of the lock panics");
        if !operation.is_read() {
            state.journal.append(&operation);
        }
        state.registers.apply(&operation, self.node.bug)
    }

    fn replica_read(&self, key: &str) -> Option<i64> {
        self.state.lock().expect("no holder of the lock panics").registers.get(key)
    }

    async fn peer_message(&self, _: Bytes) -> Result<Vec<u8>, MessageError> {
        Err(MessageError(serde::de::Error::custom("one node has no peers")))
    }

    fn status(&self) -> Status {
        Status { role: Role::Primary, primary: Some(self.node.name.clone()), ready: true }
    }
}

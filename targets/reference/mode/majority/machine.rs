//! Raft's state machine: the registers that come of applying the committed log.
//!
//! The log is never purged and snapshots are never taken on a schedule; they are here because
//! Raft may ask for one.

use std::collections::VecDeque;
use std::io::Cursor;
use std::sync::{Arc, Mutex, MutexGuard};

use openraft::storage::RaftStateMachine;
use openraft::{
    EmptyNode, Entry, EntryPayload, LogId, OptionalSend, RaftSnapshotBuilder, Snapshot,
    SnapshotMeta, StorageError, StorageIOError, StoredMembership,
};

use super::Types;
use crate::reference::bug::Bug;
use crate::reference::operation::{Answer, Operation, Registers};

/// How many entries the bug lose-write-on-failover drops.
const LOST: usize = 20;

/// A handle on the state machine; clones share it.
#[derive(Clone)]
pub struct Machine {
    state: Arc<Mutex<State>>,
    bug: Bug,
}

#[derive(Default)]
struct State {
    registers: Registers,
    applied: Option<LogId<u64>>,
    membership: StoredMembership<u64, EmptyNode>,
    /// The last snapshot that was taken or received.
    snapshot: Option<(SnapshotMeta<u64, EmptyNode>, Vec<u8>)>,
    /// For lose-write-on-failover: what the last changed registers held before.
    before: VecDeque<(String, Option<i64>)>,
}

impl Machine {
    pub fn new(bug: Bug) -> Machine {
        Machine { state: Arc::default(), bug }
    }

    pub fn get(&self, key: &str) -> Option<i64> {
        self.state().registers.get(key)
    }

    /// The bug lose-write-on-failover: undoes the last entries.
    pub fn lose_last_entries(&self) {
        let mut state = self.state();
        while let Some((key, value)) = state.before.pop_back() {
            state.registers.restore(key, value);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no holder of the lock panics")
    }
}

impl State {
    fn apply(&mut self, operation: &Operation, bug: Bug) -> Answer {
        if bug == Bug::LoseWriteOnFailover
            && let Operation::Write { key, .. } | Operation::Cas { key, .. } = operation
        {
            if self.before.len() == LOST {
                self.before.pop_front();
            }
            self.before.push_back((key.clone(), self.registers.get(key)));
        }
        self.registers.apply(operation, bug)
    }
}

impl RaftStateMachine<Types> for Machine {
    type SnapshotBuilder = Machine;

    async fn applied_state(
        &mut self,
    ) -> Result<(Option<LogId<u64>>, StoredMembership<u64, EmptyNode>), StorageError<u64>> {
        let state = self.state();
        Ok((state.applied, state.membership.clone()))
    }

    async fn apply<I>(&mut self, entries: I) -> Result<Vec<Answer>, StorageError<u64>>
    where
        I: IntoIterator<Item = Entry<Types>> + OptionalSend,
        I::IntoIter: OptionalSend,
    {
        let mut state = self.state();
        let mut answers = Vec::new();
        for entry in entries {
            state.applied = Some(entry.log_id);
            answers.push(match entry.payload {
                EntryPayload::Blank => Answer::Done,
                EntryPayload::Normal(operation) => state.apply(&operation, self.bug),
                EntryPayload::Membership(membership) => {
                    state.membership = StoredMembership::new(Some(entry.log_id), membership);
                    Answer::Done
                }
            });
        }
        Ok(answers)
    }

    async fn get_snapshot_builder(&mut self) -> Machine {
        self.clone()
    }

    async fn begin_receiving_snapshot(
        &mut self,
    ) -> Result<Box<Cursor<Vec<u8>>>, StorageError<u64>> {
        Ok(Box::default())
    }

    async fn install_snapshot(
        &mut self,
        meta: &SnapshotMeta<u64, EmptyNode>,
        snapshot: Box<Cursor<Vec<u8>>>,
    ) -> Result<(), StorageError<u64>> {
        let bytes = snapshot.into_inner();
        let registers = serde_json::from_slice(&bytes)
            .map_err(|error| StorageIOError::read_snapshot(Some(meta.signature()), &error))?;
        let mut state = self.state();
        state.registers = registers;
        state.applied = meta.last_log_id;
        state.membership = meta.last_membership.clone();
        state.snapshot = Some((meta.clone(), bytes));
        Ok(())
    }

    async fn get_current_snapshot(&mut self) -> Result<Option<Snapshot<Types>>, StorageError<u64>> {
        Ok(self
            .state()
            .snapshot
            .clone()
            .map(|(meta, bytes)| Snapshot { meta, snapshot: Box::new(Cursor::new(bytes)) }))
    }
}

impl RaftSnapshotBuilder<Types> for Machine {
    async fn build_snapshot(&mut self) -> Result<Snapshot<Types>, StorageError<u64>> {
        let mut state = self.state();
        let bytes = serde_json::to_vec(&state.registers)
            .map_err(|error| StorageIOError::read_state_machine(&error))?;
        let meta = SnapshotMeta {
            last_log_id: state.applied,
            last_membership: state.membership.clone(),
            snapshot_id: state.applied.map(|id| id.to_string()).unwrap_or_default(),
        };
        state.snapshot = Some((meta.clone(), bytes.clone()));
        Ok(Snapshot { meta, snapshot: Box::new(Cursor::new(bytes)) })
    }
}

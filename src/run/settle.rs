//! After the last heal: no writes; every key is read at every node until all agree.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::future::join_all;
use splitbrain_checkers::history::{Name, Value};
use tokio::time::{Instant, sleep};

use super::clients::{Copy, NodeClients};

/// Polls in a row that have to agree, and stay the same, before the cluster counts as settled.
pub const AGREEING_POLLS: usize = 3;
/// Pause between two polls.
const PAUSE: Duration = Duration::from_millis(100);

/// One poll: node to key to what was read.
type Poll = BTreeMap<Name, BTreeMap<Name, Copy>>;

/// Polls until [`AGREEING_POLLS`] polls in a row agree or `limit` has passed; then every node's
/// clients read every key once more in the ordinary way, so that a write which is gone for good
/// is also seen by a read that promises something. What was read is in the history; the
/// checkers decide what it means.
pub async fn settle(clients: &[NodeClients], keys: &[Name], limit: Duration) {
    let deadline = Instant::now() + limit;
    let mut agreeing: Vec<BTreeMap<Name, Value>> = Vec::new();
    while agreeing.len() < AGREEING_POLLS && Instant::now() < deadline {
        let answers = join_all(clients.iter().map(|node| node.poll(keys.to_vec()))).await;
        let poll: Poll = clients.iter().map(|node| node.node.clone()).zip(answers).collect();
        match agreement(&poll, keys) {
            Some(state) if agreeing.last().is_none_or(|last| *last == state) => {
                agreeing.push(state);
            }
            Some(state) => agreeing = vec![state],
            None => agreeing.clear(),
        }
        sleep(PAUSE).await;
    }
    join_all(clients.iter().map(|node| node.read_all(keys.to_vec()))).await;
}

/// What all nodes that hold a key agree on, key by key; `None` if they differ on one, if one of
/// them did not answer, or if nobody holds it.
fn agreement(poll: &Poll, keys: &[Name]) -> Option<BTreeMap<Name, Value>> {
    let mut state = BTreeMap::new();
    for key in keys {
        let mut agreed = None;
        for node in poll.values() {
            match node.get(key) {
                Some(Copy::Holds(value)) if agreed.is_none_or(|other| other == value) => {
                    agreed = Some(value);
                }
                Some(Copy::NotHeld) => {}
                Some(Copy::Holds(_) | Copy::NoAnswer) | None => return None,
            }
        }
        state.insert(key.clone(), agreed?.clone());
    }
    Some(state)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agree(answers: &[Copy]) -> bool {
        let poll = (1..)
            .zip(answers)
            .map(|(n, copy)| (format!("n{n}").into(), [("k".into(), copy.clone())].into()))
            .collect();
        agreement(&poll, &["k".into()]).is_some()
    }

    #[test]
    fn agreement_needs_the_same_value_at_every_node_that_holds_the_key() {
        let (one, two) = (Copy::Holds(Value::Int(1)), Copy::Holds(Value::Int(2)));
        assert!(agree(&[one.clone(), one.clone()]));
        assert!(agree(&[one.clone(), Copy::NotHeld, one.clone()]));
        assert!(!agree(&[one.clone(), two]));
        assert!(!agree(&[one, Copy::NoAnswer]));
        assert!(!agree(&[Copy::NotHeld, Copy::NotHeld]));
    }
}

//! After the last heal: no writes; every key is read at every node until all agree.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::future::join_all;
use splitbrain_checkers::history::{Name, Value};
use tokio::time::{Instant, sleep};

use super::clients::NodeClients;

/// Polls in a row that have to agree, and stay the same, before the cluster counts as settled.
pub const AGREEING_POLLS: usize = 3;
/// Pause between two polls.
const PAUSE: Duration = Duration::from_millis(100);

/// One poll: node to key to what was read (`None`: no answer).
type Poll = BTreeMap<Name, BTreeMap<Name, Option<Value>>>;

/// Polls until [`AGREEING_POLLS`] polls in a row agree or `limit` has passed. What was read is
/// in the history; the checker decides what it means.
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
}

/// What all nodes that answered agree on; `None` if they differ on a key, or if nobody has it.
fn agreement(poll: &Poll, keys: &[Name]) -> Option<BTreeMap<Name, Value>> {
    let mut state = BTreeMap::new();
    for key in keys {
        let mut answers = poll.values().filter_map(|node| node.get(key)?.as_ref());
        let first = answers.next()?;
        if answers.any(|other| other != first) {
            return None;
        }
        state.insert(key.clone(), first.clone());
    }
    Some(state)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn poll(answers: &[(&str, Option<i64>)]) -> Poll {
        answers
            .iter()
            .map(|&(node, value)| (node.into(), [("k".into(), value.map(Value::Int))].into()))
            .collect()
    }

    #[test]
    fn agreement_needs_the_same_value_everywhere_and_an_answer() {
        let keys = ["k".into()];
        assert!(agreement(&poll(&[("n1", Some(1)), ("n2", Some(1))]), &keys).is_some());
        assert!(agreement(&poll(&[("n1", Some(1)), ("n2", Some(2))]), &keys).is_none());
        assert!(agreement(&poll(&[("n1", None), ("n2", None)]), &keys).is_none());
    }
}

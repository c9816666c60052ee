//! E6: replicas that delivered the same updates show the same state.
//!
//! This can be said only where a node tells what was delivered to it. With
//! [`Settings::deliveries`](super::Settings) a replica read returns a map of two entries,
//!
//! ```text
//! {"delivered": D, "state": S}
//! ```
//!
//! (as a value: the list `[[delivered D] [state S]]`, in either order), where S is what it returns
//! otherwise, and D is a version vector (a map from a replica to a number) or a list of the updates
//! delivered; in either case only its entries matter, not their order. Without the setting, E6 is
//! not looked at: the convergence of such a run says that nodes agreed in the end, and not that
//! they would have agreed at every moment in between.
//!
//! Two answered replica reads of one key after the heal with equal D and different S refute it,
//! at the same node or at two, at any times. Grouped by D: O(n log n).

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::agreement::{KeyOperations, KeyState, Poll};
use super::data_type::sorted;
use super::loss::Breach;
use super::witness::{Draft, find};
use crate::finding::Witness;
use crate::history::{Operation, Value};

/// Takes apart what a replica read returned: what was delivered, and the state.
pub(super) fn parts(returned: &Value) -> Option<(Cow<'_, Value>, &Value)> {
    let (one, other) = returned.as_pair()?;
    let (one, other) = (one.as_pair()?, other.as_pair()?);
    let is = |name: &Value, wanted: &str| matches!(name, Value::Text(name) if &**name == wanted);
    let (delivered, state) = match (one, other) {
        ((a, delivered), (b, state)) if is(a, "delivered") && is(b, "state") => (delivered, state),
        ((b, state), (a, delivered)) if is(a, "delivered") && is(b, "state") => (delivered, state),
        _ => return None,
    };
    Some((sorted(delivered), state))
}

/// The first two reads, in the order of invocations, that break E6.
pub(super) fn differing(state: &KeyState, operations: &KeyOperations) -> Option<Breach> {
    let mut polls: Vec<&Poll> = operations.reads.values().flatten().collect();
    polls.sort_by_key(|poll| poll.operation.index);
    let mut first: BTreeMap<&Value, &Poll> = BTreeMap::new();
    for poll in polls {
        let Some(delivered) = &poll.delivered else { continue };
        let earlier = first.entry(delivered).or_insert(poll);
        if earlier.state != poll.state {
            return Some(Breach::Differs {
                key: state.key.clone(),
                reads: [earlier.operation.index, poll.operation.index],
            });
        }
    }
    None
}

pub(super) fn witness(state: &KeyState, key: &KeyOperations, reads: [u64; 2]) -> Option<Witness> {
    let (one, other) = (find(key, reads[0])?, find(key, reads[1])?);
    let mut draft = Draft::default();
    draft.add(one);
    draft.add(other);
    let node = |read: &Operation| read.node.as_deref().unwrap_or("a node").to_owned();
    let (delivered, first) = parts(&one.output)?;
    let (_, second) = parts(&other.output)?;
    let sentence = format!(
        "{} returned {first} for key {} at {}, {} returned {second} at {}, and both said that they \
         had delivered {delivered}",
        node(one),
        state.key,
        one.complete.unwrap_or(one.invoke),
        node(other),
        other.complete.unwrap_or(other.invoke),
    );
    Some(draft.witness(sentence, Some("one state for one set of delivered updates".into())))
}

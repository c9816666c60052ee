//! Counters: a sum that the acknowledged updates do not allow (E5).
//!
//! Let `least` be the sum of all acknowledged amounts and of the negative indeterminate ones,
//! `most` the same with the positive indeterminate ones. Whatever order the updates took effect in,
//! and whichever of the indeterminate did, the counter ends between the two: each term is either
//! in the sum or, if it is indeterminate, may be left out. It is *out of bounds* if no node's last
//! read is between them. Too little is what E2 calls loss, too much what E3 calls a phantom; which
//! of the updates it was cannot be said, so neither list names one. (Between the bounds not every
//! sum need be possible: of one indeterminate add of 10, only 0 and 10 are. E5 does not look at
//! that.)
//!
//! To forget an update in a witness means: it may have taken effect or not. A witness of a sum
//! that is too small has enough of the acknowledged positive amounts to exceed it, the largest
//! first, and of one too large likewise enough of the negative ones.

use super::agreement::{KeyOperations, KeyState};
use super::data_type::amount;
use super::loss::{Breach, Losses};
use super::witness::{Draft, last_reads, returned};
use crate::finding::{Relation, Witness};
use crate::history::{Operation, Outcome, Value};
use crate::words::count;

/// What the sum can be, at least and at most.
fn bounds(operations: &KeyOperations) -> (i128, i128) {
    let (mut least, mut most) = (0, 0);
    for update in &operations.writes {
        let amount = amount(update).unwrap_or(0);
        match update.outcome {
            Outcome::Ok => (least, most) = (least + amount, most + amount),
            Outcome::Info => (least, most) = (least + amount.min(0), most + amount.max(0)),
            Outcome::Fail => {}
        }
    }
    (least, most)
}

fn sums(state: &KeyState) -> impl Iterator<Item = i128> + '_ {
    state.last_reads().filter_map(|(_, last)| match last.value {
        Value::Int(sum) => Some(i128::from(sum)),
        _ => None,
    })
}

/// E5 of one key.
pub(super) fn judge(state: &KeyState, operations: &KeyOperations) -> Losses {
    let (least, most) = bounds(operations);
    let was_read = sums(state).next().is_some();
    let mut losses = Losses::default();
    if was_read && sums(state).all(|sum| sum < least || sum > most) {
        let shown = |bound: i128| bound.clamp(i64::MIN.into(), i64::MAX.into()) as i64;
        losses.breaches.push(Breach::OutOfBounds {
            key: state.key.clone(),
            least: shown(least),
            most: shown(most),
        });
    }
    losses
}

/// Updates that make the sums impossible, and the last reads.
pub(super) fn bounds_witness(state: &KeyState, key: &KeyOperations) -> Witness {
    let (least, most) = bounds(key);
    let mut draft = Draft::default();
    let reads: Vec<u64> = last_reads(state, key).into_iter().map(|read| draft.add(read)).collect();
    let needed_above = sums(state).filter(|sum| *sum < least).max();
    let needed_below = sums(state).filter(|sum| *sum > most).min();
    // What would be left of either bound without any acknowledged update of the sign that holds it.
    let possible = |sign: i128| -> i128 {
        let amounts = key.writes.iter().filter(|update| update.outcome != Outcome::Fail);
        amounts.filter_map(|update| amount(update)).filter(|amount| amount * sign < 0).sum()
    };
    for (sum, sign) in [(needed_above, 1), (needed_below, -1)] {
        if let Some(sum) = sum {
            for update in enough(key, sign, (sum - possible(sign)) * sign) {
                let at = draft.add(update);
                for &read in &reads {
                    draft.arrow(at, read, Relation::RealTime);
                }
            }
        }
    }
    let acknowledged = key.acknowledged().count();
    let unanswered = key.writes.iter().filter(|update| update.outcome == Outcome::Info).count();
    let sentence = format!(
        "{} of key {} acknowledged and {} not answered leave a sum of {least} at least and {most} \
         at most; after the heal {}",
        count(acknowledged, "update"),
        state.key,
        unanswered,
        returned(state),
    );
    draft.witness(sentence, Some(format!("a sum from {least} to {most} at every node")))
}

/// Of the acknowledged updates of that sign so many, the largest first, that they exceed a sum.
fn enough<'a>(key: &KeyOperations<'a>, sign: i128, sum: i128) -> Vec<&'a Operation> {
    let signed = |update: &&Operation| amount(update).unwrap_or(0) * sign;
    let mut updates: Vec<&Operation> =
        key.acknowledged().filter(|update| signed(update) > 0).collect();
    updates.sort_by_key(|update| std::cmp::Reverse(signed(update)));
    let mut reached = 0;
    updates
        .into_iter()
        .take_while(|update| {
            let needed = reached <= sum;
            reached += signed(update);
            needed
        })
        .collect()
}

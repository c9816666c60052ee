//! One element of a set: is it there or not? `add`, `remove`, and `contains`.
//!
//! An element that is never removed is an interval (see [`linearizable`](super::linearizable)).
//! Else it is a thing with two states whose operations repeat, decided by a search (see
//! `two_states.rs`): linear in the length for as long as the number of operations that are in
//! flight at once on one element is bounded.

use super::parse::{Did, Sets, Touch};
use crate::checker::Options;
use crate::clock::Clock;
use crate::finding::{Validity, Witness};
use crate::history::Operation;
use crate::keys::KeyResult;
use crate::two_states::{Effect, Ending, Event, prove, search, told};
use crate::words::{count, few};

/// Checks each element by itself; the set is never read as a whole.
pub(super) fn check_each(
    sets: &Sets<'_>,
    operations: &[&Operation],
    options: &Options<'_>,
    result: &mut KeyResult,
) {
    let touches = sets.touches_by_element();
    let mut steps = options.limits.steps;
    let mut refuted: Option<(u32, Vec<Event>, Event)> = None;
    for element in 0..sets.values.len() as u32 {
        let events: Vec<Event> = touches.of(element).iter().map(event).collect();
        match search(&events, &options.limits, &mut steps) {
            Ok(Ending::Linearized) => {}
            Ok(Ending::Stuck(at)) => {
                result.violations += 1;
                refuted.get_or_insert((element, events, at));
            }
            Err(reason) => {
                let value = sets.values[element as usize];
                let reason = format!("element {value}: {reason}");
                result.validity = Validity::Unknown { reason };
            }
        }
    }
    if let Some((element, events, stuck)) = refuted {
        let value = sets.values[element as usize].to_string();
        let witness = explain(&value, &events, stuck, operations, options.clock);
        result.validity = Validity::Invalid { witness: Box::new(witness) };
    }
}

fn event(touch: &Touch) -> Event {
    let effect = match touch.did {
        Did::Add => Effect::Set(true),
        Did::Remove => Effect::Set(false),
        Did::Contains(found) => Effect::Is(found),
    };
    Event { effect, span: touch.span, source: touch.source }
}

/// The fewest operations that leave no order, see [`prove`].
fn explain(
    value: &str,
    events: &[Event],
    stuck: Event,
    operations: &[&Operation],
    clock: Clock,
) -> Witness {
    let proof = prove(events, stuck);
    let needed = proof.needed.iter();
    let mut shown: Vec<&Operation> =
        needed.filter_map(|event| operations.get(event.source as usize).copied()).collect();
    shown.sort_by_key(|operation| (operation.invoke, operation.index));
    let all: Vec<String> = shown.iter().map(|operation| told(operation, clock)).collect();
    let mut sentence = format!("no order explains what happened to {value}: {}", few(&all, "and"));
    if proof.others > 0 {
        let others = count(proof.others, "other operation");
        sentence += &format!("; {others} on it, effective or not, cannot make up for that");
    }
    if !proof.is_smallest {
        sentence += "; not all of these operations may be needed, they are too many to try each";
    }
    crate::evidence::witness(sentence, &shown, &[])
}

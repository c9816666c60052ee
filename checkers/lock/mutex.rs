//! A mutex that does not know its holder: it is held or free, and anybody may release it.
//!
//! # What is decided
//!
//! Linearizability of `acquire`, which finds the mutex free and leaves it held, and `release`,
//! which finds it held and leaves it free. It is free at first. This is the model that general
//! searches have (Knossos calls it mutex); [`LOCK`](super::LOCK) asks for more.
//!
//! # Algorithm
//!
//! In any order acquires and releases alternate. Go through the finishes of acknowledged
//! operations in their order. If the operation that ends there has not taken effect: if the mutex
//! is not in the state that it needs, let the open operation of the other kind that ends first
//! take effect (those without an answer never end); if there is none, there is no order. Then let
//! it take effect.
//!
//! *Why doing as little as possible is right.* Let there be an order, and take the first of these
//! finishes, d, of the operation x. All that the order does before d can wait until d: it has
//! begun, and nothing ends before d. Among operations of the same kind the order takes the one that
//! ends first (else exchange two, see `two_states.rs`). So at d the order begins either with x, or
//! with the operation of the other kind that ends first and then x: x ends first of all. That is
//! what is done here. What the order does at d after x can wait further, until the next finish,
//! by the same reason; so by induction the steps here begin an order at every finish. The
//! operations that remain after the last finish have no answer and can be left out.
//!
//! # Cost
//!
//! O(n log n) to sort, and n times the number of operations that are in flight at once; no more
//! than 128 acknowledged ones may be.
//!
//! ```
//! # use splitbrain_checkers::{lock::MUTEX, notation};
//! let passed_on = notation::history(
//!     "0 acquire  0..10
//!      1 release 20..30
//!      2 acquire  5..40",
//! );
//! assert!(MUTEX.run(&passed_on, &Default::default()).validity.is_valid());
//!
//! let both = notation::history("0 acquire 0..10 \n 1 acquire 15..18 \n 0 release 20..30");
//! assert!(MUTEX.run(&both, &Default::default()).validity.is_invalid());
//! ```

use crate::checker::{Checker, Options, Scope};
use crate::evidence::{NEVER, Span, refusal, witness};
use crate::finding::{Validity, Witness};
use crate::history::{Operation, Outcome};
use crate::keys::KeyResult;
use crate::two_states::{Effect, Ending, Event, prove, search, told};
use crate::words::{count, few};

/// A mutex that anybody may release.
pub const MUTEX: Checker = Checker {
    name: "mutex",
    check: "linearizable",
    about: "a linearizable mutex, which anybody may release; O(n log n)",
    functions: &["acquire", "release"],
    scope: Scope::Key(check_key),
};

fn check_key(operations: &[&Operation], options: &Options<'_>) -> KeyResult {
    let mut result = KeyResult::of(operations.len());
    let events = match events(operations) {
        Ok(events) => events,
        Err(reason) => {
            result.validity = Validity::Unknown { reason };
            return result;
        }
    };
    let sure = events.iter().filter(|event| event.span.finish != NEVER).count();
    // One operation has nothing to exclude; a release alone finds that the mutex is free.
    let releases = |event: &Event| event.effect == Effect::Turn(false);
    result.observations = if events.iter().any(releases) { sure } else { sure.saturating_sub(1) };
    let mut steps = options.limits.steps;
    match search(&events, &options.limits, &mut steps) {
        Ok(Ending::Linearized) => {}
        Ok(Ending::Stuck(at)) => {
            result.violations = 1;
            let witness = Box::new(explain(&events, at, operations, options));
            result.validity = Validity::Invalid { witness };
        }
        Err(reason) => result.validity = Validity::Unknown { reason },
    }
    result
}

fn events(operations: &[&Operation]) -> Result<Vec<Event>, String> {
    let mut events = Vec::with_capacity(operations.len());
    for (source, operation) in operations.iter().enumerate() {
        let effect = match operation.f.as_str() {
            "acquire" => Effect::Turn(true),
            "release" => Effect::Turn(false),
            _ => return Err(refusal(operation, "a mutex has acquire and release")),
        };
        let span = Span::of(operation)?;
        if operation.outcome != Outcome::Fail {
            events.push(Event { effect, span, source: source as u32 });
        }
    }
    Ok(events)
}

/// The fewest operations that leave no order, see [`prove`].
fn explain(
    events: &[Event],
    stuck: Event,
    operations: &[&Operation],
    options: &Options<'_>,
) -> Witness {
    let proof = prove(events, stuck);
    let mut shown: Vec<&Operation> =
        proof.needed.iter().map(|event| operations[event.source as usize]).collect();
    shown.sort_by_key(|operation| (operation.invoke, operation.index));
    let all: Vec<String> = shown.iter().map(|operation| told(operation, options.clock)).collect();
    let mut sentence = format!("no order of who held the mutex has {}", few(&all, "and"));
    if proof.others > 0 {
        let others = count(proof.others, "other operation");
        sentence += &format!("; {others} around, effective or not, cannot make up for that");
    }
    if !proof.is_smallest {
        sentence += "; not all of these operations may be needed, they are too many to try each";
    }
    witness(sentence, &shown, &[])
}

//! From an anomaly in a long history to the smallest set of transactions that proves it.
//!
//! To remove a transaction means to strike its writes from what the others read (see
//! [`project`](super::project)); a set is smallest if no model is refuted without any member.

use super::Workload;
use super::analysis::Analysis;
use super::cycle::{ANTI, OVERWRITES};
use super::model::Model;
use super::parse::{INITIAL, NONE, elements};
use super::project::project;
use super::reason::{Reason, reasons};
use super::story;
use super::tally::Proof;
use super::versions::Next;
use crate::checker::Options;
use crate::finding::{Arrow, Witness};
use crate::minimise::minimise;

/// Of more transactions than this not every subset is tried.
const MOST_TO_MINIMISE: usize = 500;

/// The proof that the model was not kept; `None` if nothing shows that.
pub(super) fn witness(
    analysis: &Analysis<'_>,
    model: Model,
    options: &Options<'_>,
) -> Option<Witness> {
    let found = analysis.tally.shortest(model)?;
    let mut candidates = evidence(analysis, found.1);
    candidates.sort_unstable();
    candidates.dedup();
    let workload = analysis.parsed.workload;
    let mut refuted = |kept: &[u32]| {
        let alone = project(analysis, kept);
        Analysis::new(&alone, workload, options)
            .is_ok_and(|analysis| analysis.tally.contradicts(model))
    };
    if candidates.len() > MOST_TO_MINIMISE || !refuted(&candidates) {
        let told = story::tell(analysis, &candidates, model, found, options.clock);
        let mut witness = assemble(analysis, &candidates, found.1, told);
        witness.sentence += "; not all of these transactions may be needed, they are too many to \
                             try each";
        return Some(witness);
    }
    let kept = minimise(&candidates, &mut refuted);
    let alone = project(analysis, &kept);
    let alone = Analysis::new(&alone, workload, options).ok()?;
    let found = alone.tally.shortest(model)?;
    let all: Vec<u32> = (0..alone.parsed.transactions.len() as u32).collect();
    let told = story::tell(&alone, &all, model, found, options.clock);
    let mut witness = assemble(&alone, &all, found.1, told);
    let mut order = kept;
    order.sort_unstable();
    witness.operations = order.iter().map(|number| analysis.operation(*number).clone()).collect();
    Some(witness)
}

fn assemble(
    analysis: &Analysis<'_>,
    transactions: &[u32],
    proof: &Proof,
    sentence: String,
) -> Witness {
    let position = |transaction: u32| transactions.binary_search(&transaction).ok();
    let mut arrows = Vec::new();
    if let Proof::Cycle(links) | Proof::Missed { links, .. } = proof {
        for link in links {
            if let (Some(from), Some(to)) = (position(link.from), position(link.to)) {
                arrows.push(Arrow { from, to, relation: link.relation() });
            }
        }
    }
    let operations = transactions.iter().map(|number| analysis.operation(*number).clone());
    Witness { sentence, operations: operations.collect(), arrows, instead: None }
}

/// The transactions that a proof needs, and some that it may not.
fn evidence(analysis: &Analysis<'_>, proof: &Proof) -> Vec<u32> {
    let Analysis { parsed, versions, .. } = analysis;
    let mut needed = Vec::new();
    match proof {
        Proof::Cycle(links) => {
            for link in links {
                needed.push(link.from);
                let Some(Reason { key, version, .. }) =
                    reasons(parsed, versions, *link).first().copied()
                else {
                    continue;
                };
                match parsed.workload {
                    Workload::ListAppend if link.kind == OVERWRITES => {
                        needed.push(versions.shown_by[key as usize]);
                    }
                    Workload::RwRegister if link.kind == ANTI && version != INITIAL => {
                        needed.push(parsed.writer(version));
                    }
                    _ => {}
                }
            }
        }
        Proof::Garbage { reader, .. } => needed.push(*reader),
        Proof::Duplicate { reader, step, element } => {
            let key = parsed.steps[*step as usize].key;
            let list = elements(analysis.value(*reader, *step));
            needed.push(*reader);
            needed.extend(writer(analysis, key, list, *element as usize));
        }
        Proof::Read { reader, write } => needed.extend([*reader, parsed.writer(*write)]),
        Proof::DirtyUpdate { reader, aborted, kept } => {
            needed.extend([*reader, parsed.writer(*aborted), parsed.writer(*kept)]);
        }
        Proof::Incompatible { one, other } => {
            let [first, second] =
                [one, other].map(|(reader, step)| elements(analysis.value(*reader, *step)));
            let position = first.iter().zip(second).take_while(|(a, b)| a == b).count();
            let key = parsed.steps[one.1 as usize].key;
            needed.extend([one.0, other.0]);
            needed
                .extend([first, second].iter().filter_map(|l| writer(analysis, key, l, position)));
        }
        Proof::Reordered { transaction, step } | Proof::Internal { transaction, step } => {
            needed.push(*transaction);
            let key = parsed.steps[*step as usize].key;
            needed.push(versions.shown_by[key as usize]);
            let steps = parsed.steps_of(*transaction);
            let on_key = || parsed.range(*transaction).zip(steps).filter(|(_, s)| s.key == key);
            for (position, step) in on_key().filter(|(_, step)| !step.is_write) {
                if let Some(write) = parsed.writes.get(step.value as usize) {
                    needed.push(write.transaction);
                }
                if parsed.workload == Workload::ListAppend {
                    let list = elements(analysis.value(*transaction, position as u32));
                    let first = list.len().saturating_sub(on_key().count() + 1);
                    needed
                        .extend((first..list.len()).filter_map(|e| writer(analysis, key, list, e)));
                }
            }
        }
        Proof::Key { key, transactions, .. } => {
            needed.extend(transactions);
            for step in transactions.iter().flat_map(|number| parsed.steps_of(*number)) {
                let version = parsed.writes.get(step.value as usize);
                needed.extend(version.filter(|_| step.key == *key).map(|w| w.transaction));
            }
        }
        Proof::LostUpdate { one, other, version, .. } => {
            needed.extend([*one, *other]);
            needed.extend(parsed.writes.get(*version as usize).map(|write| write.transaction));
        }
        Proof::Missed { reader, missed, links } => {
            needed.push(*reader);
            needed.extend(links.iter().map(|link| link.from));
            between(analysis, *reader, *missed, &mut needed);
        }
        Proof::Fractured { reader, seen, missed } => {
            needed.extend([*reader, parsed.writer(*seen), parsed.writer(*missed)]);
            between(analysis, *reader, *missed, &mut needed);
        }
    }
    needed.retain(|transaction| *transaction != NONE);
    let observers: Vec<u32> = needed.iter().map(|t| versions.seen_by[*t as usize]).collect();
    needed.extend(observers.into_iter().filter(|observer| *observer != NONE));
    needed
}

/// Who wrote an element of a list.
fn writer(
    analysis: &Analysis<'_>,
    key: u32,
    list: &[crate::history::Value],
    position: usize,
) -> Option<u32> {
    let write = analysis.parsed.ids.get(&(key, list.get(position)?))?;
    Some(analysis.parsed.writer(*write))
}

/// What shows that the version that a reader read is older than the one it missed.
fn between(analysis: &Analysis<'_>, reader: u32, missed: u32, needed: &mut Vec<u32>) {
    let Analysis { parsed, versions, .. } = analysis;
    let key = parsed.writes[missed as usize].key;
    if parsed.workload == Workload::ListAppend {
        needed.push(versions.shown_by[key as usize]);
        return;
    }
    for step in parsed.steps_of(reader).iter().filter(|step| step.key == key && !step.is_write) {
        let mut version = step.value;
        while version != INITIAL && version != NONE && versions.is_older(version, missed) {
            needed.push(parsed.writer(version));
            match versions.next[version as usize] {
                Next::Write(next) => version = next,
                _ => break,
            }
        }
    }
}

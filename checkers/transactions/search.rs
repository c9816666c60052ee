//! Which cycles there are, by name.
//!
//! The whole graph is searched for tangles once; if there are none, and that is the rule, that is
//! all. Else each tangle is searched for one cycle: of the first of these forms that it has, and
//! of that form a shortest one.
//!
//! | form | edges |
//! | --- | --- |
//! | G0 | ww |
//! | G1c | ww, wr |
//! | G-single | one rw, ww, wr |
//! | G-nonadjacent | rw, none after another; ww, wr |
//! | G2-item | rw, ww, wr |
//!
//! Each refutes all that those after it do, so the first is enough. Then the same with at least
//! one edge of process order, and then with at least one of real time, unless what that could
//! refute is refuted already.
//!
//! All is linear in the size of the tangle but for the choice of the shortest cycle, and for the
//! questions whether a tangle has a cycle with exactly one rw, and what was [missed](missed): those
//! search from each transaction. They end when they have looked at [`WORK`] edges; what was not
//! found by then counts as unknown.

use super::anomaly::{Anomaly, Order};
use super::components::components;
use super::cycle::{
    ANTI, Allowed, Form, Kinds, Link, OVERWRITES, PROCESS, READS, REAL_TIME, Tangle,
};
use super::graph::Graph;
use super::model::Model;
use super::parse::{NONE, Parsed};
use super::reason::common_key;
use super::tally::{Proof, Tally};
use super::versions::Versions;
use super::{Workload, missed};
use crate::history::Outcome;
use crate::limits::Limits;

/// How many edges the searches for one form in one tangle may look at.
const WORK: u64 = 20_000_000;

const KEYS: Kinds = OVERWRITES | READS | ANTI;

/// The forms of cycles with process order or real time; the last refutes the least.
const TIED: [(Kinds, Allowed); 5] = [
    (OVERWRITES, Allowed::Any),
    (OVERWRITES | READS, Allowed::Any),
    (KEYS, Allowed::One),
    (KEYS, Allowed::Nonadjacent),
    (KEYS, Allowed::Any),
];

/// Finds the cycles of the graph.
pub(super) fn cycles(
    parsed: &Parsed<'_>,
    versions: &Versions,
    graph: &Graph,
    limits: &Limits<'_>,
    tally: &mut Tally,
) {
    let mut local = vec![NONE; graph.groups_end as usize];
    if tangles(graph, KEYS | PROCESS | REAL_TIME).is_empty() {
        return;
    }
    for nodes in tangles(graph, KEYS) {
        let mut tangle = Tangle::new(graph, nodes, &mut local);
        missed::find(parsed, versions, &tangle, tally);
        if let Some(links) = worst(&mut tangle, limits, tally) {
            let anomaly = name(parsed, versions, &links, Order::Keys);
            if anomaly == Anomaly::NonadjacentAntiDependencies(Order::Keys) && is_long_fork(&links)
            {
                tally.add(Anomaly::LongFork, Proof::Cycle(links.clone()));
            }
            tally.has_unsure_overwrites |= links.iter().all(|link| link.kind == OVERWRITES)
                && anomaly == Anomaly::CircularInformation(Order::Keys);
            tally.add(anomaly, Proof::Cycle(links));
        }
    }
    for (order, tie, more, [weaker, stronger]) in [
        (
            Order::Process,
            PROCESS,
            PROCESS,
            [Model::StrongSessionSnapshotIsolation, Model::StrongSessionSerializable],
        ),
        (
            Order::RealTime,
            REAL_TIME,
            PROCESS | REAL_TIME,
            [Model::StrongSnapshotIsolation, Model::StrictSerializable],
        ),
    ] {
        if tally.contradicts(weaker) {
            continue;
        }
        let forms = if tally.contradicts(stronger) { &TIED[..4] } else { &TIED };
        for nodes in tangles(graph, KEYS | more) {
            let mut tangle = Tangle::new(graph, nodes, &mut local);
            if let Some(links) = worst_tied(&mut tangle, forms, tie, more, limits, tally) {
                tally.add(name(parsed, versions, &links, order), Proof::Cycle(links));
            }
        }
    }
}

/// The strongly connected components over edges of these kinds.
fn tangles(graph: &Graph, kinds: Kinds) -> Vec<Vec<u32>> {
    let has_moments = kinds & REAL_TIME != 0;
    let nodes = if has_moments { graph.nodes() } else { graph.groups_end };
    let kinds = kinds | super::cycle::LINK;
    components(nodes, |node, position| {
        let (kind, target) = graph.edge(node, position)?;
        Some((kind & kinds != 0).then_some(target))
    })
}

/// A cycle of the first form that the tangle has, without process order and real time.
fn worst(tangle: &mut Tangle, limits: &Limits<'_>, tally: &mut Tally) -> Option<Vec<Link>> {
    let form = |first, rest, allowed| Form { first, rest, allowed };
    for (first, rest) in [(OVERWRITES, OVERWRITES), (READS, OVERWRITES | READS)] {
        let form = form(first, rest, Allowed::Any);
        let starts = tangle.on_cycles(form);
        if let Some(links) = shortest(tangle, &starts, form, limits, tally) {
            return Some(links);
        }
    }
    let nonadjacent = form(ANTI, KEYS, Allowed::Nonadjacent);
    let starts = tangle.on_cycles(nonadjacent);
    if !starts.is_empty() {
        // A cycle with one anti-dependency is among those where no two are adjacent.
        for form in [form(ANTI, OVERWRITES | READS, Allowed::Any), nonadjacent] {
            if let Some(links) = shortest(tangle, &starts, form, limits, tally) {
                return Some(links);
            }
        }
    }
    let all: Vec<u32> = (0..tangle.transactions).collect();
    shortest(tangle, &all, form(ANTI, KEYS, Allowed::Any), limits, tally)
}

/// A cycle of the first form that the tangle has, with at least one edge of the kind `tie`.
fn worst_tied(
    tangle: &mut Tangle,
    forms: &[(Kinds, Allowed)],
    tie: Kinds,
    more: Kinds,
    limits: &Limits<'_>,
    tally: &mut Tally,
) -> Option<Vec<Link>> {
    let all: Vec<u32> = (0..tangle.transactions).collect();
    forms.iter().find_map(|&(rest, allowed)| {
        let form = Form { first: tie, rest: rest | more, allowed };
        shortest(tangle, &all, form, limits, tally)
    })
}

/// A shortest cycle of the form through any of the transactions, as far as the work allows.
fn shortest(
    tangle: &mut Tangle,
    starts: &[u32],
    form: Form,
    limits: &Limits<'_>,
    tally: &mut Tally,
) -> Option<Vec<Link>> {
    let mut best: Option<Vec<Link>> = None;
    let end = tangle.work.saturating_add(WORK.min(limits.steps));
    for start in starts {
        let limit = best.as_ref().map_or(usize::MAX, Vec::len);
        if limit == 2 {
            break;
        }
        if tangle.work > end || limits.is_over() {
            tally.is_cut |= best.is_none();
            break;
        }
        if let Some(found) = tangle.shortest(*start, form, limit) {
            best = Some(found);
        }
    }
    best
}

/// What a cycle is called.
fn name(parsed: &Parsed<'_>, versions: &Versions, links: &[Link], order: Order) -> Anomaly {
    let is_anti = |link: &Link| link.kind == ANTI;
    let count = links.iter().filter(|link| is_anti(link)).count();
    let next = links.iter().cycle().skip(1);
    let is_adjacent = links.iter().zip(next).any(|(one, other)| is_anti(one) && is_anti(other));
    let has_reads = links.iter().any(|link| link.kind == READS);
    match count {
        0 if has_reads => Anomaly::CircularInformation(order),
        0 if order != Order::Keys => Anomaly::DirtyWrite(order),
        0 if parsed.workload == Workload::RwRegister => match common_key(parsed, versions, links) {
            Some(_) => Anomaly::CyclicVersions,
            None => Anomaly::CircularInformation(order),
        },
        // Whether an unanswered transaction committed is known by its being read, which proves
        // that only where what was not committed is not read.
        0 if links.iter().any(|link| parsed.outcome(link.from) != Outcome::Ok) => {
            Anomaly::CircularInformation(order)
        }
        0 => Anomaly::DirtyWrite(order),
        1 => Anomaly::SingleAntiDependency(order),
        _ if is_adjacent => Anomaly::AntiDependencies(order),
        _ => Anomaly::NonadjacentAntiDependencies(order),
    }
}

/// Whether two readers saw two writers in opposite orders.
fn is_long_fork(links: &[Link]) -> bool {
    let kinds: Vec<Kinds> = links.iter().map(|link| link.kind).collect();
    [[ANTI, READS, ANTI, READS], [READS, ANTI, READS, ANTI]].iter().any(|fork| kinds == fork)
}

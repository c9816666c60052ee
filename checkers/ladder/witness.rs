//! The smallest set of operations that refutes a model, and its story in one sentence.
//!
//! To forget an operation means that nothing remains of it but that a value that someone found
//! was written once, by a session that did nothing else (see [`Frame::restrict`]). A witness is
//! refuted with all others forgotten, and is not with any of its own forgotten.

use super::compact::Compact;
use super::explain::{self, Clause};
use super::frame::{Frame, NONE, Origin};
use super::model::FrameModel;
use super::saturate::Saturated;
use super::views::Cause;
use super::{effects, guarantees, saturate, views};
use crate::clock::Clock;
use crate::finding::{Arrow, Relation, Witness};
use crate::history::Operation;
use crate::limits::Limits;
use crate::minimise::minimise;
use crate::words::{few, place};

/// What each test of a subset may take, and all together.
const STEPS_OF_ONE_TEST: u64 = 1_000_000;
const TRANSACTIONS_OF_ALL_TESTS: usize = 20_000_000;

/// The witness that `evidence` holds.
pub(crate) fn witness(
    compact: &Compact<'_>,
    model: FrameModel,
    evidence: &[u32],
    clock: Clock,
) -> Witness {
    let frame = &compact.frame;
    let limits = Limits { steps: STEPS_OF_ONE_TEST, ..Limits::default() };
    let (mut left, mut all_tested) = (TRANSACTIONS_OF_ALL_TESTS, true);
    let needed = minimise(evidence, &mut |subset| {
        let can_test = left >= subset.len();
        all_tested &= can_test;
        left = left.saturating_sub(subset.len());
        let mut kept = subset.to_vec();
        kept.sort_unstable();
        can_test && model.refutes(&frame.restrict(&kept), &limits)
    });
    let mut needed = if needed.is_empty() { evidence.to_vec() } else { needed };
    needed.sort_unstable();
    let mut sentence = Story { compact, clock, needed: &needed }.tell(model, &limits);
    if !all_tested {
        sentence += "; not all of these operations may be needed, they are too many to try each";
    }
    assemble(compact, &needed, sentence)
}

/// Puts operations into the order of their invocations and draws the arrows.
fn assemble(compact: &Compact<'_>, needed: &[u32], sentence: String) -> Witness {
    let frame = &compact.frame;
    let mut order = needed.to_vec();
    order.sort_by_key(|transaction| {
        let operation = compact.operations[*transaction as usize];
        (operation.invoke, operation.index)
    });
    let position = |transaction: u32| order.iter().position(|other| *other == transaction);
    let mut arrows = Vec::new();
    for pair in needed.windows(2) {
        if frame.session_of(pair[0]) == frame.session_of(pair[1])
            && let (Some(from), Some(to)) = (position(pair[0]), position(pair[1]))
        {
            arrows.push(Arrow { from, to, relation: Relation::ProcessOrder });
        }
    }
    for &reader in needed {
        for version in frame.reads(reader).iter().map(|version| frame.version(*version)) {
            if let (Some(from), Some(to)) = (position(version.writer), position(reader)) {
                arrows.push(Arrow { from, to, relation: Relation::ReadsFrom });
            }
        }
    }
    let operations: Vec<Operation> =
        order.iter().map(|transaction| compact.operations[*transaction as usize].clone()).collect();
    Witness { sentence, operations, arrows, instead: None }
}

struct Story<'w, 'h> {
    compact: &'w Compact<'h>,
    clock: Clock,
    needed: &'w [u32],
}

impl Story<'_, '_> {
    fn tell(&self, model: FrameModel, limits: &Limits<'_>) -> String {
        let part = self.compact.frame.restrict(self.needed);
        let because = self.because(&part, model, limits);
        format!("{}: {because}", self.what_happened())
    }

    /// Session by session: `process 0 at n1 wrote x=1 (0.000 s), then wrote y=2 (0.020 s)`.
    fn what_happened(&self) -> String {
        let frame = &self.compact.frame;
        let same_session = |a: &u32, b: &u32| frame.session_of(*a) == frame.session_of(*b);
        let mut sessions: Vec<&[u32]> = self.needed.chunk_by(same_session).collect();
        sessions.sort_by_key(|session| self.operation(session[0]).invoke);
        let told: Vec<String> = sessions
            .iter()
            .map(|session| {
                let steps: Vec<String> = session.iter().map(|step| self.step(*step)).collect();
                let first = self.operation(session[0]);
                let steps = steps.join(", then ");
                format!("process {}{} {steps}", first.process, place(first))
            })
            .collect();
        match told.len() {
            0..=10 => told.join("; "),
            _ => few(&told, "and"),
        }
    }

    fn operation(&self, transaction: u32) -> &Operation {
        self.compact.operations[transaction as usize]
    }

    fn step(&self, transaction: u32) -> String {
        let operation = self.operation(transaction);
        let mut did = Vec::new();
        // It was taken in before, so it has no error now.
        let _ = effects::effects(operation, |effect| {
            did.push(match effect {
                effects::Effect::Read(key, value) => format!("read {key}{value}"),
                effects::Effect::Write(key, value) => format!("wrote {key}{value}"),
            });
        });
        let at = self.clock.instant(operation.invoke);
        format!("{} ({at})", few(&did, "and"))
    }

    /// `x=1` of a version of a part.
    fn value(&self, part: &Frame, version: u32) -> String {
        let (key, value) = self.compact.values[part.version(version).name as usize];
        format!("{key}{value}")
    }

    fn process(&self, part: &Frame, session: u32) -> String {
        match part.name(part.session(session).start) {
            NONE => "a process".to_owned(),
            transaction => format!("process {}", self.operation(transaction).process),
        }
    }

    fn because(&self, part: &Frame, model: FrameModel, limits: &Limits<'_>) -> String {
        if let FrameModel::Guarantee(guarantee) = model {
            let kept = guarantees::check(part, guarantee, limits);
            let session = match kept.answer {
                super::answer::Answer::Refuted(refuted) => refuted.session,
                _ => None,
            };
            let who = session.map_or("a process".to_owned(), |s| self.process(part, s));
            return guarantee.broken_by(&who);
        }
        if let Some(reason) = self.inexplicable(part) {
            return reason;
        }
        let (saturated, session) = decide(part, model, limits);
        let (clauses, is_circle) = match &saturated {
            Saturated::Contradiction(contradiction) => explain::clauses(contradiction),
            _ => (Vec::new(), false),
        };
        let mut said: Vec<String> =
            clauses.iter().map(|clause| self.clause(part, clause)).collect();
        said.dedup();
        if is_circle && said.is_empty() {
            return "something was read that came after it".to_owned();
        }
        let who = session.map(|session| self.process(part, session));
        let conclusion = conclusion(model, who);
        match said.is_empty() {
            true => conclusion,
            false => format!("{}, and {conclusion}", few(&said, "and")),
        }
    }

    fn clause(&self, part: &Frame, clause: &Clause) -> String {
        let version_of = |writer: u32, key: u32| {
            let mut writes = part.writes(writer).iter().copied();
            writes.find(|version| part.version(*version).key == key)
        };
        match *clause {
            Clause::Overwritten { writer, reader, found } => {
                let read = part.reads(reader).iter().copied().find(|version| {
                    let known = part.version(*version);
                    known.writer == found && version_of(writer, known.key).is_some()
                });
                let who = self.process(part, part.session_of(reader));
                let Some(read) = read else { return format!("{who} read an old value") };
                let newer = version_of(writer, part.version(read).key);
                let newer = newer.map(|version| self.value(part, version)).unwrap_or_default();
                format!("{who} read {} although {newer} had come before", self.value(part, read))
            }
            Clause::ReadBefore { reader, overwriter } => {
                let read = part.reads(reader).iter().copied();
                let mut old =
                    read.filter(|v| version_of(overwriter, part.version(*v).key).is_some());
                let who = self.process(part, part.session_of(reader));
                let Some(read) = old.next() else { return format!("{who} read an old value") };
                let newer = version_of(overwriter, part.version(read).key);
                let newer = newer.map(|version| self.value(part, version)).unwrap_or_default();
                format!("{who} read {} before {newer} was written", self.value(part, read))
            }
        }
    }

    fn inexplicable(&self, part: &Frame) -> Option<String> {
        for reader in part.all() {
            let who = self.process(part, part.session_of(reader));
            for &version in part.reads(reader) {
                let value = self.value(part, version);
                match part.version(version).origin {
                    Origin::Nobody => {
                        return Some(format!("{who} read {value}, which nobody wrote"));
                    }
                    Origin::Intermediate => {
                        return Some(format!(
                            "{who} read {value}, which its writer overwrote in the same transaction"
                        ));
                    }
                    Origin::Initial | Origin::Written => {}
                }
            }
            if part.contradictory.contains(&reader) {
                return Some(format!("{who} did not find what its own transaction had written"));
            }
        }
        None
    }
}

/// The contradiction of a part, and whose view it is about.
fn decide<'p>(
    part: &'p Frame,
    model: FrameModel,
    limits: &Limits<'_>,
) -> (Saturated<'p>, Option<u32>) {
    let tables = saturate::Tables::new(part);
    match model {
        FrameModel::View(cause) => views::first_refuted(&tables, cause, limits),
        FrameModel::Sequential => (tables.saturate(super::sequential::RULES, limits), None),
        _ => (tables.saturate(super::causal_convergence::RULES, limits), None),
    }
}

fn conclusion(model: FrameModel, who: Option<String>) -> String {
    let who = who.unwrap_or("a process".to_owned());
    match model {
        FrameModel::Sequential => "no order of all operations explains what was read".to_owned(),
        FrameModel::View(Cause::Anyone) => {
            format!("no order that keeps causes before effects explains what {who} read")
        }
        FrameModel::View(Cause::Itself) => {
            format!(
                "no order that keeps what each process did in its order explains what {who} read"
            )
        }
        FrameModel::Causal => "the causes of that read do not explain it".to_owned(),
        _ => "no one order of the writes explains what was read".to_owned(),
    }
}

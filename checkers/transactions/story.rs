//! Anomalies in words that a person can check by hand.

use super::Workload;
use super::analysis::Analysis;
use super::anomaly::Anomaly;
use super::cycle::{ANTI, Link, OVERWRITES, PROCESS, READS};
use super::model::Model;
use super::parse::{INITIAL, NONE, elements};
use super::reason::{Reason, reasons};
use super::tally::Proof;
use crate::clock::Clock;
use crate::words::{few, place};

/// Links of a cycle that are told one by one.
const MOST_LINKS: usize = 12;

/// One sentence: which model was not kept, and why. The transactions are `T1`, `T2`, ... in the
/// order given, and each is introduced where it is first named.
pub(super) fn tell(
    analysis: &Analysis<'_>,
    transactions: &[u32],
    model: Model,
    (anomaly, proof): (Anomaly, &Proof),
    clock: Clock,
) -> String {
    let introduced = vec![false; transactions.len()];
    let mut teller = Teller { analysis, clock, transactions, introduced };
    let told = teller.proof(anomaly, proof);
    let mut others: Vec<String> = Vec::new();
    for (position, transaction) in transactions.iter().enumerate() {
        if !teller.introduced[position] {
            others.push(teller.name(*transaction));
        }
    }
    let others = match others.as_slice() {
        [] => String::new(),
        others => format!("; the rest of what was read here is by {}", few(others, "and")),
    };
    format!("not {model} ({anomaly}): {told}{others}")
}

struct Teller<'a, 'h> {
    analysis: &'a Analysis<'h>,
    clock: Clock,
    /// Those of the witness, in its order.
    transactions: &'a [u32],
    introduced: Vec<bool>,
}

impl Teller<'_, '_> {
    /// `T1`, and when it is first named who did it and when.
    fn name(&mut self, transaction: u32) -> String {
        // One that is no part of the witness is of no interest beyond what it read.
        let Ok(position) = self.transactions.binary_search(&transaction) else {
            return "another transaction".to_owned();
        };
        if std::mem::replace(&mut self.introduced[position], true) {
            return format!("T{}", position + 1);
        }
        let operation = self.analysis.operation(transaction);
        let start = self.clock.instant(operation.invoke);
        let place = place(operation);
        let time = match operation.complete {
            Some(end) => format!("{start} to {}", self.clock.instant(end)),
            None => format!("from {start} on, never answered"),
        };
        format!("T{} (process {}{place}, {time})", position + 1, operation.process)
    }

    /// `appended 3 to x`, `wrote 3 to x`.
    fn write(&self, write: u32) -> String {
        let (key, value) = (self.key_of(write), self.analysis.written(write));
        match self.analysis.parsed.workload {
            Workload::ListAppend => format!("appended {value} to {key}"),
            Workload::RwRegister => format!("wrote {value} to {key}"),
        }
    }

    fn key_of(&self, write: u32) -> String {
        self.analysis.key(self.analysis.parsed.writes[write as usize].key).to_string()
    }

    fn proof(&mut self, anomaly: Anomaly, proof: &Proof) -> String {
        let Analysis { parsed, .. } = self.analysis;
        match *proof {
            Proof::Cycle(ref links) => self.cycle(links),
            Proof::Garbage { reader, step, element } => {
                let value = self.analysis.value(reader, step);
                let value = match parsed.workload {
                    Workload::ListAppend => &elements(value)[element as usize],
                    Workload::RwRegister => value,
                };
                let key = self.analysis.key(parsed.steps[step as usize].key);
                format!("{} read {value} in {key}, which no transaction wrote", self.name(reader))
            }
            Proof::Duplicate { reader, step, element } => {
                let list = self.analysis.value(reader, step);
                let key = self.analysis.key(parsed.steps[step as usize].key);
                let value = &elements(list)[element as usize];
                format!(
                    "{} read {key} as {list}, with {value} twice, which was appended once",
                    self.name(reader)
                )
            }
            Proof::Read { reader, write } => self.read(anomaly, reader, write),
            Proof::DirtyUpdate { reader, aborted, kept } => {
                let [aborted_by, kept_by] = [aborted, kept].map(|write| parsed.writer(write));
                format!(
                    "{} {} and failed, but {} {} on top of it{}",
                    self.name(aborted_by),
                    self.write(aborted),
                    self.name(kept_by),
                    self.write(kept),
                    match reader == kept_by {
                        true => String::new(),
                        false => format!(", as {} read", self.name(reader)),
                    }
                )
            }
            Proof::Incompatible { one, other } => {
                let key = self.analysis.key(parsed.steps[one.1 as usize].key);
                let [first, second] = [one, other].map(|(r, step)| self.analysis.value(r, step));
                let (one, other) = (self.name(one.0), self.name(other.0));
                format!(
                    "{one} read {key} as {first} and {other} read it as {second} (other \
                     elements left out), and neither is the beginning of the other"
                )
            }
            Proof::Reordered { transaction, step } => {
                let key = parsed.steps[step as usize].key;
                let reader = self.analysis.versions.shown_by[key as usize];
                format!(
                    "{} {} last, but {} read {} without what it had appended before, or with that \
                     behind it",
                    self.name(transaction),
                    self.write(parsed.steps[step as usize].value),
                    self.name(reader),
                    self.analysis.key(key)
                )
            }
            Proof::Internal { transaction, step } => self.internal(transaction, step),
            Proof::Missed { reader, missed, ref links } => {
                let told: Vec<String> = links.iter().map(|link| self.link(*link)).collect();
                let [writer, reader] = [parsed.writer(missed), reader].map(|t| self.name(t));
                format!(
                    "{}; so {reader} knew of {writer}, but read {} without what {writer} {}",
                    told.join("; "),
                    self.key_of(missed),
                    self.write(missed)
                )
            }
            Proof::Key { key, ref transactions, ref sentence } => {
                let names: Vec<String> = transactions.iter().map(|t| self.name(*t)).collect();
                let key = self.analysis.key(key);
                format!("of {key} alone, {} contradict real time: {sentence}", few(&names, "and"))
            }
            Proof::LostUpdate { one, other, key, version } => {
                let key = self.analysis.key(key);
                let found = self.version(version);
                let (one, other) = (self.name(one), self.name(other));
                format!(
                    "{one} and {other} both read {key} {found} and then wrote it, so whichever \
                     came second had not seen the first"
                )
            }
            Proof::Fractured { reader, seen, missed } => {
                let writer = self.name(parsed.writer(seen));
                let reader = self.name(reader);
                let order = match anomaly {
                    Anomaly::ObservedTransactionVanishes => "and afterwards read",
                    _ => "but had read",
                };
                format!(
                    "{writer} {} and {}; {reader} saw the former {order} {} without the latter",
                    self.write(seen),
                    self.write(missed),
                    self.key_of(missed)
                )
            }
        }
    }

    fn internal(&mut self, transaction: u32, step: u32) -> String {
        let Analysis { parsed, .. } = self.analysis;
        let start = parsed.range(transaction).start as u32;
        let key = parsed.steps[step as usize].key;
        let told: Vec<String> = (start..=step)
            .map(|position| (position, parsed.steps[position as usize]))
            .filter(|(_, step)| step.key == key)
            .map(|(position, step)| {
                let value = self.analysis.value(transaction, position);
                match (step.is_write, parsed.workload) {
                    (false, _) => format!("read {value}"),
                    (true, Workload::ListAppend) => format!("appended {value}"),
                    (true, Workload::RwRegister) => format!("wrote {value}"),
                }
            })
            .collect();
        let (name, key) = (self.name(transaction), self.analysis.key(key));
        match told.as_slice() {
            [only] => format!("of {key} {name} {only}, which it wrote itself only after that"),
            _ => format!(
                "of {key} {name} first {}, which contradict each other{}",
                told.join(", then "),
                match parsed.workload {
                    Workload::ListAppend => " (what does not matter is left out of the lists)",
                    Workload::RwRegister => "",
                }
            ),
        }
    }

    fn read(&mut self, anomaly: Anomaly, reader: u32, write: u32) -> String {
        let writer = self.analysis.parsed.writer(write);
        let (writer, reader) = (self.name(writer), self.name(reader));
        match anomaly {
            Anomaly::AbortedRead => {
                format!("{writer} {} and failed, but {reader} read that", self.write(write))
            }
            _ => format!(
                "{writer} {} and then wrote {} again, but {reader} read what was there in between",
                self.write(write),
                self.key_of(write)
            ),
        }
    }

    /// How a version looks: `up to 5`, `as 5`, `when it was empty`.
    fn version(&self, version: u32) -> String {
        match (self.analysis.parsed.workload, version) {
            (Workload::ListAppend, INITIAL) => "when it was empty".to_owned(),
            (Workload::ListAppend, write) => format!("up to {}", self.analysis.written(write)),
            (Workload::RwRegister, INITIAL) => "with its initial value".to_owned(),
            (Workload::RwRegister, write) => format!("as {}", self.analysis.written(write)),
        }
    }

    fn cycle(&mut self, links: &[Link]) -> String {
        let mut told: Vec<String> =
            links.iter().take(MOST_LINKS).map(|link| self.link(*link)).collect();
        if links.len() > MOST_LINKS {
            told.push(format!("and so on over {} more transactions", links.len() - MOST_LINKS));
        }
        format!("{}: a cycle", told.join("; "))
    }

    fn link(&mut self, link: Link) -> String {
        let Analysis { parsed, versions, .. } = self.analysis;
        let reason = reasons(parsed, versions, link).first().copied();
        let (from, to) = (self.name(link.from), self.name(link.to));
        let Some(Reason { key, version, next }) = reason else {
            return self.in_time(link, &from, &to);
        };
        let name = self.analysis.key(key).to_string();
        let short = |name: &str| name.split(' ').next().unwrap_or_default().to_owned();
        let is_list = parsed.workload == Workload::ListAppend;
        let value = self.analysis.written(next);
        let told = match link.kind {
            READS => format!("{from} {} and {to} read it", self.write(version)),
            OVERWRITES if is_list => {
                let reader = versions.shown_by[key as usize];
                let shown = match reader {
                    NONE => String::new(),
                    reader => format!(" (as {} read it)", self.name(reader)),
                };
                format!("{from} {} before {to} appended {value}{shown}", self.write(version))
            }
            OVERWRITES => {
                format!("{from} {} and {to} read it and then wrote {value}", self.write(version))
            }
            ANTI if is_list => format!("{from} read {name} without {value}, which {to} appended"),
            _ if version == INITIAL => {
                format!("{from} read {name} with its initial value and {to} wrote {value} to it")
            }
            _ => {
                let version = self.analysis.written(version);
                format!(
                    "{from} read {name} as {version}, which {to} read and then replaced by {value}"
                )
            }
        };
        format!("{told}, so {} came before {}", short(&from), short(&to))
    }

    fn in_time(&mut self, link: Link, from: &str, to: &str) -> String {
        let [one, other] = [link.from, link.to].map(|number| self.analysis.operation(number));
        if link.kind == PROCESS {
            return format!("process {} did {from} before {to}", one.process);
        }
        let end = one.complete.unwrap_or(one.invoke);
        let gap = self.clock.gap(other.invoke.since(end));
        format!("{from} ended {gap} before {to} began")
    }
}

//! The workload file: from the tree of its YAML to a [`Workload`] and the place of every part.
//!
//! Here is checked what a value looks like; whether the values make sense together and with the
//! target is for the rules in [`fit`](super::fit).

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::time::Duration;

use splitbrain_checkers::history::Function;

use super::document::{Entry, Kind, Node};
use super::fields::{Fields, Reader, Schema};
use super::fit::{Subject, Unclear};
use super::model::{Check, DataType, Phase, Workload};
use super::names::instead_of;
use super::phases;

/// How long a client waits for an answer if the workload does not say.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(1);

const WORKLOAD: Schema = Schema {
    what: "a workload",
    fields: &[
        ("type", "register"),
        ("operations", "{ read: 5, write: 3, cas: 2 }"),
        ("keys", "10"),
        ("writes-per-key", "50"),
        ("clients", "5"),
        ("rate", "50/s"),
        ("timeout", "1s"),
        ("phases", "[{ healthy: 3s }, { partition: ring, for: 8s }, { settle: 10s }]"),
        ("check", "[linearizable, convergent, available]"),
    ],
};

const DATA_TYPES: [(&str, DataType); 1] = [("register", DataType::Register)];

impl DataType {
    /// The operations of the type.
    pub fn operations(self) -> &'static [Function] {
        match self {
            DataType::Register => &[Function::Read, Function::Write, Function::Cas],
        }
    }
}

/// A workload as far as it could be read. It is complete if its reader has no mistakes.
pub struct Draft {
    pub workload: Workload,
    /// Where each part was written.
    pub places: BTreeMap<Subject, Range<usize>>,
    /// Parts that could not be read; rules that need them have to wait.
    pub unclear: Unclear,
}

impl Draft {
    fn new(name: &str) -> Draft {
        Draft {
            workload: Workload {
                name: name.to_string(),
                data_type: DataType::Register,
                operations: BTreeMap::new(),
                keys: 1,
                writes_per_key: None,
                clients: 1,
                rate: None,
                timeout: DEFAULT_TIMEOUT,
                phases: Vec::new(),
                checks: Vec::new(),
            },
            places: BTreeMap::new(),
            unclear: Unclear { operations: true, phases: true, checks: true },
        }
    }

    pub fn put(&mut self, subject: Subject, bytes: &Range<usize>) {
        self.places.insert(subject, bytes.clone());
    }
}

/// Reads a workload; mistakes are with the reader.
pub fn read(reader: &Reader, root: &Node, name: &str) -> Draft {
    let mut draft = Draft::new(name);
    let head = root.bytes.start..root.bytes.start;
    let Some(fields) = reader.fields(root, &head, &WORKLOAD) else {
        return draft;
    };
    if let Some(entry) = fields.require("type")
        && let Some(data_type) = reader.word(&entry.value, "type", &DATA_TYPES)
    {
        draft.workload.data_type = data_type;
    }
    if let Some(entry) = fields.require("operations") {
        operations(reader, entry, &mut draft);
    }
    numbers(reader, &fields, &mut draft);
    if let Some(entry) = fields.require("phases") {
        phases::read(reader, entry, &mut draft);
    }
    if let Some(entry) = fields.require("check") {
        checks(reader, entry, &mut draft);
    }
    draft
}

fn operations(reader: &Reader, entry: &Entry, draft: &mut Draft) {
    draft.put(Subject::Operations, &entry.key_bytes);
    let known: Vec<&str> =
        draft.workload.data_type.operations().iter().map(Function::as_str).collect();
    let Some(entries) = reader.entries(&entry.value, "operations", &known) else {
        return;
    };
    let mut complete = true;
    for operation in entries {
        if !known.contains(&operation.key.as_str()) {
            reader.refuse(
                &operation.key_bytes,
                format!("unknown operation `{}` of a register", operation.key),
                instead_of(&operation.key, known.iter().copied()),
            );
            complete = false;
            continue;
        }
        let what = format!("the weight of {}", operation.key);
        let Some(weight) = reader.count(&operation.value, &what, 1_000_000, "3") else {
            complete = false;
            continue;
        };
        let function = Function::from_name(&operation.key);
        draft.put(Subject::Operation(function.clone()), &operation.key_bytes);
        draft.workload.operations.insert(function, weight as u32);
    }
    draft.unclear.operations = !complete;
}

/// Keys, clients, rate and timeout.
fn numbers(reader: &Reader, fields: &Fields, draft: &mut Draft) {
    if let Some(entry) = fields.require("keys") {
        draft.put(Subject::Keys, &entry.value.bytes);
        if let Some(keys) = reader.count(&entry.value, "the number of keys", 1_000_000, "10") {
            draft.workload.keys = keys as usize;
        }
    }
    if let Some(entry) = fields.get("writes-per-key") {
        draft.put(Subject::WritesPerKey, &entry.value.bytes);
        let count = reader.count(&entry.value, "writes-per-key", 1_000_000_000, "50");
        draft.workload.writes_per_key = count.map(|count| count as u32);
    }
    if let Some(entry) = fields.require("clients") {
        draft.put(Subject::Clients, &entry.value.bytes);
        if let Some(clients) = reader.count(&entry.value, "the number of clients", 10_000, "5") {
            draft.workload.clients = clients as usize;
        }
    }
    if let Some(entry) = fields.get("rate") {
        draft.put(Subject::Rate, &entry.value.bytes);
        draft.workload.rate = rate(reader, &entry.value);
    }
    if let Some(entry) = fields.get("timeout") {
        draft.put(Subject::Timeout, &entry.value.bytes);
        if let Some(timeout) = reader.duration(&entry.value, "timeout", "1s") {
            draft.workload.timeout = timeout;
        }
    }
}

/// Operations per second: `50/s`, `0.5/s`.
fn rate(reader: &Reader, node: &Node) -> Option<f64> {
    let written = reader.text(node, "rate", "50/s")?;
    let (number, unit) = match written.split_once('/') {
        Some((number, unit)) => (number.trim(), unit.trim()),
        None => (written.trim(), ""),
    };
    let refused = match number.parse::<f64>() {
        Ok(_) if unit.is_empty() => Some((format!("rate `{written}` has no unit"), number)),
        Ok(rate) if rate < 0.0 => Some((format!("rate `{written}` is negative"), &number[1..])),
        Ok(rate) if unit == "s" && rate <= 1e6 => return Some(rate),
        Ok(_) if unit == "s" => Some((format!("rate `{written}` is too large"), "1000")),
        _ => None,
    };
    let (message, number) =
        refused.unwrap_or_else(|| (format!("rate `{written}` is no rate"), "50"));
    let accepted = format!("`{number}/s`; leave `rate` out for as fast as it goes");
    reader.refuse(&node.bytes, message, accepted);
    None
}

fn checks(reader: &Reader, entry: &Entry, draft: &mut Draft) {
    draft.put(Subject::Checks, &entry.key_bytes);
    let Some(items) = reader.list(&entry.value, "check", "[linearizable, convergent, available]")
    else {
        return;
    };
    let mut seen = BTreeSet::new();
    let mut complete = true;
    for item in items {
        match reader.word(item, "check", &Check::ALL) {
            Some(check) if seen.insert(check) => {
                draft.put(Subject::Check(check), &item.bytes);
                draft.workload.checks.push(check);
            }
            Some(check) => reader.refuse(
                &item.bytes,
                format!("the check `{}` is written twice", check.as_str()),
                "each check once",
            ),
            None => complete = false,
        }
    }
    draft.unclear.checks = !complete;
}

/// Stretches or shrinks all phases but the settling, by the same factor and to the millisecond,
/// so that they take `total` together.
pub fn stretch(phases: &mut [Phase], total: Duration) {
    let written = running_time(phases);
    let mut rest = total;
    let running: Vec<&mut Duration> = phases.iter_mut().filter_map(running_length).collect();
    let last = running.len().saturating_sub(1);
    for (position, length) in running.into_iter().enumerate() {
        let share = length.as_secs_f64() / written.as_secs_f64() * total.as_secs_f64();
        let scaled = Duration::from_millis((share * 1e3).round() as u64).min(rest);
        *length = if position == last { rest } else { scaled };
        rest -= *length;
    }
}

/// How long clients run: all phases but the settling.
pub fn running_time(phases: &[Phase]) -> Duration {
    phases.iter().filter(|phase| !phase.is_settle()).map(Phase::length).sum()
}

fn running_length(phase: &mut Phase) -> Option<&mut Duration> {
    match phase {
        Phase::Healthy { length } | Phase::Faults { length, .. } => Some(length),
        Phase::Settle { .. } => None,
    }
}

/// Whether a node of the tree is the bare word.
pub fn is_word(node: &Node, word: &str) -> bool {
    matches!(&node.kind, Kind::Text(text) if text == word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_phases_but_the_settling_are_stretched_by_the_same_factor() {
        let seconds = Duration::from_secs;
        let mut phases = vec![
            Phase::Healthy { length: seconds(3) },
            Phase::Faults { partitions: Vec::new(), length: seconds(10) },
            Phase::Healthy { length: seconds(4) },
            Phase::Settle { limit: seconds(15) },
        ];
        stretch(&mut phases, seconds(34));
        let lengths: Vec<Duration> = phases.iter().map(Phase::length).collect();
        assert_eq!(lengths, [seconds(6), seconds(20), seconds(8), seconds(15)]);

        stretch(&mut phases, seconds(10));
        assert_eq!(running_time(&phases), seconds(10));
        assert_eq!(phases[0].length(), Duration::from_millis(1765));

        // 3.333 s each would be a millisecond short.
        let mut thirds = vec![Phase::Healthy { length: seconds(1) }; 3];
        stretch(&mut thirds, seconds(10));
        assert_eq!(thirds[2].length(), Duration::from_millis(3334));
        assert_eq!(running_time(&thirds), seconds(10));
    }
}

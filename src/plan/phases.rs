//! The phases of a workload file: `healthy`, `partition`, `faults`, `settle`.

use std::ops::Range;
use std::time::Duration;

use splitbrain_checkers::history::Name;

use super::document::{Entry, Kind, Node};
use super::fields::{Fields, Reader, Schema};
use super::fit::Subject;
use super::model::{Partition, Phase};
use super::workload::{Draft, is_word};

const PHASE: Schema = Schema {
    what: "a phase",
    fields: &[
        ("healthy", "3s"),
        ("partition", "{ isolate: one }"),
        ("faults", "[{ partition: { isolate: n1 } }, { partition: ring }]"),
        ("for", "8s"),
        ("settle", "10s"),
    ],
};

/// Fields that say what kind of phase it is: exactly one of them in each phase.
const KINDS: [&str; 4] = ["healthy", "partition", "faults", "settle"];

const FAULT: Schema = Schema { what: "a fault", fields: &[("partition", "{ isolate: one }")] };

const PARTITION: Schema = Schema {
    what: "a partition",
    fields: &[
        ("isolate", "one"),
        ("halves", "random"),
        ("groups", "[[n1], [n2, n3]]"),
        ("bridge", "n3"),
        ("ring", ""),
        ("one-way", "{ from: [n1], to: [n2] }"),
    ],
};

const PARTITIONS: &str = "{ isolate: one|primary|NODE }, { halves: random }, \
                          { groups: [[n1], [n2, n3]] }, { bridge: NODE }, ring, \
                          { one-way: { from: [n1], to: [n2] } }";

const ONE_WAY: Schema =
    Schema { what: "a one-way partition", fields: &[("from", "[n1]"), ("to", "[n2]")] };

/// A partition with the place of every node that it names.
type Shape = (Partition, Vec<Range<usize>>);

/// A partition with its own place too.
struct Placed {
    shape: Shape,
    /// The key `partition`.
    bytes: Range<usize>,
}

/// Reads the phases into the draft.
pub fn read(reader: &Reader, entry: &Entry, draft: &mut Draft) {
    draft.put(Subject::Phases, &entry.key_bytes);
    let Some(items) = reader.list(&entry.value, "phases", "[{ healthy: 3s }, { settle: 10s }]")
    else {
        return;
    };
    let mut complete = true;
    for item in items {
        complete &= phase(reader, item, draft).is_some();
    }
    draft.unclear.phases = !complete;
}

/// Reads one phase; `None` after a mistake.
fn phase(reader: &Reader, item: &Node, draft: &mut Draft) -> Option<()> {
    if let Kind::Text(word) = &item.kind
        && KINDS.contains(&word.as_str())
    {
        let example = PHASE.fields.iter().find(|(name, _)| name == word).map_or("", |f| f.1);
        let message = format!("the phase `{word}` says nothing more");
        reader.refuse(&item.bytes, message, format!("`{word}: {example}`"));
        return None;
    }
    let fields = reader.fields(item, &item.bytes, &PHASE)?;
    let kind = kind(reader, item, &fields)?;
    let number = draft.workload.phases.len();
    let (phase, partitions) = match kind.key.as_str() {
        "healthy" => (Phase::Healthy { length: own_length(reader, &fields, kind)? }, Vec::new()),
        "settle" => (Phase::Settle { limit: own_length(reader, &fields, kind)? }, Vec::new()),
        _ => faults(reader, &fields, kind)?,
    };
    draft.put(Subject::Phase(number), &kind.key_bytes);
    for (position, partition) in partitions.iter().enumerate() {
        draft.put(Subject::Partition(number, position), &partition.bytes);
        for (name, place) in partition.shape.1.iter().enumerate() {
            draft.put(Subject::Node(number, position, name), place);
        }
    }
    draft.workload.phases.push(phase);
    Some(())
}

/// The one field that says what kind of phase it is.
fn kind<'a>(reader: &Reader, item: &Node, fields: &Fields<'a>) -> Option<&'a Entry> {
    let kinds: Vec<&Entry> =
        fields.all().iter().filter(|entry| KINDS.contains(&entry.key.as_str())).collect();
    match kinds[..] {
        [kind] => Some(kind),
        [first, second, ..] => {
            // A key that is written twice has been refused as that.
            if first.key != second.key {
                reader.refuse(
                    &second.key_bytes,
                    format!("`{}` and `{}` in one phase", first.key, second.key),
                    format!("one of them; a phase of its own begins with `- {}:`", second.key),
                );
            }
            None
        }
        [] => {
            // An unknown field has been refused as that.
            if fields.all().iter().all(|entry| entry.key == "for") {
                let message = "a phase that does not say what happens in it";
                reader.refuse(&item.bytes, message, format!("one of: {}", KINDS.join(", ")));
            }
            None
        }
    }
}

/// The length of a phase that carries it itself: `healthy: 3s`.
fn own_length(reader: &Reader, fields: &Fields, kind: &Entry) -> Option<Duration> {
    let name = &kind.key;
    if let Some(entry) = fields.get("for") {
        reader.refuse(
            &entry.key_bytes,
            format!("`for` beside `{name}`"),
            format!("the length at `{name}` itself: `{name}: {}`", fields.example(name)),
        );
        return None;
    }
    reader.duration(&kind.value, name, fields.example(name))
}

/// A phase of one partition or of several faults at once.
fn faults(reader: &Reader, fields: &Fields, kind: &Entry) -> Option<(Phase, Vec<Placed>)> {
    let length = match fields.get("for") {
        Some(entry) => reader.duration(&entry.value, "for", "8s"),
        None => {
            let message = format!("`for` is missing beside `{}`", kind.key);
            reader.refuse(&kind.key_bytes, message, "how long the fault lasts: `for: 8s`");
            None
        }
    };
    let read: Vec<Option<Placed>> = if kind.key == "partition" {
        vec![partition(reader, kind)]
    } else {
        let items = reader.list(&kind.value, "faults", fields.example("faults"))?;
        items.iter().map(|item| fault(reader, item)).collect()
    };
    let placed: Vec<Placed> = read.into_iter().collect::<Option<_>>()?;
    let partitions = placed.iter().map(|placed| placed.shape.0.clone()).collect();
    Some((Phase::Faults { partitions, length: length? }, placed))
}

/// One item of `faults:`.
fn fault(reader: &Reader, item: &Node) -> Option<Placed> {
    partition(reader, reader.fields(item, &item.bytes, &FAULT)?.require("partition")?)
}

/// What is after `partition:`.
fn partition(reader: &Reader, entry: &Entry) -> Option<Placed> {
    let node = &entry.value;
    let placed = |shape| Placed { shape, bytes: entry.key_bytes.clone() };
    if is_word(node, "ring") {
        return Some(placed((Partition::Ring, Vec::new())));
    }
    let Kind::Map(entries) = &node.kind else {
        let message = match &node.kind {
            Kind::Text(word) => format!("unknown partition `{word}`"),
            _ => format!("a partition is {}", node.describe()),
        };
        reader.refuse(&node.bytes, message, PARTITIONS);
        return None;
    };
    if let Some(entry) = entries.iter().find(|entry| entry.key == "ring") {
        reader.refuse(&entry.key_bytes, "`ring` takes no value", "`partition: ring`");
        return None;
    }
    reader.fields(node, &entry.key_bytes, &PARTITION)?;
    match &entries[..] {
        [one] => shape(reader, one).map(placed),
        [] => {
            reader.refuse(&node.bytes, "an empty partition", PARTITIONS);
            None
        }
        [_, second, ..] => {
            reader.refuse(
                &second.key_bytes,
                "two partitions in one",
                "one of them; several at once are `faults: [{ partition: ... }, ...]`",
            );
            None
        }
    }
}

/// The only entry of a partition.
fn shape(reader: &Reader, entry: &Entry) -> Option<Shape> {
    let node = &entry.value;
    let one = |name: Name| (name, vec![node.bytes.clone()]);
    match entry.key.as_str() {
        "isolate" if is_word(node, "one") => Some((Partition::IsolateOne, Vec::new())),
        "isolate" if is_word(node, "primary") => Some((Partition::IsolatePrimary, Vec::new())),
        "isolate" => {
            let (name, places) = one(reader.text(node, "isolate", "one")?.into());
            Some((Partition::IsolateNode(name), places))
        }
        "halves" => {
            reader.word(node, "way to choose halves", &[("random", ())])?;
            Some((Partition::HalvesRandom, Vec::new()))
        }
        "groups" => {
            let (groups, places): (Vec<_>, Vec<_>) = reader
                .list(node, "groups", "[[n1], [n2, n3]]")?
                .iter()
                .map(|group| names(reader, group, "a group", "[n2, n3]"))
                .collect::<Option<Vec<_>>>()?
                .into_iter()
                .unzip();
            Some((Partition::Groups(groups), places.concat()))
        }
        "bridge" => {
            let (name, places) = one(reader.text(node, "bridge", "n3")?.into());
            Some((Partition::Bridge(name), places))
        }
        "one-way" => {
            let fields = reader.fields(node, &entry.key_bytes, &ONE_WAY)?;
            let side =
                |side| names(reader, &fields.require(side)?.value, side, fields.example(side));
            let (from, to) = (side("from"), side("to"));
            let ((from, from_places), (to, to_places)) = (from?, to?);
            Some((Partition::OneWay { from, to }, [from_places, to_places].concat()))
        }
        // An unknown shape has been refused.
        _ => None,
    }
}

/// A list of nodes with their places.
fn names(
    reader: &Reader,
    node: &Node,
    what: &str,
    example: &str,
) -> Option<(Vec<Name>, Vec<Range<usize>>)> {
    reader
        .list(node, what, example)?
        .iter()
        .map(|item| Some((Name::from(reader.text(item, "a node", "n1")?), item.bytes.clone())))
        .collect()
}

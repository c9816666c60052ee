//! A witness as a drawing: intervals on lanes by process, with arrows, as SVG text.
//!
//! Time runs from left to right but not to scale: a witness often spans microseconds and seconds
//! at once. The order of all instants is kept, every bar has its times in it, and a long
//! stretch has its length written below.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

use splitbrain_checkers::finding::{Relation, Witness};
use splitbrain_checkers::history::{Function, Operation, Outcome, Time};

use super::data::RunData;
use super::labels;
use super::text;
use words::{Words, times, title};

mod words;

const GUTTER: f64 = 168.0;
const LANE: f64 = 62.0;
const BAR: f64 = 38.0;
/// Height of a row with the name of a cut.
const ROW: f64 = 16.0;
const TOP: f64 = 14.0;
const BOTTOM: f64 = 32.0;
/// Room on the right for what has no end.
const OPEN_END: f64 = 54.0;
/// A stretch narrower than this has no room for its length.
const WIDE_ENOUGH: f64 = 58.0;

/// The drawing. `id` makes the names inside it unique on the page.
pub fn svg(data: &RunData, witness: &Witness, id: &str) -> String {
    let drawing = Drawing::new(data, witness);
    let mut out = String::new();
    drawing.write(&mut out, id).expect("a String takes all that is written to it");
    out
}

/// Text for element content and attribute values.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

struct Drawing<'a> {
    data: &'a RunData,
    witness: &'a Witness,
    words: Words,
    /// Processes by node, then in the order of their first operation.
    lanes: Vec<u64>,
    /// Every instant that matters, with its place.
    places: BTreeMap<Time, f64>,
    right: f64,
    /// Positions of the partitions that were in force, each with a row for its name.
    cuts: Vec<usize>,
}

impl<'a> Drawing<'a> {
    fn new(data: &'a RunData, witness: &'a Witness) -> Drawing<'a> {
        let mut by_node: Vec<&Operation> = witness.operations.iter().collect();
        by_node.sort_by_key(|operation| &operation.node);
        let mut lanes: Vec<u64> = Vec::new();
        for operation in by_node {
            if !lanes.contains(&operation.process) {
                lanes.push(operation.process);
            }
        }
        let words = Words::of(&witness.operations);
        let places = places(data, &witness.operations, &words);
        let last = places.values().copied().fold(GUTTER, f64::max);
        let ends = witness.operations.iter().map(|operation| match end(operation) {
            Some(_) => last + 8.0,
            None => (places[&operation.invoke] + words.width(operation)).max(last) + OPEN_END,
        });
        let cuts = cuts(data, &places);
        let named = cuts
            .iter()
            .map(|&cut| GUTTER + 20.0 + 6.9 * text::columns(&cut_name(data, cut)).min(60) as f64);
        let right = ends.chain(named).fold(last, f64::max);
        Drawing { data, witness, words, lanes, places, right, cuts }
    }

    fn write(&self, out: &mut String, id: &str) -> std::fmt::Result {
        let height = self.top() + LANE * self.lanes.len() as f64 + BOTTOM;
        write!(
            out,
            r#"<svg class="witness" viewBox="0 0 {right:.0} {height:.0}" width="{right:.0}" height="{height:.0}" role="img" aria-labelledby="{id}-title"><title id="{id}-title">{sentence}</title>"#,
            right = self.right + 4.0,
            sentence = escape(&self.witness.sentence),
        )?;
        for name in Relation::ALL.map(Relation::name) {
            write!(
                out,
                r#"<defs><marker id="{id}-{name}" class="{name}" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" orient="auto-start-reverse"><path d="M0 0L10 5L0 10z"/></marker></defs>"#
            )?;
        }
        self.write_cuts(out, height)?;
        self.write_lanes(out)?;
        self.write_arrows(out, id)?;
        for operation in &self.witness.operations {
            self.write_bar(out, operation)?;
        }
        self.write_stretches(out, height)?;
        out.write_str("</svg>")
    }

    /// The partitions that were in force, as bands behind everything, with their names in rows.
    fn write_cuts(&self, out: &mut String, height: f64) -> std::fmt::Result {
        let Some((_, &left)) = self.places.first_key_value() else { return Ok(()) };
        for (row, &position) in self.cuts.iter().enumerate() {
            let partition = &self.data.partitions[position];
            let healed = partition.healed.unwrap_or(Time::MAX);
            let from = self.places.get(&partition.began).copied().unwrap_or(left - 8.0);
            let to = self.places.get(&healed).copied().unwrap_or(self.right);
            let name = cut_name(self.data, position);
            // A name may go beyond a narrow band: the rows below it are its own.
            let room = ((self.right - from - 10.0) / 6.9).max(5.0) as usize;
            write!(
                out,
                r#"<rect class="cut" x="{from:.1}" y="{y:.1}" width="{width:.1}" height="{h:.1}"/><text class="cut-label" x="{x:.1}" y="{baseline:.1}">{label}</text>"#,
                y = 4.0 + ROW * row as f64,
                width = to - from,
                h = height - BOTTOM - ROW * row as f64,
                x = from + 6.0,
                baseline = 17.0 + ROW * row as f64,
                label = escape(&text::fit(&name, room)),
            )?;
        }
        Ok(())
    }

    fn write_lanes(&self, out: &mut String) -> std::fmt::Result {
        for (lane, &process) in self.lanes.iter().enumerate() {
            let middle = self.middle(lane);
            let mut own = self.witness.operations.iter().filter(|o| o.process == process);
            let node = own.next().and_then(|operation| operation.node.as_deref());
            write!(
                out,
                r#"<text class="lane" x="0" y="{y:.1}">{place}</text><text class="lane-process" x="0" y="{below:.1}">process {process}</text><line class="lane" x1="{GUTTER}" x2="{right:.1}" y1="{middle:.1}" y2="{middle:.1}"/>"#,
                y = middle - 3.0,
                below = middle + 13.0,
                place = escape(&text::fit(&self.place(node), 24)),
                right = self.right,
            )?;
        }
        Ok(())
    }

    /// The node of a lane, and its side if one cut was in force at some time of the drawing.
    fn place(&self, node: Option<&str>) -> String {
        let Some(node) = node else { return "node unknown".to_string() };
        // With several cuts in the drawing, a node may have been on either side.
        let [cut] = self.cuts[..] else { return node.to_string() };
        match labels::side(&self.data.partitions[cut], node) {
            Some(side) => format!("{node} · {side}"),
            None => node.to_string(),
        }
    }

    fn write_bar(&self, out: &mut String, operation: &Operation) -> std::fmt::Result {
        let (left, right) = self.bar(operation);
        let middle = self.middle(self.lane(operation));
        let top = middle - BAR / 2.0;
        let class = match operation.f {
            Function::Read | Function::ReplicaRead => "read",
            _ => "write",
        };
        let open = if end(operation).is_none() { " open" } else { "" };
        write!(out, r#"<g class="op {class}{open}"><title>{}</title>"#, escape(&title(operation)))?;
        if end(operation).is_some() {
            let width = right - left;
            write!(
                out,
                r#"<rect x="{left:.1}" y="{top:.1}" width="{width:.1}" height="{BAR}" rx="3"/>"#
            )?;
        } else {
            let bottom = top + BAR;
            write!(
                out,
                r#"<path d="M{right:.1} {top:.1}H{left:.1}V{bottom:.1}H{right:.1}"/><text class="times" x="{x:.1}" y="{y:.1}">no end</text>"#,
                x = right - 42.0,
                y = middle + 4.0,
            )?;
        }
        write!(
            out,
            r#"<text class="value" x="{x:.1}" y="{y:.1}">{label}</text><text class="times" x="{x:.1}" y="{below:.1}">{times}</text></g>"#,
            x = left + 8.0,
            y = middle - 2.5,
            label = escape(&self.words.label(operation)),
            below = middle + 12.5,
            times = times(operation),
        )
    }

    fn write_arrows(&self, out: &mut String, id: &str) -> std::fmt::Result {
        let operations = &self.witness.operations;
        for arrow in &self.witness.arrows {
            let (Some(from), Some(to)) = (operations.get(arrow.from), operations.get(arrow.to))
            else {
                continue;
            };
            let path = match arrow.relation {
                Relation::RealTime | Relation::ProcessOrder => self.end_to_begin(from, to),
                _ => self.bar_to_bar(from, to),
            };
            let name = arrow.relation.name();
            write!(
                out,
                r#"<path class="arrow {name}" d="{path}" marker-end="url(#{id}-{name})"/>"#
            )?;
        }
        Ok(())
    }

    /// From the end of one bar to the beginning of the other.
    fn end_to_begin(&self, from: &Operation, to: &Operation) -> String {
        let ((_, x1), (x2, _)) = (self.bar(from), self.bar(to));
        let (y1, y2) = (self.middle(self.lane(from)), self.middle(self.lane(to)));
        let bend = ((x2 - x1) / 2.0).max(12.0);
        format!(
            "M{x1:.1} {y1:.1}C{:.1} {y1:.1} {:.1} {y2:.1} {:.1} {y2:.1}",
            x1 + bend,
            x2 - bend,
            x2 - 1.0
        )
    }

    /// From the edge of the writer's bar to the edge of the reader's that faces it; over the bars
    /// where both are on one lane.
    fn bar_to_bar(&self, from: &Operation, to: &Operation) -> String {
        let ((left1, right1), (left2, right2)) = (self.bar(from), self.bar(to));
        let (x1, x2) = (right1.min(left1 + 110.0) - 16.0, (left2 + 18.0).min(right2));
        let (lane1, lane2) = (self.lane(from), self.lane(to));
        let (y1, y2) = (self.middle(lane1), self.middle(lane2));
        let half = BAR / 2.0;
        let (y1, y2, bend) = match lane1.cmp(&lane2) {
            std::cmp::Ordering::Less => (y1 + half, y2 - half - 1.0, (y2 - y1) / 2.0),
            std::cmp::Ordering::Greater => (y1 - half, y2 + half + 1.0, (y2 - y1) / 2.0),
            std::cmp::Ordering::Equal => {
                let (y, peak) = (y1 - half, y1 - half - 20.0);
                return format!(
                    "M{x1:.1} {y:.1}C{x1:.1} {peak:.1} {x2:.1} {peak:.1} {x2:.1} {:.1}",
                    y - 1.0
                );
            }
        };
        format!(
            "M{x1:.1} {y1:.1}C{x1:.1} {:.1} {x2:.1} {:.1} {x2:.1} {y2:.1}",
            y1 + bend,
            y2 - bend
        )
    }

    /// The length of every stretch that has room for it, below the lanes.
    fn write_stretches(&self, out: &mut String, height: f64) -> std::fmt::Result {
        let y = height - 17.0;
        for ((from, left), (to, right)) in self.places.iter().zip(self.places.iter().skip(1)) {
            if right - left < WIDE_ENOUGH {
                continue;
            }
            write!(
                out,
                r#"<path class="stretch" d="M{l:.1} {a:.1}v6M{l:.1} {y:.1}H{r:.1}M{r:.1} {a:.1}v6"/><text class="stretch" x="{x:.1}" y="{below:.1}">{length}</text>"#,
                l = left + 1.0,
                r = right - 1.0,
                a = y - 3.0,
                x = (left + right) / 2.0,
                below = y + 12.0,
                length = text::duration(to.since(*from)),
            )?;
        }
        Ok(())
    }

    fn bar(&self, operation: &Operation) -> (f64, f64) {
        let left = self.places[&operation.invoke];
        match end(operation) {
            Some(end) => (left, self.places[&end]),
            None => (left, self.right),
        }
    }

    fn lane(&self, operation: &Operation) -> usize {
        self.lanes.iter().position(|&process| process == operation.process).unwrap_or(0)
    }

    /// Where the first lane begins.
    fn top(&self) -> f64 {
        TOP + ROW * self.cuts.len() as f64
    }

    fn middle(&self, lane: usize) -> f64 {
        self.top() + LANE * lane as f64 + LANE / 2.0 - 2.0
    }
}

/// `cut 1: isolate n1`.
fn cut_name(data: &RunData, position: usize) -> String {
    format!("cut {}: {}", position + 1, data.partitions[position].name)
}

/// Positions of the partitions that were in force at some time of the drawing.
fn cuts(data: &RunData, places: &BTreeMap<Time, f64>) -> Vec<usize> {
    let (Some((&first, _)), Some((&last, _))) = (places.first_key_value(), places.last_key_value())
    else {
        return Vec::new();
    };
    labels::partitions_during(data, first, last)
}

/// Every instant with its place: in order, further apart the more time is between, and far
/// enough for what is written in the bars.
fn places(data: &RunData, operations: &[Operation], words: &Words) -> BTreeMap<Time, f64> {
    let mut instants: Vec<Time> = operations.iter().map(|operation| operation.invoke).collect();
    instants.extend(operations.iter().filter_map(end));
    instants.sort_unstable();
    let (Some(&first), Some(&last)) = (instants.first(), instants.last()) else {
        return BTreeMap::new();
    };
    for partition in &data.partitions {
        let edges = [Some(partition.began), partition.healed];
        instants.extend(edges.into_iter().flatten().filter(|edge| first < *edge && *edge < last));
    }
    instants.sort_unstable();
    instants.dedup();
    let mut places: BTreeMap<Time, f64> = BTreeMap::new();
    let mut previous: Option<(Time, f64)> = None;
    for instant in instants {
        let mut place = GUTTER + 8.0;
        if let Some((before, at)) = previous {
            place = at + distance(instant.since(before));
        }
        for operation in operations.iter().filter(|operation| end(operation) == Some(instant)) {
            if let Some(left) = places.get(&operation.invoke) {
                place = place.max(left + words.width(operation));
            }
        }
        places.insert(instant, place);
        previous = Some((instant, place));
    }
    places
}

/// Grows with the logarithm: 1 ms and 10 s fit in one drawing.
fn distance(duration: Duration) -> f64 {
    14.0 + 20.0 * (1.0 + duration.as_secs_f64() / 100e-6).log10()
}

/// When a bar ends: never, for what may still take effect.
fn end(operation: &Operation) -> Option<Time> {
    match operation.outcome {
        Outcome::Info => None,
        Outcome::Ok | Outcome::Fail => operation.complete,
    }
}

#[cfg(test)]
mod tests;

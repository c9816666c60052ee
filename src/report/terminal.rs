//! The summary of a run for a terminal: at most 24 lines of 80 columns.
//!
//! Rows that say nothing new give way first: where the table does not fit, nodes and classes
//! that were answered throughout are folded into one line. What is left out is counted.

use splitbrain_checkers::finding::{Finding, Witness};
use splitbrain_checkers::history::Operation;

use splitbrain_checkers::availability::{Level, Period, Row as Counted};
use splitbrain_checkers::verdict::Kind;

use super::data::RunData;
use super::labels::{self, State};
use super::promises;
use super::tables;
use super::text;

pub const LINES: usize = 24;
pub const COLUMNS: usize = 80;

/// Lines of the verdict.
const HEADLINE: usize = 5;

/// Columns of the table's two names, and of each period.
const NODE: usize = 12;
const CLASS: usize = 9;
const PERIOD: usize = 11;

/// The summary. Every line ends with a line break.
pub fn terminal(data: &RunData, colours: bool) -> String {
    let paint = Paint { colours };
    let mut above = headline(data, &paint);
    above.extend(checks_line(data, &paint));
    above.extend(ladder_line(data, &paint));
    let mut below = worst(data, &paint);
    below.push(String::new());
    below.extend(where_and_again(data));
    // Two lines between the parts, one for the table's head.
    let room = LINES.saturating_sub(above.len() + below.len() + 2);
    let mut lines = above;
    lines.push(String::new());
    lines.extend(availability(data, room, &paint));
    lines.push(String::new());
    lines.extend(below);
    lines.iter().map(|line| format!("{}\n", line.trim_end())).collect()
}

/// Colours, where they were asked for.
pub struct Paint {
    pub colours: bool,
}

impl Paint {
    pub fn bold(&self, text: &str) -> String {
        self.wrap("1", text)
    }

    pub fn state(&self, state: State, text: &str) -> String {
        let code = match state {
            State::Refuted => "31",
            State::Unknown => "33",
            State::Valid => "32",
            State::NotExercised => "2",
        };
        self.wrap(code, text)
    }

    fn cell(&self, cell: &Counted, text: &str) -> String {
        match cell.level {
            Level::Unavailable => self.wrap("31", text),
            _ if labels::is_trouble(cell) => self.wrap("33", text),
            _ => text.to_string(),
        }
    }

    fn soft(&self, text: &str) -> String {
        self.wrap("2", text)
    }

    pub fn wrap(&self, code: &str, text: &str) -> String {
        if self.colours { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_string() }
    }
}

/// The chip and the sentence, and as many of the details as there is room for.
fn headline(data: &RunData, paint: &Paint) -> Vec<String> {
    let chip = data.verdict.kind.as_str();
    let sentence = format!("{chip}: {}.", text::plain(&data.verdict.sentence));
    let with_details = |number: usize| {
        let details = text::plain(&data.verdict.details_in_words(number));
        text::wrap(&format!("{sentence} {details}"), COLUMNS)
    };
    let mut lines = (0..=data.verdict.details.len())
        .rev()
        .map(with_details)
        .find(|lines| lines.len() <= HEADLINE)
        .unwrap_or_else(|| text::wrap_within(&sentence, COLUMNS, HEADLINE));
    if let Some(first) = lines.first_mut() {
        let rest = first.strip_prefix(chip).unwrap_or_default().to_string();
        *first = format!("{}{rest}", paint.bold(chip));
    }
    if let Some(expected) = data.verdict.expected {
        let as_expected = expected == data.verdict.kind;
        let state = if as_expected { State::Valid } else { State::Refuted };
        let words = if as_expected { "as expected" } else { "expected was" };
        lines.push(paint.state(state, &expectation(words, expected)));
    }
    lines
}

fn expectation(words: &str, expected: Kind) -> String {
    format!("{words}: {}", expected.as_str())
}

/// `✗ linearizable refuted   ✓ convergent valid   ? available unknown`, in two lines at most.
fn checks_line(data: &RunData, paint: &Paint) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut used = 0;
    let checks = labels::checks(data);
    for (position, (check, state)) in checks.iter().enumerate() {
        let word = text::fit(
            &format!("{} {} {}", state.mark(), text::plain(check), state.as_str()),
            COLUMNS,
        );
        let width = text::columns(&word);
        if used > 0 && used + 3 + width > COLUMNS {
            if lines.len() == 2 {
                let left = checks.len() - position;
                lines.push(format!("and {left} more checks in the report"));
                break;
            }
            lines.push(String::new());
            used = 0;
        }
        let line = lines.last_mut().expect("there is a line");
        if used > 0 {
            line.push_str("   ");
            used += 3;
        }
        line.push_str(&paint.state(*state, &word));
        used += width;
    }
    lines
}

/// `ladder  ✗ linearizable   ✓ sequential and 7 more`, if the ladder was asked for.
fn ladder_line(data: &RunData, paint: &Paint) -> Option<String> {
    let promises = data.promises.as_ref()?;
    let mut line = "ladder".to_string();
    let mut used = text::columns(&line);
    for (state, group) in promises::groups(&promises.ladder) {
        let group = text::fit(&group, COLUMNS.saturating_sub(used + 2));
        used += 2 + text::columns(&group);
        line.push_str("  ");
        line.push_str(&paint.state(state, &group));
    }
    Some(line)
}

/// The table of availability with its head, in at most `room` lines.
fn availability(data: &RunData, room: usize, paint: &Paint) -> Vec<String> {
    let (periods, hidden) = shown_periods(data);
    if periods.is_empty() {
        return vec!["Availability was not counted in this run.".to_string()];
    }
    let heads: String =
        periods.iter().map(|period| text::right(&period.to_string(), PERIOD - 2) + "  ").collect();
    let doubtful = rows(data, &periods)
        .iter()
        .flat_map(|row| row.cells.iter().flatten())
        .any(|cell| labels::is_doubtful(cell));
    let title = if doubtful { "% answered, ? few" } else { "% answered" };
    let title = text::left(title, NODE + CLASS);
    let mut lines = vec![paint.soft(&format!("{title}{heads}"))];
    let mut rows = rows(data, &periods);
    let room = room.saturating_sub(1 + usize::from(hidden > 0)).max(2);
    let mut folded = 0;
    if rows.len() > room {
        let all = rows.len();
        rows.retain(|row| row.cells.iter().flatten().any(|cell| labels::is_trouble(cell)));
        folded = all - rows.len();
    }
    let mut left_out = 0;
    let notes = usize::from(folded > 0);
    if rows.len() + notes > room {
        let keep = room.saturating_sub(notes + 1);
        left_out = rows.len() - keep;
        rows.truncate(keep);
    }
    lines.extend(rows.iter().map(|row| row_line(row, paint)));
    if left_out > 0 {
        let rows = text::count(left_out, "more row", "more rows");
        lines.push(paint.soft(&format!("{rows} with trouble, in the report")));
    }
    if folded > 0 {
        let rows = text::count(folded, "other row", "other rows");
        lines.push(paint.soft(&format!("{rows} without trouble in the periods shown")));
    }
    if hidden > 0 {
        let cuts = text::count(hidden, "period is", "periods are");
        lines.push(paint.soft(&format!("{cuts} in the report only")));
    }
    lines
}

/// The periods that fit, and how many do not. The times between cuts go first, then the last
/// cuts; the last period stays.
fn shown_periods(data: &RunData) -> (Vec<Period>, usize) {
    let mut periods = tables::periods(data);
    let all = periods.len();
    let fit = (COLUMNS - NODE - CLASS) / PERIOD;
    if all > fit {
        let last = periods.pop();
        periods.retain(|period| !matches!(period, Period::After { .. }));
        periods.truncate(fit - 1);
        periods.extend(last);
    }
    let hidden = all - periods.len();
    (periods, hidden)
}

struct Row<'a> {
    node: &'a str,
    class: &'a str,
    cells: Vec<Option<&'a Counted>>,
}

fn rows<'a>(data: &'a RunData, periods: &[Period]) -> Vec<Row<'a>> {
    let mut rows: Vec<Row<'a>> = Vec::new();
    for entry in &data.availability.rows {
        let Some(column) = periods.iter().position(|period| *period == entry.period) else {
            continue;
        };
        let (node, class) = (&*entry.node, labels::class_name(entry.class));
        let place = rows.iter().position(|row| row.node == node && row.class == class);
        let place = place.unwrap_or_else(|| {
            rows.push(Row { node, class, cells: vec![None; periods.len()] });
            rows.len() - 1
        });
        rows[place].cells[column] = Some(entry);
    }
    rows
}

fn row_line(row: &Row<'_>, paint: &Paint) -> String {
    let name =
        |name: &str, width: usize| text::left(&text::fit(&text::plain(name), width - 1), width);
    let mut line = name(row.node, NODE) + &name(row.class, CLASS);
    for cell in &row.cells {
        line.push_str(&match cell {
            None => text::right("-", PERIOD - 2) + "  ",
            Some(cell) => {
                let share = cell.answered.share().map_or("-".to_string(), text::percent);
                let mark = if labels::is_doubtful(cell) { " ?" } else { "  " };
                paint.cell(cell, &(text::right(&share, PERIOD - 2) + mark))
            }
        });
    }
    line
}

/// The worst witness in at most five lines, or that there is none.
fn worst(data: &RunData, paint: &Paint) -> Vec<String> {
    let refuted = labels::refuted(data);
    let Some((finding, witness)) = refuted
        .first()
        .and_then(|finding| finding.validity.witness().map(|witness| (*finding, witness)))
    else {
        return no_witness(data);
    };
    let mut lines = vec![paint.state(State::Refuted, &text::fit(&worst_title(finding), COLUMNS))];
    let sentence = text::plain(&witness.sentence);
    let operations = operation_lines(witness);
    let sentence_lines = text::wrap_within(&sentence, COLUMNS, 4);
    if sentence_lines.len() + operations.len() <= 4 {
        lines.extend(sentence_lines);
        lines.extend(operations);
    } else {
        lines.extend(sentence_lines);
    }
    lines
}

/// Why there is no witness to show: nothing refuted, with the reasons of what is unknown.
fn no_witness(data: &RunData) -> Vec<String> {
    use splitbrain_checkers::finding::Validity;
    let mut lines = vec!["Nothing was refuted.".to_string()];
    for finding in &data.findings {
        if let Validity::Unknown { reason } = &finding.validity {
            let reason = format!("{} is unknown: {reason}", finding.check);
            lines.extend(text::wrap_within(&text::plain(&reason), COLUMNS, 2));
        }
    }
    lines.truncate(5);
    lines
}

fn worst_title(finding: &Finding) -> String {
    let violations = text::count(finding.violations, "violation", "violations");
    match finding.keys.first() {
        Some(key) => {
            text::plain(&format!("Not {}: {violations}, worst on key {key}", finding.check))
        }
        None => format!("Not {}: {violations}", finding.check),
    }
}

fn operation_lines(witness: &Witness) -> Vec<String> {
    let line = |operation: &Operation| {
        let node = text::plain(operation.node.as_deref().unwrap_or("-"));
        let what = text::plain(&operation.to_string());
        let end = operation.complete.map_or("never".to_string(), |end| end.to_string());
        let when = format!("{} to {end}", operation.invoke);
        format!("  {} {} {when}", text::left(&node, 10), text::left(&what, 34))
    };
    witness.operations.iter().map(line).collect()
}

/// Where the report is, and the command to run it again; a long command goes over several lines
/// with the shell's own continuation.
fn where_and_again(data: &RunData) -> Vec<String> {
    let report = format!("{}/report.html", text::plain(&data.scope.folder));
    let mut lines = text::wrap_within(&report, COLUMNS - 8, 2);
    for (position, line) in lines.iter_mut().enumerate() {
        *line = format!("{}{line}", if position == 0 { "report  " } else { "        " });
    }
    let command = text::plain(&data.scope.command);
    let mut line = "again  ".to_string();
    let mut again = Vec::new();
    let mut words = command.split_whitespace().peekable();
    while let Some(word) = words.next() {
        // One column for the space, two for the continuation, if there is one.
        let more = 1 + 2 * usize::from(words.peek().is_some());
        if text::columns(&line) + more + text::columns(word) > COLUMNS && again.len() < 2 {
            again.push(line + " \\");
            line = "       ".to_string();
        }
        line.push(' ');
        line.push_str(word);
    }
    again.push(line);
    let too_long = again.len() > 3 || again.iter().any(|line| text::columns(line) > COLUMNS);
    if too_long {
        again = vec!["again   the command is in the report, the plan in plan.yaml".to_string()];
    }
    lines.extend(again);
    lines
}

#[cfg(test)]
mod tests;

//! The demo's outcome over all modes of the reference cluster: a table for the terminal and a
//! page that links the report of each mode.

use askama::Template;
use serde::{Deserialize, Serialize};

use splitbrain_checkers::verdict::Kind;

use super::data::FirstAnswer;
use super::html::{HtmlError, STYLE};
use super::labels::State;
use super::terminal::{COLUMNS, Paint};
use super::text;

/// What one mode did.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DemoRow {
    pub mode: String,
    /// One or two sentences: the design, and why it behaves as it does.
    pub explanation: String,
    pub expected: Kind,
    pub verdict: Kind,
    /// The verdict's sentence.
    pub sentence: String,
    /// The model that was refuted, the strongest first; `None` if none was.
    pub violated: Option<String>,
    /// Sides of the cut, the larger one first. Empty if nothing was cut.
    pub sides: Vec<DemoSide>,
    /// From a heal until every node answered every class again, the slowest of all.
    pub recovery: FirstAnswer,
    /// Address of the mode's report, relative to the page.
    pub report: String,
}

impl DemoRow {
    pub fn as_expected(&self) -> bool {
        self.expected == self.verdict
    }
}

/// What the nodes of one side answered while they were cut off, as shares from 0 to 1; `None`
/// if nothing was asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DemoSide {
    /// `majority`, `minority`, or the nodes.
    pub name: String,
    pub reads: Option<f64>,
    pub writes: Option<f64>,
}

impl DemoSide {
    /// `100/0`: percent of reads and of writes that were answered.
    fn in_words(&self) -> String {
        let share = |share: Option<f64>| share.map_or("-".to_string(), text::whole_percent);
        format!("{}/{}", share(self.reads), share(self.writes))
    }
}

const HEADS: [&str; 7] = ["mode", "expected", "verdict", "violated", "larger", "smaller", "back"];

/// The table, at most 80 columns wide: a row per mode, and one line that explains the columns.
pub fn table(rows: &[DemoRow], colours: bool) -> String {
    let paint = Paint { colours };
    let cells: Vec<[String; 7]> = rows.iter().map(cells).collect();
    let widths = widths(&cells);
    let line = |cells: &[String; 7]| -> Vec<String> {
        let padded = cells.iter().zip(widths).enumerate();
        padded
            .map(|(column, (cell, width))| match column {
                4.. => text::right(cell, width),
                _ => text::left(cell, width),
            })
            .collect()
    };
    let mut out = paint.bold(line(&HEADS.map(str::to_string)).join(" ").trim_end());
    out.push('\n');
    for (row, cells) in rows.iter().zip(&cells) {
        let mut cells = line(cells);
        let state = if row.as_expected() { State::Valid } else { State::Refuted };
        cells[2] = paint.state(state, &cells[2]);
        out.push_str(cells.join(" ").trim_end());
        out.push('\n');
    }
    out.push('\n');
    for line in text::wrap(&summary(rows), COLUMNS) {
        out.push_str(&line);
        out.push('\n');
    }
    out
}

fn cells(row: &DemoRow) -> [String; 7] {
    let side = |i: usize| row.sides.get(i).map_or("-".to_string(), DemoSide::in_words);
    let mark = if row.as_expected() { "" } else { "✗" };
    [
        text::plain(&row.mode),
        row.expected.as_str().to_string(),
        format!("{}{mark}", row.verdict.as_str()),
        row.violated.as_deref().map_or("-".to_string(), text::plain),
        side(0),
        side(1),
        back(row.recovery).replace(' ', ""),
    ]
}

/// When everything was answered again, in words.
fn back(recovery: FirstAnswer) -> String {
    match recovery {
        FirstAnswer::After { time } => text::duration(time),
        FirstAnswer::Never => "never".to_string(),
        FirstAnswer::NotExercised => "-".to_string(),
    }
}

/// As wide as the content; what is too much is taken from the names.
fn widths(cells: &[[String; 7]]) -> [usize; 7] {
    let mut widths = HEADS.map(text::columns);
    for row in cells {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = text::columns(cell).max(*width);
        }
    }
    for (column, least) in [(0, 18), (3, 10), (0, 8), (3, 8)] {
        let all = widths.iter().sum::<usize>() + widths.len() - 1;
        let excess = all.saturating_sub(COLUMNS);
        widths[column] -= excess.min(widths[column].saturating_sub(least));
    }
    widths
}

/// How many came out as expected, and what the columns mean.
fn summary(rows: &[DemoRow]) -> String {
    let right = rows.iter().filter(|row| row.as_expected()).count();
    format!(
        "{right} of {} as expected. larger, smaller: percent of reads/writes answered on either \
         side of the cuts; back: from the heal until all is answered again.",
        text::count(rows.len(), "mode", "modes")
    )
}

/// A row of the page.
struct PageRow<'a> {
    row: &'a DemoRow,
    sides: Vec<(&'a str, String, String)>,
    recovery: String,
}

#[derive(Template)]
#[template(path = "demo.html", config = "src/report/askama.toml")]
struct Page<'a> {
    style: &'a str,
    date: &'a str,
    right: usize,
    rows: Vec<PageRow<'a>>,
}

/// `index.html`: the same table with an explanation per mode and a link to its report. `date` is
/// printed as it is.
pub fn page(rows: &[DemoRow], date: &str) -> Result<String, HtmlError> {
    let page = Page {
        style: STYLE,
        date,
        right: rows.iter().filter(|row| row.as_expected()).count(),
        rows: rows.iter().map(page_row).collect(),
    };
    Ok(page.render()?)
}

fn page_row(row: &DemoRow) -> PageRow<'_> {
    let percent = |share: Option<f64>| match share {
        Some(share) => format!("{} %", text::percent(share)),
        None => "not asked".to_string(),
    };
    let sides = row
        .sides
        .iter()
        .map(|side| (side.name.as_str(), percent(side.reads), percent(side.writes)));
    PageRow { sides: sides.collect(), recovery: back(row.recovery).replace('-', "–"), row }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn row(mode: &str, expected: Kind, verdict: Kind) -> DemoRow {
        let violated = verdict != Kind::CP;
        let side = |name: &str, writes| DemoSide {
            name: name.to_string(),
            reads: Some(0.9999),
            writes: Some(writes),
        };
        DemoRow {
            mode: mode.to_string(),
            explanation: "Raft, reads from the node's own state: they may be stale.".to_string(),
            expected,
            verdict,
            sentence: "Reads were stale on the minority side.".to_string(),
            violated: violated.then(|| "linearizable".to_string()),
            sides: vec![side("majority", 1.0), side("minority", 0.0)],
            recovery: FirstAnswer::After { time: Duration::from_millis(1_240) },
            report: format!("{mode}/report.html"),
        }
    }

    fn rows() -> Vec<DemoRow> {
        let mut rows = vec![
            row("single", Kind::SingleCopy, Kind::SingleCopy),
            row("primary-sync", Kind::CHalts, Kind::CHalts),
            row("majority", Kind::CP, Kind::CP),
            row("majority-local-reads", Kind::Mixed, Kind::Inconclusive),
            row("gossip-lww", Kind::AP, Kind::AP),
        ];
        rows[0].sides.clear();
        rows[1].recovery = FirstAnswer::Never;
        rows
    }

    #[test]
    fn the_table_fits_the_terminal_and_marks_what_was_not_expected() {
        let table = table(&rows(), false);
        assert!(table.lines().all(|line| text::columns(line) <= COLUMNS), "{table}");
        let lines: Vec<&str> = table.lines().collect();
        assert!(lines[4].contains("inconclusive✗"), "{table}");
        assert!(lines[3].contains("99/100") && lines[3].contains("99/0"), "{table}");
        assert!(lines[4].starts_with("majority-local-reads mixed"), "{table}");
        assert!(lines[5].contains("linearizable") && lines[5].ends_with("1.24s"), "{table}");
        assert!(table.contains("4 of 5 modes as expected"), "{table}");
    }

    #[test]
    fn long_names_are_cut_to_fit() {
        let mut rows = rows();
        rows[2].mode = "a-mode-with-a-name-that-is-much-longer-than-any-column".to_string();
        rows[3].violated = Some("strict-serializable-with-session-guarantees".to_string());
        let table = table(&rows, false);
        assert!(table.lines().all(|line| text::columns(line) <= COLUMNS), "{table}");
        assert!(table.contains('…'));
    }

    #[test]
    fn the_page_links_every_report_and_loads_nothing() {
        let mut rows = rows();
        rows[0].explanation = "<script>alert(1)</script>".to_string();
        let page = page(&rows, "2026-07-01 14:03 UTC").unwrap();
        for row in &rows {
            assert!(page.contains(&format!("href=\"{}\"", row.report)), "{}", row.report);
        }
        assert!(!page.contains("<script") && !page.contains("src=") && !page.contains("://"));
        assert!(page.contains("4 of 5"));
    }

    /// For whoever changes the look: writes the page and prints where it is.
    #[test]
    #[ignore = "writes a file for a person to look at"]
    fn write_page_to_look_at() {
        let path = std::env::temp_dir().join("splitbrain-report-demo.html");
        std::fs::write(&path, page(&rows(), "2026-07-01 14:03 UTC").unwrap()).unwrap();
        println!("{}\n{}", path.display(), table(&rows(), false));
    }
}

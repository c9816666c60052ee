//! `splitbrain check FOLDER`: every file in it, one row each. Nothing is passed over in silence:
//! what is no history has a row that says so.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;
use splitbrain_checkers::checker::Checker;
use splitbrain_checkers::finding::Validity;

use super::{Answer, Refusal, examine};
use crate::cli::CheckArguments;
use crate::commands::{fault, refuse};
use crate::exit::Exit;
use crate::progress;
use crate::report::text::{columns, count, fit, left, plain, right, thousands};

/// Columns of a terminal.
const WIDTH: usize = 80;

/// Columns that the name of a file may take.
const NAME_MAX: usize = 34;

pub(super) fn check(checker: &Checker, arguments: &CheckArguments) -> Exit {
    let files = match files(&arguments.history) {
        Ok(files) => files,
        Err(error) => return refuse(format!("{}: {error}", arguments.history.display())),
    };
    let table = Table::new(&arguments.history, &files);
    let bar = progress::files(files.len());
    if !arguments.json {
        bar.suspend(|| println!("{}", table.head()));
    }
    let (mut rows, mut counts) = (Vec::new(), Counts::default());
    for file in &files {
        let name = table.name(file);
        bar.set_message(name.clone());
        let (row, json) = row(file, &name, checker, arguments);
        counts.add(row.answer);
        if arguments.json {
            rows.push(json);
        } else {
            bar.suspend(|| println!("{}", table.row(&row)));
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    if arguments.json {
        match serde_json::to_string_pretty(&rows) {
            Ok(text) => println!("{text}"),
            Err(error) => return fault(error),
        }
    } else {
        println!("{}", counts.line());
    }
    match counts.exit() {
        Exit::BadArguments => {
            refuse(format!("{}: no file in it is a history", arguments.history.display()))
        }
        exit => exit,
    }
}

/// Every file under a folder, sorted by path.
fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut entries: Vec<_> = fs::read_dir(folder)?.collect::<Result<_, _>>()?;
    entries.sort_by_key(|entry| entry.path());
    let mut all = Vec::new();
    for entry in entries {
        match entry.file_type()?.is_dir() {
            true => all.extend(files(&entry.path())?),
            false => all.push(entry.path()),
        }
    }
    Ok(all)
}

/// What came of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Word {
    NoHistory,
    Valid,
    /// Also if it could not be read, or is a history of something else.
    Unknown,
    Invalid,
}

/// What is said of a file.
struct Row {
    name: String,
    operations: Option<usize>,
    answer: Word,
    why: String,
}

/// As `--json` has a file about which there is no finding.
#[derive(Serialize)]
struct Unchecked<'a> {
    file: &'a str,
    result: Word,
    reason: &'a str,
}

#[derive(Serialize)]
struct Checked<'a> {
    file: &'a str,
    #[serde(flatten)]
    answer: Answer<'a>,
}

/// Checks a file; what is said of it in the table, and as JSON.
fn row(
    file: &Path,
    name: &str,
    checker: &Checker,
    arguments: &CheckArguments,
) -> (Row, serde_json::Value) {
    let examined = match file.is_file() {
        true => examine(file, checker, arguments),
        // A link to a folder may lead back to this one; a pipe may never end.
        false => Err(Refusal::File(io::Error::other("neither a file nor a link to one"))),
    };
    let mut row =
        Row { name: name.to_owned(), operations: None, answer: Word::Unknown, why: String::new() };
    let json = match examined {
        Ok((reading, finding)) => {
            row.operations = Some(reading.history.operations.len());
            (row.answer, row.why) = match &finding.validity {
                Validity::Valid => (Word::Valid, finding.check.clone()),
                Validity::Unknown { reason } => (Word::Unknown, reason.clone()),
                Validity::Invalid { witness } => (Word::Invalid, witness.sentence.clone()),
            };
            serde_json::to_value(Checked { file: name, answer: Answer::new(&reading, &finding) })
        }
        Err(refusal) => {
            row.why = refusal.to_string();
            if matches!(refusal, Refusal::NoHistory(_)) {
                row.answer = Word::NoHistory;
            }
            serde_json::to_value(Unchecked { file: name, result: row.answer, reason: &row.why })
        }
    };
    (row, json.unwrap_or_default())
}

impl Word {
    fn text(self) -> &'static str {
        match self {
            Word::NoHistory => "no history",
            Word::Valid => "valid",
            Word::Unknown => "unknown",
            Word::Invalid => "invalid",
        }
    }
}

/// How the table is laid out.
struct Table<'a> {
    folder: &'a Path,
    name_width: usize,
}

impl<'a> Table<'a> {
    fn new(folder: &'a Path, files: &[PathBuf]) -> Table<'a> {
        let mut table = Table { folder, name_width: NAME_MAX };
        let widest = files.iter().map(|file| columns(&table.name(file))).max().unwrap_or(0);
        table.name_width = widest.clamp("file".len(), NAME_MAX);
        table
    }

    /// The path within the folder.
    fn name(&self, file: &Path) -> String {
        plain(&file.strip_prefix(self.folder).unwrap_or(file).to_string_lossy())
    }

    fn head(&self) -> String {
        self.line("file", "operations", "answer", "why")
    }

    fn row(&self, row: &Row) -> String {
        let operations = row.operations.map_or("-".into(), |count| thousands(count as u64));
        self.line(&row.name, &operations, row.answer.text(), &plain(&row.why))
    }

    fn line(&self, name: &str, operations: &str, answer: &str, why: &str) -> String {
        let name = left(&fit_end(name, self.name_width), self.name_width);
        let line = format!("{name}  {}  {answer:10}  ", right(operations, 10));
        let room = WIDTH - columns(&line);
        line + &fit(why, room)
    }
}

/// The text in at most `width` columns; of a longer one the end, which says more of a path.
fn fit_end(text: &str, width: usize) -> String {
    if columns(text) <= width {
        return text.to_owned();
    }
    let fits = |start: &usize| columns(&text[*start..]) < width;
    let start = text.char_indices().map(|(start, _)| start).find(fits);
    format!("…{}", &text[start.unwrap_or(text.len())..])
}

/// How many files had each answer.
#[derive(Default)]
struct Counts {
    valid: usize,
    invalid: usize,
    unknown: usize,
    no_history: usize,
}

impl Counts {
    fn add(&mut self, answer: Word) {
        *match answer {
            Word::Valid => &mut self.valid,
            Word::Invalid => &mut self.invalid,
            Word::Unknown => &mut self.unknown,
            Word::NoHistory => &mut self.no_history,
        } += 1;
    }

    fn line(&self) -> String {
        let Counts { valid, invalid, unknown, no_history } = self;
        let files = count(valid + invalid + unknown + no_history, "file", "files");
        format!(
            "{files}: {valid} valid, {invalid} invalid, {unknown} unknown, {no_history} no history"
        )
    }

    /// The worst answer. What is no history has none to give.
    fn exit(&self) -> Exit {
        match self {
            Counts { invalid: 1.., .. } => Exit::Invalid,
            Counts { unknown: 1.., .. } => Exit::Unknown,
            Counts { valid: 1.., .. } => Exit::Valid,
            _ => Exit::BadArguments,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_fits_a_terminal() {
        let table = Table { folder: Path::new("f"), name_width: NAME_MAX };
        let row = Row {
            name: format!("deep/{}/ä history.edn", "folder/".repeat(9)),
            operations: Some(12_345_678),
            answer: Word::Invalid,
            why: "a sentence ".repeat(9),
        };
        let line = table.row(&row);
        assert_eq!(columns(&line), WIDTH, "{line}");
        assert!(line.starts_with('…') && line.contains("ä history.edn  12,345,678  invalid"));
        assert!(line.ends_with('…'), "{line}");
        let short =
            Row { name: "a.edn".into(), operations: None, answer: Word::Valid, why: "w".into() };
        assert!(table.row(&short).ends_with("          -  valid       w"), "{}", table.row(&short));
    }

    #[test]
    fn the_worst_answer_counts_and_no_history_is_none() {
        let exit = |answers: &[Word]| {
            let mut counts = Counts::default();
            answers.iter().for_each(|answer| counts.add(*answer));
            counts.exit()
        };
        assert_eq!(exit(&[Word::Valid, Word::NoHistory]), Exit::Valid);
        assert_eq!(exit(&[Word::Valid, Word::Unknown]), Exit::Unknown);
        assert_eq!(exit(&[Word::Unknown, Word::Invalid, Word::Valid]), Exit::Invalid);
        assert_eq!(exit(&[Word::NoHistory]), Exit::BadArguments);
        assert_eq!(exit(&[]), Exit::BadArguments);
    }
}

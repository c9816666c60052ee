//! A mistake as a person sees it: message, the line with its neighbours, what would be accepted.
//!
//! miette draws it. Lines of the file that are too long for 80 columns are shown around the
//! place; line and column numbers are those of the file.

use std::fmt;
use std::ops::Range;

use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteError,
    MietteSpanContents, SourceCode, SourceSpan, SpanContents,
};

use super::mistakes::Mistake;

const WIDTH: usize = 80;
/// Characters of a file's line that fit beside the line number.
const LINE_WIDTH: usize = 70;
/// Characters shown before the place if its line is too long.
const LEAD: usize = 24;

/// The whole text of one mistake, `WIDTH` columns wide.
pub fn mistake(mistake: &Mistake, colour: bool) -> String {
    let theme = if colour { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
    let handler = GraphicalReportHandler::new_themed(theme).with_width(WIDTH).with_links(false);
    let shown = Shown { mistake, excerpt: Excerpt::new(mistake) };
    let mut text = String::new();
    handler.render_report(&mut text, &shown).expect("writing to a string does not fail");
    text.lines().map(|line| line.trim_end().to_string() + "\n").collect()
}

/// A mistake in the terms of miette.
#[derive(Debug)]
struct Shown<'a> {
    mistake: &'a Mistake,
    excerpt: Excerpt,
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.mistake.message)
    }
}

impl std::error::Error for Shown<'_> {}

impl Diagnostic for Shown<'_> {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        let accepted = &self.mistake.accepted;
        let question = accepted.starts_with("did you mean");
        let prefix = if question { "" } else { "accepted: " };
        Some(Box::new(format!("{prefix}{accepted}")))
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.excerpt)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let label = LabeledSpan::new_primary_with_span(None, self.excerpt.label.clone());
        Some(Box::new(std::iter::once(label)))
    }
}

/// The line of a mistake and its neighbours, cut to fit.
#[derive(Debug)]
struct Excerpt {
    name: String,
    text: String,
    /// Bytes of `text` to underline.
    label: Range<usize>,
    /// Line number of the first line of `text`, from 0.
    first_line: usize,
    /// Place of the mistake in its file, from 0.
    line: usize,
    column: usize,
}

impl Excerpt {
    fn new(mistake: &Mistake) -> Excerpt {
        let place = &mistake.place;
        let (line, column) = (place.line() - 1, place.column() - 1);
        let first_line = line.saturating_sub(1);
        let length = place.line_text().chars().count();
        let skipped = column.saturating_sub(LEAD).min(length.saturating_sub(LINE_WIDTH));
        let marked = place.source.text[place.bytes.clone()].lines().next().unwrap_or("");

        let (mut text, mut label) = (String::new(), 0..0);
        for (number, original) in place.source.text.lines().enumerate().skip(first_line) {
            if number > line + 1 {
                break;
            }
            let shown = clip(original, if number == line { skipped } else { 0 });
            if number == line {
                label = label_bytes(&shown, column - skipped, marked.chars().count());
                label = label.start + text.len()..label.end + text.len();
            }
            text += &shown;
            text.push('\n');
        }
        if text.is_empty() {
            text.push('\n');
        }
        Excerpt { name: place.source.name.clone(), text, label, first_line, line, column }
    }
}

/// At most `LINE_WIDTH` characters of a line, with `…` for what is left out at either end.
fn clip(line: &str, skipped: usize) -> String {
    let mut shown: Vec<char> =
        line.chars().skip(skipped).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if shown.len() > LINE_WIDTH {
        shown.truncate(LINE_WIDTH - 1);
        shown.push('…');
    }
    if skipped > 0
        && let Some(first) = shown.first_mut()
    {
        *first = '…';
    }
    shown.into_iter().collect()
}

/// Bytes of `count` characters of `line` from the character `start` on, as far as there are any.
fn label_bytes(line: &str, start: usize, count: usize) -> Range<usize> {
    let byte = |character: usize| {
        line.char_indices().nth(character).map_or(line.len(), |(position, _)| position)
    };
    byte(start)..byte(start + count)
}

impl SourceCode for Excerpt {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        lines_before: usize,
        lines_after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        // miette asks for the span alone when it wants line and column for the header.
        let header = lines_before == 0 && lines_after == 0;
        let (bytes, line, column) = if header {
            (span.offset()..span.offset() + span.len(), self.line, self.column)
        } else {
            (0..self.text.len(), self.first_line, 0)
        };
        Ok(Box::new(MietteSpanContents::new_named(
            self.name.clone(),
            &self.text.as_bytes()[bytes.clone()],
            bytes.into(),
            line,
            column,
            self.text.lines().count(),
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::source::{Place, Source};

    fn render(text: &str, marked: &str) -> String {
        let start = text.find(marked).expect("the marked text is there");
        mistake(
            &Mistake {
                place: Place::new(&Source::new("w.yaml", text), start..start + marked.len()),
                message: "unknown field `keyz` in a workload".to_string(),
                accepted: "did you mean `keys`? Accepted: type, operations, keys, \
                           writes-per-key, clients, rate, timeout, phases, check"
                    .to_string(),
            },
            false,
        )
    }

    #[test]
    fn a_mistake_at_80_columns() {
        let expected = "  \
  × unknown field `keyz` in a workload
   ╭─[w.yaml:2:1]
 1 │ type: register
 2 │ keyz: 10
   · ────
 3 │ clients: 3
   ╰────
  help: did you mean `keys`? Accepted: type, operations, keys, writes-per-key,
        clients, rate, timeout, phases, check
";
        assert_eq!(render("type: register\nkeyz: 10\nclients: 3\n", "keyz"), expected);
    }

    #[test]
    fn a_long_line_is_shown_around_the_place() {
        let text = format!("start: {}{{node}}{} end\n", "a".repeat(90), "b".repeat(90));
        let rendered = render(&text, "{node}");
        assert!(rendered.contains("[w.yaml:1:98]"), "{rendered}");
        assert!(rendered.contains(&format!("…{}{{node}}bbb", "a".repeat(23))), "{rendered}");
        let lines: Vec<&str> = rendered.lines().collect();
        let column = |needle| {
            let line = lines.iter().find(|line| line.contains(needle)).expect("a line");
            line[..line.find(needle).expect("found above")].chars().count()
        };
        assert_eq!(column("{node}"), column("──────\u{0}".trim_end_matches('\u{0}')));
    }

    #[test]
    fn nothing_is_wider_than_80_columns() {
        for text in ["x".repeat(300), format!("{}x", " ".repeat(200)), "y x".repeat(99)] {
            for line in render(&text, "x").lines() {
                assert!(line.chars().count() <= WIDTH, "{line}");
            }
        }
    }

    #[test]
    fn places_at_the_end_of_a_text_or_in_an_empty_one_are_shown() {
        for text in ["", "a: 1", "a: 1\n", "a:\n\n"] {
            let end = text.len();
            let place = Place::new(&Source::new("w.yaml", text), end..end);
            let header = format!("[w.yaml:{}:{}]", place.line(), place.column());
            let mistake = Mistake { place, message: "m".to_string(), accepted: "a".to_string() };
            let rendered = super::mistake(&mistake, false);
            assert!(rendered.contains(&header), "{text:?}: {rendered}");
        }
    }
}

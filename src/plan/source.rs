//! Texts that a person wrote, and places in them.

use std::ops::Range;
use std::sync::Arc;

/// A file that was read, or the command line.
#[derive(Debug, PartialEq, Eq)]
pub struct Source {
    /// As the person named it: a path, `built-in workload register`, `command line`.
    pub name: String,
    pub text: String,
}

impl Source {
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Arc<Source> {
        Arc::new(Source { name: name.into(), text: text.into() })
    }
}

/// A stretch of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub source: Arc<Source>,
    /// Bytes of the source's text.
    pub bytes: Range<usize>,
}

impl Place {
    /// The bytes are moved to where there is text and to borders of characters, so that a place
    /// can be shown whatever a parser said.
    pub fn new(source: &Arc<Source>, bytes: Range<usize>) -> Place {
        let text = &source.text;
        let border = |mut at: usize| {
            while !text.is_char_boundary(at) {
                at -= 1;
            }
            at
        };
        let start = border(bytes.start.min(text.len()));
        let end = border(bytes.end.clamp(start, text.len()));
        Place { source: Arc::clone(source), bytes: start..end }
    }

    /// Line number from 1.
    pub fn line(&self) -> usize {
        self.source.text[..self.bytes.start].matches('\n').count() + 1
    }

    /// Column from 1, in characters.
    pub fn column(&self) -> usize {
        self.source.text[self.line_start()..self.bytes.start].chars().count() + 1
    }

    /// Byte where the line of this place begins.
    pub fn line_start(&self) -> usize {
        self.source.text[..self.bytes.start].rfind('\n').map_or(0, |newline| newline + 1)
    }

    /// The whole line of this place, without its end.
    pub fn line_text(&self) -> &str {
        self.source.text[self.line_start()..].lines().next().unwrap_or("")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_columns_count_from_one_and_in_characters() {
        let source = Source::new("file", "one\nzwölf: x\n");
        let place = Place::new(&source, 12..13);
        assert_eq!((place.line(), place.column()), (2, 8));
        assert_eq!(&source.text[place.bytes.clone()], "x");
        assert_eq!(place.line_text(), "zwölf: x");
    }

    #[test]
    fn a_place_is_always_within_the_text() {
        let source = Source::new("file", "ö");
        assert_eq!(Place::new(&source, 1..9).bytes, 0..2);
        assert_eq!(Place::new(&source, 7..9).bytes, 2..2);
        assert_eq!(Place::new(&Source::new("file", ""), 0..1).line_text(), "");
    }
}

//! What is wrong with what the user wrote: all of it at once, each with its place and what would
//! be accepted instead.

use std::fmt;

use serde_json::json;

use super::render;
use super::source::Place;

/// One thing that does not fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    pub place: Place,
    /// What is wrong, without the place.
    pub message: String,
    /// What would be accepted, and what to do.
    pub accepted: String,
}

/// All mistakes of a request; nothing has been started.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mistakes(Vec<Mistake>);

impl Mistakes {
    /// Sorted by file and place; the same mistake is told once.
    pub fn new(mut mistakes: Vec<Mistake>) -> Mistakes {
        mistakes.sort_by(|a, b| {
            let key = |mistake: &Mistake| (mistake.place.bytes.start, mistake.place.bytes.end);
            a.place.source.name.cmp(&b.place.source.name).then(key(a).cmp(&key(b)))
        });
        mistakes.dedup();
        Mistakes(mistakes)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn iter(&self) -> std::slice::Iter<'_, Mistake> {
        self.0.iter()
    }

    /// For a person: every mistake with its line and what would be accepted, 80 columns wide.
    pub fn render(&self, colour: bool) -> String {
        let mut text: String =
            self.0.iter().map(|mistake| render::mistake(mistake, colour) + "\n").collect();
        text += &match self.len() {
            1 => "1 mistake; nothing was started.\n".to_string(),
            number => format!("{number} mistakes; nothing was started.\n"),
        };
        text
    }

    /// For a program: a list of objects with file, line, column, length (characters), snippet
    /// (the line), message and accepted.
    pub fn to_json(&self) -> serde_json::Value {
        self.0
            .iter()
            .map(|Mistake { place, message, accepted }| {
                json!({
                    "file": place.source.name,
                    "line": place.line(),
                    "column": place.column(),
                    "length": place.source.text[place.bytes.clone()].chars().count(),
                    "snippet": place.line_text(),
                    "message": message,
                    "accepted": accepted,
                })
            })
            .collect()
    }
}

impl From<Mistake> for Mistakes {
    fn from(mistake: Mistake) -> Mistakes {
        Mistakes::new(vec![mistake])
    }
}

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for Mistakes {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::source::Source;

    fn mistake(file: &str, start: usize, message: &str) -> Mistake {
        Mistake {
            place: Place::new(&Source::new(file, "type: register\nkeyz: 3\n"), start..start + 4),
            message: message.to_string(),
            accepted: "keys".to_string(),
        }
    }

    #[test]
    fn sorted_by_file_and_place_and_told_once() {
        let mistakes = Mistakes::new(vec![
            mistake("b.yaml", 0, "second file"),
            mistake("a.yaml", 15, "later"),
            mistake("a.yaml", 0, "sooner"),
            mistake("a.yaml", 15, "later"),
        ]);
        let messages: Vec<&str> = mistakes.iter().map(|m| m.message.as_str()).collect();
        assert_eq!(messages, ["sooner", "later", "second file"]);
        assert!(mistakes.to_string().ends_with("3 mistakes; nothing was started.\n"));
    }

    #[test]
    fn colours_only_when_asked_for() {
        let mistakes = Mistakes::from(mistake("a.yaml", 15, "unknown field `keyz`"));
        assert!(mistakes.render(true).contains('\u{1b}'));
        assert!(!mistakes.render(false).contains('\u{1b}'));
    }

    #[test]
    fn as_json() {
        let mistakes = Mistakes::from(mistake("a.yaml", 15, "unknown field `keyz`"));
        let expected = json!([{
            "file": "a.yaml", "line": 2, "column": 1, "length": 4, "snippet": "keyz: 3",
            "message": "unknown field `keyz`", "accepted": "keys",
        }]);
        assert_eq!(mistakes.to_json(), expected);
    }
}

//! Reading the tree of a YAML file: maps with known fields, texts, numbers, durations.
//!
//! A [`Reader`] goes on after a mistake, so that all mistakes of a file are found at once.

use std::cell::RefCell;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use super::document::{Entry, Kind, Node};
use super::duration;
use super::mistakes::Mistake;
use super::names::instead_of;
use super::source::{Place, Source};

/// What a map may hold: the name of each field and how it looks.
pub struct Schema<'a> {
    /// For a sentence: `a workload`.
    pub what: &'a str,
    pub fields: &'a [(&'a str, &'a str)],
}

impl<'a> Schema<'a> {
    pub fn names(&self) -> impl Iterator<Item = &'a str> {
        self.fields.iter().map(|(name, _)| *name)
    }

    fn example(&self, name: &str) -> &'a str {
        self.fields.iter().find(|(field, _)| *field == name).map_or("", |(_, example)| example)
    }
}

/// Reads one source and collects its mistakes.
pub struct Reader {
    pub source: Arc<Source>,
    mistakes: RefCell<Vec<Mistake>>,
}

/// A map whose fields have been checked against a [`Schema`].
pub struct Fields<'a> {
    reader: &'a Reader,
    schema: &'a Schema<'a>,
    /// Where a missing field is reported.
    head: Range<usize>,
    entries: &'a [Entry],
}

impl Reader {
    pub fn new(source: &Arc<Source>) -> Reader {
        Reader { source: Arc::clone(source), mistakes: RefCell::default() }
    }

    pub fn into_mistakes(self) -> Vec<Mistake> {
        self.mistakes.into_inner()
    }

    pub fn place(&self, bytes: &Range<usize>) -> Place {
        Place::new(&self.source, bytes.clone())
    }

    /// Takes note of a mistake.
    pub fn refuse(
        &self,
        bytes: &Range<usize>,
        message: impl Into<String>,
        accepted: impl Into<String>,
    ) {
        self.mistakes.borrow_mut().push(Mistake {
            place: self.place(bytes),
            message: message.into(),
            accepted: accepted.into(),
        });
    }

    /// Takes note of a value of the wrong kind.
    fn refuse_kind(&self, node: &Node, what: &str, wanted: &str, example: &str) {
        let message = match node.kind {
            Kind::Null => format!("{what} has no value"),
            _ => format!("{what} is {}, not {wanted}", node.describe()),
        };
        self.refuse(&node.bytes, message, format!("`{example}`"));
    }

    /// The fields of a map; unknown fields and duplicates are mistakes. `head` is where a
    /// missing field is reported.
    pub fn fields<'a>(
        &'a self,
        node: &'a Node,
        head: &Range<usize>,
        schema: &'a Schema<'a>,
    ) -> Option<Fields<'a>> {
        let entries = self.entries(node, schema.what, &schema.names().collect::<Vec<_>>())?;
        for entry in entries {
            if !schema.names().any(|name| name == entry.key) {
                self.refuse(
                    &entry.key_bytes,
                    format!("unknown field `{}` in {}", entry.key, schema.what),
                    instead_of(&entry.key, schema.names()),
                );
            }
        }
        Some(Fields { reader: self, schema, head: head.clone(), entries })
    }

    /// The entries of a map with free keys; duplicates are mistakes. `names` are for the help.
    pub fn entries<'a>(&self, node: &'a Node, what: &str, names: &[&str]) -> Option<&'a [Entry]> {
        let Kind::Map(entries) = &node.kind else {
            let accepted = format!("a map with {}", names.join(", "));
            self.refuse(&node.bytes, format!("{what} is {}, not a map", node.describe()), accepted);
            return None;
        };
        for (position, entry) in entries.iter().enumerate() {
            if entries[..position].iter().any(|earlier| earlier.key == entry.key) {
                self.refuse(
                    &entry.key_bytes,
                    format!("`{}` is written twice in {what}", entry.key),
                    "each key once; delete one of the two",
                );
            }
        }
        Some(entries)
    }

    /// The items of a list that is not empty.
    pub fn list<'a>(&self, node: &'a Node, what: &str, example: &str) -> Option<&'a [Node]> {
        match &node.kind {
            Kind::List(items) if items.is_empty() => {
                self.refuse(&node.bytes, format!("{what} is empty"), format!("`{example}`"));
                None
            }
            Kind::List(items) => Some(items),
            _ => {
                self.refuse_kind(node, what, "a list", example);
                None
            }
        }
    }

    /// A scalar as it was written: `4` and `true` too are texts where a text is wanted.
    pub fn text(&self, node: &Node, what: &str, example: &str) -> Option<String> {
        match &node.kind {
            Kind::Text(text) if text.is_empty() => {
                self.refuse(&node.bytes, format!("{what} is empty"), format!("`{example}`"));
                None
            }
            Kind::Text(text) => Some(text.clone()),
            Kind::Number(_) | Kind::Bool(_) => {
                Some(self.source.text[node.bytes.clone()].trim().to_string())
            }
            _ => {
                self.refuse_kind(node, what, "a text", example);
                None
            }
        }
    }

    /// A whole number from 0 to `most`. Zero is for the caller to judge.
    pub fn count(&self, node: &Node, what: &str, most: u64, example: &str) -> Option<u64> {
        let Kind::Number(number) = &node.kind else {
            self.refuse_kind(node, what, "a whole number", example);
            return None;
        };
        let written = &self.source.text[node.bytes.clone()];
        let problem = match number.as_u64() {
            Some(count) if count <= most => return Some(count),
            Some(_) => format!("{what} of {written} is too large"),
            None if number.as_f64().is_some_and(|number| number < 0.0) => {
                format!("{what} of {written} is negative")
            }
            None => format!("{what} of {written} is not a whole number"),
        };
        self.refuse(&node.bytes, problem, format!("a whole number up to {most}: `{example}`"));
        None
    }

    /// A duration with its unit.
    pub fn duration(&self, node: &Node, what: &str, example: &str) -> Option<Duration> {
        let written = self.text(node, what, example)?;
        match duration::parse(&written) {
            Ok(duration) => Some(duration),
            Err(error) => {
                self.refuse(&node.bytes, format!("{what}: {error}"), error.accepted());
                None
            }
        }
    }

    /// One of a few known words.
    pub fn word<T: Copy>(&self, node: &Node, what: &str, known: &[(&str, T)]) -> Option<T> {
        let words = || known.iter().map(|(word, _)| *word);
        let written = self.text(node, what, known.first().map_or("", |(word, _)| word))?;
        let found = known.iter().find(|(word, _)| *word == written).map(|(_, value)| *value);
        if found.is_none() {
            let message = format!("unknown {what} `{written}`");
            self.refuse(&node.bytes, message, instead_of(&written, words()));
        }
        found
    }
}

impl<'a> Fields<'a> {
    /// The entry of a field, if it is there.
    pub fn get(&self, name: &str) -> Option<&'a Entry> {
        debug_assert!(self.schema.names().any(|field| field == name), "`{name}` is in no schema");
        self.entries.iter().find(|entry| entry.key == name)
    }

    /// The entry of a field; that it is missing is a mistake.
    pub fn require(&self, name: &str) -> Option<&'a Entry> {
        let entry = self.get(name);
        if entry.is_none() {
            self.reader.refuse(
                &self.head,
                format!("`{name}` is missing in {}", self.schema.what),
                format!("`{name}: {}`", self.schema.example(name)),
            );
        }
        entry
    }

    /// How a field looks.
    pub fn example(&self, name: &str) -> &'a str {
        self.schema.example(name)
    }

    /// All entries in the order of the file.
    pub fn all(&self) -> &'a [Entry] {
        self.entries
    }
}

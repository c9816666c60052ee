//! A YAML file as a tree that knows where every key and every value was written.
//!
//! Keys are kept in the order of the file and duplicates are kept too, so that whoever reads the
//! tree can refuse them with the place of each. Anchors and aliases are resolved, to the place
//! of the definition; merge keys (`<<`) are ordinary keys here.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_yaml::options::{DuplicateKeyPolicy, MergeKeyPolicy, NonFiniteFloatPolicy};
use serde_yaml::{Location, Spanned};

use super::mistakes::Mistake;
use super::source::{Place, Source};

/// A value and the bytes of the source where it was written.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    pub bytes: Range<usize>,
    pub kind: Kind,
}

/// What a value is.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    Null,
    Bool(bool),
    Number(serde_json::Number),
    Text(String),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// A key with its value.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    pub key: String,
    pub key_bytes: Range<usize>,
    pub value: Node,
}

impl Node {
    /// What a value is, for a sentence: `a list`.
    pub fn describe(&self) -> &'static str {
        match self.kind {
            Kind::Null => "nothing",
            Kind::Bool(_) => "a boolean",
            Kind::Number(_) => "a number",
            Kind::Text(_) => "a text",
            Kind::List(_) => "a list",
            Kind::Map(_) => "a map",
        }
    }

    /// The value without its places. A key that occurs twice keeps its last value.
    pub fn to_json(&self) -> serde_json::Value {
        use serde_json::Value;
        match &self.kind {
            Kind::Null => Value::Null,
            Kind::Bool(value) => Value::Bool(*value),
            Kind::Number(value) => Value::Number(value.clone()),
            Kind::Text(value) => Value::String(value.clone()),
            Kind::List(items) => items.iter().map(Node::to_json).collect(),
            Kind::Map(entries) => Value::Object(
                entries.iter().map(|entry| (entry.key.clone(), entry.value.to_json())).collect(),
            ),
        }
    }

    /// Where the value at the end of a path was written; list items are named by their number
    /// from 0. As far as the path exists: the last step that does, its key if it has one.
    pub fn find(&self, path: &[String]) -> Range<usize> {
        let (mut node, mut bytes) = (self, self.bytes.clone());
        for step in path {
            match &node.kind {
                Kind::Map(entries) => match entries.iter().find(|entry| entry.key == *step) {
                    Some(entry) => (node, bytes) = (&entry.value, entry.key_bytes.clone()),
                    None => return bytes,
                },
                Kind::List(items) => match step.parse().ok().and_then(|i: usize| items.get(i)) {
                    Some(item) => (node, bytes) = (item, item.bytes.clone()),
                    None => return bytes,
                },
                _ => return bytes,
            }
        }
        match node.kind {
            Kind::List(_) | Kind::Map(_) => bytes,
            _ => node.bytes.clone(),
        }
    }
}

/// Reads a YAML text; a text that does not parse is one mistake with its place.
pub fn parse(source: &Arc<Source>) -> Result<Node, Box<Mistake>> {
    let options = serde_yaml::options! {
        duplicate_keys: DuplicateKeyPolicy::LastWins,
        merge_keys: MergeKeyPolicy::AsOrdinary,
        non_finite_float_policy: NonFiniteFloatPolicy::AsString,
        strict_booleans: true,
        reject_unsupported_tags: true,
        with_snippet: false,
    };
    let mut root: Node = serde_yaml::from_str_with_options(&source.text, options)
        .map_err(|error| Box::new(does_not_parse(source, &error)))?;
    extend_collections(&mut root, &source.text);
    Ok(root)
}

/// The parser's place of a list or map is where it begins; this gives it its end.
fn extend_collections(node: &mut Node, text: &str) {
    let children: Vec<&mut Node> = match &mut node.kind {
        Kind::List(items) => items.iter_mut().collect(),
        Kind::Map(entries) => entries.iter_mut().map(|entry| &mut entry.value).collect(),
        _ => return,
    };
    for child in children {
        extend_collections(child, text);
        // An alias stands where its definition is, which may be before the collection.
        node.bytes.end = node.bytes.end.max(child.bytes.end);
    }
    let closing = match text.as_bytes().get(node.bytes.start) {
        Some(b'[') => ']',
        Some(b'{') => '}',
        _ => return,
    };
    if let Some(distance) = text[node.bytes.end..].find(closing) {
        node.bytes.end += distance + 1;
    }
}

/// The mistake of a YAML text that the parser or a deserialiser refused.
pub fn does_not_parse(source: &Arc<Source>, error: &serde_yaml::Error) -> Mistake {
    let plain = serde_yaml::render_options! {
        formatter: &serde_yaml::UserMessageFormatter,
        snippets: serde_yaml::SnippetMode::Off,
    };
    let mut message = error.without_snippet().render_with_options(plain);
    let mut start = 0;
    if let Some(location) = error.location() {
        let suffix = format!(" at line {}, column {}", location.line(), location.column());
        message = message.replace(&suffix, "");
        start = byte_at(&source.text, location.line() as usize, location.column() as usize);
    }
    let rest = &source.text[start..];
    let length = rest.find(char::is_whitespace).unwrap_or(rest.len());
    Mistake {
        place: Place::new(source, start..start + length),
        message: format!("not readable as YAML: {message}"),
        accepted: "one valid YAML document; the cause may be a line earlier: a missing bracket, \
                   quote or colon, or the indentation"
            .to_string(),
    }
}

/// The byte at a line and a column, both from 1, as far as the text reaches.
fn byte_at(text: &str, line: usize, column: usize) -> usize {
    let line = line.saturating_sub(1);
    let start: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
    let within = text[start..].char_indices().nth(column.saturating_sub(1));
    within.map_or(text.len(), |(offset, _)| start + offset)
}

fn bytes_of(location: Location) -> Range<usize> {
    let start = location.span().byte_offset().unwrap_or(0) as usize;
    start..start + location.span().byte_len().unwrap_or(0) as usize
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<Kind>::deserialize(deserializer)?;
        Ok(Node { bytes: bytes_of(spanned.defined), kind: spanned.value })
    }
}

impl<'de> Deserialize<'de> for Kind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(KindVisitor)
    }
}

struct KindVisitor;

impl<'de> Visitor<'de> for KindVisitor {
    type Value = Kind;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a text, number, boolean, list or map")
    }

    fn visit_unit<E>(self) -> Result<Kind, E> {
        Ok(Kind::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Kind, E> {
        Ok(Kind::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Kind, E> {
        Ok(Kind::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Kind, E> {
        Ok(Kind::Number(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Kind, E> {
        serde_json::Number::from_f64(value)
            .map(Kind::Number)
            .ok_or_else(|| E::custom("a number that is not finite"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Kind, E> {
        Ok(Kind::Text(value.to_string()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Kind, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Kind::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Kind, A::Error> {
        let mut map = Vec::new();
        while let Some(key) = entries.next_key::<Spanned<String>>()? {
            map.push(Entry {
                key_bytes: bytes_of(key.defined),
                key: key.value,
                value: entries.next_value()?,
            });
        }
        Ok(Kind::Map(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root(text: &str) -> Node {
        parse(&Source::new("file", text)).expect("parses")
    }

    fn entries(node: &Node) -> &[Entry] {
        match &node.kind {
            Kind::Map(entries) => entries,
            other => panic!("not a map: {other:?}"),
        }
    }

    #[test]
    fn every_key_and_value_knows_its_bytes() {
        let text = "a: 1\nöä: 'x y'\nc: { d: e, f: [ 1, -3 ] } # note\ng: >\n  folded\n  text\n";
        let root = root(text);
        let shown: Vec<(&str, &str)> = entries(&root)
            .iter()
            .map(|entry| (&text[entry.key_bytes.clone()], &text[entry.value.bytes.clone()]))
            .collect();
        let expected = [
            ("a", "1"),
            ("öä", "'x y'"),
            ("c", "{ d: e, f: [ 1, -3 ] }"),
            ("g", "folded\n  text\n"),
        ];
        assert_eq!(shown, expected);
    }

    #[test]
    fn all_duplicate_keys_are_kept() {
        let root = root("a: 1\nb: 2\na: 3\nb: { c: 1, c: 2 }\n");
        let keys: Vec<&str> = entries(&root).iter().map(|entry| entry.key.as_str()).collect();
        assert_eq!(keys, ["a", "b", "a", "b"]);
        assert_eq!(entries(&entries(&root)[3].value).len(), 2);
    }

    #[test]
    fn only_true_and_false_are_booleans() {
        let json = root("[on, yes, true, 1e3, 0x10, ~, '5', .inf]").to_json();
        assert_eq!(json, serde_json::json!(["on", "yes", true, 1000.0, 16, null, "5", ".inf"]));
    }

    #[test]
    fn a_path_leads_to_the_key_of_a_map_and_to_the_text_of_a_value() {
        let text = "http:\n  read: { method: GETT }\n  codes: [200, 404]\n";
        let root = root(text);
        let find = |path: &[&str]| {
            let path: Vec<String> = path.iter().map(|step| step.to_string()).collect();
            &text[root.find(&path)]
        };
        assert_eq!(find(&["http", "read", "method"]), "GETT");
        assert_eq!(find(&["http", "read"]), "read");
        assert_eq!(find(&["http", "read", "absent"]), "read");
        assert_eq!(find(&["http", "codes", "1"]), "404");
    }

    #[test]
    fn what_does_not_parse_is_placed() {
        for (text, line, column, message) in [
            ("a: [1, 2", 1, 4, "unclosed bracket"),
            ("a: b: c", 1, 5, "mapping values are not allowed"),
            ("a:\n\t- b", 2, 2, "tabs"),
            ("a: 1\n---\nb: 2", 3, 1, "multiple"),
            ("x: !shape 5", 1, 11, "tag"),
            ("a: *nowhere", 1, 4, "unknown"),
        ] {
            let mistake = parse(&Source::new("file", text)).expect_err(text);
            assert_eq!((mistake.place.line(), mistake.place.column()), (line, column), "{text}");
            assert!(mistake.message.contains(message), "{text}: {}", mistake.message);
            assert!(!mistake.message.contains("at line"), "{}", mistake.message);
        }
    }
}

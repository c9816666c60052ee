//! Reads a section of the target YAML field by field and keeps every mistake with its place.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};

/// Something that does not fit, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// From the top of the driver's section: `["read", "value", "pointer"]`.
    pub path: Vec<String>,
    /// What is wrong.
    pub message: String,
    /// What would be accepted in its place.
    pub accepted: String,
}

impl std::fmt::Display for Mistake {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}; accepted: {}", self.path.join("."), self.message, self.accepted)
    }
}

/// A map of the section, of which every field has to be asked for.
pub struct Section<'a> {
    fields: BTreeMap<&'a str, &'a Json>,
    path: Vec<String>,
    known: Vec<&'static str>,
}

impl<'a> Section<'a> {
    /// The map at `path`; something else is a mistake.
    pub fn new(json: &'a Json, path: Vec<String>, mistakes: &mut Vec<Mistake>) -> Option<Self> {
        match json {
            Json::Object(map) => Some(Section::of_map(map, path)),
            other => {
                let message = format!("a map is needed here, not {}", kind_of(other));
                mistakes.push(Mistake { path, message, accepted: "a map of fields".to_string() });
                None
            }
        }
    }

    fn of_map(map: &'a Map<String, Json>, path: Vec<String>) -> Self {
        let fields = map.iter().map(|(name, value)| (name.as_str(), value)).collect();
        Section { fields, path, known: Vec::new() }
    }

    /// The place of a field.
    pub fn path(&self, field: &str) -> Vec<String> {
        self.path.iter().cloned().chain([field.to_string()]).collect()
    }

    /// The place of the section itself.
    pub fn own_path(&self) -> &[String] {
        &self.path
    }

    /// An optional field.
    pub fn take(&mut self, field: &'static str) -> Option<&'a Json> {
        self.known.push(field);
        self.fields.remove(field)
    }

    /// A field that has to be there.
    pub fn require(
        &mut self,
        field: &'static str,
        accepted: &str,
        mistakes: &mut Vec<Mistake>,
    ) -> Option<&'a Json> {
        let found = self.take(field);
        if found.is_none() {
            mistakes.push(Mistake {
                path: self.path.clone(),
                message: format!("`{field}` is missing"),
                accepted: format!("{field}: {accepted}"),
            });
        }
        found
    }

    /// An optional field that is a string.
    pub fn take_text(
        &mut self,
        field: &'static str,
        accepted: &str,
        mistakes: &mut Vec<Mistake>,
    ) -> Option<&'a str> {
        let found = self.take(field)?;
        let text = found.as_str();
        if text.is_none() {
            mistakes.push(self.not_accepted(field, found, accepted));
        }
        text
    }

    /// The mistake that a field's value is none of what is accepted.
    pub fn not_accepted(&self, field: &str, found: &Json, accepted: &str) -> Mistake {
        Mistake {
            path: self.path(field),
            message: format!("`{found}` does not fit `{field}`"),
            accepted: accepted.to_string(),
        }
    }

    /// What was never asked for is unknown.
    pub fn finish(self, mistakes: &mut Vec<Mistake>) {
        for field in self.fields.keys() {
            mistakes.push(Mistake {
                path: self.path(field),
                message: format!("unknown field `{field}`"),
                accepted: self.known.join(", "),
            });
        }
    }
}

/// What a value is, for messages.
fn kind_of(json: &Json) -> &'static str {
    match json {
        Json::Null => "nothing",
        Json::Bool(_) => "a boolean",
        Json::Number(_) => "a number",
        Json::String(_) => "a string",
        Json::Array(_) => "a list",
        Json::Object(_) => "a map",
    }
}

/// A JSON pointer (RFC 6901): empty, or starting with a slash.
pub fn is_pointer(text: &str) -> bool {
    text.is_empty() || text.starts_with('/')
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn unknown_fields_are_mistakes_with_a_place() {
        let json = json!({"url": "x", "metod": "GET"});
        let mut mistakes = Vec::new();
        let mut section = Section::new(&json, vec!["read".to_string()], &mut mistakes).unwrap();
        section.take("url");
        section.take("method");
        section.finish(&mut mistakes);
        assert_eq!(mistakes.len(), 1);
        assert_eq!(mistakes[0].path, ["read", "metod"]);
        assert_eq!(mistakes[0].accepted, "url, method");
    }
}

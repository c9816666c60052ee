//! Placeholders in a recipe's commands, files and probes: `{ip}`, `{NAME}`, `{{` and `}}`.

use std::collections::BTreeMap;
use std::ops::Range;

use super::document::Node;
use super::fields::Reader;
use super::names::instead_of;

/// Placeholders of one node that are known before the run.
const OF_A_NODE: [&str; 3] = ["node", "index", "ip"];
/// The node's data folder; the run fills it in.
const DATA: &str = "data";
/// The splitbrain binary; the run fills it in.
const SELF: &str = "self";

/// Whether a setting or a list cannot have that name.
pub fn is_reserved(name: &str) -> bool {
    OF_A_NODE.contains(&name) || name == DATA || name == SELF
}

/// Which placeholders a template may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// A command, file or probe of one node: all of them.
    Node,
    /// The piece of a list for one node: no `{data}`, which is a path of that node only.
    Piece,
    /// What is run once for the whole cluster: `{self}`, settings and lists.
    Cluster,
}

impl Scope {
    fn built_in(self) -> Vec<&'static str> {
        let node = OF_A_NODE.to_vec();
        match self {
            Scope::Node => [node, vec![DATA, SELF]].concat(),
            Scope::Piece => [node, vec![SELF]].concat(),
            Scope::Cluster => vec![SELF],
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
enum Piece {
    Text(String),
    Placeholder(String),
}

/// A text whose placeholders are all known.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Template(Vec<Piece>);

impl Template {
    /// Takes a text apart. `names` are the settings and lists that it may use.
    pub fn read(
        reader: &Reader,
        node: &Node,
        what: &str,
        scope: Scope,
        names: &[String],
    ) -> Option<Template> {
        let text = reader.text(node, what, "sh -c command")?;
        let pieces = match split(&text) {
            Ok(pieces) => pieces,
            Err(part) => {
                reader.refuse(
                    &find(reader, node, &part),
                    format!("a brace in {what} that is no placeholder: `{part}`"),
                    "`{NAME}` for a placeholder, `{{` and `}}` for the braces themselves",
                );
                return None;
            }
        };
        let mut known = scope.built_in();
        known.extend(names.iter().map(String::as_str));
        let mut complete = true;
        for piece in &pieces {
            if let Piece::Placeholder(name) = piece
                && !known.contains(&name.as_str())
            {
                reader.refuse(
                    &find(reader, node, &format!("{{{name}}}")),
                    format!("unknown placeholder `{{{name}}}` in {what}"),
                    instead_of(name, known.iter().copied())
                        + &format!("; `{{{{{name}}}}}` for the braces themselves"),
                );
                complete = false;
            }
        }
        complete.then_some(Template(pieces))
    }

    /// Whether it has that placeholder.
    pub fn uses(&self, name: &str) -> bool {
        self.0.iter().any(|piece| matches!(piece, Piece::Placeholder(used) if used == name))
    }

    /// The text with every value filled in; `{data}` and `{self}` stay for the run.
    pub fn fill(&self, values: &BTreeMap<String, String>) -> String {
        self.0
            .iter()
            .map(|piece| match piece {
                Piece::Text(text) => text.clone(),
                Piece::Placeholder(name) => {
                    values.get(name).cloned().unwrap_or_else(|| format!("{{{name}}}"))
                }
            })
            .collect()
    }
}

/// Where a part of a text was written; the whole text if the file writes it in another way.
fn find(reader: &Reader, node: &Node, part: &str) -> Range<usize> {
    match reader.source.text[node.bytes.clone()].find(part) {
        Some(offset) => {
            let start = node.bytes.start + offset;
            start..start + part.len()
        }
        None => node.bytes.clone(),
    }
}

/// Splits at placeholders. An error is the part of the text with a brace that fits nowhere,
/// or with an escaped `{{data}}`, which the run could not tell from a placeholder.
fn split(text: &str) -> Result<Vec<Piece>, String> {
    let (mut pieces, mut literal, mut rest) = (Vec::new(), String::new(), text);
    while let Some(position) = rest.find(['{', '}']) {
        literal += &rest[..position];
        rest = &rest[position..];
        for reserved in ["{{data}}", "{{self}}"] {
            if rest.starts_with(reserved) {
                return Err(reserved.to_string());
            }
        }
        if rest.starts_with("{{") || rest.starts_with("}}") {
            literal += &rest[..1];
            rest = &rest[2..];
            continue;
        }
        let end = rest.find('}').unwrap_or(rest.len());
        let name = rest[..end].trim_start_matches('{');
        let is_name = |name: &str| {
            !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || "-_.".contains(c))
        };
        if !rest.starts_with('{') || end == rest.len() || !is_name(name) {
            return Err(rest.chars().take_while(|c| *c != '\n').take(12).collect());
        }
        pieces.push(Piece::Text(std::mem::take(&mut literal)));
        pieces.push(Piece::Placeholder(name.to_string()));
        rest = &rest[end + 1..];
    }
    pieces.push(Piece::Text(literal + rest));
    Ok(pieces)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(text: &str) -> String {
        let values = [("ip", "10.77.0.1"), ("read", "serializable")];
        let values = values.map(|(name, value)| (name.to_string(), value.to_string())).into();
        Template(split(text).expect("splits")).fill(&values)
    }

    #[test]
    fn placeholders_and_braces() {
        assert_eq!(fill("{ip}:80 {read}"), "10.77.0.1:80 serializable");
        assert_eq!(fill("{{\"a\": {{}}}} ${{HOME}}"), "{\"a\": {}} ${HOME}");
        assert_eq!(fill("{{{ip}}}"), "{10.77.0.1}");
        assert_eq!(fill("{self} --data {data}"), "{self} --data {data}");
        assert_eq!(fill("no braces"), "no braces");
    }

    #[test]
    fn braces_that_fit_nowhere() {
        for (text, part) in [
            ("a {", "{"),
            ("a } b", "} b"),
            ("{\"a\": 1}", "{\"a\": 1}"),
            ("echo {} x", "{} x"),
            ("{{data}}", "{{data}}"),
        ] {
            assert_eq!(split(text), Err(part.to_string()), "{text}");
        }
    }
}

//! Text with placeholders: `{key}`, `{value|base64}`, `{{` and `}}` for braces.
//!
//! A template is compiled once. Settings and variables are known by then and become constants;
//! what an operation brings (key, values, node) stays a slot that every request fills anew.

use std::collections::BTreeMap;
use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value as Json;
use splitbrain_checkers::history::Value;

use crate::driver::Node;

/// What a request fills in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Slot {
    Key,
    Value,
    Expected,
    New,
    Ip,
    /// `IP:PORT`. Known only if the section says `port`.
    Address,
    Node,
    Index,
}

impl Slot {
    pub fn name(self) -> &'static str {
        match self {
            Slot::Key => "key",
            Slot::Value => "value",
            Slot::Expected => "expected",
            Slot::New => "new",
            Slot::Ip => "ip",
            Slot::Address => "address",
            Slot::Node => "node",
            Slot::Index => "index",
        }
    }

    /// Whether it comes from the operation; such text is percent-encoded inside a URL.
    fn is_data(self) -> bool {
        matches!(self, Slot::Key | Slot::Value | Slot::Expected | Slot::New)
    }
}

/// How a placeholder's text is written: `{key|base64}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Filter {
    /// None given: the type is kept where the placeholder stands alone in a body, and data are
    /// percent-encoded in a URL.
    Plain,
    /// As it is, always as text.
    Text,
    Base64,
    Url,
}

/// The filters, for messages.
const FILTERS: &str = "base64, url, text";

/// Where a template stands, which decides what is encoded unasked.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Url,
    #[default]
    Text,
}

#[derive(Debug, Clone, PartialEq)]
enum Piece {
    Constant(String),
    Slot(Slot, Filter),
}

/// A compiled template; the default one is empty text.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Template {
    pieces: Vec<Piece>,
    place: Place,
}

/// What placeholders may stand for in one section.
#[derive(Debug, Clone)]
pub struct Scope<'a> {
    pub slots: &'a [Slot],
    /// Settings and variables with their values.
    pub constants: &'a BTreeMap<String, Json>,
}

impl Scope<'_> {
    /// Every name that a placeholder may have here, for messages.
    pub fn accepted(&self) -> String {
        let slots = self.slots.iter().map(|slot| slot.name().to_string());
        let names: Vec<_> = slots.chain(self.constants.keys().cloned()).collect();
        format!(
            "{{NAME}} or {{NAME|FILTER}} with NAME one of {} and FILTER one of {FILTERS}; \
             {{{{ and }}}} for braces",
            names.join(", ")
        )
    }
}

/// The values of one request.
#[derive(Debug, Clone, Copy)]
pub struct Arguments<'a> {
    pub node: &'a Node,
    /// The node's `IP:PORT`; empty without a `port` in the section, and no template has it then.
    pub address: &'a str,
    pub key: &'a str,
    /// The value to write.
    pub value: &'a Value,
    /// A compare-and-set's two values.
    pub expected: &'a Value,
    pub new: &'a Value,
}

/// `{address}` of a node; `usual` is the section's `port`. Empty without one.
pub fn address_of(node: &Node, usual: Option<u16>) -> String {
    usual.map_or_else(String::new, |port| node.address(port).to_string())
}

impl Arguments<'_> {
    pub fn json(&self, slot: Slot) -> Json {
        match slot {
            Slot::Key => Json::from(self.key),
            Slot::Value => scalar(self.value),
            Slot::Expected => scalar(self.expected),
            Slot::New => scalar(self.new),
            Slot::Ip => Json::from(self.node.ip.to_string()),
            Slot::Address => Json::from(self.address),
            Slot::Node => Json::from(&*self.node.name),
            Slot::Index => Json::from(self.node.index),
        }
    }
}

/// A value of the history as JSON.
fn scalar(value: &Value) -> Json {
    match value {
        Value::Nil => Json::Null,
        Value::Bool(value) => Json::from(*value),
        Value::Int(value) => Json::from(*value),
        Value::Text(value) => Json::from(&**value),
        Value::List(items) => Json::from(items.iter().map(scalar).collect::<Vec<_>>()),
    }
}

/// A scalar as text: strings without quotes.
fn text_of(json: &Json) -> String {
    match json {
        Json::String(text) => text.clone(),
        other => other.to_string(),
    }
}

impl Template {
    /// Compiles `source`.
    ///
    /// # Errors
    /// One sentence per mistake: unknown name, unknown filter, a brace that is not closed.
    pub fn new(source: &str, place: Place, scope: &Scope) -> Result<Template, Vec<String>> {
        let mut template = Template { pieces: Vec::new(), place };
        let mut mistakes = Vec::new();
        let mut rest = source;
        while let Some(at) = rest.find(['{', '}']) {
            template.push_text(&rest[..at]);
            let brace = &rest[at..=at];
            rest = &rest[at + 1..];
            if let Some(after) = rest.strip_prefix(brace) {
                template.push_text(brace);
                rest = after;
            } else if brace == "}" {
                mistakes.push(format!("a `}}` that closes nothing in `{source}`"));
            } else if let Some(end) = rest.find('}') {
                if let Err(mistake) = template.push_placeholder(&rest[..end], scope) {
                    mistakes.push(mistake);
                }
                rest = &rest[end + 1..];
            } else {
                mistakes.push(format!("a `{{` that is never closed in `{source}`"));
            }
        }
        template.push_text(rest);
        if mistakes.is_empty() { Ok(template) } else { Err(mistakes) }
    }

    fn push_text(&mut self, text: &str) {
        match self.pieces.last_mut() {
            Some(Piece::Constant(constant)) => constant.push_str(text),
            _ if text.is_empty() => {}
            _ => self.pieces.push(Piece::Constant(text.to_string())),
        }
    }

    fn push_placeholder(&mut self, inner: &str, scope: &Scope) -> Result<(), String> {
        let (name, filter) = parse_placeholder(inner)?;
        if let Some(slot) = scope.slots.iter().find(|slot| slot.name() == name) {
            self.pieces.push(Piece::Slot(*slot, filter));
        } else if let Some(constant) = scope.constants.get(name) {
            self.push_text(&encode(text_of(constant), filter, false, self.place));
        } else {
            return Err(format!("`{{{inner}}}` names nothing that is known here"));
        }
        Ok(())
    }

    /// The slots that it mentions.
    pub fn slots(&self) -> impl Iterator<Item = Slot> + '_ {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Slot(slot, _) => Some(*slot),
            Piece::Constant(_) => None,
        })
    }

    /// The text of one request.
    pub fn render(&self, arguments: &Arguments) -> String {
        let mut text = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Constant(constant) => text.push_str(constant),
                Piece::Slot(slot, filter) => {
                    let raw = text_of(&arguments.json(*slot));
                    text.push_str(&encode(raw, *filter, slot.is_data(), self.place));
                }
            }
        }
        text
    }
}

fn parse_placeholder(inner: &str) -> Result<(&str, Filter), String> {
    let (name, filter) = match inner.split_once('|') {
        None => return Ok((inner, Filter::Plain)),
        Some((name, "base64")) => (name, Filter::Base64),
        Some((name, "url")) => (name, Filter::Url),
        Some((name, "text")) => (name, Filter::Text),
        Some((_, filter)) => return Err(format!("`{{{inner}}}`: no such filter: `{filter}`")),
    };
    Ok((name, filter))
}

/// Base64 in a URL is percent-encoded as well: its alphabet has `+`, `/` and `=`.
fn encode(text: String, filter: Filter, is_data: bool, place: Place) -> String {
    match (filter, place) {
        (Filter::Base64, Place::Text) => STANDARD.encode(text),
        (Filter::Base64, Place::Url) => percent_encode(&STANDARD.encode(text)),
        (Filter::Url, _) => percent_encode(&text),
        (Filter::Plain, Place::Url) if is_data => percent_encode(&text),
        (Filter::Plain | Filter::Text, _) => text,
    }
}

/// RFC 3986, section 2.1: everything but unreserved characters.
fn percent_encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(byte as char);
        } else {
            write!(encoded, "%{byte:02X}").expect("writing to a string cannot fail");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn constants() -> BTreeMap<String, Json> {
        [("read".to_string(), json!("quorum")), ("serializable".to_string(), json!(true))].into()
    }

    fn render(source: &str, place: Place) -> String {
        let constants = constants();
        let scope = Scope {
            slots: &[Slot::Key, Slot::Value, Slot::Ip, Slot::Address],
            constants: &constants,
        };
        let node =
            Node { name: "n1".into(), index: 1, ip: "10.0.0.1".parse().unwrap(), port: None };
        let arguments = Arguments {
            node: &node,
            address: "10.0.0.1:80",
            key: "a b/c",
            value: &Value::Int(7),
            expected: &Value::Nil,
            new: &Value::Nil,
        };
        Template::new(source, place, &scope).unwrap().render(&arguments)
    }

    #[test]
    fn data_are_percent_encoded_in_urls_only() {
        assert_eq!(render("http://{ip}/{key}", Place::Url), "http://10.0.0.1/a%20b%2Fc");
        assert_eq!(render("http://{address}/", Place::Url), "http://10.0.0.1:80/");
        assert_eq!(render("{key|text}", Place::Url), "a b/c");
        assert_eq!(render("{key}", Place::Text), "a b/c");
        assert_eq!(render("{key|base64}", Place::Text), "YSBiL2M=");
        assert_eq!(render("{key|base64}", Place::Url), "YSBiL2M%3D");
    }

    #[test]
    fn braces_and_constants() {
        assert_eq!(
            render(r#"{{"v":{value},"r":"{read}"}}"#, Place::Text),
            r#"{"v":7,"r":"quorum"}"#
        );
    }

    #[test]
    fn every_mistake_is_named() {
        let constants = constants();
        let scope = Scope { slots: &[Slot::Key], constants: &constants };
        let mistakes = Template::new("{keys} {key|hex} } {key", Place::Text, &scope).unwrap_err();
        assert_eq!(mistakes.len(), 4, "{mistakes:?}");
        assert!(mistakes[0].contains("{keys}"));
        assert!(mistakes[1].contains("hex"));
    }
}

//! A body given as a tree: JSON with templates in its strings.

use serde_json::Value as Json;

use super::template::{Arguments, Place, Scope, Slot, Template};

/// A compiled tree.
#[derive(Debug, Clone, PartialEq)]
pub enum Tree {
    Constant(Json),
    /// A string that is one placeholder alone keeps that placeholder's type.
    Typed(Slot),
    Text(Template),
    List(Vec<Tree>),
    Map(Vec<(Template, Tree)>),
}

/// A mistake inside a tree: where, and what.
pub type TreeMistake = (Vec<String>, String);

impl Tree {
    /// Compiles a tree; adds what is wrong to `mistakes`.
    pub fn new(source: &Json, scope: &Scope, mistakes: &mut Vec<TreeMistake>) -> Tree {
        Tree::at(source, scope, &[], mistakes)
    }

    fn at(source: &Json, scope: &Scope, path: &[String], mistakes: &mut Vec<TreeMistake>) -> Tree {
        let inside = |name: String, source: &Json, mistakes: &mut Vec<TreeMistake>| {
            Tree::at(source, scope, &[path, &[name]].concat(), mistakes)
        };
        match source {
            Json::String(text) => match lone_placeholder(text, scope) {
                Some(tree) => tree,
                None => Tree::Text(text_template(text, scope, path, mistakes)),
            },
            Json::Array(items) => Tree::List(
                items
                    .iter()
                    .enumerate()
                    .map(|(index, item)| inside(index.to_string(), item, mistakes))
                    .collect(),
            ),
            Json::Object(entries) => {
                let mut map = Vec::new();
                for (name, value) in entries {
                    let value = inside(name.clone(), value, mistakes);
                    map.push((text_template(name, scope, path, mistakes), value));
                }
                Tree::Map(map)
            }
            scalar => Tree::Constant(scalar.clone()),
        }
    }

    /// The slots that it mentions.
    pub fn slots(&self) -> Vec<Slot> {
        match self {
            Tree::Constant(_) => Vec::new(),
            Tree::Typed(slot) => vec![*slot],
            Tree::Text(template) => template.slots().collect(),
            Tree::List(items) => items.iter().flat_map(Tree::slots).collect(),
            Tree::Map(entries) => {
                entries.iter().flat_map(|(name, value)| name.slots().chain(value.slots())).collect()
            }
        }
    }

    /// The JSON of one request.
    pub fn render(&self, arguments: &Arguments) -> Json {
        match self {
            Tree::Constant(json) => json.clone(),
            Tree::Typed(slot) => arguments.json(*slot),
            Tree::Text(template) => Json::from(template.render(arguments)),
            Tree::List(items) => items.iter().map(|item| item.render(arguments)).collect(),
            Tree::Map(entries) => Json::Object(
                entries
                    .iter()
                    .map(|(name, value)| (name.render(arguments), value.render(arguments)))
                    .collect(),
            ),
        }
    }
}

/// `{value}` alone in a string, without a filter.
fn lone_placeholder(text: &str, scope: &Scope) -> Option<Tree> {
    let name = text.strip_prefix('{')?.strip_suffix('}')?;
    if let Some(slot) = scope.slots.iter().find(|slot| slot.name() == name) {
        return Some(Tree::Typed(*slot));
    }
    scope.constants.get(name).map(|constant| Tree::Constant(constant.clone()))
}

fn text_template(
    text: &str,
    scope: &Scope,
    path: &[String],
    mistakes: &mut Vec<TreeMistake>,
) -> Template {
    Template::new(text, Place::Text, scope).unwrap_or_else(|found| {
        mistakes.extend(found.into_iter().map(|mistake| (path.to_vec(), mistake)));
        Template::default()
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use splitbrain_checkers::history::Value;

    use super::*;
    use crate::driver::Node;
    use serde_json::json;

    fn constants() -> BTreeMap<String, Json> {
        [("read".to_string(), json!("quorum")), ("serializable".to_string(), json!(true))].into()
    }

    #[test]
    fn a_placeholder_alone_keeps_its_type() {
        let constants = constants();
        let scope = Scope { slots: &[Slot::Key, Slot::Value], constants: &constants };
        let source = json!({
            "{key}": ["{value}", "{value|text}", "v={value}", "{value|base64}"],
            "serializable": "{serializable}",
            "limit": 1
        });
        let mut mistakes = Vec::new();
        let tree = Tree::new(&source, &scope, &mut mistakes);
        assert_eq!(mistakes, []);
        let node =
            Node { name: "n1".into(), index: 1, ip: "10.0.0.1".parse().unwrap(), port: None };
        let arguments = Arguments {
            node: &node,
            address: "10.0.0.1:80",
            key: "x",
            value: &Value::Int(7),
            expected: &Value::Nil,
            new: &Value::Nil,
        };
        let expected = json!({
            "x": [7, "7", "v=7", "Nw=="], "serializable": true, "limit": 1
        });
        assert_eq!(tree.render(&arguments), expected);
    }

    #[test]
    fn a_mistake_in_a_tree_has_its_place() {
        let constants = constants();
        let scope = Scope { slots: &[Slot::Key], constants: &constants };
        let mut mistakes = Vec::new();
        Tree::new(&json!({"a": [1, "{b}"]}), &scope, &mut mistakes);
        assert_eq!(mistakes.len(), 1);
        assert_eq!(mistakes[0].0, ["a", "1"]);
    }
}

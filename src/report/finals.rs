//! The table of what every node had at the end, of the keys that did not converge as they should.

use std::collections::{BTreeMap, BTreeSet};

use splitbrain_checkers::convergence::{Convergence, KeyState, KeyStatus, Lost};
use splitbrain_checkers::history::{Name, Value};

use super::tables::TOP;
use super::text;

/// A key at the end of the run.
pub struct FinalRow {
    pub key: Name,
    /// How many acknowledged writes of it are gone, and their values.
    pub lost: String,
    /// Where and when these were acknowledged.
    pub acknowledged: String,
    /// Per node of the table: the value, and whether it is another than more than half of the
    /// nodes have.
    pub values: Vec<(String, bool)>,
}

/// The keys whose nodes disagree or that lost a write.
pub fn keys(convergence: &Convergence) -> Vec<&KeyState> {
    let broken = |key: &&KeyState| {
        !matches!(key.status, KeyStatus::Agreed)
            || convergence.lost.iter().any(|lost| lost.key == key.key)
            || convergence.phantoms.iter().any(|phantom| phantom.key == key.key)
    };
    convergence.keys.iter().filter(broken).collect()
}

/// The nodes that have a part in some of these keys, in their order.
pub fn nodes(keys: &[&KeyState]) -> Vec<Name> {
    let nodes = keys.iter().flat_map(|key| key.cells.iter().map(|cell| cell.node.clone()));
    nodes.collect::<BTreeSet<Name>>().into_iter().collect()
}

/// A row for each of the first of these keys.
pub fn rows(convergence: &Convergence, keys: &[&KeyState]) -> Vec<FinalRow> {
    let nodes = nodes(keys);
    keys.iter().take(TOP).map(|key| row(key, convergence, &nodes)).collect()
}

fn row(key: &KeyState, convergence: &Convergence, nodes: &[Name]) -> FinalRow {
    let lost: Vec<&Lost> = convergence.lost.iter().filter(|lost| lost.key == key.key).collect();
    let values: BTreeMap<&Name, Option<&Value>> = key
        .cells
        .iter()
        .map(|cell| (&cell.node, cell.last.as_ref().map(|last| &last.value)))
        .collect();
    let most = most(values.values().copied());
    let shown = |node: &Name| match values.get(node) {
        Some(value) => (value_in_words(*value), Some(*value) != most),
        None => ("holds no copy".to_string(), false),
    };
    FinalRow {
        key: key.key.clone(),
        lost: lost_values(&lost),
        acknowledged: acknowledged(&lost),
        values: nodes.iter().map(shown).collect(),
    }
}

/// What more than half of the nodes have, if there is such a value.
fn most<'a>(values: impl ExactSizeIterator<Item = Option<&'a Value>>) -> Option<Option<&'a Value>> {
    let nodes = values.len();
    let mut votes: BTreeMap<Option<&Value>, usize> = BTreeMap::new();
    for value in values {
        *votes.entry(value).or_default() += 1;
    }
    votes.into_iter().find(|(_, votes)| votes * 2 > nodes).map(|(value, _)| value)
}

fn value_in_words(value: Option<&Value>) -> String {
    match value {
        Some(value) => text::fit(&text::plain(&value.to_string()), 40),
        None => "no answer".to_string(),
    }
}

/// `3: 27, 35, 37`.
fn lost_values(lost: &[&Lost]) -> String {
    let values: Vec<String> = lost.iter().map(|lost| lost.value.to_string()).collect();
    match values.len() {
        0 => String::new(),
        count => text::fit(&text::plain(&format!("{count}: {}", values.join(", "))), 60),
    }
}

/// `n1 n2, 20.129 s to 20.369 s`.
fn acknowledged(lost: &[&Lost]) -> String {
    let times = lost.iter().map(|lost| lost.acknowledged);
    let (Some(first), Some(last)) = (times.clone().min(), times.max()) else {
        return String::new();
    };
    let nodes: BTreeSet<&str> =
        lost.iter().map(|lost| lost.node.as_deref().unwrap_or("an unknown node")).collect();
    let nodes: Vec<&str> = nodes.into_iter().collect();
    let when = if first == last { first.to_string() } else { format!("{first} to {last}") };
    text::plain(&format!("{}, {when}", nodes.join(" ")))
}

#[cfg(test)]
mod tests {
    use splitbrain_checkers::history::Time;

    use super::*;
    use crate::report::synthetic;

    /// The rows of these keys, all of them disagreed on.
    fn shown(finals: Vec<KeyState>, lost: Vec<Lost>) -> Vec<FinalRow> {
        let mut convergence = synthetic::lost_writes().convergence.unwrap();
        (convergence.keys, convergence.lost) = (finals, lost);
        rows(&convergence, &keys(&convergence))
    }

    #[test]
    fn the_value_that_most_nodes_do_not_have_is_marked() {
        let marked = |values: &[(&str, Option<i64>)]| -> Vec<bool> {
            let rows = shown(vec![synthetic::disagreed("x", values)], Vec::new());
            rows[0].values.iter().map(|(_, differs)| *differs).collect()
        };
        let (five, seven) = (Some(5), Some(7));
        assert_eq!(marked(&[("n1", five), ("n2", seven), ("n3", seven)]), [true, false, false]);
        assert_eq!(marked(&[("n1", five), ("n2", seven), ("n3", None)]), [true; 3]);
    }

    #[test]
    fn a_value_stands_under_its_own_node_where_keys_live_on_different_nodes() {
        let one = synthetic::disagreed("x", &[("n1", Some(5)), ("n3", Some(5))]);
        let other = synthetic::disagreed("y", &[("n2", Some(7)), ("n3", Some(8))]);
        let rows = shown(vec![one, other], Vec::new());
        let values = |row: &FinalRow| -> Vec<String> {
            row.values.iter().map(|(value, _)| value.clone()).collect()
        };
        assert_eq!(values(&rows[0]), ["5", "holds no copy", "5"]);
        assert_eq!(values(&rows[1]), ["holds no copy", "7", "8"]);
    }

    #[test]
    fn what_is_gone_is_with_its_key() {
        let lost = |key: &str, value, node: &str, at: u64| Lost {
            key: key.into(),
            write: 0,
            value: Value::Int(value),
            node: Some(node.into()),
            acknowledged: Time(at * 1_000_000),
        };
        let mut agreed = synthetic::disagreed("x", &[("n1", Some(5))]);
        agreed.status = KeyStatus::Agreed;
        let other = synthetic::disagreed("y", &[("n1", Some(6))]);
        let gone = vec![lost("x", 3, "n2", 2_000), lost("x", 4, "n1", 1_500)];
        let rows = shown(vec![agreed.clone(), other], gone);
        assert_eq!(rows[0].lost, "2: 3, 4");
        assert_eq!(rows[0].acknowledged, "n1 n2, 1.500 s to 2.000 s");
        assert_eq!((rows[1].lost.as_str(), rows[1].acknowledged.as_str()), ("", ""));
        assert!(shown(vec![agreed], Vec::new()).is_empty());
    }
}

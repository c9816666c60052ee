//! Accounts as dense numbers, whatever the file called them.

use rustc_hash::FxHashMap;

use crate::history::{Operation, Value};

/// Numbers accounts by what they read as: the integer 0 and the text "0" are one account.
#[derive(Debug, Default)]
pub(super) struct Accounts<'a> {
    names: Vec<&'a Value>,
    integers: FxHashMap<i64, u32>,
    others: FxHashMap<&'a Value, u32>,
}

impl<'a> Accounts<'a> {
    pub fn number(&mut self, account: &'a Value) -> u32 {
        let next = self.names.len() as u32;
        let id = match canonical(account) {
            Some(integer) => *self.integers.entry(integer).or_insert(next),
            None => *self.others.entry(account).or_insert(next),
        };
        if id == next {
            self.names.push(account);
        }
        id
    }

    pub fn name(&self, id: u32) -> String {
        self.names[id as usize].to_string()
    }

    pub fn len(&self) -> usize {
        self.names.len()
    }
}

/// The integer that the account reads as, if it is one and is written as integers are.
fn canonical(account: &Value) -> Option<i64> {
    match account {
        Value::Int(integer) => Some(*integer),
        Value::Text(text) => {
            let digits = text.strip_prefix('-').unwrap_or(text);
            let padded = digits.starts_with('0') && text.len() > 1 || digits.starts_with('+');
            if padded { None } else { text.parse().ok() }
        }
        _ => None,
    }
}

/// The entries of a map: a list of pairs.
pub(super) fn entries(map: &Value) -> Option<impl Iterator<Item = (&Value, &Value)>> {
    let Value::List(items) = map else { return None };
    if items.iter().any(|item| item.as_pair().is_none()) {
        return None;
    }
    Some(items.iter().filter_map(Value::as_pair))
}

/// The two accounts of a transfer: `{from 0, to 1, amount 3}`.
///
/// # Errors
/// A sentence, if the operation does not say which.
pub(super) fn named_by(transfer: &Operation) -> Result<[&Value; 2], String> {
    let of = |name: &str| {
        entries(&transfer.input)?
            .find(|(key, _)| matches!(key, Value::Text(text) if text == name))
            .map(|(_, account)| account)
    };
    match (of("from"), of("to")) {
        (Some(from), Some(to)) => Ok([from, to]),
        _ => Err(format!(
            "operation {} is a transfer of {}; a transfer has from, to and amount",
            transfer.index, transfer.input
        )),
    }
}

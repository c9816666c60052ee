//! Values as the text that databases without types store.

use splitbrain_checkers::history::Value;

/// Text as an integer if it is written as one (`7`, not `007`), else as text.
pub fn text_value(text: &str) -> Value {
    match text.parse::<i64>() {
        Ok(number) if number.to_string() == text => Value::Int(number),
        _ => Value::Text(text.into()),
    }
}

/// The text to store; `None` for nil and lists, which have none.
pub fn value_text(value: &Value) -> Option<String> {
    match value {
        Value::Bool(_) | Value::Int(_) | Value::Text(_) => Some(value.to_string()),
        Value::Nil | Value::List(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_stored_reads_back() {
        for value in [Value::Int(-7), Value::Int(0), Value::Text("007".into())] {
            assert_eq!(text_value(&value_text(&value).unwrap()), value);
        }
        assert_eq!(value_text(&Value::Nil), None);
    }
}

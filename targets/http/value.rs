//! Where a read's value is in the answer, and how it is decoded.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value as Json;
use splitbrain_checkers::history::Value;

use super::condition::{Answer, read_pointer};
use super::section::{Mistake, Section};
use crate::text::text_value;

/// The place of the value: the whole body, or a JSON pointer.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ValuePlace {
    pointer: Option<String>,
    base64: bool,
}

impl ValuePlace {
    /// Reads `value: { pointer, decode }`; without it the whole body is the value.
    pub fn read(section: &mut Section, mistakes: &mut Vec<Mistake>) -> ValuePlace {
        let Some(json) = section.take("value") else { return ValuePlace::default() };
        let Some(mut inside) = Section::new(json, section.path("value"), mistakes) else {
            return ValuePlace::default();
        };
        let pointer = read_pointer(&mut inside, "pointer", mistakes);
        let base64 = match inside.take("decode") {
            None => false,
            Some(Json::String(name)) if name == "base64" => true,
            Some(other) => {
                mistakes.push(inside.not_accepted("decode", other, "base64"));
                false
            }
        };
        inside.finish(mistakes);
        ValuePlace { pointer, base64 }
    }

    /// The value of a read that was answered.
    ///
    /// # Errors
    /// What is missing or cannot be decoded.
    pub fn value_in(&self, answer: &Answer) -> Result<Value, String> {
        let Some(pointer) = &self.pointer else {
            return self.decode(answer.body.trim_end_matches(['\r', '\n']));
        };
        let json = answer.json.as_ref().ok_or("the answer is not JSON")?;
        let found = json.pointer(pointer).ok_or(format!("the answer has nothing at {pointer}"))?;
        match found {
            Json::String(text) => self.decode(text),
            Json::Number(number) if !self.base64 => {
                Ok(number.as_i64().map_or_else(|| text_value(&number.to_string()), Value::Int))
            }
            Json::Bool(value) if !self.base64 => Ok(Value::Bool(*value)),
            other => Err(format!("{other} at {pointer} is no value")),
        }
    }

    fn decode(&self, text: &str) -> Result<Value, String> {
        if !self.base64 {
            return Ok(text_value(text));
        }
        let bytes = STANDARD.decode(text).map_err(|error| format!("bad base64: {error}"))?;
        let text = String::from_utf8(bytes).map_err(|error| format!("not UTF-8: {error}"))?;
        Ok(text_value(&text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(place: &ValuePlace, body: &str) -> Result<Value, String> {
        place.value_in(&Answer::new(200, body.to_string()))
    }

    #[test]
    fn the_whole_body() {
        let place = ValuePlace::default();
        assert_eq!(value(&place, "7\n"), Ok(Value::Int(7)));
        assert_eq!(value(&place, "007"), Ok(Value::Text("007".into())));
        assert_eq!(value(&place, "-3"), Ok(Value::Int(-3)));
    }

    #[test]
    fn a_pointer() {
        let place = ValuePlace { pointer: Some("/a/0".to_string()), base64: false };
        assert_eq!(value(&place, r#"{"a":[7]}"#), Ok(Value::Int(7)));
        assert_eq!(value(&place, r#"{"a":["7"]}"#), Ok(Value::Int(7)));
        assert_eq!(value(&place, r#"{"a":[true]}"#), Ok(Value::Bool(true)));
        for body in [r#"{"a":[null]}"#, r#"{"a":[[7]]}"#, r#"{"a":[]}"#, "7"] {
            assert!(value(&place, body).is_err(), "{body}");
        }
    }

    #[test]
    fn base64() {
        let place = ValuePlace { pointer: Some("/v".to_string()), base64: true };
        assert_eq!(value(&place, r#"{"v":"MTI="}"#), Ok(Value::Int(12)));
        assert!(value(&place, r#"{"v":"%"}"#).is_err());
        assert!(value(&place, r#"{"v":12}"#).is_err());
    }
}

//! Conditions on an answer: status, text in the body, JSON pointers.

use std::ops::RangeInclusive;

use serde_json::Value as Json;

use super::section::{Mistake, Section, is_pointer};

/// An HTTP answer as it came.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub body: String,
    /// The body, if it is JSON.
    pub json: Option<Json>,
}

impl Answer {
    pub fn new(status: u16, body: String) -> Answer {
        let json = serde_json::from_str(&body).ok();
        Answer { status, body, json }
    }

    fn pointer(&self, pointer: &str) -> Option<&Json> {
        self.json.as_ref()?.pointer(pointer)
    }

    /// For error texts: status and the beginning of the body.
    pub fn summary(&self) -> String {
        const LENGTH_MAX: usize = 200;
        let body: String = self.body.trim().chars().take(LENGTH_MAX).collect();
        format!("{} {body}", self.status).trim_end().to_string()
    }
}

/// One condition: all that is given has to hold.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Condition {
    status: Vec<RangeInclusive<u16>>,
    contains: Vec<String>,
    absent: Vec<String>,
    present: Vec<String>,
    equals: Option<(String, Json)>,
}

/// What a condition looks like, for messages.
const ACCEPTED: &str = "a status (404), a range (500-599), a map of status, contains, absent, \
                        present, pointer and equals, or a list of these of which one has to hold";

impl Condition {
    /// 2xx.
    pub fn success() -> Condition {
        Condition { status: vec![200..=299], ..Condition::default() }
    }

    /// Whether it holds. A condition on a pointer holds for no answer that is not JSON.
    pub fn holds(&self, answer: &Answer) -> bool {
        let asks_json =
            !self.absent.is_empty() || !self.present.is_empty() || self.equals.is_some();
        (self.status.is_empty() || self.status.iter().any(|range| range.contains(&answer.status)))
            && (!asks_json || answer.json.is_some())
            && self.contains.iter().all(|text| answer.body.contains(text))
            && self.absent.iter().all(|pointer| answer.pointer(pointer).is_none())
            && self.present.iter().all(|pointer| answer.pointer(pointer).is_some())
            && self
                .equals
                .as_ref()
                .is_none_or(|(pointer, value)| answer.pointer(pointer) == Some(value))
    }
}

/// Whether a condition that names no status holds for any status or for 2xx only. A definite
/// answer (ok, missing, mismatch) is not to be read out of a server error by accident.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unsaid {
    AnyStatus,
    SuccessOnly,
}

/// Reads a field of conditions; what is wrong goes to `mistakes`.
pub fn read(
    json: &Json,
    path: &[String],
    unsaid: Unsaid,
    mistakes: &mut Vec<Mistake>,
) -> Vec<Condition> {
    let sources = match json {
        Json::Array(items) => items.iter().enumerate().map(|(i, item)| (Some(i), item)).collect(),
        one => vec![(None, one)],
    };
    if sources.is_empty() {
        mistakes.push(mistake(path, "an empty list never holds".to_string()));
    }
    let mut conditions = Vec::new();
    for (index, source) in sources {
        let place = path.iter().cloned().chain(index.map(|i| i.to_string())).collect::<Vec<_>>();
        let Some(mut condition) = read_one(source, place, mistakes) else { continue };
        if condition.status.is_empty() && unsaid == Unsaid::SuccessOnly {
            condition.status = vec![200..=299];
        }
        conditions.push(condition);
    }
    conditions
}

fn mistake(path: &[String], message: String) -> Mistake {
    Mistake { path: path.to_vec(), message, accepted: ACCEPTED.to_string() }
}

fn read_one(json: &Json, path: Vec<String>, mistakes: &mut Vec<Mistake>) -> Option<Condition> {
    if !json.is_object() {
        let status = read_status(json, &path, mistakes)?;
        return Some(Condition { status, ..Condition::default() });
    }
    let mut section = Section::new(json, path.clone(), mistakes)?;
    let mut condition = Condition::default();
    if let Some(status) = section.take("status") {
        condition.status =
            read_status(status, &section.path("status"), mistakes).unwrap_or_default();
    }
    condition.contains = read_texts(&mut section, "contains", "text of the body", mistakes);
    condition.absent = read_pointers(&mut section, "absent", mistakes);
    condition.present = read_pointers(&mut section, "present", mistakes);
    let pointer = read_pointer(&mut section, "pointer", mistakes);
    condition.equals = match (pointer, section.take("equals")) {
        (Some(pointer), Some(value)) => Some((pointer, value.clone())),
        (None, None) => None,
        _ => {
            mistakes.push(mistake(&path, "`pointer` and `equals` need each other".to_string()));
            None
        }
    };
    section.finish(mistakes);
    if json.as_object().is_some_and(serde_json::Map::is_empty) {
        mistakes.push(mistake(&path, "an empty condition would hold for every answer".to_string()));
    }
    Some(condition)
}

/// `404`, `500-599`, or a list of these.
fn read_status(
    json: &Json,
    path: &[String],
    mistakes: &mut Vec<Mistake>,
) -> Option<Vec<RangeInclusive<u16>>> {
    let ranges = match json {
        Json::Array(items) if !items.is_empty() => items.iter().map(status_range).collect(),
        one => status_range(one).map(|range| vec![range]),
    };
    if ranges.is_none() {
        mistakes.push(mistake(path, format!("`{json}` is no status")));
    }
    ranges
}

fn status_range(json: &Json) -> Option<RangeInclusive<u16>> {
    let (low, high) = match json {
        Json::Number(number) => {
            let status = u16::try_from(number.as_u64()?).ok()?;
            (status, status)
        }
        Json::String(text) => {
            let (low, high) = text.split_once('-').unwrap_or((text, text));
            (low.trim().parse().ok()?, high.trim().parse().ok()?)
        }
        _ => return None,
    };
    (100 <= low && low <= high && high <= 599).then_some(low..=high)
}

/// A string or a list of strings.
fn read_texts(
    section: &mut Section,
    field: &'static str,
    accepted: &str,
    mistakes: &mut Vec<Mistake>,
) -> Vec<String> {
    let Some(json) = section.take(field) else { return Vec::new() };
    let texts: Option<Vec<String>> = match json {
        Json::String(text) => Some(vec![text.clone()]),
        Json::Array(items) if !items.is_empty() => {
            items.iter().map(|item| item.as_str().map(str::to_string)).collect()
        }
        _ => None,
    };
    texts.unwrap_or_else(|| {
        mistakes.push(section.not_accepted(field, json, accepted));
        Vec::new()
    })
}

/// What a JSON pointer looks like, for messages.
const POINTER: &str = "a JSON pointer (RFC 6901), such as /kvs/0/value";

/// One JSON pointer.
pub fn read_pointer(
    section: &mut Section,
    field: &'static str,
    mistakes: &mut Vec<Mistake>,
) -> Option<String> {
    let pointer = section.take_text(field, POINTER, mistakes)?;
    if !is_pointer(pointer) {
        mistakes.push(section.not_accepted(field, &Json::from(pointer), POINTER));
    }
    Some(pointer.to_string())
}

/// A JSON pointer or a list of them.
pub fn read_pointers(
    section: &mut Section,
    field: &'static str,
    mistakes: &mut Vec<Mistake>,
) -> Vec<String> {
    let pointers = read_texts(section, field, POINTER, mistakes);
    for pointer in pointers.iter().filter(|pointer| !is_pointer(pointer)) {
        mistakes.push(section.not_accepted(field, &Json::from(pointer.as_str()), POINTER));
    }
    pointers
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn conditions(json: Json, unsaid: Unsaid) -> Vec<Condition> {
        let mut mistakes = Vec::new();
        let conditions = read(&json, &[], unsaid, &mut mistakes);
        assert_eq!(mistakes, []);
        conditions
    }

    fn holds(json: Json, unsaid: Unsaid, status: u16, body: &str) -> bool {
        let answer = Answer::new(status, body.to_string());
        conditions(json, unsaid).iter().any(|condition| condition.holds(&answer))
    }

    #[test]
    fn statuses_and_ranges() {
        let list = json!([404, "500-502", {"status": 409, "contains": "conflict"}]);
        assert!(holds(list.clone(), Unsaid::AnyStatus, 404, ""));
        assert!(holds(list.clone(), Unsaid::AnyStatus, 501, ""));
        assert!(!holds(list.clone(), Unsaid::AnyStatus, 503, ""));
        assert!(holds(list.clone(), Unsaid::AnyStatus, 409, "a conflict"));
        assert!(!holds(list, Unsaid::AnyStatus, 409, "locked"));
    }

    #[test]
    fn an_absent_pointer_is_not_read_out_of_an_error() {
        let absent = json!({"absent": "/kvs"});
        assert!(holds(absent.clone(), Unsaid::SuccessOnly, 200, "{}"));
        assert!(!holds(absent.clone(), Unsaid::SuccessOnly, 503, "{}"));
        assert!(!holds(absent.clone(), Unsaid::SuccessOnly, 200, "upstream gone"));
        assert!(!holds(absent, Unsaid::SuccessOnly, 200, r#"{"kvs":[]}"#));
    }

    #[test]
    fn pointers_compare_by_json() {
        let equals = json!({"pointer": "/done", "equals": false});
        assert!(holds(equals.clone(), Unsaid::AnyStatus, 200, r#"{"done":false}"#));
        assert!(!holds(equals.clone(), Unsaid::AnyStatus, 200, r#"{"done":"false"}"#));
        assert!(!holds(equals, Unsaid::AnyStatus, 200, "{}"));
    }

    #[test]
    fn mistakes_are_found() {
        for wrong in [
            json!([]),
            json!({}),
            json!(42),
            json!("599-500"),
            json!("ok"),
            json!({"absent": "kvs"}),
            json!({"pointer": "/a"}),
            json!({"state": 404}),
            json!({"contains": 1}),
        ] {
            let mut mistakes = Vec::new();
            read(&wrong, &[], Unsaid::AnyStatus, &mut mistakes);
            assert!(!mistakes.is_empty(), "{wrong}");
        }
    }
}

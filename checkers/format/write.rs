//! Writing events as JSON lines.

use crate::history::{Event, Kind, Process, Value};

/// Appends the event to `out` as one line, line feed included. Fields that the event does not
/// have are left out; `value` is always there, null for nil.
pub fn write_event(event: &Event, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"index\":");
    json(out, &event.index);
    out.extend_from_slice(b",\"time\":");
    json(out, &event.time.0);
    out.extend_from_slice(b",\"process\":");
    match event.process {
        Process::Client(number) => json(out, &number),
        Process::Nemesis => out.extend_from_slice(b"\"nemesis\""),
    }
    if let Some(node) = &event.node {
        out.extend_from_slice(b",\"node\":");
        json(out, &**node);
    }
    out.extend_from_slice(match event.kind {
        Kind::Invoke => b",\"type\":\"invoke\",\"f\":".as_slice(),
        Kind::Ok => b",\"type\":\"ok\",\"f\":",
        Kind::Fail => b",\"type\":\"fail\",\"f\":",
        Kind::Info => b",\"type\":\"info\",\"f\":",
    });
    json(out, event.f.as_str());
    if let Some(key) = &event.key {
        out.extend_from_slice(b",\"key\":");
        json(out, &**key);
    }
    out.extend_from_slice(b",\"value\":");
    write_value(&event.value, out);
    if let Some(intended) = event.intended {
        out.extend_from_slice(b",\"intended\":");
        json(out, &intended.0);
    }
    if let Some(error) = &event.error {
        out.extend_from_slice(b",\"error\":");
        json(out, &**error);
    }
    out.extend_from_slice(b"}\n");
}

fn write_value(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Nil => out.extend_from_slice(b"null"),
        Value::Bool(value) => json(out, value),
        Value::Int(value) => json(out, value),
        Value::Text(value) => json(out, &**value),
        Value::List(items) => {
            out.push(b'[');
            for (position, item) in items.iter().enumerate() {
                if position > 0 {
                    out.push(b',');
                }
                write_value(item, out);
            }
            out.push(b']');
        }
    }
}

/// Appends a number, a truth value or a string; that cannot fail.
fn json<T: serde::Serialize + ?Sized>(out: &mut Vec<u8>, scalar: &T) {
    serde_json::to_writer(out, scalar).expect("memory takes every scalar");
}

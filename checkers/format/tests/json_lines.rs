//! Our own format: as it should be, cut off, broken, and written again.

use super::*;
use crate::history::{Event, Function, Kind, Outcome, Process, Time};

const LINES: &str = r#"{"index":0,"time":1203344,"process":0,"node":"n1","type":"invoke","f":"write","key":"x","value":1}
{"index":1,"time":1530021,"process":0,"node":"n1","type":"ok","f":"write","key":"x","value":1}
{"index":2,"time":1600000,"process":"nemesis","type":"info","f":"partition","value":{"groups":[["n1"],["n2","n3"]]}}
{"index":3,"time":1900511,"process":1,"node":"n2","type":"invoke","f":"cas","key":"x","value":[1,2],"intended":1900000}
{"index":4,"time":3900611,"process":1,"node":"n2","type":"info","f":"cas","key":"x","value":[1,2],"error":"timed out"}
"#;

#[test]
fn json_lines() {
    let reading = read_text(LINES);
    assert_eq!((reading.format, reading.clock), (Format::JsonLines, Clock::Nanoseconds));
    assert_eq!(reading.problems, []);
    assert!(!reading.has_gaps());
    let [write, cas] = &reading.history.operations[..] else { panic!("{reading:?}") };
    assert_eq!((write.to_string().as_str(), write.outcome), ("w(1)", Outcome::Ok));
    assert_eq!((write.key.as_deref(), write.node.as_deref()), (Some("x"), Some("n1")));
    assert_eq!((write.invoke, write.complete), (Time(1_203_344), Some(Time(1_530_021))));
    assert_eq!((cas.to_string().as_str(), cas.outcome), ("cas(1 -> 2)", Outcome::Info));
    assert_eq!((cas.index, cas.process), (3, 1));
    assert_eq!(cas.intended, Some(Time(1_900_000)));
    assert_eq!(cas.error.as_deref(), Some("timed out"));
    let [partition] = &reading.history.nemesis[..] else { panic!("{reading:?}") };
    assert_eq!(partition.f.as_str(), "partition");
    assert_eq!(partition.value.to_string(), "[[groups [[n1] [n2 n3]]]]");
    assert_eq!(reading.history.end, Time(3_900_611));
}

#[test]
fn json_lines_cut_off_anywhere_are_read_up_to_there() {
    let whole = read_text(LINES);
    let last_line = LINES[..LINES.len() - 1].rfind('\n').unwrap() + 1;
    for end in last_line + 1..LINES.len() - 1 {
        let reading = read_text(&LINES[..end]);
        let [problem] = &reading.problems[..] else { panic!("{end}: {:?}", reading.problems) };
        assert_eq!((problem.line, problem.kind), (5, ProblemKind::CutOff), "{end}");
        assert!(!reading.has_gaps());
        assert_eq!(reading.history.operations[0], whole.history.operations[0]);
        let cas = &reading.history.operations[1];
        assert_eq!((cas.outcome, cas.complete), (Outcome::Info, None));
    }
    // Whole but for the line feed.
    assert_eq!(read_text(&LINES[..LINES.len() - 1]), whole);
}

#[test]
fn broken_json_lines_are_named_and_the_rest_is_read() {
    let write = LINES.lines().next().unwrap();
    let text = [
        "{\"index\":9,",
        write,
        "",
        r#"{"process":0,"type":"maybe","f":"write"}"#,
        r#"{"process":"n1","type":"ok","f":"write"}"#,
        r#"{"type":"ok","f":"write"}"#,
        r#"{"process":0,"type":"ok","f":"write"} {}"#,
        r#"{"process":7,"type":"ok","f":"write","time":3}"#,
        r#"{"process":0,"type":"invoke","f":"write","time":4}"#,
    ]
    .join("\n");
    let reading = read_text(&text);
    let unreadable = |line, message| problem(line, ProblemKind::Unreadable, message);
    let inconsistent = |line, message| problem(line, ProblemKind::Inconsistent, message);
    assert_eq!(
        reading.problems,
        [
            unreadable(1, "column 11: EOF while parsing a value; an event is one JSON object"),
            unreadable(
                4,
                "column 27: unknown variant `maybe`, expected one of `invoke`, `ok`, `fail`, \
                 `info`; an event is one JSON object"
            ),
            unreadable(
                5,
                "column 15: invalid value: string \"n1\", expected as `process` a number or \
                 \"nemesis\"; an event is one JSON object"
            ),
            unreadable(6, "column 25: missing field `process`; an event is one JSON object"),
            unreadable(7, "column 39: trailing characters; an event is one JSON object"),
            inconsistent(8, "event 1: process 7 completes an operation that it never invoked"),
            inconsistent(
                9,
                "event 2: process 0 invokes an operation while its operation of event 0 is still \
                 in flight; a process has at most one"
            ),
        ]
    );
    assert!(reading.has_gaps());
    assert_eq!(reading.history.operations.len(), 1);
    assert_eq!(reading.problems[6].to_string().split(':').next(), Some("line 9"));
}

#[test]
fn unusual_json_values_are_kept() {
    let text = r#"{"process":3,"type":"invoke","f":"add","key":7,"value":[true,null,-1.5,18446744073709551615,"a\"b",{"k":[1],"b":{},"a":null}],"other":{"x":[1,2]}}"#;
    let reading = read_text(text);
    let [operation] = &reading.history.operations[..] else { panic!("{reading:?}") };
    assert_eq!(operation.key.as_deref(), Some("7"));
    assert_eq!(operation.f, Function::Other("add".into()));
    assert_eq!(
        operation.input.to_string(),
        r#"[true nil -1.5 18446744073709551615 a"b [[k [1]] [b []] [a nil]]]"#
    );
    assert_eq!((reading.clock, operation.invoke), (Clock::Events, Time(0)));
}

#[test]
fn times_on_some_events_only_are_a_problem_said_once() {
    let text = r#"{"process":0,"type":"invoke","f":"read","time":5}
{"process":0,"type":"ok","f":"read"}
{"process":0,"type":"invoke","f":"read"}"#;
    let reading = read_text(text);
    assert_eq!(
        reading.problems,
        [problem(
            2,
            ProblemKind::Inconsistent,
            "this event has no `time` and events before it have one; either all events have it or \
             none"
        )]
    );
}

#[test]
fn chunks_join_to_the_same_as_the_whole() {
    let broken = LINES.replace("\"process\":1,\"node\":\"n2\",\"type\":\"info\"", "oops");
    for text in [LINES, &broken, &LINES[..LINES.len() - 30]] {
        let whole = read_text(text);
        for parts in 1..8 {
            let blocks = jsonl::split_at_lines(text.as_bytes(), parts);
            assert!(blocks.len() <= parts);
            assert_eq!(blocks.concat(), text.as_bytes());
            let mut joiner = Joiner::new(Format::JsonLines);
            for block in blocks {
                joiner.push(jsonl::parse_chunk(block));
            }
            assert_eq!(joiner.finish().as_ref(), Ok(&whole), "{parts} parts");
        }
    }
    assert!(jsonl::split_at_lines(b"", 2).is_empty());
}

#[test]
fn operations_are_in_the_order_of_their_invocations() {
    let text = r#"{"process":0,"type":"invoke","f":"read","time":5}
{"process":1,"type":"invoke","f":"write","value":1,"time":4}"#;
    let times: Vec<u64> =
        read_text(text).history.operations.iter().map(|operation| operation.invoke.0).collect();
    assert_eq!(times, [4, 5]);
}

fn event(process: Process, f: &str, value: Value) -> Event {
    Event {
        index: 12,
        time: Time(34),
        process,
        node: None,
        kind: Kind::Invoke,
        f: Function::from_name(f),
        key: None,
        value,
        intended: None,
        error: None,
    }
}

#[test]
fn written_events_read_back_the_same() {
    let strange = "quote \" backslash \\ feed \n bell \u{7} umlaut ü, and {\"json\":1}";
    let list = Value::list([Value::Nil, Value::Bool(true), Value::list([])]);
    let mut events = vec![
        event(Process::Client(u64::MAX), "read", Value::Nil),
        event(Process::Nemesis, "partition", Value::Text(strange.into())),
        event(Process::Client(1), "cas", Value::pair(Value::Int(i64::MIN), list)),
        event(Process::Client(2), "replica-read", Value::Bool(false)),
    ];
    events.push(Event {
        node: Some(strange.into()),
        key: Some("ключ".into()),
        intended: Some(Time(u64::MAX)),
        error: Some(strange.into()),
        kind: Kind::Fail,
        ..events[2].clone()
    });
    let mut bytes = Vec::new();
    for event in &events {
        write_event(event, &mut bytes);
    }
    assert_eq!(bytes.iter().filter(|byte| **byte == b'\n').count(), events.len());
    let chunk = jsonl::parse_chunk(&bytes);
    assert_eq!(chunk.problems, []);
    assert_eq!(chunk.events().collect::<Vec<Event>>(), events);
}

#[test]
fn written_lines_have_the_documented_form() {
    let mut bytes = Vec::new();
    write_event(&event(Process::Nemesis, "heal", Value::Nil), &mut bytes);
    let cas = Event {
        node: Some("n2".into()),
        key: Some("x".into()),
        intended: Some(Time(30)),
        error: Some("timed out".into()),
        kind: Kind::Info,
        ..event(Process::Client(1), "cas", Value::pair(Value::Int(1), Value::Int(2)))
    };
    write_event(&cas, &mut bytes);
    assert_eq!(
        String::from_utf8(bytes).unwrap(),
        "{\"index\":12,\"time\":34,\"process\":\"nemesis\",\"type\":\"invoke\",\"f\":\"heal\",\
         \"value\":null}\n\
         {\"index\":12,\"time\":34,\"process\":1,\"node\":\"n2\",\"type\":\"info\",\"f\":\"cas\",\
         \"key\":\"x\",\"value\":[1,2],\"intended\":30,\"error\":\"timed out\"}\n"
    );
}

//! Every format as it should be, cut off, and broken.

use super::*;
use crate::history::{Event, Function, Kind, Outcome, Process, Time, Value};

const LINES: &str = r#"{"index":0,"time":1203344,"process":0,"node":"n1","type":"invoke","f":"write","key":"x","value":1}
{"index":1,"time":1530021,"process":0,"node":"n1","type":"ok","f":"write","key":"x","value":1}
{"index":2,"time":1600000,"process":"nemesis","type":"info","f":"partition","value":{"groups":[["n1"],["n2","n3"]]}}
{"index":3,"time":1900511,"process":1,"node":"n2","type":"invoke","f":"cas","key":"x","value":[1,2],"intended":1900000}
{"index":4,"time":3900611,"process":1,"node":"n2","type":"info","f":"cas","key":"x","value":[1,2],"error":"timed out"}
"#;

fn read_text(text: &str) -> Reading {
    read(text.as_bytes()).unwrap()
}

fn problem(line: usize, kind: ProblemKind, message: &str) -> Problem {
    Problem { line, kind, message: message.to_owned() }
}

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
    let list = Value::List(Box::new([Value::Nil, Value::Bool(true), Value::List(Box::new([]))]));
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

const EDN: &str = "; a comment\n[{:process 4, :type :invoke, :f :write, :value 2, :time 10}
 {:process 4, :type :ok,
  :f :write, :value 2, :time 20}
 {:process :nemesis, :type :info, :f :start, :value {:a #{:n1}}, :time 25}
 {:process 6, :type :invoke, :f :read, :value nil, :error [:timeout nil], :time 30}]";

#[test]
fn edn_in_a_vector_and_line_by_line() {
    let reading = read_text(EDN);
    assert_eq!((reading.format, reading.problems.as_slice()), (Format::Edn, [].as_slice()));
    let [write, read] = &reading.history.operations[..] else { panic!("{reading:?}") };
    assert_eq!((write.to_string().as_str(), write.complete), ("w(2)", Some(Time(20))));
    assert_eq!((read.index, read.outcome), (3, Outcome::Info));
    assert_eq!(reading.history.nemesis[0].value.to_string(), "[[a [n1]]]");
    let lines = EDN.replace(['[', ']'], " ").replace(":timeout nil", "[:timeout nil]");
    assert_eq!(read_text(&lines).history, reading.history);
}

#[test]
fn edn_cut_off_or_broken() {
    let reading = read_text(&EDN[..EDN.len() - 10]);
    let [cut] = &reading.problems[..] else { panic!("{:?}", reading.problems) };
    assert_eq!((cut.line, cut.kind), (6, ProblemKind::CutOff));
    assert_eq!(reading.history.operations.len(), 1);

    let reading = read_text(&EDN[..EDN.len() - 1]);
    let [open] = &reading.problems[..] else { panic!("{:?}", reading.problems) };
    assert!(open.message.contains("`]`"), "{open}");
    assert!(!reading.has_gaps());

    let broken = EDN.replace(":type :info", ":type :maybe").replace(":value 2, :time 20}", "]}");
    let reading = read_text(&broken);
    assert_eq!(
        reading.problems,
        [
            problem(
                4,
                ProblemKind::Unreadable,
                "`]` where a value was expected; events before and after it are read"
            ),
            problem(
                5,
                ProblemKind::Unreadable,
                "`:type :maybe`; expected :invoke, :ok, :fail or :info"
            ),
        ]
    );
    assert_eq!(reading.history.operations.len(), 2);
    assert!(reading.has_gaps());
    let reading = read_text("{:type :ok, :f :read}\n[1]\n{:process -1, :type :ok}");
    assert_eq!(reading.problems.iter().map(|problem| problem.line).collect::<Vec<_>>(), [1, 2, 3]);
}

#[test]
fn values_of_registers_by_key_are_taken_apart() {
    let keyed = "{:process 0 :type :invoke :f :write :value [x 1]}
{:process 0 :type :ok :f :write :value [x 1]}
{:process 1 :type :invoke :f :read :value [7 nil]}
{:process 1 :type :ok :f :read :value [7 nil]}
{:process 2 :type :invoke :f :cas :value [x [1 2]]}";
    let shown = |text: &str| -> Vec<String> {
        let reading = read_text(text);
        assert_eq!(reading.problems, []);
        let show = |operation: &crate::history::Operation| {
            format!("{:?} {operation}", operation.key.as_deref())
        };
        reading.history.operations.iter().map(show).collect()
    };
    assert_eq!(
        shown(keyed),
        ["Some(\"x\") w(1)", "Some(\"7\") r -> nil", "Some(\"x\") cas(1 -> 2)"]
    );
    // One plain cas, and the register holds vectors.
    let plain = keyed.replace("[x [1 2]]", "[1 2]");
    assert_eq!(shown(&plain), ["None w([x 1])", "None r -> [7 nil]", "None cas(1 -> 2)"]);
    let tagged = "{:process 2 :type :invoke :f :cas :value #jepsen.independent/tuple [x [1 2]]}";
    assert_eq!(shown(tagged), ["Some(\"x\") cas(1 -> 2)"]);
}

#[test]
fn json_arrays_cut_off_or_broken() {
    let text = "[{\"process\":0,\"type\":\"invoke\",\"value\":[[\"r\",\"}\",null]]},\n\
                {\"process\":0,\"type\":\"ok\",\"f\":\"read\"}]";
    let reading = read_text(text);
    assert_eq!((reading.format, reading.problems.len()), (Format::JsonArray, 0));
    assert_eq!(reading.history.operations[0].f.as_str(), "txn");
    let reading = read_text(&text[..text.len() - 4]);
    assert_eq!((reading.problems[0].line, reading.problems[0].kind), (2, ProblemKind::CutOff));
    let reading = read_text(&text[..text.len() - 1]);
    assert_eq!(reading.problems[0].kind, ProblemKind::CutOff);
    let reading = read_text(&text.replace("},\n", "} x\n"));
    assert_eq!(reading.problems[0].line, 1);
    assert_eq!(reading.history.operations[0].outcome, Outcome::Ok);
}

#[test]
fn jepsen_logs() {
    let text = "INFO  jepsen.util - 0\t:invoke\t:cas\t[1 0]\nother line\n\
                INFO  jepsen.util - 0\t:fail\t:cas\t[1 0]\n\
                INFO  jepsen.util - 1\t:invoke\t:write\t3\n\
                INFO  jepsen.util - 1\t:info\t:write\t:timed-out\n\
                INFO  jepsen.util - :nemesis\t:info\t:start\tnil\n\
                INFO  jepsen.util - 5\t:inv";
    let reading = read_text(text);
    assert_eq!((reading.format, reading.clock), (Format::JepsenLog, Clock::Events));
    let [cas, write] = &reading.history.operations[..] else { panic!("{reading:?}") };
    assert!(cas.answered());
    assert_eq!(write.error.as_deref(), Some("timed-out"));
    assert_eq!(reading.history.nemesis.len(), 1);
    assert_eq!((reading.problems[0].line, reading.problems[0].kind), (7, ProblemKind::CutOff));
    let broken = text.replace(":fail", ":failed");
    assert_eq!(read_text(&broken).problems[0].line, 3);
}

#[test]
fn what_is_no_history_is_refused() {
    assert_eq!(read(b" \n"), Err(FormatError::Empty));
    let error = read(b"\x7fELF\x02 and so on").unwrap_err();
    assert!(error.to_string().starts_with("this is no history: it begins with `\\u{7f}ELF"));
    assert!(read(b"hello").is_err());
    // What begins like a history, and has no event in it.
    for text in
        ["# A heading\n", "#!/bin/sh\n", "{\"a\":1}\n{\"b\":2}\n", "[{\"name\":1}]", "(aside)"]
    {
        let error = read(text.as_bytes()).unwrap_err().to_string();
        assert!(error.starts_with("this is no history: "), "{text}: {error}");
    }
    let error = read(b"\n{\"a\":1}").unwrap_err().to_string();
    assert!(error.contains("not one event in it can be read; line 2: column"), "{error}");
    // One event that is cut off is the beginning of a history.
    assert_eq!(read_text("{\"index\":0,").problems[0].kind, ProblemKind::CutOff);
}

#[test]
fn values_of_other_objects_by_key_are_taken_apart() {
    let keys = |text: &str| -> Vec<String> {
        let reading = read_text(text);
        let operations = reading.history.operations;
        operations.iter().filter_map(|o| Some(format!("{} {o}", o.key.as_deref()?))).collect()
    };
    let set = "{:process 0 :type :invoke :f :add :value [a 1]}
{:process 0 :type :ok :f :add :value [a 1]}
{:process 1 :type :invoke :f :read :value [a nil]}
{:process 1 :type :info :f :read :value nil}";
    assert_eq!(keys(set), ["a add(1)", "a r -> ?"]);
    // A set of pairs, transactions, and a history whose reads do not name a key.
    assert!(keys(&set.replace("[a nil]", "nil")).is_empty());
    assert!(keys(&set.replace(":add", ":txn")).is_empty());
    assert!(keys(&set.replace("[a 1]", "[[a] 1]")).is_empty());
    let json = r#"[{"process":0,"type":"invoke","f":"add","value":["a",1]},
{"process":1,"type":"invoke","f":"read","value":["a",null]}]"#;
    assert_eq!(keys(json), ["a add(1)", "a r -> ?"]);
}

#[test]
fn records_with_tagged_tuples() {
    let text = "#jepsen.history.Op{:index 0, :time 5, :type :invoke, :process 0, :f :add, \
                :value #jepsen.independent.Tuple[k 1]}
#jepsen.history.Op{:index 1, :time 9, :type :ok, :process 0, :f :add, \
                :value #jepsen.independent.Tuple[k 1], :node \"n1\"}";
    let reading = read_text(text);
    assert_eq!((reading.format, reading.problems.as_slice()), (Format::Edn, [].as_slice()));
    let [add] = &reading.history.operations[..] else { panic!("{reading:?}") };
    assert_eq!((add.key.as_deref(), add.to_string().as_str()), (Some("k"), "add(1)"));
    assert_eq!((add.invoke, add.complete), (Time(5), Some(Time(9))));
}

#[test]
fn events_without_a_process_are_paired_by_what_they_do() {
    let text = "{:type :invoke :f :read :value nil} {:type :invoke :f :write :value 1}
{:type :invoke :f :write :value 2} {:type :ok :f :write :value 2}
{:process :nemesis :type :info :f :start} {:type :ok :f :read :value 2} {:type :fail :f :write}";
    let reading = read_text(text);
    assert_eq!(reading.problems, []);
    let shown: Vec<String> = reading
        .history
        .operations
        .iter()
        .map(|o| format!("{} {o} {:?} {:?}", o.process, o.complete.map(|t| t.0), o.outcome))
        .collect();
    assert_eq!(shown, ["0 r -> 2 Some(5) Ok", "1 w(1) Some(6) Fail", "2 w(2) Some(3) Ok"]);
}

#[test]
fn events_without_a_process_that_cannot_be_paired_are_refused() {
    let text = "{:type :invoke :f :read} {:type :invoke :f :read}
{:type :ok :f :read :value 3}
{:type :ok :f :write :value 3}
{:process 0 :type :invoke :f :read}";
    let reading = read_text(text);
    assert_eq!(
        reading.problems,
        [
            problem(
                2,
                ProblemKind::Inconsistent,
                "event 2: 2 `read` without a process are in flight, and which of them this \
                 completes is not said; give each event its `process`"
            ),
            problem(
                3,
                ProblemKind::Inconsistent,
                "event 3: no `write` without a process is in flight that this could complete"
            ),
            problem(
                4,
                ProblemKind::Inconsistent,
                "this event has a `process` and events before it have none; either all events \
                 have it or none"
            ),
        ]
    );
    assert!(reading.has_gaps());
}

#[test]
fn values_in_words() {
    for (text, shown) in
        [("5", "5"), (" nil ", "nil"), ("null", "nil"), ("[1, \"a b\"]", "[1 a b]")]
    {
        assert_eq!(parse_value(text).unwrap().to_string(), shown);
    }
    assert_eq!(parse_value("1 2"), Err("more than one value; the first is `1`".to_owned()));
    assert_eq!(parse_value(""), Err("it ends too early".to_owned()));
    assert!(parse_value("]").is_err());
}

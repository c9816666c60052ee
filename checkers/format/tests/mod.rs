//! Every format as it should be, cut off, and broken.

mod edn;
mod json_lines;

use super::*;
use crate::history::Outcome;

fn read_text(text: &str) -> Reading {
    read(text.as_bytes()).unwrap()
}

fn problem(line: usize, kind: ProblemKind, message: &str) -> Problem {
    Problem { line, kind, message: message.to_owned() }
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

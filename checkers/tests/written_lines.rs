//! What is written reads back the same, and the fast path for lines of ours says what the general
//! reader says, whatever the lines.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use splitbrain_checkers::format::{jsonl, write_event};
use splitbrain_checkers::history::{Event, Function, Kind, Name, Process, Time, Value};

/// Text that is mostly plain.
fn text() -> impl Strategy<Value = Name> {
    prop_oneof![4 => "[a-z]{0,3}", 1 => "[ -~]{0,6}", 1 => any::<String>()].prop_map(Name::from)
}

fn number() -> impl Strategy<Value = u64> {
    prop_oneof![0..100u64, any::<u64>(), Just(u64::MAX)]
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Nil),
        any::<bool>().prop_map(Value::Bool),
        (-9..99i64).prop_map(Value::Int),
        any::<i64>().prop_map(Value::Int),
        text().prop_map(Value::Text),
    ];
    leaf.prop_recursive(12, 24, 3, |inner| vec(inner, 0..4).prop_map(Value::list))
}

fn event() -> impl Strategy<Value = Event> {
    let process = prop_oneof![number().prop_map(Process::Client), Just(Process::Nemesis)];
    let kind = prop_oneof![Just(Kind::Invoke), Just(Kind::Ok), Just(Kind::Fail), Just(Kind::Info)];
    let known = prop_oneof![Just("read"), Just("write"), Just("cas"), Just("replica-read")];
    let f = prop_oneof![known.prop_map(Name::from), text()];
    let names = (option::of(text()), option::of(text()), option::of(text()));
    (number(), number(), process, kind, f, names, value(), option::of(number())).prop_map(
        |(index, time, process, kind, f, (node, key, error), value, intended)| Event {
            index,
            time: Time(time),
            process,
            node,
            kind,
            f: Function::from_name(&f),
            key,
            value,
            intended: intended.map(Time),
            error,
        },
    )
}

fn runner(cases: u32) -> TestRunner {
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha))
}

fn written(events: &[Event]) -> Vec<u8> {
    let mut bytes = Vec::new();
    events.iter().for_each(|event| write_event(event, &mut bytes));
    bytes
}

/// Both readers on these lines: the same events and the same problems.
fn agree(bytes: &[u8]) -> Result<(), TestCaseError> {
    let (fast, general) = (jsonl::parse_chunk(bytes), jsonl::parse_chunk_generally(bytes));
    prop_assert_eq!(fast.problems(), general.problems());
    prop_assert!(fast.events().eq(general.events()), "{}", String::from_utf8_lossy(bytes));
    Ok(())
}

#[test]
fn written_events_read_back_the_same() {
    let result = runner(2_000).run(&vec(event(), 1..4), |events| {
        let bytes = written(&events);
        let read = jsonl::parse_chunk(&bytes);
        prop_assert_eq!(read.problems(), []);
        prop_assert_eq!(read.events().collect::<Vec<_>>(), events);
        agree(&bytes)
    });
    result.unwrap();
}

#[test]
fn spoilt_lines_are_the_same_to_both_readers() {
    /// What is put in the place of some bytes.
    const SPOILS: [&str; 24] = [
        "",
        "\n",
        " ",
        "\"",
        "\\",
        "\\n",
        "0",
        "00",
        "-0",
        "-",
        "1.5",
        "1e3",
        "9999999999999999999",
        "18446744073709551616",
        "null",
        "{",
        "}",
        "[",
        "]",
        ",",
        "\u{7f}",
        "\u{e9}",
        "\r\n",
        "\"value\":1,",
    ];
    let spoil = (0..SPOILS.len(), any::<prop::sample::Index>(), 0..3usize);
    let result = runner(6_000).run(&(vec(event(), 1..3), vec(spoil, 1..3)), |(events, spoils)| {
        let mut bytes = written(&events);
        for (which, place, length) in spoils {
            let from = place.index(bytes.len() + 1);
            let to = (from + length).min(bytes.len());
            bytes.splice(from..to, SPOILS[which].bytes());
        }
        agree(&bytes)
    });
    result.unwrap();
}

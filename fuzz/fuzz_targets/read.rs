//! Any bytes: reading never panics, the history is one that checkers can take, and events that
//! are written as JSON lines read back the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use splitbrain_checkers::format::{self, Format, jsonl, write_event};
use splitbrain_checkers::history::{Event, Outcome};

fuzz_target!(|bytes: &[u8]| {
    let Ok(reading) = format::read(bytes) else { return };
    let operations = &reading.history.operations;
    assert!(operations.is_sorted_by_key(|operation| operation.invoke));
    let open = operations.iter().filter(|operation| operation.complete.is_none());
    assert!(open.clone().all(|operation| operation.outcome == Outcome::Info));
    let lines = bytes.split(|byte| *byte == b'\n').count();
    assert!(reading.problems.iter().all(|problem| (1..=lines).contains(&problem.line)));
    if reading.format == Format::JsonLines {
        let events: Vec<Event> = jsonl::parse_chunk(bytes).events().collect();
        let mut written = Vec::new();
        events.iter().for_each(|event| write_event(event, &mut written));
        let again = jsonl::parse_chunk(&written);
        assert_eq!(again.problems(), []);
        assert!(again.events().eq(events));
    }
});

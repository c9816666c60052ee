//! Lines of JSON: the fast path for lines as we write them says what the general reader says.
#![no_main]

use libfuzzer_sys::fuzz_target;
use splitbrain_checkers::format::{Format, Joiner, jsonl};

fuzz_target!(|bytes: &[u8]| {
    let (fast, general) = (jsonl::parse_chunk(bytes), jsonl::parse_chunk_generally(bytes));
    assert!(fast.events().eq(general.events()));
    assert_eq!(fast.problems(), general.problems());
    let [fast, general] = [fast, general].map(|chunk| {
        let mut joiner = Joiner::new(Format::JsonLines);
        joiner.push(chunk);
        joiner.finish()
    });
    assert_eq!(fast, general);
});

//! The demo: every mode of the reference cluster gets the verdict of its design.

use crate::support::{Traces, splitbrain};
use serde_json::Value;

#[test]
fn every_mode_gets_its_verdict_and_nothing_is_left() {
    let results = tempfile::tempdir().unwrap();
    let marker = results.path().to_string_lossy().into_owned();
    let before = Traces::of(&marker);
    let output = splitbrain().args(["demo", "--json", "--results"]).arg(results.path()).output();
    let output = output.unwrap();
    let story = String::from_utf8_lossy(&output.stderr).into_owned();
    let table: Value = serde_json::from_slice(&output.stdout).expect(&story);
    let rows = table.as_array().expect("a row per mode");
    assert_eq!(rows.len(), 8, "{table:#}");
    for row in rows {
        assert_eq!(row["verdict"], row["expected"], "{row:#}\n{story}");
    }
    assert_eq!(output.status.code(), Some(0), "{story}");
    assert!(results.path().join("demo.html").is_file());
    assert_eq!(Traces::of(&marker), before);
}

//! Tests of the drawing of a witness.

use super::*;
use crate::report::synthetic;

fn drawn(data: &RunData) -> String {
    let witness = data.findings[0].validity.witness().unwrap();
    svg(data, witness, "w1")
}

#[test]
fn every_operation_and_every_arrow_is_drawn() {
    let data = synthetic::stale_reads();
    let witness = data.findings[0].validity.witness().unwrap();
    let svg = drawn(&data);
    assert_eq!(svg.matches(r#"<g class="op "#).count(), witness.operations.len());
    assert_eq!(svg.matches(r#"<path class="arrow "#).count(), witness.arrows.len());
    for operation in &witness.operations {
        assert!(svg.contains(&escape(&operation.to_string())), "{operation}");
    }
    assert!(svg.contains("minority side") && svg.contains("majority side"));
}

#[test]
fn bars_keep_the_order_of_time_and_room_for_their_text() {
    let data = synthetic::stale_reads();
    let witness = data.findings[0].validity.witness().unwrap();
    let drawing = Drawing::new(&data, witness);
    let places: Vec<f64> = drawing.places.values().copied().collect();
    assert!(places.windows(2).all(|pair| pair[0] < pair[1]));
    for operation in &witness.operations {
        let (left, right) = drawing.bar(operation);
        assert!(right - left > drawing.words.width(operation) - 0.001);
    }
}

#[test]
fn what_may_still_happen_has_no_end() {
    let data = synthetic::lost_writes();
    let mut witness = data.findings[0].validity.witness().unwrap().clone();
    witness.operations[0].outcome = Outcome::Info;
    let svg = svg(&data, &witness, "w1");
    assert!(svg.contains(" open\"") && svg.contains("no end"));
}

#[test]
fn hostile_text_stays_text() {
    let mut data = synthetic::stale_reads();
    data.partitions[0].name = "<script>alert(1)</script>".to_string();
    let svg = drawn(&data);
    assert!(!svg.contains("<script"), "{svg}");
    assert_eq!(escape("a<b>&\"'\u{7}"), "a&lt;b&gt;&amp;&quot;&#39; ");
}

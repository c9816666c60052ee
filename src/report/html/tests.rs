//! Tests of the page: what it says, that it is whole, and that it loads nothing.

use super::*;
use crate::report::synthetic;

/// Elements that are never closed.
const VOID: [&str; 9] = ["meta", "br", "link", "img", "input", "hr", "rect", "line", "path"];

/// Everything of the page that is markup: without the content of style and script.
fn markup(page: &str) -> String {
    let mut out = String::new();
    let mut rest = page;
    while let Some(start) = ["<style", "<script"].iter().filter_map(|t| rest.find(t)).min() {
        let open = start + rest[start..].find('>').unwrap() + 1;
        let close = open + rest[open..].find("</s").unwrap();
        out.push_str(&rest[..open]);
        rest = &rest[close..];
    }
    out + rest
}

/// The first tag that does not fit the ones before it.
fn ill_formed(page: &str) -> Option<String> {
    let markup = markup(page);
    let mut open: Vec<&str> = Vec::new();
    for tag in markup.split('<').skip(1) {
        let Some((tag, _)) = tag.split_once('>') else { return Some(tag.to_string()) };
        let name = tag.split([' ', '/', '\n']).next().unwrap_or_default();
        if let Some(closed) = tag.strip_prefix('/') {
            if open.pop() != Some(closed) {
                return Some(format!("</{closed}> closes {open:?}"));
            }
        } else if !tag.ends_with('/') && !tag.starts_with('!') && !VOID.contains(&name) {
            open.push(name);
        }
    }
    (!open.is_empty()).then(|| format!("never closed: {open:?}"))
}

fn all() -> Vec<RunData> {
    vec![
        synthetic::stale_reads(),
        synthetic::lost_writes(),
        synthetic::consistent(),
        synthetic::wordy(),
        synthetic::hostile(),
    ]
}

#[test]
fn every_page_is_well_formed_and_says_its_verdict_in_text() {
    for data in all() {
        let page = html(&data).unwrap();
        assert_eq!(ill_formed(&page), None);
        let sentence = askama::filters::escape(&data.verdict.sentence, askama::filters::Html);
        assert!(markup(&page).contains(&sentence.unwrap().to_string()));
    }
}

#[test]
fn the_check_for_well_formed_pages_can_fail() {
    assert!(ill_formed("<p><b></p>").is_some());
    assert!(ill_formed("<p>").is_some());
    assert_eq!(ill_formed("<p><br></p><style>a > b {}</style>"), None);
}

#[test]
fn nothing_is_loaded_from_a_network() {
    let page = html(&synthetic::lost_writes()).unwrap();
    for start in ["src=", "@import", "fetch(", "XMLHttpRequest"] {
        assert!(!page.contains(start), "{start}");
    }
    for (position, _) in page.match_indices("url(") {
        assert!(page[position..].starts_with("url(#"), "{}", &page[position..position + 40]);
    }
    for (position, _) in page.match_indices("href=\"") {
        let address = &page[position + 6..];
        let address = &address[..address.find('"').unwrap()];
        assert!(!address.contains(':') && !address.starts_with("//"), "{address}");
    }
}

#[test]
fn hostile_text_neither_ends_nor_begins_an_element() {
    let plain = html(&synthetic::lost_writes()).unwrap();
    let page = html(&synthetic::hostile()).unwrap();
    for tag in ["<script", "</script", "<b>"] {
        assert_eq!(page.matches(tag).count(), plain.matches(tag).count(), "{tag}");
    }
}

#[test]
fn the_chart_data_is_json_of_the_run() {
    let data = synthetic::hostile();
    let page = html(&data).unwrap();
    let start = page.find(r#"id="data">"#).unwrap() + r#"id="data">"#.len();
    let json = &page[start..start + page[start..].find("</script>").unwrap()];
    let value: serde_json::Value = serde_json::from_str(json).unwrap();
    assert_eq!(value["nodes"].as_array().unwrap().len(), 3);
    assert_eq!(value["faults"][0]["name"], data.partitions[0].name);
    assert_eq!(value["violations"].as_array().unwrap().len(), 2);
}

#[test]
fn every_violation_of_the_timeline_has_its_witness_on_the_page() {
    let page = html(&synthetic::lost_writes()).unwrap();
    for id in ["finding-1", "finding-2"] {
        assert!(page.contains(&format!("<article class=\"finding\" id=\"{id}\"")));
        assert!(page.contains(&format!("\"id\":\"{id}\"")));
    }
}

#[test]
fn a_long_run_stays_small() {
    let invented = synthetic::Invented { nodes: 5, rate: 1_000.0, seconds: 40, stale: true };
    let data = invented.run();
    assert!(data.history.operations.len() > 150_000);
    let size = html(&data).unwrap().len();
    assert!(size < 1_500_000, "{size} bytes");
}

#[test]
fn what_is_missing_is_said() {
    let mut data = synthetic::consistent();
    data.convergence = None;
    data.links.clear();
    data.partitions.clear();
    data.availability = Default::default();
    data.findings.clear();
    let page = html(&data).unwrap();
    for text in [
        "the workload has no settle phase",
        "No probes were recorded",
        "No partition was injected",
        "Availability was not counted",
        "linearizable was not exercised",
    ] {
        assert!(page.contains(text), "{text}");
    }
}

#[test]
fn not_known_is_neither_agreed_nor_refuted() {
    let mut data = synthetic::consistent();
    let reason = "n2 was never read".to_string();
    data.convergence.as_mut().unwrap().agreement = Agreement::Unknown { reason };
    let page = html(&data).unwrap();
    assert!(page.contains("It is not known whether they agreed: n2 was never read."));
    assert!(!page.contains("All nodes agreed") && !page.contains("did not agree"));
}

/// For whoever changes the look: writes the pages and prints where they are.
#[test]
#[ignore = "writes files for a person to look at"]
fn write_pages_to_look_at() {
    let names = ["stale", "lost", "consistent", "wordy", "hostile"];
    let million = synthetic::Invented { nodes: 5, rate: 30.0, seconds: 7_000, stale: true };
    let dense = synthetic::Invented { nodes: 5, rate: 8_500.0, seconds: 28, stale: true };
    let large = [("million", million.run()), ("dense", dense.run())];
    for (name, data) in names.into_iter().zip(all()).chain(large) {
        let path = std::env::temp_dir().join(format!("splitbrain-report-{name}.html"));
        std::fs::write(&path, html(&data).unwrap()).unwrap();
        println!("{}", path.display());
    }
}

//! The report of a real run in a real browser: nothing goes wrong, nothing is loaded, the charts
//! are drawn, and the keys work.
//!
//! Chromium runs without a window. A copy of the page gets a script at its end that presses a key
//! and writes into the document what a reader would see; the document is then printed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{run, splitbrain};

/// Stale reads on the cut side, in a few seconds.
const WORKLOAD: &str = "\
type: register
operations: { read: 1, write: 1 }
keys: 5
clients: 3
rate: 50/s
timeout: 1s
phases:
  - healthy: 1s
  - partition: { isolate: n3 }
    for: 4s
  - healthy: 1s
  - settle: 2s
check: [linearizable, convergent, available]
";

/// Presses `n`, then counts the colours of each chart.
const LOOK: &str = r##"<script>
addEventListener("load", () => setTimeout(() => {
  dispatchEvent(new Event("resize"));
  document.dispatchEvent(new KeyboardEvent("keydown", { key: "n", bubbles: true }));
  setTimeout(() => {
    for (const canvas of document.querySelectorAll("#hero canvas")) {
      const { width, height } = canvas;
      const pixels = canvas.getContext("2d").getImageData(0, 0, width, height).data;
      const colours = new Set();
      for (let i = 0; i < pixels.length; i += 4) {
        if (pixels[i + 3] > 0) colours.add(pixels.slice(i, i + 4).join());
      }
      const seen = document.createElement("output");
      seen.textContent = "chart " + canvas.closest("#hero [id]").id + ": " + colours.size + " colours;";
      document.body.append(seen);
    }
    const loads = performance.getEntriesByType("resource").map((load) => load.name);
    document.body.append("loads: " + (loads.join(" ") || "none"));
  }, 300);
}, 300));
</script></body>"##;

/// What the browser made of a page.
struct Seen {
    /// The document as it was at the end.
    document: String,
    /// What the page wrote to the console. Errors are there too, and so is everything that the
    /// page's own policy (`default-src 'none'`) refused to load.
    console: Vec<String>,
}

/// Opens a page, and closes it again when its scripts have nothing more to do.
fn open(page: &Path) -> Seen {
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new("chromium")
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"])
        .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
        .args(["--disable-extensions", "--disable-default-apps", "--window-size=1200,3000"])
        // The browser would ask its maker's servers whether it is up to date.
        .arg("--host-resolver-rules=MAP * ~NOTFOUND")
        .args(["--enable-logging=stderr", "--v=0", "--virtual-time-budget=5000", "--dump-dom"])
        .arg(format!("--user-data-dir={}", folder.path().join("profile").display()))
        .arg(format!("file://{}", page.display()))
        .output()
        .expect("this test needs a browser: apt-get install chromium");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "chromium ended with {}\n{said}", output.status);
    let console = said.lines().filter(|line| line.contains(":CONSOLE"));
    Seen {
        document: String::from_utf8_lossy(&output.stdout).into_owned(),
        console: console.map(str::to_string).collect(),
    }
}

fn write(folder: &Path, name: &str, page: &str) -> PathBuf {
    let path = folder.join(name);
    fs::write(&path, page).unwrap();
    path
}

const POLICY: &str = "content=\"default-src 'none'";

#[test]
fn the_report_of_a_run_works_in_a_browser_and_loads_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let workload = write(folder.path(), "short.yaml", WORKLOAD);
    let set = ["--set", "mode=majority-local-reads"];
    let run = run(folder.path(), workload.to_str().unwrap(), "reference", &set);
    assert_eq!(run.exit, 1, "{}", run.story());
    let report = fs::read_to_string(run.folder.join("report.html")).unwrap();
    let watched = write(folder.path(), "watched.html", &report.replace("</body>", LOOK));

    let seen = open(&watched);
    assert_eq!(seen.console, Vec::<String>::new());
    assert!(seen.document.contains(POLICY) && seen.document.contains("loads: none"));
    let sentence = run.verdict["sentence"].as_str().unwrap();
    assert!(seen.document.contains(&format!("<h1>{sentence}</h1>")), "{sentence}");
    for chart in ["nodes", "links", "reads", "writes", "rate"] {
        let colours = seen.document.split(&format!("chart {chart}: ")).nth(1);
        let colours = colours.and_then(|rest| rest.split_once(' ')?.0.parse::<usize>().ok());
        assert!(colours.is_some_and(|colours| colours > 3), "{chart} has {colours:?} colours");
    }
    for text in ["<b>healthy</b>", "cut 1 <small>isolate n3", "Violation 1 of", "chart marks: "] {
        assert!(seen.document.contains(text), "{text} is missing in\n{}", seen.document);
    }
}

#[test]
fn the_page_of_the_demo_works_in_a_browser_and_loads_nothing() {
    let results = tempfile::tempdir().unwrap();
    let demo = splitbrain()
        .args(["demo", "--mode", "single", "--results"])
        .arg(results.path())
        .output()
        .unwrap();
    assert_eq!(demo.status.code(), Some(0), "{}", String::from_utf8_lossy(&demo.stderr));
    let seen = open(&results.path().join("demo.html"));
    assert_eq!(seen.console, Vec::<String>::new());
    assert!(seen.document.contains(POLICY));
    assert!(seen.document.contains("1 of 1 came out as expected"), "{}", seen.document);
}

/// What the tests above rely on.
#[test]
fn an_error_or_a_load_in_a_page_would_be_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let broken = "<!doctype html><body><script>nobody.home()</script></body>";
    let seen = open(&write(folder.path(), "broken.html", broken));
    assert!(seen.console.iter().any(|line| line.contains("ReferenceError")), "{:?}", seen.console);
    let image = "<body><img src='http://127.0.0.1:9/picture.png'>";
    let policy = format!("<meta http-equiv='Content-Security-Policy' {POLICY}\">");
    let seen = open(&write(folder.path(), "refused.html", &format!("{policy}{image}")));
    assert!(seen.console.iter().any(|line| line.contains("picture.png")), "{:?}", seen.console);
    let page = format!("{image}{LOOK}");
    let seen = open(&write(folder.path(), "loading.html", &page));
    let loads = "loads: http://127.0.0.1:9/picture.png";
    assert!(seen.document.contains(loads), "{}", seen.document);
}

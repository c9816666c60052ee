//! Progress of a run: a bar on a terminal, JSON lines for the demo, nothing in a pipe.

use std::io::{IsTerminal, Write};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use serde::{Deserialize, Serialize};

/// Where a run is.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Update {
    /// In words: `bringing up 3 nodes`, `isolate n1 (primary)`.
    pub phase: String,
    pub elapsed_seconds: f64,
    pub total_seconds: f64,
    pub ok: u64,
    pub fail: u64,
    pub info: u64,
}

/// Where updates go.
pub enum Progress {
    Bar(ProgressBar),
    Json,
    Quiet,
}

impl Progress {
    /// For one run, called `name`, on standard error.
    pub fn new(json: bool, name: &str) -> Progress {
        match (json, std::io::stderr().is_terminal()) {
            (true, _) => Progress::Json,
            (false, true) => Progress::Bar(bar().with_prefix(name.to_string())),
            (false, false) => Progress::Quiet,
        }
    }

    pub fn show(&self, update: &Update) {
        match self {
            Progress::Bar(bar) => show(bar, update),
            Progress::Json => {
                if let Ok(line) = serde_json::to_string(update) {
                    // Nobody listens any more if this fails.
                    let _ = writeln!(std::io::stderr(), "{line}");
                }
            }
            Progress::Quiet => {}
        }
    }

    pub fn finish(&self) {
        if let Progress::Bar(bar) = self {
            bar.finish_and_clear();
        }
    }
}

/// An empty bar that fits 80 columns.
pub fn bar() -> ProgressBar {
    let style = ProgressStyle::with_template("{prefix:22!} {bar:16} {msg:40!}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(1000).with_style(style)
}

/// Draws an update on a bar.
pub fn show(bar: &ProgressBar, update: &Update) {
    let share = if update.total_seconds > 0.0 {
        (update.elapsed_seconds / update.total_seconds).clamp(0.0, 1.0)
    } else {
        0.0
    };
    bar.set_position((share * 1000.0) as u64);
    let operations = update.ok + update.fail + update.info;
    bar.set_message(format!("{operations:>6} ops  {}", update.phase));
}

/// How often a run reports where it is.
pub const INTERVAL: Duration = Duration::from_millis(200);

/// A bar over so many files, on a terminal; hidden elsewhere, as indicatif does by itself.
pub fn files(count: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{pos:>6} of {len:6} {bar:16} {msg:40!}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(count as u64).with_style(style)
}

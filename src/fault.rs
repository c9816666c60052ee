//! What ends a run with exit code 255: the harness or the cluster failed, so there is no verdict.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// Why there can be no verdict. Each message says what happened, where, and what to look at.
#[derive(Debug, Clone, thiserror::Error)]
pub enum HarnessFault {
    #[error("{} died on its own ({status})\n{last_words}", last_words.node)]
    NodeDied { status: String, last_words: LastWords },
    #[error("{} was not ready within {within:?}: {reason}\n{last_words}", last_words.node)]
    NeverReady { within: Duration, reason: String, last_words: LastWords },
    #[error(
        "the recipe's prepare command failed ({status}): {command}\n{}\n{}",
        quoted(said),
        logs.iter().map(LastWords::to_string).collect::<Vec<_>>().join("\n")
    )]
    PrepareFailed { command: String, status: String, said: String, logs: Vec<LastWords> },
    #[error("the driver panicked at {node} during {operation}: {message}")]
    DriverPanic { node: String, operation: String, message: String },
    #[error("the history could not be written: {0}; free some space and run again")]
    History(String),
    #[error("{0}")]
    Sandbox(String),
}

/// The last that a node wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastWords {
    pub node: String,
    pub log: PathBuf,
    pub tail: String,
}

impl fmt::Display for LastWords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the log of {} is {}\n{}", self.node, self.log.display(), quoted(&self.tail))
    }
}

/// Lines that somebody else wrote, set apart.
fn quoted(tail: &str) -> String {
    if tail.is_empty() {
        return "  (empty)".into();
    }
    tail.lines().map(|line| format!("  | {line}")).collect::<Vec<_>>().join("\n")
}

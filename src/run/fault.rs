//! What ends a run with exit code 255: the harness or the cluster failed, so there is no verdict.

use std::path::PathBuf;

/// Why there can be no verdict. Each message says what happened, where, and what to look at.
#[derive(Debug, Clone, thiserror::Error)]
pub enum HarnessFault {
    #[error("{node} died on its own ({status}); its log is {}\n{}", log.display(), quoted(tail))]
    NodeDied { node: String, status: String, log: PathBuf, tail: String },
    #[error(
        "the cluster was not ready within {within:?}: {reason}\nthe log of {node} is {}\n{}",
        log.display(),
        quoted(tail)
    )]
    NeverReady {
        node: String,
        within: std::time::Duration,
        reason: String,
        log: PathBuf,
        tail: String,
    },
    #[error("the driver panicked at {node} during {operation}: {message}")]
    DriverPanic { node: String, operation: String, message: String },
    #[error("the history could not be written: {0}; free some space and run again")]
    History(String),
    #[error("{0}")]
    Sandbox(String),
}

/// The last lines of a log, set apart.
fn quoted(tail: &str) -> String {
    if tail.is_empty() {
        return "  (the log is empty)".into();
    }
    tail.lines().map(|line| format!("  | {line}")).collect::<Vec<_>>().join("\n")
}
